"""Who is who on 31 March: the identifiers and fixed facts that both returns carry for a child, made in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import Days, calendar_year, last_day
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.lives.homes import order_of
from synth.lives.people import ETHNICITIES, home_of, is_taken_over
from synth.returns.addresses import home_postcodes
from synth.returns.identifiers import brought_along, first_school_day, local_ids, pupil_numbers
from synth.returns.traits import Subjects

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def call(streams: Streams, history: History, children: NDArray[np.int64]) -> Roster:
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
    numbers = pupil_numbers(np.array([a.education_number for a in everyone])[issuer], serial_there, issued)
    return Roster(
        home=home,
        order=order,
        code=np.array([a.code for a in everyone])[order],
        local_id=local_ids(streams, home, serial),
        upn=np.where(has_upn, numbers, ""),
        birth=birth,
        sex=child["sex"][children],
        ethnicity=np.array(ETHNICITIES)[child["ethnic"][children]],
        home_postcode=homes(streams, history, children),
    )


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
