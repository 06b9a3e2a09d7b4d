"""Parents: one mother and one father to a family, who may live together or apart, and what the children are called.

Everything is drawn from the family's number and from the births of the oldest and youngest child known of it, so it is
the same in every year, and in both authorities where a child's care passes from one to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.casefile.data import rows_of, share
from synth.casefile.naming import Customs, customs, family_name, names_of_adults
from synth.dates import DAYS_IN_YEAR
from synth.lives.draw import choose, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.casefile.children import Children
    from synth.dates import Days
    from synth.lives.streams import Streams

__all__ = ["FATHER", "MOTHER", "PARTNER", "Adults", "Families", "adult", "families_of", "family_names_of_children"]

MOTHER, FATHER, PARTNER = 1, 2, 3
"""Adults of a family by their part in it; carers are numbered from there on."""
_NOT_LATER_THAN = 1.0


@dataclass(frozen=True, slots=True)
class Adults:
    """People who are not children; arrays of one length. `who` is a number of their own, `born` the birth day."""

    who: NDArray[np.uint64]
    sex: NDArray[np.int64]
    born: Days
    given: NDArray[np.str_]
    second: NDArray[np.str_]
    family: NDArray[np.str_]
    former: NDArray[np.str_]

    def only(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Adults:
        """Return some of them, in that order."""
        return Adults(*(getattr(self, column)[rows] for column in self.__slots__))

    @classmethod
    def joined(cls, parts: Sequence[Adults]) -> Adults:
        """Return several groups, one after another."""
        return cls(*(np.concatenate([getattr(part, column) for part in parts]) for column in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Families:
    """Families of the children; arrays of one length, and `of` has the row of each child's family.

    `name` is the family's number, `custom` how it names. The flags say who is on file and who lives at the children's
    home; `married` are parents who are or were. Unaccompanied children are families of their own, without parents.
    `mother_born` is the family name she was born with, `her` and `his` are the parents' names.
    """

    of: NDArray[np.int64]
    name: NDArray[np.uint64]
    custom: Customs
    alone: NDArray[np.bool_]
    oldest: Days
    youngest: Days
    mother: Adults
    father: Adults
    partner: Adults
    has_mother: NDArray[np.bool_]
    has_father: NDArray[np.bool_]
    has_partner: NDArray[np.bool_]
    father_home: NDArray[np.bool_]
    married: NDArray[np.bool_]
    mother_born: NDArray[np.str_]


def adult(streams: Streams, family: NDArray[np.uint64], part: int) -> NDArray[np.uint64]:
    """Return the number of the adult who has a part in a family."""
    return streams("people: adults").words(family, part)


def families_of(streams: Streams, children: Children) -> Families:
    """Draw the parents of all children."""
    name, first, of = np.unique(children.family, return_index=True, return_inverse=True)
    kin, alone = children.kin.only(first), children.alone[first]
    custom = customs(streams, name, children.ethnic[first], alone)

    def chance(purpose: str, key: str) -> NDArray[np.bool_]:
        return streams(f"people: {purpose}").uniform(name) < share(key)

    has_mother = ~alone & chance("mother on file", "mother_recorded")
    has_father = ~alone & chance("father on file", "father_recorded")
    father_home = has_father & chance("father at home", "father_at_home")
    has_partner = has_mother & ~father_home & chance("partner at home", "partner_at_home")
    u = streams("people: married").uniform(name)
    married = has_father & has_mother & (u < np.where(father_home, share("married_at_home"), share("married_apart")))
    took = married & chance("husband's name", "takes_husbands_name")
    kept = took & (father_home | chance("keeps husband's name", "keeps_married_name_apart"))

    her, his, partners = (adult(streams, name, part) for part in (MOTHER, FATHER, PARTNER))
    hers = family_name(streams, her, custom.mother, custom)
    of_father = family_name(streams, his, custom.father, custom)
    mother_birth = _mother_birth(streams, name, kin.oldest, kin.youngest)
    same = hers == of_father
    mother = _adults(
        streams, her, 2, mother_birth, custom.mother, custom, np.where(kept, of_father, hers),
        np.where(took & ~same, np.where(kept, hers, of_father), ""),
    )  # fmt: skip
    father_birth = _near(streams, name, "father", mother_birth, kin.oldest, kin.youngest)
    father = _adults(streams, his, 1, father_birth, custom.father, custom, of_father)
    partner_birth = _near(streams, name, "partner", mother_birth, kin.oldest, kin.youngest)
    partner = _adults(
        streams, partners, 1, partner_birth, custom.mother, custom,
        family_name(streams, partners, custom.mother, custom),
    )  # fmt: skip
    return Families(
        of=of, name=name, custom=custom, alone=alone, oldest=kin.oldest, youngest=kin.youngest, mother=mother,
        father=father, partner=partner, has_mother=has_mother, has_father=has_father, has_partner=has_partner,
        father_home=father_home, married=married, mother_born=hers,
    )  # fmt: skip


def _adults(
    streams: Streams,
    who: NDArray[np.uint64],
    sex: int,
    born: Days,
    culture: NDArray[np.int64],
    custom: Customs,
    family: NDArray[np.str_],
    former: NDArray[np.str_] | None = None,
) -> Adults:
    sexes = np.full(len(who), sex)
    given, second = names_of_adults(streams, who, sexes, born, culture, custom, family)
    return Adults(who, sexes, born, given, second, family, np.full(len(who), "") if former is None else former)


def _mother_birth(streams: Streams, name: NDArray[np.uint64], oldest: Days, youngest: Days) -> Days:
    """Birth of the mother: by her age when the oldest child known was born, young enough for the youngest."""
    rows = rows_of("mother_ages.csv")
    low, high = (np.array([int(row[column]) for row in rows]) for column in ("age_from", "age_to"))
    chosen = choose(
        streams("people: mother's age group").uniform(name), np.array([float(row["weight"]) for row in rows])
    )
    age = within(streams("people: mother's age").uniform(name), low[chosen], high[chosen])
    return _born(streams, name, "mother", age, oldest, youngest, share("mother_oldest"))


def _near(streams: Streams, name: NDArray[np.uint64], part: str, mother: Days, oldest: Days, youngest: Days) -> Days:
    """Birth of a man some years older or younger than the mother, within the bounds of a father's age."""
    u = streams(f"people: {part}'s age").uniform(name)
    older = share("father_older_from") + u * (share("father_older_to") - share("father_older_from"))
    age = np.floor((oldest - mother) / DAYS_IN_YEAR + older)
    return _born(streams, name, part, age, oldest, youngest, share("father_oldest"))


def _born(
    streams: Streams,
    name: NDArray[np.uint64],
    part: str,
    age: NDArray[np.float64] | NDArray[np.int32],
    oldest: Days,
    youngest: Days,
    most: float,
) -> Days:
    """Return the birth of a parent who is `age` at that of the oldest child, and at most `most` at the youngest's."""
    at_most = np.floor(most - (youngest - oldest) / DAYS_IN_YEAR)
    youngest_parent = share("parent_youngest")
    bounded = np.maximum(np.minimum(age, at_most), youngest_parent)
    days = (bounded + _NOT_LATER_THAN * streams(f"people: birth of {part}").uniform(name)) * DAYS_IN_YEAR
    return np.asarray(oldest - np.floor(days)).astype(np.int32)


def family_names_of_children(
    streams: Streams, children: Children, families: Families
) -> tuple[NDArray[np.str_], NDArray[np.bool_], NDArray[np.str_]]:
    """Return of each child the family name, whether the father is another than the first child's, and another name.

    That is what the child might also have been called, mostly the other parent's name; blank if none.
    """
    of, name = families.of, children.kin.name
    hers, his = families.mother_born[of], families.father.family[of]
    current = np.where(families.has_mother, families.mother.family, families.mother_born)[of]
    u = streams("people: child's family name").uniform(families.name)[of]
    never_married = families.has_father[of] & ~families.married[of]
    both = np.where(hers == his, his, np.char.add(np.char.add(hers, "-"), his))
    first = share("named_after_father")
    named = np.select(
        [families.married[of], never_married & (u < first), never_married & (u < first + share("double_name"))],
        [his, his, both],
        current,
    )
    twin = (name & np.uint64(7) > 0) & (children.born == children.kin.first)
    later = (name & np.uint64(7) > 0) & ~twin & ~children.alone
    other = later & (streams("people: another father").uniform(name) < share("another_father"))
    lists = family_name(
        streams, streams("people: adults").words(name, FATHER), families.custom.mother[of], families.custom.only(of)
    )
    apart = np.where(streams("people: other father's name").uniform(name) < share("named_after_father"), lists, current)
    named = np.where(other, apart, named)
    also = np.where(named == current, np.where(families.has_father[of] & ~other, his, ""), current)
    also = np.where((also == named) | children.alone, "", also)
    return named, other, also
