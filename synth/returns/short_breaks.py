"""Series of short breaks (V1): one row a series and year, with the number of breaks taken in that year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import age_on, day_of_year_start, last_day
from synth.guidance import load
from synth.lives.draw import choose, within
from synth.lives.legal import LATEST
from synth.returns.addresses import short_break_postcodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.streams import Streams

__all__ = ["BreakEpisodes", "short_break_episodes"]


@dataclass(frozen=True, slots=True)
class BreakEpisodes:
    """Series open on any day of a year; `breaks` is at least 1."""

    child: NDArray[np.int64]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    placement: NDArray[np.str_]
    postcode: NDArray[np.str_]
    ended: NDArray[np.str_]
    breaks: NDArray[np.int64]


def short_break_episodes(streams: Streams, behaviour: Behaviour, history: History, year: int) -> BreakEpisodes:
    """Return the series of a year; breaks in it never add up to more days than the regulations allow."""
    series, first, last = history.series, day_of_year_start(year), last_day(year)
    shown = (series["start"] <= last) & (series["end"] >= first)
    child, start, end = series["child"][shown], series["start"][shown], series["end"][shown]
    name, birth = history.children["name"][child], history.children["birth"][child]
    base = behaviour.profile.warm_up_from
    guidance = load("cla", LATEST)
    codes = tuple(sorted(behaviour.value("short_breaks.placement", base)))
    weights = np.tile(behaviour.vector("short_breaks.placement", base, codes), (len(child), 1))
    age = age_on(birth, start)
    for column, code in enumerate(codes):
        weights[age < (guidance.limit("PLACEMENT_TYPE_CODE", code, "min_age_years") or 0), column] = 0.0
    placement = np.array(codes)[choose(streams("short break placement").uniform(name), weights)]

    nights = within(streams("nights a break").uniform(name), *behaviour.value("short_breaks.days_a_break", base))
    a_year = within(streams("breaks a year").uniform(name, year), *behaviour.value("short_breaks.breaks_a_year", base))
    most = guidance.limit("LEGAL_STATUS_CODE", "V1", "max_days_in_12_months") or 120
    a_year = np.minimum(a_year, most // nights)
    part = (np.minimum(end, last) - np.maximum(start, first) + 1) / (last - first + 1)
    # A series of the year that is longer than one break may be is more than one.
    longest = guidance.limit("LEGAL_STATUS_CODE", "V1", "max_days") or most
    least = np.where((start >= first) & (end <= last) & (end - start > longest), 2, 1)
    breaks = np.maximum(np.round(a_year * part), least).astype(np.int64)

    home = history.homes.name[history.children["place"][child]]
    home_again = streams("short breaks end").uniform(name) < behaviour.scalar("short_breaks.end_at_home_share", base)
    return BreakEpisodes(
        child, start, end, placement, short_break_postcodes(streams, home, name, placement),
        np.where(home_again, "E4", "E8"), breaks,
    )  # fmt: skip
