"""A year written in the formats asked for, each in a folder of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.formats.columnar import write_parquet
from synth.formats.content import content_in
from synth.formats.databases import write_duckdb, write_sqlite
from synth.formats.names import FORMATS
from synth.formats.statistics import write_spss, write_stata
from synth.formats.unfit import place_of
from synth.formats.workbooks import write_workbooks
from synth.formulas import without_formulas
from synth.log import doing
from synth.tables import write_form

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from synth.files import Generated
    from synth.formats.content import Content

__all__ = ["beside", "write_formats"]


def beside(formats: Collection[str]) -> Callable[[Generated, Path], None]:
    """Return what writes a generated year, whose CSV files stand in a folder, in other formats into folders there."""

    def write(made: Generated, folder: Path) -> None:
        write_formats(content_in(folder, made.year), formats, folder)

    return write


def write_formats(content: Content, formats: Collection[str], folder: Path) -> tuple[str, ...]:
    """Write the forms of a year into `folder`/<format> for each format; returns what is to be said of that.

    Raises InputError, as the writer of each format does, for what it cannot hold.
    """
    notes: list[str] = []
    for name in FORMATS:
        if name in formats:
            place = folder / name
            place.mkdir()
            notes += _WRITERS[name](content, place) or ()
            doing("%s written", place)
    return tuple(notes)


def _write_csv(content: Content, folder: Path) -> list[str]:
    """Write every form as the text that was read; what a spreadsheet takes for a formula is led by an apostrophe."""
    notes = []
    for form, table in content.forms.items():
        text, formulas = without_formulas(table)
        for name, rows in formulas.items():
            first = place_of(table, rows[0], name)
            notes.append(
                f"{first} begins like a formula (so do {len(rows):,} cells of the column): led by an apostrophe."
            )
        write_form(text, folder / f"{content.name(form)}.csv")
    return notes


_WRITERS: dict[str, Callable[[Content, Path], list[str] | None]] = {
    "csv": _write_csv,
    "parquet": write_parquet,
    "xlsx": write_workbooks,
    "sqlite": lambda content, folder: write_sqlite(content, folder / f"{content.whole_name}.sqlite"),
    "duckdb": lambda content, folder: write_duckdb(content, folder / f"{content.whole_name}.duckdb"),
    "stata": write_stata,
    "spss": write_spss,
}
