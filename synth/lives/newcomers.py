"""Families new to an authority: queued, drawn in full, and admitted until the year's totals are met."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from synth.dates import Days, birthday, day_of_year_start, last_day, quarter_day
from synth.errors import ProfileError
from synth.lives.admission import Queue, admit, queue_lengths, queues
from synth.lives.draw import within
from synth.lives.people import Members, authority_of, members
from synth.lives.plans import (
    N1,
    PlanEnds,
    needs,
    registration,
    short_break_series,
    support_plan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["admit_to_short_breaks", "admit_to_support", "line_up"]

T = TypeVar("T")
_LEAST_SHARE = 0.02
_ROUNDS = 4
"""How often the weight of abuse or neglect is set anew, where a target asks for a share of it."""


def admit_to_short_breaks(book: Book, year: int, looked_after: NDArray[np.int64]) -> None:
    """Admit children to a series of short breaks under section 76, up to their level beside the looked-after one."""
    behaviour, streams, end = book.behaviour, book.streams, last_day(year)
    level = book.rounded(
        behaviour.scalar("short_breaks.per_looked_after", year) * looked_after,
        "short break rounding",
        year,
    )
    open_now = book.by_authority(book.series["child"][(book.series["start"] <= end) & (book.series["end"] > end)])

    def draw(family: NDArray[np.uint64]) -> tuple[Members, NDArray[np.bool_], tuple[Days, Days]]:
        begin = within(streams("short break entry").uniform(family), day_of_year_start(year), end)
        new = members(streams, behaviour, "short_break", family, begin, year)
        start = begin[new.queue]
        stop = short_break_series(streams, behaviour, new.name, new.birth, start, year)
        return new, stop > end, (start, stop)

    place, new, take, (start, stop) = line_up(book, "short_break", year, np.maximum(level - open_now, 0), draw)
    need = needs(streams, behaviour, "short_break", new.family, new.birth, start, year)
    rows = book.add_children(place, new, need, take, short_breaks=True)
    after = behaviour.scalar("short_breaks.plan_goes_on_days", year)
    last = np.minimum(stop + after, birthday(new.birth, 18) - 1).astype(np.int32)
    book.open_plans(rows, start[take], PlanEnds.until(last[take]))
    book.series.append(child=rows, start=start[take], end=stop[take])


def admit_to_support(book: Book, year: int, wanted: NDArray[np.int64]) -> None:
    """Admit families with a plan and no child in care, until the census-date count is met."""
    streams, behaviour = book.streams, book.behaviour
    tilt = np.ones(len(book.authorities))
    place_of = np.zeros(book.order.max() + 1, np.int64)
    place_of[book.order] = np.arange(len(book.order))

    def draw(
        family: NDArray[np.uint64],
    ) -> tuple[Members, NDArray[np.bool_], tuple[Days, NDArray[np.int8], PlanEnds]]:
        begin = within(streams("support entry").uniform(family), day_of_year_start(year), last_day(year))
        new = members(streams, behaviour, "support", family, begin, year)
        start = begin[new.queue]
        here = tilt[place_of[authority_of(new.family)]]
        need = needs(streams, behaviour, "support", new.family, new.birth, start, year, here)
        register = registration(streams, behaviour, new.family, need, start, "support", year)
        first_plan = np.zeros(len(new.name), np.int32)
        ends = support_plan(streams, behaviour, new.family, first_plan, new.birth, need, start, register, year)
        return new, (start <= quarter_day(year)) & (ends.end > last_day(year)), (start, need, ends)

    aim = _share_of_n1(book, year, wanted)
    for _ in range(_ROUNDS):
        place, new, take, (start, need, ends) = line_up(book, "support", year, wanted, draw)
        if aim is None:
            break
        counted = take & (start <= quarter_day(year)) & (ends.end > last_day(year))
        found = np.bincount(place[counted & (need == N1)], minlength=len(wanted)) / np.maximum(wanted, 1)
        tilt *= _odds(aim) / _odds(found)
    rows = book.add_children(place, new, need, take)
    book.open_plans(rows, start[take], ends.only(take))
    book.register(rows, start[take], ends.end[take], "support", year)


def _share_of_n1(book: Book, year: int, wanted: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the share of abuse or neglect (N1) among new children that brings each authority to its target."""
    target = book.targets("need", year, "N1")
    if target is None:
        return None
    child = book.children
    counted = (child["plan_start"] <= quarter_day(year)) & (child["plan_end"] > last_day(year))
    have = book.by_authority(np.flatnonzero(counted & (child["need"] == N1)))
    return np.asarray((target - have) / np.maximum(wanted, 1))


def _odds(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return odds, kept off nought and infinity: a year's new children are never all of one need."""
    safe = np.clip(share, _LEAST_SHARE, 1 - _LEAST_SHARE)
    return np.asarray(safe / (1 - safe))


def line_up(
    book: Book,
    kind: str,
    year: int,
    wanted: NDArray[np.int64],
    draw: Callable[[NDArray[np.uint64]], tuple[Members, NDArray[np.bool_], T]],
) -> tuple[NDArray[np.int64], Members, NDArray[np.bool_], T]:
    """Queue families of a kind and admit as many as are wanted.

    `draw` turns family names into their members, says which of them count towards the total, and hands on what
    else it drew. Returned are each queued child's authority, the members, who is admitted, and the rest.
    """
    for lengths in queue_lengths(wanted):
        place, family = queues(book.order, year, kind, lengths)
        new, counted, rest = draw(family)
        line = admit(Queue.of(place, new.queue, counted, len(book.order)), wanted)
        if line is not None:
            return place[new.queue], new, line[new.queue], rest
    raise ProfileError(
        f"Profile {book.behaviour.profile.name!r}, {year}: of the families queued ({kind.replace('_', ' ')}) too few"
        " would still count on 31 March. Stays or plans are too short for the levels; change one of them."
    )
