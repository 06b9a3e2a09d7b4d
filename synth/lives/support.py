"""Families with a plan and no child in care: in line for support, and admitted until the census-date count is met."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import day_of_year_start, last_day, quarter_day
from synth.lives.admission import Queue, admit, begins, queues
from synth.lives.draw import flagged, within
from synth.lives.newcomers import too_few_stay
from synth.lives.people import Members, members
from synth.lives.plans import N1, PlanEnds, need_draws, needs, registration, support_plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["admit_to_support"]

_LEAST_SHARE = 0.02
_ROUNDS = 4
"""How often the weight of abuse or neglect is set anew, where a target asks for a share of it."""
_SPARE = 1.08
"""A line is drawn longer by this than what has been found in it so far makes likely."""
_A_FEW = 12
_LONGEST = 400
"""Families in line for each child wanted, at the most: where hardly any plan lasts the line would have no end."""
_NOT_DRAWN = -1


def admit_to_support(book: Book, year: int, wanted: NDArray[np.int64]) -> None:
    """Admit families with a plan and no child in care, until the census-date count is met."""
    line, tilt = _Line(book, year, wanted), np.ones(len(book.homes))
    aim = _share_of_n1(book, year, wanted)
    for _ in range(_ROUNDS):
        take = line.admitted(tilt)
        if aim is None:
            break
        n1 = take & line.counted & (line.need == N1)
        found = np.bincount(line.place[n1], minlength=len(wanted)) / np.maximum(wanted, 1)
        tilt *= _odds(aim) / _odds(found)
    rows, chosen = book.add_children(line.place, line.new, line.need, take), flagged(take)
    start, ends = line.start[chosen], line.ends.only(chosen)
    book.open_plans(rows, start, ends)
    book.register(rows, start, ends.end, "support", year)


class _Line:
    """Families in line for support in a year; arrays have one entry a child, in order of authority and line.

    A line is drawn only as far as an authority has to look: who is admitted does not depend on who stands behind.
    `counted` marks the children who meet the three-month rule on 31 March.
    """

    def __init__(self, book: Book, year: int, wanted: NDArray[np.int64]) -> None:
        self._book, self._year, self._wanted = book, year, wanted
        self._length = np.zeros(len(wanted), np.int64)
        self._tilt = np.ones(len(wanted))
        none = np.zeros(0, np.int64)
        days = none.astype(np.int32)
        self.place = none
        self.new = Members(none, none.astype(np.uint64), none.astype(np.uint64), days, none.astype(np.int8))
        self.start = days
        self._u = np.zeros(0)
        self.need = none.astype(np.int8)
        self.ends = PlanEnds(days, none.astype(np.int8))
        self._lengthen(np.where(wanted > 0, wanted // 2 + _A_FEW, 1))

    @property
    def counted(self) -> NDArray[np.bool_]:
        return np.asarray((self.start <= quarter_day(self._year)) & (self.ends.end > last_day(self._year)))

    def admitted(self, tilt: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which children are admitted; `tilt` multiplies the weight of abuse or neglect in each authority."""
        wanted = self._wanted
        while True:
            self._weigh(tilt)
            family, counted = self.new.queue, self.counted
            line, missing = admit(Queue.of(self._head_place, family, counted, len(wanted)), wanted)
            if not missing.any():
                return line[family]
            found = np.bincount(self.place[counted], minlength=len(wanted))
            longer = np.ceil(_SPARE * wanted * self._length / np.maximum(found, 1)).astype(np.int64)
            longer = np.maximum(longer, self._length + self._length // 4) + _A_FEW
            if (longer > _LONGEST * (wanted + _A_FEW)).any():
                raise too_few_stay(self._book, "support", self._year)
            self._lengthen(np.where(missing > 0, longer, self._length))

    def _lengthen(self, length: NDArray[np.int64]) -> None:
        """Draw the families of each authority from where its line ends to a new length."""
        book, year = self._book, self._year
        place, family = queues(book.homes.name, year, "support", length, self._length)
        begin = within(book.streams("support entry").uniform(family), day_of_year_start(year), last_day(year))
        new = members(book.streams, book.behaviour, "support", family, begin, year)
        place, start = place[new.queue], begin[new.queue]
        u, need = need_draws(book.streams, new.family), np.full(len(place), _NOT_DRAWN, np.int8)
        ends = PlanEnds.until(start)
        self._length = length
        if len(self.place):
            place, start = np.append(self.place, place), np.append(self.start, start)
            u, need, ends = np.append(self._u, u), np.append(self.need, need), self.ends.followed_by(ends)
            new = self.new.followed_by(new)
            # Who is drawn now stands behind all others of the authority.
            order = np.argsort(place, kind="stable")
            place, start, u, need = place[order], start[order], u[order], need[order]
            ends, new = ends.only(order), new.only(order)
        head = begins(new.family)
        self._head_place = place[head]
        self.place, self.start, self._u, self.need, self.ends = place, start, u, need, ends
        self.new = replace(new, queue=np.cumsum(head) - 1)

    def _weigh(self, tilt: NDArray[np.float64]) -> None:
        """Draw needs with a tilt, and plans anew where the need is another than before."""
        streams, behaviour, year = self._book.streams, self._book.behaviour, self._year
        rows = flagged((self.need == _NOT_DRAWN) | (tilt != self._tilt)[self.place])
        self._tilt = tilt.copy()
        family, birth, start = self.new.family[rows], self.new.birth[rows], self.start[rows]
        place, u = self.place[rows], self._u[rows]
        need = needs(streams, behaviour, "support", family, birth, start, year, tilt[place], u)
        other = need != self.need[rows]
        rows, need, family, start = rows[other], need[other], family[other], start[other]
        self.need[rows] = need
        register = registration(streams, behaviour, family, need, start, "support", year)
        first_plan = np.zeros(len(rows), np.int32)
        ends = support_plan(streams, behaviour, family, first_plan, self.new.birth[rows], need, start, register, year)
        self.ends.end[rows], self.ends.because[rows] = ends.end, ends.because


def _share_of_n1(book: Book, year: int, wanted: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the share of abuse or neglect (N1) among new children that brings each authority to its target."""
    target = book.targets("need", year, "N1")
    if target is None:
        return None
    have = book.by_authority(flagged(book.counted(year) & (book.children["need"] == N1)))
    return np.asarray((target - have) / np.maximum(wanted, 1))


def _odds(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return odds, kept off nought and infinity: a year's new children are never all of one need."""
    safe = np.clip(share, _LEAST_SHARE, 1 - _LEAST_SHARE)
    return np.asarray(safe / (1 - safe))
