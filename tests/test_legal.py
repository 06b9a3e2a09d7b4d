import numpy as np
import pytest
from chance import fits_share
from hypothesis import given
from hypothesis import strategies as st

from synth.dates import birthday
from synth.lives.behaviour import BANDS
from synth.lives.legal import LATER, STATUSES
from synth.lives.periods import DESTINATIONS
from synth.working_days import is_working_day

SEEDS = st.integers(0, 2**31)
YEARS = st.integers(1999, 2024)
V2, C1, C2, E1, L1, L2, J1 = range(len(STATUSES))
LAWFUL = {
    ("V2", "C1"), ("V2", "J1"), ("L1", "V2"), ("L1", "C1"), ("L1", "L2"), ("L2", "C1"), ("J1", "V2"), ("C1", "C2"),
    ("C1", "E1"), ("C2", "E1"),
}  # fmt: skip
"""Agreement turns into proceedings or remand, first steps give way within days, proceedings end in orders."""
COURT = [C1, C2, E1, L2]


def steps(found):
    """Every status held: period, status, first day and last day's eve, in order of period and time.

    A full order may be due after the end, should the child stay longer; it is not held.
    """
    due_later = (np.arange(len(STATUSES)) == C2) & (found.path.start >= found.end[:, None])
    row, status = np.nonzero((found.path.start < LATER) & ~due_later)
    start = found.path.start[row, status]
    order = np.lexsort((start, row))
    row, status, start = row[order], status[order], start[order]
    last = np.append(row[1:] != row[:-1], True)
    stop = np.where(last, found.end[row], np.append(start[1:], 0))
    return row, status, start, stop


@given(SEEDS, YEARS, st.sampled_from(["care", "unaccompanied"]))
def test_only_lawful_sequences(periods, seed, year, kind):
    row, status, start, stop = steps(periods(seed, year, kind, 150))
    found = periods(seed, year, kind, 150)
    first = np.append(True, row[1:] != row[:-1])
    assert (row[first] == np.arange(len(found.end))).all(), "every child has a status"
    assert (start[first] == found.who.entry).all(), "from the first day"
    assert (stop > start).all(), "one status at a time, begun before the period ends"
    follows = {(STATUSES[a], STATUSES[b]) for a, b in zip(status[:-1][~first[1:]], status[1:][~first[1:]], strict=True)}
    assert follows <= LAWFUL
    if kind == "unaccompanied":
        assert set(status.tolist()) == {V2}


@given(SEEDS, YEARS)
def test_no_status_lasts_longer_than_the_law_lets_it(periods, guidance, seed, year):
    _, status, start, stop = steps(periods(seed, year))
    days = stop - start
    assert (days[status == L1] <= guidance.limit("LEGAL_STATUS_CODE", "L1", "max_days")).all()
    assert (days[status == L1] <= 3).all()
    assert (days[status == L2] <= 15).all(), "eight days and one extension of seven"
    assert (days[status == C1] <= 364).all(), "proceedings are over within 52 weeks"


@given(SEEDS, YEARS)
def test_orders_are_made_at_the_age_they_can_be(periods, guidance, seed, year):
    found = periods(seed, year)
    row, status, start, _ = steps(found)
    seventeen = birthday(found.who.birth, 17)[row]
    assert (start[np.isin(status, COURT)] < seventeen[np.isin(status, COURT)]).all()
    remand = int(guidance.limit("LEGAL_STATUS_CODE", "J1", "min_age_years"))
    assert (start[status == J1] >= birthday(found.who.birth, remand)[row][status == J1]).all()


@given(SEEDS, YEARS)
def test_courts_sit_on_working_days(periods, seed, year):
    found = periods(seed, year)
    _, status, start, _ = steps(found)
    made = start[np.isin(status, [C1, C2, E1])]
    assert is_working_day(made).all()
    adopted = found.end[found.destination == DESTINATIONS.index("adoption")]
    assert is_working_day(adopted).all()


@given(SEEDS, YEARS)
def test_adoption_needs_a_placement_order_or_consent(periods, seed, year):
    found = periods(seed, year)
    path, adopted = found.path, found.destination == DESTINATIONS.index("adoption")
    final = path.at(found.end - 1)
    assert (final[adopted & ~path.consent] == E1).all()
    assert (final[adopted & path.consent] == V2).all()
    assert ((path.start[:, E1] < LATER) == (adopted & ~path.consent)).all()
    assert ((path.placed < LATER) == adopted).all()
    assert not (path.consent & ~adopted).any()
    ordered = adopted & ~path.consent
    assert (path.start[ordered, E1] < path.placed[ordered]).all()
    assert ((path.placed > found.who.entry) & (path.placed < found.end))[adopted].all()


@given(SEEDS, YEARS)
def test_custody_from_agreement_passes_through_remand(periods, behaviour, seed, year):
    found = periods(seed, year, "care", 1000)
    start, final = found.path.start, found.path.at(found.end - 1)
    longest = behaviour.value("legal.remand_days", year)[1]
    came_by_agreement = start[:, V2] < found.end - longest
    already = (start[:, J1] == found.who.entry) | (start[:, C1] < LATER) | (start[:, L2] < LATER)
    expected = (found.destination == DESTINATIONS.index("custody")) & came_by_agreement & ~already
    assert (final[expected] == J1).all()


@given(SEEDS, st.lists(st.integers(0, 149), min_size=1, unique=True))
def test_a_path_is_the_same_whichever_others_are_drawn(periods, behaviour, guidance, seed, chosen):
    from synth.lives.legal import legal_path

    found = periods(seed, 2015, "care", 150)
    rows = np.sort(chosen)
    path = legal_path(
        found.streams, behaviour, guidance, found.who.only(rows), found.destination[rows], found.end[rows], 2015
    )
    assert (path.start == found.path.start[rows]).all()
    assert (path.placed == found.path.placed[rows]).all()
    assert (found.path.only(rows).start == path.start).all()


@given(SEEDS, st.integers(0, 1500), st.integers(1, 800))
def test_statuses_in_force_are_those_held_day_by_day(periods, seed, after, length):
    found = periods(seed % 5, 2015, "care", 60)
    first = found.who.entry + np.int32(after)
    last = first + np.int32(length)
    held = found.path.during(first, last)
    for period in range(0, 60, 7):
        days = np.arange(first[period], last[period], dtype=np.int32)
        start = found.path.start[period]
        by_day = {max((int(s), n) for n, s in enumerate(start) if s <= d)[1] for d in days}
        assert set(np.flatnonzero(held[period]).tolist()) == by_day
        assert int(found.path.at(first)[period]) in by_day


def test_the_law_holds_whatever_the_profile_makes_likely(periods, changed, guidance):
    """Every way in and out equally likely at every age (but custody): what is not lawful still does not happen."""
    ways = ("V2", "C1", "C2", "L1", "L2", "J1")
    out = dict.fromkeys(DESTINATIONS, 1.0)
    no_custody = out | {"custody": 0.0}
    wild = changed(
        legal__route={band: dict.fromkeys(ways, 1.0) for band in BANDS},
        legal__agreement_to_court=dict.fromkeys(BANDS, 1.0),
        care__destination=dict.fromkeys((*BANDS, "unaccompanied"), out) | dict.fromkeys(BANDS[:3], no_custody),
        legal__remand_from_age=0,
    )
    found = periods(1, 2020, "care", 4000, wild)
    row, status, start, stop = steps(found)
    first = np.append(True, row[1:] != row[:-1])
    follows = zip(status[:-1][~first[1:]], status[1:][~first[1:]], strict=True)
    assert {(STATUSES[a], STATUSES[b]) for a, b in follows} <= LAWFUL
    assert (stop > start).all()
    court = np.isin(status, COURT)
    assert (start[court] < birthday(found.who.birth, 17)[row][court]).all()
    ten = int(guidance.limit("LEGAL_STATUS_CODE", "J1", "min_age_years"))
    assert (start[status == J1] >= birthday(found.who.birth, ten)[row][status == J1]).all()
    days = stop - start
    for code, most in ((L1, 3), (L2, 15), (C1, 364)):
        assert (days[status == code] <= most).all(), STATUSES[code]
    assert (found.end <= birthday(found.who.birth, 18) - 1).all()


def test_every_step_and_the_common_ways_in_occur(periods):
    _, status, _, _ = steps(periods(1, 2020, "care", 8000))
    assert set(status.tolist()) == set(range(len(STATUSES)))


@pytest.mark.parametrize("year", [2005, 2022])
def test_consent_is_as_rare_as_the_profile_says(behaviour, periods, year):
    found = periods(1, year, "care", 8000)
    adopted = found.destination == DESTINATIONS.index("adoption")
    alone = found.who.name == found.who.lead
    share = behaviour.scalar("legal.adoption_by_consent_share", year)
    assert fits_share(found.path.consent[adopted & alone], share)
