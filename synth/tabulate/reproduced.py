"""How many published figures the standard tables print as they were published."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.fidelity.folders import read_year, year_before
from synth.published import load_tables, published_cells
from synth.published.counted import counted_as, load_counted
from synth.tabulate.figures import standard_figures
from synth.tabulate.printing import convention

if TYPE_CHECKING:
    from pathlib import Path

    from synth.published import Cell, Row, Tables
    from synth.tabulate.figures import Standard
    from synth.tabulate.printing import Convention

__all__ = ["CAUSES", "Missed", "Reproduced", "reproduced", "reproduced_in"]

CAUSES = {
    "outside": "the figure lies outside what the published one leaves open",
    "revised": "the published figure went with a total that was revised later, and leaves more open than its rounding",
    "added up": "the published figure adds two years, each rounded, and leaves more open than one rounding",
    "not printed": "the published figure is quoted in words or worked out from others; no table prints it so",
    "otherwise": "the tables print the figure in another way than it was published",
    "left out": "the tables do not hold the figure",
}
"""Cause of a miss -> what it says. With the three in the middle a figure may be right and still printed otherwise."""

_SLIPPED = 1e-9


@dataclass(frozen=True, slots=True)
class Missed:
    """A published cell the tables print otherwise: as `shown`, counted as `value`; both None where it is left out."""

    cell: Cell
    cause: str
    shown: float | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Reproduced:
    """Fitted cells of a year: how many there are, and those printed otherwise than they were published.

    `settled` of the cells follow from their true figure by one rounding; the others are revised, added up or not
    printed.
    """

    year: int
    cells: int
    settled: int
    missed: tuple[Missed, ...]
    missed_settled: tuple[Missed, ...]

    @property
    def share(self) -> float:
        """Return the share of all fitted cells printed as published; 1 without cells."""
        return 1 - len(self.missed) / self.cells if self.cells else 1.0

    @property
    def share_settled(self) -> float:
        """Return the share of the settled cells printed as published; 1 without any."""
        return 1 - len(self.missed_settled) / self.settled if self.settled else 1.0

    @property
    def causes(self) -> dict[str, int]:
        """Return how many cells missed by each cause, in the order of CAUSES."""
        found = Tally(missed.cause for missed in self.missed)
        return {cause: found[cause] for cause in CAUSES if found[cause]}


def reproduced(folder: Path) -> Reproduced:
    """Print the tables of a generated year and compare them with the fitted cells that were published for it.

    Cells another one took the place of do not count, nor those of places that are not in the files. Raises InputError
    where the folder is not a whole generated year.
    """
    tables = load_tables()
    this = read_year(folder)
    standard = standard_figures(this, year_before(this), tables)
    places = {entry.geography for entry in standard.entries}
    return reproduced_in(standard, tables, places)


def reproduced_in(standard: Standard, tables: Tables, places: set[str]) -> Reproduced:
    """Compare figures with the fitted cells of their year, of the places named by ONS code."""
    counted = load_counted(tables)
    rows = {(row.file, row.line): row for row in tables.rows}
    entries = {(e.table, e.measure, e.geography, e.dim1, e.dim2, e.unit): e for e in standard.entries}
    cells = settled = 0
    missed, missed_settled = [], []
    for cell in published_cells(tables, standard.year):
        if cell.superseded or cell.geography not in places or counted_as(counted, cell).role != "fitted":
            continue
        row = rows[cell.file, cell.line]
        how = convention(row.rounding, tables.roundings[row.rounding], row.value)
        open_ = _open(cell, row, how, tables)
        cells, settled = cells + 1, settled + (not open_)
        entry = entries.get((cell.table, cell.measure, cell.geography, cell.dim1, cell.dim2, cell.unit))
        bounded = how is not None and how.below is not None
        if entry is not None and entry.shown == cell.value and entry.bounded == bounded:
            continue
        if entry is None:
            miss = Missed(cell, "left out", None, None)
        else:
            inside = cell.low - _SLIPPED <= entry.value <= cell.high + _SLIPPED
            miss = Missed(cell, (open_ or "otherwise") if inside else "outside", entry.shown, entry.value)
        missed.append(miss)
        missed_settled += [] if open_ else [miss]
    return Reproduced(standard.year, cells, settled, tuple(missed), tuple(missed_settled))


def _open(cell: Cell, row: Row, how: Convention | None, tables: Tables) -> str:
    """Say why a cell leaves more open than one rounding of the true figure does; nothing where it does not."""
    if how is None:
        return "not printed"
    if how.parts:
        return "added up"
    if row.value is None:
        return ""
    width = tables.half_width(row)
    widened = cell.low < max(0.0, row.value - width) - _SLIPPED or cell.high > row.value + width + _SLIPPED
    return "revised" if widened else ""
