"""From wrong rows to findings: where they stand, what was found there, in words that can be acted upon."""

from __future__ import annotations

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
    if not parts:
        return pl.Series("value", [""] * len(numbers), dtype=pl.String)
    exprs = [pl.lit(part) if isinstance(part, str) else part for part in parts]
    return pl.select(pl.concat_str(*exprs).alias("value")).to_series()


def _cell(table: FormTable, name: str, g: Guidance, numbers: pl.Series) -> pl.Series:
    """Write the cells of an item as they stand in the file; codes with what they mean."""
    cells = table.text[name][numbers]
    item = next((i for i in g.items(table.form) if i.name == name), None) if table.form in g.forms else None
    if item is not None and item.type == "code" and item.code_set:
        labels = {c.code: f"{c.code} ({c.label[:_LONGEST_LABEL]})" for c in g.codes(item.code_set) if c.label}
        cells = cells.replace(labels)
    return cells.fill_null("(blank)")


def _aged(rule: Rule, tables: Tables, numbers: pl.Series) -> pl.Series:
    """Write birth date and age on the day the rule is about: when the episode ended, or when it or the rest began."""
    typed = tables.typed(rule.form)
    dates = [name for name, kind in tables[rule.form].kinds.items() if kind == "date"]
    ends = any(name in rule.fields for name in _ENDING)
    named = [name for name in rule.fields if name in dates]
    day = "EPISODE_END_DATE" if rule.form == "episode" and ends else next(iter([*named, *dates]), "")
    if not day:
        return pl.Series([""] * len(numbers), dtype=pl.String)
    keys = typed[numbers].select(la=LA, id=child_column(rule.form), day=day)
    frame = keys.join(tables.births.select("la", "id", "dob"), on=["la", "id"], how="left", maintain_order="left")
    dob, on = pl.col("dob"), pl.col("day")
    before = (on.dt.month() < dob.dt.month()) | ((on.dt.month() == dob.dt.month()) & (on.dt.day() < dob.dt.day()))
    age = on.dt.year() - dob.dt.year() - before.cast(pl.Int32)
    day_text = on.dt.strftime("%d/%m/%Y")
    told = pl.concat_str(
        pl.lit(", DOB="), dob.dt.strftime("%d/%m/%Y"), pl.lit(" (aged "), age.cast(pl.String), pl.lit(" on "),
        day_text, pl.lit(f", {day})"),
    )  # fmt: skip
    return frame.select(told.fill_null(", DOB or date not known")).to_series()


def _text(numbers: pl.Series, before: str, after: str) -> pl.Series:
    told = pl.concat_str(pl.lit(before), pl.lit(numbers.cast(pl.String)), pl.lit(after))
    return pl.select(told.fill_null("")).to_series()
