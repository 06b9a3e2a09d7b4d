"""Placements inside a period of care: where a child lives, for how long, and what may follow what.

A period is filled from its first day: the length of a stay is drawn first, then a kind of placement that suits the
age, the legal statuses held during the stay and, for the last stay, where the period leads. Kinds the guidance does
not allow there have weight zero. Placement for adoption begins on the day the adoption's own clock has set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import Days, age_on, birthday, day, year_of
from synth.lives.behaviour import BANDS, Behaviour
from synth.lives.draw import choose, within
from synth.lives.legal import LATER, STATUSES, LegalPath
from synth.lives.people import age_group
from synth.lives.periods import DESTINATIONS, Entrants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.lives.streams import Streams

__all__ = ["ADOPTION", "KINDS", "LOCATIONS", "Stays", "placement_code", "stays"]

KINDS = (
    "kin",
    "la_foster",
    "agency_foster",
    "parents",
    "home",
    "secure",
    "semi_independent",
    "independent",
    "employment",
    "school",
    "residential_care",
    "hospital",
    "family_centre",
    "custody",
    "other",
    "concurrent",
)
"""Kinds of placement a child may be moved to; placement for adoption (ADOPTION) follows them in the numbering."""

ADOPTION = len(KINDS)
LOCATIONS = ("inside", "outside_in_wales", "outside_wales")

_CODES = {
    "kin": ("F1", "F4", "F4"),
    "la_foster": ("F2", "F5", "F5"),
    "agency_foster": ("F3", "F6", "F6"),
    "parents": ("P1", "P1", "P1"),
    "home": ("H3", "H4", "H4"),
    "secure": ("H1", "H21", "H22"),
    "semi_independent": ("H5", "H5", "H5"),
    "independent": ("P2", "P2", "P2"),
    "employment": ("P3", "P3", "P3"),
    "school": ("S1", "S1", "S1"),
    "residential_care": ("R1", "R1", "R1"),
    "hospital": ("R2", "R2", "R2"),
    "family_centre": ("R3", "R3", "R3"),
    "custody": ("R5", "R5", "R5"),
    "other": ("Z1", "Z1", "Z1"),
    "concurrent": ("A8", "A8", "A8"),
}
"""The code of each kind by location: the Welsh codes say whether a carer or home lies inside the authority."""

_FOSTER = [KINDS.index(kind) for kind in ("kin", "la_foster", "agency_foster", "concurrent")]
_STEADINESS = ("settled", "ordinary", "mobile")
_LENGTHS = ("short", "medium", "long", "very_long")
_GROUPS = (*BANDS, "unaccompanied")
_MOST_STAYS = 60
"""A bound on placements in one period, far above what the lengths make likely; the last one is stretched."""
_LONGEST = 10_000
_APART = 0.11
"""Addresses are numbered around a circle; two stays of one kind in a row are at least this part of it apart."""
_ADOPTED = DESTINATIONS.index("adoption")
_PARENTS = KINDS.index("parents")


@dataclass(frozen=True, slots=True)
class Stays:
    """Placements of many periods, in order of period and start; arrays of one length.

    `period` is the row of the period, `start` the first day, `kind` indexes KINDS or is ADOPTION, `location`
    indexes LOCATIONS, `slot` numbers the address among those of its kind (-1: the address of the stay before),
    `key` names the draws an address is made from, so that children placed together share it.
    """

    period: NDArray[np.int64]
    start: Days
    kind: NDArray[np.int64]
    location: NDArray[np.int64]
    slot: NDArray[np.float64]
    key: NDArray[np.uint64]
    by_carer: NDArray[np.bool_]


def placement_code(kind: str, location: str) -> str:
    """Return the placement type code of a kind at a location (adoption codes depend on consent and carer)."""
    return _CODES[kind][LOCATIONS.index(location)]


def stays(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    path: LegalPath,
    secure_inside: NDArray[np.bool_],
) -> Stays:
    """Fill each period from entry to `end` with placements; `secure_inside` marks children of a secure home's area."""
    year = year_of(who.entry)
    joins = streams("placed together").uniform(who.name, who.number) < behaviour.scalars(
        "siblings.placed_together_share", year
    )
    key = np.where(joins, who.lead, who.name)
    # Children placed together are placed by the age of the one whose proceedings they share.
    reference = np.where(joins, who.lead_birth, who.birth)
    group = np.where(who.unaccompanied, len(BANDS), age_group(reference, who.entry))
    steady = choose(
        streams("steadiness").uniform(key, who.entry),
        behaviour.rows("placement.steadiness", year, group, _GROUPS, _STEADINESS),
    )
    by_carer = (destination == _ADOPTED) & (
        streams("adopted by foster carer").uniform(key, who.entry)
        < behaviour.scalars("placement.adoption_by_foster_carer_share", year)
    )
    homecoming = _homecoming(streams, behaviour, who, destination, end, path)
    # Stays are chosen up to the placement that is set beforehand: for adoption, home under an order, or none.
    until = np.minimum(np.minimum(end, path.placed), homecoming)
    plan = _Plan(
        streams,
        behaviour,
        _Rules(behaviour, guidance),
        who,
        key,
        reference,
        steady,
        destination,
        end,
        until,
        path,
        by_carer,
    )
    found = plan.fill(secure_inside)
    for rows, kind in (
        (np.flatnonzero(path.placed < end), ADOPTION),
        (np.flatnonzero(homecoming < end), _PARENTS),
    ):
        first = path.placed[rows] if kind == ADOPTION else homecoming[rows]
        where = _location(streams, behaviour, np.full(len(rows), kind), key[rows], first, secure_inside[rows])
        found.append((rows, first, np.full(len(rows), kind), where, streams("address").uniform(key[rows], first)))
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    period, start, kinds, location, slot = (column[order] for column in columns)
    # Adopted by the foster carer: the child stays where it is.
    stays_put = (kinds == ADOPTION) & by_carer[period]
    before = np.flatnonzero(stays_put) - 1
    location[stays_put] = location[before]
    return Stays(period, start, kinds, location, np.where(stays_put, -1.0, slot), key[period], by_carer[period])


def _homecoming(
    streams: Streams,
    behaviour: Behaviour,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    path: LegalPath,
) -> Days:
    """When a child whose care order is discharged at home went to live with the parents (LATER: does not apply)."""
    ordered = path.start[:, STATUSES.index("C2")]
    applies = (destination == DESTINATIONS.index("home")) & (path.at(end - 1) == STATUSES.index("C2"))
    low, high = behaviour.value("placement.home_before_discharge_days", int(behaviour.profile.warm_up_from))
    day_home = end - within(streams("home before discharge").uniform(who.lead, who.entry), low, high)
    return np.where(applies, np.maximum(day_home, ordered), LATER).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything the filling of periods with stays looks at; arrays have one entry a period."""

    streams: Streams
    behaviour: Behaviour
    rules: _Rules
    who: Entrants
    key: NDArray[np.uint64]
    reference: Days
    steady: NDArray[np.int64]
    destination: NDArray[np.int8]
    end: Days
    until: Days
    path: LegalPath
    by_carer: NDArray[np.bool_]

    def fill(self, secure_inside: NDArray[np.bool_]) -> list[tuple[NDArray[Any], ...]]:
        """Return blocks of (period, first day, kind, location, slot), a block for the nth stay of every period."""
        at = self.who.entry.copy()
        kind_now = np.full(len(at), -1)
        slot_now = np.zeros(len(at))
        found: list[tuple[NDArray[Any], ...]] = []
        rows = np.arange(len(at))
        for step in range(_MOST_STAYS):
            rows = rows[at[rows] < self.until[rows]]
            if not len(rows):
                break
            start = at[rows]
            stop = self._stop(rows, start, step)
            kind = self._kind(rows, start, stop, kind_now[rows], first=step == 0)
            stop = self._longer_at_home(rows, start, stop, kind)
            location = _location(self.streams, self.behaviour, kind, self.key[rows], start, secure_inside[rows])
            slot = self.streams("address").uniform(self.key[rows], start)
            # A move is a move: a tenth of the addresses of its kind further at least.
            same = (kind == kind_now[rows]) & (np.abs(slot - slot_now[rows]) < _APART)
            slot = np.where(same, (slot_now[rows] + _APART + (1 - 2 * _APART) * slot) % 1.0, slot)
            found.append((rows, start, kind, location, slot))
            kind_now[rows], slot_now[rows], at[rows] = kind, slot, stop
        return found

    def _stop(self, rows: NDArray[np.int64], start: Days, step: int) -> Days:
        """Draw when stays end; the last possible one and those that nearly reach `until` go on to it."""
        means = self.behaviour.rows(
            "placement.mean_days", year_of(start), self.steady[rows], _STEADINESS, ("first", "later")
        )[:, min(step, 1)]
        u = self.streams("length of stay in placement").uniform(self.key[rows], start)
        length = np.minimum(2 + np.floor(-means * np.log(u)), _LONGEST).astype(np.int32)
        until = self.until[rows]
        stop = np.minimum(start + length, until)
        # Nobody moves just before a period ends: an order or a birthday is reached from a settled placement.
        least = self.behaviour.vector("placement.last_stay_at_least", self._base, DESTINATIONS)[self.destination[rows]]
        reaches = (until - stop < least) | (step == _MOST_STAYS - 1)
        return np.where(reaches, until, stop).astype(np.int32)

    def _longer_at_home(self, rows: NDArray[np.int64], start: Days, stop: Days, kind: NDArray[np.int64]) -> Days:
        """Let stays with parents last some times longer than others, where the law allows it all along."""
        times = self.behaviour.scalar("placement.parents_last_times", self._base)
        longer = start + np.minimum((stop - start) * times, _LONGEST).astype(np.int32)
        during = self.path.only(rows).during(start, longer)
        lawful = np.where(during, self.rules.allowed[:, _PARENTS], 1.0).min(axis=1) > 0
        # The last stay of a period is not reached this way: it has to suit where the period leads.
        least = self.behaviour.vector("placement.last_stay_at_least", self._base, DESTINATIONS)[self.destination[rows]]
        stays_on = (kind == _PARENTS) & lawful & (longer + least < self.until[rows])
        return np.where(stays_on, longer, stop).astype(np.int32)

    @property
    def _base(self) -> int:
        """The year that parameters which do not change are read in."""
        return self.behaviour.profile.warm_up_from

    def _kind(
        self, rows: NDArray[np.int64], start: Days, stop: Days, before: NDArray[np.int64], *, first: bool
    ) -> NDArray[np.int64]:
        """Choose a kind of placement for each stay; `before` is the kind of the stay just ended (-1: none)."""
        behaviour, rules, who, path = self.behaviour, self.rules, self.who.only(rows), self.path.only(rows)
        year = year_of(start)
        group = np.where(who.unaccompanied, len(BANDS), age_group(self.reference[rows], start))
        weights = behaviour.rows("placement.kind", year, group, _GROUPS, KINDS) * rules.after[before]
        if first:
            weights = weights * rules.first
        # The law: every status held during the stay must allow it.
        during = path.during(start, stop)
        lawful = np.where(during[:, :, None], rules.allowed[None], 1.0).min(axis=1)
        weights = np.where(during[:, [STATUSES.index("J1")]], weights * rules.on_remand, weights)
        age = age_on(who.birth, start)
        lawful *= rules.from_age[None, :] <= age[:, None]
        infant, parent = rules.family_centre_ages
        lawful[:, KINDS.index("family_centre")] *= (birthday(who.birth, infant + 1) > stop) | (age >= parent)
        ends_here = stop >= self.until[rows]
        before_carer = ends_here & self.by_carer[rows]
        # Prospective adopters who foster first go on to adopt.
        lawful[:, KINDS.index("concurrent")] *= (
            before_carer & (start >= rules.concurrent_from) & (age < rules.concurrent_under)
        )
        # Locked doors are for one child of a family.
        alone = who.lead == who.name
        for kind in ("secure", "custody"):
            lawful[:, KINDS.index(kind)] *= alone
        # Nobody moves from parents to parents.
        lawful[before == _PARENTS, _PARENTS] = 0.0
        lawful[ends_here & (stop < self.end[rows]) & (self.destination[rows] != _ADOPTED), _PARENTS] = 0.0
        # The length of stay, and where the period leads.
        bucket = np.searchsorted(behaviour.value("placement.length_bounds", self._base), stop - start, side="right")
        fit = behaviour.cells("placement.length_fit", year, bucket, KINDS, _LENGTHS)
        weights = weights * fit * lawful
        leads = behaviour.rows(
            "placement.last_kind", year, self.destination[rows].astype(np.int64), DESTINATIONS, KINDS
        )
        suits = np.where(before_carer[:, None], np.isin(np.arange(len(KINDS)), _FOSTER), leads)
        weighted = np.where((ends_here & (stop >= self.end[rows]) | before_carer)[:, None], weights * suits, weights)
        # Where nothing usual is lawful for the stay, a foster carer of the authority always is.
        stuck = weighted.sum(axis=1) == 0
        weighted[stuck, KINDS.index("la_foster")] = 1.0
        return choose(self.streams("kind of placement").uniform(self.key[rows], start), weighted)


class _Rules:
    """What the guidance allows, as masks over KINDS (rows: statuses) and lowest and highest ages."""

    def __init__(self, behaviour: Behaviour, guidance: Guidance) -> None:
        needs = guidance.allowed("placement_needs_legal_status")
        allows = guidance.allowed("legal_status_allows_placement")
        queried = guidance.allowed("legal_status_queried_with_placement")
        self.allowed = np.ones((len(STATUSES), len(KINDS)))
        for column, kind in enumerate(KINDS):
            for row, status in enumerate(STATUSES):
                for code in _CODES[kind]:
                    legal = (
                        (code not in needs or status in needs[code])
                        and (status not in allows or code in allows[status])
                        and (status not in queried or code not in queried[status])
                    )
                    self.allowed[row, column] *= legal
        base = behaviour.profile.warm_up_from
        # What the guidance tolerates as a rarity, or nobody would do, is not drawn either.
        for status, kinds in behaviour.value("placement.not_with_status", base).items():
            self.allowed[STATUSES.index(status), [KINDS.index(kind) for kind in kinds]] = 0.0
        self.on_remand = self._factors(behaviour.value("placement.on_remand", base))
        self.first = self._factors(behaviour.value("placement.first", base))
        # The last row stands for no placement before (index -1).
        self.after = np.ones((len(KINDS) + 1, len(KINDS)))
        for kind, factors in behaviour.value("placement.after", base).items():
            self.after[KINDS.index(kind)] = self._factors(factors)

        def age(code: str) -> int:
            found = [guidance.limit("PLACEMENT_TYPE_CODE", code, m) for m in ("min_age_years", "query_age_years")]
            return int(max((value for value in found if value is not None), default=0))

        self.from_age = np.array([max(age(code) for code in _CODES[kind]) for kind in KINDS])
        infants = guidance.limit("PLACEMENT_TYPE_CODE", "R3", "infant_max_age_years") or 1
        parents = guidance.limit("PLACEMENT_TYPE_CODE", "R3", "parent_min_age_years") or 12
        self.family_centre_ages = (int(infants), int(parents))
        first = guidance.limit_date("PLACEMENT_TYPE_CODE", "A8", "first_start_date")
        self.concurrent_under = behaviour.scalar("placement.concurrent_under_age", base)
        self.concurrent_from = 0 if first is None else day(first.year, first.month, first.day)

    @staticmethod
    def _factors(named: Mapping[str, float]) -> NDArray[np.float64]:
        """Return one factor a kind, one where none is named."""
        return np.array([named.get(kind, 1.0) for kind in KINDS])


def _location(
    streams: Streams,
    behaviour: Behaviour,
    kind: NDArray[np.int64],
    key: NDArray[np.uint64],
    start: Days,
    secure_inside: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Choose inside, elsewhere in Wales or beyond; a secure home is inside only where there is one."""
    names = (*KINDS, "adoption")
    weights = behaviour.rows("placement.location", year_of(start), kind, names, LOCATIONS)
    secure = kind == KINDS.index("secure")
    weights[secure & secure_inside] = (1.0, 0.0, 0.0)
    return choose(streams("location").uniform(key, start), weights)
