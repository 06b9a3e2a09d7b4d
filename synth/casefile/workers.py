"""Social workers and whose cases they hold: teams by what a child needs, families together, nobody with too many.

A caseload belongs to a place in a team; who sits in it changes every few years. Families are offered to the places of
their team in an order of their own, so that most stay where they are from year to year though numbers change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.casefile.data import rows_of, share
from synth.casefile.naming import local_names
from synth.dates import day
from synth.lives.homes import named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.casefile.children import Children
    from synth.lives.streams import Streams

__all__ = ["Workers", "workers_of"]

_TEAMS = tuple(row["team"] for row in rows_of("teams.csv"))
_PLACES = 1000
"""Places of a team are numbered below this; the managers of its parts from here on."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers ordered by authority and team; arrays of one length. `of` has each child's worker.

    `children` counts the cases each one holds; `manager` marks those who manage a team and hold none.
    """

    of: NDArray[np.int64]
    order: NDArray[np.int64]
    who: NDArray[np.uint64]
    given: NDArray[np.str_]
    second: NDArray[np.str_]
    family: NDArray[np.str_]
    role: NDArray[np.str_]
    team: NDArray[np.str_]
    welsh_team: NDArray[np.str_]
    children: NDArray[np.int64]


def workers_of(streams: Streams, children: Children, year: int, world: int) -> Workers:
    """Allocate every child to a social worker of the authority."""
    team = _team(children)
    of = np.zeros(len(children), np.int64)
    places: list[tuple[int, int, int]] = []
    for order in np.unique(children.order).tolist():
        for number in range(len(_TEAMS)):
            rows = np.flatnonzero((children.order == order) & (team == number))
            if not len(rows):
                continue
            place, count = _allocated(streams, children.family[rows])
            of[rows] = len(places) + place
            places += [(order, number, n) for n in range(count)]
            parts = math.ceil(count / share("workers_a_team"))
            places += [(order, number, _PLACES + part) for part in range(parts)]
    return _described(streams, np.array(places, np.int64).reshape(-1, 3), of, year, world)


def _team(children: Children) -> NDArray[np.int64]:
    """Return the index of each child's team."""
    older = children.age >= share("independent_year")
    was_in_care = children.in_cla & older & ~children.own_need
    return np.select(
        [was_in_care, children.looked_after, children.own_need],
        [_TEAMS.index("leaving"), _TEAMS.index("looked_after"), _TEAMS.index("disabled")],
        _TEAMS.index("support"),
    )


def _allocated(streams: Streams, family: NDArray[np.uint64]) -> tuple[NDArray[np.int64], int]:
    """Return the place in the team for each child (by its family) and how many places there are."""
    count = math.ceil(len(family) / share("children_a_worker"))
    families, of, sizes = np.unique(family, return_inverse=True, return_counts=True)
    stream = streams("people: caseloads")
    wishes = np.argsort(stream.words(families[:, None], np.arange(count)[None, :]), axis=1).tolist()
    load = [0] * count
    most = share("most_children_a_worker")
    place = np.zeros(len(families), np.int64)
    # On average a place is filled to two thirds: there is always one with room for a whole family.
    for n in np.argsort(stream.words(families)).tolist():
        size = int(sizes[n])
        chosen = next(wish for wish in wishes[n] if load[wish] + size <= most)
        load[chosen] += size
        place[n] = chosen
    return place[of], count


def _described(streams: Streams, places: NDArray[np.int64], of: NDArray[np.int64], year: int, world: int) -> Workers:
    order, team, number = places.T
    place = named(np.full(len(order), world), order)
    seat = streams("people: seats").words(place, team, number)
    years = int(share("worker_years"))
    begun = np.floor(streams("people: worker begins").uniform(seat) * years).astype(np.int64)
    who = streams("people: workers").words(seat, (year + begun) // years)
    early, late = day(int(share("worker_born_from")), 1, 1), day(int(share("worker_born_to")), 12, 31)
    born = np.floor(early + streams("people: birth of worker").uniform(who) * (late - early)).astype(np.int32)
    sex = np.where(streams("people: sex of worker").uniform(who) < share("worker_woman"), 2, 1)
    given, second, family = local_names(streams, who, sex, born, order)
    manager = number >= _PLACES
    senior = streams("people: senior").uniform(who) < share("senior_worker")
    part = np.where(manager, number - _PLACES, number // int(share("workers_a_team"))) + 1
    english, welsh = (np.array([row[column] for row in rows_of("teams.csv")])[team] for column in ("english", "welsh"))
    suffix = np.char.add(" ", part.astype("U3"))
    return Workers(
        of=of, order=order, who=who, given=given, second=second, family=family,
        role=np.select([manager, senior], ["team manager", "senior social worker"], "social worker"),
        team=np.char.add(english, suffix), welsh_team=np.char.add(welsh, suffix),
        children=np.bincount(of, minlength=len(order)),
    )  # fmt: skip
