"""Check a folder against the rules of its year: each passes, finds rows, is not applicable or crashes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from synth.dates import year_code
from synth.errors import InputError
from synth.guidance import load
from synth.reading import read_return
from synth.rules.rulebook import rules_for
from synth.tables import LA, LAST, Tables, child_column, file_name, gap_days

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from synth.guidance import Guidance
    from synth.rules.registry import NotHere, Rule

__all__ = ["Outcome", "Report", "check_rule", "validate_folder", "validate_tables"]

Status = Literal["passed", "found", "not applicable", "crashed"]
RETURNS = ("cla", "crcs")
YEAR_FORMS = (("crcs", "crcs"), ("cla", "child"), ("cla", "episode"))
"""Forms that carry the year code, in the order in which they are asked for it."""
SAID = {
    "passed": "passed",
    "found": "found something",
    "not applicable": "not applicable",
    "crashed": "crashed",
}
FOUND, CRASHED = 1, 3
"""Exit codes besides 0 (clean); 2 is an InputError."""

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

What is said of a whole authority has no line, and the authority's code in place of the child."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rule: `count` rows found, or in `why` the reason it was silent or its error."""

    rule: str
    status: Status
    count: int
    severity: str
    words: str
    why: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes of all rules and one long frame of findings (`FINDING_COLUMNS`, in order of rule and line)."""

    year: int
    files: tuple[tuple[str, int], ...]
    outcomes: tuple[Outcome, ...]
    findings: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when no rule found anything and none crashed."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 clean, 1 rows found, 3 a rule crashed; an unreadable folder raises InputError instead."""
        if any(o.status == "crashed" for o in self.outcomes):
            return CRASHED
        return FOUND if any(o.status == "found" for o in self.outcomes) else 0

    def counts(self) -> dict[str, int]:
        """Count rules by status, every status named."""
        tally = Counter(o.status for o in self.outcomes)
        return {status: tally.get(status, 0) for status in ("passed", "found", "not applicable", "crashed")}

    def to_text(self, max_rows: int = 10) -> str:
        """Render as text: totals, a line for each rule that found something, then `max_rows` rows a rule."""
        return "\n".join([*self._summary(), *self._rows(max_rows)]) + "\n"

    def to_json(self) -> str:
        """Render everything as one JSON object: year, files, counts, outcomes, findings, notes."""
        content = {
            "year": self.year,
            "files": [{"file": name, "rows": rows} for name, rows in self.files],
            "counts": self.counts(),
            "exit_code": self.exit_code,
            "outcomes": [asdict(o) for o in self.outcomes],
            "findings": self.findings.to_dicts(),
            "notes": list(self.notes),
        }
        return json.dumps(content, ensure_ascii=False, indent=1)

    def _summary(self) -> list[str]:
        counts = self.counts()
        held = ", ".join(f"{name} ({rows:,} rows)" for name, rows in self.files)
        tally = ", ".join(f"{number} {SAID[status]}" for status, number in counts.items())
        lines = [
            f"Year {year_code(self.year)}: {held}",
            f"{len(self.outcomes)} rules: {tally}; {self.findings.height:,} findings",
            *self.notes,
        ]
        found = sorted((o for o in self.outcomes if o.status == "found"), key=lambda o: (o.severity, -o.count, o.rule))
        if found:
            lines.append("")
            width = max(len(o.rule) for o in found)
            lines += [f"{o.rule:<{width}}  {o.severity:<7}  {o.count:>7,}  {o.words}" for o in found]
        crashed = [o for o in self.outcomes if o.status == "crashed"]
        if crashed:
            lines += ["", "Crashed (a fault of this program, not of the file):"]
            lines += [f"{o.rule}  {o.why}" for o in crashed]
        reasons: dict[str, list[str]] = {}
        for o in self.outcomes:
            if o.status == "not applicable":
                reasons.setdefault(o.why, []).append(o.rule)
        if reasons:
            lines += ["", "Not applicable:"]
            lines += [f"{len(ids)} rules: {why} ({_some(ids)})" for why, ids in sorted(reasons.items())]
        return lines

    def _rows(self, max_rows: int) -> list[str]:
        lines: list[str] = []
        for (rule, words), rows in self.findings.group_by("rule", "words", maintain_order=True):
            lines += ["", f"{rule}: {words}"]
            lines += [
                f"  {row['file']} line {row['line']}, child {row['child']}: {row['value']}"
                if row["line"] is not None
                else f"  {row['file']}, authority {row['child']}: {row['value']}"
                for row in rows.head(max_rows).iter_rows(named=True)
            ]
            if rows.height > max_rows:
                lines.append(f"  and {rows.height - max_rows:,} more")
        return lines


def validate_folder(path: Path, year: int | None = None) -> Report:
    """Check the files of both returns that stand in a folder; the year is read from YEAR_CODE unless given.

    A folder with one return is checked for that one; what needs the other is reported as not applicable.
    Raises InputError when there is no file of a return, a file cannot be read, or its headings do not fit the
    year.
    """
    if year is None:
        year = _find_year(path)
    guidance = {return_: load(return_, year) for return_ in RETURNS}
    parts = [read_return(path, return_, g) for return_, g in guidance.items()]
    forms = {form: table for part in parts for form, table in part.forms.items()}
    if not forms:
        raise InputError(_nothing_in(path))
    g = guidance["cla"]
    return validate_tables(Tables(forms, g.first_day, g.last_day, gap_days(g)), year)


def validate_tables(tables: Tables, year: int) -> Report:
    """Check tables already read; both returns of `year` are looked at as far as their forms are there."""
    outcomes: list[Outcome] = []
    findings: list[pl.DataFrame] = []
    for return_ in RETURNS:
        g = load(return_, year)
        if not any(form in tables for form in g.forms):
            continue
        rules, absent = rules_for(g)
        for rule in rules:
            outcome, rows = check_rule(rule, tables, g)
            outcomes.append(outcome)
            if rows is not None:
                findings.append(rows)
        outcomes += [_unchecked(rule) for rule in absent]
    frame = pl.concat(findings) if findings else pl.DataFrame(schema=FINDING_COLUMNS)
    files = tuple((table.file, table.height) for table in tables.forms.values())
    return Report(year, files, tuple(outcomes), frame, _notes(tables))


def check_rule(rule: Rule, tables: Tables, g: Guidance) -> tuple[Outcome, pl.DataFrame | None]:
    """Run one rule; an exception in it is reported as a crash and never stops the others."""
    lacking = [form for form in (rule.form, *rule.needs) if form not in tables]
    if lacking:
        return _outcome(rule, "not applicable", why=_lacking(lacking[0])), None
    try:
        wrong = rule.check(tables, g)
    except Exception as problem:  # noqa: BLE001  whatever a rule raises is its outcome
        return _outcome(rule, "crashed", why=f"{type(problem).__name__}: {problem}"), None
    if tables[rule.form].height == 0:
        return _outcome(rule, "not applicable", why=f"the {rule.form} form has no rows"), None
    if isinstance(wrong, pl.DataFrame):
        return _about_authorities(rule, tables, wrong)
    return _about_rows(rule, tables, wrong)


def _about_rows(rule: Rule, tables: Tables, wrong: pl.Series) -> tuple[Outcome, pl.DataFrame | None]:
    if wrong.dtype != pl.Boolean or len(wrong) != tables[rule.form].height:
        problem = f"gave {len(wrong)} values of {wrong.dtype} for {tables[rule.form].height} rows"
        return _outcome(rule, "crashed", why=problem), None
    numbers = wrong.fill_null(value=False).arg_true()
    if numbers.is_empty():
        return _outcome(rule, "passed"), None
    return _outcome(rule, "found", len(numbers)), _findings(rule, tables, numbers)


def _lacking(form: str) -> str:
    if form.startswith(LAST):
        return f"no {form.removeprefix(LAST)} form of last year at hand"
    return f"no {form} form in the folder"


def _about_authorities(rule: Rule, tables: Tables, found: pl.DataFrame) -> tuple[Outcome, pl.DataFrame | None]:
    """Turn what a whole-file rule found into findings without line or child, one an authority."""
    table = tables[rule.form]
    if rule.per != "authority" or dict(found.schema) != {"la": pl.String, "value": pl.String}:
        return _outcome(rule, "crashed", why=f"gave a frame of {dict(found.schema)}, not la and value"), None
    if found.is_empty():
        return _outcome(rule, "passed"), None
    rows = found.sort("la").select(
        file=pl.lit(table.file),
        line=pl.lit(None, dtype=pl.Int64),
        child=pl.col("la"),
        rule=pl.lit(rule.id),
        severity=pl.lit(rule.severity),
        fields=pl.lit(", ".join(rule.fields)),
        value="value",
        words=pl.lit(rule.words),
        reference=pl.lit(rule.reference),
        basis=pl.lit(rule.basis),
    )
    return _outcome(rule, "found", rows.height), rows


def _findings(rule: Rule, tables: Tables, numbers: pl.Series) -> pl.DataFrame:
    table = tables[rule.form]
    rows = table.text[numbers]
    shown = [name for name in rule.fields if name in rows.columns]
    cells = [pl.col(name).fill_null("(blank)") for name in shown]
    if not cells:
        value = pl.lit("")
    elif len(cells) == 1:
        value = cells[0]
    else:
        parts = [part for name, cell in zip(shown, cells, strict=True) for part in (pl.lit(f", {name}="), cell)]
        value = pl.concat_str([pl.lit(f"{shown[0]}="), *parts[1:]])
    child = pl.concat_str(pl.col(LA).fill_null("?"), pl.lit("/"), pl.col(child_column(rule.form)).fill_null("?"))
    return rows.select(
        file=pl.lit(table.file),
        line=table.lines[numbers].cast(pl.Int64),
        child=child,
        rule=pl.lit(rule.id),
        severity=pl.lit(rule.severity),
        fields=pl.lit(", ".join(rule.fields)),
        value=value,
        words=pl.lit(rule.words),
        reference=pl.lit(rule.reference),
        basis=pl.lit(rule.basis),
    )


def _outcome(rule: Rule, status: Status, count: int = 0, why: str = "") -> Outcome:
    return Outcome(rule.id, status, count, rule.severity, rule.words, why, rule.form)


def _unchecked(rule: NotHere) -> Outcome:
    return Outcome(rule.id, "not applicable", 0, rule.severity, rule.words, rule.why)


def _notes(tables: Tables) -> tuple[str, ...]:
    return tuple(
        f"{table.file} has no column {', '.join(table.missing)}; read as blank."
        for table in tables.forms.values()
        if table.missing
    )


def _some(ids: Iterable[str], most: int = 6) -> str:
    listed = list(ids)
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")


def _find_year(path: Path) -> int:
    """Return the year most rows of the first file with a YEAR_CODE give."""
    present = [path / file_name(return_, form) for return_, form in YEAR_FORMS]
    present = [file for file in present if file.exists()]
    for file in present:
        codes = _year_codes(file)
        if codes:
            return _year_of(codes[0], file.name)
    if present:
        raise InputError(f"{present[0].name}: no row has a YEAR_CODE such as 202223; name the year with --year.")
    raise InputError(_nothing_in(path))


def _year_codes(file: Path) -> list[str]:
    try:
        columns = pl.read_csv(file, infer_schema=False, n_rows=0).columns
        if "YEAR_CODE" not in columns:
            raise InputError(f"{file.name}, line 1: no heading YEAR_CODE; found {', '.join(columns[:5])} ...")
        codes = pl.read_csv(file, infer_schema=False, columns=["YEAR_CODE"]).to_series().drop_nulls()
    except (pl.exceptions.PolarsError, OSError) as problem:
        reason = str(problem).splitlines()[0]
        raise InputError(f"{file.name}: cannot be read as CSV UTF-8 with headings on line 1 ({reason}).") from problem
    return [
        str(code) for code in codes.value_counts(sort=True).sort("count", "YEAR_CODE", descending=True)["YEAR_CODE"]
    ]


def _year_of(code: str, file: str) -> int:
    start = code[:4]
    if start.isdigit() and code == year_code(int(start) + 1):
        return int(start) + 1
    raise InputError(f"{file}: YEAR_CODE {code!r} names no year; expected a form such as 202223 for 2022-23.")


def _nothing_in(path: Path) -> str:
    found = sorted(file.name for file in path.glob("*"))[:5] if path.is_dir() else []
    expected = ", ".join(file_name(return_, form) for return_, form in YEAR_FORMS)
    state = f"holds {', '.join(found)}" if found else "is empty" if path.is_dir() else "is no folder"
    return f"{path}: no file of a return; expected one or more of {expected}; the path {state}."
