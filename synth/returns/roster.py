"""Who is who on 31 March: the identifiers and fixed facts that both returns carry for a child, made in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import Days, calendar_year, day_of_year_start, last_day
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.lives.admission import foremost
from synth.lives.homes import order_of
from synth.lives.people import ETHNICITIES, NOT_OBTAINED, home_of, is_taken_over
from synth.returns.addresses import home_postcodes
from synth.returns.identifiers import brought_along, first_school_day, local_ids, pupil_numbers
from synth.returns.traits import Subjects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.streams import Streams

__all__ = ["Roster", "call", "homes"]


@dataclass(frozen=True, slots=True)
class Roster:
    """Facts of every child of a history, rows as in `History.children`.

    `home` names the authority and its world (see `homes`), `order` is the authority's place 0 to 21, `code` its
    three-digit code; `upn` and `home_postcode` are blank where a child has none.
    """

    home: NDArray[np.int64]
    order: NDArray[np.int64]
    code: NDArray[np.str_]
    local_id: NDArray[np.str_]
    upn: NDArray[np.str_]
    birth: Days
    sex: NDArray[np.int8]
    ethnicity: NDArray[np.str_]
    home_postcode: NDArray[np.str_]

    def only(self, rows: NDArray[np.int64]) -> Roster:
        """Return the children at some rows, in that order."""
        return Roster(*(getattr(self, column)[rows] for column in self.__slots__))


def call(streams: Streams, behaviour: Behaviour, history: History, children: NDArray[np.int64]) -> Roster:
    """Return the roster of some children (rows of the history), in that order, as known on 31 March of its year."""
    child = history.children
    everyone = all_authorities()
    serial = child["serial"][children].astype(np.int64)
    home = history.homes.name[child["place"][children]]
    order = order_of(home)
    name, family, birth = child["name"][children], child["family"][children], child["birth"][children]
    alone = child["unaccompanied"][children]
    guidance = load("cla", history.year)
    leaves = int(guidance.limit("UPN", "", "school_age_to_years") or 15) + 1
    known = np.maximum(child["care_start"][children], birth)
    enrolled = first_school_day(streams, name, birth, alone, known, leaves)
    has_upn = enrolled <= last_day(history.year)
    issued = calendar_year(np.where(has_upn, enrolled, 0)).astype(np.int64)
    # A pupil number stays with the child, whoever looks after it.
    brings = is_taken_over(family)
    issuer = np.where(brings, order_of(home_of(family)), order)
    serial_there = np.where(brings, brought_along(family), serial)
    group = np.array(ETHNICITIES)[child["ethnic"][children]]
    numbers = pupil_numbers(np.array([a.education_number for a in everyone])[issuer], serial_there, issued)
    return Roster(
        home=home,
        order=order,
        code=np.array([a.code for a in everyone])[order],
        local_id=local_ids(streams, home, serial),
        upn=np.where(has_upn, numbers, ""),
        birth=birth,
        sex=child["sex"][children],
        ethnicity=np.where(not_obtained(behaviour, history)[children], NOT_OBTAINED, group),
        home_postcode=homes(streams, history, children),
    )


def not_obtained(behaviour: Behaviour, history: History) -> NDArray[np.bool_]:
    """Say of every child of a history whether its ethnic group is not known yet on 31 March of its year.

    As many looked-after children of each authority as the profile's targets say: of those who first became known in the
    year, as the only child of their household and of the largest group, the ones who did so last.
    """
    child, year = history.children, history.year
    found = np.zeros(len(child["name"]), bool)
    wanted, cells = behaviour.targets("ethnicity", year, history.homes), behaviour.profile.cells_of("ethnicity", year)
    if wanted is None or NOT_OBTAINED not in cells:
        return found
    first, last = day_of_year_start(year), last_day(year)
    new = (child["plan_number"] == 0) & (child["plan_start"] >= first) & (child["ethnic"] == 0)
    here = (child["care_start"] <= last) & (child["care_end"] > last) & ~child["unaccompanied"]
    rows = (new & here).nonzero()[0]
    rows = rows[np.bincount(child["household"])[child["household"][rows]] == 1]
    place, count = child["place"][rows].astype(np.int64), wanted[:, cells.index(NOT_OBTAINED)]
    found[rows[foremost(place, count, -child["plan_start"][rows], child["name"][rows])]] = True
    return found


def homes(streams: Streams, history: History, children: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return the home postcode of some children (rows of the history): none for unaccompanied ones."""
    child = history.children
    order = history.homes.order[child["place"][children]]
    found = home_postcodes(streams, order, child["family"][children])
    return np.where(child["unaccompanied"][children], "", found)


def subjects(
    history: History,
    children: NDArray[np.int64],
    roster: Roster,
    status: NDArray[np.int64],
    on_register: NDArray[np.bool_],
    remanded: NDArray[np.bool_],
    counted: NDArray[np.bool_],
) -> Subjects:
    """Return the same children as subjects of the traits."""
    child = history.children
    return Subjects(
        home=roster.home,
        name=child["name"][children],
        family=child["family"][children],
        birth=roster.birth,
        sex=roster.sex,
        ethnic=child["ethnic"][children],
        need=child["need"][children],
        unaccompanied=child["unaccompanied"][children],
        status=status,
        on_register=on_register,
        remanded=remanded,
        counted=counted,
    )
