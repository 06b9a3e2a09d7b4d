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
from synth.lives.draw import choose, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.streams import Streams

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
        return Members(*(getattr(self, column)[rows] for column in self.__slots__))

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
    size = 1 + choose(
        streams("household size").uniform(family), behaviour.vector(f"household.size.{kind}", year, _SIZES)
    )
    first = _first_child(streams, behaviour, kind, family, on, year)
    queue = np.repeat(np.arange(len(family)), size)
    place = np.arange(len(queue)) - np.repeat(np.cumsum(size) - size, size)
    named = family[queue]
    name = named * np.uint64(8) + place.astype(np.uint64)
    birth = first[queue]
    keep = np.ones(len(queue), bool)
    others = np.flatnonzero(place)
    birth[others] = _births(streams, behaviour, name[others], place[others], queue[others], first, year)
    born, day = birth[others], on[queue[others]]
    keep[others] = (born <= day) & (age_on(born, day) >= 0) & (birthday(born, 17) > day)
    queue, named, name, birth = queue[keep], named[keep], name[keep], birth[keep]
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
    birth = within(streams("only child born").uniform(family), birthday(on, -age - 1) + 1, birthday(on, -age))
    soon = birth + np.floor(
        -np.log(streams("only child newborn days").uniform(family))
        * behaviour.scalar("household.newborn_mean_days", year)
    ).astype(np.int32)
    newborn = (
        (birth >= first)
        & (soon <= last)
        & (streams("newborn").uniform(family) < behaviour.scalar("household.newborn_share.care", year))
    )
    latest = np.minimum(last, birthday(birth, 18) - int(behaviour.scalar("household.days_before_18", year)))
    entry = within(streams("only child enters").uniform(family), np.maximum(birth, first), latest)
    entry = np.where(newborn, soon, entry).astype(np.int32)
    return Members(np.arange(len(family)), family, family * np.uint64(8), birth, sex.astype(np.int8)), entry


def _first_child(
    streams: Streams, behaviour: Behaviour, kind: str, family: NDArray[np.uint64], on: Days, year: int
) -> Days:
    """Birth day of the child who brings the family in, by the age groups of the profile and evenly within them.

    Newborns are the exception: most are a few days old.
    """
    groups = tuple(behaviour.value(f"household.first_age.{kind}", year))
    lower, upper = (np.array(bounds, np.int32) for bounds in zip(*map(_bounds, groups), strict=True))
    chosen = choose(
        streams("first age group").uniform(family), behaviour.vector(f"household.first_age.{kind}", year, groups)
    )
    # Leave some days before 18, so that the shortest stay still ends in childhood.
    spare = int(behaviour.scalar("household.days_before_18", year))
    youngest = birthday(on, -lower[chosen])
    oldest = birthday(on, -upper[chosen] - 1) + 1
    oldest = np.where(upper[chosen] == _OLDEST, oldest + spare, oldest)
    u = streams("first age").uniform(family)
    newborn = (lower[chosen] == 0) & (
        streams("newborn").uniform(family) < behaviour.scalar(f"household.newborn_share.{kind}", year)
    )
    days_old = -np.log(u) * behaviour.scalar("household.newborn_mean_days", year)
    days_old = np.minimum(days_old, behaviour.scalar("household.newborn_days", year) - 1)
    return np.where(newborn, on - np.floor(days_old), within(u, oldest, youngest)).astype(np.int32)


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
    step = within(streams("sibling gap").uniform(name), *behaviour.value("household.sibling_gap_days", year))
    older = streams("sibling older").uniform(name) < behaviour.scalar("household.sibling_older_share", year)
    birth = np.zeros(len(name), np.int32)
    # Each further child stands one pregnancy beyond the last one on its side, so no two are too close.
    oldest, youngest = first.copy(), first.copy()
    for number in range(1, len(_SIZES)):
        here = np.flatnonzero(place == number)
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
