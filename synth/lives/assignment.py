"""Choosing one option for each of many rows so that the options add up to given totals, group by group.

Scores are log weights plus Gumbel noise. Taking the largest score of each row is an ordinary weighted draw; taking the
largest sum of scores under the totals is the same draw held to them. The sum is maximised exactly: prices on the
options bring the counts near, then single rows are moved along shortest chains of exchanges, each from an option
that has too many to one that has too few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.streams import Uniform

__all__ = ["choose_exactly", "gumbel"]

_SHARPNESS = (1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8)
"""How sharply each price step tells the best option from the next; any values give the same totals in the end."""
_TIE = 1e-9
"""Chains that are better by less than this are not better: rounding must not close a circle of exchanges."""


def gumbel(u: Uniform) -> NDArray[np.float64]:
    """Return standard Gumbel quantiles: noise that turns taking the largest log weight into a weighted draw."""
    return np.asarray(-np.log(-np.log(u)), dtype=np.float64)


def choose_exactly(
    scores: NDArray[np.float64], group: NDArray[np.int64], totals: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return a column for each row, so that each group's columns are chosen `totals` times, at the largest sum.

    `scores` has shape (n, k), -inf where an option is forbidden; `group` (n,) indexes the rows of `totals`, shape
    (groups, k). Where a group's totals cannot all be met, or do not add up to its rows, the sum of differences is as
    small as it can be. A group that meets its totals by taking the largest scores is left at them. Rows of one
    group with the same largest score (brothers and sisters who share their draws) get the same column where rows
    without such twins can make the counts right. Raises ValueError where a row has no option.
    """
    if not len(scores):
        return np.zeros(0, np.int64)
    if not np.isfinite(scores.max(axis=1)).all():
        raise ValueError("a row has no option that is allowed")
    chosen = np.asarray(scores.argmax(axis=1), np.int64)
    off = (_counts(chosen, group, totals) != totals).any(axis=1)
    bound = np.isfinite(scores).sum(axis=1) == 1
    rows = np.flatnonzero(off[group] & ~bound)
    if len(rows):
        # Rows with one option take their place beforehand.
        totals = totals - _counts(chosen[bound], group[bound], totals)
        # Only the groups that are off, in order, numbered without gaps.
        rows = rows[np.argsort(group[rows], kind="stable")]
        number = np.cumsum(off) - 1
        chosen[rows] = _solved(scores[rows], number[group[rows]], totals[off])
    return chosen


def _counts(chosen: NDArray[np.int64], group: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count how often each column is chosen in each group, in the shape of `totals`."""
    found = np.bincount(group * totals.shape[1] + chosen, minlength=totals.size)
    return np.asarray(found.reshape(totals.shape), np.int64)


def _solved(scores: NDArray[np.float64], group: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Solve groups that are off; rows are in order of group and every group has one at least or is empty."""
    chosen = np.asarray((scores - _prices(scores, group, totals)[group]).argmax(axis=1), np.int64)
    exchange = _Exchange(scores, group, totals, chosen)
    exchange.settle(np.ones(len(scores), bool))
    exact = exchange.chosen.copy()
    alone = _reunited(scores, group, exchange.chosen)
    if alone is not None:
        exchange.settle(alone)
        # Where keeping twins together costs an exact count, they part.
        before = np.abs(_counts(exact, group, totals) - totals).sum(axis=1)
        after = np.abs(_counts(exchange.chosen, group, totals) - totals).sum(axis=1)
        exact = np.where((after <= before)[group], exchange.chosen, exact)
    _unburden(scores, group, totals, exact)
    return exact


def _unburden(
    scores: NDArray[np.float64], group: NDArray[np.int64], totals: NDArray[np.int64], chosen: NDArray[np.int64]
) -> None:
    """Let rows of options that have too many, and that nobody else wants, take the option they like best (in place)."""
    surplus = _counts(chosen, group, totals) - totals
    gain = scores.max(axis=1) - scores[np.arange(len(scores)), chosen]
    rows = np.flatnonzero((surplus[group, chosen] > 0) & (gain > _TIE))
    for row in rows[np.argsort(-gain[rows], kind="stable")].tolist():
        here, own, best = group[row], chosen[row], int(scores[row].argmax())
        if surplus[here, own] > 0 and surplus[here, best] >= 0:
            surplus[here, own] -= 1
            surplus[here, best] += 1
            chosen[row] = best


def _prices(scores: NDArray[np.float64], group: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return prices of the options of each group under which about the wanted number would choose them."""
    price = np.zeros(totals.shape)
    present = np.unique(group)
    starts = np.searchsorted(group, present)
    for sharpness in _SHARPNESS:
        worth = sharpness * (scores - price[group])
        share = np.exp(worth - worth.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        expected = np.zeros(totals.shape)
        expected[present] = np.add.reduceat(share, starts, axis=0)
        price += np.log((expected + 0.5) / (np.maximum(totals, 0) + 0.5)) / sharpness
    return price


def _reunited(
    scores: NDArray[np.float64], group: NDArray[np.int64], chosen: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """Put parted twins on the option most of them have (`chosen` is changed); return the rows without twins.

    None where nobody is parted.
    """
    best = scores.max(axis=1)
    order = np.lexsort((best, group))
    same = (group[order][1:] == group[order][:-1]) & (best[order][1:] == best[order][:-1])
    unit = np.empty(len(order), np.int64)
    unit[order] = np.concatenate(([0], np.cumsum(~same)))
    size = np.bincount(unit)
    k = scores.shape[1]
    twins = np.flatnonzero(size[unit] > 1)
    votes = np.zeros((len(size), k), np.int64)
    np.add.at(votes, (unit[twins], chosen[twins]), 1)
    parted = (votes > 0).sum(axis=1) > 1
    if not parted.any():
        return None
    # An option that is forbidden to one of them is none for all.
    allowed = np.ones((len(size), k), bool)
    np.logical_and.at(allowed, unit[twins], np.isfinite(scores[twins]))
    common = np.where(allowed, votes, -1).argmax(axis=1)
    joint = parted & (np.take_along_axis(np.where(allowed, votes, 0), common[:, None], 1)[:, 0] > 0)
    moved = twins[joint[unit[twins]]]
    chosen[moved] = common[unit[moved]]
    return np.asarray(size[unit] == 1)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Rows, what each has chosen, and the totals; `settle` moves rows along shortest chains of exchanges."""

    scores: NDArray[np.float64]
    group: NDArray[np.int64]
    totals: NDArray[np.int64]
    chosen: NDArray[np.int64]

    def settle(self, may_move: NDArray[np.bool_]) -> None:
        """Move rows until every group meets its totals or no chain leads from too many to too few."""
        k = self.totals.shape[1]
        surplus = _counts(self.chosen, self.group, self.totals) - self.totals
        active = np.asarray((surplus > 0).any(axis=1) & (surplus < 0).any(axis=1))
        while active.any():
            rows = np.flatnonzero(active[self.group] & may_move)
            if not len(rows):
                return
            number = np.cumsum(active) - 1
            segment = number[self.group[rows]] * k + self.chosen[rows]
            order = np.argsort(segment, kind="stable")
            rows, segment = rows[order], segment[order]
            scores = self.scores[rows]
            loss = scores[np.arange(len(rows)), self.chosen[rows]][:, None] - scores
            starts = np.flatnonzero(np.append(True, segment[1:] != segment[:-1]))
            least = np.full((int(active.sum()) * k, k), np.inf)
            least[segment[starts]] = np.minimum.reduceat(loss, starts, axis=0)
            least = least.reshape(-1, k, k)
            bounds = np.searchsorted(segment, np.arange(len(least) * k + 1))
            cost, before = _shortest(least, surplus[active] > 0)
            reach = np.where(surplus[active] < 0, cost, np.inf)
            goal = reach.argmin(axis=1)
            for n, here in enumerate(np.flatnonzero(active)):
                if not np.isfinite(reach[n, goal[n]]):
                    active[here] = False
                    continue
                to = int(goal[n])
                surplus[here, to] += 1
                while (come := int(before[n, to])) >= 0:
                    first, last = bounds[n * k + come], bounds[n * k + come + 1]
                    self.chosen[rows[first + int(loss[first:last, to].argmin())]] = to
                    to = come
                surplus[here, to] -= 1
                active[here] = bool((surplus[here] > 0).any() and (surplus[here] < 0).any())


def _shortest(least: NDArray[np.float64], sources: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for every group and option the cheapest chain's cost from any source, and the option before (-1: none).

    `least` has shape (groups, k, k): the smallest loss of moving a row from one option to another.
    """
    cost = np.where(sources, 0.0, np.inf)
    before = np.full(cost.shape, -1)
    for _ in range(least.shape[1]):
        through = cost[:, :, None] + least
        found = through.min(axis=1)
        better = found < cost - _TIE
        if not better.any():
            break
        cost = np.where(better, found, cost)
        before = np.where(better, through.argmin(axis=1), before)
    return cost, before
