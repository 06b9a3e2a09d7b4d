"""Moving whole children between cells of a table until its margins lie in their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.margins.model import Array

__all__ = ["Repair"]

_NEAR = 0.02
"""Weight of the squared distance from the fitted sum, beside 1 for the squared distance from the interval."""
_LIKELY = 0.05
"""Weight of the log of the fitted cell: of two moves that mend as much, the likelier one is made."""
_GAIN = 1e-6
"""Least fall of the cost that counts as one."""
_GAINS = (0.5, 0.5)
"""Least fall asked of a move in the first sweep, and how much of it in each further one: big gains first."""


class _Side:
    """One margin: its counts, and what one child more or less in each cell would cost."""

    def __init__(self, axes: tuple[int, ...], low: Array, high: Array, fitted: Array, counts: Array) -> None:
        self.axes = axes
        self.low, self.high, self.fitted, self.counts = low, high, fitted, counts.astype(float)
        self.more = self.cost(self.counts + 1) - self.cost(self.counts)
        self.less = self.cost(self.counts - 1) - self.cost(self.counts)

    def cost(self, counts: Array) -> Array:
        """Return the cost of counts, one for each cell."""
        out: Array = np.maximum(np.maximum(self.low - counts, counts - self.high), 0.0)
        return out * out + _NEAR * (counts - self.fitted) ** 2

    def change(self, cell: tuple[int, ...], by: int) -> None:
        """Put `by` children into a cell."""
        low, high, fitted = self.low[cell], self.high[cell], self.fitted[cell]
        count = self.counts[cell] = self.counts[cell] + by
        costs = []
        for near in (count - 1, count, count + 1):
            out = max(low - near, near - high, 0.0)
            costs.append(out * out + _NEAR * (near - fitted) ** 2)
        self.less[cell] = costs[0] - costs[1]
        self.more[cell] = costs[2] - costs[1]


class Repair:
    """Whole counts that are moved towards their intervals; `counts` is changed in place."""

    def __init__(
        self,
        counts: NDArray[np.int64],
        fitted: Array,
        margins: Sequence[tuple[tuple[int, ...], tuple[Array, Array]]],
    ) -> None:
        self.counts = counts
        self._gain = _GAIN
        with np.errstate(divide="ignore"):
            self._rare = -_LIKELY * np.log(fitted)
        self._sides = []
        for axes, (low, high) in margins:
            drop = tuple(axis for axis in range(counts.ndim) if axis not in axes)
            turn = [sorted(axes).index(axis) for axis in axes]
            sums = (table.sum(axis=drop).transpose(turn) for table in (fitted, counts))
            self._sides.append(_Side(axes, np.maximum(low, 0.0), high, *sums))

    def sums(self) -> Array:
        """Return the margin cells, margin after margin."""
        return np.concatenate([np.zeros(0), *(side.counts.ravel() for side in self._sides)])

    def run(self, sweeps: int) -> None:
        """Sweep until nothing falls any more, or `sweeps` times."""
        for sweep in range(sweeps):
            self._gain = max(_GAIN, _GAINS[0] * _GAINS[1] ** sweep)
            moved = 0
            for axis in range(self.counts.ndim):
                moved += self._along(axis)
                if self.outside() == 0:
                    return
            moved += self._anywhere()
            if not moved and self._gain == _GAIN:
                return

    def outside(self) -> int:
        """Return how many margin cells lie outside their interval."""
        return sum(int(((side.counts < side.low) | (side.counts > side.high)).sum()) for side in self._sides)

    def _along(self, axis: int) -> int:
        """Move children along one axis, the best moves first; return how many moved."""
        cells = np.nonzero(self.counts)
        size = self.counts.shape[axis]
        fall = np.zeros((len(cells[0]), size))
        targets = np.arange(size)[None, :]
        open_cells = [targets if other == axis else cell[:, None] for other, cell in enumerate(cells)]
        for side in self._sides:
            if axis in side.axes:
                fall += side.less[tuple(cells[other] for other in side.axes)][:, None]
                fall += side.more[tuple(open_cells[other] for other in side.axes)]
        fall += self._rare[tuple(open_cells)] - self._rare[cells][:, None]
        fall[np.arange(len(fall)), cells[axis]] = np.inf
        best = fall.argmin(axis=1)
        depth = fall[np.arange(len(fall)), best]
        moved = 0
        for row in np.argsort(depth, kind="stable"):
            if depth[row] >= -self._gain:
                break
            old = tuple(int(cell[row]) for cell in cells)
            new = (*old[:axis], int(best[row]), *old[axis + 1 :])
            moved += self._move(old, new)
        return moved

    def _anywhere(self, few: int = 60) -> int:
        """Add, take away or move a child between any two cells; return how many moves were made."""
        moved = 0
        gain = self._table("more") + self._rare
        loss = np.where(self.counts > 0, self._table("less") - self._rare, np.inf)
        into = [self._cell(at) for at in np.argsort(gain, axis=None, kind="stable")[:few]]
        out = [self._cell(at) for at in np.argsort(loss, axis=None, kind="stable")[:few]]
        for new in into:
            moved += self._move(None, new)
        for old in out:
            moved += self._move(old, None)
        for old, new in zip(out, into, strict=False):
            moved += self._move(old, new)
        return moved

    def _cell(self, flat: np.intp) -> tuple[int, ...]:
        return tuple(int(at) for at in np.unravel_index(flat, self.counts.shape))

    def _table(self, which: str) -> Array:
        """Return for each cell of the table what a child more or less would cost."""
        out = np.zeros(self.counts.shape)
        for side in self._sides:
            own = getattr(side, which).transpose(np.argsort(side.axes))
            out += own.reshape([size if axis in side.axes else 1 for axis, size in enumerate(self.counts.shape)])
        return out

    def _move(self, old: tuple[int, ...] | None, new: tuple[int, ...] | None) -> int:
        """Move one child if that lowers the cost; `None` is outside the table. Return 1 if it moved."""
        if old is not None and self.counts[old] <= 0:
            return 0
        fall = (self._rare[new] if new else 0.0) - (self._rare[old] if old else 0.0)
        steps = []
        for side in self._sides:
            before = tuple(old[axis] for axis in side.axes) if old else None
            after = tuple(new[axis] for axis in side.axes) if new else None
            if before != after:
                fall += (side.less[before] if before is not None else 0.0) + (
                    side.more[after] if after is not None else 0.0
                )
                steps.append((side, before, after))
        if not fall < -self._gain:
            return 0
        for side, before, after in steps:
            if before is not None:
                side.change(before, -1)
            if after is not None:
                side.change(after, 1)
        if old is not None:
            self.counts[old] -= 1
        if new is not None:
            self.counts[new] += 1
        return 1
