"""Choosing other courses under a year's totals: whose course may change, to which, and what becomes of the past."""

from dataclasses import dataclass

import numpy as np
import pytest

from synth.dates import last_day
from synth.lives.alignment import _CELL_OF, Listed, Walk
from synth.lives.chances import Chances
from synth.lives.goals import LEGAL
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
    for other in now.alternatives():
        fits = walk._suits(rows, other, now.year)
        fits &= (other.path.placed <= now.day) == (now.path.placed[other.rows] <= now.day)
        one = other.only(fits)
        columns = (one.rows, one.cost, group(one.path, now.day), one.path.start, one.path.placed)
        for place, *course in zip(*columns, strict=True):
            found[place].append(tuple(course))
    return found


@pytest.fixture(scope="module")
def chosen(periods, guidance):
    """Children in the year they came, of two authorities that want some of them in groups they could be in.

    Every third is away as the year begins.
    """
    year = 2020
    found = periods(11, year, "care", 1200)
    how = (found.streams, found.behaviour, guidance, found.who, found.destination, found.end, found.path)
    n = len(found.end)
    none = {name: np.zeros(0, np.int64) for name in ("period", "year", "placed")}
    listed = Listed(np.arange(n) % 2, np.arange(n), found.end, none)
    walk = Walk.setting_out(guidance, None, Chances(*how, np.zeros(n, bool)), listed, year - 1)
    away = np.arange(n) % 3 == 0
    walk.absences.away_on = lambda day, rows: away[rows] & (day == last_day(year - 1))
    rows = np.flatnonzero(found.end > last_day(year))
    now = walk._proceedings(year, rows)
    possible, own = courses(walk, now, rows), group(now.path, now.day)
    wish = own.copy()
    able = [place for place in np.flatnonzero(~away[rows]) if {one[1] for one in possible[place]} - {own[place]}]
    for place in able[::2]:
        wish[place] = max({one[1] for one in possible[place]} - {own[place]})
    wanted = np.bincount(listed.place[rows] * len(LEGAL) + wish, minlength=2 * len(LEGAL)).reshape(2, -1)
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
