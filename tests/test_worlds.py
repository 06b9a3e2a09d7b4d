"""Worlds side by side: each is what it would be alone, and no child is in two of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.geography.authorities import all_authorities, parse_authorities
from synth.lives.homes import MOST_WORLDS, Homes, named, order_of, world_of
from synth.lives.people import family_names, home_of
from synth.simulate import simulate_years

SOME = "Merthyr Tydfil,Powys"


def returns(profile, years, worlds, names=SOME, **how):
    made = simulate_years(profile, parse_authorities(names), years, 11, worlds=worlds, **how)
    return {(one.year, one.world): one.forms for one in made}


def same(one, other):
    return all(
        one[form].keys() == other[form].keys()
        and all(np.array_equal(one[form][name], other[form][name]) for name in one[form])
        for form in one
    )


@pytest.mark.parametrize(("years", "how"), [((2022, 2023), {}), ((2018,), {"collection": "all_year"})])
def test_a_world_does_not_depend_on_those_beside_it(profile, years, how):
    together = returns(profile, years, (0, 2, 5), **how)
    assert list(together) == [(year, world) for year in years for world in (0, 2, 5)]
    for world in (0, 5):
        alone = returns(profile, years, (world,), **how)
        assert all(same(forms, together[key]) for key, forms in alone.items())


def test_worlds_are_other_children(profile):
    found = returns(profile, (2023,), (0, 1, 9, MOST_WORLDS - 1))
    ids = [set(forms["crcs"]["CHILD_CODE"]) | set(forms["child"]["SYSTEM_ID"]) for forms in found.values()]
    assert len(set.union(*ids)) == sum(map(len, ids))
    born = [np.sort(forms["child"]["DOB"]) for forms in found.values()]
    # Stocks are the same to the child by authority, sex and age; who they are is not.
    here = [len(forms["child"]["DOB"]) for forms in found.values()]
    assert max(here) < 1.1 * min(here)
    assert not any(np.array_equal(born[0], other) for other in born[1:])


def test_a_world_does_not_depend_on_which_authorities_are_asked_for(profile):
    few = returns(profile, (2020,), (3, 4), "Powys")[2020, 4]
    more = returns(profile, (2020,), (4,))[2020, 4]
    for form, columns in few.items():
        if form != "postcodes":
            place = next(name for name in ("LOCAL_AUTHORITY_CODE",) if name in columns)
            mine = more[form][place] == columns[place][0]
            assert all(np.array_equal(more[form][name][mine], columns[name]) for name in columns), form


@given(st.integers(0, MOST_WORLDS - 1), st.integers(0, 21), st.integers(1990, 2030), st.integers(0, 2**24 - 1))
def test_a_name_tells_world_and_authority(world, order, year, place):
    home = named(np.array([world]), np.array([order]))
    assert (world_of(home).tolist(), order_of(home).tolist()) == ([world], [order])
    family = family_names(home, year, "care", np.array([place]))
    assert home_of(family).tolist() == home.tolist()
    # A child's name is eight times its family's: it must still fit into 64 bits.
    assert int(family[0]) * 8 < 2**64


@given(st.sets(st.integers(0, 21), min_size=1), st.sets(st.integers(0, 300), min_size=1))
def test_places_are_found_by_name_and_no_others(orders, worlds):
    every = all_authorities()
    homes = Homes(tuple(every[n] for n in sorted(orders)), tuple(sorted(worlds)))
    asked = named(np.repeat(np.arange(301), 22), np.tile(np.arange(22), 301))
    found = homes.place(asked)
    here = np.isin(order_of(asked), list(orders)) & np.isin(world_of(asked), list(worlds))
    assert np.array_equal(found >= 0, here)
    assert np.array_equal(homes.name[found[here]], asked[here])
    assert len(homes) == here.sum()
