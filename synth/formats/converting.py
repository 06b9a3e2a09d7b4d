"""Anyone's files of a return, good or not, written in other formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.dates import year_code
from synth.errors import InputError
from synth.files import BESIDE, MANIFEST, check_place, folder_in_place, resolved
from synth.formats.content import content_of
from synth.formats.names import check_installed
from synth.formats.writing import write_formats
from synth.manifest import digests, json_text
from synth.reading import read_any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from synth.reading import Found

__all__ = ["Converted", "convert"]


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written: the folder, the year, rows of each form, files of each format, and notes."""

    folder: Path
    year: int
    rows: Mapping[str, int]
    files: Mapping[str, int]
    notes: tuple[str, ...]


def convert(
    paths: Sequence[Path],
    formats: Sequence[str],
    out: Path,
    *,
    year: int | None = None,
    return_: str | None = None,
    form: str | None = None,
) -> Converted:
    """Write the forms found in `paths` into `out`/<format> for each format, in the order of FORMATS.

    `year`, `return_` and `form` are as in `read_any`. Columns are the items of the year in the order of the guidance;
    others are left out, as a note says. `out` appears whole or not at all, with a manifest, and replaces only what this
    program wrote. Raises InputError for what cannot be read, for a cell that a format cannot hold, and for a folder
    that cannot be used.
    """
    check_installed(formats)
    found = read_any(paths, year=year, return_=return_, form=form)
    place = resolved(out)
    for path in paths:
        if place in {path.resolve(), path.resolve().parent}:
            raise InputError(f"--out {out}: the files to convert stand there; give another folder.")
    check_place(place.parent, place, {MANIFEST}, named=out)
    content = content_of(found)
    unknown = [
        f"Left out: column {name} of {table.file}, which is no item of {found.year}."
        for table in found.forms.values()
        for name in table.unknown
    ]
    with folder_in_place(place.parent, place.name) as building:
        notes = write_formats(content, formats, building)
        about = {
            "converted": {name: {"file": table.file, "rows": table.height} for name, table in found.forms.items()},
            "year": found.year,
        }
        written = digests(building)
        (building / MANIFEST).write_text(json_text(about | {BESIDE: written}), "utf-8")
    return Converted(
        out,
        found.year,
        {name: table.height for name, table in found.forms.items()},
        {name: sum(file.startswith(f"{name}/") for file in written) for name in formats},
        (*found.notes, *_other_years(found), *unknown, *notes),
    )


def _other_years(found: Found) -> list[str]:
    """Say which forms have rows of another year than the one whose items and codes they are written with."""
    code = year_code(found.year)
    notes = []
    for form, table in found.forms.items():
        if "YEAR_CODE" not in table.text.columns:
            continue
        others = table.text["YEAR_CODE"].cast(pl.String).drop_nulls()
        others = others.filter(others != code)
        if others.len():
            named = ", ".join(other[:20] for other in sorted(others.unique())[:3])
            notes.append(
                f"{others.len():,} of {table.height:,} rows of the form {form} have another YEAR_CODE ({named}) than"
                f" {code}, with whose items and codes all are written. Convert years one by one."
            )
    return notes
