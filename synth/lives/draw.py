"""Turning uniforms into draws: choices from weights, durations, normals. All inverse-distribution, so monotone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth.lives.quantiles import normal_quantiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from synth.lives.streams import Uniform

__all__ = ["among", "choose", "flagged", "lognormal_days", "matrix", "normal", "row_numbers", "within"]


_FEW = 4_000
"""Rows up to which looking each up is quicker than comparing all with every option."""


def among(some: Iterable[int], options: Sequence[str]) -> NDArray[np.bool_]:
    """Return which of some options are among `some` (indices), to be looked up by index: much quicker than np.isin.

    There is one flag more, which is false: -1 stands for none of the options.
    """
    found = np.zeros(len(options) + 1, bool)
    found[list(some)] = True
    return found


def flagged(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the numbers of the rows that are flagged, as np.flatnonzero does with more ado: most have few rows."""
    return rows.nonzero()[0]


def row_numbers(some: NDArray[np.bool_] | NDArray[np.integer[Any]] | slice, height: int) -> NDArray[np.int64]:
    """Return which rows of so many are chosen: flags are looked at once, not for each column they choose from."""
    if isinstance(some, slice):
        return np.arange(height)[some]
    return flagged(some) if some.dtype == np.bool_ else np.asarray(some, np.int64)


def choose(u: Uniform, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each row a column drawn in proportion to its weights.

    `u` has shape (n,), `weights` (n, k) or (k,) with k up to 128, not necessarily summing to one. A weight of zero is
    never drawn, whatever the uniform. Raises ValueError where a row has no positive weight.
    """
    if not len(u):
        return np.zeros(0, np.int64)
    if weights.ndim == 1:
        cumulative = weights.cumsum()[:, None]
    else:
        # One option after another, each for all rows at once: several times as fast as row after row.
        cumulative = np.array(weights.T, dtype=np.float64, order="C")
        before = cumulative[0]
        for option in cumulative[1:]:
            before = np.add(before, option, out=option)
    total = cumulative[-1]
    if not total.min() > 0:
        raise ValueError("no option has a positive weight")
    # Stepping over what is not above the draw leaves out leading options of weight zero, and ends at the last positive.
    if weights.ndim == 1 and len(u) < _FEW:
        return np.asarray(cumulative[:-1, 0].searchsorted(u * total, side="right"))
    return np.asarray((cumulative[:-1] <= u * total).sum(axis=0, dtype=np.int8), dtype=np.int64)


def normal(u: Uniform) -> NDArray[np.float64]:
    """Return standard normal quantiles."""
    return np.asarray(normal_quantiles()(u), dtype=np.float64)


def lognormal_days(
    u: Uniform, median: NDArray[np.float64] | float, sigma: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return durations in days, log-normal with the given median (days) and log standard deviation."""
    return np.asarray(median * np.exp(sigma * normal(u)), dtype=np.float64)


def within(u: Uniform, low: NDArray[Any] | float, high: NDArray[Any] | float) -> NDArray[np.int32]:
    """Return whole numbers spread evenly over low..high, both ends included."""
    span = high - low
    # The product is floored before it is shifted: near one the sum could round up past the end.
    steps = np.floor(u * (span + 1))
    return np.asarray(low + np.minimum(steps, span, out=steps)).astype(np.int32)


def matrix(
    table: Mapping[str, Mapping[str, float]], rows: Sequence[str], columns: Sequence[str]
) -> NDArray[np.float64]:
    """Return a nested parameter as an array (rows, columns); a column a row does not name has weight zero."""
    return np.array([[float(table[row].get(column, 0.0)) for column in columns] for row in rows])
