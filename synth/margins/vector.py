"""The fit for any linear sums: a sparse matrix adds numbers to sums, each known as an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.errors import InputError
from synth.margins.model import Fitted, ends
from synth.margins.solve import Inside, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from synth.margins.model import Array, Matrix

__all__ = ["SparseSums", "fit_vector"]


class SparseSums:
    """Sums by a sparse matrix, one row a sum; Newton's equations by sparse factorisation, ordered once."""

    def __init__(self, matrix: Matrix) -> None:
        from scipy.sparse import csr_array  # noqa: PLC0415

        self._matrix = csr_array(matrix)
        self._across = csr_array(self._matrix.T)
        # wide sums last: those of the country tie together what authorities keep apart
        self._order = np.argsort(np.diff(self._matrix.indptr), kind="stable")

    def add(self, values: Array) -> Array:
        """Return A p."""
        out: Array = self._matrix @ values
        return out

    def spread(self, multipliers: Array) -> Array:
        """Return A'l."""
        out: Array = self._across @ multipliers
        return out

    def solve(self, values: Array, diagonal: Array, right: Array) -> Array:
        """Return x with (A diag(p) A' + diag(d)) x = right."""
        from scipy.sparse import csc_array, diags_array  # noqa: PLC0415
        from scipy.sparse.linalg import splu  # noqa: PLC0415

        weighted = self._across.copy()
        weighted.data = weighted.data * np.repeat(values, np.diff(weighted.indptr))
        normal = csc_array(self._matrix @ weighted + diags_array(diagonal))
        # symmetric scaling: diagonals run from 1e-6 to the square of the widest interval
        scale = 1 / np.sqrt(normal.diagonal())
        normal.data *= scale[normal.indices] * np.repeat(scale, np.diff(normal.indptr))
        normal = csc_array(normal[self._order][:, self._order])
        factor = splu(normal, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        flat = right.reshape(len(right), -1) * scale[:, None]
        out = np.empty_like(flat)
        out[self._order] = factor.solve(flat[self._order])
        solved: Array = (out * scale[:, None]).reshape(right.shape)
        return solved


def fit_vector(
    prior: ArrayLike,
    matrix: Matrix,
    low: ArrayLike,
    high: ArrayLike,
    labels: Sequence[str] | None = None,
    *,
    inside: Inside = "likely",
    tolerance: float = 1e-6,
    most_steps: int = 200,
) -> Fitted:
    """Fit non-negative numbers closest to `prior` whose sums `matrix @ values` lie in `low` to `high`, inclusive.

    `prior` (n numbers, at least 0) gives level and shape; a 0 stays 0. `matrix` (m x n, scipy sparse or dense)
    holds the weights, negative ones too, so that an account "stock + starts - leavers - next stock" is a row with
    `low == high == 0`. `low` and `high` are m numbers or one for all; NaN or an infinity says nothing is known.
    `labels` names the rows in messages. `inside` and the rest as in `fit_table`.

    Raises InputError for wrong shapes, negative or non-finite priors, and empty intervals; never for sums that
    contradict each other: these come back as `conflicts`.
    """
    start = np.asarray(prior, float)
    rows, columns = matrix.shape
    if start.shape != (columns,):
        raise InputError(f"the prior has shape {start.shape}; the matrix of {rows} x {columns} needs ({columns},)")
    if labels is not None and len(labels) != rows:
        raise InputError(f"{len(labels)} labels for {rows} rows; give one for each row of the matrix")

    def name(row: int) -> tuple[str, tuple[str, ...]]:
        return (labels[row] if labels is not None else f"row {row}"), ()

    lows, highs = (np.broadcast_to(np.asarray(end, float), (rows,)) for end in (low, high))
    lows, highs = ends(lows, highs, lambda row: name(row)[0])
    from scipy.sparse import csr_array  # noqa: PLC0415

    weights = csr_array(matrix, dtype=float)
    return fit(
        start,
        lambda known: SparseSums(weights[known]),
        lows,
        highs,
        signed=np.asarray(weights.minimum(0).sum(axis=1)).ravel() < 0,
        name=name,
        inside=inside,
        tolerance=tolerance,
        most=most_steps,
    )
