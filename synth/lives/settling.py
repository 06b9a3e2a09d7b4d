"""Counts among the children who come into care in a year, made to fit the profile's targets before anyone is written.

Families are units: brothers and sisters share an ethnic group, mostly a need, and the day their plan starts. In each
case those nearest to what is wanted by their own draw are taken, whole families while they fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import Days, day_of_year_start, quarter_day
from synth.lives.draw import choose, flagged
from synth.lives.fitting import take_in
from synth.lives.people import ETHNICITIES, NOT_OBTAINED, ethnic_mix, ethnicity
from synth.lives.plans import N1, NEEDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book
    from synth.lives.people import Members

__all__ = ["room_by_group", "settle_ethnicity", "settle_ethnicity_alone", "settle_needs", "settle_plan_starts", "take"]

_RARE = 1e-9
"""Stands for a weight of nought, so that a group nobody is drawn into comes last."""


def take(
    place: NDArray[np.int64], size: NDArray[np.int64], key: NDArray[np.float64], wanted: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Choose units in the order of `key` until those of each place add up to `wanted`, never beyond.

    A unit too large for what is left is passed over; units of size 0 or with an infinite key are not chosen.
    """
    may = flagged((size > 0) & (key < np.inf))
    order = may[np.argsort(key[may], kind="stable")]
    chosen = np.zeros(len(place), bool)
    chosen[order] = take_in(place[order], size[order], wanted.copy())
    return chosen


def settle_ethnicity(
    book: Book, year: int, place: NDArray[np.int64], new: Members, counted: NDArray[np.bool_]
) -> NDArray[np.int8] | None:
    """Return the ethnic group of each child at the door so that the stock of 31 March meets its targets.

    `counted` marks the children who will be there. None without targets: then it is drawn freely.
    """
    room = room_by_group(book, year)
    if room is None:
        return None
    families, first, member = np.unique(new.family, return_index=True, return_inverse=True)
    at = place[first]
    size = np.bincount(member, counted, len(families)).astype(np.int64)
    weights = ethnic_mix(book.behaviour)[book.homes.order[at]]
    group = ethnicity(book.streams, book.behaviour, book.homes.order[at], families, np.zeros(len(families), bool))
    free = size > 0
    group[free] = 0
    # The rarest group first; whoever is left over belongs to the largest one.
    for column in range(len(ETHNICITIES) - 1, 0, -1):
        race = -np.log(book.streams(f"ethnic group {ETHNICITIES[column]}").uniform(families))
        key = np.where(free, race / np.maximum(weights[:, column], _RARE), np.inf)
        chosen = take(at, size, key, np.maximum(room[:, column], 0))
        group[chosen] = column
        free &= ~chosen
    return np.asarray(group[member])


def settle_ethnicity_alone(
    book: Book, year: int, place: NDArray[np.int64], new: Members, chosen: NDArray[np.bool_]
) -> NDArray[np.int8] | None:
    """Return the ethnic group of unaccompanied children: their own mix, in groups that still have room.

    `chosen` marks those who will enter. None without targets.
    """
    room = room_by_group(book, year)
    if room is None:
        return None
    base = book.behaviour.profile.warm_up_from
    mix = book.behaviour.vector("ethnicity.unaccompanied", base, ETHNICITIES)
    alone = np.ones(len(new.family), bool)
    group = ethnicity(book.streams, book.behaviour, book.homes.order[place], new.family, alone)
    u = book.streams("ethnicity").uniform(new.family)
    for child in flagged(chosen).tolist():
        open_groups = mix * (room[place[child]] > 0)
        weights = open_groups if open_groups.sum() > 0 else mix
        group[child] = choose(u[[child]], weights)[0]
        room[place[child], group[child]] -= 1
    return group


def room_by_group(book: Book, year: int) -> NDArray[np.int64] | None:
    """Return how many more children of each group the stock of 31 March wants, shape (authorities, groups).

    Children whose group is not obtained belong to the largest one (see `not_obtained`).
    """
    wanted = [book.targets("ethnicity", year, *groups) for groups in _counted_as(book, year)]
    if any(counts is None for counts in wanted):
        return None
    child, here = book.children, book.in_care(year)
    present = np.bincount(
        child["place"][here].astype(np.int64) * len(ETHNICITIES) + child["ethnic"][here],
        minlength=len(book.homes) * len(ETHNICITIES),
    )
    return np.asarray(np.array(wanted).T - present.reshape(-1, len(ETHNICITIES)))


def _counted_as(book: Book, year: int) -> list[tuple[str, ...]]:
    """Return for each ethnic group the cells of the targets that its children are counted in."""
    unknown = [cell for cell in book.behaviour.profile.cells_of("ethnicity", year) if cell == NOT_OBTAINED]
    return [(ETHNICITIES[0], *unknown), *((group,) for group in ETHNICITIES[1:])]


def settle_needs(
    book: Book, year: int, place: NDArray[np.int64], new: Members, need: NDArray[np.int8], chosen: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return the needs with as many of abuse or neglect (N1) among the year's starts as the targets say.

    `chosen` marks the children who will enter; families change from N1 or to N1 whole, in the order of a draw.
    """
    wanted = book.targets("starts_n1", year, "starts_n1")
    if wanted is None:
        return need
    child = book.children
    begun = book.started(year)
    missing = wanted - book.by_authority(begun[child["need"][begun] == N1])
    families, first, member = np.unique(new.family, return_index=True, return_inverse=True)
    at, count = place[first], len(families)
    is_n1 = need == N1
    have = np.bincount(place[is_n1 & chosen], minlength=len(missing))
    u = book.streams("need settled").uniform(families, year)
    # Only families of one mind change it: all N1, or none of them.
    size = np.bincount(member, chosen, count).astype(np.int64)
    n1 = np.bincount(member, is_n1 & chosen, count).astype(np.int64)
    to_n1 = take(at, size, np.where(n1 == 0, u, np.inf), np.maximum(missing - have, 0))
    from_n1 = take(at, size, np.where(n1 == size, u, np.inf), np.maximum(have - missing, 0))
    found = need.copy()
    found[to_n1[member]] = N1
    others = book.behaviour.vector("need.care", year, NEEDS).copy()
    others[[N1, NEEDS.index("N2"), NEEDS.index("N6"), NEEDS.index("N9")]] = 0.0
    leaves = from_n1[member] & is_n1
    drawn = choose(book.streams("need instead").uniform(families, year), others)
    found[leaves] = drawn[member][leaves]
    return found


def settle_plan_starts(
    book: Book,
    year: int,
    place: NDArray[np.int64],
    new: Members,
    entry: Days,
    start: Days,
    counted: NDArray[np.bool_],
) -> Days:
    """Return plan starts so that as many looked-after children meet the three-month rule as the targets say.

    Only families that came after 1 January have a choice: their plan began before it or after. `counted` marks the
    children who will be looked after on 31 March.
    """
    wanted = book.targets("status", year, "looked_after", "both")
    if wanted is None:
        return start
    child = book.children
    first, quarter = day_of_year_start(year), quarter_day(year)
    here = book.in_care(year)
    meets = book.by_authority(here[child["plan_start"][here] <= quarter])
    families, head, member = np.unique(new.family, return_index=True, return_inverse=True)
    at = place[head]
    born_late = new.birth > quarter
    meets += np.bincount(place[counted & (entry <= quarter)], minlength=len(meets))
    free = counted & (entry > quarter) & ~born_late
    size = np.bincount(member, free, len(families)).astype(np.int64)
    # Those whose plan began soonest before care had it after 1 January.
    lead_in = (entry - start)[head].astype(np.float64)
    u = book.streams("plan before the quarter").uniform(families)
    missing = np.maximum(wanted - meets, 0)
    early = take(at, size, -lead_in - u, missing)[member]
    # Where no whole family fits any more, some brothers and sisters had their plan before the others.
    missing -= np.bincount(place[early & free], minlength=len(missing))
    key = np.where(free & ~early, -(entry - start).astype(np.float64) - u[member], np.inf)
    early |= take(place, np.ones(len(place), np.int64), key, missing)
    before = quarter - np.floor(u[member] * (quarter - first)).astype(np.int32)
    after = entry - np.floor(u[member] * (entry - quarter - 1)).astype(np.int32)
    moved = np.where(early & (start > quarter), before, np.where(~early & (start <= quarter), after, start))
    settled = np.where((entry > quarter) & ~born_late, moved, start)
    return np.asarray(np.maximum(settled, new.birth), np.int32)
