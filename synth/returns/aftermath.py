"""Adoption and care-leaver files: what is recorded once a period of care has ceased in the year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import age_on, birthday, day_of_year_start, last_day
from synth.lives.draw import choose, within
from synth.lives.legal import LATER, STATUSES
from synth.lives.people import MALE
from synth.lives.periods import DESTINATIONS
from synth.lives.placements import KINDS
from synth.returns.columns import Sheet, dates, numbers, yes_no
from synth.returns.roster import Roster, subjects
from synth.returns.traits import disabled
from synth.working_days import previous_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.streams import Streams
    from synth.lives.unfolding import Care

__all__ = ["adoptions", "care_leavers"]

_ADOPTERS = ("MF", "MM", "FF", "M1", "F1")
_LEGAL = ("L0", "L11", "L12", "L2", "L3", "L4")
_LEAVER_AGE = 16
_WITH_PARENTS = ("B1", "B2")
_NOT_LEAVERS = ("E2", "E3", "E11", "E12")
"""Ways of ceasing that leave no care leaver: death, another authority, adoption."""


def _ended(care: Care) -> NDArray[np.bool_]:
    end = care.period["end"]
    return np.asarray((end >= day_of_year_start(care.year)) & (end <= last_day(care.year)))


def adoptions(streams: Streams, behaviour: Behaviour, care: Care, position: NDArray[np.int64], roster: Roster) -> Sheet:
    """Return a record for every child adopted in the year; `position` maps children to rows of the roster."""
    chosen = np.flatnonzero(_ended(care) & (care.period["destination"] == DESTINATIONS.index("adoption")))
    place = position[care.period["child"][chosen]]
    chosen, place = chosen[np.argsort(place)], np.sort(place)
    lead = care.who.lead[chosen]
    year, base = care.year, behaviour.profile.warm_up_from
    entry, placed, adopted = care.who.entry[chosen], care.path.placed[chosen], care.period["end"][chosen]
    order = care.path.start[chosen, STATUSES.index("E1")]
    # The decision comes before the court's placement order; with parental consent, before the match.
    consent = placed - int(behaviour.scalar("adoption.consent_before_placement_days", base))
    before = np.where(order < LATER, order, consent)
    low, high = behaviour.value("adoption.decision_before_order_days", base)
    decision = np.maximum(before - within(streams("decision").uniform(lead, entry), low, high), entry)
    decision = np.maximum(previous_working_day(decision), entry)
    low, high = behaviour.value("adoption.match_before_placement_days", base)
    match = np.maximum(placed - within(streams("match").uniform(lead, entry), low, high), decision)
    match = np.maximum(previous_working_day(match), decision)
    # Brothers and sisters placed on one day go to the same adopters.
    kind = choose(streams("adopters").uniform(lead, placed), behaviour.vector("adopters.kind", year, _ADOPTERS))
    status = choose(
        streams("adopters' status").uniform(lead, placed),
        behaviour.table("adopters.legal_status", year, _ADOPTERS, _LEGAL)[kind],
    )
    sexes = np.array(_ADOPTERS)[kind]
    columns = {
        "LOCAL_AUTHORITY_CODE": roster.code[place],
        "SYSTEM_ID": roster.local_id[place],
        "DATE_LATEST_CARE": dates(entry),
        "DATE_DECISION": dates(decision),
        "DATE_MATCH": dates(match),
        "DATE_PLACED": dates(placed),
        "DATE_ADOPTED": dates(adopted),
        "FOSTER_CARE": yes_no(care.last(care.stays.by_carer)[chosen]),
        "NB_ADOPTR": np.where(np.isin(sexes, ["M1", "F1"]), "1", "2"),
        "SEX_ADOPTR": sexes,
        "LS_ADOPTR": np.array(_LEGAL)[status],
    }
    return Sheet(columns, roster.home[place])


def care_leavers(
    streams: Streams,
    behaviour: Behaviour,
    history: History,
    care: Care,
    reason: NDArray[np.str_],
    position: NDArray[np.int64],
    roster: Roster,
) -> Sheet:
    """Return a record for every young person who ceased to be looked after in the year aged 16 or over.

    `reason` says why each period of care ceases; `position` maps children to rows of the roster.
    """
    birth, end = care.who.birth, care.period["end"]
    # Someone looked after again by 31 March has not left care.
    child = care.period["child"]
    here = np.zeros(len(position), np.bool_)
    here[child[end > last_day(care.year)]] = True
    grown = age_on(birth, end) >= _LEAVER_AGE
    chosen = np.flatnonzero(_ended(care) & grown & ~np.isin(reason, _NOT_LEAVERS) & ~here[child])
    # Who left twice in a year has one record, of the last time.
    chosen = chosen[np.lexsort((end[chosen], position[child[chosen]]))]
    place = position[child[chosen]]
    final = np.append(place[1:] != place[:-1], True) if len(place) else np.zeros(0, bool)
    chosen, place = chosen[final], place[final]
    name, why, base = care.who.name[chosen], reason[chosen], behaviour.profile.warm_up_from
    accommodation = np.full(len(chosen), "  ")
    alone = care.who.unaccompanied[chosen]
    for code, weights in behaviour.value("leavers.accommodation", base).items():
        rows = why == code
        options = tuple(weights)
        table = np.tile(_in_own_order(weights), (int(rows.sum()), 1))
        # Unaccompanied young people have no parents here to live with.
        with_parents = np.array([option in _WITH_PARENTS for option in options])
        if not with_parents.all():
            table[np.ix_(alone[rows], with_parents)] = 0.0
        accommodation[rows] = np.array(options)[choose(streams("accommodation").uniform(name[rows]), table)]
    # Who lived with parents to the last and did not move out stays with them.
    last_kind = care.last(care.stays.kind)[chosen]
    at_home = (last_kind == KINDS.index("parents")) & np.isin(why, ["E4", "E8"])
    options = behaviour.value("leavers.stays_with_parents", base)
    drawn = choose(streams("accommodation").uniform(name[at_home]), _in_own_order(options))
    accommodation[at_home] = np.array(tuple(options))[drawn]
    activity = _activity(streams, behaviour, history, care, chosen, roster.only(place))
    columns = {
        "LOCAL_AUTHORITY_CODE": roster.code[place],
        "SYSTEM_ID": roster.local_id[place],
        "DATE_CEASED": dates(end[chosen]),
        "ACCOM": np.char.strip(accommodation),
        "ACTIV": activity,
        "CATEGORY_YP": numbers(_category(behaviour, care, chosen, why)),
        "PATHWAY_PLAN": yes_no(
            streams("pathway plan").uniform(name) < behaviour.scalar("leavers.pathway_plan_share", base)
        ),
        "PERSONAL_ADVISER": yes_no(
            streams("personal adviser").uniform(name) < behaviour.scalar("leavers.personal_adviser_share", base)
        ),
    }
    return Sheet(columns, roster.home[place])


def _activity(
    streams: Streams,
    behaviour: Behaviour,
    history: History,
    care: Care,
    chosen: NDArray[np.int64],
    roster: Roster,
) -> NDArray[np.str_]:
    """Draw what young people do on leaving: by sex, by disability, and no higher education before 18."""
    base = behaviour.profile.warm_up_from
    children = care.period["child"][chosen]
    options = tuple(behaviour.value("leavers.activity", base))
    weights = np.tile(behaviour.vector("leavers.activity", base, options), (len(chosen), 1))
    n = len(children)
    nobody = np.zeros(n, bool)
    who = subjects(history, children, roster, np.zeros(n, np.int64), nobody, nobody, ~nobody)
    impaired, _ = disabled(streams, behaviour, who, care.year)
    young = care.period["end"][chosen] < birthday(care.who.birth[chosen], 18) - 1
    groups = {"before_18": young, "boys": who.sex == MALE, "girls": who.sex != MALE, "disabled": impaired}
    for name, factors in behaviour.value("leavers.activity_factors", base).items():
        for code, factor in factors.items():
            weights[groups[name], options.index(code)] *= factor
    return np.array(options)[choose(streams("activity").uniform(care.who.name[chosen]), weights)]


def _in_own_order(weights: dict[str, float]) -> NDArray[np.float64]:
    """Return weights in their own order."""
    return np.array(list(weights.values()), dtype=np.float64)


def _category(behaviour: Behaviour, care: Care, chosen: NDArray[np.int64], why: NDArray[np.str_]) -> NDArray[np.int64]:
    """Category of young person under section 104: 2 or 3 after the prescribed time in care, 5 with a guardian, else 6.

    The prescribed time counts from the 14th birthday and has to reach past the 16th; the eve of the 18th birthday
    counts as leaving as an adult (3).
    """
    birth, entry, end = care.who.birth[chosen], care.who.entry[chosen], care.period["end"][chosen]
    days = end - np.maximum(entry, birthday(birth, 14))
    enough = (days >= behaviour.scalar("leavers.prescribed_days", behaviour.profile.warm_up_from)) & (
        end > birthday(birth, _LEAVER_AGE)
    )
    adult = end >= birthday(birth, 18) - 1
    qualified = np.where(adult, 3, 2)
    return np.where(np.isin(why, ["E43", "E44"]), 5, np.where(enough, qualified, 6))
