"""Exact mode, year by year: legal statuses, moves and placements are chosen so that a year's totals come out.

Each step is one choice under totals (see `assignment`): every child has the course its own draws gave it, and other
lawful courses at a price; the cheapest set of changes that meets the authority's totals is made. What an earlier year
has shown is never among the choices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import birthday, last_day
from synth.lives.absences import Absences
from synth.lives.assignment import choose_with_rest, counts_of
from synth.lives.draw import flagged, within
from synth.lives.goals import ADOPTION_PLACES, LEGAL
from synth.lives.kinds import FOSTER, KINDS, PARENTS
from synth.lives.legal import LATER, STATUSES, LegalPath
from synth.lives.moves import align_moves
from synth.lives.otherwise import Another, Proceedings
from synth.lives.periods import DESTINATIONS
from synth.lives.placements import Filling
from synth.lives.places import align_places, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.guidance import Guidance
    from synth.lives.chances import Chances
    from synth.lives.goals import Goals

__all__ = ["Listed", "Walk", "placed_as_moved"]

_GROUP_OF = {"V2": "agreement", "C1": "care_order", "C2": "care_order", "E1": "other"}
_CELL_OF = np.array([LEGAL.index(_GROUP_OF.get(status, "remand")) for status in STATUSES])
"""The group of legal status (LEGAL) of each of STATUSES."""


def placed_as_moved(path: LegalPath, placings: dict[str, NDArray[Any]], years: Iterable[int]) -> LegalPath:
    """Return paths with the placements for adoption that were moved in some years, of children not yet placed then."""
    placed = path.placed.copy()
    for year in years:
        now = placings["year"] == year
        rows, day = placings["period"][now], placings["placed"][now]
        waiting = placed[rows] > last_day(year - 1)
        placed[rows[waiting]] = day[waiting]
    return path if (placed == path.placed).all() else replace(path, placed=placed)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a history lists of periods of care; arrays but `placings` have one entry a period.

    `place` is each period's authority (index), `child` its child, `end` the day it really ends, which may lie before
    the day drawn at entry that the stays are filled to. `placings` are the placements for adoption moved to another day
    in some `year`, by row in `period`.
    """

    place: NDArray[np.int64]
    child: NDArray[np.int64]
    end: Days
    placings: dict[str, NDArray[Any]]


@dataclass
class Walk:
    """Periods on their way from year to year; `path` has one row a period and changes from year to year."""

    guidance: Guidance
    goals: Goals
    filling: Filling
    absences: Absences
    listed: Listed
    path: LegalPath

    @classmethod
    def setting_out(cls, guidance: Guidance, goals: Goals, chances: Chances, listed: Listed, before: int) -> Walk:
        """Return periods filled, each by its own draws, up to 31 March of `before`, the year before the first."""
        filling, day = Filling(chances), last_day(before)
        absences = Absences(chances.streams, chances.behaviour, filling)
        filling.advance(flagged(chances.who.entry <= day), day)
        absences.decide(day, -int(LATER))
        return cls(guidance, goals, filling, absences, listed, chances.path)

    def take_in(self, chances: Chances, listed: Listed) -> None:
        """Go on some years later: with more periods behind those there are, with ends and placements moved since."""
        self.filling.take_in(chances)
        self.listed, self.path = listed, chances.path

    def through(self, year: int) -> None:
        """Live through one year and meet its totals on 31 March."""
        since, day = last_day(year - 1), last_day(year)
        who = self.filling.chances.who
        rows = flagged((who.entry <= day) & (self.listed.end > since))
        stock = rows[self.listed.end[rows] > day]
        legal, places = self.goals.of("legal", year), self.goals.of("placement", year)
        moves = self.goals.of("three_or_more", year)
        before = self.path
        self.path = placed_as_moved(self.path, self.listed.placings, (year,))
        # Adoption first: it needs more to have come before than any other status.
        self._adoptions(year, stock[places.known[self.listed.place[stock]]], places.counts)
        self._statuses(year, stock[legal.known[self.listed.place[stock]]], legal.counts)
        if self.path is not before:
            self.filling.follow(self.path, rows)
        hold = np.zeros(len(self.listed.end), bool)
        hold[stock] = (places.known | moves.known)[self.listed.place[stock]]
        self.filling.advance(rows, day, hold)
        self._stay_on(year, rows, hold)
        if moves.known.any():
            listed = self.listed
            align_moves(
                self.filling, self.absences, rows, stock, listed.place, listed.child, listed.end, moves, year
            )  # fmt: skip
        self.absences.decide(day, since)
        held = stock[hold[stock]]
        align_places(self.filling, self.absences, held, self.listed.place, places, year)

    def _stay_on(self, year: int, rows: NDArray[np.int64], hold: NDArray[np.bool_]) -> None:
        """Let those move on who stay past the end drawn at entry where nobody stays long; `hold` as in Filling.

        They do on that day; who was moved there for the sake of a total, when the day was over, some weeks into the
        year after.
        """
        chances, since, day = self.filling.chances, last_day(year - 1), last_day(year)
        over = rows[(chances.end[rows] <= day) & (self.listed.end[rows] > chances.end[rows])]
        u = chances.uniform("moves on", over, year)
        soon = since + within(u, 1, int(chances.behaviour.scalar("placement.moves_on_within_days", chances.base)))
        start = np.where(chances.end[over] > since, chances.end[over], soon).astype(np.int32)
        longest = int(chances.behaviour.scalar("care.staying_longer_days", chances.base))
        stop = np.minimum(start + longest, birthday(chances.who.birth[over], 18)).astype(np.int32)
        there = start < self.listed.end[over]
        moved = self.filling.stay_on(over[there], start[there], stop[there])
        settle(self.filling, moved[~hold[moved]])

    def _statuses(self, year: int, rows: NDArray[np.int64], totals: NDArray[np.int64]) -> None:
        """Choose among other courses of the year before the courts, so that the groups of legal status come out."""
        day = last_day(year)

        def shown(path: LegalPath) -> NDArray[np.int64]:
            """Return the group of legal status on the day."""
            return np.asarray(_CELL_OF[path.at(np.full(len(path.placed), day, np.int32))])

        now = self._proceedings(year, rows)
        placed = now.path.placed <= day

        def others() -> Another:
            """Leave out what would change who is placed for adoption by the day."""
            every = now.alternatives()
            return every.only((every.path.placed <= day) == placed[every.rows])

        # Most who might have been before the courts are there by agreement.
        rest = LEGAL.index("agreement")
        self._choose(rows, now, others, shown, totals, rest, "legal status, aligned")

    def _adoptions(self, year: int, rows: NDArray[np.int64], totals: NDArray[np.int64]) -> None:
        """Hasten placements for adoption, where those known when lives were drawn leave too few on the day."""
        day = last_day(year)

        def shown(path: LegalPath) -> NDArray[np.int64]:
            """Return 0 for children placed by the day, else 1."""
            return np.where(path.placed <= day, 0, 1)

        rows = rows[self.filling.chances.destination[rows] == DESTINATIONS.index("adoption")]
        now = self._proceedings(year, rows)
        placed = totals[:, ADOPTION_PLACES].sum(axis=1)
        waiting = np.maximum(np.bincount(self.listed.place[rows], minlength=len(totals)) - placed, 0)
        totals = np.stack((placed, waiting), axis=1)
        self._choose(rows, now, now.placed_sooner, shown, totals, 1, "placed for adoption, aligned")

    def _proceedings(self, year: int, rows: NDArray[np.int64]) -> Proceedings:
        """Return the proceedings of some periods as the year begins."""
        chances = self.filling.chances
        return Proceedings(
            chances.streams, chances.behaviour, self.guidance, year, chances.who.only(rows), chances.destination[rows],
            chances.end[rows], self.path.only(rows),
        )  # fmt: skip

    def _choose(
        self,
        rows: NDArray[np.int64],
        now: Proceedings,
        others: Callable[[], Another],
        shown: Callable[[LegalPath], NDArray[np.int64]],
        totals: NDArray[np.int64],
        rest: int,
        purpose: str,
    ) -> None:
        """Give each period its own path or one of the others; `shown` tells in which column of `totals` a path counts.

        Of several paths that count alike the least far-fetched stands for all. What too few periods can have is made up
        for in the column `rest`.
        """
        n, k = len(rows), totals.shape[1]
        own, place = shown(now.path), self.listed.place[rows]
        if (counts_of(own, place, totals) == totals).all():
            return
        other = others()
        column = shown(other.path)
        # No order is made while a child is away: where that has begun, the year stays as it is.
        here_all_along = ~self.absences.away_on(now.past, rows)
        may = flagged((column != own[other.rows]) & here_all_along[other.rows])
        may = may[self._suits(rows, other.only(may), now.year)]
        # The last one written stays: the cheapest, of those that cost the same the first.
        may = may[np.argsort(other.cost[may], kind="stable")[::-1]]
        cost, instead = np.full((n, k), np.inf), np.full((n, k), -1)
        cost[other.rows[may], column[may]] = other.cost[may]
        instead[other.rows[may], column[may]] = may
        free = flagged(instead.max(axis=1) >= 0)
        bound = np.ones(n, bool)
        bound[free] = False
        totals = totals - counts_of(own[bound], place[bound], totals)
        # Brothers and sisters in the same proceedings share their draws.
        lead, entry = now.who.lead[free], now.who.entry[free]
        u = now.streams(purpose).uniform(lead[:, None], entry[:, None], now.year, np.arange(k + 1))
        scores = np.log(u[:, :k]) - cost[free]
        scores[np.arange(len(free)), own[free]] = 0.0
        # The last draw is the same for all of a child's options: it only tells families apart.
        chosen = own.copy()
        chosen[free] = choose_with_rest(scores + u[:, k:], place[free], totals, rest)
        changed = flagged(chosen != own)
        path = LegalPath(self.path.start.copy(), self.path.placed.copy(), self.path.consent)
        taken = instead[changed, chosen[changed]]
        path.start[rows[changed]] = other.path.start[taken]
        path.placed[rows[changed]] = other.path.placed[taken]
        self.path = path

    def _suits(self, rows: NDArray[np.int64], other: Another, year: int) -> NDArray[np.bool_]:
        """Say which other paths the stay that goes on from the year before can be lived under."""
        filling, chances, past = self.filling, self.filling.chances, last_day(year - 1)
        here = rows[other.rows]
        begun, given = filling.current[here] >= 0, filling.given[here]
        # Kinds of what is set beforehand, or not there yet, are not looked at.
        end, kind = chances.end[here], np.where(begun & ~given, filling.kind[here], 0)
        until = chances.until_under(other.path, here)
        at = filling.at[here]
        stop = np.where(at == chances.until[here], until, np.minimum(at, until))
        during = other.path.during(np.full(len(here), past + 1, np.int32), stop)
        lawful = chances.rules.lawful(during)[np.arange(len(here)), kind]
        # Who goes on to the end of the period, or to adoption by the carer, has to be where that is possible.
        leads = chances.behaviour.table("placement.last_kind", year, DESTINATIONS, KINDS)
        last = (stop > at) & (stop >= end) & (leads[chances.destination[here], kind] == 0)
        carer = (stop >= until) & (until < LATER) & chances.by_carer[here] & ~FOSTER[kind]
        home = (kind == PARENTS) & (stop >= until) & (until < end)
        return np.asarray(~begun | (~given & lawful & ~last & ~carer & ~home & (stop > past)))
