"""Rounding numbers up or down so that their sums stay inside intervals, by small integer programs.

Which numbers go up is first chosen without asking for whole ones: the linear program is quick and leaves few
fractions. These are settled by an integer program of their own. Sums that then stand outside are mended one
neighbourhood after another, everything farther away held fast: an integer program over all at once may take for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.margins.model import outside

if TYPE_CHECKING:
    from synth.margins.model import Array, Index, Matrix

__all__ = ["Rounding"]

_GOLDEN = 0.6180339887498949
_FRACTION = 1e-9
"""A number this near to a whole one is taken for whole."""
_STEEPEST = 20.0
"""Most a cell may cost; the log odds of the very likely and the very unlikely are cut there."""
_PENALTY = 1000.0
"""Cost of a child outside an interval."""
<<<<<<< HEAD
_EXACT = 10.0
"""How many times dearer that is where a sum is known to the child: such sums give way last."""
=======
_EXACT = 20.0
"""How many times more it costs where the interval has no width: accounts give way last."""
>>>>>>> margins
_NARROW = 12
"""Neighbourhoods spread along sums of up to so many numbers."""
_MOST = 4000
"""Numbers in a neighbourhood, about."""
_NODES = 20
"""Nodes searched in each integer program."""
_HOPS = 6
"""Steps from the sums outside to the edge of the widest neighbourhood."""


class Rounding:
    """Numbers rounded down (`floor`) and which of them go up (`up`, 0 or 1)."""

    def __init__(self, values: Array, matrix: Matrix, low: Array, high: Array) -> None:
        from scipy.sparse import csc_array, csr_array  # noqa: PLC0415

        self._rows, self._columns, self._across = csr_array(matrix), csc_array(matrix), csr_array(matrix.T)
        self._low, self._high = low, high
        self._weight = np.where(low == high, _EXACT, 1.0)
        self._narrow = np.diff(self._rows.indptr) <= _NARROW
        self.floor = np.floor(values + _FRACTION)
        share = np.maximum(values - self.floor, 0.0)
        self._loose = share > _FRACTION
        # left to themselves, numbers go up whose share exceeds a fixed, evenly spread threshold
        spread = np.modf(_GOLDEN * np.arange(1, len(values) + 1))[0]
        self._cost = np.clip(_log_odds(spread) - _log_odds(share), -_STEEPEST, _STEEPEST)
        self.up = np.zeros(len(values))

    def excess(self) -> Array:
        """Return how far each sum lies outside its interval."""
        found = outside(self._rows @ (self.floor + self.up), self._low, self._high)
        return np.where(np.abs(found) > _FRACTION, found, 0.0)

    def run(self, rounds: int) -> None:
        """Round, then mend up to `rounds` neighbourhoods."""
        loose = np.flatnonzero(self._loose)
        if not loose.size:
            return
        self.up[loose] = np.clip(self._settle(loose, whole=False), 0.0, 1.0)
        broken = np.flatnonzero(np.abs(self.up - np.round(self.up)) > _FRACTION)
        if broken.size:
            self.up[broken] = self._settle(broken, whole=True)
        self.up = np.round(self.up)
        hops = turn = 0
        for _ in range(rounds):
            excess = self._weight * np.abs(self.excess())
            wrong = np.flatnonzero(excess)
            if not wrong.size or hops > _HOPS:
                return
            near = self._around(np.roll(wrong, -turn), hops)
            before = self.up[near].copy()
            self.up[near] = np.round(self._settle(near, whole=True))
<<<<<<< HEAD
            if (self._weight * np.abs(self.excess())).sum() < excess.sum() - _FRACTION:
=======
            if self._weight @ np.abs(self.excess()) < excess.sum() - _FRACTION:
>>>>>>> margins
                hops = turn = 0
                continue
            self.up[near] = before
            turn += 1
            if turn >= len(wrong) or turn > hops:
                hops, turn = hops + 1, 0

    def _around(self, wrong: Index, hops: int) -> Index:
        """Return numbers near the first of the sums `wrong`, and near more of them while there are few."""
        near = np.zeros(0, np.intp)
        taken = 1
        while taken <= len(wrong):
            wider = self._spread(wrong[:taken], hops)
            if near.size and wider.size > _MOST:
                break
            near, taken = wider, taken * 2
        return near

    def _spread(self, sums: Index, hops: int) -> Index:
        """Return numbers at most `hops` narrow sums away from these; where narrow ones lead no farther, any sums."""
        reached = np.unique(self._rows[sums].indices)
        for _ in range(hops):
            beside = np.unique(self._across[reached].indices)
            wider = np.union1d(reached, self._rows[beside[self._narrow[beside]]].indices)
            reached = wider if wider.size > reached.size else np.union1d(reached, self._rows[beside].indices)
        out: Index = reached[self._loose[reached]]
        return out

    def _settle(self, free: Index, *, whole: bool) -> Array:
        """Return the best `up` for the free numbers, all others held; as it was where none is found."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415
        from scipy.sparse import csr_array, eye_array, hstack  # noqa: PLC0415

        part = self._columns[:, free]
        rows = np.unique(part.indices)
        part = csr_array(part)[rows]
        rest = (self._rows[rows] @ (self.floor + self.up)) - part @ self.up[free]
        slack = eye_array(len(rows))
        found = milp(
            np.concatenate([self._cost[free], np.tile(_PENALTY * self._weight[rows], 2)]),
            integrality=np.concatenate([np.full(len(free), int(whole)), np.zeros(2 * len(rows))]),
            bounds=Bounds(0.0, np.concatenate([np.ones(len(free)), np.full(2 * len(rows), np.inf)])),
            constraints=LinearConstraint(
                hstack([part, slack, -slack], format="csc"), self._low[rows] - rest, self._high[rows] - rest
            ),
            options={"node_limit": _NODES, "mip_rel_gap": 1e-3} if whole else None,
        )
        held: Array = self.up[free]
        return held if found.x is None else found.x[: len(free)]


def _log_odds(share: Array) -> Array:
    safe = np.clip(share, _FRACTION, 1 - _FRACTION)
    odds: Array = np.log(safe / (1 - safe))
    return odds
