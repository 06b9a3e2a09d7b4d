"""Writing what tells of a dataset: into the folder of a year, or once for a dataset of many worlds."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from synth.files import DATAPACKAGE, FILES, METADATA
from synth.guidance import load
from synth.manifest import banner_of, statement_of
from synth.metadata.catalogue import worlds_record, year_record
from synth.metadata.entries import entries
from synth.metadata.origin import Subject, sources_of, written_as
from synth.metadata.package import datapackage
from synth.metadata.page import dictionary_html
from synth.metadata.sdv import sdv_metadata
from synth.metadata.sheets import dictionary_csv, dictionary_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from synth.files import Generated
    from synth.metadata.origin import Written
    from synth.profile import Profile
    from synth.scale.plan import Plan

__all__ = ["beside", "beside_worlds", "metadata_of"]

_DICTIONARY = ("dictionary.csv", "dictionary.xlsx", "dictionary.html")
_SDV, _RECORD = "sdv.json", "dcat.jsonld"


def beside(profile: Profile) -> Callable[[Generated, Path], None]:
    """Return what writes the metadata of a year into its folder, in which all its forms stand already.

    It is what `generate_panel` takes as `beside`; see `metadata_of`.
    """

    def write(made: Generated, folder: Path) -> None:
        written = {
            form: written_as(len(next(iter(made.forms[form].values()))), (folder / name).read_bytes())
            for form, name in FILES.items()
        }
        (folder / METADATA).mkdir()
        subject = Subject(made.year, made.collection, made.world, made.authorities)
        for path, content in metadata_of(subject, written, profile).items():
            (folder / path).write_bytes(content)

    return write


def metadata_of(subject: Subject, written: Mapping[str, Written], profile: Profile) -> dict[str, bytes]:
    """Return the metadata of a year by paths in its folder; `written` tells of the file of each form.

    The same files give the same bytes. `profile` is what they are made with; it says whether the published sources are
    known.
    """
    sources, banner = sources_of(profile), banner_of(profile)
    found = {f"{METADATA}/{name}": c for name, c in _of_year(subject.year, subject.collection, banner).items()}
    return found | {
        f"{METADATA}/{_SDV}": _json(sdv_metadata(subject.year, subject.collection)),
        f"{METADATA}/{_RECORD}": _json(year_record(subject, written, sources, banner)),
        DATAPACKAGE: _json(datapackage(subject, written, sources, statement_of(profile)), 5),
    }


def beside_worlds(plan: Plan, profile: Profile) -> dict[str, bytes]:
    """Return the metadata of a dataset of worlds by paths from its root.

    Dictionary and metadata for SDV once for each year, a catalogue record of the whole.
    """
    found: dict[str, bytes] = {}
    banner = banner_of(profile)
    for year in plan.years:
        collection = load("crcs", year, plan.collection).mode
        sdv = _json(sdv_metadata(year, collection, parquet=plan.form == "parquet"))
        found |= {
            f"{METADATA}/{year}/{name}": c for name, c in (_of_year(year, collection, banner) | {_SDV: sdv}).items()
        }
    record = worlds_record(
        plan.whole_command, plan.years, plan.worlds, plan.codes, plan.form, sources_of(profile), banner
    )
    return found | {f"{METADATA}/{_RECORD}": _json(record)}


@lru_cache(maxsize=4)
def _of_year(year: int, collection: str, banner: str) -> dict[str, bytes]:
    """Return the data dictionary of a year in its three forms: it hangs on nothing else."""
    rows = entries(year, collection)
    contents = (dictionary_csv(rows), dictionary_xlsx(rows, year, banner), dictionary_html(year, collection, banner))
    return dict(zip(_DICTIONARY, contents, strict=True))


def _json(content: dict[str, Any], depth: int = 4) -> bytes:
    """Write a document with a line for each value down to a depth, and what lies deeper in one line."""
    return (_lines(content, depth, "") + "\n").encode()


def _lines(value: Any, depth: int, before: str) -> str:  # noqa: ANN401  whatever JSON can hold
    if depth == 0 or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    here = f"{before} "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_lines(each, depth - 1, here)}" for key, each in value.items()]
    else:
        parts = [_lines(each, depth - 1, here) for each in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return f"{opened}\n{here}" + f",\n{here}".join(parts) + f"\n{before}{closed}"
