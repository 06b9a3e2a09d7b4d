"""Episodes: a period of care cut wherever its legal status or placement changes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import Days, age_on, year_of
from synth.lives.admission import begins
from synth.lives.draw import choose, flagged, within
from synth.lives.kinds import ADOPTION
from synth.lives.placements import in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.legal import LegalPath
    from synth.lives.periods import Entrants
    from synth.lives.placements import Stays
    from synth.lives.streams import Streams

__all__ = ["AWAY", "Episodes", "Spells", "away_from", "broken", "cut", "with_spells_away"]

AWAY = ("M1", "M2", "M3")
"""Away from the agreed placement for more than 24 hours: in refuge, whereabouts known, unknown."""


@dataclass(frozen=True, slots=True)
class Spells:
    """Where children are, day by day: stays, some of them broken by spells away.

    Arrays of one length in order of period and start. `stay` is the row of the stay in Stays; `away` indexes AWAY
    during a spell away and is -1 otherwise.
    """

    period: NDArray[np.int64]
    start: Days
    stay: NDArray[np.int64]
    away: NDArray[np.int64]

    def only(self, rows: NDArray[np.bool_]) -> Spells:
        """Return some spells."""
        return Spells(*(getattr(self, column.name)[rows] for column in fields(self)))


@dataclass(frozen=True, slots=True)
class Episodes:
    """Episodes in order of period and start; arrays of one length.

    `end` is the day on which an episode ceases, also the first day of the next one where it continues. `legal`
    indexes STATUSES, `stay` and `away` are as in Spells, `new_legal` and `new_place` say what changed at the start,
    `first` and `last` mark the ends of the period.
    """

    period: NDArray[np.int64]
    start: Days
    end: Days
    legal: NDArray[np.int64]
    stay: NDArray[np.int64]
    away: NDArray[np.int64]
    new_legal: NDArray[np.bool_]
    new_place: NDArray[np.bool_]
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]

    def only(self, rows: NDArray[np.bool_]) -> Episodes:
        """Return some episodes."""
        return Episodes(*(getattr(self, column.name)[rows] for column in fields(self)))


def with_spells_away(
    streams: Streams, behaviour: Behaviour, who: Entrants, stays: Stays, path: LegalPath, end: Days
) -> Spells:
    """Break some stays of older children by a spell away, well inside the stay, and back to the same address.

    No order is made while a child is away: an episode away is never cut in two. Nobody leaves adopters so: the
    placement for adoption is one episode.
    """
    following = np.append(stays.period[1:] == stays.period[:-1], False)
    stop = np.where(following, np.append(stays.start[1:], 0), end[stays.period])
    name, birth = who.name[stays.period], who.birth[stays.period]
    here, leave, back, kind = away_from(streams, behaviour, name, birth, stays.start, stop)
    orders = path.start[stays.period[here]]
    ordered = ((orders >= leave[:, None]) & (orders <= back[:, None])).any(axis=1)
    goes = ~ordered & (stays.kind[here] != ADOPTION)
    return broken(stays, here[goes], leave[goes], back[goes], kind[goes])


def away_from(
    streams: Streams, behaviour: Behaviour, name: NDArray[np.uint64], birth: Days, start: Days, stop: Days
) -> tuple[NDArray[np.int64], Days, Days, NDArray[np.int64]]:
    """Return during which stays from `start` to `stop` the child goes away, when, until when, and how (AWAY)."""
    constant = behaviour.profile.warm_up_from
    share = behaviour.scalars("missing.share_of_stays", year_of(start))
    rows = flagged(streams("goes away").uniform(name, start) < share)
    name, birth, start, stop = name[rows], birth[rows], start[rows], stop[rows]
    low, high = behaviour.value("missing.days", constant)
    days = within(streams("days away").uniform(name, start), low, high)
    margin = behaviour.scalar("missing.days_before_and_after", constant)
    room = stop - start - days
    offset = within(streams("first day away").uniform(name, start), margin, np.maximum(room - margin, margin))
    leave = (start + offset).astype(np.int32)
    old_enough = age_on(birth, np.minimum(leave, stop)) >= behaviour.scalar("missing.from_age", constant)
    kind = choose(streams("kind of absence").uniform(name, start), behaviour.vector("missing.kind", constant, AWAY))
    goes = (room > 3 * margin) & old_enough
    return rows[goes], leave[goes], (leave + days).astype(np.int32)[goes], kind[goes]


def broken(stays: Stays, here: NDArray[np.int64], leave: Days, back: Days, kind: NDArray[np.int64]) -> Spells:
    """Break the stays `here` (by row) by spells from `leave` to `back`."""
    n = len(stays.start)
    period = np.concatenate((stays.period, stays.period[here], stays.period[here]))
    start = np.concatenate((stays.start, leave, back)).astype(np.int32)
    stay = np.concatenate((np.arange(n), here, here))
    away = np.concatenate((np.full(n, -1), kind, np.full(len(here), -1)))
    order = in_order(period, start)
    return Spells(period[order], start[order], stay[order], away[order])


def cut(path: LegalPath, spells: Spells, entry: Days, end: Days) -> Episodes:
    """Cut periods into episodes; `entry` and `end` have one entry a period."""
    period_of, status_of = np.nonzero(path.start < end[:, None])
    change = path.start[period_of, status_of]
    n, m = len(change), len(spells.start)
    period = np.concatenate((period_of, spells.period))
    start = np.concatenate((change, spells.start))
    legal = np.concatenate((status_of, np.full(m, -1)))
    spell = np.concatenate((np.full(n, -1), np.arange(m)))
    # Of changes on one day that of the legal status stands first.
    order = in_order(period, start)
    period, start, legal, spell = period[order], start[order], legal[order], spell[order]
    # Two changes on one day make one episode: carry both forward, keep the second row.
    new_legal, new_place = legal >= 0, spell >= 0
    legal, spell = _carried(legal), _carried(spell)
    twin = np.append((period[1:] == period[:-1]) & (start[1:] == start[:-1]), False)[: len(period)]
    new_legal[1:] |= twin[:-1]
    keep = ~twin
    period, start, legal, spell = period[keep], start[keep], legal[keep], spell[keep]
    new_legal, new_place = new_legal[keep], new_place[keep]
    first = begins(period)
    last = np.append(period[1:] != period[:-1], True) if len(period) else np.zeros(0, bool)
    stop = np.where(last, end[period], np.append(start[1:], 0)).astype(np.int32)
    assert (start[first] == entry[period[first]]).all()
    assert (stop > start).all()
    return Episodes(
        period, start, stop, legal, spells.stay[spell], spells.away[spell], new_legal, new_place, first, last
    )


def _carried(values: NDArray[Any]) -> NDArray[Any]:
    """Fill each -1 with the last value before it; every period begins with both of its first values on one day."""
    known = np.maximum.accumulate(np.where(values >= 0, np.arange(len(values)), 0))
    return values[known]
