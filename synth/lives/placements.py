"""Placements inside a period of care: where a child lives, for how long, and what may follow what.

A period is filled from its first day: the length of a stay is drawn first, then a kind of placement that suits the
age, the legal statuses held during the stay and, for the last stay, where the period leads. Kinds the guidance does
not allow there have weight zero. Placement for adoption begins on the day the adoption's own clock has set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.lives.chances import Chances
from synth.lives.draw import choose, flagged
from synth.lives.kinds import ADOPTION, FOSTER, KINDS, LOCATIONS, PARENTS, placement_code
from synth.lives.ledger import Ledger
from synth.lives.legal import LATER, LegalPath

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.guidance import Guidance
    from synth.lives.behaviour import Behaviour
    from synth.lives.periods import Entrants
    from synth.lives.streams import Streams

__all__ = ["ADOPTION", "KINDS", "LOCATIONS", "OPEN", "Filling", "Stays", "in_order", "placement_code", "stays"]

OPEN = -1
"""The kind of a stay whose kind is still to be chosen."""
_APART = 0.11
"""Addresses are numbered around a circle; two stays of one kind in a row are at least this part of it apart."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Placements of many periods, in order of period and start; arrays of one length.

    `period` is the row of the period, `start` the first day, `kind` indexes KINDS or is ADOPTION, `location`
    indexes LOCATIONS, `slot` numbers the address among those of its kind (-1: the address of the stay before),
    `key` names the draws an address is made from, so that children placed together share it.
    """

    period: NDArray[np.int64]
    start: Days
    kind: NDArray[np.int64]
    location: NDArray[np.int64]
    slot: NDArray[np.float64]
    key: NDArray[np.uint64]
    by_carer: NDArray[np.bool_]


def in_order(period: NDArray[np.int64], day: Days) -> NDArray[np.int64]:
    """Return the order of period and day; rows of one day stay as they are. Columns mostly in order sort fast."""
    return np.argsort(period * int(LATER) + day, kind="stable")


def stays(
    streams: Streams,
    behaviour: Behaviour,
    guidance: Guidance,
    who: Entrants,
    destination: NDArray[np.int8],
    end: Days,
    path: LegalPath,
    secure_inside: NDArray[np.bool_],
) -> Stays:
    """Fill each period from entry to `end` with placements; `secure_inside` marks children of a secure home's area."""
    filling = Filling(Chances(streams, behaviour, guidance, who, destination, end, path, secure_inside))
    filling.advance(np.arange(len(end)), int(LATER))
    return filling.stays()[0]


class Filling:
    """Stays of many periods as far as they have been drawn; a period's row is its index in `chances`.

    `book` holds every stay: the row of its period, first day, the day it was to end when it was drawn (`planned`),
    kind, location, slot, the number of the stay before it in the period (-1: none) and whether it was taken back.
    For each period `at` is the day its latest stay (`current`, a number in the book) ends, `kind` and `slot` those
    of its latest stay with a kind, `steps` how many stays it has; `given` says that the placement set beforehand has
    begun.
    """

    def __init__(self, chances: Chances) -> None:
        self.chances = chances
        n = len(chances.end)
        self.at = chances.who.entry.copy()
        self.kind = np.full(n, -1)
        self.slot = np.zeros(n)
        self.steps = np.zeros(n, np.int64)
        self.current = np.full(n, -1)
        self.given = np.zeros(n, bool)
        self.book = Ledger(
            period=np.int64, start=np.int32, planned=np.int32, kind=np.int64, location=np.int64, slot=np.float64,
            before=np.int64, undone=np.bool_,
        )  # fmt: skip

    def take_in(self, chances: Chances) -> None:
        """Go on with the chances of more periods, those there are being the first of them; the new ones are empty."""
        known, new = len(self.at), len(chances.end) - len(self.at)
        # What a hastened placement has settled stands.
        chances.by_carer[:known] = self.chances.by_carer
        self.chances = chances
        self.at = np.concatenate((self.at, chances.who.entry[known:]))
        self.kind = np.concatenate((self.kind, np.full(new, -1)))
        self.slot = np.concatenate((self.slot, np.zeros(new)))
        self.steps = np.concatenate((self.steps, np.zeros(new, np.int64)))
        self.current = np.concatenate((self.current, np.full(new, -1)))
        self.given = np.concatenate((self.given, np.zeros(new, bool)))

    def advance(self, rows: NDArray[np.int64], day: int, hold: NDArray[np.bool_] | None = None) -> None:
        """Fill periods with all stays that begin on `day` or before.

        In periods marked by `hold` (one entry a period) the stay that goes on past `day` is left OPEN, and so is a
        placement set beforehand that has begun by then, also where the child stays past the end drawn at entry.
        """
        chances = self.chances
        hold = np.zeros(len(self.at), bool) if hold is None else hold
        going = rows
        while True:
            going = going[(self.at[going] < chances.until[going]) & (self.at[going] <= day)]
            if not len(going):
                break
            start = self.at[going].copy()
            stop = chances.stop(going, start, self.steps[going])
            waits = hold[going] & (stop > day)
            self.begin(going, start, stop)
            here = going[~waits]
            begun = start[~waits]
            u, v = chances.streams.each(("kind of placement", "location"), chances.key[here], begun)
            kind = choose(u, chances.kinds(here, begun, stop[~waits], self.kind[here], first=self.steps[here] == 1))
            location = choose(v, chances.locations(here, kind, begun))
            self.settle(here, kind, location)
            self.book["planned"][self.current[here]] = self.at[here]
        until = chances.until[rows]
        set_out = rows[(self.at[rows] == until) & (until < chances.end[rows]) & (until <= day) & ~self.given[rows]]
        self.given[set_out] = True
        # A placement that was hastened may find the child with no foster carer who could adopt: then others do.
        chances.by_carer[set_out] &= FOSTER[self.kind[set_out]]
        start = self.at[set_out].copy()
        self.begin(set_out, start, chances.end[set_out])
        here = set_out[~hold[set_out]]
        kind = self.set_kind(here)
        start = self.book["start"][self.current[here]]
        self.settle(here, kind, choose(chances.uniform("location", here, start), chances.locations(here, kind, start)))

    def set_kind(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the kind of the placement that is set beforehand: for adoption, or with the parents."""
        return np.where(self.chances.path.placed[rows] < self.chances.end[rows], ADOPTION, PARENTS)

    def begin(self, rows: NDArray[np.int64], start: Days, stop: Days) -> None:
        """Begin an OPEN stay in each period, which ends the one before."""
        self.current[rows] = self.book.append(
            period=rows, start=start, planned=stop, kind=OPEN, location=0, slot=0.0, before=self.current[rows],
            undone=False,
        )  # fmt: skip
        self.at[rows] = stop
        self.steps[rows] += 1

    def settle(self, rows: NDArray[np.int64], kind: NDArray[np.int64], location: NDArray[np.int64]) -> None:
        """Give the latest stay of each period its kind and location, and an address apart from the last one."""
        stay = self.current[rows]
        start = self.book["start"][stay]
        slot = self.chances.uniform("address", rows, start)
        # A move is a move: a tenth of the addresses of its kind further at least.
        same = (kind == self.kind[rows]) & (np.abs(slot - self.slot[rows]) < _APART) & ~self.given[rows]
        slot = np.where(same, (self.slot[rows] + _APART + (1 - 2 * _APART) * slot) % 1.0, slot)
        self.book["kind"][stay], self.book["location"][stay], self.book["slot"][stay] = kind, location, slot
        self.kind[rows], self.slot[rows] = kind, slot
        longer = self.chances.longer_at_home(rows, start, self.at[rows], kind)
        self.at[rows] = np.where(self.given[rows], self.at[rows], longer)

    def follow(self, path: LegalPath, rows: NDArray[np.int64]) -> None:
        """Take other legal paths: what was to last until the placement set beforehand, or the end, still does.

        Save where the child is where nobody stays long: if there is more time then, another placement follows.
        """
        chances, old = self.chances, self.chances.until
        chances.follow(path)
        # Who stays on past the end drawn at entry is beyond all this.
        rows = rows[~self.given[rows] & (self.current[rows] >= 0) & (self.at[rows] <= old[rows])]
        until = chances.until[rows]
        goes_on = (self.at[rows] == old[rows]) & ~chances.rules.passing[self.kind[rows]]
        self.at[rows] = np.where(goes_on, until, np.minimum(self.at[rows], until))

    def stay_on(self, rows: NDArray[np.int64], start: Days, stop: Days) -> NDArray[np.int64]:
        """Begin another stay, left OPEN, for those who are to stay past the period's end where nobody stays long.

        `rows` are periods filled to the end drawn at entry, `start` and `stop` the days of the new stays. Returns the
        periods in which one was begun.
        """
        moves = self.chances.rules.passing[self.kind[rows]] & ~self.given[rows]
        moves &= self.at[rows] == self.chances.end[rows]
        self.begin(rows[moves], start[moves], stop[moves])
        return np.asarray(rows[moves])

    def stops(self) -> Days:
        """Return the day each stay in the book ends, as it stands."""
        book = self.book
        stop = np.zeros(len(book), np.int32)
        later = flagged((book["before"] >= 0) & ~book["undone"])
        stop[book["before"][later]] = book["start"][later]
        last = self.current[self.current >= 0]
        stop[last] = self.at[self.current >= 0]
        return stop

    def take_back(self, rows: NDArray[np.int64], from_day: int) -> None:
        """Undo the latest stay of each period (not its first): the one before goes on to the same day.

        Where the one before began on `from_day` or later its kind is OPEN again.
        """
        last = self.current[rows]
        self.book["undone"][last] = True
        before = self.book["before"][last]
        self.current[rows] = before
        self.steps[rows] -= 1
        again = self.book["start"][before] >= from_day
        self.book["planned"][before[again]] = self.at[rows[again]]
        self.reopen(rows[again])

    def kind_before(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the kind of the stay before the latest one of each period, -1 where there is none."""
        earlier = self.book["before"][self.current[rows]]
        return np.where(earlier >= 0, self.book["kind"][earlier], -1)

    def reopen(self, rows: NDArray[np.int64]) -> None:
        """Leave the kind of the latest stay of each period OPEN again."""
        stay = self.current[rows]
        self.book["kind"][stay] = OPEN
        earlier = self.book["before"][stay]
        self.kind[rows] = self.kind_before(rows)
        self.slot[rows] = np.where(earlier >= 0, self.book["slot"][earlier], 0.0)

    def stays(self, wanted: NDArray[np.bool_] | None = None) -> tuple[Stays, NDArray[np.int64]]:
        """Return the stays, of all periods or of those wanted (numbered anew), and their numbers in the book."""
        book = self.book
        keep = ~book["undone"]
        if wanted is not None:
            keep &= wanted[book["period"]]
        found = flagged(keep)
        found = found[in_order(book["period"][found], book["start"][found])]
        period, kind = book["period"][found], book["kind"][found]
        location, slot = book["location"][found], book["slot"][found]
        by_carer = self.chances.by_carer[period]
        # Adopted by the foster carer: the child stays where it is.
        stays_put = (kind == ADOPTION) & by_carer
        before = flagged(stays_put) - 1
        location[stays_put] = location[before]
        slot = np.where(stays_put, -1.0, slot)
        key = self.chances.key[period]
        if wanted is not None:
            period = (np.cumsum(wanted) - 1)[period]
        return Stays(period, book["start"][found], kind, location, slot, key, by_carer), found
