"""Whole numbers near fitted ones: children come whole, and their sums should still lie in the published intervals.

A table is sampled by systematic rounding, which keeps runs of cells within one child of their fitted sum, and then
repaired: children move to a neighbouring cell along one axis wherever that brings sums nearer to their intervals.
For any other linear sums each number goes up or down as integer programs choose. Both are deterministic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.margins.model import Conflict, Margin, Whole, ends, numbers, outside, row_ends
from synth.margins.repair import Repair
from synth.margins.rounding import Rounding
from synth.margins.table import checked, namer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from synth.margins.model import Array, Matrix, Namer

__all__ = ["whole_table", "whole_vector"]

_FRACTION = 1e-9
"""A whole sum this near to its interval is inside."""


def whole_table(
    axes: Mapping[str, int | Sequence[object]], values: ArrayLike, margins: Sequence[Margin], *, sweeps: int = 60
) -> Whole:
    """Return whole numbers near `values` (shape of the axes, at least 0) with the margins inside their intervals.

    A cell of 0 stays 0. The result depends on nothing but the arguments. `sweeps` bounds the repair. Sums that
    stay outside their interval are named in `outside`: where they contradict each other, or where no move helped.

    Raises InputError as `fit_table` does.
    """
    names = list(axes)
    shape = tuple(size if isinstance(size, int) else len(size) for size in axes.values())
    table = numbers(values, shape, "the table")
    places = [checked(margin, names, shape) for margin in margins]
    name = namer(axes, margins, places)
    bounds = [ends(margin.low, margin.high, name) for margin in margins]
    start = _systematic(table.ravel()).reshape(shape)
    repair = Repair(start, table, list(zip(places, bounds, strict=True)))
    repair.run(sweeps)
    low, high = (np.concatenate([np.zeros(0), *(pair[side].ravel() for pair in bounds)]) for side in (0, 1))
    return Whole(repair.counts, _named(repair.sums(), low, high, name))


def whole_vector(
    values: ArrayLike,
    matrix: Matrix,
    low: ArrayLike,
    high: ArrayLike,
    labels: Sequence[str] | None = None,
    *,
    rounds: int = 150,
) -> Whole:
    """Return whole numbers, each the next one below or above its value, with `matrix @ whole` in `low` to `high`.

    Arguments as in `fit_vector`, `values` instead of the prior. `rounds` bounds the repair of sums left
    outside by the first rounding; those that stay so are named in `outside`. Sums known to the child (`low == high`)
    give way last. The result depends on nothing but the arguments. Fifty thousand numbers in twenty thousand sums take
    half a minute or so.

    Raises InputError as `fit_vector` does.
    """
    from scipy.sparse import csc_array  # noqa: PLC0415

    weights = csc_array(matrix, dtype=float)
    rows, columns = weights.shape
    start = numbers(values, (columns,), "the vector")
    lows, highs, name = row_ends(low, high, labels, rows)
    rounding = Rounding(start, weights, lows, highs)
    rounding.run(rounds)
    whole = np.round(rounding.floor + rounding.up).astype(np.int64)
    return Whole(whole, _named(weights @ whole.astype(float), lows, highs, name))


def _systematic(values: Array) -> NDArray[np.int64]:
    """Return whole numbers whose running sums are those of `values`, rounded; a 0 stays 0."""
    running = np.floor(np.concatenate([[0.0], np.cumsum(values)]) + 0.5)
    return np.diff(running).astype(np.int64)


def _named(sums: Array, low: Array, high: Array, name: Namer) -> tuple[Conflict, ...]:
    excess = outside(sums, low, high)
    rows = np.flatnonzero(np.abs(excess) > _FRACTION)
    return tuple(
        Conflict(*name(int(row)), float(low[row]), float(high[row]), float(sums[row]), float(excess[row]), 0.0, 0.0)
        for row in rows[np.argsort(-np.abs(excess[rows]), kind="stable")]
    )
