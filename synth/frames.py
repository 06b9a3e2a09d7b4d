"""Forms as frames: as text, the way they are written, or typed, the way people work with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.files import csv_bytes

if TYPE_CHECKING:
    from synth.returns.columns import Form
    from synth.tables import FormTable

__all__ = ["text_frame", "typed_frame"]


def text_frame(form: Form) -> pl.DataFrame:
    """Return a generated form as it would be read from its file: String columns, dates as dd/mm/yyyy, blanks null."""
    return pl.read_csv(csv_bytes(form), infer_schema=False)


def typed_frame(table: FormTable) -> pl.DataFrame:
    """Return a form that was read: dates as Date, whole numbers as Int64, all else String, blanks null.

    Dates and numbers that cannot be read are null too; a code stays as it was written, also one outside its list.
    """
    return table.text.cast(pl.String).with_columns(table.typed.select(*table.kinds))
