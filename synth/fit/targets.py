"""Published figures turned into targets: whole children by authority and cell, which exact mode reproduces.

Each table of targets (targets.csv) is fitted year by year: the table closest to a prior whose sums lie inside what was
published. Where a release was revised later, as many of its figures as can be together keep what their rounding alone
leaves open, so that they are printed again as they were published; the others carry the revision. What single years say
of authorities and of Wales is carried to the years without figures, on a straight line between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.fit.cells import LEAD_IN, TargetCell, covers, load_target_cells
from synth.fit.pooled import shared_out
from synth.fit.printed import as_printed, most_printed
from synth.fit.spread import adopting, agreeing, ordered
from synth.fit.system import LEAST, Pooled, Row, System, system_of
from synth.geography.authorities import all_authorities
from synth.margins import fit_vector, whole_vector
from synth.profile import Target
from synth.published import WALES
from synth.published.cells import published_cells
from synth.published.counted import VIEWS, counted_as, load_counted, role_of
from synth.tabulate.printing import convention

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from synth.profile import Profile
    from synth.published import Row as Line
    from synth.published import Tables
    from synth.published.cells import Cell
    from synth.published.counted import Counted

__all__ = ["Miss", "fit_targets"]

_OF_VIEW = {
    "looked_after": "looked_after",
    "care_and_support": "care_and_support",
    "started": "starts",
    "ceased": "leavers",
    "ended": "leavers",
}
"""View -> the total its rows add up to."""

_SWEEPS = 3
"""How often the years with figures are fitted in turn, each beginning from its neighbours; then they hardly move."""
_AT_18 = ("E10", "E5", "E6", "E7", "E8")
_ALONE = "alone."
"""Beginning of the names of cells that hold unaccompanied children apart; targets count them with the others."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A published figure that the targets of a year do not meet: by how many children, and how hard it was pulled."""

    table: str
    year: int
    figure: str
    low: float
    high: float
    reached: float
    score: float


@dataclass(frozen=True, slots=True)
class _Figure:
    """A published cell of a year and how it is counted; a figure that adds up two years falls to each by its children.

    `now` and `whole` are the children, by authority, of this year and of all years the figure adds up. `printed` are
    the ends between which a table prints it again, `pooled` says how it does so for two years together.
    """

    cell: Cell
    row: Counted
    now: NDArray[np.float64]
    whole: NDArray[np.float64]
    printed: tuple[float, float] | None
    pooled: Pooled | None


class _Fit:
    """All years of one table of targets; arrays have shape (authorities, cells)."""

    def __init__(
        self, cells: Sequence[TargetCell], totals: Mapping[str, Mapping[int, NDArray[Any]]], profile: Profile
    ) -> None:
        self.cells, self.totals, self.profile = cells, totals, profile
        self.codes = [area.code for area in all_authorities()]
        self.areas = {area.ons_code: n for n, area in enumerate(all_authorities())}

    def prior(self, year: int) -> NDArray[np.float64]:
        """Return shares of totals, before anything published is looked at."""
        return np.stack([self._share(cell, year) * self._base(cell, year) for cell in self.cells], axis=1)

    def _base(self, cell: TargetCell, year: int) -> NDArray[np.float64]:
        """Return the children a cell has its share of: a total, or one of Wales spread like another ("total/other")."""
        name, _, other = cell.of.partition("/")
        base = np.asarray(self.totals[name][year], float)
        if other:
            like = self.totals[other][year]
            base = base.sum() * like / max(float(like.sum()), 1.0)
        return base

    def _share(self, cell: TargetCell, year: int) -> NDArray[np.float64]:
        if not isinstance(cell.share, str):
            return np.full(len(self.codes), cell.share)
        share = np.ones(len(self.codes))
        for parameter in cell.share.split("*"):
            share = share * self._parameter(parameter, cell.name.rpartition(".")[2], year)
        return share

    def _parameter(self, name: str, part: str, year: int) -> NDArray[np.float64]:
        """Return a parameter for each authority: one number, a table of numbers by `part`, or one an authority."""
        value = self.profile.at(name, year)
        if not isinstance(value, dict):
            return np.full(len(self.codes), float(value))
        if part in value:
            return np.full(len(self.codes), float(value[part]))
        return np.array([float(value[code].get(part, 0.0)) for code in self.codes])

    def identities(self, year: int) -> Iterator[Row]:
        """Yield the conditions that cells add up to their totals in each authority."""
        for name in dict.fromkeys(total for cell in self.cells for total in cell.totals):
            part = np.array([name in cell.totals for cell in self.cells], float)
            for n, total in enumerate(self.totals[name][year]):
                weights = np.zeros((len(self.codes), len(self.cells)))
                weights[n] = part
                yield Row(f"{name} {self.codes[n]}", weights, float(total), float(total), national=False)

    def at_18(self, year: int) -> Iterator[Row]:
        """Yield that each authority has at least as many reasons open to those turning 18 as children who do."""
        part = np.array([cell.name in _AT_18 for cell in self.cells], float)
        if part.any():
            for n, total in enumerate(self.totals["turning_18"][year]):
                weights = np.zeros((len(self.codes), len(self.cells)))
                weights[n] = part
                yield Row(f"turning 18 {self.codes[n]}", weights, float(total), np.inf, national=False)

    def spread(self, year: int) -> Iterator[Row]:
        """Yield that cells which follow another number keep near its spread over authorities, but for one child."""
        for of in dict.fromkeys(cell.of for cell in self.cells if cell.within is not None):
            part = np.array([cell.of == of and cell.within is not None for cell in self.cells], float)
            within = max(cell.within or 0.0 for cell in self.cells if cell.of == of)
            like = np.asarray(self.totals[of.partition("/")[2]][year], float)
            for n, share in enumerate(like / max(like.sum(), 1.0)):
                own = np.zeros((len(self.codes), len(self.cells)))
                own[n] = part
                label = f"{of} {self.codes[n]}"
                yield Row(label, own - (1 - within) * share * part, -1.0, np.inf, national=False)
                yield Row(label, own - (1 + within) * share * part, -np.inf, 1.0, national=False)

    def published(self, year: int, figure: _Figure) -> Iterator[Row]:
        """Yield what a published cell says of the table, or nothing where the table cannot express it."""
        cell, row, now, whole = figure.cell, figure.row, figure.now, figure.whole
        chosen = self._chosen(row, row.where)
        if chosen is None or not chosen.any():
            return
        here = np.zeros(len(self.codes))
        here[list(self.areas.values()) if cell.geography == WALES else self.areas[cell.geography]] = 1.0
        weights = here[:, None] * chosen
        national = cell.geography == WALES
        label = " ".join(part for part in (cell.table, cell.geography, cell.dim1, cell.dim2, cell.unit) if part)
        part = float((here * now).sum() / max(float((here * whole).sum()), 1.0))
        if cell.unit == "count":
            printed = None if row.years or figure.printed == (cell.low, cell.high) else figure.printed
            yield Row(label, weights, cell.low * part, cell.high * part, national, printed, figure.pooled)
        elif cell.unit == "percent" and not row.of:
            base = float((here * self.totals[_OF_VIEW[row.view]][year]).sum())
            yield Row(label, weights, cell.low * base / 100, cell.high * base / 100, national)
        elif cell.unit == "percent":
            base_cells = self._chosen(row, row.of)
            if base_cells is None:
                return
            of = here[:, None] * base_cells
            yield Row(f"{label} at least", weights - cell.low / 100 * of, 0.0, np.inf, national)
            yield Row(f"{label} at most", weights - cell.high / 100 * of, -np.inf, 0.0, national)

    def _chosen(self, row: Counted, where: Sequence[object]) -> NDArray[np.float64] | None:
        """Return which cells a figure counts; None where a cell is counted in part."""
        if row.view == "adopted":
            return np.array([float("adopted" in cell.views) for cell in self.cells]) if not where else None
        if row.view not in _OF_VIEW or not where:
            return None
        answers = [covers(where, cell) if row.view in cell.views else False for cell in self.cells]  # type: ignore[arg-type]
        return None if any(answer is None for answer in answers) else np.array(answers, float)


def fit_targets(
    tables: Tables,
    profile: Profile,
    totals: Mapping[str, Mapping[int, NDArray[Any]]],
    years: Sequence[int],
    hold_out: Sequence[str] = (),
) -> tuple[tuple[Target, ...], tuple[Miss, ...]]:
    """Return the targets of all tables and years, and the published figures that they miss.

    Tables are fitted in the order of targets.csv; unaccompanied children follow the authorities that the ethnic groups
    published beside them leave room for.

    `totals` gives for "looked_after", "care_and_support", "starts" and "leavers" the whole children of each authority
    (22, in official order) by year. `years` may begin before the profile's: what holds in its first year is then
    reached step by step. `hold_out` names tables that are not looked at.
    """
    figures = _figures(tables, profile, totals, years, hold_out)
    # Until the tables they follow are fitted, these are spread like the stock.
    totals = dict.fromkeys(("adopting", "ordered", "agreeing"), totals["looked_after"]) | dict(totals)
    found: list[Target] = []
    missed: list[Miss] = []
    alone: dict[int, NDArray[np.int64]] = {}
    tabled = load_target_cells(tables)
    for name, cells in tabled.items():
        fit = _Fit(cells, totals, profile)
        rows = {year: [row for figure in figures[year] for row in fit.published(year, figure)] for year in years}
        rows = {year: _printed(fit, year, known) for year, known in rows.items()}
        values_of = _all_years(fit, rows, years)
        if shared := _shared_out(fit, rows, values_of):
            rows |= shared
            values_of = _all_years(fit, rows, years)
        for year, values in values_of.items():
            if cells[0].when == "figures" and not rows[year]:
                continue
            if year < profile.years[0] - LEAD_IN[cells[0].when]:
                continue
            target, misses = _whole(fit, name, year, values, rows[year])
            target, apart = _folded(target)
            if apart is not None:
                alone[year] = apart
            found.append(target)
            missed.extend(misses)
        if name == "placement":
            placed = adopting(cells, values_of)
            totals = {**totals, "adopting": placed, "ordered": ordered(placed, totals["looked_after"])}
        if name == "ethnicity" and alone:
            share = sum(alone.values()) / sum(totals["looked_after"][year] for year in alone)
            spread = {year: np.ceil(share * totals["looked_after"][year]).astype(np.int64) for year in years}
            totals = {**totals, "arriving": spread}
        if name == "unaccompanied" and "legal" in tabled:
            theirs = {year: alone.get(year, values.sum(axis=1)) for year, values in values_of.items()}
            totals = {**totals, "agreeing": agreeing(totals["looked_after"], theirs, tabled["legal"])}
    found = [_as_apart(target, alone) for target in found]
    return tuple(found), tuple(missed)


def _figures(
    tables: Tables,
    profile: Profile,
    totals: Mapping[str, Mapping[int, NDArray[Any]]],
    years: Sequence[int],
    hold_out: Sequence[str],
) -> dict[int, list[_Figure]]:
    """Return the published cells to fit, by year; before the profile's first year those counted like later ones."""
    counted = load_counted(tables)
    lines = {(row.file, row.line): row for row in tables.rows}
    figures: dict[int, list[_Figure]] = {year: [] for year in years}
    for year in years:
        for cell in published_cells(tables, year):
            known = year >= profile.years[0] or any(row.fits(cell) for row in counted)
            if cell.superseded or not known:
                continue
            row = counted_as(counted, cell)
            if role_of(row, hold_out) != "fitted" or not row.view or row.mean or row.years in ("mean", "change"):
                continue
            spread = [year] if row.years != "sum" else [year - 1, year]
            if any(one not in figures for one in spread):
                continue
            base = totals["looked_after" if VIEWS[row.view] == "stock" else "starts"]
            whole = np.sum([base[one] for one in spread], axis=0, dtype=float)
            line = lines[cell.file, cell.line]
            printed, pooled = as_printed(tables, line), _pooled(tables, cell, line) if row.years == "sum" else None
            for one in spread:
                figures[one].append(_Figure(cell, row, base[one].astype(float), whole, printed, pooled))
    return figures


def _pooled(tables: Tables, cell: Cell, line: Line) -> Pooled | None:
    """Return how a figure of two years is printed; None where they are not rounded each, and where it is hidden."""
    how = convention(line.rounding, tables.roundings[line.rounding])
    if how is None or not how.parts or cell.value is None:
        return None
    return Pooled(cell.place, cell.value, cell.low, cell.high, how)


def _all_years(fit: _Fit, rows: Mapping[int, list[Row]], years: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    """Fit every year, its prior bent by what neighbouring years say: first of authorities, then of Wales."""
    prior = {year: fit.prior(year) for year in years}
    detailed = {year: rows[year] for year in years if any(not row.national for row in rows[year])}
    bent = {year: np.log(np.maximum(_solved(fit, year, prior[year], rows[year]), LEAST)) for year in detailed}
    bent = {year: found - np.log(np.maximum(prior[year], LEAST)) for year, found in bent.items()}
    # What all authorities have in common belongs to Wales.
    weight = {year: prior[year] / prior[year].sum(axis=0, keepdims=True) for year in bent}
    bent = {year: own - (weight[year] * own).sum(axis=0, keepdims=True) for year, own in bent.items()}
    local = {year: prior[year] * np.exp(_between(bent, year)) for year in years}
    wales: dict[int, NDArray[np.float64]] = {}
    for year in [year for year in years if rows[year]] * _SWEEPS:
        # What a year's own figures leave open follows the other years'.
        others = {one: shares for one, shares in wales.items() if one != year}
        solved = _solved(fit, year, local[year] * np.exp(_between(others, year)), rows[year]).sum(axis=0)
        wales[year] = np.log(np.maximum(solved, LEAST)) - np.log(np.maximum(local[year].sum(axis=0), LEAST))
    return {year: _solved(fit, year, local[year] * np.exp(_between(wales, year)), rows[year]) for year in years}


def _between(known: Mapping[int, NDArray[np.float64]], year: int) -> NDArray[np.float64] | float:
    """Return what holds in a year: on a straight line between known years, flat outside, 0 if none is known."""
    if not known:
        return 0.0
    below = max((one for one in known if one <= year), default=min(known))
    above = min((one for one in known if one >= year), default=max(known))
    weight = 0.0 if above == below else (year - below) / (above - below)
    return known[below] * (1 - weight) + known[above] * weight


def _printed(fit: _Fit, year: int, rows: Sequence[Row]) -> list[Row]:
    """Return the published conditions of a year, as many as can be together between the ends that print them."""
    if not any(row.printed for row in rows):
        return list(rows)
    wide = _system(fit, year, rows).whole()
    narrow = _system(fit, year, [row.narrow() for row in rows]).whole()
    keeps = most_printed(wide.matrix, wide.low, wide.high, narrow.low, narrow.high)[wide.published]
    return [row.narrow() if kept else row for row, kept in zip(rows, keeps, strict=True)]


def _shared_out(
    fit: _Fit, rows: Mapping[int, list[Row]], values: Mapping[int, NDArray[np.float64]]
) -> dict[int, list[Row]]:
    """Return the conditions of years that figures add up, shared out to both; nothing for all other years."""
    found: dict[int, list[Row]] = {}
    for year in sorted(rows):
        before = year - 1
        pooled = {row.pooled.place for row in rows[year] if row.pooled}
        if any(row.pooled and row.pooled.place in pooled for row in rows.get(before, ())):
            both = found.get(before, rows[before]), rows[year]
            systems = _system(fit, before, both[0]).whole(), _system(fit, year, both[1]).whole()
            found[before], found[year] = shared_out(both, systems, (values[before].ravel(), values[year].ravel()))
    return found


def _system(fit: _Fit, year: int, rows: Sequence[Row]) -> System:
    own = [*fit.identities(year), *fit.at_18(year), *fit.spread(year)]
    return system_of(own, rows, len(fit.codes) * len(fit.cells))


def _solved(fit: _Fit, year: int, prior: NDArray[np.float64], rows: Sequence[Row]) -> NDArray[np.float64]:
    system = _system(fit, year, rows).inset()
    if not system.labels:
        return prior
    return fit_vector(prior.ravel(), system.matrix, system.low, system.high, system.labels).values.reshape(prior.shape)


def _whole(
    fit: _Fit, name: str, year: int, values: NDArray[np.float64], rows: Sequence[Row]
) -> tuple[Target, list[Miss]]:
    """Return whole children near fitted values, and the figures they miss."""
    wide = _system(fit, year, rows)
    counts, misses = np.floor(values + 0.5).astype(int), []
    if wide.labels:
        aim = wide.inset().around(values.ravel(), wide)
        for system in (aim, wide):
            found = whole_vector(values.ravel(), system.matrix, system.low, system.high, system.labels)
            counts = found.values.reshape(values.shape)
            misses = [Miss(name, year, one.label, one.low, one.high, one.fitted, one.score) for one in found.outside]
            if wide.holds(counts.ravel()):
                misses = []
                break
    by_code = {code: tuple(int(n) for n in counts[place]) for place, code in enumerate(fit.codes)}
    return Target(table=name, year=year, cells=tuple(cell.name for cell in fit.cells), counts=by_code), misses


def _folded(target: Target) -> tuple[Target, NDArray[np.int64] | None]:
    """Return a target with unaccompanied children counted among the others, and how many there are by authority."""
    cells = tuple(cell for cell in target.cells if not cell.startswith(_ALONE))
    if cells == target.cells:
        return target, None
    counts: dict[str, tuple[int, ...]] = {}
    for code, row in target.counts.items():
        named = dict(zip(target.cells, row, strict=True))
        counts[code] = tuple(named[cell] + named.get(_ALONE + cell, 0) for cell in cells)
    alone = np.array([sum(row) for row in target.counts.values()]) - np.array(
        [sum(n for cell, n in zip(target.cells, row, strict=True) if cell in cells) for row in target.counts.values()]
    )
    return replace(target, cells=cells, counts=counts), alone


def _as_apart(target: Target, alone: Mapping[int, NDArray[np.int64]]) -> Target:
    """Return the target of unaccompanied children as the ethnic groups of its year have it."""
    if target.table != "unaccompanied" or target.year not in alone:
        return target
    each = ((int(n),) for n in alone[target.year])
    return replace(target, counts=dict(zip(target.counts, each, strict=True)))
