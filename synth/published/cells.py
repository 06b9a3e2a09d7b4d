"""Published figures as cells: what each one leaves open, and which of several printed for the same thing stands.

A figure printed again in a later release replaces the earlier one (`replaced.csv`). A figure of a release whose
total was revised later holds only within that revision (`revisions.csv`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from synth.errors import ProfileError
from synth.published.reading import Row, Tables, number, read_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Cell", "intervals", "published_cells"]

_REVISIONS = ("family", "year", "measures", "sources", "first", "revised", "note")
_REPLACED = (
    "table_id", "measure", "year", "dim1_value", "unit", "source_id", "value",
    "by_table", "by_measure", "by_dim1", "by_unit", "by_source", "by_value", "reason",
)  # fmt: skip
_REVISABLE = ("count", "rate_per_10000")


@dataclass(frozen=True, slots=True)
class Cell:
    """One published figure of a collection year, with the lowest and highest true value it allows.

    `low` and `high` are inclusive and in the printed unit; `value` is None where a small count is hidden. `dim1`
    and `dim2` are printed as in the table, empty where it is not divided. `superseded` names the line that takes
    this one's place and why; a cell that counts has it empty.
    """

    table: str
    measure: str
    year: int
    geography: str
    dim1: str
    dim2: str
    unit: str
    value: float | None
    low: float
    high: float
    file: str
    line: int
    source: str
    basis: str
    note: str
    superseded: str

    @property
    def place(self) -> str:
        """Where the figure stands, for messages."""
        return f"{self.file} line {self.line}"


@dataclass(frozen=True, slots=True)
class _Revision:
    """A total first published as `first` and later as `revised`, and whose other cells went with the first."""

    year: int
    measures: tuple[str, ...]
    sources: tuple[str, ...]
    ratio: float

    def touches(self, row: Row) -> bool:
        return (
            row.unit in _REVISABLE
            and row.year == self.year
            and row.source in self.sources
            and any(fnmatchcase(row.measure, pattern) for pattern in self.measures)
        )


def published_cells(tables: Tables, year: int) -> tuple[Cell, ...]:
    """Return every published figure of one collection year (31 March `year`, or the year ending then), in file order.

    Figures whose year is not known and population estimates are left out. Raises ProfileError naming the line of
    replaced.csv or revisions.csv that cannot hold, and where two standing figures speak of the same thing.
    """
    taken = _replacements(tables)
    interval = intervals(tables)
    cells = [
        _cell(row, interval, taken.get((row.file, row.line), ""))
        for row in tables.rows
        if row.year == year and row.file != "population.csv"
    ]
    _check_single(cell for cell in cells if not cell.superseded)
    return tuple(cells)


def _cell(row: Row, interval: Callable[[Row], tuple[float, float]], superseded: str) -> Cell:
    low, high = interval(row)
    return Cell(
        table=row.table,
        measure=row.measure,
        year=row.year or 0,
        geography=row.geography,
        dim1=row.dim1,
        dim2=row.dim2,
        unit=row.unit,
        value=row.value,
        low=low,
        high=high,
        file=row.file,
        line=row.line,
        source=row.source,
        basis=row.basis,
        note=row.note,
        superseded=superseded,
    )


def _interval(tables: Tables, row: Row) -> tuple[float, float]:
    """Return lowest and highest true value by the rounding alone."""
    rounding = tables.roundings[row.rounding]
    if row.value is None:
        return 0.0, rounding.hidden_up_to or 0.0
    width = tables.half_width(row)
    return max(0.0, row.value - width), row.value + (0.0 if rounding.below else width)


def intervals(tables: Tables) -> Callable[[Row], tuple[float, float]]:
    """Return what tells a figure's lowest and highest true value, inclusive: its rounding, and its release's revisions.

    Raises ProfileError naming a line of revisions.csv that cannot hold.
    """
    revisions = _revisions(tables)
    return lambda row: _within_revisions(row, *_interval(tables, row), revisions)


def _within_revisions(row: Row, low: float, high: float, revisions: Iterable[_Revision]) -> tuple[float, float]:
    """Widen an interval by the revisions that touch its figure."""
    for revision in revisions:
        if row.value is not None and revision.touches(row):
            low, high = low * min(1.0, revision.ratio), high * max(1.0, revision.ratio)
            if row.unit == "count":
                # A revised count is a whole number again.
                low, high = math.floor(low), math.ceil(high)
    return low, high


def _revisions(tables: Tables) -> list[_Revision]:
    path = tables.folder / "revisions.csv"
    found: list[_Revision] = []
    for line, cells in read_csv(path, _REVISIONS):
        first, revised = (number(path, line, column, cells[column]) for column in ("first", "revised"))
        year = int(number(path, line, "year", cells["year"]))
        measures, sources = tuple(cells["measures"].split()), tuple(cells["sources"].split())
        revision = _Revision(year, measures, sources, revised / first if first else 0.0)
        if not first or not any(revision.touches(row) for row in tables.rows):
            raise ProfileError(
                f"{path} line {line}: {cells['family']} {year} from {cells['first']} to {cells['revised']} touches no "
                "published count or rate; expected measures and sources that occur in that year. Correct the line.",
            )
        found.append(revision)
    return found


def _replacements(tables: Tables) -> dict[tuple[str, int], str]:
    """Return for each line that does not stand which one does and why; lines are (file, line)."""
    by_measure: dict[tuple[str, str], list[Row]] = {}
    for row in tables.rows:
        by_measure.setdefault((row.table, row.measure), []).append(row)
    path = tables.folder / "replaced.csv"
    taken: dict[tuple[str, int], tuple[Row, str]] = {}
    for line, cells in read_csv(path, _REPLACED):
        used = False
        for row in by_measure.get((cells["table_id"], cells["measure"]), []):
            if not _fits(row, cells, "dim1_value", "unit", "source_id", "value") or (
                cells["year"] and str(row.year) != cells["year"]
            ):
                continue
            wanted = cells | {"by_unit": cells["by_unit"] or row.unit}
            others = [
                other
                for other in by_measure.get((cells["by_table"], cells["by_measure"]), [])
                if (other.year, other.geography) == (row.year, row.geography)
                and other is not row
                and _fits(other, wanted, "by_dim1", "by_unit", "by_source", "by_value")
            ]
            used = used or bool(others)
            if others:
                taken.setdefault((row.file, row.line), (others[0], cells["reason"]))
        if not used:
            raise ProfileError(
                f"{path} line {line}: no figure of {cells['table_id']} {cells['measure']} finds one of "
                f"{cells['by_table']} {cells['by_measure']} for the same place and year. Correct the line.",
            )
    return {place: _standing(taken, place, path.name) for place in taken}


def _fits(row: Row, cells: dict[str, str], dim1: str, unit: str, source: str, value: str) -> bool:
    """Say whether a row has what the named columns ask for: nothing asks for nothing, - for an empty field."""
    return (
        (not cells[dim1] or row.dim1 == cells[dim1].removeprefix("-"))
        and (not cells[unit] or row.unit == cells[unit])
        and (not cells[source] or row.source == cells[source])
        and (not cells[value] or row.value == float(cells[value]))
    )


def _standing(taken: dict[tuple[str, int], tuple[Row, str]], place: tuple[str, int], file: str) -> str:
    """Follow replacements to the figure that stands."""
    row, reason = taken[place]
    passed = {place}
    while (key := (row.file, row.line)) in taken:
        if key in passed:
            raise ProfileError(f"{file}: {row.place} replaces itself over others. Take one of the lines out.")
        passed.add(key)
        row = taken[key][0]
    return f"{row.place}: {reason}"


def _check_single(cells: Iterable[Cell]) -> None:
    seen: dict[tuple[str, ...], Cell] = {}
    for cell in cells:
        key = (cell.table, cell.measure, cell.geography, cell.dim1, cell.dim2, cell.unit)
        if (other := seen.setdefault(key, cell)) is not cell:
            raise ProfileError(
                f"{cell.place} and {other.place} both give {cell.measure} {cell.year} of {cell.geography}; expected "
                "one that stands. Say in replaced.csv which takes the other's place.",
            )
