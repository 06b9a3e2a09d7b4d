"""Parquet files: typed or text columns turned into the text a form would hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.errors import InputError
from synth.reading.apart import DamagedError, columns_of, shape_of
from synth.reading.headings import place, recognise
from synth.reading.kinds import UnreadableError
from synth.reading.part import Grid, Part, part_of

if TYPE_CHECKING:
    from pathlib import Path

    from synth.reading.headings import Wanted

__all__ = ["read_parquet"]

MAX_ROWS = 2_000_000
"""Rows read at most: a small file can declare any number of equal rows."""


def read_parquet(path: Path, shown: str, wanted: Wanted) -> Part:
    """Read one Parquet file as the form its columns fit; the first row counts as line 1.

    Dates become dd/mm/yyyy, whole numbers lose their decimals, true and false become 1 and 0; nulls and blank
    text are null. Raises UnreadableError or NoFormError (InputErrors) where it cannot be a form, InputError for
    columns of lists or the like and for more than two million rows.
    """
    try:
        schema, height = shape_of(path)
    except DamagedError as problem:
        raise UnreadableError(_damaged(shown, problem)) from problem
    headings = list(schema)
    shape = recognise(headings, wanted, shown)
    placed = place(headings, shape, shown, 0)
    if height > MAX_ROWS:
        raise InputError(f"{shown}: has {height:,} rows; at most {MAX_ROWS:,} are read. Give one file an authority.")
    texts = [_text(headings[number], schema[headings[number]], shown) for number in placed.columns.values()]
    nothing = [pl.lit(None, dtype=pl.String).alias(headings[number]) for number, _ in placed.others]
    try:
        frame = columns_of(path, [headings[number] for number in placed.columns.values()]).select(texts)
    except (DamagedError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as problem:
        raise InputError(_damaged(shown, problem)) from problem
    frame = frame.with_columns(nothing).select(headings)
    frame.columns = [str(number) for number in range(len(headings))]
    lines = pl.int_range(1, frame.height + 1, eager=True, dtype=pl.Int64).alias("line")
    if frame.height:
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
        filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        frame, lines = frame.filter(filled), lines.filter(filled)
    return part_of(Grid(frame, lines), placed, shape, shown)


def _text(name: str, kind: pl.DataType, shown: str) -> pl.Expr:
    column = pl.col(name)
    # Not a set: a type with parameters equals its class but has another hash.
    if kind.is_integer() or any(kind == other for other in (pl.String, pl.Categorical, pl.Enum, pl.Binary, pl.Null)):
        return column.cast(pl.String)
    if kind == pl.Boolean:
        return column.cast(pl.Int8).cast(pl.String)
    if kind.is_float() or kind.is_decimal():
        number = column.cast(pl.Float64)
        number = pl.when(number.is_finite()).then(number)
        whole = (number == number.floor()) & (number.abs() < 1e15)  # noqa: PLR2004  beyond it decimals are lost
        return (
            pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))
        )
    if kind == pl.Date:
        return column.dt.strftime("%d/%m/%Y")
    if kind == pl.Datetime:
        midnight = column.dt.time() == pl.time(0, 0, 0)
        return pl.when(midnight).then(column.dt.strftime("%d/%m/%Y")).otherwise(column.dt.strftime("%d/%m/%Y %H:%M:%S"))
    raise InputError(
        f"{shown}, column {name}: holds values of type {kind}; expected text, numbers or dates. Write it as text."
    )


def _damaged(shown: str, problem: BaseException) -> str:
    reason = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
    return f"{shown}: cannot be read as Parquet ({reason}); the file is damaged or cut short. Write it once more."
