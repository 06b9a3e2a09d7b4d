"""When courts get round to it: adoptions and guardianships hastened or put off so that the year's counts come out.

Only the day of the order moves. A period that was to end in this way and has not yet ended is in line by the day
drawn for it; as many as the profile's target for the year come first in line and end in the year, the others later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day_of_year_start, last_day
from synth.lives.draw import within
from synth.lives.periods import DESTINATIONS, Entrants, drawn_placement
from synth.working_days import next_working_day, previous_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["bound_for_orders", "settle_orders"]

_ORDERS = {
    "adopted": (("E11", "E12"), ("adoption",)),
    "guardian": (("E43", "E44"), ("guardian_carer", "guardian_other")),
}
"""Kinds of order: the reasons they end a period with, and the destinations that lead there."""


def settle_orders(book: Book, year: int) -> None:
    """Let as many periods end in adoption or guardianship as each authority's targets for the year say.

    Without a target, before the profile's first year, or where too few periods are far enough, days stay as they were
    drawn.
    """
    if year < book.behaviour.profile.years[0]:
        return
    for name, (codes, _) in _ORDERS.items():
        wanted = book.targets("endings", year, *codes)
        if wanted is not None:
            _settle(book, year, name, wanted)


def bound_for_orders(book: Book, year: int) -> list[tuple[list[int], NDArray[np.int64]]]:
    """Return for each kind of order the destinations that lead to it and how many more entrants should be bound for it.

    As many children are kept on the way as the year's orders last for the time such orders take: so nobody waits in
    vain and no year runs short. Empty where the year has no targets.
    """
    child, last = book.children, last_day(year)
    years = book.behaviour.value("care.order_takes_years", year)
    found = []
    for name, (codes, destinations) in _ORDERS.items():
        wanted = book.targets("endings", year, *codes)
        if wanted is None:
            continue
        leads = [DESTINATIONS.index(destination) for destination in destinations]
        on_the_way = book.by_authority(np.flatnonzero((child["care_end"] > last) & np.isin(child["went"], leads)))
        found.append((leads, np.maximum(np.floor(years[name] * wanted + 0.5).astype(np.int64) - on_the_way, 0)))
    return found


def _settle(book: Book, year: int, name: str, wanted: NDArray[np.int64]) -> None:
    first, last = day_of_year_start(year), last_day(year)
    child = book.children
    leads = [DESTINATIONS.index(destination) for destination in _ORDERS[name][1]]
    rows = np.flatnonzero((child["care_end"] >= first) & np.isin(child["went"], leads))
    place = child["place"][rows].astype(np.int64)
    earliest = _earliest(book, rows, name, year)
    # The line: by the day drawn, those who cannot be hastened into the year at the end.
    due = child["care_end"][rows] <= last
    can = due | (earliest <= last)
    order = np.lexsort((child["name"][rows], child["care_end"][rows], ~can, place))
    rows, place, earliest, due, can = rows[order], place[order], earliest[order], due[order], can[order]
    rank = np.arange(len(rows)) - np.searchsorted(place, place)
    ends = can & (rank < wanted[place])
    u = book.streams(f"day of order, {name}").uniform(child["name"][rows], year)
    hastened = ends & ~due
    day = np.minimum(next_working_day(within(u, np.maximum(earliest, first + 1), last)), _last_working_day(last))
    # A birthday may stand in the way of putting an order off.
    eve = birthday(child["birth"][rows], 18) - 1
    put_off = due & ~ends
    longest = int(book.behaviour.scalar("care.order_put_off_days", year))
    later = next_working_day(last + within(u, 1, longest))
    put_off &= later < eve
    for chosen, new in ((hastened, day), (put_off, later)):
        book.end_care(rows[chosen], np.asarray(new[chosen], np.int32), year)


def _earliest(book: Book, rows: NDArray[np.int64], name: str, year: int) -> NDArray[np.int32]:
    """Return the first day an order could be made for children in care: some months after what must come before."""
    child, behaviour = book.children, book.behaviour
    apart = int(behaviour.value("care.order_at_earliest_days", year)[name])
    entry = child["care_start"][rows]
    if name != "adopted":
        return np.asarray(entry + apart, np.int32)
    lead = book.periods["lead"][child["period"][rows]]
    who = Entrants(
        name=child["name"][rows],
        lead=lead,
        lead_birth=child["birth"][rows],
        number=book.periods["number"][child["period"][rows]],
        birth=child["birth"][rows],
        entry=entry,
        unaccompanied=child["unaccompanied"][rows],
    )
    return np.asarray(drawn_placement(book.streams, behaviour, who) + apart, np.int32)


def _last_working_day(last: int) -> int:
    return int(previous_working_day(np.array([last]))[0])
