"""Postcode districts, small areas and neighbours of each authority, read once from the tables beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from synth.geography.authorities import all_authorities
from synth.packaged import rows_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Areas", "areas", "district_authority", "neighbour_table"]


@dataclass(frozen=True, slots=True)
class Areas:
    """What lies in and around each authority; every tuple follows the official order of authorities.

    `districts` are postcode districts whose main authority it is, `small_areas` its 2011 LSOA codes, `neighbours` the
    orders of adjoining authorities, `english` the districts across the border its children are placed in.
    """

    districts: tuple[tuple[str, ...], ...]
    small_areas: tuple[tuple[str, ...], ...]
    neighbours: tuple[tuple[int, ...], ...]
    english: tuple[tuple[str, ...], ...]


@cache
def areas() -> Areas:
    """Return the geography of all 22 authorities."""
    order = {authority.ons_code: authority.order for authority in all_authorities()}
    neighbours = _grouped("neighbours.csv", "neighbour_ons")
    across = rows_in("geography", "english_districts.csv")
    english = {row["authority_ons"]: tuple(row["districts"].split()) for row in across}
    return Areas(
        districts=tuple(_grouped("postcode_districts.csv", "district")[code] for code in order),
        small_areas=tuple(_grouped("lsoa2011_wales.csv", "lsoa11cd")[code] for code in order),
        neighbours=tuple(tuple(order[other] for other in neighbours[code]) for code in order),
        english=tuple(english[code] for code in order),
    )


@cache
def neighbour_table() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the neighbours of each authority in a row of their own, padded with 0, and how many each has."""
    neighbours = areas().neighbours
    count = np.array([len(near) for near in neighbours])
    table = np.zeros((len(neighbours), count.max()), np.int64)
    for row, near in enumerate(neighbours):
        table[row, : len(near)] = near
    return table, count


@cache
def district_authority() -> dict[str, str]:
    """Return the three-digit code of the main authority of each Welsh postcode district."""
    code = {authority.ons_code: authority.code for authority in all_authorities()}
    return {row["district"]: code[row["authority_ons"]] for row in rows_in("geography", "postcode_districts.csv")}


@cache
def _grouped(file: str, column: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in rows_in("geography", file):
        found.setdefault(row["authority_ons"], []).append(row[column])
    return {authority: tuple(sorted(values)) for authority, values in found.items()}
