"""The fit for a table over named axes, known by its margins."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import InputError
from synth.margins.model import Fitted, Margin, ends, numbers
from synth.margins.solve import Inside, fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from synth.margins.model import Array, Index, Namer
    from synth.margins.vector import SparseSums

__all__ = ["TableSums", "checked", "fit_table", "namer"]

_DENSE = 4000
"""Up to so many margin cells Newton's equations are solved as a full matrix."""


class TableSums:
    """Sums of a table over its margins; `known` picks the margin cells that count, in order."""

    def __init__(self, shape: tuple[int, ...], margins: Sequence[tuple[int, ...]], known: Index) -> None:
        self.shape = shape
        self._margins = tuple(tuple(axes) for axes in margins)
        self._first = np.cumsum([0, *(prod(shape[axis] for axis in axes) for axes in self._margins)])
        self._known = known
        self._whole = len(known) == self._first[-1]
        self._pairs: list[tuple[frozenset[int], Index, Index]] = []

    def add(self, values: Array) -> Array:
        """Return the margin cells of the table."""
        sums = _Sums(values.reshape(self.shape))
        every = [sums.over(frozenset(axes)).transpose(_places(axes)).ravel() for axes in self._margins]
        out = np.concatenate(every) if every else np.zeros(0)
        return out if self._whole else out[self._known]

    def spread(self, multipliers: Array) -> Array:
        """Return for each cell the multipliers of its margin cells, added up, flat."""
        if not self._whole:
            every = np.zeros(self._first[-1])
            every[self._known] = multipliers
            multipliers = every
        small: dict[frozenset[int], Array] = {}
        for axes, (begin, end) in zip(self._margins, pairwise(self._first), strict=True):
            own = multipliers[begin:end].reshape([self.shape[axis] for axis in axes])
            wide = own.transpose(np.argsort(axes)).reshape(
                [size if axis in axes else 1 for axis, size in enumerate(self.shape)]
            )
            key = frozenset(axes)
            small[key] = small[key] + wide if key in small else wide
        out = np.zeros(self.shape)
        for wide in small.values():
            out += wide
        return out.ravel()

    def solve(self, values: Array, diagonal: Array, right: Array) -> Array:
        """Return x with (A diag(p) A' + diag(d)) x = right."""
        from scipy.linalg import cho_factor, cho_solve, solve  # noqa: PLC0415

        normal = self._normal(values)
        normal[np.diag_indices_from(normal)] += diagonal
        scale = 1 / np.sqrt(np.diagonal(normal))
        normal *= scale[:, None]
        normal *= scale
        columns = right.reshape(len(right), -1) * scale[:, None]
        try:
            out = cho_solve(cho_factor(normal, check_finite=False), columns, check_finite=False)
        except np.linalg.LinAlgError:
            out = solve(normal + 1e-12 * np.eye(len(normal)), columns, assume_a="sym")
        solved: Array = (out * scale[:, None]).reshape(right.shape)
        return solved

    def _normal(self, values: Array) -> Array:
        """Return A diag(p) A': entry (i, j) is the sum over the cells in both margin cells."""
        if not self._pairs:
            self._pairs = self._plan()
        sums = _Sums(values.reshape(self.shape))
        size = int(self._first[-1])
        out = np.zeros((size, size))
        for axes, rows, columns in self._pairs:
            both = sums.over(axes).ravel()
            out[rows, columns] = both
            out[columns, rows] = both
        return out if self._whole else out[np.ix_(self._known, self._known)]

    def _plan(self) -> list[tuple[frozenset[int], Index, Index]]:
        """Return for each pair of margins the axes of either and, for each cell over these, its two places."""
        found = []
        for one, own in enumerate(self._margins):
            for other in range(one, len(self._margins)):
                union = frozenset(own) | frozenset(self._margins[other])
                grid = dict(zip(sorted(union), np.indices([self.shape[axis] for axis in sorted(union)]), strict=True))
                places = []
                for which in (one, other):
                    place = np.full([self.shape[axis] for axis in sorted(union)], 0)
                    for axis in self._margins[which]:
                        place = place * self.shape[axis] + grid[axis]
                    places.append(place.ravel() + self._first[which])
                found.append((union, places[0], places[1]))
        return sorted(found, key=lambda pair: -prod(self.shape[axis] for axis in pair[0]))


class _Sums:
    """Sums of one table over sets of axes, each made from the smallest sum already at hand."""

    def __init__(self, table: Array) -> None:
        self._known = {frozenset(range(table.ndim)): table}

    def over(self, keep: frozenset[int]) -> Array:
        """Return the sum that keeps these axes, in their order in the table."""
        found = self._known.get(keep)
        if found is None:
            held = min((key for key in self._known if key >= keep), key=lambda key: self._known[key].size)
            drop = tuple(place for place, axis in enumerate(sorted(held)) if axis not in keep)
            found = self._known[keep] = self._known[held].sum(axis=drop)
        return found


def _places(axes: tuple[int, ...]) -> list[int]:
    """Return how to turn a sum in the order of the table into the order of the margin."""
    return [sorted(axes).index(axis) for axis in axes]


def sparse_sums(shape: tuple[int, ...], margins: Sequence[tuple[int, ...]], known: Index) -> SparseSums:
    """Return the same sums as a sparse matrix."""
    from scipy.sparse import csr_array, vstack  # noqa: PLC0415

    from synth.margins.vector import SparseSums  # noqa: PLC0415

    cells = np.indices(shape).reshape(len(shape), -1)
    size = prod(shape)
    parts = []
    for axes in margins:
        place = np.zeros(size, int)
        for axis in axes:
            place = place * shape[axis] + cells[axis]
        rows = prod(shape[axis] for axis in axes)
        parts.append(csr_array((np.ones(size), (place, np.arange(size))), shape=(rows, size)))
    return SparseSums(csr_array(vstack(parts))[known])


def fit_table(
    axes: Mapping[str, int | Sequence[object]],
    prior: ArrayLike,
    margins: Sequence[Margin],
    *,
    inside: Inside = "likely",
    tolerance: float = 1e-6,
    most_steps: int = 200,
) -> Fitted:
    """Fit the table closest to `prior` (Kullback-Leibler) whose margins lie in their intervals, all at once.

    `axes` names the axes in the order of the table, each with its length or its labels. `prior` has that shape;
    only its shape counts, not its level, and a 0 is a cell that cannot occur and stays 0. A margin lists some of
    the axes and the intervals of the sums over all others; cells about which nothing is known are NaN or infinite.

    `inside` says where a sum may lie within its interval. "likely" (default): where it is expected, given that any
    true count in the interval could have been printed, that hidden counts are small, and what prior and other
    margins say; best when the true counts matter. "nearest": anywhere up to the ends, as the table strictly closest
    to the prior has it; a prior that meets all margins comes back unchanged (to a thousandth or so).

    Never fails because figures disagree: sums that cannot be met are left outside by as little as possible and
    named in `conflicts`. `tolerance` (children) ends the search, `most_steps` bounds each pass of it.

    Raises InputError for unknown axes, wrong shapes, negative or non-finite priors, and empty intervals.
    """
    names = list(axes)
    shape = tuple(size if isinstance(size, int) else len(size) for size in axes.values())
    start = numbers(prior, shape, "the prior")
    places = [checked(margin, names, shape) for margin in margins]
    lows, highs = (
        np.concatenate([np.zeros(0), *(getattr(margin, end).ravel() for margin in margins)]) for end in ("low", "high")
    )
    name = namer(axes, margins, places)
    lows, highs = ends(lows, highs, lambda row: str(name(row)))

    def sums_of(known: Index) -> TableSums | SparseSums:
        return (TableSums if len(lows) <= _DENSE else sparse_sums)(shape, places, known)

    fitted = fit(
        (start * _level(start, margins, places)).ravel(),
        sums_of,
        lows,
        highs,
        signed=np.zeros(len(lows), bool),
        name=name,
        inside=inside,
        tolerance=tolerance,
        most=most_steps,
        shapes=tuple(margin.low.shape for margin in margins),
    )
    return replace(fitted, values=fitted.values.reshape(shape))


def namer(
    axes: Mapping[str, int | Sequence[object]], margins: Sequence[Margin], places: Sequence[tuple[int, ...]]
) -> Namer:
    """Return what names a margin cell, by its place among all of them: label of the margin, labels of the cell."""
    texts = [[str(label) for label in (range(size) if isinstance(size, int) else size)] for size in axes.values()]
    first = np.cumsum([0, *(margin.low.size for margin in margins)])

    def name(row: int) -> tuple[str, tuple[str, ...]]:
        which = int(np.searchsorted(first, row, side="right")) - 1
        cell = np.unravel_index(row - first[which], margins[which].low.shape)
        return margins[which].label, tuple(texts[axis][int(at)] for axis, at in zip(places[which], cell, strict=True))

    return name


def checked(margin: Margin, names: list[str], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the places of the margin's axes in the table."""
    for axis in margin.axes:
        if axis not in names:
            raise InputError(f"margin {margin.label}: no axis {axis!r} in the table; its axes are {names}")
    places = tuple(names.index(axis) for axis in margin.axes)
    wanted = tuple(shape[place] for place in places)
    if margin.low.shape != wanted:
        raise InputError(f"margin {margin.label}: intervals of shape {margin.low.shape}; {margin.axes} need {wanted}")
    return places


def _level(prior: Array, margins: Sequence[Margin], places: Sequence[tuple[int, ...]]) -> float:
    """Return the factor that brings the prior to the level of the margin that knows its total best."""
    best, factor = (1.0, np.inf), 1.0
    for margin, axes in zip(margins, places, strict=True):
        drop = tuple(axis for axis in range(prior.ndim) if axis not in axes)
        sums = prior.sum(axis=drop).transpose(_places(axes))
        low, high = np.maximum(np.nan_to_num(margin.low, nan=0.0), 0.0), margin.high
        known = np.isfinite(high) & (sums > 0)
        held, lowest, highest = sums[known].sum(), low[known].sum(), high[known].sum()
        if highest <= 0 or held <= 0:
            continue
        rank = (-round(held / prior.sum(), 2), (highest - lowest) / highest)
        if rank < best:
            best, factor = rank, float(np.clip(held, lowest, highest) / held)
    return factor if factor > 0 else 1.0
