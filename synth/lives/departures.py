"""Who, of those who leave care in a year, dies or is taken over by another authority: as many as the targets say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day_of_year_start, last_day
from synth.lives.admission import foremost
from synth.lives.book import HOME
from synth.lives.people import is_taken_over
from synth.lives.periods import DESTINATIONS

if TYPE_CHECKING:
    from synth.lives.book import Book

__all__ = ["settle_departures"]

_DEPARTURES = {"died": "E2", "transfer": "E3"}
"""Where a period leads, and the reason it is returned with."""


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
        leaves = np.flatnonzero((child["care_end"] >= first) & (child["care_end"] <= last))
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
