"""Spells away that are decided year by year: which of those drawn are gone through with, and on which days."""

from types import SimpleNamespace

import numpy as np
import pytest

from synth.dates import day
from synth.lives.absences import Absences
from synth.lives.episodes import away_from
from synth.lives.kinds import ADOPTION
from synth.lives.ledger import Ledger
from synth.lives.legal import LATER, STATUSES
from synth.lives.streams import Streams

N = 5000
ENTRY = day(2015, 5, 4)
NEVER = -int(LATER)


class Stayed:
    """One stay of 300 days for each child, with a court order on some day in it: what absences ask of a filling."""

    def __init__(self, behaviour):
        rows = np.arange(N)
        name = np.arange(1, N + 1, dtype=np.uint64)
        birth, self.start = np.full(N, day(2003, 1, 1), np.int32), np.full(N, ENTRY, np.int32)
        self.drawn = away_from(Streams(1), behaviour, name, birth, self.start, self.start + np.int32(300))
        self.order = (ENTRY + 30 + rows % 240).astype(np.int32)
        start = np.full((N, len(STATUSES)), LATER, np.int32)
        start[:, 0], start[:, 1] = ENTRY, self.order
        self.chances = SimpleNamespace(
            who=SimpleNamespace(name=name, birth=birth), path=SimpleNamespace(start=start, placed=None)
        )
        self.book = Ledger(period=np.int64, start=np.int32, planned=np.int32, kind=np.int64, undone=np.bool_)
        self.current = np.full(N, -1)
        self.stop = np.full(N, ENTRY + 300, np.int32)

    def begin(self, rows, kind=0):
        """Write the stays of some children."""
        self.current[rows] = self.book.append(
            period=rows, start=self.start[rows], planned=ENTRY + 300, kind=kind, undone=False
        )

    def stops(self):
        return self.stop[self.book["period"]]


@pytest.fixture(scope="module")
def always(changed):
    return changed(missing__share_of_stays=1.0, missing__from_age=0)


def days_away(absences, filling, first=ENTRY, last=ENTRY + 300):
    """Return the first day away and the day of return of each child, by asking day by day; none: LATER."""
    leave, back = np.full(N, LATER), np.full(N, LATER)
    began = filling.current >= 0
    for today in range(first, last):
        away = absences.away_on(today, np.arange(N))
        assert not away[~began].any()
        leave[away] = np.minimum(leave[away], today)
        back[away] = today + 1
    return leave, back


def test_who_goes_away_is_back_before_an_order_is_made_or_has_had_it(always):
    filling = Stayed(always)
    filling.begin(np.arange(N))
    absences = Absences(Streams(1), always, filling)
    absences.decide(int(LATER), NEVER)
    rows, first, until, _ = filling.drawn
    order = filling.order[rows]
    free = (order < first) | (order > until)
    assert (order == until).any()
    assert (order == first).any()
    assert (order[free] == first[free] - 1).any()
    assert (order[free] == until[free] + 1).any()
    leave, back = days_away(absences, filling)
    assert np.flatnonzero(leave < LATER).tolist() == rows[free].tolist()
    assert (leave[rows[free]] == first[free]).all()
    assert (back[rows[free]] == until[free]).all()
    assert (absences.ends(rows[free]) == until[free]).all()
    assert (absences.ends(rows[~free]) < ENTRY).all()


def test_nobody_leaves_adopters_or_a_stay_taken_back_or_cut_short_soon_after(always):
    filling = Stayed(always)
    filling.chances.path.start[:, 1] = LATER
    margin = int(always.scalar("missing.days_before_and_after", 2015))
    rows, _, until, _ = filling.drawn
    filling.begin(np.arange(N), np.where(np.arange(N) % 5 == 0, ADOPTION, 0))
    filling.stop[rows] = until + margin - (rows % 3 == 0)
    absences = Absences(Streams(1), always, filling)
    # What is drawn when the stays begin is asked again on the day: by then some were taken back.
    absences.decide(ENTRY, NEVER)
    filling.book["undone"][np.arange(N) % 7 == 0] = True
    absences.decide(int(LATER), ENTRY)
    leave, _ = days_away(absences, filling)
    goes = (rows % 5 != 0) & (rows % 3 != 0) & (rows % 7 != 0)
    assert np.flatnonzero(leave < LATER).tolist() == rows[goes].tolist()


def test_decided_in_one_year_or_in_several_it_is_the_same_but_what_is_over_is_over(always):
    """Half of the stays come to be known half a year later: who would have left by then does not."""
    parts = np.arange(N)[::2], np.arange(N)[1::2]
    once, later = Stayed(always), Stayed(always)
    once.begin(np.arange(N))
    whole = Absences(Streams(1), always, once)
    whole.decide(int(LATER), NEVER)
    absences, middle = Absences(Streams(1), always, later), ENTRY + 150
    later.begin(parts[0])
    absences.decide(middle, NEVER)
    later.begin(parts[1])
    absences.decide(int(LATER), middle)
    (leave, back), (expected, returned) = days_away(absences, later), days_away(whole, once)
    over = expected <= middle
    over[parts[0]] = False
    assert (expected[parts[1]] == middle).any()
    assert (expected[parts[1]] == middle + 1).any()
    assert (leave == np.where(over, LATER, expected)).all()
    assert (back == np.where(over, LATER, returned)).all()
