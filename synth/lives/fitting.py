"""Whole families, in the order of their line, into the room there is.

Who is admitted is what going down each line would give: a family is taken where every child of it finds room, with what
the families before it have left. All lines are gone down together, in rounds. A family that would fit even if every
undecided one before it were taken is taken; one that would not fit even if none of them were is not; the first
undecided one of a line is always one or the other, and mostly so are nearly all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

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
    taken = np.zeros(families, bool)
    if not len(family):
        return taken
    head = np.append(True, family[1:] != family[:-1])
    number, name = np.cumsum(head) - 1, family[head]
    place = cell[head] // (len(room) // len(most))
    limits = [Budget(np.bincount(number), most), *(Budget(budget.size[name], budget.spare) for budget in budgets)]
    lines = [_Line.of(limit, place) for limit in limits]
    admitted = _rounds([_Children.of(number, cell, room), *lines], len(name))
    taken[name[admitted]] = True
    room -= np.bincount(cell[admitted[number]], minlength=len(room))
    for limit in limits:
        limit.spare[:] -= np.bincount(place[admitted], limit.size[admitted], len(most)).astype(np.int64)
    return taken


def take_in(place: NDArray[np.int64], size: NDArray[np.int64], spare: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Admit units in order while what each wants is left in its place; those that want too much are passed over.

    `spare` (one entry a place) is used up in place.
    """
    admitted = _rounds([_Line.of(Budget(size, spare), place)], len(place))
    spare -= np.bincount(place[admitted], size[admitted], len(spare)).astype(np.int64)
    return admitted


class _Limit(Protocol):
    """Something each admitted family takes a part of."""

    def judged(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the undecided families (some more than once) that may find too little, and those that do."""
        ...

    def after(self, taken: NDArray[np.bool_], open_: NDArray[np.bool_]) -> _Limit:
        """Return the limit for families still open, with what those now taken leave them."""
        ...


def _rounds(limits: Sequence[_Limit], families: int) -> NDArray[np.bool_]:
    """Decide on all families, round by round; return who is admitted."""
    admitted, open_ = np.zeros(families, bool), np.ones(families, bool)
    while open_.any():
        fits, fails = open_.copy(), np.zeros(families, bool)
        for limit in limits:
            unsure, never = limit.judged()
            fits[unsure] = False
            fails[never] = True
        admitted |= fits
        open_ &= ~(fits | fails)
        limits = [limit.after(fits, open_) for limit in limits]
    return admitted


@dataclass(frozen=True, slots=True)
class _Children:
    """Undecided children, cell after cell and in each in the order of the line.

    `family` is each one's, `left` the room of its cell that nobody admitted before it has taken, `own` how many of its
    family, it included, want room there up to it.
    """

    family: NDArray[np.int64]
    cell: NDArray[np.int64]
    left: NDArray[np.int64]
    own: NDArray[np.int64]

    @classmethod
    def of(cls, family: NDArray[np.int64], cell: NDArray[np.int64], room: NDArray[np.int64]) -> _Children:
        """Take all children as undecided; `family` rises."""
        order = np.argsort(cell, kind="stable")
        family, cell = family[order], cell[order]
        fresh = np.append(True, (cell[1:] != cell[:-1]) | (family[1:] != family[:-1]))
        own = _since(fresh, np.ones(len(cell), np.int64))
        return cls(family, cell, room[cell], own)

    def judged(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the families that may not find room in some cell, and those that will not."""
        before = _since(_fresh(self.cell), np.ones(len(self.cell), np.int64))
        return self.family[before > self.left], self.family[self.own > self.left]

    def after(self, taken: NDArray[np.bool_], open_: NDArray[np.bool_]) -> _Children:
        """Return the children of families still open, with what those now taken leave them."""
        left = self.left - _since(_fresh(self.cell), taken[self.family].astype(np.int64))
        rows = np.flatnonzero(open_[self.family])
        return _Children(self.family[rows], self.cell[rows], left[rows], self.own[rows])


@dataclass(frozen=True, slots=True)
class _Line:
    """Undecided families, authority after authority, and what each wants of a budget.

    `left` is what those admitted before it have not used up of its authority's.
    """

    family: NDArray[np.int64]
    place: NDArray[np.int64]
    size: NDArray[np.int64]
    left: NDArray[np.int64]

    @classmethod
    def of(cls, budget: Budget, place: NDArray[np.int64]) -> _Line:
        """Take all families as undecided."""
        order = np.argsort(place, kind="stable")
        place = place[order]
        return cls(order, place, budget.size[order], budget.spare[place])

    def judged(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the families for which there may not be enough, and those for which there is not."""
        wanted = _since(_fresh(self.place), self.size)
        return self.family[wanted > self.left], self.family[self.size > self.left]

    def after(self, taken: NDArray[np.bool_], open_: NDArray[np.bool_]) -> _Line:
        """Return the families still open, with what those now taken leave them."""
        left = self.left - _since(_fresh(self.place), np.where(taken[self.family], self.size, 0))
        rows = np.flatnonzero(open_[self.family])
        return _Line(self.family[rows], self.place[rows], self.size[rows], left[rows])


def _fresh(group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say where a group begins; those of a group stand together."""
    return np.append(np.ones(min(len(group), 1), bool), group[1:] != group[:-1])


def _since(fresh: NDArray[np.bool_], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return running sums that begin anew where `fresh` says so."""
    running = np.cumsum(values)
    begin = np.flatnonzero(fresh)
    before = running[begin] - values[begin]
    return running - np.repeat(before, np.diff(np.append(begin, len(values))))
