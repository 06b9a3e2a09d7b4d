"""Spells away in years that are aligned one after another: decided once, in the year they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.lives.draw import flagged
from synth.lives.episodes import Spells, away_from, broken
from synth.lives.kinds import ADOPTION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.placements import Filling, Stays
    from synth.lives.streams import Streams

__all__ = ["Absences"]


class Absences:
    """Spells away from stays in the book of a filling; a stay is named by its number there.

    Whether and when a child goes away depends on the stay as it was first planned, so that what later years do to the
    stay cannot change a spell that has begun.
    """

    def __init__(self, streams: Streams, behaviour: Behaviour, filling: Filling) -> None:
        self._streams, self._behaviour, self._filling = streams, behaviour, filling
        self._seen = 0
        self._waiting = np.zeros(0, np.int64)
        self._stay = np.zeros(0, np.int64)
        self._leave = np.zeros(0, np.int32)
        self._back = np.zeros(0, np.int32)
        self._kind = np.zeros(0, np.int64)
        self._away = np.zeros(0, bool)

    def decide(self, day: int, since: int) -> None:
        """Decide on all spells that begin after `since`, up to `day`; what would have begun before does not."""
        filling, book = self._filling, self._filling.book
        fresh = np.arange(self._seen, len(book))
        fresh = fresh[~book["undone"][fresh]]
        self._seen = len(book)
        period = book["period"][fresh]
        who, path = filling.chances.who, filling.chances.path
        goes, leave, back, kind = away_from(
            self._streams, self._behaviour, who.name[period], who.birth[period], book["start"][fresh],
            book["planned"][fresh],
        )  # fmt: skip
        late = leave > since
        first = len(self._stay)
        self._stay = np.concatenate((self._stay, fresh[goes[late]]))
        self._leave = np.concatenate((self._leave, leave[late]))
        self._back = np.concatenate((self._back, back[late]))
        self._kind = np.concatenate((self._kind, kind[late]))
        self._away = np.concatenate((self._away, np.zeros(int(late.sum()), bool)))
        waiting = np.concatenate((self._waiting, np.arange(first, len(self._stay))))
        begins = self._leave[waiting] <= day
        self._waiting, due = waiting[~begins], waiting[begins]
        stay, leave, back = self._stay[due], self._leave[due], self._back[due]
        orders = path.start[book["period"][stay]]
        ordered = ((orders >= leave[:, None]) & (orders <= back[:, None])).any(axis=1)
        # A stay that was cut short since is not left just before its end.
        margin = self._behaviour.scalar("missing.days_before_and_after", self._behaviour.profile.warm_up_from)
        cut = filling.stops()[stay] < back + margin
        self._away[due] = ~ordered & ~cut & (book["kind"][stay] != ADOPTION) & ~book["undone"][stay]

    def ends(self, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the day the children came or come back to the latest stay of each period (a day long ago: never)."""
        back = np.full(len(self._filling.book), -(10**8), np.int32)
        back[self._stay[self._away]] = self._back[self._away]
        return np.asarray(np.where(self._filling.current[rows] >= 0, back[self._filling.current[rows]], -(10**8)))

    def away_on(self, day: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say in which periods the child is away from its latest stay on a day."""
        away = np.zeros(len(self._filling.book), bool)
        away[self._stay[self._away & (self._leave <= day) & (self._back > day)]] = True
        return np.asarray(away[self._filling.current[rows]] & (self._filling.current[rows] >= 0))

    def spells(self, stays: Stays, number: NDArray[np.int64]) -> Spells:
        """Break stays by the spells decided on; `number` is each one's number in the book."""
        place = np.full(len(self._filling.book), -1)
        place[number] = np.arange(len(number))
        shown = flagged(self._away)
        shown = shown[place[self._stay[shown]] >= 0]
        here = place[self._stay[shown]]
        return broken(stays, here, self._leave[shown], self._back[shown], self._kind[shown])
