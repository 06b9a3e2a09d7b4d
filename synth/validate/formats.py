"""The report of a check for machines and browsers: JSON, CSV, JUnit XML and one HTML page."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from synth.spreadsheets import FORMULA
from synth.validate.report import where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import polars as pl

    from synth.validate.report import Outcome, Report

__all__ = ["LISTED", "SHOWN", "csv_of", "to_csv", "to_html", "to_json", "to_junit"]

SHOWN = 200
"""Rows a rule shown in HTML and JUnit; CSV holds them all, and so does JSON but for datasets."""
_SLICE = 50_000
"""Findings rendered at once."""
LISTED = 1000
"""Rows a rule in JSON of a dataset, which is written in one piece."""

_STYLE = """
:root { color-scheme: light dark; --line: #8888; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; margin: .5rem 0; }
.wide { overflow-x: auto; }
"""


def to_json(report: Report) -> str:
    """Render everything as one JSON object: year, first_year, files, counts, outcomes, findings, notes.

    Of a dataset also worlds and spreads, and of each rule that found more than are held the first findings, as a note
    says.
    """
    content: dict[str, Any] = {
        "year": report.year,
        "first_year": report.year if report.first_year is None else report.first_year,
        "files": [{"file": name, "rows": rows} for name, rows in report.files],
        "counts": report.counts(),
        "exit_code": report.exit_code,
        "outcomes": [asdict(o) for o in report.outcomes],
        "findings": report.findings.to_dicts(),
        "notes": [*report.notes, *_left_out(report)],
    }
    if report.worlds:
        content |= {"worlds": report.worlds, "spreads": [asdict(spread) for spread in report.spreads]}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def to_csv(report: Report) -> str:
    """Render every finding as a row; text a spreadsheet would take for a formula is led by an apostrophe."""
    return csv_of(report.findings)


def csv_of(findings: pl.DataFrame, *, headings: bool = True) -> str:
    """Render findings as rows, as `to_csv` does: some of many, with or without the headings above them."""
    import polars as pl  # noqa: PLC0415

    text = pl.col(pl.String)
    safe = pl.when(text.str.contains(FORMULA)).then(pl.lit("'") + text).otherwise(text)
    # In slices: there may be a million findings, and each step would hold all of them once more.
    slices = findings.iter_slices(_SLICE) if findings.height else iter([findings])
    return "".join(
        part.with_columns(safe.name.keep()).write_csv(include_header=headings and not number, line_terminator="\n")
        for number, part in enumerate(slices)
    )


def to_junit(report: Report) -> str:
    """Render each rule as a test case: failed where it found errors, skipped where it could not be asked.

    Warnings and queries pass, their rows as the output of the case.
    """
    cases = ET.Element("testsuite", name=f"return {report.span}", tests=str(len(report.outcomes)))
    tally = {"failures": 0, "errors": 0, "skipped": 0}
    for outcome, rows in report.by_outcome():
        case = ET.SubElement(cases, "testcase", classname=outcome.form or "return", name=outcome.rule)
        if outcome.status == "crashed":
            ET.SubElement(case, "error", message=outcome.why)
            tally["errors"] += 1
        elif outcome.status == "not applicable":
            ET.SubElement(case, "skipped", message=outcome.why)
            tally["skipped"] += 1
        elif rows is not None and outcome.severity == "error":
            said = f"{outcome.count:,} found{_in(report.spread(outcome))}: {outcome.words}"
            ET.SubElement(case, "failure", message=_printable(said)).text = _listed(rows, outcome.count)
            tally["failures"] += 1
        elif rows is not None:
            said = f"{outcome.severity}{_in(report.spread(outcome))}: {outcome.words}\n"
            ET.SubElement(case, "system-out").text = said + _listed(rows, outcome.count)
    cases.attrib.update({name: str(number) for name, number in tally.items()})
    ET.indent(cases)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(cases, encoding="unicode") + "\n"


def to_html(report: Report) -> str:
    """Render as one page that needs nothing else: summary by rule, rows a click away, what was not checked."""
    title = f"Check of the return {report.span}"
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{title}</h1>",
        *(f"<p>{escape(line)}</p>" for line in report.headline()),
    ]
    if found := report.found():
        head = '<th scope="col">rule</th><th scope="col">severity</th><th scope="col" class="n">rows</th>'
        parts.append(f'<div class="wide"><table><caption>Rules that found something</caption><tr>{head}')
        parts.append('<th scope="col">what must hold</th></tr>')
        parts += [
            f'<tr><th scope="row">{escape(o.rule)}</th><td>{o.severity}</td><td class="n">{o.count:,}</td>'
            f"<td>{escape(o.words)}</td></tr>"
            for o in found
        ]
        parts.append("</table></div><h2>Rows</h2>")
    for outcome, rows in report.by_outcome():
        if rows is not None:
            parts += _section(outcome, rows, report.spread(outcome))
    parts.append("<h2>Not checked</h2><ul>")
    parts += [f"<li>{escape(why)}: {escape(', '.join(ids))}</li>" for why, ids in report.unchecked()]
    parts.append("</ul></main></body></html>\n")
    return "\n".join(parts)


def _section(outcome: Outcome, rows: pl.DataFrame, spread: str) -> Iterator[str]:
    yield f"<details><summary>{escape(outcome.rule)}: {outcome.count:,} rows ({outcome.severity})</summary>"
    yield f"<p>{escape(outcome.words)}</p><p>Source: {escape(rows['reference'][0])} ({escape(rows['basis'][0])})</p>"
    if spread:
        yield f"<p>Found {escape(spread)}.</p>"
    yield '<div class="wide"><table><tr><th scope="col">file</th><th scope="col" class="n">line</th>'
    yield '<th scope="col">child</th><th scope="col">found</th></tr>'
    shown = rows.head(SHOWN)
    for row in shown.iter_rows(named=True):
        line = "" if row["line"] is None else row["line"]
        cells = "".join(f"<td>{escape(str(row[name]))}</td>" for name in ("child", "value"))
        yield f'<tr><td>{escape(row["file"])}</td><td class="n">{line}</td>{cells}</tr>'
    yield "</table></div>"
    if outcome.count > shown.height:
        yield f"<p>and {outcome.count - shown.height:,} more; --format csv lists them all.</p>"
    yield "</details>"


def _left_out(report: Report) -> list[str]:
    """Say that findings are not all there, where they are not."""
    if report.kept is None or all(o.count <= report.kept for o in report.outcomes):
        return []
    return [f"The first {report.kept:,} findings of each rule are listed; --format csv lists them all."]


def _in(spread: str) -> str:
    return f" ({spread})" if spread else ""


def _listed(rows: pl.DataFrame, count: int) -> str:
    shown = rows.head(SHOWN)
    lines = [f"{where(row)}: {row['value']}" for row in shown.iter_rows(named=True)]
    if count > shown.height:
        lines.append(f"and {count - shown.height:,} more")
    return _printable("\n".join(lines))


def _printable(text: str) -> str:
    """Replace characters that XML cannot hold."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
