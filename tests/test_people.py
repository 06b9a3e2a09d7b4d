import numpy as np
import pytest
from chance import fits, fits_share
from hypothesis import given
from hypothesis import strategies as st

from synth.dates import age_on, birthday, day_of_year_start, last_day
from synth.lives.behaviour import BANDS, band
from synth.lives.people import FEMALE, KINDS, MALE, family_names, members
from synth.lives.streams import Streams

SEEDS = st.integers(0, 2**31)
PREGNANCY = 280
DRAWN = [kind for kind in KINDS if kind != "taken_over"]
"""Kinds of families whose members are drawn; of children taken over there is one each."""


@given(SEEDS, st.integers(1999, 2024), st.sampled_from(DRAWN))
def test_everyone_is_born_by_the_day_and_a_child(arrivals, behaviour, seed, year, kind):
    _, family, on, new = arrivals(seed, year, kind, 150)
    day = on[new.queue]
    assert (new.birth <= day).all()
    spare = behaviour.scalar("household.days_before_18", year)
    assert (birthday(new.birth, 18) - day >= spare - 3).all(), "give or take the end of February"
    first = new.name == new.family * np.uint64(8)
    assert (age_on(new.birth, day)[~first] < 17).all()
    assert (new.family[first] == family).all(), "every family is brought in by one child"
    assert set(np.unique(new.sex)) <= {MALE, FEMALE}
    assert len(np.unique(new.name)) == len(new.name)
    assert (np.diff(new.queue) >= 0).all()


@given(SEEDS, st.integers(1999, 2024), st.sampled_from(DRAWN))
def test_brothers_and_sisters_are_twins_or_a_pregnancy_apart(arrivals, seed, year, kind):
    new = arrivals(seed, year, kind, 150)[3]
    order = np.lexsort((new.birth, new.family))
    family, birth = new.family[order], new.birth[order]
    gap = np.diff(birth)[family[1:] == family[:-1]]
    assert ((gap == 0) | (gap >= PREGNANCY)).all()


def test_families_of_the_first_year_have_room_for_grown_up_siblings(behaviour):
    year = behaviour.profile.warm_up_from + 1
    family = family_names(np.arange(20_000) % 22, year, "support", np.arange(20_000))
    on = np.full(20_000, day_of_year_start(year), np.int32)
    for seed in range(10):
        new = members(Streams(seed), behaviour, "support", family, on, year)
        assert (age_on(new.birth, on[new.queue]) < 18).all()


@given(SEEDS, st.sampled_from(DRAWN), st.lists(st.integers(0, 99), min_size=1, unique=True))
def test_a_family_is_the_same_whichever_others_are_drawn(behaviour, arrivals, seed, kind, chosen):
    streams, family, on, new = arrivals(seed, 2015, kind, 100)
    chosen = np.array(chosen)
    some = members(streams, behaviour, kind, family[chosen], on[chosen], 2015)
    rows = np.concatenate([np.flatnonzero(new.queue == place) for place in chosen])
    assert (some.name == new.name[rows]).all()
    assert (some.birth == new.birth[rows]).all()
    assert (some.sex == new.sex[rows]).all()


@pytest.mark.parametrize("kind", DRAWN)
def test_families_are_as_the_profile_says(arrivals, behaviour, kind):
    _, _, on, new = arrivals(1, 2023, kind, 20_000)
    first = new.name == new.family * np.uint64(8)
    assert fits_share(new.sex == MALE, behaviour.scalar(f"household.male_share.{kind}", 2023))
    groups = behaviour.value(f"household.first_age.{kind}", 2023)
    ages = age_on(new.birth[first], on)
    counts = []
    for group in groups:
        low, _, high = group.partition("-")
        counts.append(((ages >= int(low)) & (ages <= int(high or low))).sum())
    assert sum(counts) == len(ages)
    assert fits(counts, list(groups.values()))
    size = np.bincount(new.queue)
    alone = behaviour.vector(f"household.size.{kind}", 2023, ("1",))[0]
    assert (size == 1).mean() >= alone - 0.01, "siblings who are too old or not yet born stay out"
    assert size.max() <= 5
    infants = ages == 0
    # Newborns are a few days old, cut off at two weeks; other infants of any age.
    longest, mean = (behaviour.scalar(f"household.newborn_{what}", 2023) for what in ("days", "mean_days"))
    share = behaviour.scalar(f"household.newborn_share.{kind}", 2023)
    days = (on - new.birth[first])[infants]
    for age in (2, 5, longest) if infants.any() else ():
        newborn = 1 if age == longest else 1 - np.exp(-age / mean)
        assert fits_share(days < age, share * newborn + (1 - share) * age / 365), age


def test_twins_are_as_frequent_as_the_profile_says(arrivals, behaviour):
    new = arrivals(2, 2020, "support", 30_000)[3]
    second = np.flatnonzero(new.name == new.family * np.uint64(8) + np.uint64(1))
    second = second[new.name[second - 1] == new.family[second] * np.uint64(8)]
    twins = new.birth[second] == new.birth[second - 1]
    # Siblings who are too old or not yet born stay out, twins of an admitted child never do.
    share = behaviour.scalar("household.twin_share", 2020)
    assert share * 0.9 < twins.mean() < share * 2
    more = behaviour.vector("household.size.support", 2020, ("2", "3", "4", "5")).sum()
    assert fits_share(np.arange(30_000) < twins.sum(), more * share)


def test_a_child_can_arrive_on_any_day_of_the_year(arrivals):
    on = arrivals(1, 2020, "care", 40_000)[2]
    days = np.bincount(on - day_of_year_start(2020), minlength=366)
    assert len(days) == last_day(2020) - day_of_year_start(2020) + 1 == 366
    assert fits(days, np.ones(366))


def test_bands_are_the_published_age_groups():
    assert [BANDS[n] for n in band(np.array([0, 1, 4, 5, 9, 10, 15, 16, 17]))] == [
        "0", "1-4", "1-4", "5-9", "5-9", "10-15", "10-15", "16-17", "16-17",
    ]  # fmt: skip
