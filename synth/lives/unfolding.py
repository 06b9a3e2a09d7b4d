"""Periods of care in full: the legal statuses, placements and episodes of those that touch one collection year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import day_of_year_start, last_day
from synth.guidance import load
from synth.lives.absences import Absences
from synth.lives.alignment import Walk, placed_as_moved
from synth.lives.chances import Chances
from synth.lives.episodes import Episodes, Spells, cut, with_spells_away
from synth.lives.goals import Goals
from synth.lives.legal import LATER, LATEST, LegalPath, legal_paths
from synth.lives.periods import entrants_of
from synth.lives.placements import Filling, Stays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.periods import Entrants
    from synth.lives.streams import Streams

__all__ = ["Care", "unfold"]

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
    aligned_from = Goals.first_year(behaviour.profile) if exact else None
    if aligned_from is None or year < aligned_from:
        return _at_once(streams, behaviour, history, year)
    return _year_by_year(streams, behaviour, history, aligned_from, year)


def _at_once(streams: Streams, behaviour: Behaviour, history: History, year: int) -> Care:
    """Unfold with every draw its own."""
    period, who, path, chances = _begin(streams, behaviour, history, year, year, moved=True)
    filling = Filling(chances)
    filling.advance(np.arange(len(chances.end)), int(LATER))
    found, _ = filling.stays()
    spells = with_spells_away(streams, behaviour, who, found, path, chances.end)
    return _cut(year, period, who, path, found, spells)


def _year_by_year(streams: Streams, behaviour: Behaviour, history: History, aligned_from: int, year: int) -> Care:
    """Unfold the years from `aligned_from` on, each to its totals."""
    period, who, path, chances = _begin(streams, behaviour, history, aligned_from, year)
    filling = Filling(chances)
    absences = Absences(streams, behaviour, filling)
    before = last_day(aligned_from - 1)
    filling.advance(np.flatnonzero(who.entry <= before), before)
    absences.decide(before, -int(LATER))
    walk = Walk(
        load("cla", LATEST), Goals(behaviour.profile, history.authorities), filling, absences,
        history.children["place"][period["child"]].astype(np.int64), period["child"], period["end"],
        _placings_of(history, period["row"]), path,
    )  # fmt: skip
    for now in range(aligned_from, year + 1):
        walk.through(now)
    shown = period["end"] >= day_of_year_start(year)
    found, number = filling.stays(shown)
    period = {name: column[shown] for name, column in period.items()}
    spells = absences.spells(found, number)
    return _cut(year, period, who.only(shown), walk.path.only(shown), found, spells)


def _begin(
    streams: Streams, behaviour: Behaviour, history: History, first: int, year: int, *, moved: bool = False
) -> tuple[dict[str, NDArray[Any]], Entrants, LegalPath, Chances]:
    """Return the periods open in any of the collection years `first` to `year`, their children and legal paths."""
    guidance = load("cla", LATEST)
    every = history.periods
    shown = (every["start"] <= last_day(year)) & (every["end"] >= day_of_year_start(first))
    period = {name: column[shown] for name, column in every.items()} | {"row": np.flatnonzero(shown)}
    who = entrants_of(history.children, period, slice(None))
    # Everything is drawn up to the end that was drawn at entry, so that leaving early changes nothing before it.
    path = legal_paths(streams, behaviour, guidance, who, period["destination"], period["drawn_end"])
    if moved:
        path = placed_as_moved(path, _placings_of(history, period["row"]), np.unique(history.placings["year"]).tolist())
    orders = np.array([authority.order for authority in history.authorities])[
        history.children["place"][period["child"]]
    ]
    secure = np.isin(orders, behaviour.value("placement.secure_home_in", behaviour.profile.warm_up_from))
    chances = Chances(streams, behaviour, guidance, who, period["destination"], period["drawn_end"], path, secure)
    return period, who, path, chances


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
