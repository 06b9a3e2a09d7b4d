"""Families new to an authority: queued, drawn in full, and admitted until the year's totals are met."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from synth.dates import Days, birthday, day_of_year_start, last_day, quarter_day
from synth.errors import ProfileError
from synth.lives.admission import Queue, admit, queue_lengths, queues
from synth.lives.draw import within
from synth.lives.people import Members, members
from synth.lives.periods import Entrants, Outcome, outcome
from synth.lives.plans import (
    PlanEnds,
    needs,
    registration,
    short_break_series,
    support_plan,
)
from synth.working_days import next_working_day, previous_working_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["admit_to_short_breaks", "admit_to_support", "admit_unaccompanied", "queue_for_care"]

T = TypeVar("T")


def admit_unaccompanied(book: Book, year: int, looked_after: NDArray[np.int64]) -> None:
    """Admit unaccompanied asylum-seeking children, to their share of the stock."""
    share = book.behaviour.scalar("unaccompanied.share_of_stock", year)
    level = book.rounded(share * looked_after, "unaccompanied rounding", year)
    child = book.children
    here = book.by_authority(np.flatnonzero(child["unaccompanied"] & (child["care_end"] > last_day(year))))
    room = np.maximum(looked_after - book.looked_after(year), 0)
    queue_for_care(book, year, "unaccompanied", np.clip(level - here, 0, room))


def queue_for_care(book: Book, year: int, kind: str, wanted: NDArray[np.int64]) -> None:
    """Admit families to whom care is the first or an early response, until `wanted` of them stay."""
    end = last_day(year)
    streams, behaviour = book.streams, book.behaviour

    def draw(family: NDArray[np.uint64]) -> tuple[Members, NDArray[np.bool_], tuple[Entrants, Outcome]]:
        entry = _entry_days(book, family, year)
        new = members(streams, behaviour, kind, family, entry, year)
        who = Entrants(
            name=new.name,
            lead=family[new.queue] * np.uint64(8),
            lead_birth=new.birth[np.searchsorted(new.queue, new.queue)],
            number=np.zeros(len(new.name), np.int32),
            birth=new.birth,
            entry=entry[new.queue],
            unaccompanied=np.full(len(new.name), kind == "unaccompanied"),
        )
        drawn = outcome(streams, behaviour, who, year)
        return new, drawn.end > end, (who, drawn)

    place, new, take, (who, drawn) = _line_up(book, kind, year, wanted, draw)
    start = _lead_in(book, new, who.entry, kind, year)
    need = needs(streams, behaviour, kind, new.family, new.birth, start, year)
    rows = book.add_children(place, new, need, take, unaccompanied=kind == "unaccompanied")
    book.open_plans(rows, start[take], PlanEnds.until(drawn.end[take]))
    book.register(rows, start[take], who.entry[take], "care", year)
    book.enter_care(rows, who.only(take), drawn.destination[take], drawn.end[take], year)


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

    place, new, take, (start, stop) = _line_up(book, "short_break", year, np.maximum(level - open_now, 0), draw)
    need = needs(streams, behaviour, "short_break", new.family, new.birth, start, year)
    rows = book.add_children(place, new, need, take, short_breaks=True)
    after = behaviour.scalar("short_breaks.plan_goes_on_days", year)
    last = np.minimum(stop + after, birthday(new.birth, 18) - 1).astype(np.int32)
    book.open_plans(rows, start[take], PlanEnds.until(last[take]))
    book.series.append(child=rows, start=start[take], end=stop[take])


def admit_to_support(book: Book, year: int, wanted: NDArray[np.int64]) -> None:
    """Admit families with a plan and no child in care, until the census-date count is met."""
    streams, behaviour = book.streams, book.behaviour

    def draw(
        family: NDArray[np.uint64],
    ) -> tuple[Members, NDArray[np.bool_], tuple[Days, NDArray[np.int8], PlanEnds]]:
        begin = within(streams("support entry").uniform(family), day_of_year_start(year), last_day(year))
        new = members(streams, behaviour, "support", family, begin, year)
        start = begin[new.queue]
        need = needs(streams, behaviour, "support", new.family, new.birth, start, year)
        register = registration(streams, behaviour, new.family, need, start, "support", year)
        first_plan = np.zeros(len(new.name), np.int32)
        ends = support_plan(streams, behaviour, new.family, first_plan, new.birth, need, start, register, year)
        return new, (start <= quarter_day(year)) & (ends.end > last_day(year)), (start, need, ends)

    place, new, take, (start, need, ends) = _line_up(book, "support", year, wanted, draw)
    rows = book.add_children(place, new, need, take)
    book.open_plans(rows, start[take], ends.only(take))
    book.register(rows, start[take], ends.end[take], "support", year)


def _line_up(
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


def _entry_days(book: Book, family: NDArray[np.uint64], year: int) -> Days:
    """Draw days of entry: evenly over the year, but fewer on free days, when only emergencies come in."""
    first, end = day_of_year_start(year), last_day(year)
    drawn = within(book.streams("entry day").uniform(family), first, end)
    waits = book.streams("entry waits").uniform(family) < book.behaviour.scalar(
        "care.entry_waits_for_working_day", year
    )
    return np.where(waits, np.minimum(next_working_day(drawn), previous_working_day(np.array([end]))), drawn)


def _lead_in(book: Book, new: Members, entry: NDArray[np.int32], kind: str, year: int) -> NDArray[np.int32]:
    """Plan starts of families new this year: at entry, or some time before but after 1 April and birth."""
    if kind == "unaccompanied":
        return entry
    u = book.streams("plan before care").uniform(new.family)
    at_once = book.behaviour.scalar("care.plan_starts_at_entry_share", year)
    room = entry - day_of_year_start(year)
    lead_in = np.where(u < at_once, 0, np.floor((u - at_once) / (1 - at_once) * (room + 1)))
    return np.maximum(entry - lead_in, new.birth).astype(np.int32)
