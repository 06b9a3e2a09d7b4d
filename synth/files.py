"""What a generated year is: its forms in memory and the names of its files on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth.geography.authorities import Authority
from synth.returns.columns import Form

__all__ = ["FILES", "Generated", "write_csv"]

FILES = {
    "crcs": "synthetic_crcs.csv",
    "child": "synthetic_cla_child.csv",
    "episode": "synthetic_cla_episode.csv",
    "adoption": "synthetic_cla_adoption.csv",
    "care_leaver": "synthetic_cla_care_leaver.csv",
    "postcodes": "synthetic_postcodes.csv",
}
"""Form -> file name. The last is no form: it gives every Welsh postcode used a 2011 small area (LSOA)."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The returns of one year: each form's columns as text, ready to be written."""

    year: int
    authorities: tuple[Authority, ...]
    forms: dict[str, Form]


def write_csv(form: Form, path: Path) -> None:
    """Write text columns as they stand: commas between, a line feed after each row, no quoting ever needed."""
    columns = list(form.values())
    lines = columns[0].astype(object) if columns else np.zeros(0, object)
    for column in columns[1:]:
        lines = lines + "," + column.astype(object)
    path.write_text("\n".join([",".join(form), *lines, ""]), "utf-8", newline="\n")
