"""Frames of all years made into the tables of the extract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.extract.gathered import AREA, week
from synth.extract.layout import available_after, tables
from synth.extract.pseudonyms import hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth.extract.layout import Column, Table
    from synth.lives.streams import Streams

__all__ = ["built", "identities"]

_KEPT = {"pupil": "pupil", "link": "link", "status": "status", "match": "match", "year": "code"}
"""What a column holds -> the column of the frames that holds it."""


def built(frames: Mapping[str, pl.DataFrame], streams: Streams) -> dict[Table, pl.DataFrame]:
    """Return each table with its columns in order, rows by year, authority and identifier as they were returned."""
    found = {}
    for table in tables():
        frame = frames[table.form].with_columns(key=hidden(streams, "identifier", frames[table.form]["key"]))
        rows = frame.select(_held(column).cast(column.dtype).alias(column.name) for column in table.columns)
        found[table] = rows.unique(maintain_order=True) if table.person else rows
    return found


def identities(frames: Mapping[str, pl.DataFrame], streams: Streams) -> pl.DataFrame:
    """Return who is behind the hidden identifiers: key, authority, local identifier, and the first year it stands for.

    Rows are in order of authority, identifier and year. No such table exists of the real copy.
    """
    rows = pl.concat([frame.select("la", "id", "key", "year") for frame in frames.values()])
    rows = rows.group_by("la", "id", "key").agg(pl.col("year").min()).sort("la", "id", "year")
    return rows.select(
        SYSTEM_ID_E=hidden(streams, "identifier", rows["key"]),
        LOCAL_AUTHORITY_CODE=pl.col("la").cast(pl.Int64),
        SYSTEM_ID=pl.col("id"),
        FIRST_YEAR=pl.col("year"),
    )


def _held(column: Column) -> pl.Expr:
    if column.holds == "item":
        return pl.col("la") if column.item == "LOCAL_AUTHORITY_CODE" else pl.col(column.item)
    if column.holds == "area":
        return pl.col(AREA + column.item)
    if column.holds == "week":
        return week(column.item)
    if column.holds == "available":
        return pl.date("year", 3, 31) + pl.duration(days=available_after())
    return pl.col(_KEPT.get(column.holds, "key"))
