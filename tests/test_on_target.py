"""Counts that lives meet by construction: who is on the way to an order, who leaves but not for home, who is where."""

import numpy as np
import pytest

from synth.dates import day_of_year_start, last_day, quarter_day
from synth.geography.authorities import parse_authorities
from synth.lives.arrivals import _Line, _newest_to_spare, fill_cells
from synth.lives.book import HOME, Book
from synth.lives.cells import Cells
from synth.lives.departures import not_home_to_spare
from synth.lives.fitting import Budget, take_in
from synth.lives.goals import PLACES
from synth.lives.histories import _live_through
from synth.lives.homes import Homes
from synth.lives.kinds import ADOPTION, PARENTS
from synth.lives.legal import LATER, STATUSES
from synth.lives.periods import DESTINATIONS
from synth.lives.placements import OPEN, Filling
from synth.lives.places import _lasting, _made_up_for, _odds_instead
from synth.lives.register import settle_register
from synth.lives.streams import Streams
from synth.lives.timing import bound_for_orders, settle_orders
from tests.test_histories_edges import filling_of

YEAR = 2017
ADOPTED = ("E11", "E12")
ADOPTION_BOUND = DESTINATIONS.index("adoption")


@pytest.fixture(scope="module")
def lived(behaviour):
    """Lives of two authorities with fewer adoptions year by year, up to the eve of the year."""
    book = Book(Streams(9), behaviour, Homes(parse_authorities("Rhondda Cynon Taf,Merthyr Tydfil")))
    for year in range(behaviour.profile.warm_up_from + 1, YEAR):
        _live_through(book, year)
    return book


@pytest.fixture
def begin(aimed, lived):
    """Return a function that begins the year with other targets: (table, year) -> the count in every cell, or None."""
    return lambda counts: aimed(lived, counts)


def on_the_way(book, year):
    child = book.children
    return book.by_authority(np.flatnonzero((child["care_end"] > last_day(year)) & (child["went"] == ADOPTION_BOUND)))


def wanted_on_the_way(book, year):
    (leads, more), _ = bound_for_orders(book, year)
    assert leads == [ADOPTION_BOUND]
    return more + on_the_way(book, year)


def test_as_many_are_bound_for_adoption_as_orders_are_to_come(begin):
    """Each of the years that follow counts in full, the last in part: 20 and 2 in both cells, then what there was."""
    book = begin(
        {("endings", YEAR): 50, ("endings", YEAR + 1): 20, ("endings", YEAR + 2): 2, ("placement", YEAR + 1): 0}
    )
    years = book.behaviour.value("care.order_takes_years", YEAR)["adopted"]
    third = book.targets("endings", YEAR + 3, *ADOPTED)
    expected = np.ceil(2 * 20 + min(years - 1, 1) * 2 * 2 + max(years - 2, 0) * third)
    assert 1 < years < 3
    assert wanted_on_the_way(book, YEAR).tolist() == np.maximum(expected, on_the_way(book, YEAR)).tolist()


def test_enough_are_on_the_way_for_those_adopted_in_the_next_year_and_placed_at_its_end(begin):
    book = begin(
        {("endings", YEAR + 1): 5, ("endings", YEAR + 2): 0, ("endings", YEAR + 3): 0, ("placement", YEAR + 1): 20}
    )
    assert wanted_on_the_way(book, YEAR).tolist() == [2 * 5 + 3 * 20] * 2


def test_before_the_first_targets_as_many_are_bound_as_their_orders_will_need(begin):
    """As long before as such orders take; sooner nobody knows of them."""
    nothing = {("endings", YEAR): None, ("endings", YEAR + 1): None, ("placement", YEAR + 1): None}
    book = begin(nothing | {("endings", YEAR + 2): 9})
    years = book.behaviour.value("care.order_takes_years", YEAR)["adopted"]
    third = book.targets("endings", YEAR + 3, *ADOPTED)
    expected = np.ceil(18 + min(years - 1, 1) * 18 + max(years - 2, 0) * third)
    assert wanted_on_the_way(book, YEAR).tolist() == np.maximum(expected, on_the_way(book, YEAR)).tolist()
    none = {("endings", YEAR + n): None for n in range(4)} | {("placement", YEAR + n): None for n in range(4)}
    assert bound_for_orders(begin(none), YEAR) == []


def test_without_later_targets_the_last_ones_go_on(begin):
    book = begin(
        {("endings", YEAR): 30} | {(table, YEAR + n): None for table in ("endings", "placement") for n in (1, 2, 3)}
    )
    years = book.behaviour.value("care.order_takes_years", YEAR)["adopted"]
    assert wanted_on_the_way(book, YEAR).tolist() == [np.ceil(years * 60)] * 2


def test_who_has_a_placement_order_in_the_year_may_be_placed_and_adopted_in_it(begin):
    """Each at the soonest the clock of adoption allows, and only where the others are too few."""
    book = begin({("endings", YEAR): 500})
    child, first, last = book.children, day_of_year_start(YEAR), last_day(YEAR)
    waits = {
        wait: int(book.behaviour.value(f"care.adoption.{wait}", YEAR)["shortest_days"])
        for wait in ("order_to_placement", "placement_to_adoption")
    }
    here = np.flatnonzero(
        (child["care_end"] > last) & (child["went"] == ADOPTION_BOUND) & (child["order_due"] >= first)
    )
    soonest = child["order_due"][here] + sum(waits.values())
    settle_orders(book, YEAR)
    now = child["care_end"][here] <= last
    assert now.any()
    assert not (now & (soonest > last)).any()
    assert now[soonest < last - 10].all()
    chosen = here[now]
    assert (child["placed"][chosen] >= child["order_due"][chosen] + waits["order_to_placement"]).all()
    assert (child["care_end"][chosen] >= child["placed"][chosen] + waits["placement_to_adoption"]).all()


@pytest.mark.parametrize(
    ("left", "found", "changed"),
    [
        # Two live inside though nobody should; of the two wanted in Wales one comes, of the other one nobody.
        ({"adoption.inside": -2, "adoption.outside_in_wales": 2, "adoption.outside_wales": 1, "parents.inside": 5},
         {"adoption.outside_in_wales": 1},
         {"parents.inside": -2, "parents.outside_in_wales": 1, "parents.outside_wales": 1}),
        # The first group with any left inside; then there is nobody to make up for the rest.
        ({"adoption.inside": -2, "adoption.outside_wales": 3, "residential.inside": 1},
         {},
         {"residential.inside": -1, "residential.outside_wales": 1}),
        # Too few everywhere is not a matter of places.
        ({"adoption.outside_wales": 3, "residential.inside": 4}, {"residential.inside": 1}, {}),
    ],
)  # fmt: skip
def test_where_adopters_live_others_make_up_for(left, found, changed):
    def counts(cells):
        return np.array([[0] * len(PLACES), [cells.get(cell, 0) for cell in PLACES]])

    before = counts(left)
    assert (_made_up_for(before, counts(found)) == before + counts(changed)).all()
    assert (before == counts(left)).all()


@pytest.mark.parametrize("wanted", [3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("name", ["both", "register"])
def test_the_register_holds_as_many_as_are_wanted_though_households_come_on_and_off_whole(begin, name, wanted):
    book = begin({("status", YEAR): wanted})
    settle_register(book, YEAR)
    child, listed, last = book.children, book.registrations, last_day(YEAR)
    has = np.flatnonzero(child["registration"] >= 0)
    mine = child["registration"][has]
    on = has[(listed["start"][mine] <= last) & (listed["end"][mine] > last) & book.counted(YEAR)[has]]
    in_care = (child["care_start"][on] <= last) & (child["care_end"][on] > last)
    assert book.by_authority(on[in_care == (name == "both")]).tolist() == [wanted, wanted]


def test_nobody_is_kept_out_where_there_are_too_many_young_plans(begin):
    """Families come as whole families though there are more young plans than are wanted: nothing is left, not less."""
    book = begin({("status", YEAR): 0})
    child = book.children
    late = book.in_care(YEAR)[::2]
    child["plan_start"][late] = quarter_day(YEAR) + 5
    assert _newest_to_spare(book, YEAR).tolist() == [0, 0]
    cells, before = Cells.of_year(book, YEAR), len(child)
    cells.subtract(np.zeros(0, np.int64), np.zeros_like(cells.wanted))
    fill_cells(book, YEAR, cells)
    came = child["household"][before:]
    assert (np.bincount(came - came.min()) > 1).any(), "brothers and sisters"


def test_units_are_taken_while_everything_they_ask_for_is_left():
    place = np.array([0, 0, 0, 1, 1])
    spare, grown = np.array([4, 2]), np.array([1, 0])
    taken = take_in(place, np.array([2, 1, 2, 1, 1]), spare, [Budget(np.array([1, 1, 0, 1, 0]), grown)])
    assert taken.tolist() == [True, False, True, False, True]
    assert spare.tolist() == [0, 1]
    assert grown.tolist() == [0, 0]


def test_families_of_whom_nobody_stays_bring_no_more_who_turn_18_than_there_is_room_for(begin):
    book = begin({})
    lengths = np.array([1600, 1600])
    line = _Line.drawn(book, YEAR, np.zeros_like(lengths), lengths, [])
    able = line.nobody_stays & (line.grown > 0)
    assert np.bincount(line.place[able], minlength=2).min() > 1
    left, grown = np.array([10_000, 10_000]), np.array([1, 0])
    taken = line.brief(left, grown)
    assert np.bincount(line.place[taken], line.grown[taken], 2).tolist() == [1, 0]
    assert taken[line.nobody_stays & (line.grown == 0)].all()
    assert line.brief(np.array([10_000, 10_000]), None)[line.nobody_stays].all()


def test_who_need_not_go_home_are_those_wanted_otherwise_less_those_who_leave_so(begin):
    book = begin({("endings", YEAR): 20})
    child, first, last = book.children, day_of_year_start(YEAR), last_day(YEAR)
    leaves = np.flatnonzero((child["care_end"] >= first) & (child["care_end"] <= last))
    some = leaves[child["went"][leaves] == HOME][:6]
    book.leave_care(some, child["care_end"][some], YEAR)
    spare = not_home_to_spare(book, YEAR)
    cells = len(book.behaviour.profile.cells_of("endings", YEAR))
    expected = [20 * (cells - 1)] * 2
    paths = book.courts.paths(child, book.periods, child["period"])
    for row in leaves.tolist():
        status = STATUSES[int(paths.at(child["care_end"] - 1)[row])]
        early = book.periods["early"][child["period"][row]]
        if child["went"][row] != HOME or (early and status in ("C2", "E1")):
            expected[child["place"][row]] -= 1
    assert spare.tolist() == expected
    assert min(expected) > 0
    assert not_home_to_spare(begin({("endings", YEAR): 0}), YEAR).tolist() == [0, 0]
    assert not_home_to_spare(begin({("endings", YEAR): None}), YEAR) is None


@pytest.fixture(scope="module")
def filled(periods):
    """Return a function that fills periods of 2015 up to a 31 March, those marked held open."""
    found = periods(8, 2015, "care", 4500)
    everyone = np.arange(len(found.end))

    def held(year):
        filling = filling_of(found, everyone)
        filling.advance(everyone, last_day(year - 1))
        filling.advance(everyone, last_day(year), np.ones(len(everyone), bool))
        return found, filling

    return held


def test_a_placement_set_beforehand_waits_for_the_count_also_past_the_end_as_drawn(filled):
    found, filling = filled(2017)
    begun = filling.book["start"][filling.current] > last_day(2016)
    past = filling.given & begun & (found.end <= last_day(2017))
    ahead = filling.given & begun & (found.end > last_day(2017))
    assert past.sum() > 5
    assert ahead.sum() > 5
    assert (filling.book["kind"][filling.current[past | ahead]] == OPEN).all()


def test_a_stay_reopened_is_as_if_it_had_had_no_kind(filled):
    _, filling = filled(2016)
    settled = filling.book["kind"][filling.current] != OPEN
    rows = np.flatnonzero(settled & ~filling.given & (filling.steps > 1))
    assert len(rows) > 5
    stay, kind, slot, at = filling.current[rows], filling.kind[rows], filling.slot[rows], filling.at[rows].copy()
    before = filling.book["before"][stay]
    filling.reopen(rows)
    assert (filling.book["kind"][stay] == OPEN).all()
    assert (filling.kind[rows] == filling.book["kind"][before]).all()
    assert (filling.slot[rows] == filling.book["slot"][before]).all()
    assert (filling.current[rows] == stay).all()
    filling.settle(rows, kind, filling.book["location"][stay])
    assert (filling.slot[rows] == slot).all()
    assert (filling.at[rows] >= at).all()


def test_stays_at_home_lengthened_past_the_day_may_be_of_another_kind(filled):
    """They were begun in the year and have a kind; other kinds are weighed as they were, after the stay before."""
    found, filling = filled(2016)
    year = 2016
    settled = np.flatnonzero(filling.book["kind"][filling.current] != OPEN)
    open_ = settled[(filling.at[settled] > last_day(year)) & (found.end[settled] > last_day(year))]
    lasting = _lasting(filling, open_, year)
    assert (filling.kind[lasting] == PARENTS).all()
    assert len(lasting) > 3
    assert (filling.book["start"][filling.current[lasting]] > last_day(year - 1)).all()
    odds = _odds_instead(filling, lasting, year)
    assert (odds.start == filling.book["start"][filling.current[lasting]]).all()
    assert (odds.kinds[:, :ADOPTION].sum(axis=1) > 0).all()
    after_home = filling.book["before"][filling.current[lasting]]
    assert (filling.book["kind"][after_home[after_home >= 0]] != PARENTS).all()
    assert (odds.kinds[:, PARENTS] > 0).any()


def test_past_the_end_as_drawn_nobody_is_put_where_nobody_stays_long(periods):
    found = periods(8, 2015, "care", 800)
    filling = Filling(filling_of(found, np.arange(len(found.end))).chances)
    rows = np.arange(len(found.end))
    filling.advance(rows, int(LATER))
    over = np.flatnonzero((found.end <= last_day(2016)) & ~filling.given & (filling.kind != ADOPTION))
    odds = _odds_instead(filling, over, 2016)
    assert len(over) > 20
    assert (odds.kinds[:, filling.chances.rules.passing] == 0).all()
