"""Exact mode, year by year: legal statuses, moves and placements are chosen so that a year's totals come out.

Each step is one choice under totals (see `assignment`): every child has the course its own draws gave it, and other
lawful courses at a price; the cheapest set of changes that meets the authority's totals is made. What an earlier year
has shown is never among the choices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import last_day
from synth.lives.assignment import choose_exactly
from synth.lives.goals import GROUPS, PLACES
from synth.lives.kinds import FOSTER, KINDS, PARENTS
from synth.lives.legal import LATER, LegalPath
from synth.lives.moves import align_moves
from synth.lives.otherwise import Another, Proceedings
from synth.lives.periods import DESTINATIONS
from synth.lives.places import align_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.guidance import Guidance
    from synth.lives.absences import Absences
    from synth.lives.goals import Goals
    from synth.lives.placements import Filling

__all__ = ["Walk"]

_CELL_OF = np.array([1, 0, 0, 3, 2, 2, 2])
"""The group of legal status (LEGAL) of each of STATUSES."""
_ADOPTION_CELLS = [n for n, cell in enumerate(PLACES) if cell.startswith(GROUPS[5])]


@dataclass
class Walk:
    """Periods on their way from year to year; arrays have one entry a period.

    `place` is each period's authority (index), `child` its child, `end` the day it really ends, which may lie before
    the day drawn at entry that the stays are filled to. `path` changes from year to year.
    """

    guidance: Guidance
    goals: Goals
    filling: Filling
    absences: Absences
    place: NDArray[np.int64]
    child: NDArray[np.int64]
    end: Days
    path: LegalPath

    def through(self, year: int) -> None:
        """Live through one year and meet its totals on 31 March."""
        since, day = last_day(year - 1), last_day(year)
        who = self.filling.chances.who
        rows = np.flatnonzero((who.entry <= day) & (self.end > since))
        stock = rows[self.end[rows] > day]
        legal, places = self.goals.of("legal", year), self.goals.of("placement", year)
        moves = self.goals.of("three_or_more", year)
        before = self.path
        self._statuses(year, stock[legal.known[self.place[stock]]], legal.counts)
        self._adoptions(year, stock[places.known[self.place[stock]]], places.counts)
        if self.path is not before:
            self.filling.follow(self.path, rows)
        hold = np.zeros(len(self.end), bool)
        hold[stock] = (places.known | moves.known)[self.place[stock]]
        self.filling.advance(rows, day, hold)
        if moves.known.any():
            align_moves(self.filling, self.absences, rows, stock, self.place, self.child, self.end, moves, year)
        self.absences.decide(day, since)
        held = stock[hold[stock]]
        align_places(self.filling, self.absences, held, self.place, places, year)

    def _proceedings(self, year: int, rows: NDArray[np.int64]) -> Proceedings:
        """Return the proceedings of some periods as the year begins."""
        chances = self.filling.chances
        return Proceedings(
            chances.streams, chances.behaviour, self.guidance, year, chances.who.only(rows), chances.destination[rows],
            chances.end[rows], self.path.only(rows),
        )  # fmt: skip

    def _statuses(self, year: int, rows: NDArray[np.int64], totals: NDArray[np.int64]) -> None:
        """Choose among other courses of the year before the courts, so that the groups of legal status come out."""
        if not len(rows):
            return
        self._choose(year, rows, self._proceedings(year, rows), totals, "legal status")

    def _adoptions(self, year: int, rows: NDArray[np.int64], totals: NDArray[np.int64]) -> None:
        """Hasten or put off placements for adoption, so that the children placed for adoption come out."""
        if not len(rows):
            return
        adopted = rows[self.filling.chances.destination[rows] == DESTINATIONS.index("adoption")]
        placed = totals[:, _ADOPTION_CELLS].sum(axis=1)
        there = np.bincount(self.place[adopted], minlength=len(totals))
        both = np.stack((placed, np.maximum(there - placed, 0)), axis=1)
        self._choose(year, adopted, self._proceedings(year, adopted), both, "placed for adoption")

    def _choose(
        self, year: int, rows: NDArray[np.int64], now: Proceedings, totals: NDArray[np.int64], what: str
    ) -> None:
        """Give each period its own path or another one."""
        if not len(rows):
            return
        n, k = len(rows), totals.shape[1]
        legal = what == "legal status"

        def cell(path: LegalPath) -> NDArray[np.int64]:
            """Return the cell a path shows on the day."""
            if legal:
                return np.asarray(_CELL_OF[path.at(np.full(len(path.placed), now.day, np.int32))])
            return np.where(path.placed <= now.day, 0, 1)

        own = cell(self.path.only(rows))
        if (np.bincount(self.place[rows] * k + own, minlength=totals.size).reshape(totals.shape) == totals).all():
            return
        cost = np.full((n, k), np.inf)
        start = np.repeat(now.path.start[:, None], k, axis=1)
        placed = np.repeat(now.path.placed[:, None], k, axis=1)
        free = ~self.absences.away_on(now.past, rows)
        for found in now.alternatives() if legal else (now.placed_otherwise(),):
            shows = cell(found.path)
            better = free[found.rows] & (found.cost < cost[found.rows, shows]) & (shows != own[found.rows])
            better[better] = self._suits(rows, found.only(better), year)
            here, shown = found.rows[better], shows[better]
            cost[here, shown] = found.cost[better]
            start[here, shown], placed[here, shown] = found.path.start[better], found.path.placed[better]
        stream = now.streams(f"{what}, aligned")
        # Brothers and sisters in the same proceedings share their draws.
        u = stream.uniform(now.who.lead[:, None], now.who.entry[:, None], year, np.arange(k + 1))
        scores = -cost + np.log(u[:, :k])
        scores[np.arange(n), own] = 0.0
        chosen = choose_exactly(scores + u[:, k:], self.place[rows], totals)
        changed = np.flatnonzero(chosen != own)
        if len(changed):
            every = LegalPath(self.path.start.copy(), self.path.placed.copy(), self.path.consent)
            every.start[rows[changed]] = start[changed, chosen[changed]]
            every.placed[rows[changed]] = placed[changed, chosen[changed]]
            self.path = every

    def _suits(self, rows: NDArray[np.int64], other: Another, year: int) -> NDArray[np.bool_]:
        """Say which other paths the stay that goes on from the year before can be lived under."""
        filling, chances, past = self.filling, self.filling.chances, last_day(year - 1)
        here = rows[other.rows]
        goes_on = filling.current[here] >= 0
        end, kind = chances.end[here], filling.kind[here]
        until = np.minimum(np.minimum(end, other.path.placed), chances.homecoming_under(other.path, here))
        at = filling.at[here]
        stop = np.where(at == chances.until[here], until, np.minimum(at, until))
        during = other.path.during(np.full(len(here), past + 1, np.int32), stop)
        lawful = ~(during & (chances.rules.allowed.T[np.where(goes_on, kind, 0)] == 0)).any(axis=1)
        # Who goes on to the end of the period, or to adoption by the carer, has to be where that is possible.
        leads = chances.behaviour.table("placement.last_kind", year, DESTINATIONS, KINDS)
        last = (stop > at) & (stop >= end) & (leads[chances.destination[here], np.where(goes_on, kind, 0)] == 0)
        carer = (stop >= until) & (until < LATER) & chances.by_carer[here] & ~np.isin(kind, FOSTER)
        home = (kind == PARENTS) & (stop >= until) & (until < end)
        return np.asarray(~goes_on | (~filling.given[here] & lawful & ~last & ~carer & ~home & (stop > past)))
