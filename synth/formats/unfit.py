"""Cells a typed format cannot hold: the first of them, told with its file, line, column and value."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.errors import InputError
from synth.frames import typed_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth.formats.content import Content
    from synth.tables import FormTable

__all__ = ["Bounds", "check_fits", "fitting", "place_of"]

_WANTED = {"date": "a date such as 31/03/2023", "integer": "a whole number"}
_SHOWN = 100
"""Characters of a cell that are told in a message."""
_KEEP_TEXT, _KEEP_CODES = "csv or xlsx", "csv, xlsx, parquet or spss"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a format can hold: days from `earliest` on, whole numbers up to `largest` either way, both inclusive.

    With `listed` a code must be one of its list, as the column holds a number or a reference in its place.
    """

    earliest: dt.date = dt.date.min
    largest: int = 2**63 - 1
    listed: bool = False


def fitting(table: FormTable, bounds: Bounds) -> pl.DataFrame:
    """Return the items of a form that have a column, typed as `typed_frame` does.

    Null where blank, and for dates and whole numbers that cannot be read or are beyond the bounds.
    """
    day, number = pl.col(pl.Date), pl.col(pl.Int64)
    frame = typed_frame(table).drop(table.missing)
    return frame.with_columns(
        pl.when(day >= bounds.earliest).then(day).name.keep(),
        pl.when(number.is_between(-bounds.largest, bounds.largest)).then(number).name.keep(),
    )


def check_fits(content: Content, what: str, bounds: Bounds) -> Mapping[str, pl.DataFrame]:
    """Return every form typed, where nothing of it is lost.

    Raises InputError, naming file, line, column and value of the first cell that cannot be held; `what` names the
    format.
    """
    return {form: _whole(content, form, what, bounds) for form in content.forms}


def _whole(content: Content, form: str, what: str, bounds: Bounds) -> pl.DataFrame:
    table = content.forms[form]
    frame = fitting(table, bounds)
    # Codes out of their list are text in the frame and null in what was typed.
    held = {name: frame[name] for name in frame.columns if name in table.kinds}
    if bounds.listed:
        held |= {name: table.typed[name] for name in frame.columns if name in table.codes}
    lost = [
        (int(rows[0]), frame.columns.index(name), name)
        for name, column in held.items()
        if len(rows := (table.text[name].is_not_null() & column.is_null()).arg_true())
    ]
    if lost:
        row, _, name = min(lost)
        wanted = _WANTED.get(table.kinds.get(name, ""))
        others = _KEEP_TEXT if wanted else _KEEP_CODES
        wanted = wanted or f"a code of {content.guide(form).item(form, name).code_set}"
        raise InputError(
            f"{place_of(table, row, name)}, where {what} holds {wanted}; it is the first such cell. Correct it, or "
            f"write {others}, where it stays the text it was."
        )
    return frame


def place_of(table: FormTable, row: int, name: str) -> str:
    """Say where a cell stands and what it holds: file, line, column and value. `row` counts from 0."""
    file = table.file if table.files is None else table.files[row]
    cell = table.text[name][row]
    shown = "blank" if cell is None else repr(cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}...")
    return f"{file}, line {table.lines[row]}, column {name}: {shown}"
