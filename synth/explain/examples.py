"""The worked example of a rule: rows of a good return, and the same rows after the rule's own breaker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from synth.guidance import load
from synth.rules.registry import return_of
from synth.tables import LA, child_column
from synth.validate.findings import about_authorities, about_rows
from synth.worked import good_tables

if TYPE_CHECKING:
    from synth.rules.registry import Rule
    from synth.tables import Tables

__all__ = ["Example", "example"]

_COPIES = 40
"""How often the good children stand in a file for rules about whole ones."""
_SHOWN = 6
"""Rows of a child shown at most."""


@dataclass(frozen=True, slots=True)
class Example:
    """One child's rows that pass and fail: `columns` are shown, `form` tells where, `said` is the finding's value.

    For a rule about a whole file the rows are those of one child among many that were changed alike.
    """

    form: str
    columns: tuple[str, ...]
    passes: tuple[tuple[str, ...], ...]
    fails: tuple[tuple[str, ...], ...]
    said: str


def example(rule: Rule, year: int) -> Example | None:
    """Make the example of a rule in a year; None where the worked children give nothing to break."""
    if rule.break_rows is None:
        return None
    base = _good(year, 1 if rule.per == "row" else _COPIES)
    if any(form not in base for form in (rule.form, *rule.needs)):
        return None
    g = load(return_of(rule.id), year)
    rows = np.arange(base[rule.form].height)
    broken = base.changed(rule.break_rows(base, g, rows, np.random.default_rng(1)))
    wrong = rule.check(broken, g)
    if rule.per == "row":
        numbers = wrong.fill_null(value=False).arg_true()  # type: ignore[union-attr]
        if not len(numbers):
            return None
        row = broken.text(rule.form).row(int(numbers[0]), named=True)
        key = (row[LA], row[child_column(rule.form)])
        said = about_rows(rule, broken, g, numbers[:1], rule.severity)["value"][0]
    else:
        said = about_authorities(rule, broken, wrong, rule.severity)["value"][0]  # type: ignore[arg-type]
        key = None
    form, before, after = _changed(base, broken, rule.form, key)
    columns = _columns(rule, form, before, after)
    return Example(form, columns, _cells(before, columns), _cells(after, columns), said)


_good = cache(good_tables)


def _changed(
    base: Tables, broken: Tables, form: str, key: tuple[str | None, str | None] | None
) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """Return the form on which a child's rows differ, its own form first, and the rows before and after."""
    forms = [form, *(other for other in base.forms if other != form)]
    for each in forms:
        old, new = base.text(each), broken.text(each)
        if old.equals(new):
            continue
        of = key or _first_changed(old, new, each)
        before, after = _rows(old, each, of), _rows(new, each, of)
        if not before.equals(after):
            return each, before.head(_SHOWN), after.head(_SHOWN)
    # The child found is another than the one changed, as where a number is given twice.
    each = next(f for f in forms if not base.text(f).equals(broken.text(f)))
    of = _first_changed(base.text(each), broken.text(each), each)
    return each, _rows(base.text(each), each, of).head(_SHOWN), _rows(broken.text(each), each, of).head(_SHOWN)


def _first_changed(old: pl.DataFrame, new: pl.DataFrame, form: str) -> tuple[str | None, str | None]:
    known = set(old.rows())
    left = set(new.rows())
    rows = [row for row in new.rows() if row not in known] or [row for row in old.rows() if row not in left]
    row = rows[0] if rows else new.row(new.height - 1)
    return row[new.columns.index(LA)], row[new.columns.index(child_column(form))]


def _rows(frame: pl.DataFrame, form: str, key: tuple[str | None, str | None]) -> pl.DataFrame:
    return frame.filter(frame[LA].eq_missing(key[0]) & frame[child_column(form)].eq_missing(key[1]))


def _columns(rule: Rule, form: str, before: pl.DataFrame, after: pl.DataFrame) -> tuple[str, ...]:
    """Return the identifier, the rule's fields, and what the breaker changed, in the order of the form."""
    wanted = {child_column(form), *rule.fields}
    if before.height == after.height:
        wanted |= {name for name in before.columns if not before[name].equals(after[name], null_equal=True)}
    if form == "episode":
        wanted |= {"EPISODE_START_DATE", "EPISODE_END_DATE"}
    return tuple(name for name in after.columns if name in wanted or name not in before.columns)


def _cells(frame: pl.DataFrame, columns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    there = [pl.col(name) if name in frame.columns else pl.lit("(no column)").alias(name) for name in columns]
    return tuple(tuple(cell or "" for cell in row) for row in frame.select(there).rows())
