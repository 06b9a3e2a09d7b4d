"""How long a period of being looked after lasts, and to what end: drawn once, when it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from synth.dates import Days, birthday
from synth.lives.behaviour import BANDS, Behaviour
from synth.lives.draw import among, choose, flagged, lognormal_days, row_numbers, within
from synth.lives.people import age_group
from synth.working_days import next_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.streams import Streams

__all__ = [
    "DESTINATIONS",
    "DRAWN",
    "AdoptionClock",
    "Columns",
    "Entrants",
    "Outcome",
    "adoption_clock",
    "deciders",
    "entrants_of",
    "outcome",
]

DESTINATIONS = (
    "home",
    "guardian_carer",
    "guardian_other",
    "adoption",
    "grows_up",
    "independent",
    "died",
    "transfer",
    "custody",
)
"""Where a period leads: back home, special guardianship to the foster carer or another, adoption, the eve of the
18th birthday, independence before it, death, another authority, custody."""

DRAWN = -1
"""No legal status is brought along: the one a period begins with is drawn."""

_HOME, _CARER, _OTHER, _ADOPTION, _GROWS_UP, _INDEPENDENT = range(6)
_NOT_TAKEN_OVER = [DESTINATIONS.index(name) for name in ("adoption", "independent", "custody")]
_NOT_AGAIN = [DESTINATIONS.index(name) for name in ("died", "transfer")]
_STAYS = among((DESTINATIONS.index(name) for name in ("home", "died", "transfer", "custody")), DESTINATIONS)
"""Where stays lead whose length is drawn like that of children who go home."""
_ON_WORKING_DAYS = among((_HOME, _CARER, _OTHER), DESTINATIONS)
_WAITS = tuple(
    f"care.adoption.{wait}" for wait in ("entry_to_placement_order", "order_to_placement", "placement_to_adoption")
)
"""Waits of an adoption, one after another: parameters, and the draws of each child."""
_SHORTEST_STAY = 2
"""Being looked after means more than 24 hours (section 74 of the 2014 Act): two dates apart always is."""


@dataclass(frozen=True, slots=True)
class Entrants:
    """Children at the start of a period; arrays of one length.

    `name` is the child's own number, `lead` that of the brother or sister (or self) whose proceedings they share and
    `lead_birth` that child's birth day, `number` counts the child's periods from 0, `entry` is the first day,
    `unaccompanied` a flag. `under` is the legal status a child brings along from another authority (index into
    ROUTES); for all others it is DRAWN.
    """

    name: NDArray[np.uint64]
    lead: NDArray[np.uint64]
    lead_birth: Days
    number: NDArray[np.int32]
    birth: Days
    entry: Days
    unaccompanied: NDArray[np.bool_]
    under: NDArray[np.int8]

    def only(self, take: NDArray[np.bool_] | NDArray[np.integer[Any]] | slice) -> Entrants:
        """Return the chosen ones."""
        rows = row_numbers(take, len(self.name))
        return Entrants(
            self.name[rows], self.lead[rows], self.lead_birth[rows], self.number[rows], self.birth[rows],
            self.entry[rows], self.unaccompanied[rows], self.under[rows],
        )  # fmt: skip


class Columns(Protocol):
    """Columns by name, in a growing table or a finished one."""

    def __getitem__(self, name: str, /) -> NDArray[Any]: ...


def entrants_of(children: Columns, periods: Columns, rows: NDArray[np.integer[Any]] | slice) -> Entrants:
    """Return the children at the start of periods written earlier (rows of `periods`)."""
    child = periods["child"][rows]
    return Entrants(
        name=children["name"][child],
        lead=periods["lead"][rows],
        lead_birth=periods["lead_birth"][rows],
        number=periods["number"][rows],
        birth=children["birth"][child],
        entry=periods["start"][rows],
        unaccompanied=children["unaccompanied"][child],
        under=periods["under"][rows],
    )


@dataclass(frozen=True, slots=True)
class AdoptionClock:
    """Days from entry to placement order, to placement for adoption and to the adoption order."""

    to_order: NDArray[np.int32]
    to_placement: NDArray[np.int32]
    to_adoption: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`destination` indexes DESTINATIONS; `end` is the day the last episode ceases (its end date)."""

    destination: NDArray[np.int8]
    end: Days


def outcome(streams: Streams, behaviour: Behaviour, who: Entrants, year: int) -> Outcome:
    """Draw where each period beginning in collection year `year` leads and when it ends.

    Ends never pass the day before the 18th birthday, the last day a child can be looked after.
    """
    group = age_group(who.birth, who.entry)
    kind = np.where(who.unaccompanied, len(BANDS), group)
    rows = (*BANDS, "unaccompanied")
    weights = behaviour.table("care.destination", year, rows, DESTINATIONS)
    decides = deciders(streams, behaviour, who, year)
    weights = weights.take(kind, axis=0)
    # Custody comes to one child of a family, and not to the youngest.
    too_young = birthday(who.birth, int(behaviour.scalar("care.custody_from_age", year))) > who.entry
    weights[(who.lead != who.name) | too_young, DESTINATIONS.index("custody")] = 0.0
    # A child who comes back is known here: it stays this authority's, and nobody's second period is drawn to a death,
    # so that a year in which a child left care never ends in a way that leaves no care leaver.
    weights[flagged(who.number > 0)[:, None], _NOT_AGAIN] = 0.0
    # Care that is taken over is care for years to come, under whatever order it comes with.
    weights[flagged(who.under != DRAWN)[:, None], _NOT_TAKEN_OVER] = 0.0
    destination = choose(streams("destination").uniform(decides, who.entry), weights)

    last = birthday(who.birth, 18) - 1
    end = _ends(streams, behaviour, who, decides, group, destination, year)
    # A stay that would outlast childhood is a stay until 18.
    destination = np.where(end >= last, _GROWS_UP, destination)
    end = np.where(destination == _GROWS_UP, last, end)
    return Outcome(destination.astype(np.int8), np.maximum(end, who.entry + _SHORTEST_STAY).astype(np.int32))


def _ends(
    streams: Streams,
    behaviour: Behaviour,
    who: Entrants,
    decides: NDArray[np.uint64],
    group: NDArray[np.int64],
    destination: NDArray[np.int64],
    year: int,
) -> Days:
    """Draw when periods end by where they lead; those that last until 18 are not drawn and end on entry."""
    length = np.zeros(len(destination))

    to_guardian = flagged((destination == _CARER) | (destination == _OTHER))
    u = streams("guardianship stay").uniform(decides[to_guardian], who.entry[to_guardian])
    length[to_guardian] = lognormal_days(u, *_pair(behaviour, "care.stay.guardianship", year))

    adopted = flagged(destination == _ADOPTION)
    clock = adoption_clock(streams, behaviour, decides[adopted], who.entry[adopted], year)
    length[adopted] = clock.to_adoption

    others = flagged(_STAYS[destination])
    length[others] = _stay_home(streams, behaviour, who.only(others), decides[others], group[others], year)

    end = who.entry + np.maximum(length, _SHORTEST_STAY).astype(np.int32)
    # Orders that end a stay are made on working days; a child who came for days goes home on any.
    ordered = _ON_WORKING_DAYS[destination] & (length > behaviour.scalar("care.stay.any_day_up_to", year))
    end[ordered] = next_working_day(end[ordered])

    alone = flagged(destination == _INDEPENDENT)
    sixteen = np.maximum(birthday(who.birth[alone], 16), who.entry[alone]) + 28
    u = streams("independence").uniform(who.name[alone], who.number[alone])
    end[alone] = within(u, sixteen, np.maximum(birthday(who.birth[alone], 18) - 1, sixteen))
    return end


def deciders(streams: Streams, behaviour: Behaviour, who: Entrants, year: int) -> NDArray[np.uint64]:
    """Return whose draws settle an outcome: brothers and sisters usually share one, each by their own age's weights."""
    together = streams("outcome together").uniform(who.name, who.number) < behaviour.scalar(
        "siblings.same_outcome_share", year
    )
    return np.where(together, who.lead, who.name)


def adoption_clock(
    streams: Streams, behaviour: Behaviour, decides: NDArray[np.uint64], entry: Days, year: int
) -> AdoptionClock:
    """Return the three waits of an adoption, each within bounds that keep court and matching possible."""
    if not len(entry):
        nobody = np.zeros(0, np.int32)
        return AdoptionClock(nobody, nobody, nobody)
    waits = [behaviour.value(name, year) for name in _WAITS]
    median, sigma, shortest, longest = (
        np.array([[wait[bound]] for wait in waits])
        for bound in ("median_days", "sigma", "shortest_days", "longest_days")
    )
    days = lognormal_days(streams.each(_WAITS, decides, entry), median, sigma)
    to_order, to_placement, to_adoption = np.minimum(np.maximum(days, shortest), longest).astype(np.int32)
    order = next_working_day(entry + to_order) - entry
    placed = order + to_placement
    return AdoptionClock(order, placed, next_working_day(entry + placed + to_adoption) - entry)


def _pair(behaviour: Behaviour, name: str, year: int) -> tuple[float, float]:
    value = behaviour.value(name, year)
    return float(value["median_days"]), float(value["sigma"])


def _stay_home(
    streams: Streams,
    behaviour: Behaviour,
    who: Entrants,
    decides: NDArray[np.uint64],
    group: NDArray[np.int64],
    year: int,
) -> NDArray[np.float64]:
    """Stays that end otherwise than by growing up: a short kind and a long kind, by age at entry."""
    share = behaviour.vector("care.stay.short_share", year, BANDS)[group]
    short, u = streams.each(("short stay", "length of stay"), decides, who.entry)
    is_short = (short < share) & (who.under == DRAWN)
    median_short, sigma_short = _pair(behaviour, "care.stay.short", year)
    median_long, sigma_long = _pair(behaviour, "care.stay.long", year)
    return lognormal_days(u, np.where(is_short, median_short, median_long), np.where(is_short, sigma_short, sigma_long))
