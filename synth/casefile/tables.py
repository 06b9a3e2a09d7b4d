"""The files as tables of text: everyone and everything once, linked by identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth.casefile.addresses import Lines, addresses
from synth.casefile.carers import carers_of, household_of
from synth.casefile.children import children_of
from synth.casefile.data import rows_of, share
from synth.casefile.families import families_of, family_names_of_children
from synth.casefile.naming import names_of_children
from synth.casefile.relations import Listed, Related, brothers_and_sisters, carers_listed, identifiers, parents_listed
from synth.casefile.schools import enrolled, schools_of
from synth.casefile.stays import stays_of
from synth.casefile.workers import workers_of
from synth.geography.authorities import all_authorities
from synth.returns.columns import numbers, yes_no
from synth.returns.traits import languages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.casefile.children import Children
    from synth.casefile.schools import Enrolled, Schools
    from synth.casefile.stays import Stays
    from synth.casefile.workers import Workers
    from synth.dates import Days
    from synth.files import Generated
    from synth.lives.behaviour import Behaviour
    from synth.lives.streams import Streams
    from synth.returns.columns import Form

__all__ = ["Casefile", "casefile"]

_WORKER_SIGNS = 7


class Casefile(NamedTuple):
    """The tables by the names of their files, and what slips are made from.

    `who` has a number for each row of the tables that list people, for its draws; `other_name` the family name each
    child might also have been called by, blank if none.
    """

    tables: dict[str, Form]
    who: dict[str, NDArray[np.uint64]]
    other_name: NDArray[np.str_]


def casefile(streams: Streams, behaviour: Behaviour, made: Generated) -> Casefile:
    """Return what a case system holds about the children of a generated year."""
    children = children_of(made)
    name, family, order = children.kin.name, children.family, children.order
    families = families_of(streams, children)
    custom = families.custom.only(families.of)
    parents_names = families.mother_born[families.of], families.father.family[families.of]
    first, second = names_of_children(streams, name, children.sex, children.kin.first, custom, parents_names)
    named, other_father, other_name = family_names_of_children(streams, children, families)
    ethnic = children.ethnic.astype(np.int8)
    language = languages(streams, behaviour, made.year, family, order, ethnic, children.alone)
    homes = addresses(streams, children.postcode, streams("people: households").words(family, 0))
    stays = stays_of(made, children)
    household = household_of(streams, children, stays, made.world)
    placements = addresses(streams, stays.postcode, household, homes=stays.home)
    parents, of_parents = parents_listed(streams, children, families, homes, other_father, stays, household)
    carers = carers_of(streams, children, families, stays, made.world)
    listed, of_carers = carers_listed(streams, children, stays, carers, placements)
    siblings = brothers_and_sisters(children, other_father)
    people = _in_order(streams, Listed.joined((parents, listed)))
    schools = schools_of(streams, np.unique(order).tolist())
    goes = enrolled(streams, children, families, language, schools, made.year)
    workers = workers_of(streams, children, made.year, made.world)
    worker_ids = identifiers(streams, "SYW", workers.who, _WORKER_SIGNS)
    tables: dict[str, Form] = {
        "children": {
            "authority": children.code,
            "person_id": children.person,
            "given_names": _joined(first, second),
            "family_name": named,
            "known_as": _known_as(streams, name, first, second),
            "date_of_birth": children.dob,
            "sex": children.gender,
            "ethnic_group": children.ethnicity,
            "preferred_language": language,
            **_lines(homes),
            "upn": children.upn,
            "in_crcs": yes_no(children.in_crcs),
            "in_cla": yes_no(children.in_cla),
        },
        "parents_and_carers": {
            "authority": _codes(people.order),
            "person_id": identifiers(streams, "SYP", people.adults.who),
            "given_names": _joined(people.adults.given, people.adults.second),
            "family_name": people.adults.family,
            "former_name": people.adults.former,
            "date_of_birth": _written(people.adults.born),
            "sex": numbers(people.adults.sex),
            **_lines(people.lines),
        },
        "relationships": _relationships(children, Related.joined((of_parents, of_carers, siblings))),
        "addresses": _addresses(children, homes, stays, placements),
        "schools": _schools(schools),
        "enrolments": _enrolments(children, schools, goes),
        "workers": _workers(workers, worker_ids),
        "allocations": {
            "authority": children.code,
            "person_id": children.person,
            "worker_id": worker_ids[workers.of],
        },
    }  # fmt: skip
    return Casefile(tables, {"children": name, "parents_and_carers": people.adults.who}, other_name)


def _codes(order: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array([authority.code for authority in all_authorities()])[order]


def _in_order(streams: Streams, people: Listed) -> Listed:
    """Put people in order of authority and identifier, each once."""
    person = identifiers(streams, "SYP", people.adults.who)
    order = np.lexsort((person, people.order))
    same = (person[order[1:]] == person[order[:-1]]) & (people.order[order[1:]] == people.order[order[:-1]])
    return people.only(order[np.append(True, ~same)] if len(order) else order)


def _joined(first: NDArray[np.str_], second: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.where(second == "", first, np.char.add(np.char.add(first, " "), second))


def _lines(lines: Lines) -> Form:
    return {
        "address_line_1": lines.line_1,
        "address_line_2": lines.line_2,
        "post_town": lines.post_town,
        "postcode": lines.postcode,
    }


def _written(days: Days) -> NDArray[np.str_]:
    """Write days as dd/mm/yyyy, those before 1970 too."""
    text = np.ascontiguousarray(np.datetime_as_string(days.astype("datetime64[D]")).astype("U10"))
    signs = np.ascontiguousarray(text.view("U1").reshape(len(days), -1)[:, [8, 9, 4, 5, 6, 7, 0, 1, 2, 3]])
    signs[:, [2, 5]] = "/"
    return signs.view("U10").ravel()


def _known_as(
    streams: Streams, name: NDArray[np.uint64], first: NDArray[np.str_], second: NDArray[np.str_]
) -> NDArray[np.str_]:
    """Return what some children are called: a short form of the first name, or the second one."""
    short: dict[str, list[str]] = {}
    for row in rows_of("short_forms.csv"):
        short.setdefault(row["name"], []).append(row["short"])
    u = streams("people: known as").uniform(name)
    by_short = np.flatnonzero(u < share("known_as_short_form"))
    found = np.full(len(name), "", "U24")
    pick = streams("people: which short form").uniform(name[by_short]).tolist()
    shorter = [short.get(full, [""]) for full in first[by_short].tolist()]
    found[by_short] = [forms[int(v * len(forms))] for forms, v in zip(shorter, pick, strict=True)]
    by_second = (u > 1 - share("known_as_second_name")) & (second != "")
    return np.where(by_second, second, found)


def _relationships(children: Children, related: Related) -> Form:
    order = np.lexsort((related.first, related.person, related.relation, related.child))
    child = related.child[order]
    return {
        "authority": children.code[child],
        "person_id": children.person[child],
        "related_person_id": related.person[order],
        "relation": related.relation[order],
        "parental_responsibility": related.responsible[order],
        "at_home": related.at_home[order],
        "from": related.first[order],
        "to": related.last[order],
    }


def _addresses(children: Children, homes: Lines, stays: Stays, placements: Lines) -> Form:
    """Return the home of each child and after it the placements of the year."""
    lives = np.flatnonzero(children.postcode != "")
    blank = np.full(len(lives), "")
    child = np.concatenate((lives, stays.child))
    kinds = np.where(
        stays.short_breaks, "short breaks", np.where(stays.placement.astype("U1") == "M", "away", "placement")
    )
    order = np.argsort(child, kind="stable")
    lines = Lines.joined((homes.only(lives), placements)).only(order)
    first, last = np.concatenate((blank, stays.first)), np.concatenate((blank, stays.last))
    return {
        "authority": children.code[child[order]],
        "person_id": children.person[child[order]],
        "kind": np.concatenate((np.full(len(lives), "home"), kinds))[order],
        "placement_type": np.concatenate((blank, stays.placement))[order],
        **_lines(lines),
        "from": first[order],
        "to": last[order],
    }


def _schools(schools: Schools) -> Form:
    return {
        "authority": _codes(schools.order),
        "school_number": schools.number,
        "name": schools.name,
        "kind": schools.kinds,
        "language": np.where(schools.welsh, "Welsh", "English"),
        "postcode_district": schools.district,
    }


def _enrolments(children: Children, schools: Schools, goes: Enrolled) -> Form:
    return {
        "authority": children.code,
        "person_id": children.person,
        "upn": children.upn,
        "school_number": np.where(goes.school >= 0, schools.number[goes.school], ""),
        "year_group": goes.year_group,
        "why_none": goes.why_none,
    }


def _workers(workers: Workers, identifier: NDArray[np.str_]) -> Form:
    return {
        "authority": _codes(workers.order),
        "worker_id": identifier,
        "given_names": _joined(workers.given, workers.second),
        "family_name": workers.family,
        "role": workers.role,
        "team": workers.team,
        "team_in_welsh": workers.welsh_team,
        "children": numbers(workers.children),
    }
