"""Who cares for children placed with foster carers: relatives and friends, or people who foster others too.

A foster carer lives at one postcode and is the same for everybody placed there. Relatives belong to one family; where
one has several addresses of relatives, those of another address are other people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.casefile.addresses import host_authority, postcode_words
from synth.casefile.data import rows_of, share
from synth.casefile.families import Adults
from synth.casefile.naming import family_name, local_names, names_of_adults
from synth.dates import DAYS_IN_YEAR, day
from synth.lives.draw import choose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.casefile.children import Children
    from synth.casefile.families import Families
    from synth.casefile.stays import Stays
    from synth.dates import Days
    from synth.lives.streams import Streams

__all__ = ["Carers", "carers_of", "household_of"]

_BOTH = 2


@dataclass(frozen=True, slots=True)
class Carers:
    """Carers and whom they care for.

    `adults` are the carers; the other arrays have one entry for each carer of a stay: rows of the stay and of the
    carer, and how the carer is related.
    """

    adults: Adults
    stay: NDArray[np.int64]
    carer: NDArray[np.int64]
    relation: NDArray[np.str_]


def household_of(streams: Streams, children: Children, stays: Stays, world: int) -> NDArray[np.uint64]:
    """Return a number for the household or home of each stay: those who share it live at one address."""
    word = postcode_words(stays.postcode)
    family = children.family[stays.child]
    ours = streams("people: households").words(family, 0)
    at_home = stays.parents & (stays.postcode == children.postcode[stays.child])
    shared = streams("people: foster households").words(word, world)
    own = streams("people: households").words(family, word)
    return np.where(at_home, ours, np.where(stays.foster | stays.home, shared, own))


def carers_of(streams: Streams, children: Children, families: Families, stays: Stays, world: int) -> Carers:
    """Draw the foster carers and the relatives and friends who foster."""
    household = household_of(streams, children, stays, world)
    parts = (
        _foster_carers(streams, stays, household),
        _relatives(streams, families, stays, household),
    )
    shift = np.cumsum([0, len(parts[0].adults.who)])
    return Carers(
        Adults.joined([part.adults for part in parts]),
        np.concatenate([part.stay for part in parts]),
        np.concatenate([part.carer + by for part, by in zip(parts, shift, strict=True)]),
        np.concatenate([part.relation for part in parts]),
    )


def _foster_carers(streams: Streams, stays: Stays, household: NDArray[np.uint64]) -> Carers:
    rows = np.flatnonzero(stays.foster)
    house, first, of = np.unique(household[rows], return_index=True, return_inverse=True)
    order = np.maximum(host_authority(stays.postcode[rows][first]), 0) if len(rows) else np.zeros(0, np.int64)

    def u(purpose: str) -> NDArray[np.float64]:
        return streams(f"people: foster carers, {purpose}").uniform(house)

    couple = u("couple") < share("foster_couple")
    alike = couple & (u("alike") < share("foster_same_sex"))
    woman = couple | (u("woman") < share("single_foster_woman"))
    sex = np.where(woman, 2, 1)
    partner_sex = np.where(alike, sex, 3 - sex)
    early, late = day(int(share("foster_born_from")), 1, 1), day(int(share("foster_born_to")), 12, 31)
    born = np.floor(early + u("birth") * (late - early)).astype(np.int32)
    apart = (2 * u("partner's birth") - 1) * share("foster_partner_within") * DAYS_IN_YEAR
    partner_born = np.clip(born + np.floor(apart), early, late).astype(np.int32)
    who, partner = (streams("people: carers").words(house, number) for number in (1, 2))
    given, second, family = local_names(streams, who, sex, born, order)
    other_given, other_second, other_family = local_names(streams, partner, partner_sex, partner_born, order)
    one_name = couple & (u("one name") < share("foster_one_name"))
    # The name of two is his, and hers the former one.
    former = np.where(one_name & ~alike & (family != other_family), family, "")
    alone = ~couple & (sex == _BOTH) & (u("former name") < share("formerly_married_carer"))
    former = np.where(alone, other_family, former)
    former = np.where(former == family, np.where(one_name, former, ""), former)
    leads = Adults(who, sex, born, given, second, np.where(one_name, other_family, family), former)
    others = Adults(
        partner, partner_sex, partner_born, other_given, other_second, other_family, np.full(len(house), "")
    )  # fmt: skip
    return _both(
        leads, others, couple, rows, of, np.full(len(house), "foster carer"), np.full(len(house), "foster carer")
    )


def _relatives(streams: Streams, families: Families, stays: Stays, household: NDArray[np.uint64]) -> Carers:
    rows = np.flatnonzero(stays.kin)
    table = rows_of("kinship_carers.csv")
    house, first, of = np.unique(household[rows], return_index=True, return_inverse=True)
    group = families.of[stays.child[rows[first]]]
    kind = choose(streams("people: relatives").uniform(house), np.array([float(row["weight"]) for row in table]))
    named_after = np.array([row["name_of"] for row in table])
    # Relatives of a father need one on file; else they are the likeliest ones.
    kind = np.where((named_after[kind] == "father") & ~families.has_father[group], 0, kind)
    kind = _distinct(group, kind, [row["only"] for row in table])
    of_mother, of_father = named_after[kind] == "mother", named_after[kind] == "father"
    culture = np.where(of_father, families.custom.father[group], families.custom.mother[group])
    custom = families.custom.only(group)
    low, high = (np.array([float(row[column]) for row in table])[kind] for column in ("older_from", "older_to"))

    def person(number: int) -> tuple[NDArray[np.uint64], NDArray[np.int64], Days]:
        column = ("first", "second")[number - 1]
        sex = np.array([_sex_of(row[column]) for row in table])[kind]
        # Who turn out to be friends, for there are grandparents at another address, are other people.
        who = streams("people: carers").words(house, number, kind)
        older = low + streams("people: carer's age").uniform(house) * (high - low)
        older = older + share("carers_apart") * (streams("people: carer's age").uniform(who) - 0.5)
        oldest = families.oldest[group]
        latest, earliest = (oldest - share(f"adult_{most}_carer") * DAYS_IN_YEAR for most in ("youngest", "oldest"))
        born = np.clip(families.mother.born[group] - older * DAYS_IN_YEAR, earliest, latest)
        # Who is at the bound was not born on the child's birthday.
        into = streams("people: carer's birthday").uniform(who)
        return who, sex, np.floor(born - DAYS_IN_YEAR * into).astype(np.int32)

    who, sex, born = person(1)
    own = family_name(streams, who, culture, custom)
    named = np.select([of_mother, of_father], [families.mother_born[group], families.father.family[group]], own)
    other, other_sex, other_born = person(2)
    given, second = names_of_adults(streams, who, sex, born, culture, custom, named)
    other_given, other_second = names_of_adults(streams, other, other_sex, other_born, culture, custom, named)
    couple = np.array([bool(row["second"]) for row in table])[kind]
    # Who married into the family had another name before.
    married_in = np.array([row["married_in"] for row in table])[kind]
    her_own = family_name(streams, other, culture, custom)
    former = np.where((married_in == "first") & (own != named), own, "")
    other_former = np.where((married_in == "second") & (her_own != named), her_own, "")
    leads = Adults(who, sex, born, given, second, named, former)
    others = Adults(other, other_sex, other_born, other_given, other_second, named, other_former)
    names = [np.array([row[column] for row in table])[kind] for column in ("first", "second")]
    return _both(leads, others, couple, rows, of, *names)


def _distinct(group: NDArray[np.int64], kind: NDArray[np.int64], only: list[str]) -> NDArray[np.int64]:
    """Make friends, the last kind, of a second pair of grandparents on one side: nobody lives at two addresses.

    `only` says of which relatives each kind is, if nobody has more than one pair of them.
    """
    pair = np.array([only.index(side) if side else -1 for side in only])[kind]
    order = np.lexsort((pair, group))
    again = np.zeros(len(kind), bool)
    again[order[1:]] = (group[order[1:]] == group[order[:-1]]) & (pair[order[1:]] == pair[order[:-1]])
    return np.where(again & (pair >= 0), len(only) - 1, kind)


def _sex_of(relation: str) -> int:
    return next((int(row["sex"]) for row in rows_of("relations.csv") if row["relation"] == relation), 1)


def _both(
    leads: Adults,
    others: Adults,
    couple: NDArray[np.bool_],
    rows: NDArray[np.int64],
    of: NDArray[np.int64],
    lead_is: NDArray[np.str_],
    other_is: NDArray[np.str_],
) -> Carers:
    """Put the carers of households together with the stays (`rows`) whose households they are (`of`)."""
    count = len(couple)
    number = np.where(couple, count + np.cumsum(couple) - 1, -1)
    second = couple[of]
    return Carers(
        Adults.joined([leads, others.only(couple)]),
        np.concatenate([rows, rows[second]]),
        np.concatenate([of, number[of[second]]]),
        np.concatenate([lead_is[of], other_is[of[second]]]),
    )
