"""Moving whole children between cells of a table until its margins lie in their intervals.

Every margin cell has a cost, the squared distance of its count from the interval and a little for its distance from
the fitted sum. A move is made when it lowers the cost of all margins together, so the search ends. Moves along one
axis come first: they leave all margins without that axis alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.margins.model import Array, Index

__all__ = ["Repair"]

_NEAR = 0.2
"""Weight of the squared distance from the fitted sum, beside 1 for the squared distance from the interval."""
_LIKELY = 0.05
"""Weight of the log of the fitted cell: of two moves that mend as much, the likelier one is made."""
_GAINS = (0.5, 0.5, 1e-3)
"""Least fall of the cost asked of a move in the first sweep, how much of it in each further one, and in the last."""
_REFUSED = 300
"""Moves in a row that earlier moves have made useless, before all are looked up anew."""
_FURTHER = 2
"""Sweeps made for nearness alone once every cell is inside."""
_FEW = 60
"""Cells tried for children that come from nowhere, go nowhere or move along several axes."""


class _Side:
    """One margin: its counts, and what one child more or less in each cell would cost.

    Counts and costs stand in lists: they change one at a time, and single entries of lists are quick to reach.
    """

    def __init__(self, shape: tuple[int, ...], axes: tuple[int, ...], low: Array, high: Array) -> None:
        self.axes = axes
        lengths = np.cumprod([1, *(shape[axis] for axis in reversed(axes))])[:-1][::-1]
        self.stride = {axis: int(length) for axis, length in zip(axes, lengths, strict=True)}
        self.low, self.high = low.ravel().tolist(), high.ravel().tolist()

    def fill(self, fitted: Array, counts: Array) -> None:
        """Take the fitted sums and the counts, both in row-major order of the margin."""
        self.fitted, self.counts = fitted.ravel().tolist(), counts.ravel().astype(float).tolist()
        self.more, self.less = [0.0] * len(self.counts), [0.0] * len(self.counts)
        for cell in range(len(self.counts)):
            self.change(cell, 0)

    def change(self, cell: int, by: int) -> None:
        """Put `by` children into a cell."""
        low, high, fitted = self.low[cell], self.high[cell], self.fitted[cell]
        count = self.counts[cell] = self.counts[cell] + by
        costs = []
        for near in (count - 1, count, count + 1):
            out = low - near if near < low else near - high if near > high else 0.0
            costs.append(out * out + _NEAR * (near - fitted) ** 2)
        self.less[cell] = costs[0] - costs[1]
        self.more[cell] = costs[2] - costs[1]

    def places(self, cells: Sequence[Index]) -> Index:
        """Return where cells of the table, one array of places for each axis, stand in the margin."""
        out = np.zeros(len(cells[0]), np.intp)
        for axis in self.axes:
            out += cells[axis] * self.stride[axis]
        return out


class Repair:
    """Whole counts of a table and their margins; `run` moves children, and `counts` changes in place.

    `counts` and `fitted` have the shape of the table; each margin is the axes it keeps and its ends, inclusive.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        fitted: Array,
        margins: Sequence[tuple[tuple[int, ...], tuple[Array, Array]]],
    ) -> None:
        self.counts = counts
        self._gain = 0.0
        with np.errstate(divide="ignore"):
            self._rare = -_LIKELY * np.log(fitted)
        self._sides = []
        for axes, (low, high) in margins:
            side = _Side(counts.shape, axes, low, high)
            drop = tuple(axis for axis in range(counts.ndim) if axis not in axes)
            turn = [sorted(axes).index(axis) for axis in axes]
            side.fill(*(table.sum(axis=drop).transpose(turn) for table in (fitted, counts)))
            self._sides.append(side)

    def sums(self) -> Array:
        """Return the margin cells, margin after margin."""
        return np.array([count for side in self._sides for count in side.counts], float)

    def done(self) -> bool:
        """Say whether every margin cell lies inside its interval."""
        return all(
            low <= count <= high
            for side in self._sides
            for low, count, high in zip(side.low, side.counts, side.high, strict=True)
        )

    def run(self, sweeps: int) -> None:
        """Sweep over the axes until every cell is inside and near, nothing falls any more, or `sweeps` times."""
        self._gain, share, least = _GAINS
        further = _FURTHER * self.counts.ndim
        for _ in range(sweeps):
            moved = 0
            for axis in range(self.counts.ndim):
                moved += self._along(axis)
                if self.done():
                    further -= 1
                    if further < 0:
                        return
            if moved < _FEW:
                moved += self._anywhere()
            if not moved and self._gain == least:
                return
            self._gain = max(least, self._gain * share)

    def _along(self, axis: int) -> int:
        """Move children along one axis, the best moves first; return how many moved."""
        cells = np.nonzero(self.counts)
        ways = np.arange(self.counts.shape[axis])
        flat = np.ravel_multi_index(cells, self.counts.shape)
        step = int(np.prod(self.counts.shape[axis + 1 :], dtype=int))
        base = flat - cells[axis] * step
        fall = self._rare.ravel().take(base[:, None] + ways * step)
        fall -= self._rare.ravel().take(flat)[:, None]
        touched = [side for side in self._sides if axis in side.axes]
        own = []
        for side in touched:
            old = side.places(cells)
            start = old - cells[axis] * side.stride[axis]
            fall += np.array(side.less).take(old)[:, None]
            fall += np.array(side.more).take(start[:, None] + ways * side.stride[axis])
            own.append((old, start))
        fall[np.arange(len(flat)), cells[axis]] = np.inf
        best = fall.argmin(axis=1)
        depth = fall[np.arange(len(flat)), best]
        order = np.argsort(depth, kind="stable")
        order = order[depth[order] < -self._gain]
        best = best[order]
        moves = np.stack([flat[order], base[order] + best * step])
        sides = [np.stack([old[order], start[order] + best * side.stride[axis]]) for side, (old, start) in
                 zip(touched, own, strict=True)]  # fmt: skip
        return self._make(touched, moves, sides)

    def _make(self, touched: list[_Side], moves: Index, sides: list[Index]) -> int:
        """Make those moves that still lower the cost; return how many.

        `moves` holds the cells left and entered, two rows; `sides` the same for each touched margin.
        """
        counts, rare = self.counts.reshape(-1), self._rare.ravel()
        extra = (rare[moves[1]] - rare[moves[0]]).tolist()
        changes = [(side, *places.tolist()) for side, places in zip(touched, sides, strict=True)]
        moved, refused = 0, 0
        for row, (old, new) in enumerate(moves.T.tolist()):
            fall = extra[row]
            for side, before, after in changes:
                if before[row] != after[row]:
                    fall += side.less[before[row]] + side.more[after[row]]
            if fall >= -self._gain or counts[old] == 0:
                refused += 1
                if refused > _REFUSED:
                    break
                continue
            refused = 0
            for side, before, after in changes:
                side.change(before[row], -1)
                side.change(after[row], 1)
            counts[old] -= 1
            counts[new] += 1
            moved += 1
        return moved

    def _anywhere(self) -> int:
        """Add, take away or move children between any two cells; return how many did."""
        gain = (self._table("more") + self._rare).ravel()
        loss = np.where(self.counts > 0, self._table("less") - self._rare, np.inf).ravel()
        few = min(_FEW, gain.size)
        into, out = (np.argpartition(cost, few - 1)[:few] for cost in (gain, loss))
        into, out = into[np.argsort(gain[into], kind="stable")], out[np.argsort(loss[out], kind="stable")]
        out = out[np.isfinite(loss[out])]
        moved = sum(self._one(int(cell), 1) for cell in into) + sum(self._one(int(cell), -1) for cell in out)
        moves = np.stack([np.repeat(out, len(into)), np.tile(into, len(out))])
        sides = []
        for side in self._sides:
            places = (side.places(np.unravel_index(cells, self.counts.shape)) for cells in moves)
            sides.append(np.stack(list(places)))
        return moved + self._make(self._sides, moves, sides)

    def _one(self, cell: int, by: int) -> int:
        """Add a child to a cell, or take one away, if that lowers the cost; return 1 if it was done."""
        at = np.unravel_index([cell], self.counts.shape)
        places = [int(side.places(at)[0]) for side in self._sides]
        own = by * float(self._rare.ravel()[cell])
        fall = own + sum(
            (side.more if by > 0 else side.less)[place] for side, place in zip(self._sides, places, strict=True)
        )
        if not fall < -self._gain or self.counts.reshape(-1)[cell] + by < 0:
            return 0
        for side, place in zip(self._sides, places, strict=True):
            side.change(place, by)
        self.counts.reshape(-1)[cell] += by
        return 1

    def _table(self, which: str) -> Array:
        """Return for each cell of the table what a child more or less would cost."""
        out = np.zeros(self.counts.shape)
        for side in self._sides:
            own = np.array(getattr(side, which)).reshape([self.counts.shape[axis] for axis in side.axes])
            own = own.transpose(np.argsort(side.axes))
            out += own.reshape([size if axis in side.axes else 1 for axis, size in enumerate(self.counts.shape)])
        return out
