"""Whole numbers near fitted ones: children come whole, and their sums should still lie in the published intervals.

A table is sampled by systematic rounding, which keeps runs of cells within one child of their fitted sum, and then
repaired: children move to a neighbouring cell along one axis wherever that brings sums nearer to their intervals.
For any other linear sums the rounding itself is a small integer program. Both are deterministic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.errors import InputError
from synth.margins.model import Conflict, Margin, Whole, ends, outside
from synth.margins.repair import Repair
from synth.margins.table import checked, namer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from synth.margins.model import Array, Matrix, Namer

__all__ = ["whole_table", "whole_vector"]

_GOLDEN = 0.6180339887498949
_FRACTION = 1e-9
"""A fitted number this near to a whole one is taken for whole."""
_PENALTY = 1000.0
"""Cost of a child outside an interval, beside the costs of rounding, which are some units a cell."""
_EXACT = 100.0
"""How many times dearer that is where a sum is known to the child: such sums give way last."""


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
    table = np.asarray(values, float)
    if table.shape != shape or not np.isfinite(table).all() or (table < 0).any():
        raise InputError(f"the values must be {shape} finite numbers, none below 0; found shape {table.shape}")
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
    nodes: int = 2000,
) -> Whole:
    """Return whole numbers, each the next one below or above its value, with `matrix @ whole` in `low` to `high`.

    Arguments as in `fit_vector`, `values` instead of the prior. `nodes` bounds the search of the integer program;
    sums that cannot be met are named in `outside`, and sums known to the child (`low == high`) give way last. Good
    for some ten thousand numbers.

    Raises InputError as `fit_vector` does.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415
    from scipy.sparse import csc_array, eye_array, hstack  # noqa: PLC0415

    start = np.asarray(values, float)
    weights = csc_array(matrix, dtype=float)
    rows, columns = weights.shape
    if start.shape != (columns,) or not np.isfinite(start).all() or (start < 0).any():
        raise InputError(f"the values must be {columns} finite numbers, none below 0; found shape {start.shape}")
    lows, highs = (np.broadcast_to(np.asarray(end, float), (rows,)) for end in (low, high))

    def name(row: int) -> tuple[str, tuple[str, ...]]:
        return (labels[row] if labels is not None else f"row {row}"), ()

    lows, highs = ends(lows, highs, lambda row: name(row)[0])
    floor = np.floor(start + _FRACTION)
    share = start - floor
    loose = np.flatnonzero(share > _FRACTION)
    # without sums, a number goes up when a fixed even spread of shares falls under its own
    spread = np.modf(_GOLDEN * np.arange(1, columns + 1))[0][loose]
    cost = _log_odds(spread) - _log_odds(share[loose])
    base = weights @ floor
    # one slack up and one down for each sum
    whole = hstack([weights[:, loose], eye_array(rows), -eye_array(rows)], format="csc")
    none = np.zeros(len(loose)), np.zeros(2 * rows)
    penalty = np.where(lows == highs, _EXACT * _PENALTY, _PENALTY)
    found = milp(
        np.concatenate([cost, penalty, penalty]),
        integrality=np.concatenate([none[0] + 1, none[1]]),
        bounds=Bounds(np.concatenate(none), np.concatenate([none[0] + 1, none[1] + np.inf])),
        constraints=LinearConstraint(whole, lows - base, highs - base),
        options={"node_limit": nodes, "mip_rel_gap": 1e-3},
    )
    out = floor.astype(np.int64)
    up = share[loose] > spread if found.x is None else found.x[: len(loose)] > 0.5  # noqa: PLR2004
    out[loose] += up
    return Whole(out, _named(weights @ out.astype(float), lows, highs, name))


def _systematic(values: Array) -> NDArray[np.int64]:
    """Return whole numbers whose running sums are those of `values`, rounded; a 0 stays 0."""
    running = np.floor(np.concatenate([[0.0], np.cumsum(values)]) + 0.5)
    return np.diff(running).astype(np.int64)


def _log_odds(share: Array) -> Array:
    safe = np.clip(share, _FRACTION, 1 - _FRACTION)
    odds: Array = np.log(safe / (1 - safe))
    return odds


def _named(sums: Array, low: Array, high: Array, name: Namer) -> tuple[Conflict, ...]:
    excess = outside(sums, low, high)
    rows = np.flatnonzero(np.abs(excess) > _FRACTION)
    return tuple(
        Conflict(*name(int(row)), float(low[row]), float(high[row]), float(sums[row]), float(excess[row]), 0.0, 0.0)
        for row in rows[np.argsort(-np.abs(excess[rows]), kind="stable")]
    )
