"""From wrong rows to findings: where they stand, what was found there, in words that can be acted upon."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import age_on
from synth.tables import LA, child_column

if TYPE_CHECKING:
    from synth.guidance import Guidance
    from synth.rules.registry import Rule
    from synth.tables import FormTable, Tables

__all__ = ["FINDING_COLUMNS", "about_authorities", "about_rows", "severity_of"]

FINDING_COLUMNS = {
    "file": pl.String,
    "line": pl.Int64,
    "child": pl.String,
    "rule": pl.String,
    "severity": pl.String,
    "fields": pl.String,
    "value": pl.String,
    "words": pl.String,
    "reference": pl.String,
    "basis": pl.String,
}
"""Columns of the findings, one row for each wrong row of a file and rule.

`child` is authority/identifier. What is said of a whole authority has no line, and the authority's code as the child.
"""

_UNCERTAIN = ("england", "assumed")
_BIRTH = {"child": "DOB", "crcs": "DATE_OF_BIRTH"}
_ENDING = ("EPISODE_END_DATE", "REASON_EPISODE_FINISHED_CODE")
_LONGEST_LABEL = 60
_EXCEL_DAY_0 = dt.date(1899, 12, 30)
"""The day before which spreadsheets count days, for dates after February 1900."""


def severity_of(severity: str, basis: str, *, strict: bool) -> str:
    """Return error, warning or query: what Welsh guidance does not confirm is a query unless `strict`."""
    return "query" if basis in _UNCERTAIN and not strict else severity


def about_rows(rule: Rule, tables: Tables, g: Guidance, numbers: pl.Series, severity: str) -> pl.DataFrame:
    """Return a finding for each row number of the rule's form, in that order."""
    table = tables[rule.form]
    rows = table.text[numbers]
    child = pl.concat_str(pl.col(LA).fill_null("?"), pl.lit("/"), pl.col(child_column(rule.form)).fill_null("?"))
    file = pl.lit(table.file) if table.files is None else table.files[numbers].alias("file")
    return rows.select(
        file=file,
        line=table.lines[numbers].cast(pl.Int64),
        child=child,
        value=_values(rule, tables, g, numbers),
        **_said(rule, severity),
    ).select(*FINDING_COLUMNS)


def about_authorities(rule: Rule, tables: Tables, found: pl.DataFrame, severity: str) -> pl.DataFrame:
    """Return a finding without line for each authority a whole-file rule queries (`la`, `value`), by code."""
    return (
        found.sort("la")
        .select(
            file=pl.lit(tables[rule.form].file),
            line=pl.lit(None, dtype=pl.Int64),
            child=pl.col("la"),
            value="value",
            **_said(rule, severity),
        )
        .select(*FINDING_COLUMNS)
    )


def _said(rule: Rule, severity: str) -> dict[str, pl.Expr]:
    return {
        "rule": pl.lit(rule.id),
        "severity": pl.lit(severity),
        "fields": pl.lit(", ".join(rule.fields)),
        "words": pl.lit(rule.words),
        "reference": pl.lit(rule.reference),
        "basis": pl.lit(rule.basis),
    }


def _values(rule: Rule, tables: Tables, g: Guidance, numbers: pl.Series) -> pl.Series:
    """Write what each row holds in the rule's fields: a single value bare, several with names, then the age."""
    table = tables[rule.form]
    named = [name for name in rule.fields if name in table.text.columns]
    if not named:
        # The rule speaks of another form's items: the dates of this one tell the reader which row it is.
        named = [name for name, kind in table.kinds.items() if kind == "date"][:2]
    shown = {name: _cell(table, name, g, numbers) for name in named}
    births = [name for name in rule.fields if name in _BIRTH.values()]
    parts: list[pl.Series | str] = []
    for name, cells in shown.items():
        parts += [", " if parts else "", f"{name}=" if len(rule.fields) > 1 or name not in rule.fields else "", cells]
    if births and rule.form != "crcs" and "child" in tables:
        parts += [_aged(rule, tables, numbers)]
    elif births and len(rule.fields) > 1:
        on = g.last_day
        age = table.typed[numbers].select(age_on(births[0], on)).to_series()
        parts += [_text(age, " (aged ", f" on {on:%d/%m/%Y})")]
    if rule.shows is not None:
        beside = rule.shows(tables, g)[numbers]
        parts += [_written(beside[name]) for name in beside.columns]
    if not parts:
        return pl.Series("value", [""] * len(numbers), dtype=pl.String)
    exprs = [pl.lit(part) if isinstance(part, str) else part for part in parts]
    return pl.select(pl.concat_str(*exprs).alias("value")).to_series()


def _cell(table: FormTable, name: str, g: Guidance, numbers: pl.Series) -> pl.Series:
    """Write the cells of an item as they stand in the file; codes with what they mean."""
    cells = table.text[name][numbers]
    item = next((i for i in g.items(table.form) if i.name == name), None) if table.form in g.forms else None
    if item is not None and item.type == "code" and item.code_set:
        labels = {c.code: f"{c.code} ({_shortened(c.label)})" for c in g.codes(item.code_set) if c.label}
        hints = {cell: _not_listed(cell, table.codes[name]) for cell in cells.drop_nulls().unique().to_list()}
        cells = cells.cast(pl.String).replace({**hints, **labels})
    elif name in table.kinds:
        unread = cells.filter(table.typed[name][numbers].is_null()).drop_nulls().unique().to_list()
        cells = cells.replace({cell: _not_read(cell, table.kinds[name]) for cell in unread})
    return cells.fill_null("(blank)")


def _shortened(label: str) -> str:
    if len(label) <= _LONGEST_LABEL:
        return label
    return label[:_LONGEST_LABEL].rpartition(" ")[0] + " ..."


def _not_listed(cell: str, codes: frozenset[str]) -> str:
    """Show a code that is in no list so that spaces are seen, with the code it was likely meant to be."""
    tidy = " ".join(cell.split()).removesuffix(".0").upper()
    meant = next((code for code in sorted(codes) if code.upper() == tidy), "")
    return f"{_seen(cell)} (was {meant} meant?)" if meant else _seen(cell)


def _not_read(cell: str, kind: str) -> str:
    """Show a date or number that could not be read, with what a spreadsheet or another country may have made it of."""
    if kind != "date":
        return _seen(cell)
    if cell.isascii() and cell.isdigit() and len(cell) == len("45000"):
        return f"{cell} (a spreadsheet's number for {_EXCEL_DAY_0 + dt.timedelta(days=int(cell)):%d/%m/%Y}?)"
    with suppress(ValueError):
        return f"{cell} (the month first? It would be {dt.datetime.strptime(cell, '%m/%d/%Y'):%d/%m/%Y})"  # noqa: DTZ007
    return _seen(cell)


def _seen(cell: str) -> str:
    """Show a cell as it is, between quotes where it has spaces that would not be seen or signs that have no shape."""
    return cell if cell.isprintable() and cell == " ".join(cell.split()) else repr(cell)


def _written(column: pl.Series) -> pl.Series:
    """Write a column after its name as the files would, dates as dd/mm/yyyy; nothing where there is nothing."""
    text = column.dt.strftime("%d/%m/%Y") if column.dtype == pl.Date else column.cast(pl.String)
    return pl.select(pl.concat_str(pl.lit(f", {column.name} "), text).fill_null("")).to_series()


def _aged(rule: Rule, tables: Tables, numbers: pl.Series) -> pl.Series:
    """Write the age on the day the rule is about, and the birth date where it stands on another form.

    The day is that on which the episode ended, or on which it or what the rule names began; where the rule names no
    other day than the birth, or the episode is open, it is the last of the year.
    """
    typed = tables.typed(rule.form)
    births = _BIRTH.values()
    dates = [name for name, kind in tables[rule.form].kinds.items() if kind == "date" and name not in births]
    ends = any(name in rule.fields for name in _ENDING)
    named = [name for name in rule.fields if name in dates]
    # A form about the child has no day of its own.
    likely = named if rule.form == "child" else [*named, *dates]
    day = "EPISODE_END_DATE" if rule.form == "episode" and ends else next(iter(likely), "")
    last = pl.lit(tables.last_day)
    keys = typed[numbers].select(
        la=LA,
        id=child_column(rule.form),
        day=pl.col(day).fill_null(last) if day else last,
        named=pl.when(pl.col(day).is_not_null()).then(pl.lit(f", {day}")).otherwise(pl.lit("")) if day else pl.lit(""),
    )
    frame = keys.join(tables.births.select("la", "id", "dob"), on=["la", "id"], how="left", maintain_order="left")
    dob, on = pl.col("dob"), pl.col("day")
    birth = pl.lit("") if rule.form == "child" else pl.concat_str(pl.lit(", DOB="), dob.dt.strftime("%d/%m/%Y"))
    before = (on.dt.month() < dob.dt.month()) | ((on.dt.month() == dob.dt.month()) & (on.dt.day() < dob.dt.day()))
    age = on.dt.year() - dob.dt.year() - before.cast(pl.Int32)
    day_text = on.dt.strftime("%d/%m/%Y")
    told = pl.concat_str(birth, pl.lit(" (aged "), age.cast(pl.String), pl.lit(" on "), day_text, "named", pl.lit(")"))
    unknown = "" if rule.form == "child" else ", DOB not known"
    return frame.select(pl.when(on >= dob).then(told).otherwise(birth).fill_null(unknown)).to_series()


def _text(numbers: pl.Series, before: str, after: str) -> pl.Series:
    told = pl.concat_str(pl.lit(before), pl.lit(numbers.cast(pl.String)), pl.lit(after))
    return pl.select(told.fill_null("")).to_series()
