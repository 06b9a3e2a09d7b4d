import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.dates import birthday, day
from synth.lives.admission import numbered
from synth.lives.homes import MOST_WORLDS, named
from synth.lives.streams import Streams
from synth.returns.identifiers import PREFIX, first_school_day, local_ids, pupil_numbers

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
SEEDS = st.integers(0, 2**31)


def check_letter(digits):
    """Twelve digits weigh 2 to 13; the remainder by 23 names a letter, I, O and S left out."""
    return LETTERS[sum(weight * int(digit) for weight, digit in enumerate(digits, start=2)) % 23]


@pytest.mark.parametrize("number", ["P207000016049", "F681400012345"])
def test_worked_examples_have_their_check_letter(number):
    assert check_letter(number[1:]) == number[0]


def pupils(serial, education="681", issued=2012):
    serial = np.atleast_1d(serial)
    return pupil_numbers(np.full(len(serial), education), serial, np.full(len(serial), issued))


@given(st.lists(st.integers(0, 999_999), min_size=1, unique=True), st.integers(660, 681), st.integers(1999, 2024))
def test_pupil_numbers_are_well_formed_and_belong_to_no_school(serial, education, issued):
    for number in pupils(np.array(serial), str(education), issued).tolist():
        assert re.fullmatch(r"[A-HJ-NP-RT-Z][0-9]{12}", number)
        assert number[0] == check_letter(number[1:])
        assert number[1:4] == str(education)
        assert int(number[4:8]) < 1000, "no school has a number below 1000"
        assert number[8:10] == f"{issued % 100:02d}"


def test_no_two_pupils_of_an_authority_share_a_number():
    serial = np.concatenate([np.arange(60_000), np.arange(950_000, 1_000_000)])
    assert len(np.unique(pupils(serial))) == len(serial)
    with pytest.raises(ValueError, match="exhausted"):
        pupils(np.array([1_000_000]))
    assert pupils(np.zeros(0, np.int64)).shape == (0,)


def test_local_identifiers_are_unique_in_wales_and_well_formed():
    serial = np.concatenate([np.arange(400), 2**17 - 1 - np.arange(50)])
    worlds = np.array([0, 1, 6, 7, 8, 9, 255, MOST_WORLDS - 1])
    home = np.repeat(named(np.repeat(worlds, 22), np.tile(np.arange(22), len(worlds))), len(serial))
    for seed in range(3):
        found = local_ids(Streams(seed), home, np.tile(serial, 22 * len(worlds)))
        assert len(np.unique(found)) == len(found)
        assert all(re.fullmatch(PREFIX + "[0-9A-HJKMNP-TV-Z]{7}", text) for text in found[::97].tolist())


@given(SEEDS, st.integers(0, 21), st.lists(st.integers(0, 2**17 - 1), min_size=1, unique=True))
def test_a_local_identifier_depends_on_its_own_child_only(seed, order, serial):
    orders = np.full(len(serial), order)
    every = local_ids(Streams(seed), orders, np.array(serial))
    assert len(set(every.tolist())) == len(serial)
    alone = [local_ids(Streams(seed), orders[:1], np.array([number]))[0] for number in serial[:5]]
    assert every[:5].tolist() == alone
    assert (every != local_ids(Streams(seed + 1), orders, np.array(serial))).all()


def test_local_identifiers_run_out_with_a_clear_word():
    with pytest.raises(ValueError, match="exhausted"):
        local_ids(Streams(1), np.array([3]), np.array([2**17]))


def test_local_identifiers_do_not_show_the_order_of_arrival():
    found = local_ids(Streams(1), np.zeros(20_000, np.int64), np.arange(20_000))
    rank = np.argsort(np.argsort(found))
    assert abs(np.corrcoef(rank, np.arange(20_000))[0, 1]) < 0.05


@given(st.lists(st.integers(0, 21), max_size=60))
def test_serials_count_arrivals_within_each_authority(places):
    seen = dict.fromkeys(places, 0)
    for place, number in zip(places, numbered(np.array(places, np.int64)).tolist(), strict=True):
        assert number == seen[place]
        seen[place] += 1


@given(SEEDS)
def test_pupil_numbers_are_given_at_nursery_or_school(seed):
    birth = np.arange(day(2000, 1, 1), day(2016, 1, 1), 9, dtype=np.int32)
    name = np.arange(len(birth), dtype=np.uint64)
    known = birth + np.int32(3000)
    given_on = first_school_day(Streams(seed), name, birth, np.zeros(len(birth), bool), known, 16)
    assert (given_on > birthday(birth, 3)).all()
    assert (given_on < birthday(birth, 5)).all()


def test_unaccompanied_children_get_a_number_on_arrival_if_still_of_school_age():
    birth = np.array([day(2005, 6, 1)] * 3, np.int32)
    known = np.array([day(2020, 1, 1), day(2021, 5, 31), day(2021, 6, 1)], np.int32)
    found = first_school_day(Streams(1), np.arange(3, dtype=np.uint64), birth, np.ones(3, bool), known, 16)
    assert found[:2].tolist() == known[:2].tolist()
    assert found[2] > day(2059, 1, 1), "never"
