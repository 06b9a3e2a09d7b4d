"""The other courses a year before the courts could have taken: all of them lawful, none of them changing the past."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.dates import birthday, last_day
from synth.lives.legal import LATER, STATUSES
from synth.lives.otherwise import Proceedings
from synth.lives.periods import DESTINATIONS
from synth.working_days import is_working_day

V2, C1, C2, E1, L1, L2, J1 = range(len(STATUSES))
FOLLOWS = {
    ("V2", "C1"), ("V2", "J1"), ("L1", "V2"), ("L1", "C1"), ("L1", "L2"), ("L2", "C1"), ("C1", "C2"), ("C1", "E1"),
    ("C2", "E1"), ("E1", "C2"),
}  # fmt: skip


def proceedings(found, year):
    """The periods of a year of entry as collection year `year` begins, those still open then."""
    rows = np.flatnonzero(found.end > last_day(year))
    how = (found.streams, found.behaviour, found.guidance, year)
    return Proceedings(*how, found.who.only(rows), found.destination[rows], found.end[rows], found.path.only(rows))


def every(now):
    return [now.alternatives(), now.placed_sooner()]


def breaches(now, other):
    """What is wrong with some paths: a set of names."""
    rows, end = other.rows, now.end[other.rows]
    # A full order that would follow after the end is not held.
    later = (np.arange(len(STATUSES)) == STATUSES.index("C2")) & (other.path.start >= end[:, None])
    start = np.where(later, LATER, other.path.start)
    birth, adopted = now.who.birth[rows], now.destination[rows] == DESTINATIONS.index("adoption")
    wrong = set()
    for row in range(len(rows)):
        held = sorted((int(day), status) for status, day in enumerate(start[row]) if day < LATER)
        days = [day for day, _ in held]
        if days[0] != now.who.entry[rows[row]] or len(set(days)) < len(days) or days[-1] >= end[row]:
            wrong.add("days")
        pairs = {(STATUSES[a], STATUSES[b]) for (_, a), (_, b) in pairwise(held)}
        wrong |= pairs - FOLLOWS
        if adopted[row] and ("E1", "C2") in pairs:
            wrong.add("revoked before adoption")
        for (day, status), after in zip(held, [*days[1:], end[row]], strict=True):
            if after - day > {C1: 364, L1: 3, L2: 15}.get(status, 10**6):
                wrong.add(f"{STATUSES[status]} too long")
            if status in (C1, C2, E1) and not is_working_day(np.array([day]))[0]:
                wrong.add(f"{STATUSES[status]} on a free day")
            if status in (C1, C2, E1, L2) and day >= birthday(birth, 17)[row]:
                wrong.add(f"{STATUSES[status]} too late")
            if status == J1 and day < birthday(birth, 10)[row]:
                wrong.add("J1 too early")
    order = np.where(other.path.consent, now.who.entry[rows], start[:, E1])
    placed = other.path.placed
    if not ((placed < LATER) == adopted).all():
        wrong.add("placed without adoption")
    if not ((order < placed) & (end - placed >= 70))[adopted].all():
        wrong.add("clock of adoption")
    old = now.path.start[rows]
    past = (start <= now.past) | (old <= now.past)
    if (past & (start != old)).any():
        wrong.add("past changed")
    gone_by = np.minimum(placed, now.path.placed[rows]) <= now.past
    if (gone_by & (placed != now.path.placed[rows])).any():
        wrong.add("placed in the past")
    return wrong


@given(st.integers(0, 2**31), st.sampled_from([2016, 2020]), st.integers(0, 3))
@settings(max_examples=12)
def test_other_courses_are_lawful_and_keep_the_past(periods, seed, entered, after):
    now = proceedings(periods(seed, entered, "care", 150), entered + after)
    assert not set().union(*(breaches(now, other) for other in every(now)))


@pytest.mark.parametrize("after", [0, 1])
def test_there_are_other_courses_to_every_group(periods, after):
    """Of 3,000 families' children still in care some could be in each group of legal status instead."""
    now = proceedings(periods(5, 2020, "care", 3000), 2020 + after)
    day = np.int32(now.day)

    def at(path):
        return path.at(np.full(len(path.placed), day))

    changes = set()
    for other in every(now):
        before, later = at(now.path)[other.rows], at(other.path)
        changes |= {(STATUSES[a], STATUSES[b]) for a, b in zip(before, later, strict=True)}
        sooner = (now.path.placed[other.rows] > day) & (other.path.placed <= day)
        changes |= {"placed sooner"} if sooner.any() else set()
    wanted = {("V2", "C1"), ("C1", "V2"), ("C1", "E1"), ("V2", "J1")}
    if after:
        wanted |= {"placed sooner", ("E1", "C1")}
    else:
        wanted |= {("C1", "L2"), ("V2", "L2")}
    assert wanted <= changes


def test_unaccompanied_children_have_no_other_course(periods):
    now = proceedings(periods(3, 2020, "unaccompanied", 300), 2020)
    assert sum(len(other.rows) for other in every(now)) == 0
