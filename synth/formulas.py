"""Text that a spreadsheet would take for a formula, made harmless where a form is written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.spreadsheets import FORMULA

if TYPE_CHECKING:
    from synth.tables import FormTable

__all__ = ["without_formulas"]


def without_formulas(table: FormTable) -> tuple[pl.DataFrame, dict[str, list[int]]]:
    """Return the text of a form, cells that begin like a formula led by an apostrophe, and their rows by column.

    A number below nought, in a column of numbers, is none.
    """
    text = table.text.drop(table.missing).cast(pl.String)
    found: dict[str, list[int]] = {}
    for name in text.columns:
        formula = text[name].str.contains(FORMULA)
        if name in table.kinds:
            formula &= table.typed[name].is_null()
        if formula.any():
            found[name] = formula.arg_true().to_list()
            text = text.with_columns(pl.when(formula).then("'" + pl.col(name)).otherwise(name).alias(name))
    return text, found
