"""Edges of what the returns say: ages, days and shares on which a code, a number or a mark hangs."""

from types import SimpleNamespace

import numpy as np
import pytest
from chance import fits_share
from test_addresses import BEYOND
from test_traits import N1, children

from synth.dates import birthday, day, last_day
from synth.geography.areas import areas
from synth.geography.authorities import parse_authorities
from synth.lives.histories import live
from synth.lives.homes import Homes
from synth.lives.people import MALE
from synth.lives.placements import ADOPTION, KINDS
from synth.lives.streams import Streams
from synth.returns.addresses import placement_postcodes
from synth.returns.aftermath import _category
from synth.returns.crcs import _CATEGORIES, _register
from synth.returns.roster import call
from synth.returns.short_breaks import short_break_episodes
from synth.returns.traits import STATUSES, traits

YEAR = 2017


@pytest.fixture(scope="module")
def history(behaviour):
    return live(Streams(3), behaviour, Homes(parse_authorities("Torfaen,Powys")), YEAR)


# -- care leavers ------------------------------------------------------------------------------------------------


def test_categories_of_young_people_hang_on_the_days_in_care_after_14_and_past_16(behaviour):
    """Section 104: 13 weeks from the 14th birthday on, ending after the 16th; 3 from the eve of the 18th birthday."""
    born = day(2000, 5, 9)
    at = {age: int(birthday(np.array([born]), age)[0]) for age in (14, 16, 18)}
    weeks = int(behaviour.scalar("leavers.prescribed_days", YEAR))
    assert weeks == 91
    cases = [
        (at[16] + 1 - weeks, at[16] + 1, "E8", 2),
        (at[16] + 2 - weeks, at[16] + 1, "E8", 6),
        (at[14] - 300, at[16], "E8", 6),
        (at[14] - 300, at[16] + 1, "E8", 2),
        (at[18] - 92, at[18] - 2, "E8", 6),
        (at[18] - 93, at[18] - 2, "E4", 2),
        (at[18] - 92, at[18] - 1, "E8", 3),
        (at[18] - 91, at[18] - 1, "E8", 6),
        (at[14] - 300, at[18] - 1, "E43", 5),
        (at[14] - 300, at[16] + 9, "E44", 5),
    ]
    entry, end, why, expected = zip(*cases, strict=True)
    who = SimpleNamespace(birth=np.full(len(cases), born), entry=np.array(entry))
    care = SimpleNamespace(who=who, period={"end": np.array(end)})
    found = _category(behaviour, care, np.arange(len(cases)), np.array(why))
    assert found.tolist() == list(expected)


# -- addresses ---------------------------------------------------------------------------------------------------


def test_authorities_that_place_in_the_same_english_districts_use_addresses_of_their_own():
    """Of authorities of one size the same address of the same kind would be one and the same otherwise."""
    order = np.repeat(np.arange(22), ADOPTION + 1)
    kind = np.tile(np.arange(ADOPTION + 1), 22)
    n = len(order)
    per_100 = dict.fromkeys((*KINDS, "adoption"), 0.0)
    how = (np.full(22, 100), per_100, 0.5, order, kind, np.full(n, BEYOND), np.full(n, 0.5))
    found = placement_postcodes(Streams(1), *how, np.zeros(n, np.uint64), np.full(n, day(2016, 5, 4), np.int32))
    assert len(set(areas().english)) < 22
    assert len(set(found.tolist())) == n


# -- pupil numbers -----------------------------------------------------------------------------------------------


def test_who_comes_alone_has_a_pupil_number_only_if_of_school_age_on_arrival(history, behaviour):
    """Up to the eve of the 16th birthday; a child of the place has one from the fifth birthday on."""
    child = dict(history.children)
    rows = np.arange(400)
    child["birth"] = child["birth"].copy()
    child["birth"][rows] = day(1999, 11, 20) + rows
    sixteen = birthday(child["birth"][rows], 16)
    child["unaccompanied"] = child["unaccompanied"].copy()
    child["unaccompanied"][rows] = True
    child["care_start"] = child["care_start"].copy()
    child["care_start"][rows] = sixteen - 2 + rows % 4
    made = call(Streams(3), behaviour, SimpleNamespace(children=child, homes=history.homes, year=YEAR), rows)
    arrived = child["care_start"][rows]
    assert ((made.upn != "") == ((arrived < sixteen) & (arrived <= last_day(YEAR)))).all()
    assert (made.upn != "").any()
    child["unaccompanied"][rows] = False
    child["birth"][rows] = day(2011, 11, 20) + rows
    made = call(Streams(3), behaviour, SimpleNamespace(children=child, homes=history.homes, year=YEAR), rows)
    assert (made.upn != "")[birthday(child["birth"][rows], 5) <= last_day(YEAR)].all()


# -- the register ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.1, 0.7])
def test_as_many_are_on_the_register_under_two_categories_as_the_profile_says(changed, share):
    n = 6000
    behaviour = changed(register__second_category_share=share)
    on = np.arange(n) % 3 > 0
    history = SimpleNamespace(
        year=YEAR,
        registrations={"start": np.full(n, day(2016, 9, 1), np.int32)},
        children={"family": np.arange(n, dtype=np.uint64)},
    )
    standing = SimpleNamespace(registration=np.where(on, np.arange(n), -1), child=np.arange(n))
    form = _register(Streams(5), behaviour, history, standing)
    marks = np.stack([form[name] for name in _CATEGORIES])
    assert (marks[:, ~on] == "").all()
    assert np.isin(marks[:, on], ["0", "1"]).all()
    categories = (marks[:, on] == "1").sum(axis=0)
    assert set(categories.tolist()) == {1, 2}
    assert fits_share(categories == 2, share)


# -- short breaks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("nights", "most"), [(1, 120), (7, 17), (17, 7), (28, 4)])
def test_short_breaks_of_a_year_never_add_up_to_more_than_120_days(changed, history, nights, most):
    """However many are asked for: as many whole breaks as fit into the days that the regulations allow."""
    often = changed(short_breaks__days_a_break=[nights, nights], short_breaks__breaks_a_year=[365, 365])
    found = short_break_episodes(Streams(2), often, history, YEAR)
    assert (found.breaks <= most).all()
    first, last = last_day(YEAR - 1) + 1, last_day(YEAR)
    all_year = (found.start <= first) & (found.end >= last)
    assert all_year.any()
    assert (found.breaks[all_year] == most).all()
    assert (found.breaks >= 1).all()


# -- health ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "first"), [
    ("HEALTH_IMMUNISATIONS", 0), ("HEALTH_DENTAL_CHECK", 5), ("YOUTH_OFFENDING", 10),
])  # fmt: skip
def test_between_the_first_age_and_17_shares_rise_evenly_on_the_log_scale(changed, item, first):
    """However much of what decides it lasts."""
    steep = {status: {"first": 0.0002, "last": 0.9} for status in STATUSES}
    shares = {"others": 0.3, "LEARNING_DISABILITIES": 0.3, "PHYSICAL_ILL_HEALTH": 0.3}
    behaviour = changed(**{f"health__{item.lower()}": steep, "traits__lasting_share": shares})
    who = children(40_000, sex=MALE, need=N1, remanded=False, birth=day(2022 - 14, 1, 15))
    codes = traits(Streams(7), behaviour, who, 2022).health[item]
    grown = (14 - first) / (17 - first)
    assert fits_share(codes[codes != "88"] == "1", 0.0002 ** (1 - grown) * 0.9**grown)
