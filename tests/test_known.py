"""Children already in care: who stays longer, and who leaves so that others find room, at the edges of who may."""

import numpy as np
import pytest

from synth.dates import birthday, day_of_year_start, last_day
from synth.geography.authorities import parse_authorities
from synth.guidance import load
from synth.lives.book import Book
from synth.lives.cells import Cells
from synth.lives.histories import _live_through
from synth.lives.homes import Homes
from synth.lives.known import _make_room_in_groups, close_early, reopen, stay_longer
from synth.lives.legal import LATER, STATUSES, LegalPath, remand_bounds
from synth.lives.periods import DESTINATIONS
from synth.lives.streams import Streams

YEAR = 2018
V2, C1, C2 = (STATUSES.index(code) for code in ("V2", "C1", "C2"))


def may(*names):
    return [DESTINATIONS.index(name) for name in names]


@pytest.fixture(scope="module")
def lived(behaviour):
    """Lives up to the eve of the year."""
    book = Book(Streams(4), behaviour, Homes(parse_authorities("Cardiff,Swansea,Rhondda Cynon Taf")))
    for year in range(behaviour.profile.warm_up_from + 1, YEAR):
        _live_through(book, year)
    return book


@pytest.fixture
def begin(aimed, lived):
    """Return a function that begins the year with other targets: table -> the one count in every cell of the year."""
    return lambda without=(), **counts: aimed(lived, dict.fromkeys(without) | counts)


def test_who_was_to_leave_in_a_year_without_starts_and_may_stay_on_does(begin):
    """With room for all: those settled, young enough, on their way home or alone, and under a status that lasts."""
    book = begin(without=("ethnicity",), starts=0)
    child, first, last = book.children, day_of_year_start(YEAR), last_day(YEAR)
    settled = int(book.behaviour.scalar("care.early_leaving_after_days", YEAR))
    age, remand = remand_bounds(book.behaviour, load("cla", YEAR), YEAR)
    leaves = np.flatnonzero((child["care_end"] >= first) & (child["care_end"] <= last))
    small = birthday(child["birth"], age) > last
    # A few whose stay is just long enough or a day short of it, who leave on the first or the last day.
    least = np.where(small, settled // 2, max(settled, remand))[leaves]
    for part, short in ((slice(0, None, 5), 0), (slice(1, None, 5), 1)):
        child["care_start"][leaves[part]] = child["care_end"][leaves[part]] - least[part] - short
    child["care_end"][leaves[2::5]] = np.where(np.arange(len(leaves[2::5])) % 2, first, last)
    # Every other order is made on the eve of the end drawn, or on that day: too late to say that care goes on.
    path_of = {}

    def paths(_children, periods, rows):
        start = np.full((len(rows), len(STATUSES)), LATER, np.int32)
        start[:, C1] = -(10**6)
        start[:, C2] = periods["drawn_end"][rows] - 1 + rows % 2
        path_of.update(zip(rows.tolist(), (rows % 2).tolist(), strict=True))
        return LegalPath(start, np.full(len(rows), LATER, np.int32), np.zeros(len(rows), bool))

    book.courts.paths = paths
    before = child["care_end"].copy()
    cells = Cells.of_year(book, YEAR)
    cells.room[:] = 10**6
    expected = leaves[
        np.isin(child["went"][leaves], may("home", "independent"))
        & (before[leaves] - child["care_start"][leaves] > least)
        & (birthday(child["birth"][leaves], 18) > last + settled)
        & (child["period"][leaves] % 2 == 0)
    ]
    stay_longer(book, YEAR, cells)
    changed = np.flatnonzero(child["care_end"] != before)
    assert len(changed) > 20
    assert changed.tolist() == expected.tolist()
    assert (child["care_end"][changed] > last).all()
    assert (child["care_end"][changed] < birthday(child["birth"][changed], 18)).all()
    assert set(path_of.values()) == {0, 1}
    assert (10**6 - cells.room).sum() == len(changed)


def test_nobody_stays_on_who_might_have_been_on_remand_when_the_year_began(begin):
    """Of those in care by agreement: who was to go home soon, is old enough, and came without brothers or sisters."""
    book = begin(without=("ethnicity",), starts=0)
    child, first, last = book.children, day_of_year_start(YEAR), last_day(YEAR)
    age, remand = remand_bounds(book.behaviour, load("cla", YEAR), YEAR)

    def agreed(_children, _periods, rows):
        start = np.full((len(rows), len(STATUSES)), LATER, np.int32)
        start[:, V2] = -(10**6)
        return LegalPath(start, np.full(len(rows), LATER, np.int32), np.zeros(len(rows), bool))

    book.courts.paths = agreed
    leaves = np.flatnonzero((child["care_end"] >= first) & (child["care_end"] <= last))
    long_ago = child["care_start"][leaves] < first - 2 * remand
    leaves = leaves[long_ago & np.isin(child["went"][leaves], may("home", "independent"))]
    leaves = leaves[birthday(child["birth"][leaves], 17) > last]
    # Some leave on the last day on which they might be on remand, some on the day after; half are of an age, and alone.
    end = book.periods["drawn_end"]
    child["birth"][leaves[::2]] = first - 14 * 365
    book.periods["lead"][child["period"][leaves[::3]]] = child["name"][leaves[::3]]
    for part, day in ((slice(0, None, 4), first + remand - 1), (slice(1, None, 4), first + remand)):
        child["care_end"][leaves[part]] = end[child["period"][leaves[part]]] = day
    before, cells = child["care_end"].copy(), Cells.of_year(book, YEAR)
    cells.room[:] = 10**6
    stay_longer(book, YEAR, cells)
    drawn, lead = end[child["period"][leaves]], book.periods["lead"][child["period"][leaves]]
    remanded = (drawn >= first) & (drawn < first + remand) & (birthday(child["birth"][leaves], age) < first)
    remanded &= (lead == child["name"][leaves]) & ~child["unaccompanied"][leaves]
    stayed = child["care_end"][leaves] > before[leaves]
    assert min(remanded.sum(), stayed.sum()) > 5
    assert (stayed == ~remanded).all()


def test_where_a_group_has_too_many_those_settled_leave_and_make_room(begin):
    """Nobody of any ethnic group is wanted: all who may leave do, but of the first group, which is never asked."""
    book = begin(ethnicity=0)
    child, first, last = book.children, day_of_year_start(YEAR), last_day(YEAR)
    settled = first - int(book.behaviour.scalar("care.early_leaving_after_days", YEAR))
    here = np.flatnonzero(child["care_end"] > last)
    child["ethnic"][here[::3]] = 2
    child["care_start"][here[::4]] = settled
    child["care_start"][here[1::4]] = settled - 1
    child["unaccompanied"][here[::7]] = True
    before, cells = child["care_end"].copy(), Cells.of_year(book, YEAR)
    room = cells.room.copy()
    expected = here[
        (child["ethnic"][here] > 0)
        & (child["care_start"][here] < settled)
        & ~child["unaccompanied"][here]
        & np.isin(child["went"][here], may("home", "guardian_carer", "guardian_other", "grows_up"))
    ]
    _make_room_in_groups(book, YEAR, cells)
    changed = np.flatnonzero(child["care_end"] != before)
    assert len(changed) > 20
    assert changed.tolist() == expected.tolist()
    assert ((child["care_end"][changed] > first) & (child["care_end"][changed] <= last)).all()
    number = cells.number(child["place"][changed], child["birth"][changed], child["sex"][changed])
    assert (cells.room - room == np.bincount(number, minlength=len(room))).all()


def test_plans_are_closed_early_only_where_there_are_too_many_and_no_more_families_than_it_takes(begin):
    book = begin()
    child, first, last = book.children, day_of_year_start(YEAR), last_day(YEAR)
    ends = child["plan_end"].copy()
    close_early(book, YEAR, np.array([-5, 0, 0]))
    assert (child["plan_end"] == ends).all()
    close_early(book, YEAR, np.array([0, 12, 0]))
    closed = np.flatnonzero(child["plan_end"] != ends)
    assert set(child["place"][closed].tolist()) == {1}
    assert (ends[closed] > last).all()
    assert ((child["plan_end"][closed] >= first) & (child["plan_end"][closed] <= last)).all()
    # Families go whole: the last of them may be more than was left to close.
    _, size = np.unique(child["household"][closed], return_counts=True)
    assert 12 <= len(closed) < 12 + size.max()


def test_families_come_back_in_the_year_some_time_after_their_plans_closed(begin):
    book = begin()
    child, first, last = book.children, day_of_year_start(YEAR), last_day(YEAR)
    apart = int(book.behaviour.scalar("plan.reopening_after_days", YEAR))
    window = int(book.behaviour.scalar("plan.reopening_window_days", YEAR))
    before, number = child["plan_end"].copy(), child["plan_number"].copy()
    reopen(book, YEAR)
    back = np.flatnonzero(child["plan_number"] != number)
    assert len(back) > 20
    assert (child["plan_number"][back] == number[back] + 1).all()
    start = child["plan_start"][back]
    assert ((start >= first) & (start <= last)).all()
    assert (start >= before[back] + apart).all()
    assert ((before[back] < first) & (before[back] > first - window)).all()
    assert (birthday(child["birth"][back], 17) > first + 365).all()
    assert not child["gone"][back].any()
    assert (child["plan_end"][back] > start).all()


def test_children_are_grouped_by_household_and_nobody_else_is(lived):
    child = lived.children
    rows = np.flatnonzero(np.isin(child["household"], [3, 5, 8, 13, lived.households - 2]))[::-1]
    family, place, inverse = lived.by_household(rows)
    assert len(family) == len(place) == 5
    assert (family[inverse] == child["family"][rows]).all()
    assert (place[inverse] == child["place"][rows]).all()
    same = inverse[:, None] == inverse
    assert (same == (child["household"][rows][:, None] == child["household"][rows])).all()
