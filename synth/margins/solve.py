"""From intervals to a fit: which sums count, how their ends are read, the solution, and who quarrels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from synth.errors import InputError
from synth.margins.dual import minimise
from synth.margins.model import MET, Conflict, Fitted, outside
from synth.margins.rest import Rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth.margins.dual import Solution, Sums
    from synth.margins.model import Array, Flags, Index, Namer

__all__ = ["Inside", "fit"]

Inside: TypeAlias = Literal["likely", "nearest"]

_HARDNESS = {"likely": (0.25,), "nearest": (1.0, 10.0, 100.0, 1000.0)}
"""How hard the ends of intervals are, pass after pass; see `Rest`. Of 1, 0.5, 0.25, 0.1 and 0.03 the benchmark's error
is least at 0.25."""
_WIDE = 10.0
"""An open end is put this many times the largest figure away from the other one."""
_LOOSE, _TIGHT = 1e-3, 1e-6
"""Slack of sums that contradict others, and of all others; see `minimise`."""
_APART = 0.05
"""Distance from its interval, in children, at which a sum with loose slack is taken for contradicted."""
_SCORED = 400
"""Most conflicts that get a score; each needs a column of the inverse."""


def fit(
    prior: Array,
    sums_of: Callable[[Index], Sums],
    low: Array,
    high: Array,
    *,
    signed: Flags,
    name: Namer,
    inside: Inside,
    tolerance: float,
    most: int,
    shapes: tuple[tuple[int, ...], ...] = (),
) -> Fitted:
    """Fit `prior` to the sums that `sums_of(known rows)` adds up; `low` and `high` may be infinite.

    `signed` marks the sums with negative weights: only the others are known to be at least 0.
    """
    if inside not in get_args(Inside):
        raise InputError(f"inside is {inside!r}; say 'likely' or 'nearest'")
    floor = np.where(signed, -np.inf, 0.0)
    empty = np.flatnonzero(~signed & (low <= 0) & (high == 0))
    if empty.size:  # a sum that must be 0 empties its cells
        prior = np.where(sums_of(empty).spread(np.ones(len(empty))) > 0, 0.0, prior)
    known = np.flatnonzero((low > floor) | np.isfinite(high))
    lows, highs = _closed(np.maximum(low, floor)[known], high[known], float(prior.sum()))
    sums = sums_of(known)
    solution = _solve(prior, sums, lows, highs, inside, tolerance, most)
    everything = sums_of(np.arange(len(low))) if len(known) < len(low) else sums
    added = everything.add(solution.values)
    multipliers = np.zeros(len(low))
    multipliers[known] = solution.multipliers
    conflicts = _conflicts(sums, solution, known, lows, highs, name)
    return Fitted(
        solution.values, added, low, high, multipliers, conflicts, solution.converged, solution.steps, name, shapes
    )


def _closed(low: Array, high: Array, total: float) -> tuple[Array, Array]:
    """Return finite ends: an open one far from the other; a high end below nothing is left to the slack."""
    finite = np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)], [total, 1.0]])
    far = _WIDE * float(np.abs(finite).max())
    low = np.where(np.isfinite(low), low, high - far)
    high = np.where(np.isfinite(high), high, low + far)
    return np.minimum(low, high), high


def _solve(prior: Array, sums: Sums, low: Array, high: Array, inside: Inside, tolerance: float, most: int) -> Solution:
    """Solve loosely to see which sums contradict each other, then in earnest, harder ends at each pass.

    Last, the slack is taken back from the sums that can be met: measured from their own multipliers it vanishes.
    """
    hardness = _HARDNESS[inside]
    hidden = inside == "likely"
    rest = Rest(low, high, hardness[0], hidden=hidden)
    loose = np.where(high > low, _LOOSE, _TIGHT)  # exact figures, accounts among them, give way last
    solution = minimise(prior, sums, rest, np.zeros_like(low), slack=loose, tolerance=max(tolerance, _LOOSE), most=most)
    steps = solution.steps
    slack = np.where(np.abs(outside(solution.sums, low, high)) > _APART, loose, _TIGHT)
    for hard in hardness:
        rest = Rest(low, high, hard, hidden=hidden)
        solution = minimise(prior, sums, rest, solution.multipliers, slack=slack, tolerance=tolerance, most=most)
        steps += solution.steps
    met = np.abs(outside(solution.sums, low, high)) <= np.where(slack == _TIGHT, _APART, MET)
    anchor = np.where(met, solution.multipliers, 0.0)
    if solution.converged and np.abs(slack * anchor).max(initial=0.0) > tolerance:
        solution = minimise(
            prior, sums, rest, solution.multipliers, slack=slack, anchor=anchor, tolerance=tolerance, most=most
        )
        steps += solution.steps
    return replace(solution, steps=steps)


def _conflicts(
    sums: Sums,
    solution: Solution,
    known: Index,
    lows: Array,
    highs: Array,
    name: Namer,
) -> tuple[Conflict, ...]:
    """Return the sums left outside, the furthest first, with their scores; `known` numbers them for `name`."""
    excess = outside(solution.sums, lows, highs)
    limit = MET * np.maximum(1.0, 1e-6 * np.abs(solution.sums))
    rows = np.flatnonzero(np.abs(excess) > limit)
    rows = rows[np.argsort(-np.abs(excess[rows]), kind="stable")]
    scores = _scores(sums, solution, lows, highs, rows[:_SCORED]) if rows.size else np.zeros(0)
    scores = np.concatenate([scores, np.full(len(rows) - len(scores), np.nan)])
    return tuple(
        Conflict(
            *name(int(known[row])),
            float(lows[row]),
            float(highs[row]),
            float(solution.sums[row]),
            float(excess[row]),
            float(solution.multipliers[row]),
            float(score),
        )
        for row, score in zip(rows, scores, strict=True)
    )


def _scores(sums: Sums, solution: Solution, lows: Array, highs: Array, rows: Index) -> Array:
    """Return for some sums how many standard deviations they are from what the others say.

    Middles of intervals are taken for the figures, with the variance of an even spread over the interval, and cells
    as Poisson around their fitted values: the score is the multiplier of generalised least squares over its
    standard deviation (the measurement test of data reconciliation).
    """
    variance = (highs - lows) ** 2 / 12 + _TIGHT
    units = np.zeros((len(lows), len(rows) + 1))
    units[rows, np.arange(len(rows))] = 1.0
    units[:, -1] = (lows + highs) / 2 - solution.sums
    solved = sums.solve(solution.values, variance, units)
    inverse = np.maximum(solved[rows, np.arange(len(rows))], np.finfo(float).tiny)
    scores: Array = solved[rows, -1] / np.sqrt(inverse)
    return scores
