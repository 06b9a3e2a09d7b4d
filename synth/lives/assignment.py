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

from synth.lives.admission import begins, foremost
from synth.lives.draw import flagged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.streams import Uniform

__all__ = ["choose_exactly", "choose_with_rest", "counts_of", "gumbel"]

_STEPS = (3, 3, 3, 3)
"""Price steps that tell the best option from the next as sharply as scores do, twice, four times, ... as sharply; any
numbers give the same totals in the end."""
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
    chosen = np.asarray(scores.argmax(axis=1), np.int64)
    if not np.isfinite(scores[np.arange(len(scores)), chosen]).all():
        raise ValueError("a row has no option that is allowed")
    off = (counts_of(chosen, group, totals) != totals).any(axis=1)
    bound = np.isfinite(scores).sum(axis=1) == 1
    rows = flagged(off[group] & ~bound)
    if len(rows):
        # Rows with one option take their place beforehand.
        totals = totals - counts_of(chosen[bound], group[bound], totals)
        # Only the groups that are off, in order, numbered without gaps.
        rows = rows[np.argsort(group[rows], kind="stable")]
        number = np.cumsum(off) - 1
        chosen[rows] = _solved(scores.take(rows, axis=0), chosen[rows], number[group[rows]], totals[off])
    return chosen


def choose_with_rest(
    scores: NDArray[np.float64], group: NDArray[np.int64], totals: NDArray[np.int64], rest: int
) -> NDArray[np.int64]:
    """Return a column for each row as `choose_exactly` does, but what other columns lack goes to the column `rest`.

    So where too few rows of a group may have an option, that which stands for no other makes up for it, and not one
    whose total could be met.
    """
    most = np.zeros_like(totals)
    np.add.at(most, group, np.isfinite(scores))
    totals = _made_up_for(most, totals, rest)
    chosen = choose_exactly(scores, group, totals)
    # What two options could each have, but not both, shows only now.
    counts = counts_of(chosen, group, totals)
    off = np.asarray((counts < totals).any(axis=1))
    if off.any():
        again = off[group]
        fewer = _made_up_for(counts, totals, rest) * off[:, None]
        chosen[again] = choose_exactly(scores[again], group[again], fewer)
    return chosen


def _made_up_for(most: NDArray[np.int64], totals: NDArray[np.int64], rest: int) -> NDArray[np.int64]:
    """Return totals none of which is above `most` but that of the column `rest`, which takes what is over."""
    found = np.minimum(totals, most)
    found[:, rest] = totals[:, rest] + (totals - found).sum(axis=1) - (totals - found)[:, rest]
    return found


def counts_of(chosen: NDArray[np.int64], group: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count how often each column is chosen in each group, in the shape of `totals`."""
    found = np.bincount(group * totals.shape[1] + chosen, minlength=totals.size)
    return np.asarray(found.reshape(totals.shape), np.int64)


def _solved(
    scores: NDArray[np.float64], liked: NDArray[np.int64], group: NDArray[np.int64], totals: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Solve groups that are off; rows are in order of group and every group has one at least or is empty.

    `liked` is the column of each row's largest score.
    """
    best = scores[np.arange(len(scores)), liked]
    prices = _prices(scores, best, group, totals).take(group, axis=0)
    chosen = np.subtract(scores, prices, out=prices).argmax(axis=1)
    exchange = _Exchange(scores, group, totals, chosen)
    exchange.settle(np.ones(len(scores), bool))
    exact = exchange.chosen.copy()
    alone = _reunited(scores, best, group, exchange.chosen)
    if alone is not None:
        exchange.settle(alone)
        # Where keeping twins together costs an exact count, they part.
        before = np.abs(counts_of(exact, group, totals) - totals).sum(axis=1)
        after = np.abs(counts_of(exchange.chosen, group, totals) - totals).sum(axis=1)
        exact = np.where((after <= before)[group], exchange.chosen, exact)
    _unburden(best - scores[np.arange(len(scores)), exact], liked, group, totals, exact)
    return exact


def _unburden(
    gain: NDArray[np.float64],
    liked: NDArray[np.int64],
    group: NDArray[np.int64],
    totals: NDArray[np.int64],
    chosen: NDArray[np.int64],
) -> None:
    """Let rows of options that have too many, and that nobody else wants, take the option they like best (in place).

    Who gains most by it comes first.
    """
    surplus = counts_of(chosen, group, totals) - totals
    rows = flagged((surplus[group, chosen] > 0) & (gain > _TIE))
    for row in rows[np.argsort(-gain[rows], kind="stable")].tolist():
        here, own, wish = group[row], chosen[row], liked[row]
        if surplus[here, own] > 0 and surplus[here, wish] >= 0:
            surplus[here, own] -= 1
            surplus[here, wish] += 1
            chosen[row] = wish


def _prices(
    scores: NDArray[np.float64], best: NDArray[np.float64], group: NDArray[np.int64], totals: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return prices of the options of each group under which about the wanted number would choose them."""
    # One row an option: what is added up over options is then added up column by column, many at a time.
    weights = np.exp(scores.T - best, order="C")
    size = np.bincount(group, minlength=len(totals))
    present = flagged(size)
    size, wanted = size[present], np.maximum(totals[present].T, 0) + 0.5
    starts = size.cumsum() - size
    price = np.zeros(wanted.shape)
    share = np.empty(weights.shape)
    for doubling, steps in enumerate(_STEPS):
        if doubling:
            np.square(weights, out=weights)
        sharpness = 2**doubling
        # Prices stay within some dozens even for millions of rows: no power leaves what a float holds.
        for _ in range(steps):
            np.multiply(weights, np.exp(-sharpness * price).repeat(size, axis=1), out=share)
            share *= 1 / share.sum(axis=0)
            price += np.log((np.add.reduceat(share, starts, axis=1) + 0.5) / wanted) / sharpness
    found = np.zeros(totals.shape)
    found[present] = price.T
    return found


def _reunited(
    scores: NDArray[np.float64], best: NDArray[np.float64], group: NDArray[np.int64], chosen: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """Put parted twins on the option most of them have (`chosen` is changed); return the rows without twins.

    None where nobody is parted.
    """
    order = np.argsort(best)
    same = flagged(best[order][1:] == best[order][:-1])
    if not len(same):
        return None
    # Rows are in order of group: those with the same best score are to be, too.
    alike = np.zeros(len(best), np.bool_)
    alike[order[same]] = alike[order[same + 1]] = True
    like = flagged(alike)
    like = like[np.argsort(best[like], kind="stable")]
    same = (best[like][1:] == best[like][:-1]) & (group[like][1:] == group[like][:-1])
    twin = np.append(same, False) | np.append(False, same)
    twins, starts = like[twin], flagged(~np.append(False, same)[twin])
    if not len(starts):
        return None
    size = np.diff(starts, append=len(twins))
    unit = np.repeat(np.arange(len(size)), size)
    votes = np.bincount(unit * scores.shape[1] + chosen[twins], minlength=len(size) * scores.shape[1])
    votes = votes.reshape(len(size), -1)
    parted = votes.max(axis=1) < size
    if not parted.any():
        return None
    # An option that is forbidden to one of them is none for all.
    votes[~np.logical_and.reduceat(np.isfinite(scores[twins]), starts, axis=0)] = 0
    common = votes.argmax(axis=1)
    joint = parted & (votes.max(axis=1) > 0)
    chosen[twins] = np.where(joint[unit], common[unit], chosen[twins])
    alone = np.ones(len(scores), bool)
    alone[twins] = False
    return alone


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Rows, what each has chosen, and the totals; `settle` moves rows along shortest chains of exchanges."""

    scores: NDArray[np.float64]
    group: NDArray[np.int64]
    totals: NDArray[np.int64]
    chosen: NDArray[np.int64]

    def settle(self, may_move: NDArray[np.bool_]) -> None:
        """Move rows until every group meets its totals or no chain leads from too many to too few.

        All groups that are not there yet move along one chain of their own at a time.
        """
        if self.totals.shape[1] == 2:  # noqa: PLR2004
            self._settle_two(may_move)
            return
        surplus = (counts_of(self.chosen, self.group, self.totals) - self.totals).T
        active = np.flatnonzero((surplus > 0).any(axis=0) & (surplus < 0).any(axis=0))
        rows = self._of(active, flagged(may_move))
        least = self._least(rows)
        while len(active):
            left = surplus.take(active, axis=1)
            cost, before = _shortest(least.take(active, axis=2), left > 0)
            reach = np.where(left < 0, cost, np.inf)
            goal = reach.argmin(axis=0)
            found = np.isfinite(reach[goal, np.arange(len(active))])
            if not found.all():
                active, goal, before = active[found], goal[found], before[:, found]
            if not len(active):
                break
            # The exchanges of all chains, from their ends: each takes a row from one option to another.
            source, exchanges, rest = goal.copy(), [], np.arange(len(active))
            while True:
                come = before[source[rest], rest]
                goes_on = flagged(come >= 0)
                if not len(goes_on):
                    break
                rest, come = rest[goes_on], come[goes_on]
                exchanges.append((active[rest], come, source[rest]))
                source[rest] = come
            self._exchange(least, rows, *map(np.concatenate, zip(*exchanges, strict=True)))
            surplus[source, active] -= 1
            surplus[goal, active] += 1
            left = surplus.take(active, axis=1)
            still = (left > 0).any(axis=0) & (left < 0).any(axis=0)
            if not still.all():
                active = active[still]
                rows = self._of(active, rows)

    def _settle_two(self, may_move: NDArray[np.bool_]) -> None:
        """Settle groups of two options: chains are single exchanges, and those who lose least by one are moved."""
        surplus = counts_of(self.chosen, self.group, self.totals) - self.totals
        number = np.minimum(surplus.max(axis=1), -surplus.min(axis=1))
        too_many = np.where(number > 0, surplus.argmax(axis=1), -1)
        rows = flagged(may_move & (self.chosen == too_many[self.group]))
        own = self.chosen[rows]
        loss = self.scores[rows, own] - self.scores[rows, 1 - own]
        moves = np.isfinite(loss) & foremost(self.group[rows], number, loss)
        self.chosen[rows[moves]] = 1 - own[moves]

    def _of(self, groups: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those rows that are of some groups."""
        wanted = np.zeros(len(self.totals), bool)
        wanted[groups] = True
        return rows[wanted[self.group[rows]]]

    def _exchange(
        self,
        least: NDArray[np.float64],
        rows: NDArray[np.int64],
        group: NDArray[np.int64],
        come: NDArray[np.int64],
        to: NDArray[np.int64],
    ) -> None:
        """Take from the option `come` of each group to the option `to` the row that loses least by it."""
        order = np.lexsort((group, come))
        group, come, to = group[order], come[order], to[order]
        number = np.full(self.totals.shape, -1)
        number[group, come] = np.arange(len(group))
        cell = self.group.take(rows) * self.totals.shape[1] + self.chosen.take(rows)
        rows = self._in_cells(rows[flagged(number.take(cell) >= 0)])
        own, number = self.chosen[rows], number[self.group[rows], self.chosen[rows]]
        scores, each = self.scores.take(rows, axis=0), np.arange(len(rows))
        loss = scores[each, own][:, None] - scores
        asked, starts = loss[each, to[number]], flagged(begins(number))
        smallest = np.minimum.reduceat(asked, starts)
        # The last one written stays: of rows that lose the same the first.
        able = flagged(asked == smallest[number])[::-1]
        moved = np.empty(len(group), np.int64)
        moved[number[able]] = able
        self.chosen[rows[moved]] = to
        loss[moved] = np.inf
        least[come, :, group] = np.minimum.reduceat(loss, starts, axis=0)
        scores = scores[moved]
        loss = scores[np.arange(len(to)), to][:, None] - scores
        least[to, :, group] = np.minimum(least[to, :, group], loss)

    def _in_cells(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put rows, which are in order of group, in order of option and group: this takes few values to sort."""
        return np.asarray(rows[np.argsort(self.chosen[rows].astype(np.uint16), kind="stable")])

    def _least(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the smallest loss of moving one of some rows from one option of a group to another."""
        groups, k = self.totals.shape
        least = np.full((k, k, groups), np.inf)
        rows = self._in_cells(rows)
        own, group = self.chosen[rows], self.group[rows]
        scores = self.scores.take(rows, axis=0)
        loss = np.subtract(scores[np.arange(len(rows)), own][:, None], scores, out=scores)
        starts = flagged(begins(own) | begins(group))
        if len(starts):
            least[own[starts], :, group[starts]] = np.minimum.reduceat(loss, starts, axis=0)
        return least


def _shortest(least: NDArray[np.float64], sources: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for every option and group the cheapest chain's cost from any source, and the option before (-1: none).

    `least` has shape (k, k, groups): the smallest loss of moving a row from one option to another. Groups come last,
    so that what is found over options is found for many groups at a time.
    """
    cost = np.where(sources, 0.0, np.inf)
    before = np.full(cost.shape, -1)
    through = np.empty(least.shape)
    # The same arrays with options and groups in one.
    costs, befores, throughs = cost.reshape(-1), before.reshape(-1), through.reshape(len(cost), -1)
    for _ in range(len(cost)):
        np.add(cost[:, None], least, out=through)
        found = throughs.min(axis=0)
        better = flagged(found < costs - _TIE)
        if not len(better):
            break
        befores[better] = throughs.take(better, axis=1).argmin(axis=0)
        costs[better] = found[better]
    return cost, before
