"""Families new to an authority: queued, drawn in full, and admitted until the year's totals are met.

Families with a plan and no child in care have a module of their own, `support`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from synth.dates import Days, birthday, day_of_year_start, last_day
from synth.errors import ProfileError
from synth.lives.admission import Queue, admit, queue_lengths, queues
from synth.lives.draw import within
from synth.lives.people import Members, members
from synth.lives.plans import PlanEnds, needs, short_break_series

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["admit_to_short_breaks", "line_up", "too_few_stay"]

T = TypeVar("T")


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
        place, family = queues(book.homes.name, year, kind, lengths)
        new, counted, rest = draw(family)
        line, missing = admit(Queue.of(place, new.queue, counted, len(book.homes)), wanted)
        if not missing.any():
            return place[new.queue], new, line[new.queue], rest
    raise too_few_stay(book, kind, year)


def too_few_stay(book: Book, kind: str, year: int) -> ProfileError:
    """Return the error that says that a line, however long, does not hold enough children."""
    return ProfileError(
        f"Profile {book.behaviour.profile.name!r}, {year}: of the families queued ({kind.replace('_', ' ')}) too few"
        " would still count on 31 March. Stays or plans are too short for the levels; change one of them."
    )
