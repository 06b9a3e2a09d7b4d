import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth.lives.admission import Queue, admit, queue_lengths, queues
from synth.lives.people import KINDS, family_names

LINE = st.lists(st.integers(0, 4), min_size=1, max_size=25)
TOWNS = st.lists(st.tuples(LINE, st.integers(0, 20)), min_size=1, max_size=4)


def line_up(lines):
    place = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    return Queue(place, np.array([count for line in lines for count in line]), len(lines))


def by_town(admitted, lines):
    ends = np.cumsum([len(line) for line in lines])
    return [part.tolist() for part in np.split(admitted, ends[:-1])]


def alone(line, wanted):
    found, missing = admit(line_up([line]), np.array([wanted]))
    return None if missing.any() else found.tolist()


@given(TOWNS)
def test_exactly_as_many_as_wanted_and_who_is_missing(towns):
    lines, wanted = [line for line, _ in towns], np.array([n for _, n in towns])
    admitted, missing = admit(line_up(lines), wanted)
    assert (missing >= 0).all()
    for line, taken, goal in zip(lines, by_town(admitted, lines), wanted - missing, strict=True):
        assert sum(count for count, in_ in zip(line, taken, strict=True) if in_) == goal
    assert [(lack > 0) for lack in missing] == [alone(*town) is None for town in towns]


@given(TOWNS)
def test_other_authorities_queues_change_nothing(towns):
    lines, wanted = [line for line, _ in towns], np.array([n for _, n in towns])
    admitted, missing = admit(line_up(lines), wanted)
    for town, taken, lack in zip(towns, by_town(admitted, lines), missing, strict=True):
        assert lack or taken == alone(*town)


@given(LINE, st.integers(0, 20), LINE)
def test_a_longer_line_admits_the_same_families(line, wanted, more):
    taken = alone(line, wanted)
    if taken is not None:
        assert alone(line + more, wanted) == taken + [False] * len(more)


@given(LINE, st.integers(0, 20))
def test_families_come_in_order_and_only_the_last_places_go_to_single_children(line, wanted):
    taken = alone(line, wanted)
    if taken is None:
        return
    reached = list(itertools.accumulate(line))
    front = sum(before < wanted and total <= wanted for before, total in zip([0, *reached], reached, strict=False))
    assert all(taken[:front])
    missing = wanted - sum(line[:front])
    later = [place for place in range(front, len(line)) if taken[place]]
    assert [line[place] for place in later] == [1] * missing
    singles = [place for place in range(front, len(line)) if line[place] == 1]
    assert later == singles[:missing]


def test_a_line_that_is_too_short_says_so():
    assert alone([1, 1], 3) is None
    assert alone([2, 2, 2], 3) is None
    assert alone([2, 2, 1], 3) == [True, False, True]
    assert alone([0, 3, 0], 0) == [False, False, False]
    assert alone([0, 3, 0], 3) == [True, True, False]


@given(TOWNS)
def test_running_counts_start_anew_in_every_authority(towns):
    lines = [line for line, _ in towns]
    expected = [total for line in lines for total in itertools.accumulate(line)]
    assert line_up(lines).reached().tolist() == expected


def test_children_that_matter_are_counted_by_family():
    place = np.array([0, 0, 1])
    counted = np.array([True, False, True, True, False])
    queue = Queue.of(place, np.array([0, 0, 1, 1, 2]), counted, 2)
    assert queue.counts.tolist() == [1, 2, 0]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=22))
def test_queue_lengths_double_until_enough(wanted):
    goal = np.array(wanted)
    first, second, third = itertools.islice(queue_lengths(goal), 3)
    assert ((first >= goal) & (first >= 1)).all()
    assert (second[goal > 0] == 2 * first[goal > 0]).all()
    assert (third[goal > 0] == 4 * first[goal > 0]).all()


def test_lines_name_their_families_by_authority_year_kind_and_place():
    order = np.array([21, 3, 8])
    place, family = queues(order, 2020, "support", np.array([3, 1, 2]))
    assert place.tolist() == [0, 0, 0, 1, 2, 2]
    longer_place, longer = queues(order, 2020, "support", np.array([9, 4, 8]))
    for town in range(3):
        mine = family[place == town].tolist()
        assert mine == longer[longer_place == town][: len(mine)].tolist()
        assert mine == queues(order[town : town + 1], 2020, "support", np.array([len(mine)]))[1].tolist()


def test_no_two_families_share_a_name():
    named = [
        family_names(np.full(60, order), year, kind, np.arange(60))
        for order in range(22) for year in range(1999, 2025) for kind in KINDS
    ]  # fmt: skip
    names = np.concatenate(named)
    assert len(np.unique(names)) == len(names)
    children = names[:, None] * np.uint64(8) + np.arange(5, dtype=np.uint64)
    assert len(np.unique(children)) == children.size
