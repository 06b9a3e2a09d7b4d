"""Check forms against the rules of their year: each rule passes, finds rows, is not applicable or crashes."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from synth.collection_year import year_code
from synth.guidance import RETURNS
from synth.log import doing
from synth.reading import beside_last_year, read_any
from synth.rules.rulebook import rules_for
from synth.tables import LAST, Tables
from synth.validate.findings import FINDING_COLUMNS, about_authorities, about_rows, severity_of
from synth.validate.report import Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synth.guidance import Guidance
    from synth.rules.registry import NotHere, Rule
    from synth.validate.report import Status

__all__ = ["check_rule", "validate", "validate_tables"]


def validate(
    paths: Sequence[Path],
    *,
    year: int | None = None,
    return_: str | None = None,
    form: str | None = None,
    last_year: Sequence[Path] = (),
    strict: bool = False,
) -> Report:
    """Check files made anywhere: folders or files, CSV, workbook or Parquet, of one collection year.

    Return, form and year are found from headings and content unless named. `last_year` are files of the year before,
    for the rules that compare. Unless `strict`, what Welsh guidance does not confirm is a query. Raises InputError
    for paths that cannot be read or hold no form.
    """
    found = read_any(paths, year=year, return_=return_, form=form)
    tables, notes = beside_last_year(found, last_year)
    report = validate_tables(tables, found.year, strict=strict)
    return replace(report, notes=(*found.notes, *notes, *report.notes))


def validate_tables(tables: Tables, year: int, *, strict: bool = True) -> Report:
    """Check tables already read; both returns of `year` are looked at as far as their forms are there."""
    outcomes: list[Outcome] = []
    findings: list[pl.DataFrame] = []
    for return_ in RETURNS:
        g = tables.guidance(return_)
        if not any(form in tables for form in g.forms):
            continue
        rules, absent = rules_for(g)
        for outcome, rows in _each(rules, tables, g, strict=strict):
            outcomes.append(outcome)
            if rows is not None:
                findings.append(rows)
        outcomes += [_unchecked(rule) for rule in absent]
    frame = pl.concat(findings) if findings else pl.DataFrame(schema=FINDING_COLUMNS)
    files = tuple((table.file, table.height) for table in tables.forms.values())
    doing("%d rules of %d asked, %d findings", len(outcomes), year, frame.height)
    return Report(year, files, tuple(outcomes), frame, _notes(tables))


def _each(
    rules: Sequence[Rule], tables: Tables, g: Guidance, *, strict: bool
) -> Iterator[tuple[Outcome, pl.DataFrame | None]]:
    """Run rules in their order, side by side, since most of a rule's time is spent in one core.

    Conditions over one frame of a form are all asked in one go first; a rule is run by itself where its own may hold.
    """
    silent = _silent(rules, tables)

    def one(rule: Rule) -> tuple[Outcome, pl.DataFrame | None]:
        if (rule.id, rule.form) in silent:
            severity = severity_of(rule.severity, rule.basis, strict=strict)
            return Outcome(rule.id, "passed", 0, severity, rule.words, "", rule.form), None
        return check_rule(rule, tables, g, strict=strict)

    # Views that many rules share are made before, not by two of them at once.
    if "episode" in tables:
        _ = tables.careers
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(one, rules)


def check_rule(rule: Rule, tables: Tables, g: Guidance, *, strict: bool = True) -> tuple[Outcome, pl.DataFrame | None]:
    """Run one rule; an exception in it is reported as a crash and never stops the others."""
    severity = severity_of(rule.severity, rule.basis, strict=strict)

    def outcome(status: Status, count: int = 0, why: str = "") -> Outcome:
        return Outcome(rule.id, status, count, severity, rule.words, why, rule.form)

    lacking = [form for form in (rule.form, *rule.needs) if form not in tables]
    if lacking:
        return outcome("not applicable", why=_lacking(lacking[0])), None
    try:
        wrong = rule.check(tables, g)
        fault = _misshapen(rule, tables, wrong)
        if fault:
            return outcome("crashed", why=fault), None
        if tables[rule.form].height == 0:
            return outcome("not applicable", why=f"the {rule.form} form has no rows"), None
        if wrong.is_empty() if isinstance(wrong, pl.DataFrame) else not wrong.any():
            return outcome("passed"), None
        if isinstance(wrong, pl.DataFrame):
            rows = about_authorities(rule, tables, wrong, severity)
        else:
            rows = about_rows(rule, tables, g, wrong.fill_null(value=False).arg_true(), severity)
    except Exception as problem:  # noqa: BLE001  whatever a rule raises is its outcome
        return outcome("crashed", why=f"{type(problem).__name__}: {problem}"), None
    return outcome("found", rows.height), rows


def _silent(rules: Sequence[Rule], tables: Tables) -> set[tuple[str, str]]:
    """Return the rules (id, form) whose condition holds on no row; none of a form where asking together fails."""
    found: set[tuple[str, str]] = set()
    for form, table in tables.forms.items():
        asked = [r for r in rules if r.form == form and r.condition is not None]
        if not table.height:
            continue
        for name in ("both", "typed", "episodes"):
            each = [
                r.condition.wrong.any().alias(r.id)
                for r in asked
                if r.condition is not None and r.condition.frame == name and all(need in tables for need in r.needs)
            ]
            if not each:
                continue
            with suppress(pl.exceptions.PolarsError):
                frame = tables.episodes if name == "episodes" else getattr(table, name)
                answers = frame.select(each).row(0, named=True)
                found |= {(id_, form) for id_, holds in answers.items() if not holds}
    return found


def _misshapen(rule: Rule, tables: Tables, answer: pl.Series | pl.DataFrame) -> str:
    """Say what is wrong with the form of a rule's answer; nothing if it is as it should be."""
    if isinstance(answer, pl.DataFrame):
        right = rule.per == "authority" and dict(answer.schema) == {"la": pl.String, "value": pl.String}
        return "" if right else f"gave a frame of {dict(answer.schema)}, not la and value"
    if answer.dtype != pl.Boolean or len(answer) != tables[rule.form].height:
        return f"gave {len(answer)} values of {answer.dtype} for {tables[rule.form].height} rows"
    return ""


def _lacking(form: str) -> str:
    if form.startswith(LAST):
        return f"no {form.removeprefix(LAST)} form of last year at hand"
    return f"no {form} form in the folder"


def _unchecked(rule: NotHere) -> Outcome:
    return Outcome(rule.id, "not applicable", 0, rule.severity, rule.words, rule.why)


def _notes(tables: Tables) -> tuple[str, ...]:
    told = []
    g = tables.guidance("cla")
    if g.projected:
        told.append(f"No guidance of {year_code(g.year)} was seen: that of the year before is taken to hold.")
    absent = [form for form in g.forms if form not in tables]
    if 0 < len(absent) < len(g.forms):
        names = " and no ".join(absent)
        told.append(f"The looked after return has no {names} form here: what compares with it was not checked.")
    for table in tables.forms.values():
        if table.unknown:
            told.append(f"{table.file}: column {', '.join(table.unknown)} is no item of the year; not looked at.")
        if table.missing:
            told.append(f"{table.file} has no column {', '.join(table.missing)}; read as blank.")
    return tuple(told)
