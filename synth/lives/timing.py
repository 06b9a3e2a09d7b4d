"""When courts get round to it: orders and placements for adoption come sooner or later so that a year's counts are met.

Only days move. A period that was to end in an order and has not yet ended is in line by the day drawn for it at entry;
as many as the profile's target for the year come first in line and end in the year, the others later. Placements for
adoption move across the 31 March they are nearest to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day_of_year_start, last_day, year_of, years_in
from synth.lives.admission import foremost
from synth.lives.draw import among, flagged, within
from synth.lives.periods import DESTINATIONS
from synth.working_days import next_working_day, previous_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["bound_for_orders", "settle_orders", "settle_placements"]

_ORDERS = {
    "adopted": (("E11", "E12"), ("adoption",)),
    "guardian": (("E43", "E44"), ("guardian_carer", "guardian_other")),
}
"""Kinds of order: the reasons they end a period with, and the destinations that lead there."""

_ADOPTION = DESTINATIONS.index("adoption")
_NEXT_WORKING_DAY = 7
"""The next working day is never farther than this."""


def settle_orders(book: Book, year: int) -> None:
    """Let as many periods end in adoption or guardianship as each authority's targets for the year say.

    Without a target, or where too few periods are far enough, days stay as they were drawn.
    """
    for name, (codes, _) in _ORDERS.items():
        wanted = book.targets("endings", year, *codes)
        if wanted is not None:
            _settle(book, year, name, wanted)


def bound_for_orders(book: Book, year: int) -> list[tuple[list[int], NDArray[np.int64]]]:
    """Return for each kind of order the destinations that lead to it and how many more entrants should be bound for it.

    As many children are kept on the way as there will be orders in the time such orders take, and as are to be adopted
    in the next year or placed for adoption at its end: so nobody waits in vain and no year runs short. That begins as
    long before the first year with targets as such orders take; sooner, it is empty.
    """
    child, last = book.children, last_day(year)
    years = book.behaviour.value("care.order_takes_years", year)
    staying = flagged(child["care_end"] > last)
    went = child["went"][staying]
    found = []
    for name, (codes, destinations) in _ORDERS.items():
        wanted = _first_wanted(book, year, codes, float(years[name]))
        if wanted is None:
            continue
        leads = [DESTINATIONS.index(destination) for destination in destinations]
        on_the_way = book.by_authority(staying[among(leads, DESTINATIONS)[went]])
        needed = _orders_to_come(book, year, codes, wanted, float(years[name]))
        placed = _placed_wanted(book, year + 1) if name == "adopted" else None
        if placed is not None:
            needed = np.maximum(needed, _orders_to_come(book, year, codes, wanted, 1.0) + placed)
        found.append((leads, np.maximum(np.ceil(needed).astype(np.int64) - on_the_way, 0)))
    return found


def _first_wanted(book: Book, year: int, codes: tuple[str, ...], years: float) -> NDArray[np.int64] | None:
    """Return the orders of the year, or of the first of the next `years` that has a target; None if none has."""
    every = (book.targets("endings", one, *codes) for one in range(year, year + math.ceil(years) + 1))
    return next((found for found in every if found is not None), None)


def _orders_to_come(
    book: Book, year: int, codes: tuple[str, ...], wanted: NDArray[np.int64], years: float
) -> NDArray[np.float64]:
    """Return the orders of the `years` that follow by authority; where those have no target, as many as `wanted`."""
    coming, left, ahead = np.zeros(len(wanted)), years, year
    while left > 0:
        ahead += 1
        of_next = book.targets("endings", ahead, *codes)
        wanted = wanted if of_next is None else of_next
        coming += min(left, 1.0) * wanted
        left -= 1
    return coming


def _settle(book: Book, year: int, name: str, wanted: NDArray[np.int64]) -> None:
    first, last = day_of_year_start(year), last_day(year)
    child, working = book.children, _last_working_day(last)
    leads = among(map(DESTINATIONS.index, _ORDERS[name][1]), DESTINATIONS)
    rows = flagged(child["care_end"] >= first)
    rows = rows[leads[child["went"][rows]]]
    place = child["place"][rows].astype(np.int64)
    earliest = _earliest(book, rows, name, year)
    # The line: by the day drawn; then those to be placed sooner; those who cannot be hastened into the year at the end.
    due = child["care_end"][rows] <= last
    at_once = due | (earliest <= working)
    first_placed, last_placed = _placed_from(book, rows, year), working - _shortest(book, "placement_to_adoption", year)
    to_place = ~at_once & (name == "adopted") & (first_placed <= last_placed)
    can = at_once | to_place
    drawn_end = book.periods["drawn_end"][child["period"][rows]]
    ends = can & foremost(place, wanted, ~can, ~at_once, drawn_end, child["name"][rows])
    u = book.streams(f"day of order, {name}").uniform(child["name"][rows], year)
    now = ends & to_place
    if now.any():
        _place(book, rows[now], within(1 - u[now], first_placed[now], last_placed), year)
        earliest[now] = _earliest(book, rows[now], name, year)
    hastened = ends & ~due
    day = np.minimum(next_working_day(within(u, np.maximum(earliest, first + 1), last)), working)
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
    if name == "adopted":
        placed, due = child["placed"][rows], year_of(child["order_due"][rows])
        # The placement order may be put off past the 31 March it was due before, and a placement soon after with it.
        years, back = years_in(due)
        given_way = np.array([_first_placed(book, one + 1) for one in years], np.int32)[back]
        placed = np.where(due < year_of(placed), np.maximum(placed, given_way), placed)
        return np.asarray(placed + _shortest(book, "placement_to_adoption", year), np.int32)
    apart = int(behaviour.scalar("care.guardian_order_at_earliest_days", year))
    return np.asarray(child["care_start"][rows] + apart, np.int32)


def settle_placements(book: Book, year: int) -> None:
    """Move placements for adoption so that as many children are placed on 31 March as each authority's targets say.

    Those nearest to the day are put off past it, or hastened to a day before it where the placement order was due
    before the year. Nobody's adoption order, as drawn or since moved, comes too soon after.
    """
    wanted = _placed_wanted(book, year)
    if wanted is None:
        return
    first, last = day_of_year_start(year), last_day(year)
    child = book.children
    rows = flagged((child["care_end"] > last) & (child["went"] == _ADOPTION))
    placed, u = child["placed"][rows], book.streams("placement moved").uniform(child["family"][rows], year)
    surplus = book.by_authority(rows[placed <= last]) - wanted
    latest = book.periods["drawn_end"][child["period"][rows]] - _shortest(book, "placement_to_adoption", year)
    late = np.minimum(last + 1 + within(u, 0, int(book.behaviour.scalar("care.put_off_days", year))), latest)
    put_off = (placed >= first) & (placed <= last) & (late > last)
    soon = within(u, np.full(len(rows), _first_placed(book, year)), np.full(len(rows), last))
    hasten = (placed > last) & (child["order_due"][rows] < first)
    for may, excess, day in ((put_off, surplus, late), (hasten, -surplus, soon)):
        near = flagged(may)
        place, distance = child["place"][rows[near]].astype(np.int64), np.abs(placed[near] - last)
        near = near[foremost(place, excess, distance, child["name"][rows[near]])]
        _place(book, rows[near], day[near], year)


def _placed_wanted(book: Book, year: int) -> NDArray[np.int64] | None:
    """Return how many children are to be placed for adoption on 31 March, by authority; None without targets."""
    cells = [cell for cell in book.behaviour.profile.cells_of("placement", year) if cell.startswith("adoption.")]
    return book.targets("placement", year, *cells) if cells else None


def _first_placed(book: Book, year: int) -> int:
    """Return the first day of the year on which a child can be placed whose placement order was due before it.

    The order may itself have been put off into the year, to a working day.
    """
    put_off = int(book.behaviour.scalar("care.put_off_days", year))
    return day_of_year_start(year) + put_off + _NEXT_WORKING_DAY + _shortest(book, "order_to_placement", year)


def _placed_from(book: Book, rows: NDArray[np.int64], year: int) -> NDArray[np.int32]:
    """Return the first day of the year on which each child (by row) can be placed, also with an order of the year."""
    due = book.children["order_due"][rows]
    soonest = np.maximum(due + _shortest(book, "order_to_placement", year), _first_placed(book, year))
    return np.asarray(soonest, np.int32)


def _place(book: Book, rows: NDArray[np.int64], day: NDArray[np.int32], year: int) -> None:
    """Move placements for adoption (children by row) to another day."""
    book.children["placed"][rows] = day
    book.placings.append(period=book.children["period"][rows], year=year, placed=day)


def _shortest(book: Book, wait: str, year: int) -> int:
    return int(book.behaviour.value(f"care.adoption.{wait}", year)["shortest_days"])


def _last_working_day(last: int) -> int:
    return int(previous_working_day(np.array([last]))[0])
