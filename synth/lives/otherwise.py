"""Other ways a child's year before the courts could lawfully have gone: the choices that alignment has.

Every alternative keeps what happened before the year and is fitted by the same steps as the path it would replace;
one that does not come out lawful is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import birthday, last_day, year_of
from synth.lives.draw import within
from synth.lives.legal import LATER, ROUTES, STATUSES, Case, LegalPath, entering
from synth.lives.periods import DESTINATIONS
from synth.working_days import next_working_day, previous_working_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.guidance import Guidance
    from synth.lives.behaviour import Behaviour
    from synth.lives.periods import Entrants
    from synth.lives.streams import Streams

__all__ = ["Another", "Proceedings"]

_V2, _C1, _C2, _E1, _J1 = (STATUSES.index(code) for code in ("V2", "C1", "C2", "E1", "J1"))
_LAWFUL = ("V2 C1", "V2 J1", "L1 V2", "L1 C1", "L1 L2", "L2 C1", "C1 C2", "C1 E1", "C2 E1", "E1 C2")
_FOLLOWS = np.zeros((len(STATUSES), len(STATUSES)), bool)
for _pair in _LAWFUL:
    _FOLLOWS[tuple(STATUSES.index(code) for code in _pair.split())] = True
_ADOPTED = DESTINATIONS.index("adoption")
_FROM_REMAND = [DESTINATIONS.index(name) for name in ("home", "custody", "grows_up")]


@dataclass(frozen=True, slots=True)
class Another:
    """Other paths of some periods: `rows` names the periods, `path` has one row each, `cost` tells how far-fetched
    each is (0 would be the path as it stands).
    """  # noqa: D205  one sentence

    rows: NDArray[np.int64]
    path: LegalPath
    cost: NDArray[np.float64]

    def only(self, keep: NDArray[np.bool_]) -> Another:
        """Return some of them."""
        return Another(self.rows[keep], self.path.only(keep), self.cost[keep])


@dataclass(frozen=True, slots=True)
class Proceedings:
    """Periods of care as collection year `year` begins; arrays have one entry a period.

    `destination` and `end` are those drawn at entry, `path` is the path as it stands.
    """

    streams: Streams
    behaviour: Behaviour
    guidance: Guidance
    year: int
    who: Entrants
    destination: NDArray[np.int8]
    end: Days
    path: LegalPath

    @property
    def past(self) -> int:
        """The last day that cannot be changed."""
        return last_day(self.year - 1)

    @property
    def day(self) -> int:
        """The day that is counted."""
        return last_day(self.year)

    @property
    def _spread(self) -> int:
        """What is put off past a 31 March comes within so many days after it."""
        return int(self.behaviour.scalar("care.put_off_days", self.year))

    @property
    def _longest_order(self) -> int:
        """No placement order stands for longer than on the way to adoption, in days."""
        waits = ("order_to_placement", "placement_to_adoption")
        return sum(int(self.behaviour.value(f"care.adoption.{wait}", self.year)["longest_days"]) for wait in waits)

    def alternatives(self) -> Iterator[Another]:
        """Yield all other lawful paths by what differs; one period may occur in several."""
        entered = np.flatnonzero(self.who.entry > self.past)
        for found in (
            *self._ways_in(entered),
            self._court_put_off(self._as_case()),
            self._court_hastened(self._as_case()),
            self._order_hastened(self.day),
            self._order_put_off(),
            self._order_in_vain(),
            self._order_revoked(),
            self._remanded(),
        ):
            yield found.only(self._sound(found))

    def placed_sooner(self) -> Iterator[Another]:
        """Yield lawful paths with the placement for adoption hastened to the year.

        Where there is no placement order yet, it is hastened too.
        """
        consent, placed = self.path.consent, self.path.placed
        shortest = int(self.behaviour.value("care.adoption.entry_to_placement_order", self.year)["shortest_days"])
        order = np.where(consent, self.who.entry + shortest, self.path.start[:, _E1])
        first, last = self._placing_bounds(order)
        soon, last_here = np.maximum(first, self.past + 1), np.minimum(self.day, last)
        u = self._uniform("placement for adoption otherwise")
        hasten = (self.destination == _ADOPTED) & (order <= self.day) & (placed > self.day) & (soon <= last_here)
        rows = np.flatnonzero(hasten)
        day = within(u, soon, np.maximum(soon, last_here)).astype(np.int32)[rows]
        yield Another(rows, LegalPath(self.path.start[rows], day, consent[rows]), 1.0 + (placed[rows] - day) / 365)

        wait = int(self.behaviour.value("care.adoption.order_to_placement", self.year)["shortest_days"])
        both = self._order_hastened(self.day - wait)
        soon, last_here = both.path.start[:, _E1] + wait, last_here[both.rows]
        fits = (soon <= last_here) & (placed[both.rows] > self.day)
        day = within(u[both.rows], soon, np.maximum(soon, last_here))
        both = replace(both, path=replace(both.path, placed=day), cost=both.cost + 1.0).only(fits)
        yield both.only(self._sound(both))

    def _placing_bounds(self, order: Days) -> tuple[Days, Days]:
        """Return the first and last day of placement that the clock of adoption allows after a placement order."""
        waits = self.behaviour.value("care.adoption.order_to_placement", self.year)
        after = self.behaviour.value("care.adoption.placement_to_adoption", self.year)
        last = np.where(self.destination == _ADOPTED, self.end - int(after["shortest_days"]), -LATER)
        return np.minimum(order, LATER - 2000) + int(waits["shortest_days"]), last

    def _uniform(self, purpose: str) -> NDArray[np.float64]:
        """Draw for the year; brothers and sisters in the same proceedings share it."""
        return self.streams(purpose).uniform(self.who.lead, self.who.entry, self.year)

    def _as_case(self) -> Case:
        """Return the paths as cases that the year's parameters decide."""
        return Case(
            self.streams, self.behaviour, self.guidance, self.who, self.destination, self.end, self.year,
            self.path.consent, self.path.start[:, _E1].copy(), self.path.start.copy(),
        )  # fmt: skip

    def _ways_in(self, rows: NDArray[np.int64]) -> Iterator[Another]:
        """Let those who came in the year come in another way, where that would show on the day counted."""
        if not len(rows):
            return
        who, destination, end = self.who.only(rows), self.destination[rows], self.end[rows]
        drawing = (self.streams, self.behaviour, self.guidance)
        case, placed = entering(*drawing, who, destination, end, self.year)
        weights = case.routes()
        chance = weights / weights.sum(axis=1, keepdims=True)
        came = np.zeros(weights.shape, bool)
        for column, route in enumerate(ROUTES):
            came[:, column] = self.path.start[rows, STATUSES.index(route)] == who.entry
        # Protection and remand are over within weeks: who came long before the day does not show them.
        longest = {
            "L1": int(self.guidance.limit("LEGAL_STATUS_CODE", "L1", "max_days") or 1),
            "L2": int(self.behaviour.value("legal.emergency_order_days", self.year)[1]),
            "J1": int(self.behaviour.value("legal.remand_days", self.year)[1]),
        }
        for column, route in enumerate(ROUTES):
            recent = self.day - who.entry < longest.get(route, len(DESTINATIONS) * 365)
            able = np.flatnonzero((chance[:, column] > 0) & ~came[:, column] & recent)
            other, _ = entering(*drawing, who.only(able), destination[able], end[able], self.year)
            start = other.drawn(np.full(len(able), column))
            found = LegalPath(start, placed[able], other.consent)
            if route == "L2":
                found = self._protected_longer(other, found, longest["L2"])
            cost = 1.0 - np.log(chance[able, column])
            yield Another(rows[able], found, cost)
            if route == "V2":
                # Who came by agreement may still be under it.
                here = replace(self, who=other.who, destination=other.destination, end=other.end, path=found)
                again = here._court_put_off(replace(other, start=start.copy()))  # noqa: SLF001  its own kind
                hastened = here._court_hastened(replace(other, start=start.copy()))  # noqa: SLF001
                for more in (again, hastened):
                    yield Another(rows[able][more.rows], more.path, more.cost + cost[more.rows])

    def _protected_longer(self, case: Case, found: LegalPath, longest: int) -> LegalPath:
        """Let an emergency order last past the day counted, where the law lets it."""
        here = replace(self, who=case.who, destination=case.destination, end=case.end, path=found)
        again = replace(case, start=case.start.copy())
        day = next_working_day(np.full(len(case.end), self.day + 1, np.int32))
        lasts = (day - case.who.entry <= longest) & (day < case.end - 1) & (again.start[:, _C1] < day)
        again.start[lasts, _C1] = day[lasts]
        longer = here._decided(again, np.arange(len(lasts)), np.zeros(len(lasts))).path  # noqa: SLF001  its own kind
        return LegalPath(np.where(lasts[:, None], longer.start, found.start), found.placed, found.consent)

    def _court_put_off(self, case: Case) -> Another:
        """Let proceedings that followed agreement in the year begin after it, or not at all."""
        start, order = case.start, case.order_day
        begun = start[:, _C1]
        turned = (start[:, _V2] < begun) & (start[:, _V2] <= self.day) & (begun > self.past) & (begun <= self.day)
        day = next_working_day(self.day + 1 + within(self._uniform("court put off"), 0, self._spread))
        least, _ = self.behaviour.value("legal.court_needs_days", self.year)
        in_time = case.in_time(day) & (day < case.end - 1) & ((order == LATER) | (day + least <= order))
        most = int(self.behaviour.scalar("legal.agreement_alone_at_most_days", self.year))
        must = case.must_go() & (day > case.who.entry + most)
        never = (order == LATER) & ~case.must_go()
        rows = np.flatnonzero(turned & ~must & (in_time | never))
        start[rows, _C1] = np.where(in_time, day, LATER)[rows]
        return self._decided(case, rows, np.full(len(rows), 2.0))

    def _court_hastened(self, case: Case) -> Another:
        """Let proceedings follow agreement in the year."""
        start, end = case.start, case.end
        soonest = np.maximum(case.who.entry, self.past) + 1
        waiting = (start[:, _V2] <= self.day) & (start[:, _C1] > self.day) & (start[:, _J1] > self.day)
        waiting &= ~case.only_agreement() & (soonest <= self.day)
        day = self._working_day("court hastened", soonest, self.day)
        rows = np.flatnonzero(waiting & (day >= soonest) & case.in_time(day) & (day < end - 1))
        planned = start[rows, _C1]
        cost = 1.5 + np.where(planned < LATER, (planned - day[rows]) / 365, 2.0)
        start[rows, _C1] = day[rows]
        return self._decided(case, rows, cost)

    def _order_hastened(self, until: int) -> Another:
        """Let the placement order come in the year, by the day `until`, instead of after it."""
        case = self._as_case()
        order, begun = case.order_day, case.start[:, _C1]
        least, _ = self.behaviour.value("legal.court_needs_days", self.year)
        shortest = int(self.behaviour.value("care.adoption.entry_to_placement_order", self.year)["shortest_days"])
        soonest = np.maximum(
            np.maximum(case.who.entry + shortest, np.minimum(begun, LATER - 2000) + int(least)), self.past + 1
        )
        waiting = (order > self.day) & (order < LATER) & (soonest <= until)
        day = self._working_day("placement order hastened", soonest, until)
        rows = np.flatnonzero(waiting & (day >= soonest))
        cost = 1.0 + (order[rows] - day[rows]) / 365
        order[rows] = day[rows]
        return self._decided(case, rows, cost)

    def _order_put_off(self) -> Another:
        """Let the placement order come after the year instead of in it."""
        case = self._as_case()
        order = case.order_day
        made = (order > self.past) & (order <= self.day)
        day = next_working_day(self.day + 1 + within(self._uniform("placement order put off"), 0, self._spread))
        soonest, last = self._placing_bounds(day)
        rows = np.flatnonzero(made & (soonest <= last))
        # Once: lives leave room for a placement that gives way to an order put off past the year it was due in.
        rows = rows[order[rows] <= self._order_as_drawn(rows)]
        cost = 1.0 + (day[rows] - order[rows]) / 365
        order[rows] = day[rows]
        found = self._decided(case, rows, cost)
        # A placement gives way to its order by as much as lives leave room for (see `timing`).
        return replace(found, path=replace(found.path, placed=np.maximum(found.path.placed, soonest[found.rows])))

    def _order_as_drawn(self, rows: NDArray[np.int64]) -> Days:
        """Return the day of the placement order some periods were drawn with (LATER without one)."""
        day = np.empty(len(rows), np.int32)
        entered = year_of(self.who.entry[rows])
        for year in np.unique(entered):
            then = entered == year
            who, destination, end = self.who.only(rows[then]), self.destination[rows[then]], self.end[rows[then]]
            case, _ = entering(self.streams, self.behaviour, self.guidance, who, destination, end, int(year))
            day[then] = case.order_day
        return day

    def _order_in_vain(self) -> Another:
        """Let a small child in proceedings have a placement order in the year that leads to no adoption.

        After a wait as long as others have for a match the order is revoked and the care order revives.
        """
        start, who = self.path.start.copy(), self.who
        least, _ = self.behaviour.value("legal.court_needs_days", self.year)
        shortest = int(self.behaviour.value("care.adoption.entry_to_placement_order", self.year)["shortest_days"])
        begun = np.minimum(start[:, _C1], LATER - 2000)
        soonest = np.maximum(np.maximum(who.entry + shortest, begun + int(least)), self.past + 1)
        day = self._working_day("placement order in vain", soonest, self.day)
        oldest = int(self.behaviour.scalar("placement.concurrent_under_age", self.year))
        waits = self.behaviour.value("care.adoption.order_to_placement", self.year)
        # Where the full order came first, the placement order stands to the end.
        full = start[:, _C2] <= self.past
        open_ = (~full | (self.end - day <= self._longest_order)) & (start[:, _E1] == LATER)
        open_ &= (self.destination != _ADOPTED) & (day >= soonest) & (soonest <= self.day)
        rows = np.flatnonzero(open_ & (birthday(who.birth, oldest) > day))
        wait = within(self._uniform("placement order revoked"), int(waits["median_days"]), int(waits["longest_days"]))
        revoked = next_working_day(day + wait)
        start[rows, _E1] = day[rows]
        revoked = np.where(revoked < self.end - 1, revoked, LATER)
        start[rows, _C2] = np.where(full, start[:, _C2], revoked)[rows]
        cost = 3.0 + np.where(full, (self.end - day) / 365, 0.0)[rows]
        return Another(rows, self._with(start, rows), cost)

    def _order_revoked(self) -> Another:
        """Let a placement order that leads to no adoption be revoked in the year, or not yet."""
        start = self.path.start.copy()
        order, revoked = start[:, _E1], start[:, _C2]
        # Who has had a full order before keeps the placement order.
        running = (order <= self.past) & (revoked > self.past) & (self.destination != _ADOPTED)
        soonest = np.full(len(order), self.past + 1)
        sooner = self._working_day("placement order revoked sooner", soonest, self.day)
        later = next_working_day(self.day + 1 + within(self._uniform("placement order revoked later"), 0, self._spread))
        later = np.minimum(later, previous_working_day(np.minimum(order, LATER - 4000) + self._longest_order))
        put_off = np.where(later < self.end - 1, later, LATER)
        day = np.where(revoked > self.day, sooner, np.where(later > self.day, put_off, -LATER))
        rows = np.flatnonzero(running & (day > self.past))
        start[rows, _C2] = day[rows]
        return Another(rows, self._with(start, rows), np.full(len(rows), 2.0))

    def _remanded(self) -> Another:
        """Let a remand that comes before the end of a stay by agreement begin in the year, or after it."""
        start, who = self.path.start.copy(), self.who
        remand = start[:, _J1]
        _, longest = self.behaviour.value("legal.remand_days", self.year)
        limit = self.guidance.limit("LEGAL_STATUS_CODE", "J1", "min_age_years") or 0
        age = int(max(limit, self.behaviour.scalar("legal.remand_from_age", self.year)))
        soonest = np.maximum(np.maximum(who.entry, self.past) + 1, self.end - int(longest))
        soonest = np.maximum(soonest, birthday(who.birth, age))
        day = within(self._uniform("remand in the year"), soonest, np.maximum(soonest, self.day))
        alone = (who.lead == who.name) & ~who.unaccompanied & ~self.path.consent
        alone &= np.isin(self.destination, _FROM_REMAND)
        agreed = (start[:, _V2] <= self.day) & (start[:, [_C1, _C2, _E1]] == LATER).all(axis=1)
        sooner = alone & agreed & (remand > self.day) & (soonest <= self.day)
        put_off = agreed & (start[:, _V2] < remand) & (remand > self.past) & (remand <= self.day)
        put_off &= self.day + 1 < self.end
        rows = np.flatnonzero(sooner | put_off)
        start[rows, _J1] = np.where(put_off, self.day + 1, day)[rows]
        return Another(rows, self._with(start, rows), np.full(len(rows), 2.0))

    def _working_day(self, purpose: str, soonest: NDArray[np.signedinteger[Any]], until: int) -> Days:
        """Draw a working day from `soonest` to `until`; it may fall before `soonest` where there is none."""
        day = within(self._uniform(purpose), soonest, np.maximum(soonest, until))
        following = next_working_day(day)
        return np.where(following <= until, following, previous_working_day(day)).astype(np.int32)

    def _with(self, start: NDArray[np.int32], rows: NDArray[np.int64]) -> LegalPath:
        """Return paths of some periods with other days of their statuses."""
        return LegalPath(start[rows], self.path.placed[rows], self.path.consent[rows])

    def _decided(self, case: Case, rows: NDArray[np.int64], cost: NDArray[np.float64]) -> Another:
        """Make the orders of some cases anew, as far as they are not of the past."""
        made = case.start[:, _C2] <= self.past
        kept = case.start[:, _C2].copy()
        case.start[:, [_C2, _E1]] = LATER
        case.make_orders()
        case.start[made, _C2] = kept[made]
        full = case.start[:, _C2]
        # An order that would have been due before the year is made when it begins.
        due = ~made & (full <= self.past)
        case.start[due, _C2] = next_working_day(np.full(int(due.sum()), self.past + 1, np.int32))
        return Another(rows, self._with(case.start, rows), cost)

    def _sound(self, found: Another) -> NDArray[np.bool_]:
        """Say which paths are lawful, fit into their period and tell the same up to the year."""
        start, rows = found.path.start.copy(), found.rows
        who, end, n = self.who.only(rows), self.end[rows], np.arange(len(rows))
        # A full order that would follow after the end is one for those who stay longer.
        start[start[:, _C2] >= end, _C2] = LATER
        order = np.argsort(start, axis=1, kind="stable")
        days = np.take_along_axis(start, order, axis=1)
        held = days < LATER
        good = (days[:, 0] == who.entry) & ~(held & (days >= end[:, None])).any(axis=1)
        good &= (~held[:, 1:] | ((days[:, 1:] > days[:, :-1]) & _FOLLOWS[order[:, :-1], order[:, 1:]])).all(axis=1)
        next_day = np.where(held[:, 1:], days[:, 1:], end[:, None])
        place = (order == _C1).argmax(axis=1)
        after = np.where(place < len(STATUSES) - 1, next_day[n, np.minimum(place, len(STATUSES) - 2)], end)
        _, longest = self.behaviour.value("legal.interim_order_days", self.year)
        interim = start[:, _C1] < LATER
        good &= ~interim | (after - start[:, _C1] <= longest)
        oldest = int(self.guidance.limit("LEGAL_STATUS_CODE", "C2", "max_start_age_years") or 16)
        too_late = birthday(who.birth, oldest + 1)
        court = start[:, [_C1, _C2, _E1]]
        good &= ~((court < LATER) & (court >= too_late[:, None])).any(axis=1)
        good &= (found.path.placed == LATER) | (start[:, _E1] == LATER) | (start[:, _E1] < found.path.placed)
        # A placement order is revoked only where it leads to no adoption.
        full, placing = start[:, _C2], start[:, _E1]
        revoked = (placing < full) & (full < LATER)
        good &= ~revoked | (self.destination[rows] != _ADOPTED)
        # Up to the year nothing changes.
        start, old = found.path.start, self.path.start[rows]
        both_past = (start <= self.past) | (old <= self.past)
        return np.asarray(good & ~(both_past & (start != old)).any(axis=1))
