"""Children whose ethnic group is not known yet: how many, who, and what becomes of it in the year after."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from conftest import frames

from synth.casefile.children import _index
from synth.geography.authorities import parse_authorities
from synth.lives.people import ETHNICITIES, NOT_OBTAINED
from synth.profile import load_profile
from synth.simulate import simulate_years

FEW, SEED, YEARS, EACH = "Conwy,Merthyr Tydfil", 11, (2022, 2023), 3
WHO = ["LOCAL_AUTHORITY_CODE", "SYSTEM_ID"]
KNOWN_AS = {"LOCAL_AUTHORITY_CODE": "LOCAL_AUTHORITY_CODE", "SYSTEM_ID": "CHILD_CODE"}


def asking_for(profile, each, years):
    """Return the profile with so many children of each authority whose group is not obtained in some years."""
    targets = []
    for target in profile.targets:
        if target.table == "ethnicity" and target.year in years:
            here = target.cells.index(NOT_OBTAINED)
            counts = {
                code: tuple(
                    each if n == here else found - (each - row[here] if n == 0 else 0) for n, found in enumerate(row)
                )
                for code, row in target.counts.items()
            }
            targets.append(dataclasses.replace(target, counts=counts))
        else:
            targets.append(target)
    return dataclasses.replace(profile, targets=tuple(targets))


@pytest.fixture(scope="module")
def made():
    profile = asking_for(load_profile(), EACH, YEARS[:1])
    return [frames(generated) for generated in simulate_years(profile, parse_authorities(FEW), YEARS, SEED)]


def unknown(forms):
    return forms["child"].filter(pl.col("ETHNICITY") == NOT_OBTAINED)


def test_as_many_as_the_targets_say_and_all_of_them_looked_after_on_the_day(made):
    first, second = made
    here = first["episode"].filter((pl.col("EPISODE_END_DATE") == "") & (pl.col("LEGAL_STATUS_CODE") != "V1"))
    counted = unknown(first).join(here, on=WHO, how="semi").group_by(WHO[0]).len()
    assert sorted(counted.iter_rows()) == [("516", EACH), ("542", EACH)]
    assert unknown(first).height == 2 * EACH
    wanted = load_profile().target("ethnicity", "516", 2023)[len(ETHNICITIES)]
    assert unknown(second).filter(pl.col(WHO[0]) == "516").height == wanted


def test_both_returns_say_so(made):
    forms = made[0]
    both = unknown(forms).join(forms["crcs"], left_on=WHO, right_on=list(KNOWN_AS.values()))
    assert (both["ETHNIC_ORIGIN_CODE"] == NOT_OBTAINED).all()
    said = forms["crcs"].filter(pl.col("ETHNIC_ORIGIN_CODE") == NOT_OBTAINED)
    assert said.height == both.height


def test_they_are_new_and_it_is_known_a_year_later(made):
    first, second = (forms["child"] for forms in made)
    later = unknown(made[0]).join(second, on=WHO, suffix="_later")
    assert later.height
    assert set(later["ETHNICITY_later"]) == {ETHNICITIES[0]}
    again = unknown(made[1]).join(first, on=WHO, how="semi")
    assert not again.height


def test_nobody_without_a_target():
    """A profile whose groups of the year have no such cell, or no targets: everybody's group is known."""
    profile = load_profile()
    groups = [target for target in profile.targets if target.table == "ethnicity" and target.year == YEARS[0]]
    others = tuple(target for target in profile.targets if target not in groups)
    without = [
        dataclasses.replace(
            target,
            cells=target.cells[:-1],
            counts={code: (row[0] + row[-1], *row[1:-1]) for code, row in target.counts.items()},
        )
        for target in groups
    ]
    for targets in (others, (*others, *without)):
        told = dataclasses.replace(profile, targets=targets)
        (generated,) = simulate_years(told, parse_authorities("Merthyr Tydfil"), YEARS[:1], SEED)
        assert set(frames(generated)["child"]["ETHNICITY"]) <= set(ETHNICITIES)


def test_files_of_people_name_their_children_like_others(made):
    codes = np.array([NOT_OBTAINED, *ETHNICITIES])
    assert _index(codes).tolist() == [0, *range(len(ETHNICITIES))]
