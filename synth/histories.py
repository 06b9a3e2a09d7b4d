"""Lives, year by year: who becomes known, who is registered, who is looked after, who leaves.

The year's outside totals are met by how many new families are admitted (alignment): queued families are drawn in
full, put in line, and admitted from the front until their authority's stock on 31 March is reached. A year's draw
depends on the years before it and on the child's own authority alone; authorities are only computed side by side.
What is written here are spells with first and last days; legal statuses and placements inside a period of care are
unfolded later, only where a return needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from synth.admission import Queue, admit, queue_lengths, queues
from synth.behaviour import BANDS, Behaviour
from synth.dates import Days, birthday, day_of_year_start, last_day, quarter_day
from synth.draw import within
from synth.geography.authorities import Authority
from synth.ledger import Ledger
from synth.people import Members, age_group, members
from synth.periods import DESTINATIONS, Entrants, Outcome, outcome
from synth.plans import (
    CLOSURES,
    PlanEnds,
    aftercare_end,
    needs,
    registration,
    short_break_series,
    support_plan,
)
from synth.streams import Streams

__all__ = ["History", "live"]

T = TypeVar("T")

NEVER = np.int32(-(10**9))
"""A day before all others: no such spell yet."""

_FINAL = [DESTINATIONS.index(name) for name in ("adoption", "died", "transfer")]


@dataclass(frozen=True, slots=True)
class History:
    """Everything that happened to the children of some authorities up to a 31 March.

    `children`, `plans`, `periods`, `registrations` and `series` map column names to equally long arrays. Spell
    tables name the child by row number in `children`; `start` and `end` are days, the end being the day on which
    the spell ceases (a child is in a spell on day d when start <= d < end).
    """

    authorities: tuple[Authority, ...]
    year: int
    children: dict[str, NDArray[Any]]
    plans: dict[str, NDArray[Any]]
    periods: dict[str, NDArray[Any]]
    registrations: dict[str, NDArray[Any]]
    series: dict[str, NDArray[Any]]


def live(
    streams: Streams,
    behaviour: Behaviour,
    authorities: Sequence[Authority],
    year: int,
    tick: Callable[[int], None] = lambda _: None,
) -> History:
    """Simulate authorities from the warm-up's first 1 April to 31 March of `year`; call `tick` after each year."""
    book = _Book(streams, behaviour, tuple(authorities))
    for now in range(behaviour.profile.warm_up_from + 1, year + 1):
        book.live_through(now)
        tick(now)
    registrations = book.registrations.frozen()
    # What was to begin after a child had left for care never came.
    came = registrations["end"] > registrations["start"]
    return History(
        tuple(authorities),
        year,
        book.children.frozen(),
        book.plans.frozen(),
        book.periods.frozen(),
        {name: column[came] for name, column in registrations.items()},
        book.series.frozen(),
    )


class _Book:
    """The state of all children between two years, and the steps of a year.

    Arrays with one entry an authority follow the order of `self.authorities`; a child's `place` is its index there.
    """

    def __init__(self, streams: Streams, behaviour: Behaviour, authorities: tuple[Authority, ...]) -> None:
        self.streams, self.behaviour, self.authorities = streams, behaviour, authorities
        self.order = np.array([authority.order for authority in authorities])
        self.children = Ledger(
            place=np.int16, name=np.uint64, family=np.uint64, birth=np.int32, sex=np.int8, need=np.int8,
            unaccompanied=np.bool_, short_breaks=np.bool_, gone=np.bool_, plan=np.int64, plan_number=np.int32,
            plan_start=np.int32, plan_end=np.int32, care_number=np.int32, care_start=np.int32, care_end=np.int32,
            registration=np.int64,
        )  # fmt: skip
        self.plans = Ledger(child=np.int64, start=np.int32, end=np.int32, ends_because=np.int8)
        self.periods = Ledger(
            child=np.int64, number=np.int32, lead=np.uint64, lead_birth=np.int32, start=np.int32, end=np.int32, destination=np.int8
        )
        self.registrations = Ledger(child=np.int64, start=np.int32, end=np.int32)
        self.series = Ledger(child=np.int64, start=np.int32, end=np.int32)

    # -- a year -------------------------------------------------------------------------------------------------

    def live_through(self, year: int) -> None:
        """Live one collection year: old families first, then as many new ones as the totals ask for."""
        looked_after = self._levels("looked_after", year)
        self._reopen(year)
        self._admit_unaccompanied(year, looked_after)
        wanted = looked_after - self._looked_after(year)
        wanted = wanted - self._take_into_care(year, wanted)
        self._queue_for_care(year, "care", np.maximum(wanted, 0))
        self._admit_to_short_breaks(year, looked_after)
        missing = self._levels("care_and_support", year) - self._supported(year)
        self._close_early(year, np.maximum(-missing, 0))
        missing = self._levels("care_and_support", year) - self._supported(year)
        self._admit_to_support(year, np.maximum(missing, 0))

    def _levels(self, kind: str, year: int) -> NDArray[np.int64]:
        return np.array([self.behaviour.profile.level(kind, a.code, year) for a in self.authorities])

    def _by_authority(self, children: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count children (by row) in each authority."""
        return np.bincount(self.children["place"][children], minlength=len(self.authorities))

    def _looked_after(self, year: int) -> NDArray[np.int64]:
        end = last_day(year)
        return self._by_authority(
            np.flatnonzero((self.children["care_start"] <= end) & (self.children["care_end"] > end))
        )

    def _supported(self, year: int) -> NDArray[np.int64]:
        """Count children whose plan meets the three-month rule of the census date."""
        child = self.children
        meets = (child["plan_start"] <= quarter_day(year)) & (child["plan_end"] > last_day(year))
        return self._by_authority(np.flatnonzero(meets))

    def _rounded(self, level: NDArray[np.floating[Any]], purpose: str, year: int) -> NDArray[np.int64]:
        """Round small levels up or down by an authority's own draw, so that they add up on average."""
        return np.floor(level + self.streams(purpose).uniform(self.order, year)).astype(np.int64)

    # -- families already known ---------------------------------------------------------------------------------

    def _reopen(self, year: int) -> None:
        """Let closed families come back: a new plan for every child still young enough."""
        first = day_of_year_start(year)
        child = self.children
        window = int(self.behaviour.scalar("plan.reopening_window_days", year))
        closed = (child["plan_end"] < first) & (child["plan_end"] > first - window) & ~child["gone"]
        rows = np.flatnonzero(closed)
        rows = rows[birthday(child["birth"][rows], 17) > first + 365]
        family = child["family"][rows]
        been = np.isin(family, child["family"][child["care_number"] > 0])
        chance = self.behaviour.scalar("plan.reopening_chance", year) * np.where(
            been, self.behaviour.scalar("plan.reopening_if_looked_after", year), 1.0
        )
        again = self.streams("reopening").uniform(family, year) < chance
        rows, family = rows[again], family[again]
        # A family comes back whole or not at all: no child of it may still hold a plan.
        held = np.isin(family, child["family"][child["plan_end"] >= first])
        rows, family = rows[~held], family[~held]
        start = within(self.streams("reopening day").uniform(family, year), first, last_day(year))
        start = np.maximum(start, child["plan_end"][rows] + 30).astype(np.int32)
        here = start <= last_day(year)
        rows, start = rows[here], start[here]
        never = (start, np.zeros(len(rows), np.int32))
        ends = support_plan(
            self.streams, self.behaviour, child["family"][rows], child["plan_number"][rows] + 1,
            child["birth"][rows], child["need"][rows], start, never, year,
        )  # fmt: skip
        self._open_plans(rows, start, ends)

    def _take_into_care(self, year: int, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Let children who already hold a plan enter care; return how many of them are still there on 31 March.

        The intensity is set so that the stated share of what the year wants comes this way, and no more families
        are taken than the year has room for.
        """
        first, end = day_of_year_start(year), last_day(year)
        child, streams, behaviour = self.children, self.streams, self.behaviour
        rows = np.flatnonzero(
            (child["plan_end"] > first)
            & (child["care_end"] < end)
            & ~child["unaccompanied"]
            & ~child["short_breaks"]
            & ~child["gone"]
        )
        rows = rows[(birthday(child["birth"][rows], 17) > end) & (child["birth"][rows] < first)]
        family, inverse = np.unique(child["family"][rows], return_inverse=True)
        place = np.zeros(len(family), np.int64)
        place[inverse] = child["place"][rows]
        at = within(streams("entry from plan").uniform(family, year), first + 1, end)[inverse]
        apart = int(behaviour.scalar("care.days_between_periods", year))
        holds = (child["plan_start"][rows] < at) & (child["plan_end"][rows] > at) & (child["care_end"][rows] + apart < at)
        family_risk = np.bincount(inverse, np.where(holds, self._risk(rows, year), 0.0), len(family))
        hoped = behaviour.scalar("care.from_plan.share", year) * wanted / behaviour.scalar("care.stay_share", year)
        total = np.bincount(place, family_risk, len(self.authorities))
        intensity = np.divide(hoped, total, out=np.zeros(len(total)), where=total > 0)
        u = streams("enters from plan").uniform(family, year)
        goes = (u < np.minimum(0.5, intensity[place] * family_risk))[inverse] & holds
        first_to_go = _first(rows, inverse, goes, len(family))
        lead = child["name"][first_to_go]
        joins = streams("enters with siblings").uniform(child["name"][rows], year) < behaviour.scalar(
            "siblings.enter_together_share", year
        )
        goes &= joins | (lead == child["name"][rows])
        rows, inverse, at, first_to_go = rows[goes], inverse[goes], at[goes], first_to_go[goes]
        who = Entrants(
            name=child["name"][rows],
            lead=child["name"][first_to_go],
            lead_birth=child["birth"][first_to_go],
            number=child["care_number"][rows],
            birth=child["birth"][rows],
            entry=at,
            unaccompanied=child["unaccompanied"][rows],
        )
        drawn = outcome(streams, behaviour, who, year)
        stays = drawn.end > end
        # Those chosen stand in line by their own draw; only as many go as the year has room for.
        order = np.lexsort((u, place))
        counts = np.bincount(inverse, stays, len(family)).astype(np.int64)[order]
        fits = np.zeros(len(family), bool)
        fits[order] = Queue(place[order], counts, len(self.authorities)).reached() <= wanted[place[order]]
        take = fits[inverse]
        self._enter_care(rows[take], who.only(take), drawn.destination[take], drawn.end[take], year)
        return self._by_authority(rows[take & stays])

    def _risk(self, rows: NDArray[np.int64], year: int) -> NDArray[np.float64]:
        """Relative risk of entering care this year among children who hold a plan."""
        child, behaviour = self.children, self.behaviour
        first = day_of_year_start(year)
        risk = behaviour.vector("care.from_plan.risk_by_age", year, BANDS)[age_group(child["birth"][rows], first)]
        listed = child["registration"][rows]
        begins, ends = (np.append(self.registrations[column], 0)[listed] for column in ("start", "end"))
        on_register = (listed >= 0) & (begins <= first) & (ends > first)
        risk = risk * np.where(on_register, behaviour.scalar("care.from_plan.risk_if_registered", year), 1.0)
        recently = child["care_end"][rows] > first - int(behaviour.scalar("care.from_plan.recent_days", year))
        return risk * np.where(recently, behaviour.scalar("care.from_plan.risk_if_returned", year), 1.0)

    def _close_early(self, year: int, surplus: NDArray[np.int64]) -> None:
        """Close plans in authorities whose count falls faster than plans run out, at least `surplus` of them.

        Families go in the order of their own draw; those with a child in care this year or on the register stay.
        """
        first, end = day_of_year_start(year), last_day(year)
        child = self.children
        rows = np.flatnonzero((child["plan_end"] > end) & (surplus > 0)[child["place"]])
        if not len(rows):
            return
        listed = child["registration"][rows]
        off = np.where(listed >= 0, np.append(self.registrations["end"], 0)[listed], 0)
        tied = (off > first) | (child["care_end"][rows] > first) | child["short_breaks"][rows]
        begun = child["plan_start"][rows]
        tied |= begun > quarter_day(year)
        family, inverse = np.unique(child["family"][rows], return_inverse=True)
        free = np.bincount(inverse, tied, len(family)) == 0
        place = np.zeros(len(family), np.int64)
        place[inverse] = child["place"][rows]
        u = self.streams("early closure").uniform(family, year)
        order = np.lexsort((u, place))
        counts = (np.bincount(inverse, minlength=len(family)) * free)[order]
        queue = Queue(place[order], counts, len(self.authorities))
        goes = np.zeros(len(family), bool)
        goes[order] = queue.reached() - counts < surplus[place[order]]
        closes = (goes & free)[inverse]
        day = within(self.streams("day of early closure").uniform(family, year), first, end)[inverse][closes]
        day = np.maximum(day, np.minimum(begun[closes] + 14, end)).astype(np.int32)
        child["plan_end"][rows[closes]] = day
        self.plans["end"][child["plan"][rows[closes]]] = day
        self.plans["ends_because"][child["plan"][rows[closes]]] = CLOSURES.index("RC7")

    # -- new families -------------------------------------------------------------------------------------------

    def _admit_unaccompanied(self, year: int, looked_after: NDArray[np.int64]) -> None:
        """Unaccompanied asylum-seeking children, to their share of the stock."""
        share = self.behaviour.scalar("unaccompanied.share_of_stock", year)
        level = self._rounded(share * looked_after, "unaccompanied rounding", year)
        child = self.children
        here = self._by_authority(np.flatnonzero(child["unaccompanied"] & (child["care_end"] > last_day(year))))
        self._queue_for_care(year, "unaccompanied", np.maximum(level - here, 0))

    def _line_up(
        self,
        kind: str,
        year: int,
        wanted: NDArray[np.int64],
        draw: Callable[[NDArray[np.uint64]], tuple[Members, NDArray[np.bool_], T]],
    ) -> tuple[NDArray[np.int64], Members, NDArray[np.bool_], T]:
        """Queue families of a kind and admit as many as are wanted.

        `draw` turns family names into their members, says which of them count towards the total, and hands on what
        else it drew. Returned are each queued child's authority, the members, who is admitted, and the rest.
        """
        for lengths in queue_lengths(wanted):
            place, family = queues(self.order, year, kind, lengths)
            new, counted, rest = draw(family)
            line = admit(Queue.of(place, new.queue, counted, len(self.order)), wanted)
            if line is not None:
                return place[new.queue], new, line[new.queue], rest
        raise AssertionError("queues grow until they are long enough")

    def _queue_for_care(self, year: int, kind: str, wanted: NDArray[np.int64]) -> None:
        """Admit families to whom care is the first or an early response, until `wanted` of them stay."""
        first, end = day_of_year_start(year), last_day(year)
        streams, behaviour = self.streams, self.behaviour

        def draw(family: NDArray[np.uint64]) -> tuple[Members, NDArray[np.bool_], tuple[Entrants, Outcome]]:
            entry = within(streams("entry day").uniform(family), first, end)
            new = members(streams, behaviour, kind, family, entry, year)
            who = Entrants(
                name=new.name,
                lead=family[new.queue] * np.uint64(8),
                lead_birth=new.birth[np.searchsorted(new.queue, new.queue)],
                number=np.zeros(len(new.name), np.int32),
                birth=new.birth,
                entry=entry[new.queue],
                unaccompanied=np.full(len(new.name), kind == "unaccompanied"),
            )
            drawn = outcome(streams, behaviour, who, year)
            return new, drawn.end > end, (who, drawn)

        place, new, take, (who, drawn) = self._line_up(kind, year, wanted, draw)
        start = self._lead_in(new, who.entry, kind, year)
        need = needs(streams, behaviour, kind, new.family, new.birth, start, year)
        rows = self._add_children(place, new, need, take, unaccompanied=kind == "unaccompanied")
        self._open_plans(rows, start[take], PlanEnds.until(drawn.end[take]))
        self._register(rows, start[take], who.entry[take], "care", year)
        self._enter_care(rows, who.only(take), drawn.destination[take], drawn.end[take], year)

    def _lead_in(self, new: Members, entry: NDArray[np.int32], kind: str, year: int) -> NDArray[np.int32]:
        """Plan starts of families new this year: at entry, or some time before but after 1 April and birth."""
        if kind == "unaccompanied":
            return entry
        u = self.streams("plan before care").uniform(new.family)
        at_once = self.behaviour.scalar("care.plan_starts_at_entry_share", year)
        room = entry - day_of_year_start(year)
        lead_in = np.where(u < at_once, 0, np.floor((u - at_once) / (1 - at_once) * (room + 1)))
        return np.maximum(entry - lead_in, new.birth).astype(np.int32)

    def _admit_to_short_breaks(self, year: int, looked_after: NDArray[np.int64]) -> None:
        """Children with a series of short breaks under section 76, to their level beside the looked-after one."""
        behaviour, streams, end = self.behaviour, self.streams, last_day(year)
        level = self._rounded(
            behaviour.scalar("short_breaks.per_looked_after", year) * looked_after,
            "short break rounding",
            year,
        )
        open_now = self._by_authority(self.series["child"][(self.series["start"] <= end) & (self.series["end"] > end)])

        def draw(family: NDArray[np.uint64]) -> tuple[Members, NDArray[np.bool_], tuple[Days, Days]]:
            begin = within(streams("short break entry").uniform(family), day_of_year_start(year), end)
            new = members(streams, behaviour, "short_break", family, begin, year)
            start = begin[new.queue]
            stop = short_break_series(streams, behaviour, new.name, new.birth, start, year)
            return new, stop > end, (start, stop)

        place, new, take, (start, stop) = self._line_up("short_break", year, np.maximum(level - open_now, 0), draw)
        need = needs(streams, behaviour, "short_break", new.family, new.birth, start, year)
        rows = self._add_children(place, new, need, take, short_breaks=True)
        after = behaviour.scalar("short_breaks.plan_goes_on_days", year)
        last = np.minimum(stop + after, birthday(new.birth, 18) - 1).astype(np.int32)
        self._open_plans(rows, start[take], PlanEnds.until(last[take]))
        self.series.append(child=rows, start=start[take], end=stop[take])

    def _admit_to_support(self, year: int, wanted: NDArray[np.int64]) -> None:
        """Admit families with a plan and no child in care, until the census-date count is met."""
        streams, behaviour = self.streams, self.behaviour

        def draw(
            family: NDArray[np.uint64],
        ) -> tuple[Members, NDArray[np.bool_], tuple[Days, NDArray[np.int8], PlanEnds]]:
            begin = within(streams("support entry").uniform(family), day_of_year_start(year), last_day(year))
            new = members(streams, behaviour, "support", family, begin, year)
            start = begin[new.queue]
            need = needs(streams, behaviour, "support", new.family, new.birth, start, year)
            register = registration(streams, behaviour, new.family, need, start, "support", year)
            first_plan = np.zeros(len(new.name), np.int32)
            ends = support_plan(streams, behaviour, new.family, first_plan, new.birth, need, start, register, year)
            return new, (start <= quarter_day(year)) & (ends.end > last_day(year)), (start, need, ends)

        place, new, take, (start, need, ends) = self._line_up("support", year, wanted, draw)
        rows = self._add_children(place, new, need, take)
        self._open_plans(rows, start[take], ends.only(take))
        self._register(rows, start[take], ends.end[take], "support", year)

    # -- writing --------------------------------------------------------------------------------------------------

    def _add_children(
        self,
        place: NDArray[np.int64],
        new: Members,
        need: NDArray[np.int8],
        take: NDArray[np.bool_],
        *,
        unaccompanied: bool = False,
        short_breaks: bool = False,
    ) -> NDArray[np.int64]:
        return self.children.append(
            place=place[take], name=new.name[take], family=new.family[take], birth=new.birth[take],
            sex=new.sex[take], need=need[take], unaccompanied=unaccompanied, short_breaks=short_breaks, gone=False,
            plan=-1, plan_number=-1, plan_start=NEVER, plan_end=NEVER, care_number=0, care_start=NEVER,
            care_end=NEVER, registration=-1,
        )  # fmt: skip

    def _open_plans(self, rows: NDArray[np.int64], start: NDArray[np.int32], ends: PlanEnds) -> None:
        child = self.children
        child["plan"][rows] = self.plans.append(child=rows, start=start, end=ends.end, ends_because=ends.because)
        child["plan_number"][rows] += 1
        child["plan_start"][rows] = start
        child["plan_end"][rows] = ends.end

    def _register(
        self,
        rows: NDArray[np.int64],
        start: NDArray[np.int32],
        until: NDArray[np.int32],
        kind: str,
        year: int,
    ) -> None:
        """Put families on the register, where their need is abuse or neglect, before `until`."""
        child = self.children
        begin, length = registration(
            self.streams, self.behaviour, child["family"][rows], child["need"][rows], start, kind, year
        )
        stop = np.minimum(begin + length, birthday(child["birth"][rows], 18) - 1)
        if kind == "support":
            # Nobody stays on the register without a plan. (In care the first review ends it, see _enter_care.)
            stop = np.minimum(stop, until)
        on = (length > 0) & (stop > begin) & (begin < until)
        child["registration"][rows[on]] = self.registrations.append(child=rows[on], start=begin[on], end=stop[on])

    def _enter_care(
        self,
        rows: NDArray[np.int64],
        who: Entrants,
        destination: NDArray[np.int8],
        end: NDArray[np.int32],
        year: int,
    ) -> None:
        """Write the period, stretch the plan over it, and end a registration at the first review."""
        child, streams, behaviour = self.children, self.streams, self.behaviour
        self.periods.append(
            child=rows, number=who.number, lead=who.lead, lead_birth=who.lead_birth, start=who.entry, end=end,
            destination=destination,
        )
        child["care_number"][rows] += 1
        child["care_start"][rows], child["care_end"][rows] = who.entry, end
        after = aftercare_end(streams, behaviour, who, child["need"][rows], destination, end, year)
        child["plan_end"][rows] = after.end
        self.plans["end"][child["plan"][rows]] = after.end
        self.plans["ends_because"][child["plan"][rows]] = after.because
        child["gone"][rows] |= np.isin(destination, _FINAL)
        listed = child["registration"][rows]
        has = listed >= 0
        review = who.entry + within(
            streams("register review").uniform(who.name, who.number),
            *behaviour.value("register.review_days", year),
        )
        stop = self.registrations["end"]
        stop[listed[has]] = np.minimum(stop[listed[has]], np.minimum(review, end)[has])


def _first(
    rows: NDArray[np.int64], family: NDArray[np.int64], goes: NDArray[np.bool_], families: int
) -> NDArray[np.int64]:
    """Return for each child the row of the first child of its family that goes, whose proceedings the others share.

    Where none of the family goes it is the child's own row.
    """
    first = np.full(families, np.iinfo(np.int64).max)
    np.minimum.at(first, family[goes], rows[goes])
    found = first[family]
    return np.where(found == np.iinfo(np.int64).max, rows, found)
