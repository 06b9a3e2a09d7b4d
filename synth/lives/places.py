"""Placements of a year chosen under the totals of its 31 March, by published group and location together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import last_day, year_of, years_in
from synth.lives.admission import foremost
from synth.lives.assignment import choose_exactly, gumbel
from synth.lives.draw import choose, flagged, within
from synth.lives.goals import ADOPTION_PLACES, GROUPS, PLACES
from synth.lives.kinds import ADOPTION, KINDS, LOCATIONS
from synth.lives.placements import OPEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.lives.absences import Absences
    from synth.lives.goals import Totals
    from synth.lives.placements import Filling
    from synth.lives.streams import Uniform

__all__ = ["align_places", "cells", "settle"]

_NAMES = (*KINDS, "adoption")
_GROUP_OF = {
    "concurrent": "la_foster",
    "home": "residential",
    "secure": "residential",
    "semi_independent": "residential",
}
_GROUP = np.array([GROUPS.index(_GROUP_OF.get(kind, kind if kind in GROUPS else "other")) for kind in _NAMES])
"""The published group of each kind, ADOPTION last."""
_MEMBERS = (_GROUP[None, :] == np.arange(len(GROUPS))[:, None]).astype(np.float64)
_WHERE = len(LOCATIONS)
_AWAY = PLACES.index("other.outside_in_wales")
"""Where a child counts who is away on the day: no address is given, so it is not inside."""
_UNASKED = 8.0
"""What a move made for the count alone costs, in logarithms: more than any that a child's own draws suggest."""
_SPARE = 5
"""Children of every cell who may be moved for the sake of another cell, besides three for each one too many."""
_ELSEWHERE = [
    [PLACES.index(f"{group}.{where}") for where in LOCATIONS] for group in ("residential", "parents", "other")
]
"""Groups of which no figure that is aimed at says where they live: their cells, by location."""
_SETTLED = 7
"""Days a stay lasts at least before and after such a move."""


def cells(kind: NDArray[np.int64], location: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the published cell (index into PLACES) of placements."""
    return np.asarray(_GROUP[kind] * _WHERE + location)


def align_places(
    filling: Filling,
    absences: Absences,
    rows: NDArray[np.int64],
    place: NDArray[np.int64],
    totals: Totals,
    year: int,
) -> None:
    """Choose kind and location of every OPEN stay, so that groups and locations add up on 31 March.

    `rows` are the periods open that day whose stays wait, `place` is each period's authority. Stays that go on from
    the year before count as they are; where they are too many in a cell, or new ones cannot be of a kind that is
    wanted, some children move who would not have. There a stay begun in the year that lasts longer than it was drawn,
    past 31 March, may be of another kind too, since no year has shown it.
    """
    if not len(rows):
        return
    away = absences.away_on(last_day(year), rows)
    wait = filling.book["kind"][filling.current[rows]] == OPEN
    known = totals.known[place[rows]]
    # Who is not part of the count is placed as ever.
    settle(filling, rows[wait & (away | ~known)])
    free, still = rows[wait & ~away & known], rows[~wait & ~away & known]
    left = totals.counts.copy()
    np.subtract.at(left, (place[still], _shown(filling, still)), 1)
    left[:, _AWAY] -= np.bincount(place[rows[away & known]], minlength=len(left))
    odds = _open_odds(filling, free)
    scores = _logs(odds) + _noise(filling, free, odds.start)
    chosen = choose_exactly(scores, place[free], np.maximum(left, 0))
    found = np.zeros_like(left)
    np.add.at(found, (place[free], chosen), 1)
    off = (found != left).any(axis=1) & totals.known
    left = _made_up_for(left, found)
    movable, day = _movable(filling, absences, still[off[place[still]]], year)
    own = _shown(filling, movable)
    pick = _some(filling, movable, place[movable] * len(PLACES) + own, np.maximum(-left, 0).ravel(), year)
    movable, day, own = movable[pick], day[pick], own[pick]
    lasting = _lasting(filling, still[off[place[still]]], year)
    if len(movable) + len(lasting):
        as_is = _shown(filling, lasting)
        np.add.at(left, (place[movable], own), 1)
        np.add.at(left, (place[lasting], as_is), 1)
        again = flagged(off[place[free]])
        anew = _odds(filling, movable, day, filling.at[movable], np.zeros(len(movable), bool))
        instead = _odds_instead(filling, lasting, year)
        every = (
            scores[again],
            _scores_of_moves(filling, movable, anew, own, year),
            _scores_instead(filling, lasting, instead, as_is, year),
        )
        group = place[np.concatenate((free[again], movable, lasting))]
        settled = choose_exactly(np.concatenate(every), group, np.where(off[:, None], np.maximum(left, 0), 0))
        chosen[again], after, other = np.split(settled, np.cumsum([len(again), len(movable)]))
        moves, changes = after != own, other != as_is
        filling.begin(movable[moves], day[moves], filling.at[movable[moves]].copy())
        _settle_in(filling, movable[moves], anew.only(moves), after[moves])
        filling.reopen(lasting[changes])
        _settle_in(filling, lasting[changes], instead.only(changes), other[changes])
    _settle_in(filling, free, odds, chosen)


def _made_up_for(left: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what is `left` to place, of which some have been `found`, with other children where adoptions are missing.

    Where adopters live nobody chooses: if too many live inside and too few outside, some of another group (the first of
    _ELSEWHERE with any left inside) live outside for it, so that locations add up.
    """
    missing = left[:, ADOPTION_PLACES] - found[:, ADOPTION_PLACES]
    # As many too many as there are too few: the others are of another group, not elsewhere.
    apart = np.minimum(np.maximum(missing, 0).sum(axis=1), np.maximum(-missing, 0).sum(axis=1))
    left = left.copy()
    for place in flagged(apart):
        for _ in range(apart[place]):
            to, come = missing[place].argmax(), missing[place].argmin()
            group = next((own for own in _ELSEWHERE if left[place, own[come]] > 0), None)
            if group is not None:
                left[place, group[come]] -= 1
                left[place, group[to]] += 1
            missing[place, [to, come]] += [-1, 1]
    return left


def _shown(filling: Filling, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cell in which the latest stay of each period counts."""
    book, stay = filling.book, filling.current[rows]
    # Adopted by the foster carer: where the stay before was.
    stays_put = (book["kind"][stay] == ADOPTION) & filling.chances.by_carer[rows]
    return cells(book["kind"][stay], book["location"][np.where(stays_put, book["before"][stay], stay)])


@dataclass(frozen=True, slots=True)
class _Odds:
    """Stays whose kind and location are open; `start` is their first day.

    `kinds` are the shares of kinds, shape (n, 17), ADOPTION last, `where` those of locations within each kind, shape
    (n, 17, 3).
    """

    start: Days
    kinds: NDArray[np.float64]
    where: NDArray[np.float64]

    def only(self, rows: NDArray[np.bool_]) -> _Odds:
        """Return the odds of some stays."""
        return _Odds(self.start[rows], self.kinds[rows], self.where[rows])


def _odds(
    filling: Filling,
    rows: NDArray[np.int64],
    start: Days,
    stop: Days,
    first: NDArray[np.bool_],
    before: NDArray[np.int64] | None = None,
) -> _Odds:
    """Return the odds of stays from `start` to `stop`, after one of the kinds `before`, by default the latest."""
    chances, book, n = filling.chances, filling.book, len(rows)
    before = filling.kind[rows] if before is None else before
    kinds = np.zeros((n, len(_NAMES)))
    kinds[:, :ADOPTION] = chances.kinds(rows, start, stop, before, first=first)
    given = flagged(filling.given[rows])
    kinds[given] = 0.0
    kinds[given, filling.set_kind(rows[given])] = 1.0
    kinds /= kinds.sum(axis=1, keepdims=True)
    behaviour = chances.behaviour
    years, back = years_in(year_of(start))
    tables = np.empty((len(years), 2, len(_NAMES), _WHERE))
    for number, year in enumerate(years):
        tables[number] = behaviour.table("placement.location", year, _NAMES, LOCATIONS)
    tables[:, 1, KINDS.index("secure")] = (1.0, 0.0, 0.0)
    tables /= tables.sum(axis=3, keepdims=True)
    where = tables[back, chances.secure_inside[rows].astype(np.int64)]
    put = given[(kinds[given, ADOPTION] > 0) & chances.by_carer[rows[given]]]
    where[put, ADOPTION] = np.eye(_WHERE)[book["location"][book["before"][filling.current[rows[put]]]]]
    return _Odds(start, kinds, where)


def _open_odds(filling: Filling, rows: NDArray[np.int64]) -> _Odds:
    """Return the odds of OPEN stays."""
    start = filling.book["start"][filling.current[rows]]
    return _odds(filling, rows, start, filling.at[rows], filling.steps[rows] == 1)


def _odds_instead(filling: Filling, rows: NDArray[np.int64], year: int) -> _Odds:
    """Return the odds of the latest stays as they were before those had a kind.

    Past the end drawn at entry nobody is where nobody stays long.
    """
    book, stay = filling.book, filling.current[rows]
    first = book["before"][stay] < 0
    found = _odds(filling, rows, book["start"][stay], filling.at[rows], first, filling.kind_before(rows))
    found.kinds[np.ix_(filling.at[rows] <= last_day(year), filling.chances.rules.passing)] = 0.0
    return found


def _logs(odds: _Odds) -> NDArray[np.float64]:
    """Return the logarithm of each cell's share, shape (n, 21); -inf where it has none."""
    joint = (odds.kinds[:, :, None] * odds.where).transpose(0, 2, 1) @ _MEMBERS.T
    share = joint.transpose(0, 2, 1).reshape(len(joint), len(PLACES))
    return np.asarray(np.log(share, out=np.full(share.shape, -np.inf), where=share > 0))


def _noise(filling: Filling, rows: NDArray[np.int64], start: Days) -> NDArray[np.float64]:
    """Return noise for every cell; children placed together share it."""
    stream, key = filling.chances.streams("placement, aligned"), filling.chances.key[rows]
    return gumbel(stream.uniform(key[:, None], start[:, None], np.arange(len(PLACES))))


def _scores_of_moves(
    filling: Filling, rows: NDArray[np.int64], odds: _Odds, own: NDArray[np.int64], year: int
) -> NDArray[np.float64]:
    """Return the scores of cells for stays that go on: their own cell costs nothing, a move to another one does.

    `odds` are those of the stay that would follow.
    """
    chances, day = filling.chances, odds.start
    rate = np.log(365 / chances.means(rows, day, np.ones(len(rows), np.int64)))
    u = chances.uniform("moves for the count", rows, year)
    return _scores_of_others(_logs(odds) + _noise(filling, rows, day) + rate[:, None], own, u)


def _scores_instead(
    filling: Filling, rows: NDArray[np.int64], odds: _Odds, own: NDArray[np.int64], year: int
) -> NDArray[np.float64]:
    """Return the scores of cells for stays that have a kind: their own cell costs nothing, another one does."""
    u = filling.chances.uniform("stays elsewhere for the count", rows, year)
    return _scores_of_others(_logs(odds) + _noise(filling, rows, odds.start), own, u)


def _scores_of_others(scores: NDArray[np.float64], own: NDArray[np.int64], u: Uniform) -> NDArray[np.float64]:
    """Let every cell but a stay's own cost what nobody's own draws suggest; `u` tells whose change comes first."""
    scores = np.minimum(scores - _UNASKED, -1.0)
    scores[np.arange(len(own)), own] = 0.0
    return np.asarray(scores + u[:, None])


def _lasting(filling: Filling, rows: NDArray[np.int64], year: int) -> NDArray[np.int64]:
    """Return the periods whose stay was begun in the year and not set beforehand."""
    begun = filling.book["start"][filling.current[rows]] > last_day(year - 1)
    return np.asarray(rows[begun & ~filling.given[rows]])


def _movable(
    filling: Filling, absences: Absences, rows: NDArray[np.int64], year: int
) -> tuple[NDArray[np.int64], Days]:
    """Return the periods in which a stay that goes on could end by a move in the year, and the day of the move."""
    chances, since = filling.chances, last_day(year - 1)
    start = filling.book["start"][filling.current[rows]]
    first = np.maximum(start, since) + _SETTLED
    last = np.minimum(chances.until[rows] - chances.least(rows).astype(np.int64), filling.at[rows] - _SETTLED)
    last = np.minimum(last, last_day(year))
    able = (start <= since) & ~filling.given[rows] & (absences.ends(rows) <= since) & (last >= first)
    day = within(chances.uniform("day of another move", rows, year), first, np.maximum(first, last))
    return rows[able], day[able]


def _some(
    filling: Filling, rows: NDArray[np.int64], cell: NDArray[np.int64], surplus: NDArray[np.int64], year: int
) -> NDArray[np.int64]:
    """Pick a few of each authority's cell, those who move most readily first."""
    chances = filling.chances
    day = np.full(len(rows), last_day(year), np.int32)
    ready = gumbel(chances.uniform("moves for the count", rows, year))
    ready = ready - np.log(chances.means(rows, day, np.ones(len(rows), np.int64)))
    return flagged(foremost(cell, 3 * surplus + _SPARE, -ready))


def settle(filling: Filling, rows: NDArray[np.int64]) -> None:
    """Give OPEN stays a kind and a location."""
    if not len(rows):
        return
    odds = _open_odds(filling, rows)
    kind = choose(filling.chances.uniform("kind of placement", rows, odds.start), odds.kinds)
    share = odds.where[np.arange(len(rows)), kind]
    filling.settle(rows, kind, choose(filling.chances.uniform("location", rows, odds.start), share))


def _settle_in(filling: Filling, rows: NDArray[np.int64], odds: _Odds, chosen: NDArray[np.int64]) -> None:
    """Give OPEN stays a kind and a location inside the chosen cell."""
    location = chosen % _WHERE
    kinds = odds.kinds * _MEMBERS[chosen // _WHERE] * odds.where[np.arange(len(rows)), :, location]
    kind = choose(filling.chances.uniform("kind of placement", rows, odds.start), kinds)
    filling.settle(rows, kind, location)
