"""The Children Receiving Care and Support return: a census-date file, as to 2022-23, or an all-year file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import age_on, day_of_year_start, last_day, quarter_day, year_code
from synth.guidance import ALL_YEAR, Guidance, load
from synth.lives.draw import choose
from synth.lives.legal import STATUSES as LEGAL
from synth.lives.people import ETHNICITIES
from synth.lives.placements import KINDS
from synth.lives.plans import CLOSURES, NEEDS
from synth.returns.columns import Form, Sheet, dates, numbers, yes_no
from synth.returns.roster import Roster, call, subjects
from synth.returns.traits import DISABILITIES, PARENTAL, STATUSES, traits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.streams import Streams
    from synth.lives.unfolding import Care

__all__ = ["crcs_form"]

_CATEGORIES = (
    "CPR_NEGLECT",
    "CPR_PHYSICAL_ABUSE",
    "CPR_SEXUAL_ABUSE",
    "CPR_FINANCIAL_ABUSE",
    "CPR_EMOTIONAL_ABUSE",
)


@dataclass(frozen=True, slots=True)
class _Standing:
    """How returned children stand on 31 March; arrays of one length.

    `plan` is the row of the plan returned, `registration` that of the open registration (-1: not on the register).
    """

    child: NDArray[np.int64]
    plan: NDArray[np.int64]
    active: NDArray[np.bool_]
    looked_after: NDArray[np.bool_]
    registration: NDArray[np.int64]

    def only(self, rows: NDArray[np.int64]) -> _Standing:
        """Return the children at some rows, in that order."""
        return _Standing(*(getattr(self, column)[rows] for column in self.__slots__))


def crcs_form(streams: Streams, behaviour: Behaviour, history: History, care: Care, mode: str = "") -> Sheet:
    """Return the file of the history's year, ordered by authority and child, collected as `mode` or as the year was.

    Census-date mode returns children under 18 whose plan was in place on or before 1 January and still is on
    31 March; all-year mode everyone with a plan open on any day of the year, with the latest plan.
    """
    guidance = load("crcs", history.year, mode)
    standing = _standing(history, whole_year=guidance.mode == ALL_YEAR)
    roster = call(streams, behaviour, history, standing.child)
    order = np.lexsort((roster.local_id, roster.home))
    roster, standing = roster.only(order), standing.only(order)
    form = (
        _person(history, standing, roster, streams, behaviour)
        | _register(streams, behaviour, history, standing)
        | _recorded(streams, behaviour, history, care, standing, roster, guidance)
    )
    if guidance.mode == ALL_YEAR:
        form |= _plan_items(history, standing)
    return Sheet({item.name: form[item.name] for item in guidance.items("crcs")}, roster.home, standing.child)


def _standing(history: History, *, whole_year: bool) -> _Standing:
    year, plans = history.year, history.plans
    first, last = day_of_year_start(year), last_day(year)
    if whole_year:
        shown = np.flatnonzero((plans["start"] <= last) & (plans["end"] >= first))
        # A reopened case returns its latest continuous period.
        shown = shown[np.lexsort((plans["start"][shown], plans["child"][shown]))]
        latest = np.append(plans["child"][shown][1:] != plans["child"][shown][:-1], True)
        plan = shown[latest]
    else:
        plan = np.flatnonzero((plans["start"] <= quarter_day(year)) & (plans["end"] > last))
    child = plans["child"][plan]
    active = plans["end"][plan] > last
    registrations = history.registrations
    listed = np.full(len(history.children["name"]), -1)
    open_now = np.flatnonzero((registrations["start"] <= last) & (registrations["end"] > last))
    listed[registrations["child"][open_now]] = open_now
    return _Standing(child, plan, active, _in_care(history)[child] & active, np.where(active, listed[child], -1))


def _in_care(history: History) -> NDArray[np.bool_]:
    """Say of every child whether it is looked after on 31 March (short breaks do not count)."""
    last = last_day(history.year)
    periods = history.periods
    open_now = (periods["start"] <= last) & (periods["end"] > last)
    found = np.zeros(len(history.children["name"]), bool)
    found[periods["child"][open_now]] = True
    return found


def _person(history: History, standing: _Standing, roster: Roster, streams: Streams, behaviour: Behaviour) -> Form:
    n, child = len(standing.child), history.children
    alone = child["unaccompanied"][standing.child]
    shares = behaviour.vector("asylum.family_share", history.year, ETHNICITIES)[child["ethnic"][standing.child]]
    family = streams("asylum-seeking family").uniform(child["family"][standing.child]) < shares
    return {
        "YEAR_CODE": np.full(n, year_code(history.year)),
        "LOCAL_AUTHORITY_CODE": roster.code,
        "CHILD_CODE": roster.local_id,
        "UPN": roster.upn,
        "DATE_OF_BIRTH": dates(roster.birth),
        "GENDER": numbers(roster.sex),
        "ETHNIC_ORIGIN_CODE": roster.ethnicity,
        "ASYLUM_SEEKER_CODE": np.where(alone, "1", np.where(family, "2", "0")),
        "LOOKED_AFTER_CHILD": yes_no(standing.looked_after),
        "CATEGORY_OF_NEED_CODE": np.array(NEEDS)[child["need"][standing.child]],
        "DATE_OF_DATA_COLLECTION": np.full(n, f"01/05/{history.year}"),
        "HOME_POSTCODE": roster.home_postcode,
    }


def _register(streams: Streams, behaviour: Behaviour, history: History, standing: _Standing) -> Form:
    """Register flag, date and categories: the first, and for some a second one; brothers and sisters share them."""
    on, year = standing.registration >= 0, history.year
    start = history.registrations["start"][standing.registration] if on.any() else np.zeros(len(on), np.int32)
    family = history.children["family"][standing.child]
    first = choose(
        streams("register category").uniform(family, start),
        behaviour.vector("register.category", year, _CATEGORIES),
    )
    weights = np.tile(behaviour.vector("register.second_category", year, _CATEGORIES), (len(on), 1))
    weights[np.arange(len(on)), first] = 0.0
    second = choose(streams("second category").uniform(family, start), weights)
    both = streams("two categories").uniform(family, start) < behaviour.scalar("register.second_category_share", year)
    form = {"CHILD_PROTECTION_REGISTER": yes_no(on), "CPR_DATE": dates(start, on)}
    for column, name in enumerate(_CATEGORIES):
        form[name] = np.where(on, yes_no((first == column) | (both & (second == column))), "")
    return form


def _recorded(
    streams: Streams,
    behaviour: Behaviour,
    history: History,
    care: Care,
    standing: _Standing,
    roster: Roster,
    guidance: Guidance,
) -> Form:
    """Items of need, disability, health and parents, with the age limits of the guidance."""
    on = standing.registration >= 0
    status = np.select([standing.looked_after, on], [STATUSES.index("looked_after"), STATUSES.index("register")], 2)
    remanded = np.isin(standing.child, _remanded(care))
    counted = standing.active & (history.plans["start"][standing.plan] <= quarter_day(history.year))
    who = subjects(history, standing.child, roster, status, on, remanded, counted)
    found = traits(streams, behaviour, who, history.year)
    form: Form = {"LANGUAGE": found.language, "HEALTH_AUTISTIC_SPECTRUM_DISORDER": yes_no(found.autism)}
    form |= found.health
    form["DISABILITY_NONE"] = yes_no(np.asarray(~found.disabilities.any(axis=1)))
    form |= {f"DISABILITY_{kind}": yes_no(found.disabilities[:, n]) for n, kind in enumerate(DISABILITIES)}
    form |= {f"PARENTING_CAPACITY_{factor}": yes_no(found.parental[:, n]) for n, factor in enumerate(PARENTAL)}
    age = age_on(roster.birth, last_day(history.year))
    for item in guidance.items("crcs"):
        if item.outside_age_code and item.name in form:
            low = item.min_age if item.min_age is not None else 0
            high = item.max_age if item.max_age is not None else 99
            applies = (age >= low) & (age <= high)
            form[item.name] = np.where(applies, form[item.name], item.outside_age_code)
    return form


def _remanded(care: Care) -> NDArray[np.int64]:
    """Return children on remand, in a secure home or in custody at some time in the year."""
    episodes = care.in_year()
    kind = care.stays.kind[episodes.stay]
    held = np.isin(kind, [KINDS.index("secure"), KINDS.index("custody")])
    return np.asarray(care.period["child"][episodes.period[held | (episodes.legal == LEGAL.index("J1"))]])


def _plan_items(history: History, standing: _Standing) -> Form:
    """Items of the all-year mode: plan dates, whether it is active, why it closed, and the year's statuses."""
    plans, first, last = history.plans, day_of_year_start(history.year), last_day(history.year)
    closed = ~standing.active

    def touched(spells: dict[str, NDArray[np.int64]]) -> NDArray[np.bool_]:
        during = np.zeros(len(history.children["name"]), bool)
        during[spells["child"][(spells["start"] <= last) & (spells["end"] >= first)]] = True
        return during[standing.child]

    return {
        "PLAN_START_DATE": dates(plans["start"][standing.plan]),
        "PLAN_ACTIVE_31_MARCH": yes_no(standing.active),
        "PLAN_CLOSED_DATE": dates(plans["end"][standing.plan], closed),
        "REASON_FOR_CLOSURE": np.where(closed, np.array(CLOSURES)[plans["ends_because"][standing.plan]], ""),
        "CPR_DURING_YEAR": yes_no(touched(history.registrations)),
        "LOOKED_AFTER_DURING_YEAR": yes_no(touched(history.periods)),
    }
