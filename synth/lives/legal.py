"""Legal statuses inside a period of care: what a child comes in under, what courts change, when.

A period's statuses form a path: police protection and emergency orders give way within days; agreement (V2) may turn
into proceedings (C1), proceedings end in a care order (C2) or a placement order (E1). The path is fitted between
the period's first and last day, which are given, so that every status the destination needs has been reached and
no order is made at an age or for a time the guidance excludes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import Days, birthday, year_of, years_in
from synth.lives.behaviour import BANDS, Behaviour
from synth.lives.draw import among, choose, flagged, lognormal_days, row_numbers, within
from synth.lives.people import age_group
from synth.lives.periods import DESTINATIONS, DRAWN, Entrants, adoption_clock, deciders
from synth.working_days import is_working_day, next_working_day, previous_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.lives.streams import Streams

__all__ = [
    "FULL_ORDERS",
    "LATER",
    "LATEST",
    "ROUTES",
    "STATUSES",
    "Case",
    "LegalPath",
    "entering",
    "legal_path",
    "legal_paths",
    "remand_bounds",
]

STATUSES = ("V2", "C1", "C2", "E1", "L1", "L2", "J1")
"""Statuses of a single period; V1, the series of short breaks, is a life of its own."""

_V2, _C1, _C2, _E1, _L1, _L2, _J1 = range(7)
FULL_ORDERS = among((_C2, _E1), STATUSES)
"""Which of STATUSES last until they are discharged: care order and placement order."""
ROUTES = ("V2", "C1", "C2", "L1", "L2", "J1")
"""Statuses a period may begin with."""
LATEST = 2024
"""The guidance whose ages and combinations govern every draw: limits have only become stricter."""
LATER = np.int32(10**8)
"""A day after all others: a step that is never taken."""

_TO_COURT = ("agreement to court days", "agreement to court", "proceedings before placement order")
_BEFORE_ORDER = ("order before placement order", "order to placement order")
_HOME, _CARER, _OTHER, _ADOPTION, _GROWS_UP, _INDEPENDENT, _DIED, _TRANSFER, _CUSTODY = range(len(DESTINATIONS))


@dataclass(frozen=True, slots=True)
class LegalPath:
    """When each status begins, one row a period.

    `start` has shape (n, 7), columns as STATUSES, LATER where the status is never held. A status holds from its
    start (inclusive) to the next start in time, the last one to the period's end; a full order that begins after
    the end is the one that would follow if the child stayed. `placed` is the day of placement for adoption (LATER
    without one), `consent` marks adoption with parental consent.
    """

    start: NDArray[np.int32]
    placed: Days
    consent: NDArray[np.bool_]

    def at(self, day: Days) -> NDArray[np.int64]:
        """Return the status (index into STATUSES) in force on a day of each period."""
        begun = np.where(self.start <= np.asarray(day)[:, None], self.start, -LATER)
        return np.asarray(np.argmax(begun, axis=1))

    def only(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_]) -> LegalPath:
        """Return the paths of some periods."""
        rows = row_numbers(rows, len(self.start))
        return LegalPath(self.start.take(rows, axis=0), self.placed[rows], self.consent[rows])

    @classmethod
    def joined(cls, *parts: LegalPath) -> LegalPath:
        """Return the paths of several groups of periods, one after another."""
        return cls(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.placed for part in parts]),
            np.concatenate([part.consent for part in parts]),
        )

    def during(self, first: Days, last: Days) -> NDArray[np.bool_]:
        """Return which statuses hold at some time in [first, last), shape (n, 7)."""
        changes = (self.start > first[:, None]) & (self.start < last[:, None])
        changes[np.arange(len(first)), self.at(first)] = True
        return changes


def remand_bounds(behaviour: Behaviour, guidance: Guidance, year: int) -> tuple[int, int]:
    """Return the age from which children are remanded, in years, and the most days that a remand lasts."""
    limit = guidance.limit("LEGAL_STATUS_CODE", "J1", "min_age_years") or 0
    _, longest = behaviour.value("legal.remand_days", year)
    return int(max(limit, behaviour.scalar("legal.remand_from_age", year))), int(longest)


def legal_path(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    year: int,
) -> LegalPath:
    """Draw the path of each period that began in collection year `year`.

    Orders are made on working days; who enters on another day is not under an order made that day.
    """
    case, placed = entering(streams, behaviour, guidance, who, destination, end, year)
    return LegalPath(case.drawn(case.way_in()), placed, case.consent)


def legal_paths(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
) -> LegalPath:
    """Draw the path of each period with the parameters of its own year of entry."""
    start = np.full((len(who.name), len(STATUSES)), LATER, np.int32)
    placed = np.full(len(who.name), LATER, np.int32)
    consent = np.zeros(len(who.name), bool)
    entered = year_of(who.entry)
    for year in years_in(entered)[0]:
        rows = flagged(entered == year)
        path = legal_path(streams, behaviour, guidance, who.only(rows), destination[rows], end[rows], year)
        start[rows], placed[rows], consent[rows] = path.start, path.placed, path.consent
    return LegalPath(start, placed, consent)


def entering(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    year: int,
) -> tuple[Case, Days]:
    """Return the cases of periods that began in collection year `year`, nothing decided, and the day of placement
    for adoption (LATER without one).
    """  # noqa: D205  one sentence
    n = len(who.name)
    consent = np.zeros(n, bool)
    order_day, placed = np.full(n, LATER, np.int32), np.full(n, LATER, np.int32)
    rows = flagged(destination == _ADOPTION)
    adopted = who.only(rows)
    consent[rows] = streams("adoption by consent").uniform(adopted.lead, adopted.entry) < behaviour.scalar(
        "legal.adoption_by_consent_share", year
    )
    clock = adoption_clock(streams, behaviour, deciders(streams, behaviour, adopted, year), adopted.entry, year)
    order_day[rows] = np.where(consent[rows], LATER, adopted.entry + clock.to_order)
    placed[rows] = adopted.entry + clock.to_placement
    start = np.full((n, len(STATUSES)), LATER, np.int32)
    return Case(streams, behaviour, guidance, who, destination, end, year, consent, order_day, start), placed


@dataclass(frozen=True, slots=True)
class Case:
    """One path a period in the making; every method fills columns of `start`. Arrays have one entry a period.

    `order_day` is the day of the placement order (LATER without one), `year` the collection year whose parameters
    decide, `start` as in LegalPath.
    """

    streams: Streams
    behaviour: Behaviour
    guidance: Guidance
    who: Entrants
    destination: NDArray[np.int8]
    end: Days
    year: int
    consent: NDArray[np.bool_]
    order_day: Days
    start: NDArray[np.int32]

    def only(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_]) -> Case:
        """Return some cases, as copies: what becomes of them does not change these."""
        rows = row_numbers(rows, len(self.start))
        return Case(
            self.streams, self.behaviour, self.guidance, self.who.only(rows), self.destination[rows], self.end[rows],
            self.year, self.consent[rows], self.order_day[rows], self.start.take(rows, axis=0),
        )  # fmt: skip

    @property
    def last_order(self) -> Days:
        """The last day on which a court still makes a care order."""
        oldest = int(self.guidance.limit("LEGAL_STATUS_CODE", "C2", "max_start_age_years") or 16)
        return np.asarray(birthday(self.who.birth, oldest + 1) - 1)

    def drawn(self, route: NDArray[np.int64]) -> NDArray[np.int32]:
        """Fill `start` for children who come in by the given routes (indices into ROUTES) and return it."""
        self.start[np.arange(len(route)), _ROUTES_TO_STATUS[route]] = self.who.entry
        self.go_to_court(self.first_days(route))
        self.make_orders()
        self.remand_before_custody()
        return self.start

    def way_in(self) -> NDArray[np.int64]:
        """Draw the route of each child."""
        return choose(self.streams("legal route").uniform(self.who.lead, self.who.entry), self.routes())

    def _scalar(self, name: str) -> float:
        return self.behaviour.scalar(name, self.year)

    def days(self, purpose: str, bounds: str) -> NDArray[np.int32]:
        """Draw days between the bounds of a parameter; brothers and sisters share them."""
        u = self.streams(purpose).uniform(self.who.lead, self.who.entry)
        return within(u, *self.behaviour.value(bounds, self.year))

    def in_time(self, day: Days) -> NDArray[np.bool_]:
        """Say whether proceedings begun on a day leave room for an order before it is too late."""
        return np.asarray(day + int(self._scalar("legal.days_before_last_order")) < self.last_order)

    def only_agreement(self) -> NDArray[np.bool_]:
        """Say whose period stays out of court: leaving for custody or independence is not open to a child in care."""
        out = (self.destination == _CUSTODY) | (self.destination == _INDEPENDENT)
        return np.asarray(self.who.unaccompanied | self.consent | out)

    def routes(self) -> NDArray[np.float64]:
        """Return weights of ROUTES, shape (n, 6); what age, outcome, weekday or a brief stay exclude has none.

        A status brought along from another authority goes on.
        """
        who, column = self.who, {name: n for n, name in enumerate(ROUTES)}
        table = self.behaviour.table("legal.route", self.year, BANDS, ROUTES)
        weights = table.take(age_group(who.lead_birth, who.entry), axis=0)
        late, free_day, ordered = ~self.in_time(who.entry), ~is_working_day(who.entry), self.order_day < LATER
        remand_age, longest_remand = remand_bounds(self.behaviour, self.guidance, self.year)
        length = self.end - who.entry
        brief = length < self._scalar("legal.brief_stay_days")
        remanded = (self.destination == _HOME) | (self.destination == _CUSTODY)
        remanded &= length <= longest_remand
        too_young = birthday(who.birth, remand_age) > who.entry
        for route, excluded in {
            "L2": late,
            "C1": late | free_day,
            # A child who goes home within days did so under agreement, protection or an order not yet final.
            "C2": late | free_day | ordered | brief,
            # Brothers and sisters are not remanded together.
            "J1": too_young | ~remanded | ordered | (who.lead != who.name),
        }.items():
            weights[excluded, column[route]] = 0.0
        only_agreement = self.only_agreement()
        held = weights[:, column["J1"]] * ~(who.unaccompanied | self.consent)
        weights[only_agreement] = 0.0
        weights[only_agreement, column["J1"]] = held[only_agreement]
        weights[only_agreement | (weights.sum(axis=1) == 0), column["V2"]] = 1.0
        given = who.under != DRAWN
        weights[given] = np.eye(len(ROUTES))[who.under[given]]
        return weights

    def first_days(self, route: NDArray[np.int64]) -> Days:
        """Follow police protection and emergency orders to what comes after; return the day that begins (or entry)."""
        base = self.who.entry.copy()
        rows = flagged(route == ROUTES.index("L1"))
        following, day = self.only(rows).after_protection()
        goes_on = day < self.end[rows]
        rows, following, day = rows[goes_on], following[goes_on], day[goes_on]
        self.start[rows, following] = day
        base[rows] = np.where(following == _L2, base[rows], day)
        # An emergency order is followed by proceedings.
        rows = flagged(self.start[:, _L2] < LATER)
        case = self.only(rows)
        begun = case.start[:, _L2]
        stop = previous_working_day(begun + case.days("emergency order days", "legal.emergency_order_days"))
        stop = np.where(stop <= begun, next_working_day(begun + 1), stop)
        rows, stop = rows[stop < case.end], stop[stop < case.end]
        self.start[rows, _C1] = stop
        base[rows] = stop
        return base

    def after_protection(self) -> tuple[NDArray[np.int64], Days]:
        """Return the status that follows police protection, and the day it begins, as if every period began so."""
        who, after = self.who, ("V2", "C1", "L2")
        weights = np.tile(self.behaviour.vector("legal.after_police_protection", self.year, after), (len(who.name), 1))
        longest = int(self.guidance.limit("LEGAL_STATUS_CODE", "L1", "max_days") or 1)
        u, v = self.streams.each(("police protection days", "police protection"), who.lead, who.entry)
        day = who.entry + within(u, 1, longest)
        weights[~self.in_time(day), 1:] = 0.0
        # Courts sit on working days; an emergency order can be had on any.
        weights[~is_working_day(day), 1] = 0.0
        chosen = choose(v, weights)
        return np.array([STATUSES.index(code) for code in after])[chosen], day

    def go_to_court(self, base: Days) -> None:
        """Turn agreement into proceedings: always on the way to a placement order, else for a share of children."""
        agreed = (self.start[:, _V2] < LATER) & (self.start[:, _C1] == LATER) & ~self.only_agreement()
        rows = flagged(agreed)
        if not len(rows):
            return
        case, base = self.only(rows), base[rows]
        turns, day = case.proceedings(base)
        turns &= (day < case.end - 1) & case.in_time(day)
        self.start[rows[turns], _C1] = day[turns]

    def proceedings(self, base: Days) -> tuple[NDArray[np.bool_], Days]:
        """Return who goes to court after agreement that has lasted since the days `base`, and when that would be."""
        who = self.who
        group = age_group(who.lead_birth, who.entry)
        share = self.behaviour.vector("legal.agreement_to_court", self.year, BANDS)[group]
        home = self.destination == _HOME
        share = np.where(home, share * self._scalar("legal.agreement_to_court_if_home"), share)
        value = self.behaviour.value("legal.agreement_to_court_days", self.year)
        u, v, before = self.streams.each(_TO_COURT, who.lead, who.entry)
        wait = np.maximum(lognormal_days(u, value["median_days"], value["sigma"]), 1)
        ordered = self.order_day < LATER
        turns = ordered | (v < share) | self.must_go()
        day = base + wait.astype(np.int32)
        # Proceedings on the way to a placement order leave the court some months.
        latest = self.order_day - within(before, *self.behaviour.value("legal.court_needs_days", self.year))
        return turns, next_working_day(np.where(ordered, np.minimum(day, np.maximum(latest, base + 1)), day))

    def must_go(self) -> NDArray[np.bool_]:
        """Say who is not left on agreement alone: small children do not stay on it for years."""
        most = int(self._scalar("legal.agreement_alone_at_most_days"))
        oldest = int(self._scalar("legal.agreement_alone_from_age"))
        young = birthday(self.who.birth, oldest) > self.who.entry + most
        return np.asarray(young & (self.end - self.who.entry > most))

    def make_orders(self) -> None:
        """End proceedings in a care order or a placement order; where the period ends sooner, neither comes to be."""
        start, order_day = self.start, self.order_day
        rows = flagged(start[:, _C1] < LATER)
        final = self.only(rows).final_order()
        # Also after the end: should the child stay longer than was drawn, the interim order does not go on for years.
        made = (final > start[rows, _C1]) & (final < order_day[rows])
        start[rows[made], _C2] = final[made]
        ordered = order_day < LATER
        start[ordered, _E1] = order_day[ordered]

    def final_order(self) -> Days:
        """Return when proceedings would end in a care order.

        Where both orders are made at one hearing that is not before the placement order.
        """
        _, longest = self.behaviour.value("legal.interim_order_days", self.year)
        final = self.start[:, _C1] + self.days("interim order days", "legal.interim_order_days")
        # With a placement order the care order is made at the same hearing, and E1 is what is coded, or before it.
        rows = flagged(self.order_day < LATER)
        begun, order_day = self.start[rows, _C1], self.order_day[rows]
        u, days = self.streams.each(_BEFORE_ORDER, self.who.lead[rows], self.who.entry[rows])
        before = u < self._scalar("legal.full_order_before_placement_order_share")
        bounds = self.behaviour.value("legal.full_order_before_placement_order_days", self.year)
        near = order_day - within(days, *bounds)
        # Interim orders that would run too long before the placement order must become full ones.
        apart = int(self._scalar("legal.two_hearings_apart_days"))
        two_hearings = (before & (near > begun + apart)) | (order_day - begun >= longest)
        final[rows] = np.where(two_hearings, np.minimum(final[rows], near), LATER)
        return previous_working_day(np.minimum(np.minimum(final, self.last_order), self.order_day))

    def remand_before_custody(self) -> None:
        """Put a child sentenced to custody who came by agreement on remand before, unless remanded at entry."""
        rows = flagged(self.destination == _CUSTODY)
        if not len(rows):
            return
        case = self.only(rows)
        day = case.end - case.days("remand before custody", "legal.remand_days")
        begun = case.start[:, _V2]
        other = np.array([_C1, _C2, _J1, _L2])
        agreed = (begun < LATER) & (case.start[:, other] == LATER).all(axis=1)
        remanded = agreed & (day > begun)
        self.start[rows[remanded], _J1] = day[remanded]


_ROUTES_TO_STATUS = np.array([STATUSES.index(route) for route in ROUTES])
