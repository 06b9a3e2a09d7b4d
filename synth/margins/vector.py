"""The fit for any linear sums: a sparse matrix adds numbers to sums, each known as an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.margins.fronts import Fronts, Full
from synth.margins.model import Fitted, numbers, row_ends
from synth.margins.solve import Inside, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from synth.margins.model import Array, Matrix

__all__ = ["SparseSums", "fit_vector"]


_STALE = 12
"""Most steps of conjugate gradients on an old factorisation; a new one costs some thirty."""
_CLOSE = 1e-4
"""Residual, as a share of the right side, at which Newton's equations count as solved."""
_CROWDED = 20_000_000
"""Pairs of sums with a cell in common, cell by cell, from which a full matrix is quicker than a sparse one."""
_BOOSTS = (0.0, 1e-12, 1e-9, 1e-6)
"""Shares of the diagonal added where rounding leaves no positive pivot."""


class SparseSums:
    """Sums by a sparse matrix, one row a sum; Newton's equations by sparse factorisation.

    The equations change little from one step to the next, so the last factorisation serves as the preconditioner of
    conjugate gradients until that takes too many steps.
    """

    def __init__(self, matrix: Matrix) -> None:
        from scipy.sparse import csr_array  # noqa: PLC0415

        self._matrix = csr_array(matrix)
        self._across = csr_array(self._matrix.T)
        self._squared = self._matrix.power(2)
        self._solver: Fronts | Full | None = None
        self._factored = False

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
        if self._factored and right.ndim == 1:
            found = self._descend(values, diagonal, right)
            if found is not None:
                return found
        self._factor(values, diagonal)
        out = self._backed(right)
        if right.ndim == 1:
            # one correction: where sums contradict each other the equations are close to singular
            out += self._backed(right - self._times(values, diagonal, out))
        return out

    def _factor(self, values: Array, diagonal: Array) -> None:
        if self._solver is None:
            pairs = int((np.diff(self._across.indptr).astype(np.int64) ** 2).sum())
            self._solver = (Full if pairs > _CROWDED else Fronts)(self._matrix)
        whole = self._squared @ values + diagonal
        for boost in _BOOSTS:
            try:
                self._solver.factor(values, diagonal + boost * whole)
            except np.linalg.LinAlgError:
                continue
            self._factored = True
            return
        self._solver.factor(np.zeros_like(values), whole)

    def _backed(self, right: Array) -> Array:
        assert self._solver is not None
        return self._solver.solve(right)

    def _times(self, values: Array, diagonal: Array, x: Array) -> Array:
        out: Array = self._matrix @ (values * (self._across @ x)) + diagonal * x
        return out

    def _descend(self, values: Array, diagonal: Array, right: Array) -> Array | None:
        """Return the solution by preconditioned conjugate gradients, None if that takes too long."""
        x = np.zeros_like(right)
        rest = right.copy()
        along = better = self._backed(rest)
        size = first = float(rest @ better)
        for _ in range(_STALE):
            if not size > _CLOSE**2 * first:
                return x
            image = self._times(values, diagonal, along)
            length = size / float(along @ image)
            x = x + length * along
            rest -= length * image
            better = self._backed(rest)
            size, before = float(rest @ better), size
            along = better + (size / before) * along
        return None


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
    rows, columns = matrix.shape
    start = numbers(prior, (columns,), "the prior")
    lows, highs, name = row_ends(low, high, labels, rows)
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
