"""National figures counted from simulated lives, without writing returns: what the fit compares with the published.

Every figure is named as in figures.csv. One history serves all years: nothing that happened before a 31 March is
changed by what is lived after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import age_on, day_of_year_start, last_day, quarter_day
from synth.fit.odds import in_care_odds
from synth.lives.behaviour import Behaviour
from synth.lives.histories import live
from synth.lives.homes import Homes
from synth.lives.legal import LATER, STATUSES
from synth.lives.placements import ADOPTION, KINDS, LOCATIONS
from synth.lives.plans import NEEDS
from synth.lives.streams import Streams
from synth.lives.unfolding import Unfolding
from synth.returns.crcs import crcs_form
from synth.returns.endings import ending_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from synth.geography.authorities import Authority
    from synth.lives.histories import History
    from synth.lives.unfolding import Care
    from synth.profile import Profile

__all__ = ["COUNTED", "Count", "count_all"]

_MONTH = 30.4375
"""Days in a month on average."""
_TWO_YEARS = 730
_V2, _C1, _C2, _E1 = (STATUSES.index(code) for code in ("V2", "C1", "C2", "E1"))
_FOSTER = [KINDS.index(kind) for kind in ("kin", "la_foster", "agency_foster")]
_CONCURRENT, _PARENTS = KINDS.index("concurrent"), KINDS.index("parents")
_RESIDENTIAL = [KINDS.index(kind) for kind in ("home", "secure", "semi_independent")]

_ENDINGS = {
    "ending_adopted": ("E11", "E12"),
    "ending_returned_home": ("E4",),
    "ending_guardian_foster_carer": ("E43",),
    "ending_guardian_other": ("E44",),
    "ending_independent_supported": ("E5",),
    "ending_independent_unsupported": ("E6",),
    "ending_adult_services": ("E7",),
    "ending_custody": ("E9",),
    "ending_when_i_am_ready": ("E10",),
    "ending_any_other": ("E8",),
}
"""Reasons for ceasing behind each share of endings."""
_ENDING_COUNTS = {
    "adoptions": ("E11", "E12"),
    "ceased_home_or_other_guardian": ("E4", "E44"),
    "ceased_independent_living": ("E5", "E6"),
    "ceased_special_guardianship": ("E43", "E44"),
}
_AGES = {
    "age_under_1": (0, 1),
    "age_0_4": (0, 5),
    "age_1_4": (1, 5),
    "age_5_9": (5, 10),
    "age_10_15": (10, 16),
    "age_16_17": (16, 18),
}
"""Published age groups: from the first age (inclusive) to the second (exclusive)."""


@dataclass(frozen=True, slots=True)
class Count:
    """A figure of one simulated year and the standard error that chance gives it in a single run."""

    value: float
    error: float


def count_all(
    profile: Profile,
    authorities: Sequence[Authority],
    seed: int,
    wanted: Collection[tuple[str, int]],
) -> dict[tuple[str, int], Count]:
    """Simulate once up to the last year wanted and count every wanted (figure, year) that lives can tell.

    Figures not in COUNTED are left out of the answer. Shares are in percent.
    """
    years = sorted({year for name, year in wanted if name in COUNTED})
    found: dict[tuple[str, int], Count] = {}
    if not years:
        return found
    streams, behaviour = Streams(seed), Behaviour(profile)
    history = live(streams, behaviour, Homes(tuple(authorities)), years[-1])
    entered, unfolding = _Entered(), Unfolding(streams, behaviour)
    first = min(profile.years[0], years[0])
    for year in range(first, years[-1] + 1):
        names = {name for name, of in wanted if of == year and name in COUNTED}
        pooled = any(name in _POOLED and of >= year for name, of in wanted)
        if not names and not pooled:
            continue
        lived = _Lived(streams, behaviour, replace(history, year=year), unfolding.through(history, year))
        entered.add(lived.care)
        for part, makes in _PARTS.items():
            if names & part:
                found |= {(name, year): count for name, count in makes(lived) if name in names}
        if names & _POOLED:
            found |= {(name, year): count for name, count in entered.counts() if name in names}
    return found


def _share(flags: NDArray[np.bool_], weights: NDArray[np.float64] | None = None) -> Count:
    """Percent of flags that are set; the error is the binomial one."""
    n = max(len(flags), 1)
    share = float((flags if weights is None else flags * weights).sum()) / n
    # One more of each kind keeps the error of a share of nothing or all above zero.
    safe = (share * n + 1) / (n + 2)
    return Count(100.0 * share, 100.0 * math.sqrt(safe * (1 - safe) / n))


def _number(children: NDArray[Any]) -> Count:
    """How many; the error is that of independent rare events."""
    return Count(float(len(children)), math.sqrt(max(len(children), 1)))


def _mean_months(days: NDArray[Any]) -> Count:
    """Mean in months."""
    n = max(len(days), 1)
    mean = float(days.mean()) if len(days) else math.nan
    return Count(mean / _MONTH, (float(days.std()) if len(days) else 1.0) / math.sqrt(n) / _MONTH)


class _Lived:
    """One collection year of simulated lives and the arrays that several figures share."""

    def __init__(self, streams: Streams, behaviour: Behaviour, history: History, care: Care) -> None:
        self.streams, self.behaviour, self.history, self.care = streams, behaviour, history, care
        self.year = care.year
        self.first, self.last = day_of_year_start(care.year), last_day(care.year)
        self.child = care.period["child"]
        episodes = care.episodes
        self.open = episodes.only((episodes.start <= self.last) & (episodes.end > self.last))
        self.ended = (care.period["end"] >= self.first) & (care.period["end"] <= self.last)

    def stock_age(self) -> NDArray[np.int32]:
        """Ages in completed years of the children looked after on 31 March."""
        return age_on(self.care.who.birth[self.open.period], self.last)


def _legal(lived: _Lived) -> Iterator[tuple[str, Count]]:
    legal = lived.open.legal
    yield "legal_care_order", _share(np.isin(legal, [_C1, _C2]))
    yield "legal_section_76", _share(legal == _V2)
    yield "legal_remand", _share(np.isin(legal, [STATUSES.index(code) for code in ("J1", "L1", "L2")]))
    yield "legal_other", _share(legal == _E1)


def _placements(lived: _Lived) -> Iterator[tuple[str, Count]]:
    stays, open_now = lived.care.stays, lived.open
    here = open_now.away < 0
    kind, location = stays.kind[open_now.stay], stays.location[open_now.stay]
    foster = np.isin(kind, _FOSTER) & here
    family = foster | ((kind == _CONCURRENT) & here)
    parents, adopted = (kind == _PARENTS) & here, (kind == ADOPTION) & here
    residential = np.isin(kind, _RESIDENTIAL) & here
    kin = kind == KINDS.index("kin")
    yield "placement_foster", _share(family)
    yield "placement_parents", _share(parents)
    yield "placement_residential", _share(residential)
    yield "placement_adoption", _share(adopted)
    yield "placement_other", _share(~(family | parents | adopted | residential))
    yield "kinship_share_of_foster", _share(kin[foster])
    yield "agency_share_of_foster", _share((kind == KINDS.index("agency_foster"))[foster])
    # Where the postcodes of adopters are left out, nothing tells that they live inside the authority.
    left_out = lived.behaviour.scalar("placement.adoption_postcode_left_out_share", lived.behaviour.profile.years[0])
    told = np.where(adopted, 1.0 - left_out, 1.0)
    inside, in_wales, outside = ((location == n) & here for n in range(len(LOCATIONS)))
    yield "foster_inside_home_authority", _share(inside[foster])
    yield "inside_home_authority", _share(inside, told)
    yield "outside_authority_in_wales", _share(in_wales)
    yield "outside_wales", _share(outside)
    yield "not_with_family", _share(~(parents | (kin & here)))
    yield "three_or_more_placements", _share(_placed_in_year(lived)[lived.child[open_now.period]] >= 3)  # noqa: PLR2004


def _placed_in_year(lived: _Lived) -> NDArray[np.int64]:
    """Placements of every child in the year: the one in force when it began, then each new one.

    Going missing and coming back are no placements.
    """
    shown = lived.care.in_year()
    gone = shown.away >= 0
    back = np.append(False, gone[:-1] & (shown.period[1:] == shown.period[:-1])) & shown.new_place & ~shown.new_legal
    fresh = (shown.first | shown.new_place) & (shown.start >= lived.first) & ~gone & ~back
    counted = fresh | (shown.start < lived.first)
    children = lived.child[shown.period]
    return np.bincount(children[counted], minlength=len(lived.history.children["name"]))


def _ages(lived: _Lived) -> Iterator[tuple[str, Count]]:
    age, children = lived.stock_age(), lived.history.children
    for name, (low, high) in _AGES.items():
        yield name, _share((age >= low) & (age < high))
    rows = lived.child[lived.open.period]
    yield "boys", _share(children["sex"][rows] == 1)
    yield "unaccompanied", _share(children["unaccompanied"][rows])
    series = lived.history.series
    yield "short_breaks", _number(np.flatnonzero((series["start"] <= lived.last) & (series["end"] > lived.last)))


def _starts(lived: _Lived) -> Iterator[tuple[str, Count]]:
    period = lived.care.period
    new = (period["start"] >= lived.first) & (period["start"] <= lived.last)
    yield "starts", _number(np.unique(lived.child[new]))
    need = lived.history.children["need"][lived.child[new]]
    yield "starts_abuse_or_neglect", _share(need == NEEDS.index("N1"))
    yield "ever_looked_after", _number(np.unique(lived.child))


def _endings(lived: _Lived) -> Iterator[tuple[str, Count]]:
    care = lived.care
    code = ending_codes(lived.streams, lived.behaviour, lived.history, care)[lived.ended]
    yield "leavers", _number(np.unique(lived.child[lived.ended]))
    for name, codes in _ENDINGS.items():
        yield name, _share(np.isin(code, codes))
    for name, codes in _ENDING_COUNTS.items():
        yield name, _number(np.flatnonzero(np.isin(code, codes)))
    shown = care.in_year()
    finished = shown.end <= lived.last
    yield "episodes_followed_by_another", _share(~shown.last[finished])
    adopted = np.flatnonzero(lived.ended)[np.isin(code, _ENDINGS["ending_adopted"])]
    placed, order = care.path.placed[adopted], care.path.start[adopted, _E1]
    yield "adoption_months_entry_to_placement", _mean_months(placed - care.who.entry[adopted])
    ordered = order < LATER
    yield "adoption_months_order_to_placement", _mean_months((placed - order)[ordered])


def _census(lived: _Lived) -> Iterator[tuple[str, Count]]:
    """Count the care and support census: the three-month rule on 31 March, whatever the year's way of collecting."""
    history, last = lived.history, lived.last
    plans = history.plans
    held = plans["end"] > last
    returned = plans["child"][(plans["start"] <= quarter_day(lived.year)) & held]
    cared, listed = (_touched(history, spells, last) for spells in (history.periods, history.registrations))
    looked_after, register = cared[returned], listed[returned]
    yield "crcs_looked_after", _share(looked_after)
    yield "crcs_both", _share(looked_after & register)
    yield "crcs_register_only", _share(register & ~looked_after)
    yield "crcs_neither", _share(~register & ~looked_after)
    yield "crcs_abuse_or_neglect", _share(history.children["need"][returned] == NEEDS.index("N1"))
    yield "crcs_register_boys", _share(history.children["sex"][returned[register]] == 1)
    yield "plans_on_the_day", _number(np.unique(plans["child"][(plans["start"] <= last) & held]))


def _touched(history: History, spells: dict[str, NDArray[Any]], day: int) -> NDArray[np.bool_]:
    """Say of every child whether a spell is open on a day."""
    found = np.zeros(len(history.children["name"]), bool)
    found[spells["child"][(spells["start"] <= day) & (spells["end"] > day)]] = True
    return found


def _recorded(lived: _Lived) -> Iterator[tuple[str, Count]]:
    """Count flags of the care and support return."""
    form = crcs_form(lived.streams, lived.behaviour, lived.history, lived.care).columns
    disabled = form["DISABILITY_NONE"] == "0"
    yield "crcs_any_disability", _share(disabled)
    yield "crcs_parental_mental_ill_health", _share(form["PARENTING_CAPACITY_MENTAL_ILL_HEALTH"] == "1")
    yield "crcs_risk_perception", _share((form["DISABILITY_PERCEPTION_RISK_DANGER"] == "1")[disabled])
    yield from ((name, Count(*odds)) for name, odds in in_care_odds(form, disabled).items())


class _Entered:
    """Children entering care for the first time in any of several years: how they came."""

    def __init__(self) -> None:
        self._blocks: list[dict[str, NDArray[Any]]] = []

    def add(self, care: Care) -> None:
        """Take in the first entries of a year."""
        entry = care.who.entry
        new = (entry >= day_of_year_start(care.year)) & (entry <= last_day(care.year)) & (care.who.number == 0)
        rows = np.flatnonzero(new)
        start, end = care.path.start[rows], care.period["end"][rows]
        ordered = start[:, [_C1, _C2, _E1]].min(axis=1)
        stays = care.stays
        first = np.searchsorted(stays.period, rows)
        self._blocks.append(
            {
                "age": age_on(care.who.birth[rows], entry[rows]),
                "days": entry[rows] - care.who.birth[rows],
                "route": care.path.at(entry)[rows],
                "ordered": (ordered <= entry[rows] + _TWO_YEARS) & (ordered < end),
                "kind": stays.kind[first],
            }
        )

    def counts(self) -> Iterator[tuple[str, Count]]:
        """Count figures of studies that pool many years of entry, over the years taken in so far."""
        age, days, route, ordered, kind = (
            np.concatenate([block[name] for block in self._blocks])
            for name in ("age", "days", "route", "ordered", "kind")
        )
        # The studies of infants look at agreement and interim orders alone.
        infant = (age == 0) & np.isin(route, [_V2, _C1])
        agreed = infant & (route == _V2)
        yield "infants_by_agreement", _share(agreed[infant])
        yield "infants_ordered_within_two_years", _share(ordered[agreed])
        yield "infants_newborn", _share((days < 14)[infant])  # noqa: PLR2004  the study's newborns are under two weeks
        teen = age >= 10  # noqa: PLR2004  the study's adolescents
        yield "adolescents_by_agreement", _share((route == _V2)[teen])
        yield "adolescents_by_interim_order", _share((route == _C1)[teen])
        fostered = np.isin(kind, [KINDS.index("la_foster"), KINDS.index("agency_foster")])
        yield "adolescents_first_with_unrelated_carers", _share(fostered[teen & (route == _V2)])


_POOLED = frozenset(
    {
        "infants_by_agreement",
        "infants_ordered_within_two_years",
        "infants_newborn",
        "adolescents_by_agreement",
        "adolescents_by_interim_order",
        "adolescents_first_with_unrelated_carers",
    }
)
_PARTS: dict[frozenset[str], Callable[[_Lived], Iterator[tuple[str, Count]]]] = {
    frozenset({"legal_care_order", "legal_section_76", "legal_remand", "legal_other"}): _legal,
    frozenset(
        {
            "placement_foster", "placement_parents", "placement_residential", "placement_adoption", "placement_other",
            "kinship_share_of_foster", "agency_share_of_foster", "foster_inside_home_authority",
            "inside_home_authority", "outside_authority_in_wales", "outside_wales", "not_with_family",
            "three_or_more_placements",
        }
    ): _placements,
    frozenset({*_AGES, "boys", "unaccompanied", "short_breaks"}): _ages,
    frozenset({"starts", "starts_abuse_or_neglect", "ever_looked_after"}): _starts,
    frozenset(
        {
            *_ENDINGS, *_ENDING_COUNTS, "leavers", "episodes_followed_by_another",
            "adoption_months_entry_to_placement", "adoption_months_order_to_placement",
        }
    ): _endings,
    frozenset(
        {
            "crcs_looked_after", "crcs_both", "crcs_register_only", "crcs_neither", "crcs_abuse_or_neglect",
            "crcs_register_boys", "plans_on_the_day",
        }
    ): _census,
    frozenset(
        {
            "crcs_any_disability", "crcs_parental_mental_ill_health", "crcs_risk_perception",
            "odds_in_care_mental_health", "odds_in_care_parental_mental_ill_health",
            "odds_in_care_parental_substance_misuse", "odds_in_care_parental_learning_disability",
            "odds_in_care_domestic_abuse",
        }
    ): _recorded,
}  # fmt: skip
"""Which figures each way of counting gives."""

COUNTED = frozenset(_POOLED.union(*_PARTS))
"""Names of all figures that can be counted."""
