"""Children with three or more placements in a year: a move more, or one that does not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import last_day
from synth.lives.assignment import choose_exactly, gumbel
from synth.lives.draw import choose, flagged, within
from synth.lives.placements import OPEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.lives.absences import Absences
    from synth.lives.goals import Totals
    from synth.lives.placements import Filling

__all__ = ["align_moves"]

MANY = 3
"""Placements in a year that the published measure counts from."""
_UNASKED = 8.0
"""What a change made for the count alone costs, in logarithms: more than any that a child's own draws suggest."""
_APART = 4
"""Days between two moves made here, at least."""


def counted(
    filling: Filling, rows: NDArray[np.int64], child: NDArray[np.int64], end: Days, year: int
) -> NDArray[np.int64]:
    """Count each child's placements in the year, as published: the one on 1 April and every one begun since.

    `rows` are all periods that touch the year; the counts have one entry for each number in `child`.
    """
    since = last_day(year - 1)
    book = filling.book
    begun = flagged(book["start"] > since)
    begun = begun[~book["undone"][begun] & (book["start"][begun] < end[book["period"][begun]])]
    first = rows[filling.chances.who.entry[rows] <= since]
    every = np.concatenate((child[first], child[book["period"][begun]]))
    return np.bincount(every, minlength=int(child.max(initial=0)) + 1)


def align_moves(
    filling: Filling,
    absences: Absences,
    rows: NDArray[np.int64],
    stock: NDArray[np.int64],
    place: NDArray[np.int64],
    child: NDArray[np.int64],
    end: Days,
    totals: Totals,
    year: int,
) -> None:
    """Let just so many of the children in care on 31 March have three or more placements in the year.

    `rows` are the periods that touch the year, `stock` those open on its last day, filled up to it.
    """
    chances, since, day = filling.chances, last_day(year - 1), last_day(year)
    counts = counted(filling, rows, child, end, year)
    here = stock[totals.known[place[stock]]]
    number = counts[child[here]]
    many = number >= MANY
    goal = totals.counts[:, 0]
    there = np.bincount(place[here], minlength=len(goal))
    both = np.stack((there - goal, goal), axis=1)
    if (np.bincount(place[here], many, minlength=len(goal)) == goal)[totals.known].all():
        return
    # A move more: within the year, after a spell away is over, and not just before the period's end.
    more = np.maximum(MANY - number, 0)
    soonest = np.maximum(np.maximum(filling.book["start"][filling.current[here]], since), absences.ends(here)) + _APART
    latest = np.minimum(day, chances.until[here] - chances.least(here).astype(np.int64)) - _APART * (more - 1)
    latest = np.minimum(latest, filling.at[here] - _APART)
    can_add = ~many & ~filling.given[here] & (latest >= soonest)
    # A move less: the stay before goes on, and may be of another kind, since no earlier year has shown it.
    can_drop = many & ~filling.given[here]
    can_drop[can_drop] = _begun_before(filling, here[can_drop], number[can_drop] - MANY + 1, since)
    unlikely = np.log(chances.means(here, np.full(len(here), day, np.int32), np.ones(len(here), np.int64)) / 365)
    stream = chances.streams("number of placements, aligned")
    noise = gumbel(stream.uniform(chances.key[here][:, None], year, np.arange(2)))
    own = np.where(many, 1, 0)
    score = -_UNASKED - np.where(many, -unlikely, unlikely * more) + noise[:, 0]
    scores = np.full((len(here), 2), -np.inf)
    other = can_add | can_drop
    scores[other, 1 - own[other]] = np.minimum(score[other], -1.0)
    scores[np.arange(len(here)), own] = 0.0
    chosen = choose_exactly(scores + noise[:, 1:], place[here], both)
    drop = (chosen == 0) & many
    surplus = np.where(drop, number - MANY + 1, 0)
    for round_ in range(int(surplus.max(initial=0))):
        filling.take_back(here[surplus > round_], since + 1)
    add = (chosen == 1) & ~many
    _move_again(filling, here[add], soonest[add], latest[add], more[add], year)


def _begun_before(filling: Filling, rows: NDArray[np.int64], less: NDArray[np.int64], since: int) -> NDArray[np.bool_]:
    """Say where the stay `less` stays before the latest is one of the period, begun in the year."""
    book = filling.book
    stay = filling.current[rows]
    for step in range(int(less.max(initial=0))):
        stay = np.where((less > step) & (stay >= 0), book["before"][stay], stay)
    return np.asarray((stay >= 0) & (book["start"][stay] > since))


def _move_again(
    filling: Filling,
    rows: NDArray[np.int64],
    soonest: NDArray[np.int64],
    latest: NDArray[np.int64],
    more: NDArray[np.int64],
    year: int,
) -> None:
    """Break the latest stay of each period by one or two moves; the last part is left OPEN."""
    chances = filling.chances
    stop = filling.at[rows].copy()
    for step in range(int(more.max(initial=0))):
        going = more > step
        here, first, until = rows[going], soonest[going], stop[going]
        u = chances.uniform("day of another move", here, year, step)
        # Two moves share the time there is.
        last = np.where(more[going] - step > 1, (first + latest[going]) // 2, latest[going])
        day = within(u, first, np.maximum(first, last)).astype(np.int32)
        held = flagged(filling.book["kind"][filling.current[here]] == OPEN)
        chosen = here[held]
        start = filling.book["start"][filling.current[chosen]]
        filling.at[chosen] = day[held]
        kind = choose(
            chances.uniform("kind of placement", chosen, start),
            chances.kinds(chosen, start, day[held], filling.kind[chosen], first=filling.steps[chosen] == 1),
        )
        at = day[held]
        location = choose(chances.uniform("location", chosen, start), chances.locations(chosen, kind, start))
        filling.settle(chosen, kind, location)
        filling.at[chosen] = at
        filling.book["planned"][filling.current[chosen]] = at
        filling.begin(here, day, until)
        soonest[going] = day + _APART
        latest[going] += _APART
