"""Tables and columns of the extract, and the shares behind it, from the tables beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

from synth.packaged import rows_in

__all__ = ["Column", "Table", "available_after", "linkage", "quirk_rates", "tables"]

_TYPES: dict[str, type[pl.DataType]] = {
    "bigint": pl.Int64,
    "integer": pl.Int64,
    "smallint": pl.Int64,
    "decimal": pl.Float64,
    "varchar": pl.String,
    "date": pl.Date,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` as SQL names its type; `holds` says what of an item or a child stands there.

    item: the item as returned; key: the local identifier, encrypted; pupil: the pupil number, encrypted; link, status,
    match: the linking field, how it was found and how surely; week: the Monday of the week of birth; area: the small
    area of a postcode; year: the year code; available: the day the year could be had.
    """

    name: str
    kind: str
    holds: str
    item: str
    basis: str

    @property
    def dtype(self) -> type[pl.DataType]:
        """The type of the column in a frame."""
        return _TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: rows of `form`, as returned each year or, where `person` is true, different ones of each child."""

    schema: str
    table: str
    form: str
    person: bool
    basis: str
    reference: str
    note: str
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """Schema and table, as SQL names it."""
        return f"{self.schema}.{self.table}"


@cache
def tables() -> tuple[Table, ...]:
    """Return the tables of the extract, in the order of their file."""
    columns: dict[tuple[str, str], list[Column]] = {}
    for row in rows_in("extract", "columns.csv"):
        column = Column(row["column"], row["type"], row["holds"], row["item"], row["basis"])
        columns.setdefault((row["schema"], row["table"]), []).append(column)
    return tuple(
        Table(
            row["schema"],
            row["table"],
            row["form"],
            row["row_per"] == "person",
            row["basis"],
            row["reference"],
            row["note"],
            tuple(columns[row["schema"], row["table"]]),
        )
        for row in rows_in("extract", "tables.csv")
    )


@cache
def linkage() -> dict[str, float]:
    """Return the shares of children with a linking field, and how it was found, by name."""
    return {row["name"]: float(row["value"]) for row in rows_in("extract", "linkage.csv")}


@cache
def quirk_rates() -> dict[str, float]:
    """Return how often each quirk is found, by name; the table says of what."""
    return {row["name"]: float(row["value"]) for row in rows_in("extract", "quirks.csv")}


def available_after() -> int:
    """Return the days from 31 March to the day on which a year's tables can be had."""
    return int(linkage()["available_after"])
