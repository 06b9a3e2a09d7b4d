"""The dual of the fit: one multiplier a sum, found by Newton's method with a line search.

The table closest to the prior q is p = q exp(A'l), where A adds cells to sums and l holds one multiplier a sum. The
best multipliers minimise

    sum(p) + sum of T(l) + (slack/2) l.l

where T stands for the interval of a sum: its slope is -m(l), with m the place inside the interval at which the sum
comes to rest under the multiplier l. The gradient, A p - m(l) + slack l, is zero at the best. `slack` lets figures
that contradict each other part: a sum may miss m by slack * l, so the multipliers stay finite whatever is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth.margins.model import Array
    from synth.margins.rest import Rest

__all__ = ["SLACK", "Solution", "Sums", "minimise"]

SLACK = 1e-6
"""Square of the distance, in children, by which a sum may miss its place at the cost of half a unit."""

_LIFT = 3.0
"""Most that the logarithm of a cell rises in one step: the exponential beyond is not to be trusted."""
_LARGE = 1000.0
"""Sums larger than this have their tolerance in proportion."""
_NOISE = 1e-15
"""Rounding error of a sum, as a share of it, for each unit of the largest multiplier."""
_ENOUGH = 1e-4
"""Share of the expected descent that a step must bring."""
_SHORTEST = 1e-10


class Sums(Protocol):
    """The matrix A that adds cells to sums, in whatever form solves fastest."""

    def add(self, values: Array) -> Array:
        """Return A p."""

    def spread(self, multipliers: Array) -> Array:
        """Return A'l, flat."""

    def solve(self, values: Array, diagonal: Array, right: Array) -> Array:
        """Return x with (A diag(p) A' + diag(d)) x = right; `right` may have several columns."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Values, their sums, multipliers, the curvature of T, and whether the gradient fell under the tolerance."""

    values: Array
    sums: Array
    multipliers: Array
    curvature: Array
    converged: bool
    steps: int


@dataclass(slots=True)
class _Point:
    multipliers: Array
    values: Array
    sums: Array
    height: float
    gradient: Array
    curvature: Array


def minimise(
    prior: Array, sums: Sums, rest: Rest, start: Array, *, anchor: Array | None = None, tolerance: float, most: int
) -> Solution:
    """Minimise the dual from the multipliers `start` until no gradient exceeds `tolerance`, in `most` steps.

    `anchor` moves the point from which the slack is measured: with the multipliers of an earlier solution there,
    sums that can be met are met without slack.
    """
    support = prior > 0
    logs = np.log(np.where(support, prior, 1.0))
    home = np.zeros_like(start) if anchor is None else anchor

    def at(multipliers: Array) -> _Point:
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.where(support, np.exp(logs + sums.spread(multipliers)), 0.0)
            total = values.sum()
        if not np.isfinite(total):
            return _Point(multipliers, values, values, np.inf, values, values)
        added = sums.add(values)
        height, place, curvature = rest.at(multipliers)
        away = multipliers - home
        height = float(total + height + 0.5 * SLACK * (away @ away))
        return _Point(multipliers, values, added, height, added - place + SLACK * away, curvature)

    here = at(start)
    if not np.isfinite(here.height):
        here = at(np.zeros_like(start))
    steps = 0

    def done() -> bool:
        largest = float(np.abs(here.sums).max(initial=0.0))
        noise = _NOISE * largest * float(np.abs(here.multipliers).max(initial=0.0))
        limit = max(tolerance * max(1.0, largest / _LARGE), noise)
        return bool(np.abs(here.gradient).max(initial=0.0) <= limit)

    while not done() and steps < most:
        way = -sums.solve(here.values, here.curvature + SLACK, here.gradient)
        there = _search(at, here, way, sums.spread(way)[support])
        if there is None:
            break
        here = there
        steps += 1
    return Solution(here.values, here.sums, here.multipliers, here.curvature, done(), steps)


def _search(at: Callable[[Array], _Point], here: _Point, way: Array, lift: Array) -> _Point | None:
    """Return the first of ever shorter steps that descends enough; None where none does."""
    highest = float(lift.max(initial=0.0))
    length = min(1.0, _LIFT / highest) if highest > 0 else 1.0
    slope = float(here.gradient @ way)
    blur = 1e-13 * (abs(here.height) + float(here.values.sum()))
    while length > _SHORTEST:
        there = at(here.multipliers + length * way)
        if there.height <= here.height + _ENOUGH * length * slope + blur:
            return there
        length /= 2
    return None
