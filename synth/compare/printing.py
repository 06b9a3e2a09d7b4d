"""A comparison as text, JSON or one HTML page: scores, what was left out, and what scores do not say."""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

from synth.compare.scores import Scored
from synth.dates import year_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth.compare.scores import Comparison, FormScores, ReturnScores

__all__ = ["SILENT", "ours", "to_html", "to_json", "to_text"]

SILENT = (
    "Scores of 1 say that single items, and two of them at a time, are distributed in B as in A, no more: not that "
    "three go together, that lives run as they do, that rows keep to the guidance (synth validate), that figures are "
    "the published ones (synth fidelity), that an analysis comes out alike, or that nobody could be recognised. By "
    "chance says what two draws as large from one population would score, brothers and sisters aside. Where A is "
    "real, a score is a figure about it: have it checked before it leaves."
)
_HELD = "B held against A with SDMetrics"
_NOT_SAID = "not_said"
_ALIKE = 0.9995
"""Printed as 1."""
_SHOWN = 5
"""Columns and pairs of a form that text and page list."""

_STYLE = """
:root { color-scheme: light dark; --line: #8888; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
"""


def ours(content: bytes) -> bool:
    """Say whether a file holds a comparison as it is written here, in whatever form."""
    return any(mark in content for mark in (_HELD.encode(), f'"{_NOT_SAID}": {json.dumps(SILENT)}'.encode()))


def to_text(found: Comparison) -> str:
    """Return plain text: each return with its forms, the worst columns and pairs first."""
    return "\n".join(line.rstrip() for line in _lines(found)) + "\n"


def to_json(found: Comparison) -> str:
    """Return everything as one JSON object, every column and pair included."""
    return json.dumps(asdict(found) | {_NOT_SAID: SILENT}, ensure_ascii=False, indent=1) + "\n"


def to_html(found: Comparison) -> str:
    """Return one page that needs nothing else, with what the text says."""
    title = "Two folders compared"
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{title}</h1>",
        *(f"<p>{escape(line)}</p>" for line in _head(found)),
    ]
    for scores in found.returns:
        parts.append(f"<h2>{escape(_title(scores))}</h2>")
        parts.append(_table("Both reports of SDMetrics", _overall(scores)))
        for form in scores.forms:
            parts.append(f"<h3>{escape(_form_title(form))}</h3>")
            parts.append(_table("Means over the form", form.properties))
            parts += [_table(caption, rows[:_SHOWN]) for caption, rows in _lists(form, found.association) if rows]
            parts += [f"<p>{escape(line)}</p>" for line in _left_out(form.left_out)]
        if scores.links:
            parts.append(_table("Pairs across forms, the farthest below chance first", scores.links[:_SHOWN]))
    parts += [f"<p>{escape(line)}</p>" for line in (*found.notes, SILENT)]
    return "\n".join((*parts, "</main></body></html>\n"))


def _lines(found: Comparison) -> Iterator[str]:
    yield from _head(found)
    for scores in found.returns:
        yield from ("", _title(scores))
        yield from _rows(_overall(scores), "  ")
        for form in scores.forms:
            yield from ("", f"  {_form_title(form)}")
            yield from _rows(form.properties, "    ")
            for caption, rows in _lists(form, found.association):
                if rows:
                    yield f"    {caption}"
                    yield from _rows(rows[:_SHOWN], "      ")
            yield from (f"    {line}" for line in _left_out(form.left_out))
        if scores.links:
            yield "  Pairs across forms, the farthest below chance first"
            yield from _rows(scores.links[:_SHOWN], "    ")
    yield from ("", *found.notes, SILENT)


def _head(found: Comparison) -> Iterator[str]:
    for side, name, year in zip("AB", (found.a, found.b), found.years, strict=True):
        yield f"{side}  {name}, {year_code(year)[:4]}-{year_code(year)[4:]}"
    every = f"the rows of at most {found.sample:,} children of each return" if found.sample else "every row"
    yield f"{_HELD} {found.sdmetrics}, {every}; 1 is alike, 0 is nothing alike."


def _title(scores: ReturnScores) -> str:
    names = {"crcs": "Children Receiving Care and Support", "cla": "Children Looked After"}
    return f"{names[scores.return_]}: quality {scores.quality:.3f}, diagnostic {scores.diagnostic:.3f}"


def _form_title(form: FormScores) -> str:
    rows = f"{form.form}: {form.rows[0]:,} rows in A, {form.rows[1]:,} in B"
    return rows if form.compared == form.rows else f"{rows}; {form.compared[0]:,} and {form.compared[1]:,} compared"


def _overall(scores: ReturnScores) -> tuple[Scored, ...]:
    return tuple(
        Scored(f"{report}: {name.lower()}", score)
        for report, own in scores.properties.items()
        for name, score in own.items()
    )


def _lists(form: FormScores, association: float) -> Iterator[tuple[str, tuple[Scored, ...]]]:
    yield "Columns, the farthest below chance first", form.columns
    which = f"the {len(form.pairs)} of {form.pairs_seen} whose association in A is above {association:g}"
    yield f"Pairs of columns, the farthest below chance first: {which}", form.pairs
    yield "Values that A has not, or outside its range", tuple(each for each in form.valid if each.score < _ALIKE)


def _left_out(left_out: Mapping[str, str]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for name, why in left_out.items():
        reasons.setdefault(why, []).append(name)
    if reasons:
        yield "Left out: " + "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items()) + "."


def _rows(rows: tuple[Scored, ...], indent: str) -> Iterator[str]:
    for row in rows:
        yield f"{indent}{row.score:.3f}  {row.name}" + ("" if row.chance is None else f" ({row.chance:.3f} by chance)")


def _table(caption: str, rows: tuple[Scored, ...]) -> str:
    known = any(row.chance is not None for row in rows)
    cells = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td class="n">{row.score:.3f}</td>'
        + (f'<td class="n">{"" if row.chance is None else f"{row.chance:.3f}"}</td>' if known else "")
        + "</tr>"
        for row in rows
    )
    heads = ("item", "score", "by chance") if known else ("item", "score")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{cells}</table>"
