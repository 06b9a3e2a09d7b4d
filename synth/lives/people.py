"""Who the children are: families that become known to an authority, and the children in them.

A family is named by one 64-bit number made of world, authority, collection year, kind and its place in the queue of
that year; a child by its family's number and its place in the family. Names exist before anyone is drawn, so whether a
family is admitted changes nothing about who is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import Days, age_on, birthday, day_of_year_start, last_day
from synth.geography.authorities import all_authorities
from synth.lives.behaviour import Behaviour, band
from synth.lives.draw import choose, flagged, row_numbers, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.lives.streams import Streams, Uniform

__all__ = [
    "ETHNICITIES",
    "FEMALE",
    "KINDS",
    "MALE",
    "NOT_OBTAINED",
    "QUEUE_BITS",
    "Members",
    "age_group",
    "ethnic_mix",
    "ethnicity",
    "family_names",
    "home_of",
    "is_taken_over",
    "members",
    "only_children",
    "queued",
]

MALE, FEMALE = 1, 2

KINDS = ("care", "unaccompanied", "short_break", "support", "taken_over")
"""How a family becomes known: straight into care, as an unaccompanied child, for short breaks, for support; or, by the
authority it first lives in, as a child whose care another authority takes over."""

ETHNICITIES = ("WHTE", "MIXD", "ASAB", "BBAC", "OOTH")
"""Broad ethnic groups, as the returns code them."""

NOT_OBTAINED = "NOBT"
"""Stands in the returns for a group that nobody has been told of yet."""

_SIZES = ("1", "2", "3", "4", "5")
_OLDEST = 17
QUEUE_BITS, _KIND_BITS, _YEAR_BITS = 24, 3, 14
"""Bits of a family's name, from the lowest: its place in the queue, its kind, its year; above, authority and world."""
_OF_FAMILY = ("household size", "first age group", "first age", "newborn")
"""Draws of a family: how many children it has, and the age of the first."""
_OF_ONLY_CHILD = ("only child born", "only child newborn days", "newborn", "only child enters")


@dataclass(frozen=True, slots=True)
class Members:
    """Children of queued families; all arrays share one length, ordered by family.

    `queue` is the family's position in the queue it was drawn for, `name` the child's 64-bit name, `birth` a day,
    `sex` MALE or FEMALE.
    """

    queue: NDArray[np.int64]
    family: NDArray[np.uint64]
    name: NDArray[np.uint64]
    birth: Days
    sex: NDArray[np.int8]

    def only(self, rows: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> Members:
        """Return some children, or all in another order; families keep their places in the queue."""
        rows = row_numbers(rows, len(self.name))
        return Members(*(getattr(self, column).take(rows) for column in self.__slots__))

    def followed_by(self, others: Members) -> Members:
        """Return these children and after them others."""
        return Members(*(np.append(getattr(self, column), getattr(others, column)) for column in self.__slots__))


def family_names(home: NDArray[np.int64], year: int, kind: str, place: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the names of families in the queues of a year; `home` names their authority, `place` counts from 0."""
    base = (((home + 1) << _YEAR_BITS | year) << _KIND_BITS | KINDS.index(kind)) << QUEUE_BITS
    return (base + place).astype(np.uint64)


def home_of(family: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the name of the place in whose queue families stand (see `homes`)."""
    return np.asarray((family >> np.uint64(QUEUE_BITS + _KIND_BITS + _YEAR_BITS)).astype(np.int64) - 1)


def queued(family: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the collection year in whose queue families stand, and their place in it."""
    year = (family >> np.uint64(QUEUE_BITS + _KIND_BITS)) & np.uint64((1 << _YEAR_BITS) - 1)
    return year.astype(np.int64), (family & np.uint64((1 << QUEUE_BITS) - 1)).astype(np.int64)


def is_taken_over(family: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say which families are those of a child whose care passes from one authority to another."""
    kind = (family >> np.uint64(QUEUE_BITS)) & np.uint64((1 << _KIND_BITS) - 1)
    return np.asarray(kind == KINDS.index("taken_over"))


def members(
    streams: Streams, behaviour: Behaviour, kind: str, family: NDArray[np.uint64], on: Days, year: int
) -> Members:
    """Draw the children of each family as they are on the day `on`: all born by then, all under 17.

    The oldest admitted age keeps at least a year before the 18th birthday, except that the child who brings an
    unaccompanied or care family in may be 17.
    """
    sizes = behaviour.vector(f"household.size.{kind}", year, _SIZES)
    of_size, *of_first = streams.each(_OF_FAMILY, family)
    size = 1 + choose(of_size, sizes)
    first = _first_child(behaviour, kind, of_first, on, year)
    queue = np.arange(len(family)).repeat(size)
    place = np.arange(len(queue)) - (size.cumsum() - size).repeat(size)
    name = (family * np.uint64(8)).take(queue) + place.view(np.uint64)
    birth = first.take(queue)
    others = flagged(place)
    born = _births(streams, behaviour, name[others], place[others], queue[others], first, year)
    birth[others], day = born, on[queue[others]]
    left_out = others[(born > day) | (birthday(born, 17) <= day)]
    if len(left_out):
        keep = np.ones(len(queue), bool)
        keep[left_out] = False
        kept = flagged(keep)
        queue, name, birth = queue.take(kept), name.take(kept), birth.take(kept)
    named = family.take(queue)
    male_share = behaviour.scalar(f"household.male_share.{kind}", year)
    sex = np.where(streams("sex").uniform(name) < male_share, MALE, FEMALE).astype(np.int8)
    return Members(queue, named, name, birth, sex)


def only_children(
    streams: Streams, behaviour: Behaviour, family: NDArray[np.uint64], sex: NDArray[np.int8], age: Days, year: int
) -> tuple[Members, Days]:
    """Draw families of one child of the given sex and age on 31 March of `year`, and the day each enters care.

    The birth day is spread evenly over the age; entry lies in the collection year, after birth and some days before
    the 18th birthday. Newborns come soon after birth.
    """
    first, last = day_of_year_start(year), last_day(year)
    on = np.full(len(family), last, np.int32)
    born, days_old, u, enters = streams.each(_OF_ONLY_CHILD, family)
    birth = within(born, birthday(on, -age - 1) + 1, birthday(on, -age))
    soon = birth + np.floor(-np.log(days_old) * behaviour.scalar("household.newborn_mean_days", year)).astype(np.int32)
    newborn = (birth >= first) & (soon <= last) & (u < behaviour.scalar("household.newborn_share.care", year))
    latest = np.minimum(last, birthday(birth, 18) - int(behaviour.scalar("household.days_before_18", year)))
    entry = within(enters, np.maximum(birth, first), latest)
    entry = np.where(newborn, soon, entry).astype(np.int32)
    return Members(np.arange(len(family)), family, family * np.uint64(8), birth, sex.astype(np.int8)), entry


def _first_child(behaviour: Behaviour, kind: str, draws: Sequence[Uniform], on: Days, year: int) -> Days:
    """Birth day of the child who brings the family in, by the age groups of the profile and evenly within them.

    Newborns are the exception: most are a few days old. `draws` are those of the group, of the age within it and of who
    is newborn.
    """
    of_group, u, of_newborn = draws
    groups = tuple(behaviour.value(f"household.first_age.{kind}", year))
    lower, upper = (np.array(bounds, np.int32) for bounds in zip(*map(_bounds, groups), strict=True))
    chosen = choose(of_group, behaviour.vector(f"household.first_age.{kind}", year, groups))
    # Leave some days before 18, so that the shortest stay still ends in childhood.
    spare = np.where(upper == _OLDEST, int(behaviour.scalar("household.days_before_18", year)), 0)
    youngest = birthday(on, -lower[chosen])
    oldest = birthday(on, -upper[chosen] - 1) + 1 + spare[chosen]
    birth = within(u, oldest, youngest)
    newborn = flagged((of_newborn < behaviour.scalar(f"household.newborn_share.{kind}", year)) & (lower == 0)[chosen])
    days_old = -np.log(u[newborn]) * behaviour.scalar("household.newborn_mean_days", year)
    days_old = np.minimum(days_old, behaviour.scalar("household.newborn_days", year) - 1)
    birth[newborn] = on[newborn] - np.floor(days_old)
    return birth


def _bounds(group: str) -> tuple[int, int]:
    """Read an age group such as 0 or 10-15 as lowest and highest age in completed years."""
    low, _, high = group.partition("-")
    return int(low), int(high or low)


def _births(
    streams: Streams,
    behaviour: Behaviour,
    name: NDArray[np.uint64],
    place: NDArray[np.int64],
    family: NDArray[np.int64],
    first: Days,
    year: int,
) -> Days:
    """Births of brothers and sisters, older or younger than the first child by whole pregnancies; twins share it.

    `place` counts them from 1 in their `family`, which is an index into `first`, the births of the first children.
    """
    gap, u = streams.each(("sibling gap", "sibling older"), name)
    step = within(gap, *behaviour.value("household.sibling_gap_days", year))
    older = u < behaviour.scalar("household.sibling_older_share", year)
    birth = np.zeros(len(name), np.int32)
    # Each further child stands one pregnancy beyond the last one on its side, so no two are too close.
    oldest, youngest = first.copy(), first.copy()
    for number in range(1, len(_SIZES)):
        here = flagged(place == number)
        if not len(here):
            break
        among = family[here]
        born = np.where(older[here], oldest[among] - step[here], youngest[among] + step[here])
        if number == 1:
            twin = streams("twin").uniform(name[here]) < behaviour.scalar("household.twin_share", year)
            born = np.where(twin, first[among], born)
        birth[here] = born
        oldest[among] = np.minimum(oldest[among], born)
        youngest[among] = np.maximum(youngest[among], born)
    return birth


def ethnic_mix(behaviour: Behaviour) -> NDArray[np.float64]:
    """Return the weight of each of ETHNICITIES in each authority, shape (22, 5) in official order."""
    codes = [authority.code for authority in all_authorities()]
    return behaviour.table("ethnicity.by_authority", behaviour.profile.warm_up_from, codes, ETHNICITIES)


def ethnicity(
    streams: Streams,
    behaviour: Behaviour,
    order: NDArray[np.int64],
    family: NDArray[np.uint64],
    unaccompanied: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """Return the index into ETHNICITIES of families; `order` is that of the authority whose mix they are drawn from."""
    arriving = behaviour.vector("ethnicity.unaccompanied", behaviour.profile.warm_up_from, ETHNICITIES)
    weights = np.where(unaccompanied[:, None], arriving, ethnic_mix(behaviour)[order])
    return choose(streams("ethnicity").uniform(family), weights).astype(np.int8)


def age_group(birth: Days, on: Days | int) -> NDArray[np.int64]:
    """Return the index into BANDS of each child's age on a day."""
    return band(age_on(birth, on))
