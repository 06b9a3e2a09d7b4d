"""Other ways a child's year before the courts could lawfully have gone: the choices that alignment has.

Every alternative keeps what happened before the year and is fitted by the same steps as the path it would replace;
one that does not come out lawful is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import birthday, last_day, year_of, years_in
from synth.lives.draw import flagged, row_numbers, within
from synth.lives.legal import LATER, ROUTES, STATUSES, Case, LegalPath, entering, remand_bounds
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
_FROM_REMAND = np.array([name in {"home", "custody", "grows_up"} for name in DESTINATIONS])


@dataclass(frozen=True, slots=True)
class Another:
    """Other paths of some periods: `rows` names the periods, `path` has one row each, `cost` tells how far-fetched
    each is (0 would be the path as it stands).
    """  # noqa: D205  one sentence

    rows: NDArray[np.int64]
    path: LegalPath
    cost: NDArray[np.float64]

    def only(self, keep: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> Another:
        """Return some of them."""
        keep = row_numbers(keep, len(self.rows))
        return Another(self.rows[keep], self.path.only(keep), self.cost[keep])

    @classmethod
    def joined(cls, *parts: Another) -> Another:
        """Return all of some, one after another."""
        rows, path, cost = zip(*((part.rows, part.path, part.cost) for part in parts), strict=True)
        return cls(np.concatenate(rows), LegalPath.joined(*path), np.concatenate(cost))


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

    def alternatives(self) -> Another:
        """Return all other lawful paths by what differs; one period may occur several times."""
        found = Another.joined(
            *self._ways_in(flagged(self.who.entry > self.past)),
            self._court_put_off(self._as_case),
            self._court_hastened(self._as_case),
            self._order_hastened(self.day),
            self._order_put_off(),
            self._order_in_vain(),
            self._order_revoked(),
            self._remanded(),
        )
        return found.only(self._sound(found))

    def placed_sooner(self) -> Another:
        """Return lawful paths with the placement for adoption hastened to the year.

        Where there is no placement order yet, it is hastened too.
        """
        consent, placed = self.path.consent, self.path.placed
        shortest = int(self.behaviour.value("care.adoption.entry_to_placement_order", self.year)["shortest_days"])
        order = np.where(consent, self.who.entry + shortest, self.path.start[:, _E1])
        first, last = self._placing_bounds(order, np.arange(len(order)))
        soon, last_here = np.maximum(first, self.past + 1), np.minimum(self.day, last)
        purpose = "placement for adoption otherwise"
        hasten = (self.destination == _ADOPTED) & (order <= self.day) & (placed > self.day) & (soon <= last_here)
        rows = flagged(hasten)
        day = within(self._uniform(purpose, rows), soon[rows], last_here[rows])
        found = Another(rows, LegalPath(self.path.start[rows], day, consent[rows]), 1.0 + (placed[rows] - day) / 365)

        wait = int(self.behaviour.value("care.adoption.order_to_placement", self.year)["shortest_days"])
        both = self._order_hastened(self.day - wait)
        soon, last_here = both.path.start[:, _E1] + wait, last_here[both.rows]
        fits = (soon <= last_here) & (placed[both.rows] > self.day)
        day = within(self._uniform(purpose, both.rows), soon, np.maximum(soon, last_here))
        both = replace(both, path=replace(both.path, placed=day), cost=both.cost + 1.0).only(fits)
        return Another.joined(found, both.only(self._sound(both)))

    def _placing_bounds(self, order: Days, rows: NDArray[np.int64]) -> tuple[Days, Days]:
        """Return the first and last day of placement that the clock of adoption allows after a placement order.

        `order` is that of the periods `rows`.
        """
        waits = self.behaviour.value("care.adoption.order_to_placement", self.year)
        after = self.behaviour.value("care.adoption.placement_to_adoption", self.year)
        last = np.where(self.destination[rows] == _ADOPTED, self.end[rows] - int(after["shortest_days"]), -LATER)
        return np.minimum(order, LATER - 2000) + int(waits["shortest_days"]), last

    def _uniform(self, purpose: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw for the year for some periods; brothers and sisters in the same proceedings share it."""
        return self.streams(purpose).uniform(self.who.lead[rows], self.who.entry[rows], self.year)

    @property
    def _as_case(self) -> Case:
        """The paths as cases that the year's parameters decide: to be copied (`only`) before anything is changed."""
        return Case(
            self.streams, self.behaviour, self.guidance, self.who, self.destination, self.end, self.year,
            self.path.consent, self.path.start[:, _E1], self.path.start,
        )  # fmt: skip

    def _ways_in(self, rows: NDArray[np.int64]) -> Iterator[Another]:
        """Let those who came in the year come in another way, where that would show on the day counted."""
        if not len(rows):
            return
        who = self.who.only(rows)
        case, placed = entering(
            self.streams, self.behaviour, self.guidance, who, self.destination[rows], self.end[rows], self.year
        )
        weights = case.routes()
        chance = weights / weights.sum(axis=1, keepdims=True)
        came = np.zeros(weights.shape, bool)
        for column, route in enumerate(ROUTES):
            came[:, column] = self.path.start[rows, STATUSES.index(route)] == who.entry
        # Protection and remand are over within weeks: who came long before the day does not show them.
        longest = {
            "L1": int(self.guidance.limit("LEGAL_STATUS_CODE", "L1", "max_days") or 1),
            "L2": int(self.behaviour.value("legal.emergency_order_days", self.year)[1]),
            "J1": remand_bounds(self.behaviour, self.guidance, self.year)[1],
        }
        for column, route in enumerate(ROUTES):
            recent = self.day - who.entry < longest.get(route, len(DESTINATIONS) * 365)
            able = flagged((chance[:, column] > 0) & ~came[:, column] & recent)
            other = case.only(able)
            found = LegalPath(other.drawn(np.full(len(able), column)), placed[able], other.consent)
            if route == "L2":
                found = self._protected_longer(other, found, longest["L2"])
            cost = 1.0 - np.log(chance[able, column])
            yield Another(rows[able], found, cost)
            if route == "V2":
                # Who came by agreement may still be under it.
                here = replace(self, who=other.who, destination=other.destination, end=other.end, path=found)
                for more in (here._court_put_off(other), here._court_hastened(other)):  # noqa: SLF001  its own kind
                    yield Another(rows[able][more.rows], more.path, more.cost + cost[more.rows])

    def _protected_longer(self, case: Case, found: LegalPath, longest: int) -> LegalPath:
        """Let an emergency order last past the day counted, where the law lets it."""
        day = next_working_day(np.full(len(case.end), self.day + 1, np.int32))
        lasts = (day - case.who.entry <= longest) & (day < case.end - 1) & (case.start[:, _C1] < day)
        rows = flagged(lasts)
        here = replace(self, who=case.who, destination=case.destination, end=case.end, path=found)
        longer = case.only(rows)
        longer.start[:, _C1] = day[rows]
        start = found.start.copy()
        start[rows] = here._decided(longer, rows, np.zeros(len(rows))).path.start  # noqa: SLF001  its own kind
        return replace(found, start=start)

    def _court_put_off(self, case: Case) -> Another:
        """Let proceedings that followed agreement in the year begin after it, or not at all."""
        begun, agreed = case.start[:, _C1], case.start[:, _V2]
        turned = (agreed < begun) & (agreed <= self.day) & (begun > self.past) & (begun <= self.day)
        rows = flagged(turned)
        case = case.only(rows)
        order, must = case.order_day, case.must_go()
        day = next_working_day(self.day + 1 + within(self._uniform("court put off", rows), 0, self._spread))
        least, _ = self.behaviour.value("legal.court_needs_days", self.year)
        in_time = case.in_time(day) & (day < case.end - 1) & ((order == LATER) | (day + least <= order))
        most = int(self.behaviour.scalar("legal.agreement_alone_at_most_days", self.year))
        able = ~(must & (day > case.who.entry + most)) & (in_time | ((order == LATER) & ~must))
        case.start[:, _C1] = np.where(in_time, day, LATER)
        return self._decided(case.only(able), rows[able], np.full(int(able.sum()), 2.0))

    def _court_hastened(self, case: Case) -> Another:
        """Let proceedings follow agreement in the year."""
        soonest = np.maximum(case.who.entry, self.past) + 1
        waiting = (case.start[:, _V2] <= self.day) & (case.start[:, [_C1, _J1]] > self.day).all(axis=1)
        rows = flagged(waiting & ~case.only_agreement() & (soonest <= self.day))
        case, soonest = case.only(rows), soonest[rows]
        day = self._working_day("court hastened", rows, soonest, self.day)
        able = (day >= soonest) & case.in_time(day) & (day < case.end - 1)
        case, rows, day = case.only(able), rows[able], day[able]
        planned = case.start[:, _C1]
        cost = 1.5 + np.where(planned < LATER, (planned - day) / 365, 2.0)
        case.start[:, _C1] = day
        return self._decided(case, rows, cost)

    def _order_hastened(self, until: int) -> Another:
        """Let the placement order come in the year, by the day `until`, instead of after it."""
        order = self.path.start[:, _E1]
        rows = flagged((order > self.day) & (order < LATER))
        case = self._as_case.only(rows)
        begun = case.start[:, _C1]
        least, _ = self.behaviour.value("legal.court_needs_days", self.year)
        shortest = int(self.behaviour.value("care.adoption.entry_to_placement_order", self.year)["shortest_days"])
        soonest = np.maximum(
            np.maximum(case.who.entry + shortest, np.minimum(begun, LATER - 2000) + int(least)), self.past + 1
        )
        day = self._working_day("placement order hastened", rows, soonest, until)
        able = (soonest <= until) & (day >= soonest)
        case, rows, day = case.only(able), rows[able], day[able]
        cost = 1.0 + (case.order_day - day) / 365
        case.order_day[:] = day
        return self._decided(case, rows, cost)

    def _order_put_off(self) -> Another:
        """Let the placement order come after the year instead of in it."""
        order = self.path.start[:, _E1]
        rows = flagged((order > self.past) & (order <= self.day))
        # Once: lives leave room for a placement that gives way to an order put off past the year it was due in.
        rows = rows[order[rows] <= self._order_as_drawn(rows)]
        day = next_working_day(self.day + 1 + within(self._uniform("placement order put off", rows), 0, self._spread))
        soonest, last = self._placing_bounds(day, rows)
        able = soonest <= last
        rows, day, soonest = rows[able], day[able], soonest[able]
        case = self._as_case.only(rows)
        cost = 1.0 + (day - case.order_day) / 365
        case.order_day[:] = day
        found = self._decided(case, rows, cost)
        # A placement gives way to its order by as much as lives leave room for (see `timing`).
        return replace(found, path=replace(found.path, placed=np.maximum(found.path.placed, soonest)))

    def _order_as_drawn(self, rows: NDArray[np.int64]) -> Days:
        """Return the day of the placement order some periods were drawn with (LATER without one)."""
        day = np.empty(len(rows), np.int32)
        entered = year_of(self.who.entry[rows])
        for year in years_in(entered)[0]:
            then = entered == year
            who, destination, end = self.who.only(rows[then]), self.destination[rows[then]], self.end[rows[then]]
            case, _ = entering(self.streams, self.behaviour, self.guidance, who, destination, end, year)
            day[then] = case.order_day
        return day

    def _order_in_vain(self) -> Another:
        """Let a small child in proceedings have a placement order in the year that leads to no adoption.

        After a wait as long as others have for a match the order is revoked and the care order revives.
        """
        start, who = self.path.start, self.who
        least, _ = self.behaviour.value("legal.court_needs_days", self.year)
        shortest = int(self.behaviour.value("care.adoption.entry_to_placement_order", self.year)["shortest_days"])
        begun = np.minimum(start[:, _C1], LATER - 2000)
        soonest = np.maximum(np.maximum(who.entry + shortest, begun + int(least)), self.past + 1)
        grown = birthday(who.birth, int(self.behaviour.scalar("placement.concurrent_under_age", self.year)))
        open_ = (start[:, _E1] == LATER) & (self.destination != _ADOPTED) & (soonest <= self.day) & (grown > soonest)
        rows = flagged(open_)
        day = self._working_day("placement order in vain", rows, soonest[rows], self.day)
        # Where the full order came first, the placement order stands to the end.
        full = start[rows, _C2] <= self.past
        able = (~full | (self.end[rows] - day <= self._longest_order)) & (day >= soonest[rows]) & (grown[rows] > day)
        rows, day, full = rows[able], day[able], full[able]
        start, end = start[rows], self.end[rows]
        waits = self.behaviour.value("care.adoption.order_to_placement", self.year)
        u = self._uniform("placement order revoked", rows)
        revoked = next_working_day(day + within(u, int(waits["median_days"]), int(waits["longest_days"])))
        start[:, _E1] = day
        start[:, _C2] = np.where(full, start[:, _C2], np.where(revoked < end - 1, revoked, LATER))
        return self._with(start, rows, 3.0 + np.where(full, (end - day) / 365, 0.0))

    def _order_revoked(self) -> Another:
        """Let a placement order that leads to no adoption be revoked in the year, or not yet."""
        order, revoked = self.path.start[:, _E1], self.path.start[:, _C2]
        # Who has had a full order before keeps the placement order.
        rows = flagged((order <= self.past) & (revoked > self.past) & (self.destination != _ADOPTED))
        order, revoked = order[rows], revoked[rows]
        soonest = np.full(len(rows), self.past + 1)
        sooner = self._working_day("placement order revoked sooner", rows, soonest, self.day)
        u = self._uniform("placement order revoked later", rows)
        later = next_working_day(self.day + 1 + within(u, 0, self._spread))
        later = np.minimum(later, previous_working_day(order + self._longest_order))
        put_off = np.where(later < self.end[rows] - 1, later, LATER)
        day = np.where(revoked > self.day, sooner, np.where(later > self.day, put_off, -LATER))
        rows, day = rows[day > self.past], day[day > self.past]
        start = self.path.start[rows]
        start[:, _C2] = day
        return self._with(start, rows, np.full(len(rows), 2.0))

    def _remanded(self) -> Another:
        """Let a remand that comes before the end of a stay by agreement begin in the year, or after it."""
        start, who = self.path.start, self.who
        remand = start[:, _J1]
        age, longest = remand_bounds(self.behaviour, self.guidance, self.year)
        soonest = np.maximum(np.maximum(who.entry, self.past) + 1, self.end - longest)
        soonest = np.maximum(soonest, birthday(who.birth, age))
        alone = (who.lead == who.name) & ~who.unaccompanied & ~self.path.consent & _FROM_REMAND[self.destination]
        agreed = (start[:, _V2] <= self.day) & (start[:, [_C1, _C2, _E1]] == LATER).all(axis=1)
        # Who stays past the end drawn does so by agreement: nobody is on remand for years.
        sooner = alone & agreed & (remand > self.day) & (soonest <= self.day) & (self.end > self.day)
        put_off = agreed & (start[:, _V2] < remand) & (remand > self.past) & (remand <= self.day)
        put_off &= self.day + 1 < self.end
        rows = flagged(sooner | put_off)
        soonest = soonest[rows]
        day = within(self._uniform("remand in the year", rows), soonest, np.maximum(soonest, self.day))
        start = start[rows]
        start[:, _J1] = np.where(put_off[rows], self.day + 1, day)
        return self._with(start, rows, np.full(len(rows), 2.0))

    def _working_day(
        self, purpose: str, rows: NDArray[np.int64], soonest: NDArray[np.signedinteger[Any]], until: int
    ) -> Days:
        """Draw a working day from `soonest` to `until`; it may fall before `soonest` where there is none."""
        day = within(self._uniform(purpose, rows), soonest, np.maximum(soonest, until))
        following = next_working_day(day)
        return np.where(following <= until, following, previous_working_day(day)).astype(np.int32)

    def _with(self, start: NDArray[np.int32], rows: NDArray[np.int64], cost: NDArray[np.float64]) -> Another:
        """Return other paths of some periods: with other days of their statuses, one row of `start` each."""
        return Another(rows, LegalPath(start, self.path.placed[rows], self.path.consent[rows]), cost)

    def _decided(self, case: Case, rows: NDArray[np.int64], cost: NDArray[np.float64]) -> Another:
        """Make the orders of some periods' cases anew, as far as they are not of the past."""
        made = case.start[:, _C2] <= self.past
        kept = case.start[:, _C2].copy()
        case.start[:, [_C2, _E1]] = LATER
        case.make_orders()
        case.start[made, _C2] = kept[made]
        full = case.start[:, _C2]
        # An order that would have been due before the year is made when it begins.
        due = ~made & (full <= self.past)
        case.start[due, _C2] = next_working_day(np.full(int(due.sum()), self.past + 1, np.int32))
        return self._with(case.start, rows, cost)

    def _sound(self, found: Another) -> NDArray[np.bool_]:
        """Say which paths are lawful, fit into their period and tell the same up to the year."""
        start, rows = found.path.start.copy(), found.rows
        end, n = self.end[rows], np.arange(len(rows))
        # A full order that would follow after the end is one for those who stay longer.
        start[start[:, _C2] >= end, _C2] = LATER
        order = np.argsort(start, axis=1, kind="stable")
        days = np.take_along_axis(start, order, axis=1)
        held = days < LATER
        good = (days[:, 0] == self.who.entry[rows]) & ~(held & (days >= end[:, None])).any(axis=1)
        good &= (~held[:, 1:] | ((days[:, 1:] > days[:, :-1]) & _FOLLOWS[order[:, :-1], order[:, 1:]])).all(axis=1)
        next_day = np.where(held[:, 1:], days[:, 1:], end[:, None])
        place = (order == _C1).argmax(axis=1)
        after = np.where(place < len(STATUSES) - 1, next_day[n, np.minimum(place, len(STATUSES) - 2)], end)
        _, longest = self.behaviour.value("legal.interim_order_days", self.year)
        good &= (start[:, _C1] >= LATER) | (after - start[:, _C1] <= longest)
        oldest = int(self.guidance.limit("LEGAL_STATUS_CODE", "C2", "max_start_age_years") or 16)
        too_late = birthday(self.who.birth[rows], oldest + 1)
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
