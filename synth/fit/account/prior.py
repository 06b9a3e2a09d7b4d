"""What is taken for granted before the published cells speak: how many come into care at an age, and how many leave.

Shapes stand in `account_prior.csv`, children in `population.csv`. All arrays run over age on 31 March at the end of
the year (0 to 18), authority (22), sex (boys, girls) and year (0 is the year ending 31 March 2003).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import ProfileError
from synth.fit.account.cells import FIRST, LAST, SEXES, YEARS
from synth.geography.authorities import all_authorities
from synth.published import number, read_csv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.published import Tables

__all__ = ["Prior", "prior_of"]

AGES = 19
_COLUMNS = (
    "name", "sex", "first_age", "last_age", "first_year", "last_year", "value", "unit", "basis", "source", "note",
)  # fmt: skip
_NAMES = (
    "start_rate", "leave_share", "leave_same_year", "opening_stock", "unaccompanied_starts", "unaccompanied_age",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prior:
    """Expected flows before fitting.

    `opening` (18, 22, 2): children on the first 31 March, up to a factor. `starts` and `unaccompanied`
    (19, 22, 2, 22): children starting in the year, the latter on top. `leave` and `leave_same_year` (19, 22, 2, 22):
    share leaving in the year of those looked after at its opening, and of those who start in it.
    """

    opening: NDArray[np.float64]
    starts: NDArray[np.float64]
    unaccompanied: NDArray[np.float64]
    leave: NDArray[np.float64]
    leave_same_year: NDArray[np.float64]


def prior_of(tables: Tables) -> Prior:
    """Read the assumed shapes and spread them over authorities by population.

    Raises ProfileError naming the line of `account_prior.csv` that is wrong, or the age and year it leaves out.
    """
    shapes = _shapes(tables)
    children = _children(tables)
    starts = shapes["start_rate"][:, None] / 10_000 * children
    share = children.sum(axis=2).sum(axis=0)
    share = share / share.sum(axis=0)
    # By year the number stands at every age, so age 0 carries it; the ages share it out.
    wales = shapes["unaccompanied_starts"][0][None] * shapes["unaccompanied_age"]
    every = np.ones((1, len(all_authorities()), 1, 1))
    return Prior(
        opening=shapes["opening_stock"][:18, None, :, 0] * children[:18, :, :, 0],
        starts=starts,
        unaccompanied=wales[:, None] * share[None, :, None],
        leave=shapes["leave_share"][:, None] * every,
        leave_same_year=shapes["leave_same_year"][:, None] * every,
    )


def _shapes(tables: Tables) -> dict[str, NDArray[np.float64]]:
    """Return each named shape by age (19), sex (2) and year (22); zero where the file says nothing."""
    path = tables.folder / "account_prior.csv"
    shapes = {name: np.zeros((AGES, len(SEXES), YEARS)) for name in _NAMES}
    for line, cells in read_csv(path, _COLUMNS):
        name = cells["name"]
        if name not in _NAMES:
            raise ProfileError(f"{path} line {line}, column name: {name!r}; expected one of {', '.join(_NAMES)}.")
        if cells["sex"] not in (*SEXES, "all"):
            raise ProfileError(f"{path} line {line}, column sex: {cells['sex']!r}; expected boys, girls or all.")
        first, last, since, until = (
            int(number(path, line, column, cells[column]))
            for column in ("first_age", "last_age", "first_year", "last_year")
        )
        if not (0 <= first <= last < AGES and FIRST <= since <= until <= LAST):
            raise ProfileError(
                f"{path} line {line}: ages {first} to {last}, years {since} to {until}; expected ages from 0 to "
                f"{AGES - 1} and years from {FIRST} to {LAST}, first before last.",
            )
        sexes = range(2) if cells["sex"] == "all" else (SEXES.index(cells["sex"]),)
        for sex in sexes:
            shapes[name][first : last + 1, sex, since - FIRST : until - FIRST + 1] = number(
                path, line, "value", cells["value"]
            )
    for name, ages, years in (
        ("start_rate", range(AGES), range(1, YEARS)),
        ("leave_share", range(1, AGES), range(1, YEARS)),
        ("leave_same_year", range(AGES), range(1, YEARS)),
        ("opening_stock", range(AGES - 1), range(1)),
    ):
        for age in ages:
            for year in years:
                if not shapes[name][age, :, year].all():
                    raise ProfileError(f"{path}: no {name} for age {age} in {year + FIRST}. Add a line.")
    return shapes


def _children(tables: Tables) -> NDArray[np.float64]:
    """Return children by age (19), authority, sex and year: those of the nearest mid-year estimate before 31 March.

    Before the first estimate a cohort keeps its later size; ages it does not reach take the oldest cohort known.
    Sexes of a mid-year known only together are divided as the nearest one known apart. Age 18 takes age 17.
    """
    both = {year: _mid_year(tables, year, "All") for year in _mid_years(tables, "All")}
    male = {year: _mid_year(tables, year, "Male") for year in _mid_years(tables, "Male")}
    found = np.zeros((AGES, len(all_authorities()), len(SEXES), YEARS))
    first = min(both)
    for place in range(YEARS):
        mid_year = place + FIRST - 1
        near = min(both, key=lambda year: (abs(year - mid_year), year))
        apart = min(male, key=lambda year: (abs(year - near), year))
        boys = both[near] * male[apart] / both[apart]
        later = max(0, first - mid_year)
        ages = np.minimum(np.arange(AGES) + later, 17)
        found[:, :, 0, place] = boys[ages]
        found[:, :, 1, place] = (both[near] - boys)[ages]
    return found


def _mid_years(tables: Tables, sex: str) -> list[int]:
    return sorted({row.year for row in tables.rows if row.table == "pop_mye_sya" and row.dim2 == sex and row.year})


def _mid_year(tables: Tables, year: int, sex: str) -> NDArray[np.float64]:
    places = {a.ons_code: a.order for a in all_authorities()}
    found = np.zeros((18, len(places)))
    for row in tables.find("pop_mye_sya", "population", year, dim2=sex):
        if row.geography in places and row.dim1.isdecimal():
            found[int(row.dim1), places[row.geography]] = row.value or 0.0
    return found
