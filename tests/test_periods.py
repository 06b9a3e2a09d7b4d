import numpy as np
import pytest
from chance import fits
from hypothesis import given
from hypothesis import strategies as st

from synth.dates import age_on, birthday, day
from synth.lives.behaviour import BANDS
from synth.lives.people import age_group
from synth.lives.periods import DESTINATIONS, DRAWN, Entrants, adoption_clock, outcome
from synth.lives.streams import Streams

SEEDS = st.integers(0, 2**31)
CODE = {name: n for n, name in enumerate(DESTINATIONS)}


@given(SEEDS, st.integers(1999, 2024), st.sampled_from(["care", "unaccompanied"]))
def test_periods_last_two_days_and_end_before_the_eighteenth_birthday(periods, seed, year, kind):
    found = periods(seed, year, kind, 150)
    assert (found.end >= found.who.entry + 2).all()
    assert (found.end <= birthday(found.who.birth, 18) - 1).all()
    grown = found.destination == CODE["grows_up"]
    assert (found.end[grown] == birthday(found.who.birth, 18)[grown] - 1).all()


@given(SEEDS, st.integers(1999, 2024))
def test_each_way_out_is_open_only_at_its_age(periods, guidance, seed, year):
    found = periods(seed, year)
    age = age_on(found.who.birth, found.end)

    def ages(name):
        return age[found.destination == CODE[name]]

    assert (ages("independent") >= guidance.limit("REASON_EPISODE_FINISHED_CODE", "E5", "query_age_years")).all()
    assert (ages("custody") >= guidance.limit("REASON_EPISODE_FINISHED_CODE", "E9", "min_age_years")).all()
    for name in ("adoption", "guardian_carer", "guardian_other"):
        assert (ages(name) < 18).all()


def entrants(births, entry, lead=None, number=0):
    n = len(births)
    name = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(8)
    columns = {
        "name": name,
        "lead": name if lead is None else np.array(lead, np.uint64),
        "lead_birth": np.array(births, np.int32),
        "number": np.full(n, number, np.int32),
        "birth": np.array(births, np.int32),
        "entry": np.full(n, entry, np.int32),
        "unaccompanied": np.zeros(n, bool),
        "under": np.full(n, DRAWN, np.int8),
    }
    return Entrants(*(columns[name] for name in Entrants.__slots__))


@given(SEEDS, st.integers(0, 40))
def test_whoever_comes_late_still_leaves_in_childhood(behaviour, seed, margin):
    entry = day(2020, 6, 1)
    births = np.array([day(2002, 6, 4)] * 200) + margin
    found = outcome(Streams(seed), behaviour, entrants(births, entry), 2021)
    assert (found.end >= entry + 2).all()
    assert (found.end <= birthday(births.astype(np.int32), 18) - 1).all()


def test_destinations_are_as_the_profile_says(behaviour, periods):
    found = periods(1, 2023, "care", 20_000)
    young = age_group(found.who.birth, found.who.entry) <= 2
    weights = behaviour.table("care.destination", 2023, BANDS, DESTINATIONS)
    for group in range(3):
        # Of a family that came together, the first child: the others usually share the outcome.
        rows = young & (age_group(found.who.birth, found.who.entry) == group) & (found.who.name == found.who.lead)
        counts = np.bincount(found.destination[rows], minlength=len(DESTINATIONS))
        # Long stays of the young end at 18 whatever was drawn: that happens to next to nobody under ten.
        assert fits(counts, weights[group], 1e-9), BANDS[group]


def test_siblings_usually_share_the_outcome(behaviour):
    n = 4000
    births = np.repeat([day(2012, 5, 1)], 2 * n)
    leads = np.repeat(np.arange(1, n + 1) * 16 + 7, 2)
    found = outcome(Streams(1), behaviour, entrants(births, day(2020, 6, 1), leads), 2021)
    same = (found.destination[::2] == found.destination[1::2]) & (found.end[::2] == found.end[1::2])
    both = behaviour.scalar("siblings.same_outcome_share", 2021) ** 2
    assert both - 0.03 < same.mean() < both + 0.12


def test_children_are_alone_with_their_draws(behaviour):
    births = np.arange(day(2005, 1, 1), day(2019, 1, 1), 37)
    who = entrants(births, day(2020, 1, 1))
    every = outcome(Streams(4), behaviour, who, 2020)
    some = np.arange(len(births)) % 3 == 0
    fewer = outcome(Streams(4), behaviour, who.only(some), 2020)
    assert (every.end[some] == fewer.end).all()
    assert (every.destination[some] == fewer.destination).all()
    again = outcome(Streams(4), behaviour, entrants(births, day(2020, 3, 1)), 2020)
    assert (again.destination != every.destination).mean() > 0.2, "a second period is another draw"


@pytest.mark.parametrize("seed", range(3))
def test_adoption_takes_its_time(behaviour, seed):
    """A twentieth is five standard errors of a median of 5,000, or more: for other seeds wrong once in a million."""
    who = np.arange(5000, dtype=np.uint64)
    clock = adoption_clock(Streams(seed), behaviour, who, np.full(5000, day(2018, 1, 1), np.int32), 2018)
    steps = {
        "entry_to_placement_order": clock.to_order,
        "order_to_placement": clock.to_placement - clock.to_order,
        "placement_to_adoption": clock.to_adoption - clock.to_placement,
    }
    for name, days in steps.items():
        value = behaviour.value(f"care.adoption.{name}", 2018)
        assert days.min() >= value["shortest_days"]
        assert days.max() <= value["longest_days"] + 10, "a working day within about a week"
        assert np.median(days) == pytest.approx(value["median_days"], rel=0.05)
    assert (steps["placement_to_adoption"] >= 70).all(), "ten weeks with the adopters before an order"
