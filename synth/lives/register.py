"""The child protection register on 31 March, made to fit the profile's targets: conferences held sooner or later.

Where too many children would be on the register some families come off it before 31 March; where too few, some that
came off during the year stay on, and after them families known for abuse or neglect are registered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day_of_year_start, last_day
from synth.lives.book import NEVER
from synth.lives.draw import flagged, within
from synth.lives.plans import N1
from synth.lives.settling import take
from synth.working_days import next_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["settle_register"]


def settle_register(book: Book, year: int) -> None:
    """Meet the targets of children counted on 31 March who are looked after and registered, and registered only."""
    child, last = book.children, last_day(year)
    counted = book.counted(year)
    in_care = (child["care_start"] <= last) & (child["care_end"] > last)
    for name in ("both", "register"):
        wanted = book.targets("status", year, name)
        if wanted is not None:
            group = flagged(counted & (in_care if name == "both" else ~in_care))
            _Group(book, year, name, group).meet(wanted)


@dataclass(frozen=True, slots=True)
class _Group:
    """Children (by row) of one standing; households are the units that come on and off the register."""

    book: Book
    year: int
    name: str
    rows: NDArray[np.int64]

    def meet(self, wanted: NDArray[np.int64]) -> None:
        """Take households off the register or put them on until the count of each authority is `wanted`."""
        on = self._on()
        have = self.book.by_authority(self.rows[on])
        self._come_off(self.rows[on], np.maximum(have - wanted, 0))
        # Where all that are left are larger than what is over, one more comes off and others come on instead.
        on = self._on()
        have = self.book.by_authority(self.rows[on])
        over = have > wanted
        if over.any():
            self._come_off(self.rows[on], over.astype(np.int64), households=True)
            have = self.book.by_authority(self.rows[self._on()])
        self._stay_on(np.maximum(wanted - have, 0))
        have = self.book.by_authority(self.rows[self._on()])
        self._come_on(np.maximum(wanted - have, 0))

    def _registered(self, column: str) -> NDArray[np.int32]:
        """Return first day or end of each child's latest registration; a day before all others without one."""
        listed = self.book.children["registration"][self.rows]
        days, has = np.full(len(listed), NEVER), flagged(listed >= 0)
        days[has] = self.book.registrations[column][listed[has]]
        return days

    def _on(self) -> NDArray[np.bool_]:
        last = last_day(self.year)
        return np.asarray((self._registered("start") <= last) & (self._registered("end") > last))

    def _chosen(
        self, rows: NDArray[np.int64], purpose: str, wanted: NDArray[np.int64], *, households: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Choose whole households of the given children, and return the children with a uniform of their family.

        As many as have `wanted` children in each authority or fewer, or so many households.
        """
        family, place, inverse = self.book.by_household(rows)
        purposes = (f"register, {self.name}, {purpose}", f"register, {self.name}, day of {purpose}")
        u, day = self.book.streams.each(purposes, family, self.year)
        size = np.ones(len(family), np.int64) if households else np.bincount(inverse, minlength=len(family))
        chosen = take(place, size, u, wanted)[inverse]
        return rows[chosen], day[inverse][chosen]

    def _shortest(self) -> int:
        return int(self.book.behaviour.value("register.length", self.year)["shortest_days"])

    def _come_off(self, rows: NDArray[np.int64], surplus: NDArray[np.int64], *, households: bool = False) -> None:
        """End registrations before 31 March, none sooner than the shortest ones end."""
        first, last = day_of_year_start(self.year), last_day(self.year)
        listed = self.book.children["registration"]
        settled = self.book.registrations["start"][listed[rows]] + self._shortest() <= last
        rows, u = self._chosen(rows[settled], "coming off", surplus, households=households)
        begun = self.book.registrations["start"][listed[rows]]
        day = within(u, np.maximum(begun + self._shortest(), first), last)
        self.book.registrations["end"][listed[rows]] = day

    def _stay_on(self, deficit: NDArray[np.int64]) -> None:
        """Let registrations that ended in the year run on beyond 31 March, as far as the plan and custom go."""
        first, last = day_of_year_start(self.year), last_day(self.year)
        longest = int(self.book.behaviour.value("register.length", self.year)["longest_days"])
        ended, at_most = self._registered("end"), self._registered("start") + longest
        rows = self.rows[(ended >= first) & (ended <= last) & (at_most > last + 1) & self._may_go_on()]
        rows, u = self._chosen(rows, "staying on", deficit)
        listed = self.book.children["registration"][rows]
        most = np.minimum(self._latest(rows), self.book.registrations["start"][listed] + longest)
        self.book.registrations["end"][listed] = np.minimum(last + 1 + within(u, 0, self._shortest()), most)

    def _come_on(self, deficit: NDArray[np.int64]) -> None:
        """Register children known for abuse or neglect who are not on the register."""
        first, last = day_of_year_start(self.year), last_day(self.year)
        child = self.book.children
        earliest = np.maximum(np.maximum(child["plan_start"][self.rows], first), self._registered("end") + 1)
        if self.name == "both":
            earliest = np.maximum(earliest, child["care_start"][self.rows])
        free = ~self._on() & (child["need"][self.rows] == N1) & self._may_go_on() & (earliest + 7 < last)
        rows, u = self._chosen(self.rows[free], "coming on", deficit)
        place = np.full(len(child["plan_start"]), 0, np.int32)
        place[self.rows] = earliest
        begin = np.minimum(next_working_day(within(u, place[rows], last - 7)), last)
        length = within(1 - u, self._shortest(), 2 * self._shortest())
        end = np.minimum(np.maximum(begin + length, last + 1), self._latest(rows))
        child["registration"][rows] = self.book.registrations.append(child=rows, start=begin, end=end)

    def _may_go_on(self) -> NDArray[np.bool_]:
        return np.asarray(self._latest(self.rows) > last_day(self.year) + 1)

    def _latest(self, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the last day a registration may end on: with the plan, before the 18th birthday."""
        child = self.book.children
        return np.asarray(np.minimum(child["plan_end"][rows], birthday(child["birth"][rows], 18) - 1), np.int32)
