"""Children taken over by another Welsh authority: one child in two returns, though each authority is lived apart."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from chance import fits, fits_share
from hypothesis import given
from hypothesis import strategies as st

from synth.dates import age_on, day_of_year_start, last_day
from synth.geography.areas import areas
from synth.geography.authorities import all_authorities
from synth.lives.behaviour import Behaviour
from synth.lives.book import Book
from synth.lives.cells import Cells
from synth.lives.homes import Homes
from synth.lives.legal import ROUTES
from synth.lives.people import is_taken_over
from synth.lives.periods import DESTINATIONS
from synth.lives.streams import Streams
from synth.lives.transfers import hand_over, transfers
from synth.simulate import simulate
from synth.working_days import is_working_day

LA, ID = "LOCAL_AUTHORITY_CODE", "SYSTEM_ID"
AUTHORITIES = all_authorities()
SEEDS = st.integers(0, 2**32)
YEARS = st.integers(2004, 2024)


def pooled(behaviour, seeds, years):
    return [transfers(Streams(seed), behaviour, (0,), year) for seed in seeds for year in years]


# -- who is taken over ------------------------------------------------------------------------------------------


@given(SEEDS, YEARS)
def test_a_child_is_taken_over_in_its_first_year_of_care_while_at_school(behaviour, seed, year):
    found = transfers(Streams(seed), behaviour, (0,), year)
    youngest, oldest = behaviour.value("transfers.age", year)
    shortest, longest = behaviour.value("transfers.days_in_care", year)
    first, last = day_of_year_start(year), last_day(year)
    assert (found.sender != found.receiver).all()
    age = age_on(found.members.birth, np.full(len(found.entry), last, np.int32))
    assert ((age >= youngest) & (age <= oldest)).all()
    assert ((found.plan_start >= first) & (found.plan_start <= found.entry)).all()
    stayed = found.handover - found.entry
    # A day or two more where the last of the days is a holiday.
    assert ((stayed >= shortest) & (stayed <= longest + 5)).all()
    assert (found.handover < last).all()
    assert is_working_day(found.handover).all()
    assert set(found.under.tolist()) <= {ROUTES.index(code) for code in ("V2", "C1", "C2")}


def test_no_more_leave_an_authority_than_its_target_says(behaviour, profile):
    found = pooled(behaviour, range(60), (2019, 2023))
    for year, some in ((2019, found[::2]), (2023, found[1::2])):
        cell = profile.cells_of("endings", year).index("E3")
        most = np.array([profile.target("endings", area.code, year)[cell] for area in AUTHORITIES])
        number = np.array([np.bincount(one.sender, minlength=22) for one in some])
        assert (number <= most).all()
        assert fits([number.sum(), most.sum() * len(some) - number.sum()], [0.6, 0.4])


def test_most_are_taken_over_next_door(behaviour):
    found = pooled(behaviour, range(100), (2023,))
    pairs = [pair for one in found for pair in zip(one.sender.tolist(), one.receiver.tolist(), strict=True)]
    near = [receiver in areas().neighbours[sender] for sender, receiver in pairs]
    by_chance = np.mean([len(areas().neighbours[sender]) / 21 for sender, _ in pairs])
    assert fits_share(near, 0.75 + 0.25 * by_chance)


def test_they_are_of_an_age_of_which_the_receiver_has_more_than_before(behaviour, profile):
    for found in pooled(behaviour, range(20), (2020,)):
        for child, receiver in enumerate(found.receiver.tolist()):
            now, before = (profile.target("stock", AUTHORITIES[receiver].code, year) for year in (2020, 2019))
            birth = found.members.birth[[child]]
            age = int(age_on(birth, np.array([last_day(2020)], np.int32))[0])
            cell = (0 if found.members.sex[child] == 1 else 18) + age
            growth = [now[s + a] - before[s + a - 1] for s in (0, 18) for a in range(5, 15)]
            assert now[cell] > before[cell - 1] or max(growth) <= 0


def test_without_targets_of_reasons_a_share_of_the_starts_is_taken_over(profile):
    """Within eight standard errors: for other seeds wrong less than once in 10^12."""
    starts_only = tuple(target for target in profile.targets if target.table == "starts")
    some = Behaviour(replace(profile, targets=starts_only))
    counts = np.array([len(one.sender) for one in pooled(some, range(60), (2023,))])
    starts = sum(profile.target("starts", area.code, 2023)[0] for area in AUTHORITIES)
    expected = 0.003 * 0.6 * starts
    # Of 22 roundings a year each has a variance of at most a quarter: eight standard errors of the mean.
    assert abs(counts.mean() - expected) <= 8 * np.sqrt(22 * 0.25 / 60)
    none = Behaviour(replace(profile, targets=()))
    assert not any(len(one.sender) for one in pooled(none, range(5), (2023,)))


# -- in lives ---------------------------------------------------------------------------------------------------


def test_care_passes_without_a_day_between(world):
    """Of all children of all years: who is sent on a day is received on it, the same child under the same order."""
    history = world().history
    child, period = history.children, history.periods
    moved = is_taken_over(child["family"][period["child"]])
    sent = moved & (period["destination"] == DESTINATIONS.index("transfer"))
    received = moved & (period["under"] >= 0)
    assert 30 < sent.sum() == received.sum()

    def listed(rows, day):
        who = period["child"][rows]
        columns = [child[name][who] for name in ("name", "birth", "sex", "ethnic", "need")]
        return sorted(zip(*(column.tolist() for column in columns), period[day][rows].tolist(), strict=True))

    assert listed(sent, "end") == listed(received, "start")
    assert (child["place"][period["child"][sent]] != child["place"][period["child"][received]]).all()


@pytest.fixture(scope="module")
def pairs(world):
    """Return E3 and S of the same pupil number in two authorities in 2023, side by side."""
    forms = world().forms
    numbers = forms["child"].filter(pl.col("UPN") != "").select(LA, ID, "UPN", "DOB", "GNDR_CD", "ETHNICITY")
    episodes = forms["episode"].join(numbers, on=[LA, ID])
    ends = episodes.filter(pl.col("REASON_EPISODE_FINISHED_CODE") == "E3")
    begins = episodes.filter(pl.col("REASON_EPISODE_STARTED_CODE") == "S")
    return ends.join(begins, on="UPN", suffix="_there").filter(pl.col(LA) != pl.col(f"{LA}_there"))


def test_both_returns_tell_of_the_same_child(pairs, world):
    assert 1 <= pairs.height == len(transfers(world().streams, world().behaviour, (0,), 2023).sender)
    for name in ("DOB", "GNDR_CD", "ETHNICITY", "LEGAL_STATUS_CODE", "CATEGORY_OF_NEED_CODE"):
        assert pairs[name].to_list() == pairs[f"{name}_there"].to_list(), name
    assert pairs["EPISODE_END_DATE"].to_list() == pairs["EPISODE_START_DATE_there"].to_list()
    assert (pairs[ID] != pairs[f"{ID}_there"]).all()


def test_the_receiver_alone_has_the_child_too(pairs, world, profile):
    """Nobody has to simulate the sender."""
    codes = pairs[f"{LA}_there"].unique()
    receivers = [area for area in AUTHORITIES if area.code == codes[0]]
    alone = simulate(profile, receivers, 2023, 1).forms["episode"]
    here = world().forms["episode"].filter(pl.col(LA) == codes[0])
    for name, column in alone.items():
        assert here[name].to_list() == [str(value) for value in column.tolist()], name


def test_where_an_authority_has_no_room_at_all_the_child_goes_home_before_the_count(profile, behaviour):
    seed, year = 1, 2023
    receiver = AUTHORITIES[int(transfers(Streams(seed), behaviour, (0,), year).receiver[0])]

    def stock_after(room):
        book = Book(Streams(seed), behaviour, Homes((receiver,)))
        cells = Cells(year, np.full(36, room), np.full(36, room))
        hand_over(book, year, cells)
        return book.looked_after(year)[0], 36 * room - cells.room.sum(), len(book.periods)

    staying, taken, came = stock_after(5)
    assert staying == taken
    assert came > 0
    assert stock_after(0) == (0, 0, came)
