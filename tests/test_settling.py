"""Finding room: whole families in cells of the stock, units under totals, and the cells themselves."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.dates import birthday, last_day
from synth.geography.authorities import parse_authorities
from synth.lives.behaviour import Behaviour
from synth.lives.book import Book
from synth.lives.cells import AGES, Cells
from synth.lives.fitting import fit_in
from synth.lives.homes import Homes
from synth.lives.people import FEMALE, MALE
from synth.lives.settling import take
from synth.lives.streams import Streams

TOWNS = 3
CELLS = TOWNS * 2 * AGES


@st.composite
def lines(draw):
    """Families in line, each in one authority: (cells of its children that stay), some of them nobody's."""
    found = []
    for _ in range(draw(st.integers(0, 25))):
        town = draw(st.integers(0, TOWNS - 1))
        within = st.sampled_from([0, 1, 17, 18, 35])
        found.append([town * 2 * AGES + cell for cell in draw(st.lists(within, max_size=4))])
    return found


ROOM = st.lists(st.integers(0, 4), min_size=CELLS, max_size=CELLS).map(np.array)
MOST = st.lists(st.integers(0, 12), min_size=TOWNS, max_size=TOWNS).map(np.array)


def admitted(line, room, most):
    """Run `fit_in` and return (who is admitted, room left, how many more may come)."""
    family = np.array([number for number, cells in enumerate(line) for _ in cells], np.int64)
    cell = np.array([one for cells in line for one in cells], np.int64)
    room, most = room.copy(), most.copy()
    return fit_in(family, cell, len(line), room, most), room, most


# -- families in cells ------------------------------------------------------------------------------------------


@given(lines(), ROOM, MOST)
def test_families_never_go_beyond_room_and_use_up_what_they_take(line, room, most):
    taken, left, more = admitted(line, room, most)
    used = Counter(cell for cells, in_ in zip(line, taken, strict=True) if in_ for cell in cells)
    assert (left >= 0).all()
    assert (more >= 0).all()
    assert (room - left == [used[cell] for cell in range(CELLS)]).all()
    towns = Counter(cell // (2 * AGES) for cell in used.elements())
    assert (most - more == [towns[town] for town in range(TOWNS)]).all()


@given(lines(), ROOM, MOST)
def test_a_family_is_passed_over_only_where_it_finds_no_room_at_its_turn(line, room, most):
    taken, _, _ = admitted(line, room, most)
    free, may = Counter(dict(enumerate(room.tolist()))), most.tolist()
    for cells, in_ in zip(line, taken, strict=True):
        fits = bool(cells) and may[cells[0] // (2 * AGES)] >= len(cells) and Counter(cells) <= free
        assert in_ == fits
        if in_:
            free -= Counter(cells)
            may[cells[0] // (2 * AGES)] -= len(cells)


@given(lines(), ROOM)
def test_cells_are_filled_where_enough_only_children_stand_in_line(line, room):
    """However families before them have fitted, only children take exactly what is left."""
    only = [[cell] for cell in range(CELLS) for _ in range(room[cell])]
    taken, left, _ = admitted(line + only, room, np.full(TOWNS, room.sum()))
    assert (left == 0).all()
    assert (taken[: len(line)] == admitted(line, room, np.full(TOWNS, room.sum()))[0]).all(), "they change nothing"


@given(lines(), ROOM, MOST)
def test_other_authorities_families_change_nothing(line, room, most):
    taken, _, _ = admitted(line, room, most)
    town = 1
    mine = [bool(cells) and cells[0] // (2 * AGES) == town for cells in line]
    alone = [cells for cells, my in zip(line, mine, strict=True) if my]
    assert admitted(alone, room, most)[0].tolist() == taken[np.array(mine, bool)].tolist()


# -- units under totals -----------------------------------------------------------------------------------------

UNITS = st.lists(
    st.tuples(st.integers(0, TOWNS - 1), st.integers(0, 4), st.one_of(st.floats(0, 1), st.just(np.inf), st.just(0.5))),
    max_size=30,
)


def columns(units):
    place, size, key = (list(column) for column in zip(*units, strict=True)) if units else ([], [], [])
    return np.array(place, np.int64), np.array(size, np.int64), np.array(key, float)


def sums(place, size, chosen):
    return np.bincount(place[chosen], size[chosen], TOWNS).astype(int)


@given(UNITS, MOST)
def test_units_are_taken_in_the_order_of_their_keys_never_beyond(units, wanted):
    place, size, key = columns(units)
    chosen = take(place, size, key, wanted)
    assert (sums(place, size, chosen) <= wanted).all()
    assert not chosen[(size == 0) | np.isinf(key)].any()
    for unit in np.flatnonzero((size > 0) & np.isfinite(key)):
        before = chosen & (place == place[unit])
        before &= (key < key[unit]) | ((key == key[unit]) & (np.arange(len(key)) < unit))
        assert chosen[unit] == (size[unit] <= wanted[place[unit]] - size[before].sum())


@given(UNITS, MOST)
def test_totals_are_exact_where_enough_units_are_single(units, wanted):
    single = [(town, 1, 0.25) for town in range(TOWNS) for _ in range(wanted[town])]
    place, size, key = columns(units + single)
    chosen = take(place, size, key, wanted)
    assert sums(place, size, chosen).tolist() == wanted.tolist()


@given(UNITS, MOST, st.floats(0, 1))
def test_those_with_larger_keys_change_nothing(units, wanted, bound):
    place, size, key = columns(units)
    early = key <= bound
    assert (take(place, size, key, wanted)[early] == take(place[early], size[early], key[early], wanted)).all()


def test_wanted_stays_as_it_is():
    wanted = np.array([3])
    assert take(np.zeros(2, np.int64), np.array([2, 2]), np.array([0.2, 0.1]), wanted).tolist() == [False, True]
    assert wanted.tolist() == [3]


# -- the cells of a year ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book(profile):
    return Book(Streams(1), Behaviour(profile), Homes(parse_authorities("Conwy,Torfaen")))


def test_the_cells_of_a_year_are_its_targets(book, profile):
    cells = Cells.of_year(book, 2020)
    assert cells.by_authority(cells.wanted).tolist() == [
        profile.level("looked_after", authority.code, 2020) for authority in book.homes.authorities
    ]
    assert cells.wanted.tolist() == [
        count for authority in book.homes.authorities for count in profile.target("stock", authority.code, 2020)
    ]
    assert (cells.room == cells.wanted).all()
    assert Cells.of_year(book, 2002) is None, "no table by sex and age then"


def cells_with(wanted):
    wanted = np.array(wanted, np.int64)
    return Cells(2023, wanted, wanted.copy())


@given(st.integers(0, TOWNS - 1), st.sampled_from([MALE, FEMALE]), st.integers(0, 17), st.integers(0, 364))
def test_children_are_numbered_by_authority_sex_and_age_on_31_march(town, sex, age, days):
    cells = cells_with(np.zeros(CELLS))
    latest = last_day(2023)
    while birthday(np.array([latest]), age)[0] > last_day(2023):
        latest -= 1
    birth = np.array([latest - days], np.int32)
    found = cells.number(np.array([town]), birth, np.array([sex], np.int8))
    assert found.tolist() == [town * 36 + (sex == FEMALE) * 18 + age]


@given(ROOM, st.lists(st.integers(0, CELLS - 1), max_size=60), st.lists(st.integers(0, CELLS - 1), max_size=5))
def test_room_is_what_is_wanted_beside_those_who_are_there(wanted, present, kept_in):
    cells = cells_with(wanted)
    kept = np.bincount(np.array(kept_in, np.int64), minlength=CELLS)
    surplus = cells.subtract(np.array(present, np.int64), kept)
    there = np.bincount(np.array(present, np.int64), minlength=CELLS)
    assert (cells.room - kept - surplus == wanted - kept - there).all()
    assert ((cells.room == kept) | (surplus == 0)).all()
    assert (cells.wanted == wanted).all()


@given(ROOM, MOST, st.lists(st.integers(0, CELLS - 1), max_size=60))
def test_room_kept_for_older_boys(wanted, count, present):
    cells = cells_with(wanted)
    taken = np.bincount(np.array(present, np.int64), minlength=CELLS)
    kept = cells.keep_for_boys(count, taken)
    free = np.maximum(wanted - taken, 0)
    assert (kept <= free).all()
    ages = kept.reshape(TOWNS, 2, AGES)
    assert not ages[:, 1].any(), "no girls"
    assert not ages[:, 0, :15].any(), "none under 15"
    open_ = free.reshape(TOWNS, 2, AGES)[:, 0, 15:].sum(axis=1)
    assert cells.by_authority(kept).tolist() == np.minimum(count, open_).tolist()


@given(ROOM, st.lists(st.integers(0, CELLS - 1), max_size=30))
def test_children_too_many_take_room_from_others_of_their_authority(room, too_many):
    cells = cells_with(room)
    surplus = np.bincount(np.array(too_many, np.int64), minlength=CELLS)
    cells.make_up_for(surplus)
    assert (cells.room >= 0).all()
    assert (cells.room <= room).all()
    took = cells.by_authority(room - cells.room)
    assert took.tolist() == np.minimum(cells.by_authority(surplus), cells.by_authority(room)).tolist()


@pytest.mark.parametrize(
    ("room", "taken_from"),
    [
        ({"boys 6": 1, "girls 5": 1}, "boys 6"),
        ({"boys 9": 1, "boys 4": 1, "girls 5": 1}, "boys 9"),
        ({"boys 8": 1, "boys 7": 1}, "boys 7"),
        ({"boys 4": 1, "girls 9": 1}, "boys 4"),
        ({"boys 3": 1, "girls 6": 1}, "girls 6"),
        ({"boys 4": 1, "boys 17": 3}, "boys 4"),
        ({"girls 17": 1}, "girls 17"),
    ],
)
def test_the_same_sex_and_age_group_make_room_first_then_one_of_the_two(room, taken_from):
    def number(name):
        sex, age = name.split()
        return (sex == "girls") * AGES + int(age)

    free = np.zeros(2 * AGES, np.int64)
    for name, count in room.items():
        free[number(name)] = count
    cells = cells_with(free)
    cells.make_up_for(np.eye(2 * AGES, dtype=np.int64)[number("boys 5")])
    assert np.flatnonzero(cells.room < free).tolist() == [number(taken_from)]
