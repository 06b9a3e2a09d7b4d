"""What goes into a fit and what comes out: margins, intervals, fitted values, conflicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "Array",
    "Conflict",
    "Fitted",
    "Flags",
    "Index",
    "Margin",
    "Matrix",
    "Namer",
    "Whole",
    "ends",
    "numbers",
    "outside",
    "row_ends",
]

Array: TypeAlias = NDArray[np.float64]
Index: TypeAlias = NDArray[np.intp]
Flags: TypeAlias = NDArray[np.bool_]
Matrix: TypeAlias = Any
"""A scipy sparse array or matrix, or a dense two-dimensional array."""
Namer: TypeAlias = "Callable[[int], tuple[str, tuple[str, ...]]]"
"""What names a sum by its place among all: label of the published table, labels of the cell."""

MET = 1e-3
"""A sum this near to its interval, in children, counts as inside: a fit is a table of real numbers."""


@dataclass(frozen=True, eq=False)
class Margin:
    """One published table: the sums of the fitted table over all axes but `axes`, each known as an interval.

    `low` and `high` are inclusive and have one dimension for each name in `axes`, in that order, each as long as
    the axis. No axes means the grand total. NaN or an infinity at an end says that nothing is known there.
    `label` names the published table in messages.
    """

    axes: tuple[str, ...]
    low: Array
    high: Array
    label: str = ""

    def __init__(
        self, axes: tuple[str, ...] | list[str] | str, low: ArrayLike, high: ArrayLike, label: str = ""
    ) -> None:
        """Take the axes as one name or several; the ends as anything array-like, broadcast against each other."""
        names = (axes,) if isinstance(axes, str) else tuple(axes)
        lows, highs = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
        name = label or " by ".join(names) or "total"
        if len(set(names)) != len(names):
            raise InputError(f"margin {name}: an axis stands twice in {names}; name each axis once")
        for key, value in (("axes", names), ("low", lows), ("high", highs), ("label", name)):
            object.__setattr__(self, key, value)
        ends(lows.ravel(), highs.ravel(), lambda row: f"margin {name}, cell {np.unravel_index(row, lows.shape)}")


def numbers(given: ArrayLike, shape: tuple[int, ...], what: str) -> Array:
    """Return `given` as an array; raises InputError unless it has this shape and finite numbers, none below 0."""
    found = np.asarray(given, float)
    if found.shape != shape:
        raise InputError(f"{what} has shape {found.shape}; the axes need {shape}")
    wrong = np.flatnonzero(~np.isfinite(found) | (found < 0))
    if wrong.size:
        cell = tuple(int(at) for at in np.unravel_index(wrong[0], shape))
        raise InputError(
            f"{what}, cell {cell}: {found[cell]} found, finite numbers expected, none below 0; write 0 for cells that"
            f" cannot occur ({wrong.size} such)"
        )
    return found


def ends(low: Array, high: Array, name: Callable[[int], object]) -> tuple[Array, Array]:
    """Return the ends with NaN opened to infinity; raises InputError where a low end lies above its high end."""
    lows = np.where(np.isnan(low), -np.inf, low)
    highs = np.where(np.isnan(high), np.inf, high)
    wrong = np.flatnonzero((lows > highs) | (lows == np.inf) | (highs == -np.inf))
    if wrong.size:
        row = int(wrong[0])
        raise InputError(
            f"{name(row)}: the interval {lows[row]:g} to {highs[row]:g} is empty; the low end must not exceed the high"
            f" one ({wrong.size} such)"
        )
    return lows, highs


def row_ends(low: ArrayLike, high: ArrayLike, labels: Sequence[str] | None, rows: int) -> tuple[Array, Array, Namer]:
    """Return ends for each row of a matrix and what names a row; raises InputError where their number is wrong."""
    for given, what in ((low, "low ends"), (high, "high ends")):
        if np.shape(given) not in ((), (rows,)):
            raise InputError(f"{what} of shape {np.shape(given)}; give one number, or one for each of the {rows} rows")
    if labels is not None and len(labels) != rows:
        raise InputError(f"{len(labels)} labels for {rows} rows; give one for each row of the matrix")

    def name(row: int) -> tuple[str, tuple[str, ...]]:
        return (labels[row] if labels is not None else f"row {row}"), ()

    lows, highs = (np.broadcast_to(np.asarray(end, float), (rows,)) for end in (low, high))
    return *ends(lows, highs, lambda row: name(row)[0]), name


def outside(sums: Array, low: Array, high: Array) -> Array:
    """Return how far each sum lies outside its interval: negative below, positive above, 0 inside."""
    return np.maximum(sums - high, 0.0) - np.maximum(low - sums, 0.0)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A sum that could not be brought into its interval because other sums, or zeros of the prior, forbid it.

    `excess` is in children, negative below the interval. `score` is the multiplier of the sum over its standard
    deviation: the harder a figure quarrels with the others, the further it lies from 0; it is positive where the
    figure pulls upwards. Figures that contradict each other share the excess, and all of them are named.
    """

    label: str
    cell: tuple[str, ...]
    low: float
    high: float
    fitted: float
    excess: float
    multiplier: float
    score: float

    def __str__(self) -> str:
        """Return one line for a person."""
        where = f"{self.label} [{', '.join(self.cell)}]" if self.cell else self.label
        side = "above" if self.excess > 0 else "below"
        return (
            f"{where}: {self.fitted:.4g} is {abs(self.excess):.3g} {side} {self.low:g} to {self.high:g}"
            f" (score {self.score:+.1f})"
        )


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted table or vector with what its sums came to.

    `values` has the shape of the prior. `sums`, `low`, `high` and `multipliers` have one entry for each constrained
    sum: margin after margin, each in row-major order, or the rows of the sparse matrix. A multiplier is the power
    of e by which its sum lifts the cells in it; 0 means that the prior and the other sums already agree with it.
    `converged` is false when the steps ran out first; the values are then the best reached.
    """

    values: Array
    sums: Array
    low: Array
    high: Array
    multipliers: Array
    conflicts: tuple[Conflict, ...]
    converged: bool
    steps: int
    name: Namer = field(repr=False)
    shapes: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def excess(self) -> Array:
        """How far each sum lies outside its interval: negative below, positive above, 0 inside."""
        return outside(self.sums, self.low, self.high)

    @property
    def largest_violation(self) -> float:
        """The largest distance of a sum from its interval, in children."""
        return float(np.abs(self.excess).max(initial=0.0))

    def margin(self, which: int) -> Array:
        """Return the fitted sums of one margin, by its place in the list given to the fit, in its shape."""
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        first = sum(sizes[:which])
        return self.sums[first : first + sizes[which]].reshape(self.shapes[which])

    def binding(self, within: float = 0.01) -> Iterator[tuple[str, tuple[str, ...], str]]:
        """Yield label, cell and end ("low" or "high") of every sum pressed against an end of its interval.

        Pressed is: nearer to the end than the share `within` of the width, and pulled by its multiplier the other
        way. Intervals without width bind always and are left out.
        """
        width = self.high - self.low
        near = within * np.where(np.isfinite(width), width, 1.0)
        low = (self.sums - self.low <= near) & (self.multipliers > 0) & (width > 0)
        high = (self.high - self.sums <= near) & (self.multipliers < 0) & (width > 0)
        for row in np.flatnonzero(low | high):
            label, cell = self.name(int(row))
            yield label, cell, "low" if low[row] else "high"


@dataclass(frozen=True, eq=False)
class Whole:
    """Whole numbers made from fitted ones; `values` are int64 in the shape of the prior.

    `outside` names the sums that ended outside their interval (score 0: nothing is estimated here).
    """

    values: NDArray[np.int64]
    outside: tuple[Conflict, ...]
