import numpy as np
from chance import fits, fits_share
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.dates import age_on
from synth.lives.episodes import AWAY, Spells, cut, with_spells_away
from synth.lives.legal import LATER, STATUSES, LegalPath
from synth.lives.placements import ADOPTION

SEEDS = st.integers(0, 2**31)


@st.composite
def lives(draw):
    """A few periods with legal changes and moves on any days, some of them on the same one."""
    n = draw(st.integers(1, 4))
    entry = np.array(draw(st.lists(st.integers(100, 110), min_size=n, max_size=n)), np.int32)
    length = draw(st.lists(st.integers(2, 30), min_size=n, max_size=n))
    end = entry + np.array(length, np.int32)
    start = np.full((n, len(STATUSES)), LATER, np.int32)
    spells = []
    for period in range(n):
        statuses = draw(st.permutations(range(len(STATUSES))))
        changes = draw(st.lists(st.integers(1, 35), max_size=4, unique=True))
        start[period, statuses[0]] = entry[period]
        for status, after in zip(statuses[1:], sorted(changes), strict=False):
            start[period, status] = entry[period] + after
        moves = draw(st.lists(st.integers(1, length[period] - 1), max_size=5, unique=True))
        spells += [(period, entry[period] + move) for move in [0, *sorted(moves)]]
    period, first = (np.array(column) for column in zip(*spells, strict=True))
    stay, away = np.arange(len(period)) * 10, np.arange(len(period)) % 4 - 1
    path = LegalPath(start, np.full(n, LATER, np.int32), np.zeros(n, bool))
    return path, Spells(period, first.astype(np.int32), stay, away), entry, end


@given(lives())
def test_episodes_divide_the_period_where_something_changes(life):
    path, spells, entry, end = life
    found = cut(path, spells, entry, end)
    assert (np.diff(found.period) >= 0).all()
    for period in range(len(entry)):
        mine = np.flatnonzero(found.period == period)
        assert found.start[mine[0]] == entry[period]
        assert found.end[mine[-1]] == end[period]
        assert (found.end[mine[:-1]] == found.start[mine[1:]]).all()
        assert (found.end[mine] > found.start[mine]).all()
        assert found.first[mine].tolist() == [True] + [False] * (len(mine) - 1)
        assert found.last[mine].tolist() == [False] * (len(mine) - 1) + [True]
        legal = {int(d): s for s, d in enumerate(path.start[period]) if d < end[period]}
        moves = {int(d): n for n, d in enumerate(spells.start) if spells.period[n] == period}
        assert found.start[mine].tolist() == sorted(legal.keys() | moves.keys())
        for row in mine:
            for day in range(found.start[row], found.end[row]):
                assert found.legal[row] == legal[max(d for d in legal if d <= day)]
                spell = moves[max(d for d in moves if d <= day)]
                assert (found.stay[row], found.away[row]) == (spells.stay[spell], spells.away[spell])
            assert found.new_legal[row] == (found.start[row] in legal)
            assert found.new_place[row] == (found.start[row] in moves)


@given(SEEDS, st.integers(2005, 2024))
@settings(max_examples=15)
def test_lives_are_divided_without_gap_or_overlap(periods, behaviour, seed, year):
    life = periods(seed, year, "care", 100)
    spells = with_spells_away(life.streams, behaviour, life.who, life.stays, life.path, life.end)
    found = cut(life.path, spells, life.who.entry, life.end)
    days = np.bincount(found.period, found.end - found.start, len(life.end))
    assert (days == life.end - life.who.entry).all()
    assert (found.end > found.start).all()
    assert ((found.start[1:] == found.end[:-1]) | found.first[1:]).all()
    assert (found.new_legal | found.new_place).all(), "every episode begins with a change"
    assert (found.only(found.first).period == np.arange(len(life.end))).all()


@given(SEEDS, st.integers(2005, 2024))
@settings(max_examples=15)
def test_children_come_back_from_a_spell_away_to_the_same_address(periods, behaviour, guidance, seed, year):
    life = periods(seed, year, "care", 200)
    spells = with_spells_away(life.streams, behaviour, life.who, life.stays, life.path, life.end)
    away = np.flatnonzero(spells.away >= 0)
    assert ((away > 0) & (away < len(spells.start) - 1)).all()
    for side in (-1, 1):
        assert (spells.stay[away + side] == spells.stay[away]).all()
        assert (spells.period[away + side] == spells.period[away]).all()
        assert (spells.away[away + side] == -1).all()
    days = spells.start[away + 1] - spells.start[away]
    shortest = guidance.limit("PLACEMENT_TYPE_CODE", "M3", "min_days")
    low, high = behaviour.value("missing.days", year)
    assert ((days >= max(low, shortest)) & (days <= high)).all()
    age = age_on(life.who.birth[spells.period[away]], spells.start[away])
    assert (age >= behaviour.scalar("missing.from_age", year)).all()
    ordered = spells.away < 0
    first = np.unique(spells.stay[ordered], return_index=True)[1]
    assert (spells.start[ordered][first] == life.stays.start).all(), "the stays themselves are unmoved"


def test_episodes_away_last_more_than_a_day(periods, changed, guidance):
    """A change of legal status during a spell away must not leave a day of it on its own."""
    life = periods(1, 2020, "care", 8000)
    often = changed(missing__share_of_stays=1.0, missing__days=[2, 3])
    spells = with_spells_away(life.streams, often, life.who, life.stays, life.path, life.end)
    found = cut(life.path, spells, life.who.entry, life.end)
    away = found.away >= 0
    assert ((found.end - found.start)[away] >= guidance.limit("PLACEMENT_TYPE_CODE", "M3", "min_days")).all()


def test_nobody_is_away_from_adopters(periods, changed):
    life = periods(1, 2020, "care", 8000)
    always = changed(missing__share_of_stays=1.0, missing__from_age=0)
    spells = with_spells_away(life.streams, always, life.who, life.stays, life.path, life.end)
    kind = life.stays.kind[spells.stay[spells.away >= 0]]
    assert len(kind) > 1000
    assert ADOPTION not in kind


def test_spells_away_are_as_frequent_as_the_profile_says(periods, behaviour):
    life = periods(1, 2022, "unaccompanied", 10_000)
    spells = with_spells_away(life.streams, behaviour, life.who, life.stays, life.path, life.end)
    stop = np.append(life.stays.start[1:], 0)
    last = np.append(life.stays.period[1:] != life.stays.period[:-1], True)
    stop = np.where(last, life.end[life.stays.period], stop)
    longest = behaviour.value("missing.days", 2022)[1]
    margin = behaviour.scalar("missing.days_before_and_after", 2022)
    roomy = stop - life.stays.start > 3 * margin + longest
    gone = np.isin(np.arange(len(roomy)), spells.stay[spells.away >= 0])
    assert fits_share(gone[roomy], behaviour.scalar("missing.share_of_stays", 2022))
    kinds = np.bincount(spells.away[spells.away >= 0], minlength=len(AWAY))
    assert fits(kinds, behaviour.vector("missing.kind", 2022, AWAY))
