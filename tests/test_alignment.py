"""Choosing other courses under a year's totals: whose course may change, to which, and what becomes of the past."""

from dataclasses import dataclass

import numpy as np
import pytest

from synth.dates import last_day
from synth.lives.alignment import _CELL_OF, Listed, Walk
from synth.lives.chances import Chances
from synth.lives.goals import LEGAL, Totals
from synth.lives.moves import align_moves, counted
from synth.lives.otherwise import Proceedings


@dataclass
class Chosen:
    """What was chosen among the courses of children in care (`rows`), some of them away as the year began.

    `possible` lists by place among `rows` the courses each could lead: (cost, group, starts of statuses, placed). `own`
    and `column` are the groups of legal status before and after.
    """

    walk: Walk
    now: Proceedings
    rows: np.ndarray
    away: np.ndarray
    possible: list
    wanted: np.ndarray
    own: np.ndarray
    column: np.ndarray

    @property
    def changed(self):
        """Places among `rows` of those whose course is another now."""
        path, was = self.walk.path.only(self.rows), self.now.path
        return np.flatnonzero((path.start != was.start).any(axis=1) | (path.placed != was.placed))

    def other_groups(self, place):
        """Return the groups a child could be counted in but is not."""
        return {one[1] for one in self.possible[place]} - {self.own[place]}


def group(path, day):
    return _CELL_OF[path.at(np.full(len(path.placed), day, np.int32))]


def courses(walk, now, rows):
    found = [[] for _ in rows]
    other = now.alternatives()
    fits = walk._suits(rows, other, now.year)
    fits &= (other.path.placed <= now.day) == (now.path.placed[other.rows] <= now.day)
    one = other.only(fits)
    columns = (one.rows, one.cost, group(one.path, now.day), one.path.start, one.path.placed)
    for place, *course in zip(*columns, strict=True):
        found[place].append(tuple(course))
    return found


def setting_out(found, guidance, before, place, end):
    """Return periods of `found` on their way, each in an authority (`place`) and ending on another day than drawn."""
    n = len(found.end)
    how = (found.streams, found.behaviour, guidance, found.who, found.destination, found.end, found.path)
    none = {name: np.zeros(0, np.int64) for name in ("period", "year", "placed")}
    chances = Chances(*how, np.zeros(n, bool))
    return Walk.setting_out(guidance, None, chances, Listed(place, np.arange(n), end, none), before)


@pytest.fixture(scope="module")
def chosen(periods, guidance):
    """Children in the year they came, of two authorities that want some of them in groups they could be in.

    Every third is away as the year begins.
    """
    year = 2020
    found = periods(11, year, "care", 1200)
    n = len(found.end)
    walk, away = setting_out(found, guidance, year - 1, np.arange(n) % 2, found.end), np.arange(n) % 3 == 0
    walk.absences.away_on = lambda day, rows: away[rows] & (day == last_day(year - 1))
    rows = np.flatnonzero(found.end > last_day(year))
    now = walk._proceedings(year, rows)
    possible, own = courses(walk, now, rows), group(now.path, now.day)
    wish = own.copy()
    able = [place for place in np.flatnonzero(~away[rows]) if {one[1] for one in possible[place]} - {own[place]}]
    for place in able[::2]:
        wish[place] = max({one[1] for one in possible[place]} - {own[place]})
    wanted = np.bincount(walk.listed.place[rows] * len(LEGAL) + wish, minlength=2 * len(LEGAL)).reshape(2, -1)
    walk._statuses(year, rows, wanted)
    return Chosen(walk, now, rows, away[rows], possible, wanted, own, group(walk.path.only(rows), now.day))


def test_who_is_away_as_the_year_begins_keeps_the_course(chosen):
    assert len(chosen.changed) > 30
    assert not chosen.away[chosen.changed].any()
    able = [place for place in np.flatnonzero(chosen.away) if chosen.other_groups(place)]
    assert len(able) > 30, "some of them had other courses"


def test_of_courses_that_count_alike_the_least_far_fetched_is_chosen(chosen):
    path, several = chosen.walk.path.only(chosen.rows), 0
    for place in chosen.changed:
        assert chosen.column[place] != chosen.own[place], "nobody's course changes for nothing"
        alike = [one for one in chosen.possible[place] if one[1] == chosen.column[place]]
        least = min(one[0] for one in alike)
        several += any(one[0] > least for one in alike)
        assert any(
            cost == least and (start == path.start[place]).all() and placed == path.placed[place]
            for cost, _, start, placed in alike
        )
    assert several, "some had courses of other prices that count alike"


def test_totals_within_reach_are_met_and_nobody_else_is_touched(chosen):
    listed, path, before = chosen.walk.listed, chosen.walk.path, chosen.walk.filling.chances.path
    found = np.bincount(listed.place[chosen.rows] * len(LEGAL) + chosen.column, minlength=chosen.wanted.size)
    assert found.reshape(chosen.wanted.shape).tolist() == chosen.wanted.tolist()
    others = np.setdiff1d(np.arange(len(path.placed)), chosen.rows)
    assert (path.start[others] == before.start[others]).all()
    assert (path.placed[others] == before.placed[others]).all()


def test_totals_that_are_met_leave_the_paths_as_they_are(chosen):
    before = chosen.walk.path
    chosen.walk._statuses(chosen.now.year, chosen.rows, chosen.wanted)
    assert chosen.walk.path is before


def test_who_stays_past_the_end_drawn_moves_on_that_day_from_where_nobody_stays_long(periods, guidance):
    found = periods(8, 2015, "care", 2500)
    n = len(found.end)
    # Every third period ends as drawn, the others a month or a year later.
    end = (found.end + np.array([0, 30, 400])[np.arange(n) % 3]).astype(np.int32)
    walk = setting_out(found, guidance, 2014, np.zeros(n, np.int64), end)
    filling, moved = walk.filling, 0
    for year in (2015, 2016):
        since, today = last_day(year - 1), last_day(year)
        rows = np.flatnonzero((found.who.entry <= today) & (end > since))
        filling.advance(rows, today)
        # Some stay over 31 March where nobody stays long, to the end drawn: their day has yet to come.
        waiting = rows[(found.end[rows] > today) & ~filling.given[rows]][::5]
        filling.kind[waiting], filling.at[waiting] = filling.chances.rules.passing.argmax(), found.end[waiting]
        passing = filling.chances.rules.passing[filling.kind[rows]] & ~filling.given[rows]
        over = (found.end[rows] > since) & (found.end[rows] <= today) & (found.end[rows] < end[rows])
        expected = rows[over & passing & (filling.at[rows] == found.end[rows])]
        count = len(filling.book)
        walk._stay_on(year, rows, np.zeros(n, bool))
        new = filling.book["period"][count:]
        assert new.tolist() == expected.tolist()
        assert (filling.book["start"][count:] == found.end[new]).all()
        assert (filling.book["kind"][count:] >= 0).all(), "none is left open"
        moved += len(new)
        assert (end[waiting] > found.end[waiting]).any()
    assert moved > 5


def test_whoever_has_time_for_it_moves_for_the_third_time(periods, guidance):
    """Everyone in care is wanted with three placements in the year: moves are some days apart, and none too late."""
    found = periods(12, 2015, "care", 1500)
    n, year = len(found.end), 2016
    since, today = last_day(year - 1), last_day(year)
    walk = setting_out(found, guidance, year - 1, np.arange(n) % 2, found.end)
    filling, place = walk.filling, walk.listed.place
    rows = np.flatnonzero((found.who.entry <= today) & (found.end > since))
    stock = rows[found.end[rows] > today]
    filling.advance(rows, today, np.ones(n, bool))
    # Some have moved so late that there is just time for another move, or a day too little.
    begun, chances = filling.book["start"][filling.current[stock]], filling.chances
    long = (chances.until[stock] - chances.least(stock) >= today) & (filling.at[stock] > today + 4) & (begun > since)
    filling.book["start"][filling.current[stock[long][::3]]] = today - 4
    filling.book["start"][filling.current[stock[long][1::3]]] = today - 3
    count, number = len(filling.book), counted(filling, rows, np.arange(n), found.end, year)[stock]
    current, at, given = filling.current[stock].copy(), filling.at[stock].copy(), filling.given[stock].copy()
    goal = np.bincount(place[stock], minlength=2)
    back = walk.absences.ends(stock)
    totals = Totals(goal[:, None], np.ones(2, bool))
    align_moves(filling, walk.absences, rows, stock, place, np.arange(n), found.end, totals, year)
    after = counted(filling, rows, np.arange(n), found.end, year)[stock]
    begun = np.maximum(np.maximum(filling.book["start"][current], since), back)
    latest = np.minimum(np.minimum(today, chances.until[stock] - chances.least(stock)), at - 4 + 4 * (number < 2))
    can = (number < 3) & ~given & (begun + 4 * (3 - number) <= latest)
    assert can.sum() > 100
    assert (can & (begun + 4 * (3 - number) == latest)).any(), "for some there is no day to spare"
    assert (after == np.where(can, 3, number)).all()
    new, when = filling.book["period"][count:], filling.book["start"][count:]
    assert set(new.tolist()) == set(stock[can].tolist())
    assert ((when > since) & (when <= today)).all()
    for period in np.unique(new):
        days = np.sort(np.append(when[new == period], begun[stock == period]))
        assert (np.diff(days) >= 4).all()
