"""Who is on file beside the children, where they live, and how they are related to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.casefile.addresses import Lines, addresses
from synth.casefile.data import share
from synth.casefile.families import Adults
from synth.lives.people import MALE
from synth.returns.addresses import home_postcodes
from synth.returns.identifiers import in_signs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.casefile.carers import Carers
    from synth.casefile.children import Children
    from synth.casefile.families import Families
    from synth.casefile.stays import Stays
    from synth.lives.streams import Streams

__all__ = ["Listed", "Related", "brothers_and_sisters", "carers_listed", "identifiers", "parents_listed"]

_SIGNS = 10
_MOST_CHILDREN = 8


@dataclass(frozen=True, slots=True)
class Listed:
    """Adults on the files of authorities (`order`: their places in official order), with their addresses."""

    order: NDArray[np.int64]
    adults: Adults
    lines: Lines

    def only(self, rows: NDArray[np.int64]) -> Listed:
        """Return some of them, in that order."""
        return Listed(self.order[rows], self.adults.only(rows), self.lines.only(rows))

    @classmethod
    def joined(cls, parts: Sequence[Listed]) -> Listed:
        """Return several groups, one after another."""
        return cls(
            np.concatenate([part.order for part in parts]),
            Adults.joined([part.adults for part in parts]),
            Lines.joined([part.lines for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Related:
    """Ties of children (rows) to others by their identifiers; arrays of one length, text as it is written.

    `responsible` and `at_home` say whether an adult has parental responsibility and lives at the child's home: 1, 0 or
    blank; `first` and `last` are the days between which a carer cared, where the returns tell.
    """

    child: NDArray[np.int64]
    person: NDArray[np.str_]
    relation: NDArray[np.str_]
    responsible: NDArray[np.str_]
    at_home: NDArray[np.str_]
    first: NDArray[np.str_]
    last: NDArray[np.str_]

    @classmethod
    def joined(cls, parts: Sequence[Related]) -> Related:
        """Return several groups, one after another."""
        return cls(*(np.concatenate([getattr(part, column) for part in parts]) for column in cls.__slots__))


def identifiers(streams: Streams, prefix: str, who: NDArray[np.uint64], signs: int = _SIGNS) -> NDArray[np.str_]:
    """Return identifiers of people who are not in the returns: a prefix and five bits a sign, drawn from their number.

    Of ten signs, two people of one authority share one by chance once in some millions of Waleses.
    """
    return in_signs(prefix, streams("people: identifiers").words(who), signs)


def parents_listed(
    streams: Streams,
    children: Children,
    families: Families,
    homes: Lines,
    other_father: NDArray[np.bool_],
    stays: Stays,
    household: NDArray[np.uint64],
) -> tuple[Listed, Related]:
    """Return the parents and mothers' partners on file, and whose they are.

    `homes` has the address of each child, `household` the number of that of each stay. A father who lives elsewhere
    does so where a child of his is placed with parents, if one is.
    """
    # A family may be known to two authorities: each has its parents on file, where the return says they live.
    _, at, of = np.unique(families.of * 32 + children.order, return_index=True, return_inverse=True)
    group, order = families.of[at], children.order[at]
    home = homes.only(at)
    his = families.father.who[group]
    apart = ~families.father_home[group]
    known = streams("people: father's address").uniform(his) < share("father_address_known")
    elsewhere, his_house = np.where(known, home_postcodes(streams, order, his), ""), his.copy()
    away = stays.parents & (stays.postcode != "") & (stays.postcode != children.postcode[stays.child])
    with_him = np.flatnonzero(away & ~other_father[stays.child])
    elsewhere[of[stays.child[with_him]]] = stays.postcode[with_him]
    his_house[of[stays.child[with_him]]] = household[with_him]
    his_home = Lines.where(apart, addresses(streams, elsewhere, his_house), home)
    registered = streams("people: father's responsibility").uniform(families.name) < share(
        "father_responsible_unmarried"
    )
    nobody = np.zeros(len(families.name), bool)
    parts = (
        ("mother", families.mother, families.has_mother, home, ~nobody, ~nobody),
        ("father", families.father, families.has_father, his_home, families.married | registered, families.father_home),
        ("mother's partner", families.partner, families.has_partner, home, nobody, ~nobody),
    )
    listed, related = [], []
    for relation, adults, on_file, lines, responsible, at_home in parts:
        ties = on_file[families.of]
        if relation == "father":
            ties = ties & ~other_father
        rows = np.flatnonzero(ties)
        person = identifiers(streams, "SYP", adults.who)
        blank = np.full(len(rows), "")
        related.append(
            Related(
                rows, person[families.of[rows]], np.full(len(rows), relation),
                _flags(responsible[families.of[rows]]), _flags(at_home[families.of[rows]]), blank, blank,
            )
        )  # fmt: skip
        houses = np.unique(of[rows])
        listed.append(Listed(order[houses], adults.only(group[houses]), lines.only(houses)))
    return Listed.joined(listed), Related.joined(related)


def carers_listed(
    streams: Streams, children: Children, stays: Stays, carers: Carers, placements: Lines
) -> tuple[Listed, Related]:
    """Return the carers on file and whom they care for; `placements` has the address of each stay."""
    rows = stays.child[carers.stay]
    order = children.order[rows]
    _, first = np.unique(carers.carer * 32 + order, return_index=True)
    listed = Listed(order[first], carers.adults.only(carers.carer[first]), placements.only(carers.stay[first]))
    person = identifiers(streams, "SYP", carers.adults.who)[carers.carer]
    flags = np.full(len(rows), "0")
    first_day, last_day = stays.first[carers.stay], stays.last[carers.stay]
    return listed, Related(rows, person, carers.relation, flags, flags, first_day, last_day)


def brothers_and_sisters(children: Children, other_father: NDArray[np.bool_]) -> Related:
    """Tie children of a family to each other, both ways, within each authority."""
    order = np.lexsort((children.born, children.family, children.order))
    pairs = []
    for apart in range(1, _MOST_CHILDREN):
        one, other = order[:-apart], order[apart:]
        same = (children.family[one] == children.family[other]) & (children.order[one] == children.order[other])
        pairs += [(one[same], other[same]), (other[same], one[same])]
    child, sibling = (np.concatenate(column) for column in zip(*pairs, strict=True))
    half = other_father[child] | other_father[sibling]
    twin = ~half & (children.born[child] == children.born[sibling])
    boy = children.sex[sibling] == MALE
    relation = np.select(
        [half & boy, half, twin & boy, twin, boy],
        ["half-brother", "half-sister", "twin brother", "twin sister", "brother"],
        "sister",
    )
    blank = np.full(len(child), "")
    return Related(child, children.person[sibling], relation, blank, blank, blank, blank)


def _flags(flags: NDArray[np.bool_]) -> NDArray[np.str_]:
    return np.where(flags, "1", "0")
