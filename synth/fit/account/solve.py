"""The table of paths closest to the prior whose stocks and starts lie between the published bounds.

Solved on the dual: one multiplier for every bound cell, nought where the cell lies inside its interval anyway. A
Newton step couples the cells of one authority over all years and cohorts, and the authorities through the cells of
Wales only; so the equations are blocks of one authority with a border.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import ProfileError
from synth.fit.account.cells import GROUPS, YEARS, Margin, group_of
from synth.fit.account.paths import Paths, Rates, paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Problem", "Solution"]

_SEXES, _AGES, _GROUPS = 2, 18, len(GROUPS)
_BASIS = _SEXES * _GROUPS * YEARS
_GROUP = np.array([group_of(age) for age in range(_AGES)])
_EXACT, _GIVE = 1e-6, 1e-4
"""How many children a cell gives way for a multiplier of 1: totals of an authority, and all other cells."""
_STEPS, _LONGEST, _SHORTEST = 200, 2.0, 1e-8


@dataclass(frozen=True, slots=True)
class Solution:
    """The fitted paths, the multipliers (to start the next solution from) and the largest violation in children."""

    paths: Paths
    multipliers: NDArray[np.float64]
    violation: float
    steps: int


class Problem:
    """The bound cells in the order they are solved in; `totals` (A, years) bind exactly."""

    def __init__(self, margins: Sequence[Margin], totals: NDArray[np.int64]) -> None:
        """Take the margins of kinds stock and starts; others bind nothing. Authorities beyond `totals` are an error."""
        from scipy.sparse import csr_array  # noqa: PLC0415  the solver is not needed to generate

        self.authorities = totals.shape[0]
        own: list[list[Margin]] = [[] for _ in range(self.authorities)]
        wales: list[Margin] = []
        starts: list[Margin] = []
        for margin in margins:
            if margin.kind == "starts":
                starts.append(margin)
            elif margin.kind == "stock" and margin.authority is None:
                wales.append(margin)
            elif margin.kind == "stock" and margin.authority is not None:
                own[margin.authority].append(margin)
        levels = np.zeros((YEARS, _SEXES, _GROUPS, YEARS))
        for year in range(YEARS):
            levels[year, :, :, year] = 1.0
        every = levels.reshape(YEARS, _BASIS)
        self._own = [csr_array(np.vstack([every, _rows(own[a])])) for a in range(self.authorities)]
        self._wales = csr_array(_rows(wales))
        self._start_years = [m.year for m in starts]
        low, high, give = [], [], []
        for a in range(self.authorities):
            low += [*totals[a], *(m.low for m in own[a])]
            high += [*totals[a], *(m.high for m in own[a])]
            give += [_EXACT] * YEARS + [_GIVE] * len(own[a])
        border = [*wales, *starts]
        self._low = np.array([*low, *(m.low for m in border)], dtype=float)
        self._high = np.array([*high, *(m.high for m in border)], dtype=float)
        self._give = np.array([*give, *([_GIVE] * len(border))])
        sizes = np.cumsum([0, *(rows.shape[0] for rows in self._own)])
        self._places = [slice(int(a), int(b)) for a, b in pairwise(sizes)]
        self._stock_border = slice(int(sizes[-1]), int(sizes[-1]) + len(wales))
        self._start_border = slice(int(sizes[-1]) + len(wales), len(self._low))
        self._border = slice(int(sizes[-1]), len(self._low))

    def solve(
        self,
        rates: Rates,
        *,
        start: NDArray[np.float64] | None = None,
        within: float = 1e-3,
        tick: Callable[[str], None] | None = None,
    ) -> Solution:
        """Return the closest paths; every bound cell is met to `within` children plus what it gives.

        Raises ProfileError if the equations do not settle (the cells contradict each other).
        """
        x = np.zeros(len(self._low)) if start is None else start.copy()
        found = self._paths(rates, x)
        for step in range(_STEPS):
            values = self._values(found)
            slope, side = self._slope(x, values)
            wrong = float(np.abs(slope).max())
            if wrong < within:
                return Solution(found, x, self._violation(values), step)
            if tick:
                tick(f"step {step}: {wrong:.4f}")
            x, found = self._step(rates, x, found, slope, side)
        raise ProfileError(
            f"the account of looked-after children does not settle: after {_STEPS} steps a cell is off by "
            f"{wrong:.3f} children. Published cells contradict each other; widen one of them.",
        )

    def _paths(self, rates: Rates, x: NDArray[np.float64]) -> Paths:
        tilt = np.stack([rows.T @ x[place] for place, rows in zip(self._places, self._own, strict=True)])
        tilt += self._wales.T @ x[self._stock_border]
        by_group = np.exp(tilt).reshape(self.authorities, _SEXES, _GROUPS, YEARS)
        factor = np.ones(YEARS)
        for year, value in zip(self._start_years, x[self._start_border], strict=True):
            factor[year] *= np.exp(value)
        return paths(rates, np.moveaxis(by_group[:, :, _GROUP], 2, 0), factor)

    def _values(self, found: Paths) -> NDArray[np.float64]:
        groups = _by_group(found.stock).reshape(self.authorities, _BASIS)
        starts = found.starts.sum(axis=(0, 1, 2))
        own = [rows @ groups[a] for a, rows in enumerate(self._own)]
        return np.concatenate([*own, self._wales @ groups.sum(axis=0), starts[self._start_years]])

    def _violation(self, values: NDArray[np.float64]) -> float:
        return float(np.maximum(self._low - values, values - self._high).max(initial=0.0))

    def _slope(
        self, x: NDArray[np.float64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the slope of the dual by multiplier (nought where it must stay nought), and the side it is on."""
        side = np.sign(x)
        idle = x == 0
        side[idle & (values < self._low)] = 1.0
        side[idle & (values > self._high)] = -1.0
        bound = np.where(side > 0, self._low, self._high)
        slope = values - bound + self._give * x
        slope[idle & (side == 0)] = 0.0
        return slope, side

    def _worth(self, x: NDArray[np.float64], found: Paths) -> float:
        bound = np.where(x > 0, self._low, self._high)
        return float(found.mass - bound @ x + 0.5 * (self._give * x) @ x)

    def _step(
        self,
        rates: Rates,
        x: NDArray[np.float64],
        found: Paths,
        slope: NDArray[np.float64],
        side: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], Paths]:
        moments = _moments(found)
        comers = _comers(found, self._start_years)
        free = side != 0
        direction = self._direction(moments, comers, found, slope, free)
        for _ in range(3):
            # A multiplier leaves nought to the side its cell asks for, or not at all.
            astray = free & (x == 0) & (direction * side < 0)
            if not astray.any():
                break
            free &= ~astray
            direction = self._direction(moments, comers, found, slope, free)
        before = self._worth(x, found)
        length = min(1.0, _LONGEST / max(self._reach(direction), 1e-12))
        while True:
            moved = x + length * direction
            kinked = self._low < self._high
            moved[kinked & (moved * side <= 0)] = 0.0
            with np.errstate(over="ignore", invalid="ignore"):
                # A step too long may overflow; its worth is then no number and it is cut.
                ahead = self._paths(rates, moved)
            if self._worth(moved, ahead) <= before + 1e-4 * float(slope @ (moved - x)) + 1e-9 * abs(before):
                return moved, ahead
            length /= 2
            if length < _SHORTEST:
                return moved, ahead

    def _reach(self, direction: NDArray[np.float64]) -> float:
        tilt = [rows.T @ direction[place] for place, rows in zip(self._places, self._own, strict=True)]
        border = self._wales.T @ direction[self._stock_border]
        starts = np.abs(direction[self._start_border]).max(initial=0.0)
        return float(max(np.abs(np.stack(tilt) + border).max(), starts))

    def _direction(
        self,
        moments: NDArray[np.float64],
        comers: NDArray[np.float64],
        found: Paths,
        slope: NDArray[np.float64],
        free: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        from scipy.linalg import cho_factor, cho_solve  # noqa: PLC0415  the solver is not needed to generate

        on_border = np.flatnonzero(free[self._border])
        bound = self._wales.shape[0]
        wales = self._wales[on_border[on_border < bound]]
        started = on_border[on_border >= bound] - bound
        size = len(on_border)
        border = np.zeros((size, size))
        right = -slope[self._border][on_border]
        solved = []
        for a, rows in enumerate(self._own):
            chosen = np.flatnonzero(free[self._places[a]])
            own = rows[chosen]
            half = own @ moments[a]
            matrix = (own @ half.T).T
            matrix[np.diag_indices_from(matrix)] += self._give[self._places[a]][chosen]
            cross = np.hstack([(wales @ half.T).T, own @ comers[started, a].T])
            factor = cho_factor(matrix, lower=True, check_finite=False)
            down = -slope[self._places[a]][chosen]
            inner = cho_solve(factor, np.column_stack([down, cross]), check_finite=False)
            solved.append((chosen, inner))
            border -= cross.T @ inner[:, 1:]
            right = right - cross.T @ inner[:, 0]
        stocks = len(on_border) - len(started)
        border[:stocks, :stocks] += wales @ (wales @ moments.sum(axis=0)).T
        both = wales @ comers[started].sum(axis=1).T
        border[:stocks, stocks:] += both
        border[stocks:, :stocks] += both.T
        totals = found.starts.sum(axis=(0, 1, 2))
        for n, place in enumerate(started):
            border[stocks + n, stocks + n] += totals[self._start_years[place]]
        border[np.diag_indices_from(border)] += self._give[self._border][on_border]
        outer = np.linalg.solve(border, right) if size else right
        direction = np.zeros(len(self._low))
        direction[np.arange(self._border.start, self._border.stop)[on_border]] = outer
        for a, (chosen, inner) in enumerate(solved):
            place_of = np.arange(self._places[a].start, self._places[a].stop)[chosen]
            direction[place_of] = inner[:, 0] - inner[:, 1:] @ outer
        return direction


def _rows(margins: Sequence[Margin]) -> NDArray[np.float64]:
    """Return which of the (sex, group, year) sums each margin counts, one row a margin."""
    rows = np.zeros((len(margins), _SEXES, _GROUPS, YEARS))
    for row, margin in zip(rows, margins, strict=True):
        row[np.ix_(margin.sexes, margin.groups, (margin.year,))] = 1.0
    return rows.reshape(len(margins), _BASIS)


def _by_group(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum (18, A, 2, years) over ages to (A, 2, groups, years)."""
    return np.stack([cells[group == _GROUP].sum(axis=0) for group in range(_GROUPS)], axis=2)


def _moments(found: Paths) -> NDArray[np.float64]:
    """Return the expected paths through two (sex, group, year) sums, as (A, sums, sums); no path has two sexes."""
    authorities = found.stock.shape[1]
    both = np.zeros((authorities, _SEXES, _GROUPS, YEARS, _SEXES, _GROUPS, YEARS))
    through = found.stock
    for lag in range(_AGES):
        if lag:
            through = through[:-1, ..., :-1] * found.stay[lag:_AGES, ..., lag:]
        early, late = _GROUP[: _AGES - lag], _GROUP[lag:]
        when = np.arange(YEARS - lag)
        for first in range(_GROUPS):
            for last in range(first, _GROUPS):
                ages = (early == first) & (late == last)
                if ages.any():
                    many = through[ages].sum(axis=0)
                    for sex in range(_SEXES):
                        both[:, sex, first, when, sex, last, when + lag] += many[:, sex]
                        if lag:
                            both[:, sex, last, when + lag, sex, first, when] += many[:, sex]
    return both.reshape(authorities, _BASIS, _BASIS)


def _comers(found: Paths, years: Sequence[int]) -> NDArray[np.float64]:
    """Return the expected paths that start in a year and pass a (sex, group, year) sum, as (years, A, sums)."""
    authorities = found.stock.shape[1]
    passing = np.zeros((len(years), authorities, _SEXES, _GROUPS, YEARS))
    for n, year in enumerate(years):
        present = found.starts[:_AGES, ..., year] * found.stay_start[:_AGES, ..., year]
        for later in range(year, YEARS):
            if later > year:
                present = np.concatenate([np.zeros_like(present[:1]), present[:-1] * found.stay[1:_AGES, ..., later]])
            passing[n, ..., later] = np.stack([present[group == _GROUP].sum(axis=0) for group in range(_GROUPS)], -1)
    return passing.reshape(len(years), authorities, _BASIS)
