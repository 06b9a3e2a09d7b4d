"""Families the warm-up leaves behind: closed so long ago that nothing of theirs can touch a year still to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import day_of_year_start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book
    from synth.lives.ledger import Ledger

__all__ = ["forget_closed"]

_NO_SPELL = -1


def forget_closed(book: Book, year: int) -> None:
    """Take out households whose cases closed too long before collection year `year` to reopen, with all their spells.

    Nobody who is kept, and nothing that happens from that year on, depends on them. Rows keep their order.
    """
    behaviour, child = book.behaviour, book.children
    ahead = range(year, behaviour.profile.years[1] + 1)
    window = max(int(behaviour.scalar("plan.reopening_window_days", later)) for later in ahead)
    since = day_of_year_start(year) - window
    open_ = (child["plan_end"] > since) | (child["care_end"] > since)
    kept = book.households_of(open_)
    household = np.where(kept, np.cumsum(kept) - 1, _NO_SPELL)
    row = child.keep(kept[child["household"]])
    book.households = int(np.count_nonzero(kept))
    child["household"][:] = household[child["household"]]
    periods = _keep(book.periods, row)
    for column, number in (
        ("plan", _keep(book.plans, row)),
        ("period", periods),
        ("registration", _keep(book.registrations, row)),
    ):
        child[column][:] = np.append(number, _NO_SPELL)[child[column]]
    book.courts.keep(periods >= 0)
    _keep(book.series, row)
    _keep(book.placings, periods, "period")


def _keep(spells: Ledger, number: NDArray[np.int64], of: str = "child") -> NDArray[np.int64]:
    """Keep the spells of what is kept, name it by its new number, and return the spells' own new numbers."""
    new = number[spells[of]]
    found = spells.keep(new >= 0)
    spells[of][:] = new[new >= 0]
    return found
