"""All years of a run as one frame a form: rows as returned, typed, with the year and the small areas of postcodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.dates import year_code
from synth.extract.layout import tables
from synth.frames import text_frame
from synth.tables import child_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.files import Generated

__all__ = ["AREA", "BORN", "gathered", "week"]

AREA = "area:"
"""Before the name of a postcode's item: its small area."""
BORN = {"child": "DOB", "crcs": "DATE_OF_BIRTH"}
"""The item that holds the birth date."""


def gathered(years: Sequence[Generated]) -> dict[str, pl.DataFrame]:
    """Return the forms of all years, each year's rows under those of the year before.

    Beside the items that the extract needs stand `year` (of 31 March), `la` and `id` as text, `key`, which is `id`,
    and for each postcode its 2011 small area, null outside Wales. An item not collected in a year is null there.
    """
    found: dict[str, list[pl.DataFrame]] = {}
    for made in years:
        areas = text_frame(made.forms["postcodes"])
        for form in {table.form for table in tables()}:
            found.setdefault(form, []).append(_year(form, made.year, text_frame(made.forms[form]), areas))
    return {form: pl.concat(frames, how="diagonal") for form, frames in found.items()}


def _year(form: str, year: int, text: pl.DataFrame, areas: pl.DataFrame) -> pl.DataFrame:
    postcodes = {c.item for table in tables() if table.form == form for c in table.columns if c.holds == "area"}
    frame = text.select(
        pl.lit(year).alias("year"),
        pl.lit(int(year_code(year))).alias("code"),
        pl.col("LOCAL_AUTHORITY_CODE").alias("la"),
        pl.col(child_column(form)).alias("id"),
        pl.col(child_column(form)).alias("key"),
        *_typed(form, text),
    )
    for item in sorted(postcodes):
        there = areas.rename({"POSTCODE": item, "LSOA2011_CD": AREA + item})
        frame = frame.with_columns(text[item]).join(there, on=item, how="left", maintain_order="left").drop(item)
    return frame


def _typed(form: str, text: pl.DataFrame) -> list[pl.Expr]:
    """Return the items of a form that some table holds, each in the type it has there, and what links them."""
    types = {c.item: c.dtype for table in tables() if table.form == form for c in table.columns if c.holds == "item"}
    types |= {BORN[form]: pl.Date, "UPN": pl.String} if form in BORN else {}
    columns = []
    for item, dtype in types.items():
        if item not in text.columns:
            columns.append(pl.lit(None, dtype=dtype).alias(item))
        elif dtype == pl.Date:
            columns.append(pl.col(item).str.to_date("%d/%m/%Y"))
        else:
            columns.append(pl.col(item).cast(dtype))
    return columns


def week(column: str) -> pl.Expr:
    """Return the Monday of the week of a day."""
    return pl.col(column) - pl.duration(days=pl.col(column).dt.weekday() - 1)
