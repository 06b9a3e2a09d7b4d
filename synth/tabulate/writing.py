"""The standard tables as files: one CSV a table in long form, and what a reader must know of them as text."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from synth.spreadsheets import neutral
from synth.tabulate.printing import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth.tabulate.figures import Entry, Standard

__all__ = ["ABOUT", "about", "banner", "measure_words", "rounding_notes", "unit_words", "write_csv_tables"]

ABOUT = "about.txt"
_COLUMNS = (
    "table", "measure", "year", "geography_code", "geography_name", "dim1", "dim2", "unit", "printed", "rounding",
    "note",
)  # fmt: skip
_UNITS = {"count": "number", "percent": "per cent", "rate_per_10000": "rate per 10,000 children", "months": "months"}


def banner(standard: Standard) -> str:
    """Return what must stand over every table: that nothing in it is real, and whether its year is a projection."""
    said = "Synthetic: counted in made-up records, no official statistic. Do not quote as real."
    if standard.projected:
        said += f" Projection: nothing was published about {standard.year}."
    return said


def measure_words(measure: str) -> str:
    """Return a measure's machine name as words, with a capital."""
    words = measure.replace("_", " ").replace("march", "March").replace("wales", "Wales")
    return words[:1].upper() + words[1:]


def unit_words(unit: str) -> str:
    """Return a unit as a heading says it."""
    return _UNITS.get(unit, unit.replace("_", " "))


def about(standard: Standard) -> str:
    """Return the text that lies beside the tables: banner, how each measure is printed, what was left out and why."""
    lines = [
        f"Standard tables, year ending 31 March {standard.year}",
        "",
        banner(standard),
        f"{HIDDEN} stands for a small count that is not shown.",
        "",
        "How the figures are printed",
    ]
    lines += [f"  {line}" for line in rounding_notes(standard.entries)]
    if standard.notes:
        lines += ["", "Left out", *(f"  {note}" for note in standard.notes)]
    return "\n".join([*lines, ""])


def rounding_notes(entries: Sequence[Entry]) -> list[str]:
    """Return one line for each table, measure, unit and way of printing, in the order of the figures."""
    said = dict.fromkeys(
        f"{e.table} {e.measure}, {'Wales' if e.national else 'authorities'}, {unit_words(e.unit)}: {e.how.words}"
        for e in entries
    )
    return list(said)


def write_csv_tables(standard: Standard, folder: Path) -> None:
    """Write each table as CSV into a folder: a row a figure, UTF-8, commas, a line feed after each row.

    Text that a spreadsheet would take for a formula is led by an apostrophe.
    """
    note = "synthetic, projection" if standard.projected else "synthetic"
    for table, entries in standard.by_table().items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(_COLUMNS)
            for e in entries:
                named = (e.geography, e.name, e.dim1, e.dim2, e.unit)
                texts = [neutral(text) for text in (e.table, e.measure, str(e.year), *named)]
                writer.writerow([*texts, e.text, e.how.name, note])
