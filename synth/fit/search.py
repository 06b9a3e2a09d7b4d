"""Moving levers until figures lie in their intervals: regularised least squares with slopes learnt on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Problem", "Result", "beyond", "search"]

_DIGITS = 4
"""Decimals of an offset: coarse enough that the last bits of a sum cannot steer the search."""
_UNSURE = 0.5
"""How far, as a share of itself, a slope given at the start may be off (a standard deviation)."""
_LONGEST = 0.6
"""The longest step of a lever, in widths."""
_SHORTER, _LONGER = 0.5, 1.5
_CHANCE = 2.0
_FAR = 3.0
"""Errors beyond which distance counts in proportion, not squared: what cannot be reached spoils nothing else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What to reach and how levers are thought to act.

    `low`, `high` (inclusive) and `error` have one entry a figure; `error` is the standard error of a measured figure.
    `slope` has shape (figures, levers): how a figure moves with a lever, 0 where it is not driven by it. `width` has
    one entry a lever: how far from 0 its offset is expected.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    error: NDArray[np.float64]
    slope: NDArray[np.float64]
    width: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Result:
    """The best offsets (one a lever) and the figures they gave (one a figure)."""

    offsets: NDArray[np.float64]
    figures: NDArray[np.float64]


def beyond(figures: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far figures lie outside [low, high]: positive above, negative below, 0 inside."""
    return figures - np.clip(figures, low, high)


def search(
    problem: Problem,
    start: NDArray[np.float64],
    measure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    rounds: int,
    tick: Callable[[int], None] = lambda _: None,
) -> Result:
    """Return the best offsets found with at most `rounds` measurements; `start` holds the figures at offsets of 0.

    Minimised is the sum of squared distances from the intervals, in errors, and of squared offsets, in widths: what no
    figure determines stays at 0. Far distances count in proportion only (Huber's loss). Every measurement corrects the
    slopes (a Kalman filter a figure, over the levers that drive it), weighing what it shows against what chance would
    make of it. A step that makes things clearly worse is taken back and tried shorter. Figures that no lever drives do
    not count. `tick` is called with the number of each measurement, from 1.
    """
    slope = problem.slope.copy()
    doubt = [np.diag((_UNSURE * row[row != 0]) ** 2) for row in problem.slope]
    at = best = np.zeros(len(problem.width))
    figures = best_figures = start
    lowest, length = _loss(problem, start, best), 1.0
    # Chance alone makes a measurement this much better or worse.
    chance = _CHANCE * float(np.sqrt(problem.slope.any(axis=1).sum()))
    for used in range(1, rounds + 1):
        step = np.round(_step(problem, slope, figures, at) * length, _DIGITS)
        if not step.any():
            break
        before = figures
        at = at + step
        figures = measure(at)
        tick(used)
        _learn(problem, slope, doubt, step, figures - before)
        loss = _loss(problem, figures, at)
        if loss < lowest:
            best, best_figures, lowest, length = at, figures, loss, min(1.0, length * _LONGER)
        elif loss > lowest + chance:
            at, figures, length = best, best_figures, length * _SHORTER
    return Result(best, best_figures)


def _loss(problem: Problem, figures: NDArray[np.float64], at: NDArray[np.float64]) -> float:
    driven = problem.slope.any(axis=1)
    off = (beyond(figures, problem.low, problem.high) / problem.error)[driven]
    far = np.maximum(np.abs(off) - _FAR, 0.0)
    # Rounded, so that two sums that differ in their last bits compare as equal.
    return round(float((off**2 - far**2).sum() + ((at / problem.width) ** 2).sum()), 6)


def _step(
    problem: Problem, slope: NDArray[np.float64], figures: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve the linearised problem in units of widths and keep each lever's step within bounds."""
    scaled = slope * problem.width / problem.error[:, None]
    off = beyond(figures, problem.low, problem.high) / problem.error
    pull = scaled.T * np.minimum(1.0, _FAR / np.maximum(np.abs(off), _FAR))
    normal = pull @ scaled + np.eye(len(at))
    step = -np.linalg.solve(normal, pull @ off + at / problem.width)
    return np.asarray(np.clip(step, -_LONGEST, _LONGEST) * problem.width)


def _learn(
    problem: Problem,
    slope: NDArray[np.float64],
    doubt: list[NDArray[np.float64]],
    step: NDArray[np.float64],
    change: NDArray[np.float64],
) -> None:
    """Correct the slopes of every figure (in place) by what a step has shown."""
    for n, row in enumerate(problem.slope):
        driven = np.flatnonzero(row)
        moved = step[driven]
        if not moved.any():
            continue
        spread = doubt[n] @ moved
        noise = 2 * problem.error[n] ** 2
        gain = spread / (moved @ spread + noise)
        slope[n, driven] += gain * (change[n] - slope[n, driven] @ moved)
        doubt[n] = doubt[n] - np.outer(gain, spread)
