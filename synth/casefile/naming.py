"""Which names a family gives: by its language and ethnic group, and never two alike among brothers and sisters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from synth.casefile.data import rows_of, share
from synth.casefile.pools import LISTS, eras, family_names, given_names
from synth.dates import calendar_year
from synth.lives.draw import choose
from synth.lives.homes import order_of
from synth.lives.people import ETHNICITIES, home_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.lives.streams import Streams

__all__ = ["Customs", "customs", "family_name", "local_names", "names_of_adults", "names_of_children", "speakers"]

_CULTURES = tuple(row["culture"] for row in rows_of("cultures.csv"))
_LOCAL = _CULTURES.index("local")
_WALES, _CYMRAEG, _ENGLISH = (LISTS.index(name) for name in ("wales", "cymraeg", "english"))
_GIVEN, _FAMILY = (
    np.array([LISTS.index(row[part]) for row in rows_of("cultures.csv")]) for part in ("given", "family")
)
_MIXED = ETHNICITIES.index("MIXD")
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Customs:
    """How families name; arrays of one length.

    `order` is the place in official order of the authority a family was first known in, `given` the list (index into
    LISTS) of the children's names; `mother` and `father` index the cultures of cultures.csv; `welsh` marks families
    that give Welsh names.
    """

    order: NDArray[np.int64]
    given: NDArray[np.int64]
    mother: NDArray[np.int64]
    father: NDArray[np.int64]
    welsh: NDArray[np.bool_]

    def only(self, rows: NDArray[np.int64]) -> Customs:
        """Return some families, in that order."""
        return Customs(*(getattr(self, column)[rows] for column in self.__slots__))

    @property
    def local(self) -> NDArray[np.bool_]:
        """Families whose children are named as most are in Wales."""
        return np.isin(self.given, [_WALES, _CYMRAEG])


@cache
def _by_authority(column: str) -> NDArray[np.float64]:
    return np.array([float(row[column]) for row in rows_of("authorities.csv")])


def speakers(order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of people who speak Welsh in authorities (place in official order)."""
    return _by_authority("welsh_speakers")[order]


@cache
def _cultures() -> NDArray[np.float64]:
    """Return the weights of cultures by ethnic group and whether unaccompanied, shape (5, 2, cultures)."""
    weights = np.zeros((len(ETHNICITIES), 2, len(_CULTURES)))
    for row in rows_of("ethnic_names.csv"):
        where = ETHNICITIES.index(row["ethnicity"]), int(row["unaccompanied"]), _CULTURES.index(row["culture"])
        weights[where] = float(row["weight"])
    return weights


def customs(
    streams: Streams, family: NDArray[np.uint64], ethnic: NDArray[np.int64], alone: NDArray[np.bool_]
) -> Customs:
    """Draw how families name, from their names alone; `ethnic` indexes ETHNICITIES, `alone` says unaccompanied."""
    order = order_of(home_of(family))
    culture = choose(streams("people: culture").uniform(family), _cultures()[ethnic, alone.astype(np.int64)])
    # The draw of the preferred language: whoever prefers Welsh is among the first of it.
    speaks = streams("language").uniform(family)
    culture = np.where((ethnic == 0) & ~alone & (speaks < speakers(order)), _LOCAL, culture)
    mixed = (ethnic == _MIXED) & ~alone
    mother_local = streams("people: which parent is local").uniform(family) < share("mixed_mother_local")
    named_locally = mixed & (streams("people: named locally").uniform(family) < share("mixed_given_names_local"))
    local = (culture == _LOCAL) | named_locally
    willing = np.where(ethnic == 0, 1.0, share("welsh_speaking_outside_local"))
    likely = speakers(order) * willing * share("welsh_given_names_of_speakers")
    others = streams("people: Welsh names").uniform(family) < share("welsh_given_names_of_others")
    welsh = local & ~alone & ((speaks < likely) | others)
    return Customs(
        order=order,
        given=np.where(welsh, _CYMRAEG, np.where(local, _WALES, _GIVEN[culture])),
        mother=np.where(mixed & mother_local, _LOCAL, culture),
        father=np.where(mixed & ~mother_local, _LOCAL, culture),
        welsh=welsh,
    )


def family_name(
    streams: Streams, who: NDArray[np.uint64], culture: NDArray[np.int64], custom: Customs
) -> NDArray[np.str_]:
    """Return a family name for adults of a culture in families of these customs."""
    lists = np.where(culture == _LOCAL, _local_family(streams, who, custom.order, custom.welsh), _FAMILY[culture])
    return family_names(lists, streams("people: family name").uniform(who))


def _local_family(
    streams: Streams, who: NDArray[np.uint64], order: NDArray[np.int64], welsh: NDArray[np.bool_]
) -> NDArray[np.int64]:
    likely = _by_authority("welsh_family_names")[order]
    likely = np.where(welsh, likely + (1 - likely) * share("welsh_family_names_more_of_speakers"), likely)
    return np.where(streams("people: Welsh family name").uniform(who) < likely, _WALES, _ENGLISH)


def names_of_children(
    streams: Streams,
    name: NDArray[np.uint64],
    sex: NDArray[np.int64],
    first: Days,
    custom: Customs,
    families: tuple[NDArray[np.str_], ...],
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Return the first and the second given name of children; the second is blank for some.

    `name` are the children's numbers, `first` the birth of the child first known in each one's family: brothers and
    sisters are named out of one list, and each differs from those before, whether or not they are in a return. None is
    called by one of the parents' family names (`families`).
    """
    family, place = name >> np.uint64(3), (name & np.uint64(7)).astype(np.int64)
    era = eras(calendar_year(first), streams("people: names of the time").uniform(family))
    stream, who = streams("people: given name"), family * np.uint64(2) + (sex == 1).astype(np.uint64)
    before: list[NDArray[np.str_]] = []
    for number in range(int(place.max(initial=0)) + 1):
        found = np.full(len(name), "", "U24")
        todo = np.flatnonzero(place >= number)
        for attempt in range(_TRIES):
            u = stream.uniform(who[todo], number, attempt)
            found[todo] = given_names(custom.given[todo], sex[todo], era[todo], u)
            clash = np.zeros(len(todo), bool)
            for other in (*families, *before):
                clash |= found[todo] == other[todo]
            todo = todo[clash]
            if not len(todo):
                break
        before.append(found)
    chosen = np.stack(before)[place, np.arange(len(name))] if before else np.full(0, "", "U24")
    second = given_names(custom.given, sex, era, streams("people: second given name").uniform(name))
    likely = np.where(custom.local, share("second_given_name"), share("second_given_name_elsewhere"))
    has = (streams("people: has a second name").uniform(name) < likely) & _unlike(chosen, second)
    for other in families:
        has &= second != other
    return chosen, np.where(has, second, "")


def names_of_adults(
    streams: Streams,
    who: NDArray[np.uint64],
    sex: NDArray[np.int64],
    born: Days,
    culture: NDArray[np.int64],
    custom: Customs,
    family: NDArray[np.str_],
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Return the first and the second given name of adults of a culture in families of these customs.

    Neither is the family name they bear.
    """
    local = np.where(custom.welsh, _CYMRAEG, _WALES)
    lists = np.where(culture == _LOCAL, local, _GIVEN[culture])
    return _two_names(streams, who, sex, born, lists, culture == _LOCAL, family)


def local_names(
    streams: Streams, who: NDArray[np.uint64], sex: NDArray[np.int64], born: Days, order: NDArray[np.int64]
) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_]]:
    """Return first, second and family name of adults of authorities: foster carers, social workers."""
    likely = speakers(order) * share("welsh_given_names_of_speakers")
    welsh = streams("people: Welsh names").uniform(who) < likely
    lists = _local_family(streams, who, order, welsh)
    family = family_names(lists, streams("people: family name").uniform(who))
    given = np.where(welsh, _CYMRAEG, _WALES)
    return *_two_names(streams, who, sex, born, given, np.ones(len(who), bool), family), family


def _two_names(
    streams: Streams,
    who: NDArray[np.uint64],
    sex: NDArray[np.int64],
    born: Days,
    lists: NDArray[np.int64],
    local: NDArray[np.bool_],
    family: NDArray[np.str_],
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    era = eras(calendar_year(born), streams("people: names of the time").uniform(who))
    first = given_names(lists, sex, era, streams("people: given name").uniform(who))
    again = np.flatnonzero(first == family)
    first[again] = given_names(
        lists[again], sex[again], era[again], streams("people: given name").uniform(who[again], 1)
    )
    second = given_names(lists, sex, era, streams("people: second given name").uniform(who))
    likely = np.where(local, share("second_given_name"), share("second_given_name_elsewhere"))
    has = (streams("people: has a second name").uniform(who) < likely) & _unlike(first, second)
    has &= second != family
    return first, np.where(has, second, "")


def _unlike(first: NDArray[np.str_], second: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Say which second names begin otherwise than the first: nobody is Ann Anna or Martyn Martin."""
    return np.asarray(first.astype("U2") != second.astype("U2"))
