"""Newton's equations for many sums: sparse Cholesky factorisation by dense fronts.

Published sums nest: those of the country run over everything, those of an authority stay inside it, an account ties
two neighbouring ages. With the widest sums set aside, the others fall apart into pieces without a cell in common;
each piece is taken apart in the same way until it is small. Pieces are then eliminated from the smallest up, each as
one dense block that passes on what it leaves behind (George 1973, nested dissection; Duff and Reid 1983, the
multifrontal method). Which piece is where depends on the pattern of the sums alone and is found once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synth.margins.model import Array, Index, Matrix

__all__ = ["Fronts"]

_RUNS = 12
"""Up to so many runs a block is added run by run."""
_GROWTH = 1.25
"""How much larger than the largest piece another may become when sums set aside come back."""
_TOGETHER = 96
"""Pieces of up to so many sums are not taken apart further, and neighbours make one up to so many."""
_PART = 0.6
"""A cut is worth while when the largest piece left is at most this share of the whole."""


@dataclass(slots=True)
class _Front:
    """Sums eliminated together: `own` and the `rest` they touch, both as places in the order of elimination."""

    own: Index
    rest: Index
    parent: int = -1
    into: Index = field(default_factory=lambda: np.zeros(0, np.intp))
    """Where `rest` stands in the parent's block."""
    source: Index = field(default_factory=lambda: np.zeros(0, np.intp))
    target: Index = field(default_factory=lambda: np.zeros(0, np.intp))
    """Entries of the matrix that start in this block, and where in it (column-major)."""
    block: Array = field(default_factory=lambda: np.zeros((0, 0)))
    """Own columns of the factor, once found."""


class Fronts:
    """Solves (A diag(p) A' + diag(d)) x = b for one sparse A and many p and d."""

    def __init__(self, matrix: Matrix) -> None:
        """Find the order of elimination; `matrix` is sparse, m x n."""
        from scipy.sparse import csr_array  # noqa: PLC0415

        rows, _columns = matrix.shape
        ones = csr_array((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
        pattern = csr_array(ones @ ones.T)
        pieces: list[tuple[Index, int]] = []
        _dissect(pattern, np.diff(matrix.indptr), np.arange(rows), -1, pieces)
        pieces.reverse()  # found from the top, eliminated from the bottom
        self._order = np.concatenate([np.zeros(0, np.intp), *(own for own, _ in pieces)])
        place = np.empty(rows, np.intp)
        place[self._order] = np.arange(rows)
        self._fronts = self._symbolic(pattern, pieces, place)
        self._gather(matrix, place)

    def _symbolic(self, pattern: Matrix, pieces: list[tuple[Index, int]], place: Index) -> list[_Front]:
        """Return the fronts with what they touch, in the order of elimination."""
        last = len(pieces) - 1
        touched: list[list[Index]] = [[] for _ in pieces]
        fronts = []
        for number, (own, above) in enumerate(pieces):
            first = place[own[0]] if own.size else 0
            mine = np.arange(first, first + own.size)
            near = [place[pattern.indices[pattern.indptr[row] : pattern.indptr[row + 1]]] for row in own]
            every = np.unique(np.concatenate([mine, *near, *touched[number]]))
            front = _Front(mine, every[every >= first + own.size], last - above if above >= 0 else -1)
            if front.parent >= 0:
                touched[front.parent].append(front.rest)
            fronts.append(front)
        for front in fronts:
            if front.parent >= 0:
                above_it = fronts[front.parent]
                front.into = np.searchsorted(np.concatenate([above_it.own, above_it.rest]), front.rest)
        return fronts

    def _gather(self, matrix: Matrix, place: Index) -> None:
        """Prepare the entries of A diag(p) A' as a matrix times p, and where each enters its front."""
        from scipy.sparse import csr_array  # noqa: PLC0415

        rows, columns = matrix.shape
        across = csr_array(matrix.T)
        counts = np.diff(across.indptr)
        first, second, cell = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
        for number in np.unique(counts[counts > 0]):
            cells = np.flatnonzero(counts == number)
            at = across.indptr[cells][:, None] + np.arange(number)
            one, other = np.broadcast_arrays(at[:, :, None], at[:, None, :])
            lower = place[across.indices[one]] >= place[across.indices[other]]
            first.append(one[lower])
            second.append(other[lower])
            cell.append(np.broadcast_to(cells[:, None, None], one.shape)[lower])
        one, other, cells = np.concatenate(first), np.concatenate(second), np.concatenate(cell)
        # column first: entries of one column of the lower triangle stand together
        key = place[across.indices[other]].astype(np.int64) * rows + place[across.indices[one]]
        key = np.concatenate([key, np.arange(rows, dtype=np.int64) * (rows + 1)])
        entries, which = np.unique(key, return_inverse=True)
        self._diagonal = which[len(one) :]
        weights = across.data[one] * across.data[other]
        self._products = csr_array((weights, (which[: len(one)], cells)), shape=(len(entries), columns))
        column, row = entries // rows, entries % rows
        for front in self._fronts:
            if not front.own.size:
                continue
            begin, end = np.searchsorted(column, [front.own[0], front.own[-1] + 1])
            front.source = np.arange(begin, end)
            inside = np.searchsorted(np.concatenate([front.own, front.rest]), row[begin:end])
            size = front.own.size + front.rest.size
            front.target = inside + size * (column[begin:end] - front.own[0])

    def factor(self, values: Array, diagonal: Array) -> None:
        """Factorise A diag(p) A' + diag(d); raises LinAlgError where rounding leaves no positive pivot."""
        from scipy.linalg.blas import dsyrk, dtrsm  # noqa: PLC0415
        from scipy.linalg.lapack import dpotrf  # noqa: PLC0415

        entries = self._products @ values
        entries[self._diagonal] += diagonal[self._order]
        waiting: dict[int, Array] = {}
        for number, front in enumerate(self._fronts):
            size, own = front.own.size + front.rest.size, front.own.size
            block = waiting.pop(number, None)
            if block is None:
                block = np.zeros((size, size), order="F")
            block.reshape(-1, order="F")[front.target] += entries[front.source]
            corner, failed = dpotrf(block[:own, :own], lower=1)
            if failed:
                raise np.linalg.LinAlgError(f"pivot {failed} of {own} is not positive")
            front.block = np.empty((size, own), order="F")
            front.block[:own] = corner
            if not front.rest.size:
                continue
            below = dtrsm(1.0, corner, block[own:, :own], side=1, lower=1, trans_a=1)
            front.block[own:] = below
            left = dsyrk(-1.0, below, beta=1.0, c=block[own:, own:], lower=1)
            if front.parent not in waiting:
                above = self._fronts[front.parent]
                wide = above.own.size + above.rest.size
                waiting[front.parent] = np.zeros((wide, wide), order="F")
            _add(waiting[front.parent], left, front.into)

    def solve(self, right: Array) -> Array:
        """Return the solution for one right side or, in columns, several."""
        from scipy.linalg.blas import dtrsm  # noqa: PLC0415

        x = np.asfortranarray(right[self._order].reshape(len(right), -1))
        for front in self._fronts:
            if front.own.size:
                own = front.own.size
                part = slice(front.own[0], front.own[0] + own)
                x[part] = dtrsm(1.0, front.block[:own], x[part], lower=1)
                x[front.rest] -= front.block[own:] @ x[part]
        for front in reversed(self._fronts):
            if front.own.size:
                own = front.own.size
                part = slice(front.own[0], front.own[0] + own)
                x[part] -= front.block[own:].T @ x[front.rest]
                x[part] = dtrsm(1.0, front.block[:own], x[part], lower=1, trans_a=1)
        out = np.empty_like(x)
        out[self._order] = x
        return out.reshape(right.shape)


def _add(block: Array, left: Array, into: Index) -> None:
    """Add the lower triangle of `left` to the rows and columns `into` of `block`, run by run if these are few."""
    cuts = [0, *(np.flatnonzero(np.diff(into) != 1) + 1).tolist(), into.size]
    if len(cuts) > _RUNS:
        block.T[np.ix_(into, into)] += left.T  # transposed: both are column-major
        return
    spans = [(begin, end, slice(int(into[begin]), int(into[end - 1]) + 1)) for begin, end in pairwise(cuts)]
    for number, (left_begin, left_end, columns) in enumerate(spans):
        for begin, end, rows in spans[number:]:
            block[rows, columns] += left[begin:end, left_begin:left_end]


def _dissect(pattern: Matrix, widths: Index, rows: Index, above: int, pieces: list[tuple[Index, int]]) -> None:
    """Append pieces (rows, number of the piece above), each before those below it."""
    waiting = [(rows, above)]
    while waiting:
        rows, above = waiting.pop()
        order = rows[np.argsort(widths[rows], kind="stable")]
        groups = _cut(pattern[order][:, order])
        pieces.append((order[groups == 0], above))
        number = len(pieces) - 1
        sizes = np.bincount(groups)[1:]
        found = np.split(np.argsort(groups, kind="stable")[len(order) - sizes.sum() :], np.cumsum(sizes)[:-1])
        waiting += [(order[group], number) for group in _together(found)]


def _together(groups: list[Index]) -> list[Index]:
    """Return the groups, small neighbours made one: what they pass on overlaps, and is passed on once."""
    out: list[Index] = []
    for group in groups:
        if out and out[-1].size + group.size <= _TOGETHER:
            out[-1] = np.concatenate([out[-1], group])
        elif group.size:
            out.append(group)
    return out


def _cut(part: Matrix) -> Index:
    """Return for each sum, in order from the narrowest, 0 if it is set aside, else the number of its piece.

    The widest sums are set aside until the rest falls apart; then those that join nothing new come back.
    """
    size = part.shape[0]
    if size <= _TOGETHER:
        return np.zeros(size, np.intp)
    low, high = 0, size
    if _largest(part) <= _PART * size:
        low = high
    while high - low > max(1, size // 200):
        middle = (low + high) // 2
        low, high = (middle, high) if _largest(part[:middle][:, :middle]) <= _PART * size else (low, middle)
    groups = _restored(part, low)
    if (groups == 0).sum() >= _PART * size:  # nothing is gained
        return np.zeros(size, np.intp)
    return groups


def _pieces(part: Matrix) -> Index:
    """Return the number of its connected piece for each sum."""
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    found: Index = connected_components(part, directed=False)[1]
    return found


def _largest(part: Matrix) -> int:
    """Return the size of the largest connected piece."""
    return int(np.bincount(_pieces(part)).max(initial=0))


def _restored(part: Matrix, kept: int) -> Index:
    """Return the pieces, from 1, of the first `kept` sums and of those others that join only small ones; else 0."""
    found = _pieces(part[:kept][:, :kept])
    weight = np.bincount(found).tolist()
    most = min(_GROWTH * max(weight, default=0), _PART * part.shape[0])
    joined = list(range(len(weight)))
    out = np.zeros(part.shape[0], np.intp)
    out[:kept] = found + 1

    def root(piece: int) -> int:
        while joined[piece] != piece:
            joined[piece] = joined[joined[piece]]
            piece = joined[piece]
        return piece

    for row in range(kept, part.shape[0]):
        near = out[part.indices[part.indptr[row] : part.indptr[row + 1]]]
        roots = sorted({root(piece - 1) for piece in set(near[near > 0].tolist())})
        total = sum(weight[piece] for piece in roots) + 1
        if roots and total <= most:
            for piece in roots:
                joined[piece] = roots[0]
            weight[roots[0]] = total
            out[row] = roots[0] + 1
    tops = np.array([0, *(root(piece) + 1 for piece in range(len(joined)))])
    numbers: Index = np.unique(np.concatenate([[0], tops[out]]), return_inverse=True)[1][1:]
    return numbers
