"""How those who leave care in a year leave it: how many die or are taken over, and how many do not go home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day_of_year_start, last_day
from synth.lives.admission import foremost
from synth.lives.book import HOME
from synth.lives.draw import flagged
from synth.lives.legal import FULL_ORDERS
from synth.lives.people import is_taken_over
from synth.lives.periods import DESTINATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["not_home_to_spare", "settle_departures"]

_DEPARTURES = {"died": "E2", "transfer": "E3"}
"""Where a period leads, and the reason it is returned with."""
_RETURNED_HOME = "E4"


def settle_departures(book: Book, year: int) -> None:
    """Let as many of those who leave in the year die, or pass into another authority's care, as targets say.

    Who is taken over within Wales has been drawn beforehand, and counts. Of those beyond the count the period ends
    another way on the same day; the missing ones are children who were to go home that day, too young to go missing.
    Without targets everybody leaves as drawn.
    """
    first, last = day_of_year_start(year), last_day(year)
    child = book.children
    young = int(book.behaviour.scalar("missing.from_age", year))
    for name, code in _DEPARTURES.items():
        wanted = book.targets("endings", year, code)
        if wanted is None:
            return
        kind = DESTINATIONS.index(name)
        leaves = flagged((child["care_end"] >= first) & (child["care_end"] <= last))
        handed_over = is_taken_over(child["family"][leaves])
        sent = leaves[handed_over & (child["went"][leaves] == kind)]
        leaves = leaves[~handed_over]
        so = leaves[child["went"][leaves] == kind]
        home = leaves[child["went"][leaves] == HOME]
        home = home[(birthday(child["birth"][home], young) > last) & ~child["unaccompanied"][home]]
        missing = wanted - book.by_authority(sent) - book.by_authority(so)
        stream = book.streams(f"departures, {name}")
        for rows, count, instead in ((so, -missing, HOME), (home, missing, kind)):
            place, u = child["place"][rows].astype(np.int64), stream.uniform(child["name"][rows], year)
            book.lead_elsewhere(rows[foremost(place, count, u)], instead, year)


def not_home_to_spare(book: Book, year: int) -> NDArray[np.int64] | None:
    """Return how many more of those who leave care in the year need not return home, by authority.

    Who leaves sooner than drawn and is under an order stays on with a guardian or sees it discharged. None without
    targets.
    """
    codes = book.behaviour.profile.cells_of("endings", year)
    wanted = book.targets("endings", year, *(code for code in codes if code != _RETURNED_HOME)) if codes else None
    if wanted is None:
        return None
    child = book.children
    leaves = flagged((child["care_end"] >= day_of_year_start(year)) & (child["care_end"] <= last_day(year)))
    home = leaves[child["went"][leaves] == HOME]
    early = home[book.periods["early"][child["period"][home]]]
    ordered = FULL_ORDERS[book.status(early, child["care_end"][early] - 1)]
    goes_home = book.by_authority(home) - book.by_authority(early[ordered])
    return np.maximum(wanted - (book.by_authority(leaves) - goes_home), 0)
