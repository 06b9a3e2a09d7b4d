"""Each published cell beside what was generated: inside its interval or not, and how far off against chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.fidelity.counting import Counter
from synth.published import WALES, published_cells
from synth.published.counted import VIEWS, Counted, counted_as, load_counted, role_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.fidelity.folders import Year
    from synth.published import Cell, Tables

__all__ = ["Comparison", "Figure", "Result", "compare", "figure"]

_CLOSE = 1e-9
_PER = 10_000


@dataclass(frozen=True, slots=True)
class Result:
    """One cell compared. `generated` and the interval are in the printed unit.

    `z` is the distance from the nearest end of the interval in standard errors, negative below it and 0 inside:
    binomial for shares and parts of a stock, Poisson for flows and totals, that of the mean for means. `children`
    turns that distance into children, `size` the interval's middle; both None for means and changes.
    """

    cell: Cell
    role: str
    note: str
    generated: float
    z: float
    children: float | None
    size: float | None

    @property
    def inside(self) -> bool:
        """Say whether the generated figure could be the published one."""
        return self.z == 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """All cells of a year: those compared, and (cell, reason) for those that were not."""

    results: tuple[Result, ...]
    skipped: tuple[tuple[Cell, str], ...]
    superseded: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure counted in files, in the printed unit: `scale` children to one unit of it, out of `base` children.

    A mean or a change counts no children: `scale` is None, and `error` its standard error; 0 for all others, whose
    error depends on what they are held against.
    """

    value: float
    scale: float | None
    base: float = 0.0
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class _Found:
    """A generated figure, its standard error, and children per unit of it (None where it is no count of children)."""

    value: float
    error: float
    scale: float | None


def compare(this: Year, before: Year | None, tables: Tables, held_out: Sequence[str] = ()) -> Comparison:
    """Compare every published cell of the year with its files.

    Cells of Wales need all 22 authorities, some cells the year before; those that cannot be compared come back with
    the reason. Raises ProfileError for a cell counted.csv does not know.
    """
    counted = load_counted(tables)
    now = Counter(this.views)
    earlier = Counter(before.views) if before else None
    results: list[Result] = []
    skipped: list[tuple[Cell, str]] = []
    cells = published_cells(tables, this.year)
    standing = [cell for cell in cells if not cell.superseded]
    populations: dict[str, Mapping[str, float]] = {}
    for cell in standing:
        row = counted_as(counted, cell)
        reason = _why_not(this, row, cell, earlier)
        if reason:
            skipped.append((cell, reason))
            continue
        if row.population and row.population not in populations:
            populations[row.population] = tables.children(this.year - 1, rebased=row.population == "rebased")
        found = _found(row, cell, now, earlier, populations)
        results.append(_result(cell, row, found, role_of(row, held_out)))
    return Comparison(tuple(results), tuple(skipped), len(cells) - len(standing))


def _why_not(this: Year, row: Counted, cell: Cell, earlier: Counter | None) -> str:
    if row.role == "none":
        return row.note
    if cell.geography == WALES and not this.whole:
        return "A figure for Wales; the files hold some authorities only"
    if cell.geography != WALES and cell.geography not in this.areas:
        return "An authority that is not in the files"
    if row.years and earlier is None:
        return f"Needs {this.year - 1} of the same seed, profile and authorities in a folder beside this one"
    return ""


def figure(
    row: Counted,
    area: str,
    unit: str,
    now: Counter,
    earlier: Counter | None,
    populations: Mapping[str, Mapping[str, float]],
) -> Figure:
    """Count one figure of an area (ONS code), in the unit it is printed in.

    `earlier` counts the year before, which rows with `years` need; `populations` has children by ONS code at the
    mid-year before under "estimate" or "rebased", for rates.
    """
    if row.mean:
        mean, spread, n = now.mean(row, area)
        return Figure(mean, None, error=spread / math.sqrt(max(n, 1)))
    count, base = now.rows(row)[area], now.base(row)[area]
    if row.years == "change" and earlier:
        past = earlier.rows(row)[area]
        error = 100 * count / max(past, 1) * math.sqrt(1 / max(count, 1) + 1 / max(past, 1))
        return Figure(100 * (count / max(past, 1) - 1), None, error=error)
    scale = _scale(row, area, unit, base, populations)
    if row.years and earlier:
        years = 2 if row.years == "mean" else 1
        count = (count + earlier.rows(row)[area]) / years
        base = (base + earlier.base(row)[area]) / years
    return Figure(count / scale, scale, base)


def _found(
    row: Counted, cell: Cell, now: Counter, earlier: Counter | None, populations: Mapping[str, Mapping[str, float]]
) -> _Found:
    made = figure(row, cell.geography, cell.unit, now, earlier, populations)
    if made.scale is None:
        return _Found(made.value, made.error, None)
    # Most children of one stock are in the next: the two counts of a sum are taken to err together.
    doubled = 2.0 if row.years == "sum" else 1.0
    edge = _nearest(made.value, cell.low, cell.high) * made.scale
    divided = cell.unit == "percent" or (VIEWS[row.view] == "stock" and row.where)
    share = min(edge / made.base, 1.0) if divided and made.base else 0.0
    error = math.sqrt(doubled * max(edge * (1 - share), 1.0))
    return _Found(made.value, error / made.scale, made.scale)


def _scale(row: Counted, area: str, unit: str, base: float, populations: Mapping[str, Mapping[str, float]]) -> float:
    """Return children per printed unit."""
    if row.population:
        return populations[row.population][area] / _PER
    return max(base, 1.0) / 100 if unit == "percent" else 1.0


def _nearest(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _result(cell: Cell, row: Counted, found: _Found, role: str) -> Result:
    off = found.value - _nearest(found.value, cell.low, cell.high)
    if abs(off) <= _CLOSE * max(1.0, abs(found.value)):
        off = 0.0
    z = off / found.error if off and found.error else math.copysign(math.inf, off) if off else 0.0
    middle = (cell.low + cell.high) / 2
    return Result(
        cell=cell,
        role=role,
        note=row.note,
        generated=found.value,
        z=z,
        children=None if found.scale is None else abs(off) * found.scale,
        size=None if found.scale is None else middle * found.scale,
    )
