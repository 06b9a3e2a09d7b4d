"""Periods of care in full: the legal statuses, placements and episodes of those that touch one collection year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import day_of_year_start, last_day, years_in
from synth.guidance import load
from synth.lives.alignment import Listed, Walk, placed_as_moved
from synth.lives.chances import Chances
from synth.lives.draw import flagged
from synth.lives.episodes import Episodes, Spells, cut, with_spells_away
from synth.lives.goals import Goals
from synth.lives.legal import LATER, LATEST, LegalPath
from synth.lives.periods import entrants_of
from synth.lives.placements import Filling, Stays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.periods import Entrants
    from synth.lives.streams import Streams

__all__ = ["Care", "Unfolding", "unfold"]

_SHORTEST_ABSENCE = 2
"""More than 24 hours: two dates apart always is."""


@dataclass(frozen=True, slots=True)
class Care:
    """Periods open on any day of the year; `period` columns as in the history, `child` the row in its children.

    `who`, `path` have one row a period; `stays`, `spells` and `episodes` name it by row. All episodes of a period
    are there, also those before the year and, as far as they have been drawn, those after it.
    """

    year: int
    period: dict[str, NDArray[Any]]
    who: Entrants
    path: LegalPath
    stays: Stays
    spells: Spells
    episodes: Episodes

    def last(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return a column of the stays as it is in the last one of each period."""
        final = self.episodes.last
        found = np.zeros(len(self.who.name), column.dtype)
        found[self.episodes.period[final]] = column[self.episodes.stay[final]]
        return found

    def left_early(self) -> NDArray[np.bool_]:
        """Say which periods were cut short: ended by alignment, not by what was drawn at entry."""
        return np.asarray(self.period["early"], bool)

    def in_year(self) -> Episodes:
        """Return the episodes open on any day of the year, ends after 31 March included as they are."""
        shown = (self.episodes.start <= last_day(self.year)) & (self.episodes.end >= day_of_year_start(self.year))
        return self.episodes.only(shown)


def unfold(streams: Streams, behaviour: Behaviour, history: History, year: int, *, exact: bool = True) -> Care:
    """Unfold the periods that touch collection year `year` (at most the history's own).

    Where the profile has targets for years up to `year`, the periods of all those years are lived through one year
    after another, so that each 31 March shows its totals; stays that begin after `year` are then not drawn yet.
    Without `exact` targets are left aside.
    """
    return Unfolding(streams, behaviour, exact=exact).through(history, year)


class Unfolding:
    """Unfolds rising years of the same lives, each from where the one before was left.

    A year comes out as `unfold` would give it alone: what happens up to a 31 March does not change afterwards.
    """

    def __init__(self, streams: Streams, behaviour: Behaviour, *, exact: bool = True) -> None:
        self._streams, self._behaviour = streams, behaviour
        self._aligned_from = Goals.first_year(behaviour.profile) if exact else None
        self._walk: Walk | None = None
        self._lived = 0

    def seen_from(self, year: int) -> int:
        """Return the first collection year whose periods are looked at to unfold `year`."""
        return year if self._aligned_from is None else min(year, self._aligned_from)

    def through(self, history: History, year: int) -> Care:
        """Unfold the periods that touch `year`; see `unfold`. Raises ValueError where years do not rise.

        `history` is that of the years before, gone on to `year` at least.
        """
        if year <= self._lived:
            raise ValueError(f"{year} does not come after {self._lived}")
        first = self._aligned_from
        if first is None or year < first:
            return _at_once(self._streams, self._behaviour, history, year)
        walk = self._walk
        known = None if walk is None else walk.path
        period, chances = _begin(self._streams, self._behaviour, history, first, year, known=known)
        place = history.children["place"][period["child"]].astype(np.int64)
        listed = Listed(place, period["child"], period["end"], _placings_of(history, period["row"]))
        if walk is None:
            goals = Goals(self._behaviour.profile, history.homes)
            walk = Walk.setting_out(load("cla", LATEST), goals, chances, listed, first - 1)
            self._walk, self._lived = walk, first - 1
        else:
            walk.take_in(chances, listed)
        for now in range(self._lived + 1, year + 1):
            walk.through(now)
        self._lived = year
        shown = period["end"] >= day_of_year_start(year)
        found, number = walk.filling.stays(shown)
        spells = walk.absences.spells(found, number)
        period = {name: column[shown] for name, column in period.items()}
        return _cut(year, period, chances.who.only(shown), walk.path.only(shown), found, spells)


def _at_once(streams: Streams, behaviour: Behaviour, history: History, year: int) -> Care:
    """Unfold with every draw its own."""
    period, chances = _begin(streams, behaviour, history, year, year, moved=True)
    filling = Filling(chances)
    filling.advance(np.arange(len(chances.end)), int(LATER))
    found, _ = filling.stays()
    spells = with_spells_away(streams, behaviour, chances.who, found, chances.path, chances.end)
    return _cut(year, period, chances.who, chances.path, found, spells)


def _begin(
    streams: Streams,
    behaviour: Behaviour,
    history: History,
    first: int,
    year: int,
    *,
    known: LegalPath | None = None,
    moved: bool = False,
) -> tuple[dict[str, NDArray[Any]], Chances]:
    """Return the periods open in any of the collection years `first` to `year`, and what their stays depend on.

    `known` are the paths of the first of them where years before have settled these; the others are drawn.
    """
    guidance = load("cla", LATEST)
    every = history.periods
    shown = (every["start"] <= last_day(year)) & (every["end"] >= day_of_year_start(first))
    period = {name: column[shown] for name, column in every.items()} | {"row": flagged(shown)}
    who = entrants_of(history.children, period, slice(None))
    new = period["row"][0 if known is None else len(known.placed) :]
    path = history.courts.paths(history.children, every, new)
    path = path if known is None else LegalPath.joined(known, path)
    if moved:
        path = placed_as_moved(path, _placings_of(history, period["row"]), years_in(history.placings["year"])[0])
    orders = history.homes.order[history.children["place"][period["child"]]]
    secure = np.isin(orders, behaviour.value("placement.secure_home_in", behaviour.profile.warm_up_from))
    chances = Chances(streams, behaviour, guidance, who, period["destination"], period["drawn_end"], path, secure)
    return period, chances


def _placings_of(history: History, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the moved placements for adoption of some periods (rows of the history), `period` counted among these."""
    listed = np.full(len(history.periods["start"]), -1)
    listed[rows] = np.arange(len(rows))
    known = listed[history.placings["period"]] >= 0
    found = {name: column[known] for name, column in history.placings.items()}
    return found | {"period": listed[found["period"]]}


def _cut(
    year: int, period: dict[str, NDArray[Any]], who: Entrants, path: LegalPath, found: Stays, spells: Spells
) -> Care:
    """Cut periods into episodes, up to the day each really ends."""
    end = period["end"]
    # Who leaves care sooner than was drawn does not go away for less than a day before.
    least = np.where(spells.away >= 0, _SHORTEST_ABSENCE, 1)
    spells = spells.only(spells.start + least <= end[spells.period])
    return Care(year, period, who, path, found, spells, cut(path, spells, period["start"], end))
