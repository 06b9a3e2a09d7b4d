"""Legal statuses inside a period of care: what a child comes in under, what courts change, when.

A period's statuses form a path: police protection and emergency orders give way within days; agreement (V2) may turn
into proceedings (C1), proceedings end in a care order (C2) or a placement order (E1). The path is fitted between
the period's first and last day, which are given, so that every status the destination needs has been reached and
no order is made at an age or for a time the guidance excludes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.behaviour import BANDS, Behaviour
from synth.dates import Days, birthday
from synth.draw import choose, lognormal_days, within
from synth.guidance import Guidance
from synth.people import age_group
from synth.periods import DESTINATIONS, Entrants, adoption_clock
from synth.streams import Streams

__all__ = ["LATER", "STATUSES", "LegalPath", "legal_path"]

STATUSES = ("V2", "C1", "C2", "E1", "L1", "L2", "J1")
"""Statuses of a single period; V1, the series of short breaks, is a life of its own."""

_V2, _C1, _C2, _E1, _L1, _L2, _J1 = range(7)
_ROUTES = ("V2", "C1", "C2", "L1", "L2", "J1")
LATER = np.int32(10**8)
"""A day after all others: a step that is never taken."""

_HOME, _CARER, _OTHER, _ADOPTION, _GROWS_UP, _INDEPENDENT, _DIED, _TRANSFER, _CUSTODY = range(len(DESTINATIONS))


@dataclass(frozen=True, slots=True)
class LegalPath:
    """When each status begins, one row a period.

    `start` has shape (n, 7), columns as STATUSES, LATER where the status is never held. A status holds from its
    start (inclusive) to the next start in time, the last one to the period's end. `placed` is the day of placement
    for adoption (LATER without one), `consent` marks adoption with parental consent.
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
        return LegalPath(self.start[rows], self.placed[rows], self.consent[rows])

    def during(self, first: Days, last: Days) -> NDArray[np.bool_]:
        """Return which statuses hold at some time in [first, last), shape (n, 7)."""
        changes = (self.start > first[:, None]) & (self.start < last[:, None])
        changes[np.arange(len(first)), self.at(first)] = True
        return changes


def legal_path(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    year: int,
) -> LegalPath:
    """Draw the path of each period that began in collection year `year`."""
    n = len(who.name)
    start = np.full((n, len(STATUSES)), LATER, np.int32)
    entry = who.entry
    # The last day on which a court still makes a care order, and on which proceedings leave room for one.
    oldest = int(guidance.limit("LEGAL_STATUS_CODE", "C2", "max_start_age_years") or 17) + 1
    last_order = birthday(who.birth, oldest) - 1
    consent = (destination == _ADOPTION) & (
        streams("adoption by consent").uniform(who.lead, entry)
        < behaviour.scalar("legal.adoption_by_consent_share", year)
    )
    route = _routes(streams, behaviour, guidance, who, destination, end, last_order, consent, year)
    start[np.arange(n), _ROUTES_TO_STATUS[route]] = entry
    base = _first_days(streams, behaviour, guidance, who, route, end, last_order, start, year)

    clock = adoption_clock(streams, behaviour, _deciders(streams, behaviour, who, year), entry, year)
    adopted = destination == _ADOPTION
    ordered = adopted & ~consent
    placed = np.where(adopted, entry + clock.to_placement, LATER).astype(np.int32)
    order_day = np.where(ordered, entry + clock.to_order, LATER)

    _court(streams, behaviour, who, end, last_order, order_day, consent, base, start, year)
    start[ordered, _E1] = order_day[ordered]
    _remand_before_custody(streams, behaviour, who, destination, end, start, year)
    return LegalPath(start, placed, consent)


_ROUTES_TO_STATUS = np.array([STATUSES.index(route) for route in _ROUTES])


def _deciders(streams: Streams, behaviour: Behaviour, who: Entrants, year: int) -> NDArray[np.uint64]:
    """Whose clock runs: the same choice that the outcome was drawn with."""
    together = streams("outcome together").uniform(who.name, who.number) < behaviour.scalar(
        "siblings.same_outcome_share", year
    )
    return np.where(together, who.lead, who.name)


def _routes(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    last_order: Days,
    consent: NDArray[np.bool_],
    year: int,
) -> NDArray[np.int64]:
    """Draw the status at entry; what age, outcome or a stay of a few days exclude has weight zero."""
    weights = behaviour.table("legal.route", year, BANDS, _ROUTES)[age_group(who.birth, who.entry)].copy()
    column = {name: n for n, name in enumerate(_ROUTES)}
    # Court routes need room before the last day on which an order can be made.
    court = [column[c] for c in ("C1", "C2", "L2")]
    room = int(behaviour.scalar("legal.days_before_last_order", year))
    weights[np.ix_(who.entry + room >= last_order, np.array(court))] = 0.0
    remand_age = int(guidance.limit("LEGAL_STATUS_CODE", "J1", "min_age_years") or 0)
    weights[birthday(who.birth, remand_age) > who.entry, column["J1"]] = 0.0
    only_agreement = who.unaccompanied | consent
    weights[only_agreement] = 0.0
    weights[only_agreement, column["V2"]] = 1.0
    adopted = (destination == _ADOPTION) & ~consent
    weights[np.ix_(adopted, np.array([column["C2"], column["J1"]]))] = 0.0
    # A child who goes home within weeks did so under agreement or before an order was made final.
    brief = end - who.entry < behaviour.scalar("legal.brief_stay_days", year)
    weights[np.ix_(brief, np.array([column["C2"], column["J1"]]))] = 0.0
    empty = weights.sum(axis=1) == 0
    weights[empty, column["V2"]] = 1.0
    return choose(streams("legal route").uniform(who.lead, who.entry), weights)


def _first_days(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    route: NDArray[np.int64],
    end: Days,
    last_order: Days,
    start: NDArray[np.int32],
    year: int,
) -> Days:
    """Follow police protection, emergency orders and remand to what comes after; return when that begins.

    The day is the entry where none of the three was the way in.
    """
    base = who.entry.copy()
    after = ("V2", "C1", "L2")
    weights = np.broadcast_to(behaviour.vector("legal.after_police_protection", year, after), (len(base), 3)).copy()
    room = int(behaviour.scalar("legal.days_before_last_order", year))
    weights[who.entry + room >= last_order, 1:] = 0.0
    protected = route == _ROUTES.index("L1")
    u = streams("police protection").uniform(who.lead, who.entry)
    longest = guidance.limit("LEGAL_STATUS_CODE", "L1", "max_days") or 1
    day = who.entry + within(streams("police protection days").uniform(who.lead, who.entry), 1, longest)
    following = np.array([STATUSES.index(code) for code in after])[choose(u, weights)]
    emergency = (route == _ROUTES.index("L2")) | (protected & (following == _L2) & (day < end))
    to_base = protected & (following != _L2) & (day < end)
    rows = np.flatnonzero(protected & (day < end))
    start[rows, following[rows]] = day[rows]
    base[to_base] = day[to_base]
    # An emergency order is followed by proceedings.
    low, high = behaviour.value("legal.emergency_order_days", year)
    begun = start[:, _L2]
    stop = begun + within(streams("emergency order days").uniform(who.lead, who.entry), low, high)
    rows = np.flatnonzero(emergency & (stop < end))
    start[rows, _C1] = stop[rows]
    base[rows] = stop[rows]
    # Remand ends in agreement, unless the period ends first.
    low, high = behaviour.value("legal.remand_days", year)
    stop = who.entry + within(streams("remand days").uniform(who.name, who.entry), low, high)
    rows = np.flatnonzero((route == _ROUTES.index("J1")) & (stop < end))
    start[rows, _V2] = stop[rows]
    base[rows] = stop[rows]
    return base


def _court(
    streams: Streams,
    behaviour: Behaviour,
    who: Entrants,
    end: Days,
    last_order: Days,
    order_day: NDArray[np.int32],
    consent: NDArray[np.bool_],
    base: Days,
    start: NDArray[np.int32],
    year: int,
) -> None:
    """Agreement that turns into proceedings, and proceedings that end in a care order."""
    entry = who.entry
    agreed = (start[:, _V2] < LATER) & (start[:, _C1] == LATER) & ~who.unaccompanied & ~consent
    share = behaviour.vector("legal.agreement_to_court", year, BANDS)[age_group(who.birth, entry)]
    turns = streams("agreement to court").uniform(who.lead, entry) < share
    value = behaviour.value("legal.agreement_to_court_days", year)
    wait = lognormal_days(
        streams("agreement to court days").uniform(who.lead, entry), value["median_days"], value["sigma"]
    )
    ordered = order_day < LATER
    turns |= ordered
    week = 7
    day = base + np.maximum(wait, week).astype(np.int32)
    # Proceedings on the way to a placement order leave the court some weeks.
    court = int(behaviour.scalar("legal.court_needs_days", year))
    day = np.where(ordered, np.minimum(day, np.maximum(order_day - court, base + 1)), day)
    room = int(behaviour.scalar("legal.days_before_last_order", year))
    turns &= agreed & (day < end - week) & (day + room < last_order)
    start[turns, _C1] = day[turns]

    low, high = behaviour.value("legal.interim_order_days", year)
    u = streams("interim order days").uniform(who.lead, entry)
    begun = start[:, _C1]
    final = begun + within(u, low, high)
    final = np.minimum(final, last_order)
    # With a placement order the care order is made before it or together with it (and then E1 is what is coded).
    before = streams("order before placement order").uniform(who.lead, entry) < behaviour.scalar(
        "legal.full_order_before_placement_order_share", year
    )
    near = order_day - within(u, *behaviour.value("legal.full_order_before_placement_order_days", year))
    # Interim orders that would run too long before the placement order must become full ones.
    too_long = order_day - begun >= high
    final = np.where(
        ordered, np.where((before & (near > begun + room)) | too_long, np.minimum(final, near), LATER), final
    )
    made = (begun < LATER) & (final > begun) & (final < end)
    start[made, _C2] = final[made]


def _remand_before_custody(
    streams: Streams,
    behaviour: Behaviour,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    start: NDArray[np.int32],
    year: int,
) -> None:
    """Put a child sentenced to custody who came by agreement on remand before, unless remanded at entry."""
    low, high = behaviour.value("legal.remand_days", year)
    day = end - within(streams("remand before custody").uniform(who.name, who.entry), low, high)
    begun = start[:, _V2]
    agreed = (begun < LATER) & (start[:, _C1] == LATER) & (start[:, _J1] == LATER) & (start[:, _L2] == LATER)
    remanded = (destination == _CUSTODY) & agreed & (day > begun)
    start[remanded, _J1] = day[remanded]
