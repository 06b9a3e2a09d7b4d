"""Lives, year by year: who becomes known, who is registered, who is looked after, who leaves.

The year's outside totals are met by how many new families are admitted (alignment): queued families are drawn in
full, put in line, and admitted from the front until their authority's stock on 31 March is reached. A year's draw
depends on the years before it and on the child's own authority alone; authorities are only computed side by side, and
who passes from one to another is drawn for all Wales beforehand (transfers).
What is written here are spells with first and last days; legal statuses and placements inside a period of care are
unfolded later, only where a return needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.lives.arrivals import admit_unaccompanied, fill_cells, queue_for_care
from synth.lives.book import Book
from synth.lives.cells import Cells
from synth.lives.departures import settle_departures
from synth.lives.forgetting import forget_closed
from synth.lives.known import close_early, leave_early, reopen, stay_longer, take_into_care
from synth.lives.ledger import Ledger
from synth.lives.newcomers import admit_to_short_breaks
from synth.lives.register import settle_register
from synth.lives.support import admit_to_support
from synth.lives.timing import settle_orders, settle_placements
from synth.lives.transfers import hand_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.courts import Courts
    from synth.lives.homes import Homes
    from synth.lives.streams import Streams

__all__ = ["History", "live", "lives"]


_FORGETS_EVERY = 8
"""Years of the warm-up after which closed cases are put away; each time, all that is kept is written anew."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything that happened to the children of some places up to a 31 March.

    `children`, `plans`, `periods`, `placings`, `registrations` and `series` map column names to equally long arrays.
    Spell tables name the child by row number in `children`, `placings` (placements for adoption moved to another day,
    and in which year) the period; `start` and `end` are days, the end being the day on which
    the spell ceases (a child is in a spell on day d when start <= d < end). `courts` knows legal paths.
    """

    homes: Homes
    year: int
    children: dict[str, NDArray[Any]]
    plans: dict[str, NDArray[Any]]
    periods: dict[str, NDArray[Any]]
    placings: dict[str, NDArray[Any]]
    registrations: dict[str, NDArray[Any]]
    series: dict[str, NDArray[Any]]
    courts: Courts


def live(
    streams: Streams,
    behaviour: Behaviour,
    homes: Homes,
    year: int,
    tick: Callable[[int], None] = lambda _: None,
) -> History:
    """Simulate places from the warm-up's first 1 April to 31 March of `year`; call `tick` after each year."""
    return next(lives(streams, behaviour, homes, (year,), tick))


def lives(
    streams: Streams,
    behaviour: Behaviour,
    homes: Homes,
    years: Sequence[int],
    tick: Callable[[int], None] = lambda _: None,
    shown_from: int | None = None,
) -> Iterator[History]:
    """Simulate places once and give what had happened by 31 March of each of `years`, which rise.

    A history is the same whatever years come after it. It leaves out families whose cases closed long before collection
    year `shown_from`, where that is given: for what is seen of that year and later ones they make no difference.
    """
    book = Book(streams, behaviour, homes)
    for now in range(behaviour.profile.warm_up_from + 1, max(years) + 1):
        _live_through(book, now)
        if shown_from is not None and now < shown_from and (shown_from - now) % _FORGETS_EVERY == 1:
            forget_closed(book, now + 1)
        tick(now)
        if now in years:
            # Nobody writes into the book of the last year any more.
            yield _history(book, now, Ledger.frozen if now < max(years) else Ledger.columns)


def _history(book: Book, year: int, told: Callable[[Ledger], dict[str, NDArray[Any]]]) -> History:
    registrations = told(book.registrations)
    # What was to begin after a child had left for care never came.
    came = registrations["end"] > registrations["start"]
    return History(
        book.homes,
        year,
        told(book.children),
        told(book.plans),
        told(book.periods),
        told(book.placings),
        {name: column[came] for name, column in registrations.items()},
        told(book.series),
        book.courts,
    )


def _live_through(book: Book, year: int) -> None:
    """Live one collection year: old families first, then as many new ones as the totals ask for."""
    looked_after = book.levels("looked_after", year)
    cells = Cells.of_year(book, year)
    reopen(book, year)
    settle_orders(book, year)
    leave_early(book, year, looked_after, cells)
    hand_over(book, year, cells)
    admit_unaccompanied(book, year, looked_after, cells)
    if cells is not None:
        stay_longer(book, year, cells)
    wanted = looked_after - book.looked_after(year)
    wanted = wanted - take_into_care(book, year, wanted, cells)
    if cells is None:
        queue_for_care(book, year, "care", np.maximum(wanted, 0))
    else:
        fill_cells(book, year, cells)
    settle_departures(book, year)
    settle_placements(book, year)
    admit_to_short_breaks(book, year, looked_after)
    missing = book.levels("care_and_support", year) - book.supported(year)
    close_early(book, year, np.maximum(-missing, 0))
    missing = book.levels("care_and_support", year) - book.supported(year)
    admit_to_support(book, year, np.maximum(missing, 0))
    settle_register(book, year)
