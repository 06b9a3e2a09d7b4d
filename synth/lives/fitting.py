"""Whole families, in the order of their line, into the room there is.

Who is admitted is what going down each line would give: a family is taken where every child of it finds room, with what
the families before it have left. All lines are gone down together, in rounds: a family is let in for certain where
there is enough beside everyone before it who may still come, and left out for certain where there is not enough beside
those already in; after a few rounds every family is one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.lives.admission import begins, run_begins
from synth.lives.draw import flagged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Budget", "fit_in", "take_in"]


@dataclass(frozen=True, slots=True)
class Budget:
    """Children of a kind that each authority has only so many places for.

    `size` has one entry a queued family: its children of the kind. `spare` has one an authority and is used up as
    families are admitted.
    """

    size: NDArray[np.int64]
    spare: NDArray[np.int64]


def fit_in(
    family: NDArray[np.int64],
    cell: NDArray[np.int64],
    families: int,
    room: NDArray[np.int64],
    most: NDArray[np.int64],
    budgets: Sequence[Budget] = (),
) -> NDArray[np.bool_]:
    """Admit families in order while every child of theirs finds room in its cell; `room` is used up in place.

    `family` (rising) and `cell` have one entry a child who would be there on 31 March; cells are numbered authority
    after authority, equally many in each, and those of a family belong to one. `most` is the largest number of children
    of each authority and is used up too, as is what each of `budgets` has to spare.
    Families without a child who would be there are not admitted.
    """
    begin = flagged(begins(family))
    line, place = family[begin], cell[begin] // (len(room) // max(len(most), 1))
    stocks = [room, most, *(budget.spare for budget in budgets)]
    # Things are counted through: room in cells, then places of each authority, then of each budget's kind.
    sizes = [np.diff(begin, append=len(family)), *(budget.size[line] for budget in budgets)]
    things = [len(room) + kind * len(most) + place for kind in range(len(sizes))]
    asks = _Asks.of(
        np.concatenate((family, *[line] * len(sizes))),
        np.concatenate((cell, *things)),
        np.concatenate((np.ones(len(cell), np.int64), *sizes)),
    )
    return _admitted(asks, families, stocks)


def take_in(
    place: NDArray[np.int64], size: NDArray[np.int64], spare: NDArray[np.int64], budgets: Sequence[Budget] = ()
) -> NDArray[np.bool_]:
    """Admit units in order while what each wants is left in its place; those that want too much are passed over.

    `spare` (one entry a place) is used up in place, as is what each of `budgets` has to spare.
    """
    sizes = [size, *(budget.size for budget in budgets)]
    unit = np.tile(np.arange(len(place)), len(sizes))
    things = [kind * len(spare) + place for kind in range(len(sizes))]
    asks = _Asks.of(unit, np.concatenate(things), np.concatenate(sizes))
    return _admitted(asks, len(place), [spare, *(budget.spare for budget in budgets)])


def _admitted(asks: _Asks, families: int, stocks: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Decide on all families that ask for something; what they are given goes from `stocks`, in place."""
    stock = np.concatenate(stocks)
    taken, waits = np.zeros(families, bool), np.zeros(families, bool)
    waits[asks.family] = True
    spare = asks.spare(stock)
    # Nobody is in yet: left out is who asks for more than there is.
    waits[asks.family[spare < 0]] = False
    while True:
        taken |= waits & ~asks.short(spare, taken | waits)
        waits &= ~taken
        if not waits.any():
            break
        waits &= ~asks.short(spare, taken)
    used, begin = asks.used(len(stock), taken), 0
    for one in stocks:
        np.subtract(one, used[begin : begin + len(one)], out=one)
        begin += len(one)
    return taken


@dataclass(frozen=True, slots=True)
class _Asks:
    """What families ask for: each row some `amount` of a `thing`, in order of thing and, within it, of family.

    `first` is the first row of the same thing.
    """

    family: NDArray[np.int64]
    thing: NDArray[np.int64]
    amount: NDArray[np.int64]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, family: NDArray[np.int64], thing: NDArray[np.int64], amount: NDArray[np.int64]) -> _Asks:
        """Put requests in order; those for the same thing stand in the order of their families already."""
        order = np.argsort(thing, kind="stable")
        family, thing, amount = family[order], thing[order], amount[order]
        # Children of one family in the same cell ask for room together.
        rows = flagged(begins(thing) | begins(family))
        family, thing = family[rows], thing[rows]
        amount = np.add.reduceat(amount, rows) if len(rows) else amount
        return cls(family, thing, amount, run_begins(thing))

    def spare(self, stock: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how much of what each row asks for others may have, if it is to be in stock for this one too."""
        return stock[self.thing] - self.amount

    def short(self, spare: NDArray[np.int64], admitted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say which families find too little of anything to `spare`, once those admitted before them have theirs."""
        taken = self.amount * admitted.take(self.family)
        before = taken.cumsum() - taken
        lacks = flagged(before - before.take(self.first) > spare)
        found = np.zeros(len(admitted), bool)
        found[self.family[lacks]] = True
        return found

    def used(self, things: int, admitted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how much of each thing goes to the families admitted."""
        return np.bincount(self.thing, np.where(admitted[self.family], self.amount, 0), things).astype(np.int64)
