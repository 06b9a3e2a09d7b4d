"""Schools of invented names, and who goes to which: by age, language, need and where the family lives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from synth.casefile.data import rows_of, share
from synth.dates import age_on, day
from synth.geography.areas import areas
from synth.geography.authorities import all_authorities

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from synth.casefile.children import Children
    from synth.casefile.families import Families
    from synth.lives.streams import Streams

__all__ = ["Enrolled", "Schools", "enrolled", "schools_of"]

_KINDS = ("nursery", "primary", "secondary", "special")
_FIRST_NUMBER = (1, 100, 400, 700)
"""Of the schools of each kind in an authority; numbers stay below 1000, as no school's number is."""
_NURSERY, _PRIMARY, _SECONDARY, _SPECIAL = range(4)
_NAMES = {
    ("nursery", False): "{} Nursery School",
    ("primary", False): "{} Primary School",
    ("secondary", False): "{} Comprehensive School",
    ("special", False): "{} Special School",
    ("primary", True): "Ysgol Gynradd {}",
    ("secondary", True): "Ysgol Gyfun {}",
}


@dataclass(frozen=True, slots=True)
class Schools:
    """Schools, ordered by authority and number; arrays of one length. `district` is their postcode district."""

    order: NDArray[np.int64]
    number: NDArray[np.str_]
    name: NDArray[np.str_]
    kind: NDArray[np.int64]
    welsh: NDArray[np.bool_]
    district: NDArray[np.str_]

    @property
    def kinds(self) -> NDArray[np.str_]:
        """Kinds of school in words."""
        return np.array(_KINDS)[self.kind]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Where each child goes: the row of the school (-1: none), the year group, and why there is none."""

    school: NDArray[np.int64]
    year_group: NDArray[np.str_]
    why_none: NDArray[np.str_]


@cache
def _stems(language: str) -> tuple[str, ...]:
    first, last = (
        [row["words"] for row in rows_of("school_words.csv") if (row["language"], row["part"]) == (language, part)]
        for part in ("first", "last")
    )
    space = " " if language == "welsh" else ""
    return tuple(f"{one}{space}{other}" for one in first for other in last)


def schools_of(streams: Streams, orders: Iterable[int]) -> Schools:
    """Return all schools of some authorities (by their place in official order)."""
    rows: list[tuple[int, str, str, int, bool, str]] = []
    for order in orders:
        authority = all_authorities()[order]
        stems = {
            language: iter(np.argsort(streams(f"people: schools, {language}").words(np.arange(len(names)), order)))
            for language in ("welsh", "english")
            if (names := _stems(language))
        }
        places = areas().districts[order]
        for row in rows_of("schools.csv"):
            if row["code"] != authority.code:
                continue
            kind = _KINDS.index(row["kind"])
            for n in range(int(row["schools"])):
                welsh = n < int(row["welsh_medium"])
                language = "welsh" if welsh else "english"
                stem = _stems(language)[next(stems[language])]
                number = _FIRST_NUMBER[kind] + n
                u = streams("people: districts of schools").uniform(order, number)[0]
                name = _NAMES[row["kind"], welsh].format(stem)
                where = places[int(u * len(places))]
                rows.append((order, f"{authority.education_number}{number:04d}", name, kind, welsh, where))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    types = ("int64", "U7", "U40", "int64", "bool", "U4")
    return Schools(*(np.array(column, np.dtype(kind)) for column, kind in zip(columns, types, strict=True)))


def enrolled(
    streams: Streams, children: Children, families: Families, language: NDArray[np.str_], schools: Schools, year: int
) -> Enrolled:
    """Enrol the children who have a pupil number and are of age in the school year that 31 March of `year` falls in."""
    name, family = children.kin.name, children.family
    age = age_on(children.born, day(year - 1, 8, 31))
    groups = rows_of("year_groups.csv")
    low = np.array([int(row["age_from"]) for row in groups])
    group = np.searchsorted(low, age, side="right") - 1
    youngest, eldest = int(groups[0]["age_from"]), int(groups[-1]["age_to"])
    numbered = (children.upn != "") & ~np.char.startswith(children.upn, "UN")
    compulsory = share("compulsory_school_to")
    later = (age > compulsory) & (streams("people: stays at school").uniform(name) >= share("stays_at_school"))
    why = np.select(
        [age < youngest, (age > eldest) | later, numbered, age <= youngest + 1, age > compulsory],
        ["under school age", "over school age", "", "not yet at school", "over school age"],
        "no pupil number",
    )
    goes = why == ""
    kind = np.array([_KINDS.index(row["kind"]) for row in groups])[np.maximum(group, 0)]
    small = (age == youngest) & (streams("people: nursery school").uniform(family) < share("nursery_school"))
    needs = children.impaired & (age > youngest)
    special = needs & (streams("people: special school").uniform(name) < share("special_school"))
    kind = np.where(special, _SPECIAL, np.where(small, _NURSERY, kind))
    speaks = (families.custom.welsh[families.of]) | (language == "CYM")
    school = np.full(len(children), -1)
    for order in np.unique(children.order[goes]).tolist():
        here = schools.order == order
        for each in range(len(_KINDS)):
            rows = np.flatnonzero(goes & (children.order == order) & (kind == each))
            school[rows] = _chosen(streams, children, rows, speaks, here, each, schools)
    codes = np.array([row["year_group"] for row in groups])[np.maximum(group, 0)]
    return Enrolled(school, np.where(goes, codes, ""), why)


def _chosen(
    streams: Streams,
    children: Children,
    rows: NDArray[np.int64],
    speaks: NDArray[np.bool_],
    here: NDArray[np.bool_],
    kind: int,
    schools: Schools,
) -> NDArray[np.int64]:
    """Choose a school of a kind in one authority for some children; primary where it has no nursery school."""
    of_kind = here & (schools.kind == kind)
    if not of_kind.any():
        kind, of_kind = _PRIMARY, here & (schools.kind == _PRIMARY)
    family = children.family[rows]
    some = share("welsh_school_of_others")
    part = float(schools.welsh[of_kind].mean())
    likely = np.where(
        speaks[rows], share("welsh_school_of_speakers") if part else 0.0, part * (some + (1 - some) * part)
    )
    welsh = streams("people: language of school").uniform(family) < likely
    found = np.zeros(len(rows), np.int64)
    for medium in (False, True):
        among = np.flatnonzero(of_kind & (schools.welsh == medium))
        if not len(among):
            welsh = np.full(len(rows), not medium)
            continue
        among = among[np.argsort(schools.district[among], kind="stable")]
        mine = np.flatnonzero(welsh == medium)
        district = np.array([text.partition(" ")[0] for text in children.postcode[rows[mine]].tolist()], "U4")
        first, last = (np.searchsorted(schools.district[among], district, side=side) for side in ("left", "right"))
        near = (last > first) & (streams("people: school near").uniform(family[mine]) < share("school_near_home"))
        first, last = np.where(near, first, 0), np.where(near, last, len(among))
        u = streams("people: school").uniform(family[mine], kind)
        found[mine] = among[first + np.floor(u * (last - first)).astype(np.int64)]
    return found
