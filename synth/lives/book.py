"""The state of all children between two years, and how spells are written into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import birthday, day_of_year_start, last_day, quarter_day
from synth.lives.admission import begins, numbered
from synth.lives.courts import Courts
from synth.lives.draw import among, flagged, within
from synth.lives.ledger import Ledger
from synth.lives.people import ethnicity
from synth.lives.periods import DESTINATIONS, Entrants, adoption_clock, deciders
from synth.lives.plans import (
    PlanEnds,
    aftercare_end,
    registration,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.homes import Homes
    from synth.lives.people import Members
    from synth.lives.streams import Streams

__all__ = ["HOME", "NEVER", "Book"]

NEVER = np.int32(-(10**9))
"""A day before all others: no such spell yet."""

HOME = DESTINATIONS.index("home")
_ADOPTION = DESTINATIONS.index("adoption")
_FINAL = among((DESTINATIONS.index(name) for name in ("adoption", "died", "transfer")), DESTINATIONS)


class Book:
    """The state of all children between two years; the steps of a year are in `known` and `newcomers`.

    `order_due` and `placed` are the days of the placement order and of the placement for adoption, where adoption is
    where a period leads; `placings` lists the placements moved since they were drawn, and the year they were moved in.

    A child's `place` is the index of its home authority in `homes`; arrays with one entry an authority follow that
    order. A child's `serial` is its number among all its authority has ever known, `known` how many those are.
    """

    def __init__(self, streams: Streams, behaviour: Behaviour, homes: Homes) -> None:
        self.streams, self.behaviour, self.homes = streams, behaviour, homes
        self.children = Ledger(
            place=np.int16,
            name=np.uint64,
            family=np.uint64,
            household=np.int64,
            serial=np.int32,
            birth=np.int32,
            sex=np.int8,
            ethnic=np.int8,
            need=np.int8,
            unaccompanied=np.bool_,
            short_breaks=np.bool_,
            gone=np.bool_,
            plan=np.int64,
            plan_number=np.int32,
            plan_start=np.int32,
            plan_end=np.int32,
            care_number=np.int32,
            care_start=np.int32,
            care_end=np.int32,
            went=np.int8,
            period=np.int64,
            order_due=np.int32,
            placed=np.int32,
            registration=np.int64,
        )
        self.households = 0
        self.known = np.zeros(len(homes), np.int64)
        self.plans = Ledger(child=np.int64, start=np.int32, end=np.int32, ends_because=np.int8)
        self.periods = Ledger(
            child=np.int64,
            number=np.int32,
            lead=np.uint64,
            lead_birth=np.int32,
            start=np.int32,
            end=np.int32,
            destination=np.int8,
            drawn_end=np.int32,
            early=np.bool_,
            instead=np.int8,
            under=np.int8,
        )
        self.placings = Ledger(period=np.int64, year=np.int32, placed=np.int32)
        self.registrations = Ledger(child=np.int64, start=np.int32, end=np.int32)
        self.courts = Courts(streams, behaviour)
        self.series = Ledger(child=np.int64, start=np.int32, end=np.int32)

    def levels(self, kind: str, year: int) -> NDArray[np.int64]:
        """Return the profile's level of each place."""
        return self.homes.each(lambda code: self.behaviour.profile.level(kind, code, year))

    def targets(self, table: str, year: int, *cells: str) -> NDArray[np.int64] | None:
        """Return the children of each authority the profile aims at in some cells of a table together, or None."""
        found = self.behaviour.targets(table, year, self.homes)
        if found is None:
            return None
        names = self.behaviour.profile.cells_of(table, year)
        return np.asarray(found[:, [names.index(cell) for cell in cells]].sum(axis=1))

    def by_authority(self, children: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count children (by row) in each authority."""
        return np.bincount(self.children["place"][children], minlength=len(self.homes))

    def in_care(self, year: int) -> NDArray[np.int64]:
        """Return the children (by row) in care on 31 March of `year`, so far."""
        found = self._in_care(year)
        found.sort()
        return found

    def _in_care(self, year: int) -> NDArray[np.int64]:
        """Return them in the order in which their periods were written: these are far fewer than children."""
        periods, last = self.periods, last_day(year)
        return np.asarray(periods["child"][flagged((periods["start"] <= last) & (periods["end"] > last))])

    def started(self, year: int) -> NDArray[np.int64]:
        """Return the children (by row) who came into care in `year` or since, by the last time each did."""
        return flagged(self.children["care_start"] >= day_of_year_start(year))

    def looked_after(self, year: int) -> NDArray[np.int64]:
        """Count children in care on 31 March of `year`, so far."""
        return self.by_authority(self._in_care(year))

    def supported(self, year: int) -> NDArray[np.int64]:
        """Count children whose plan meets the three-month rule of the census date."""
        return self.by_authority(flagged(self.counted(year)))

    def counted(self, year: int) -> NDArray[np.bool_]:
        """Say of every child whether its plan meets the three-month rule of the census date."""
        child = self.children
        return np.asarray((child["plan_start"] <= quarter_day(year)) & (child["plan_end"] > last_day(year)))

    def rounded(self, level: NDArray[np.floating[Any]], purpose: str, year: int) -> NDArray[np.int64]:
        """Round small levels up or down by an authority's own draw, so that they add up on average."""
        return np.floor(level + self.streams(purpose).uniform(self.homes.name, year)).astype(np.int64)

    def add_children(
        self,
        place: NDArray[np.int64],
        new: Members,
        need: NDArray[np.int8],
        take: NDArray[np.bool_],
        *,
        ethnic: NDArray[np.int8] | None = None,
        unaccompanied: bool = False,
        short_breaks: bool = False,
    ) -> NDArray[np.int64]:
        """Write the admitted children of a queue and return their rows; `take` has one entry a queued child.

        Without `ethnic` (index into ETHNICITIES) the ethnic group is drawn.
        """
        chosen = flagged(take)
        place, named = place[chosen], new.family[chosen]
        first = begins(new.queue[chosen])
        member = np.cumsum(first) - 1
        if ethnic is None:
            # Brothers and sisters share a group.
            order, families = self.homes.order[place[first]], named[first]
            alone = np.full(len(families), unaccompanied)
            ethnic = ethnicity(self.streams, self.behaviour, order, families, alone)[member]
        else:
            ethnic = ethnic[chosen]
        household = self.households + member
        self.households += int(first.sum())
        serial = self.known[place] + numbered(place)
        self.known += np.bincount(place, minlength=len(self.known))
        return self.children.append(
            place=place, name=new.name[chosen], family=named, household=household, serial=serial,
            birth=new.birth[chosen],
            sex=new.sex[chosen], ethnic=ethnic, need=need[chosen], unaccompanied=unaccompanied,
            short_breaks=short_breaks, gone=False,
            plan=-1, plan_number=-1, plan_start=NEVER, plan_end=NEVER, care_number=0, care_start=NEVER,
            care_end=NEVER, went=-1, period=-1, order_due=NEVER, placed=NEVER,
            registration=-1,
        )  # fmt: skip

    def households_of(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say which households (by number) have a child that is flagged; `flags` has one entry a child."""
        found = np.zeros(self.households, bool)
        found[self.children["household"][flagged(flags)]] = True
        return found

    def status(self, rows: NDArray[np.int64], day: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the legal status (index into STATUSES) of children in care (by row) on a day, as drawn on entry."""
        return self.courts.paths(self.children, self.periods, self.children["period"][rows]).at(day)

    def by_household(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        """Group children (by rising row): each household's name and authority, and each child's place among them.

        Children of a household are written together, so they stand one after another.
        """
        first = begins(self.children["household"].take(rows))
        heads = rows.take(flagged(first))
        return self.children["family"][heads], self.children["place"][heads].astype(np.int64), first.cumsum() - 1

    def open_plans(self, rows: NDArray[np.int64], start: NDArray[np.int32], ends: PlanEnds) -> None:
        """Begin a plan for each child (by row)."""
        child = self.children
        child["plan"][rows] = self.plans.append(child=rows, start=start, end=ends.end, ends_because=ends.because)
        child["plan_number"][rows] += 1
        child["plan_start"][rows] = start
        child["plan_end"][rows] = ends.end

    def end_plans(self, rows: NDArray[np.int64], ends: PlanEnds) -> None:
        """Set anew when and why the latest plan of each child (by row) ends; no registration outlasts it."""
        child = self.children
        listed = child["registration"][rows]
        has = listed >= 0
        stop = self.registrations["end"]
        stop[listed[has]] = np.minimum(stop[listed[has]], ends.end[has])
        child["plan_end"][rows] = ends.end
        self.plans["end"][child["plan"][rows]] = ends.end
        self.plans["ends_because"][child["plan"][rows]] = ends.because

    def register(
        self,
        rows: NDArray[np.int64],
        start: NDArray[np.int32],
        until: NDArray[np.int32],
        kind: str,
        year: int,
    ) -> None:
        """Put families on the register, where their need is abuse or neglect, before `until`."""
        if not len(rows):
            return
        child = self.children
        begin, length = registration(
            self.streams, self.behaviour, child["family"][rows], child["need"][rows], start, kind, year
        )
        stop = np.minimum(begin + length, birthday(child["birth"][rows], 18) - 1)
        if kind == "support":
            # Nobody stays on the register without a plan. (In care the first review ends it, see enter_care.)
            stop = np.minimum(stop, until)
        on = (length > 0) & (stop > begin) & (begin < until)
        child["registration"][rows[on]] = self.registrations.append(child=rows[on], start=begin[on], end=stop[on])

    def enter_care(
        self,
        rows: NDArray[np.int64],
        who: Entrants,
        destination: NDArray[np.int8],
        end: NDArray[np.int32],
        year: int,
    ) -> None:
        """Write the period, stretch the plan over it, and end a registration at the first review."""
        if not len(rows):
            return
        child, streams, behaviour = self.children, self.streams, self.behaviour
        child["period"][rows] = self.periods.append(
            child=rows,
            number=who.number,
            lead=who.lead,
            lead_birth=who.lead_birth,
            start=who.entry,
            end=end,
            destination=destination,
            drawn_end=end,
            early=False,
            instead=-1,
            under=who.under,
        )
        child["care_number"][rows] = who.number + 1
        child["care_start"][rows], child["care_end"][rows] = who.entry, end
        child["went"][rows] = destination
        bound = flagged(destination == _ADOPTION)
        if len(bound):
            adopted = who.only(bound)
            decides = deciders(streams, behaviour, adopted, year)
            clock = adoption_clock(streams, behaviour, decides, adopted.entry, year)
            child["order_due"][rows[bound]] = adopted.entry + clock.to_order
            child["placed"][rows[bound]] = adopted.entry + clock.to_placement
        after = aftercare_end(streams, behaviour, who, child["need"][rows], destination, end, year)
        self.end_plans(rows, after)
        child["gone"][rows] |= _FINAL[destination]
        listed = child["registration"][rows]
        has = listed >= 0
        review = who.entry + within(
            streams("register review").uniform(who.name, who.number),
            *behaviour.value("register.review_days", year),
        )
        stop = self.registrations["end"]
        stop[listed[has]] = np.minimum(stop[listed[has]], np.minimum(review, end)[has])

    def leave_care(self, rows: NDArray[np.int64], day: NDArray[np.int32], year: int) -> None:
        """End running periods on a day before the one drawn; support goes on as after going home."""
        self.periods["early"][self.children["period"][rows]] = True
        self.children["went"][rows] = HOME
        self.end_care(rows, day, year)

    def lead_elsewhere(self, rows: NDArray[np.int64], destination: int, year: int) -> None:
        """Let periods lead elsewhere on the day they end; to HOME, they end as if the child had left early."""
        child, listed = self.children, self.children["period"][rows]
        child["went"][rows] = destination
        child["gone"][rows] = _FINAL[destination]
        self.periods["early"][listed] = destination == HOME
        self.periods["instead"][listed] = -1 if destination == HOME else destination
        self.end_care(rows, child["care_end"][rows], year)

    def end_care(self, rows: NDArray[np.int64], day: NDArray[np.int32], year: int) -> None:
        """Let running periods end on another day than the one drawn; they lead where they led."""
        if not len(rows):
            return
        child = self.children
        self.periods["end"][child["period"][rows]] = day
        child["care_end"][rows] = day
        who = Entrants(
            name=child["name"][rows],
            lead=child["name"][rows],
            lead_birth=child["birth"][rows],
            number=child["care_number"][rows],
            birth=child["birth"][rows],
            entry=child["care_start"][rows],
            unaccompanied=child["unaccompanied"][rows],
            under=self.periods["under"][child["period"][rows]],
        )
        after = aftercare_end(self.streams, self.behaviour, who, child["need"][rows], child["went"][rows], day, year)
        self.end_plans(rows, after)
