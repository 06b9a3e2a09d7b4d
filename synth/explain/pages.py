"""Rules in print: a list a line each, one rule explained, and whole pages of documentation."""

from __future__ import annotations

import difflib
import json
import textwrap
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from synth.errors import InputError
from synth.explain.examples import example
from synth.guidance import RETURNS, load, years
from synth.rules.registry import NotHere
from synth.rules.rulebook import rules_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.rules.registry import Rule

__all__ = ["explained", "listed", "pages", "to_json"]

_WIDE = 110


def listed(year: int, return_: str | None = None) -> str:
    """Return a line for each rule of a year, then what is not checked and why."""
    rules, absent = _of(year, return_)
    width = max(len(r.id) for r in rules)
    lines = [f"{r.id:<{width}}  {r.severity:<7}  {r.basis:<9}  {r.form:<11}  {r.words}" for r in rules]
    lines += ["", f"{len(rules)} rules in {year}. `synth rules CLA053` explains one, with an example."]
    stated = [r for r in absent if r.words]
    if stated:
        lines += ["", "Stated in the guidance, and not checked:"]
        lines += [f"{r.id:<{width}}  {r.words}: {r.why}" for r in stated]
    return "\n".join(lines)


def explained(year: int, ids: Sequence[str]) -> str:
    """Explain some rules in words, with their examples. Raises InputError for an id no rule has."""
    found = [one for id_ in ids for one in _named(year, id_)]
    return "\n\n".join(_not_here(one) if isinstance(one, NotHere) else _one(one, year) for one in found)


def pages(year: int, return_: str | None = None, ids: Sequence[str] = ()) -> str:
    """Return the rules as a Markdown page: every rule with words, origin and example, by return."""
    lines = [
        f"# Rules in {year}",
        "",
        "Made from the guidance tables and the rules themselves; the examples are made by the breakers that also test",
        "the rules. `basis` says where a rule comes from: confirmed (a public Welsh source), england (the English",
        "return), assumed (general knowledge). On files made elsewhere a rule that is not confirmed is a query.",
    ]
    for name in [return_] if return_ else RETURNS:
        rules, absent = _of(year, name)
        chosen = [r for r in rules if not ids or r.id in ids]
        if not chosen:
            continue
        lines += ["", f"## {load(name, year).header.name}"]
        for rule in chosen:
            lines += _page(rule, year)
        stated = [r for r in absent if r.words and not ids]
        if stated:
            lines += ["", "### Stated and not checked", ""]
            lines += [f"- **{r.id}** {r.words.rstrip('.')}. {r.why.rstrip('.')}." for r in stated]
    return "\n".join(lines) + "\n"


def to_json(year: int, return_: str | None = None, ids: Sequence[str] = ()) -> str:
    """Return the rules of a year as JSON, those not checked with their reason; examples for ids asked for."""
    rules, absent = _of(year, return_)
    content = [_facts(r, year, with_example=bool(ids)) for r in rules if not ids or r.id in ids]
    missing = [{"rule": r.id, "words": r.words, "not_checked": r.why} for r in absent if not ids or r.id in ids]
    if ids and not content and not missing:
        _named(year, ids[0])
    return json.dumps(content + missing, ensure_ascii=False, indent=1)


@cache
def _of(year: int, return_: str | None) -> tuple[tuple[Rule, ...], tuple[NotHere, ...]]:
    parts = [rules_for(load(name, year)) for name in ([return_] if return_ else RETURNS)]
    return tuple(r for rules, _ in parts for r in rules), tuple(r for _, absent in parts for r in absent)


@cache
def _held_in() -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for year in years():
        for r in _of(year, None)[0]:
            found.setdefault((r.id, r.form), []).append(year)
    return found


def _named(year: int, id_: str) -> list[Rule | NotHere]:
    rules, absent = _of(year, None)
    every: list[Rule | NotHere] = [*rules, *absent]
    found = [r for r in every if r.id.lower() == id_.lower()]
    if not found:
        near = difflib.get_close_matches(id_, [r.id for r in rules], n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise InputError(f"{id_}: no rule of {year} has that id; {hint}`synth rules` lists them all.")
    return found


def _facts(rule: Rule, year: int, *, with_example: bool) -> dict[str, Any]:
    held = _held_in()[rule.id, rule.form]
    made = example(rule, year) if with_example else None
    return {
        "rule": rule.id,
        "words": rule.words,
        "form": rule.form,
        "fields": list(rule.fields),
        "about": "each row" if rule.per == "row" else "each authority",
        "needs": list(rule.needs),
        "first_year": held[0],
        "last_year": held[-1],
        "severity": rule.severity,
        "basis": rule.basis,
        "reference": rule.reference,
        "may_fire_with": list(rule.entails),
        **({"example": asdict(made)} if made else {}),
    }


def _one(rule: Rule, year: int) -> str:
    facts = _facts(rule, year, with_example=False)
    lines = [
        f"{rule.id}  {rule.severity} on the {rule.form} form, {facts['about']}",
        *textwrap.wrap(rule.words, _WIDE, initial_indent="  ", subsequent_indent="  "),
        f"  Fields: {', '.join(rule.fields) or 'the whole file'}",
        f"  Years: {facts['first_year']} to {facts['last_year']}   Basis: {rule.basis}",
        *textwrap.wrap(f"Source: {rule.reference}", _WIDE, initial_indent="  ", subsequent_indent="    "),
    ]
    if rule.needs:
        lines.append(f"  Looks also at: {', '.join(_form(need) for need in rule.needs)}")
    made = example(rule, year)
    if made is None:
        return "\n".join([*lines, "  No example: the worked children hold no such case."])
    for title, rows in (("Passes", made.passes), ("Fails", made.fails)):
        lines += [f"  {title} ({made.form} form):", *(f"    {line}" for line in _grid(made.columns, rows))]
    return "\n".join([*lines, f"  Found: {made.said}"])


def _form(need: str) -> str:
    return f"last year's {need.removeprefix('last:')} form" if need.startswith("last:") else f"the {need} form"


def _not_here(rule: NotHere) -> str:
    return f"{rule.id}  not checked: {rule.why}" + (f"\n  {rule.words}" if rule.words else "")


def _grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as text in columns; no rows say so."""
    if not rows:
        return ["(no row)"]
    widths = [max(len(name), *(len(row[n]) for row in rows)) for n, name in enumerate(columns)]
    every = [columns, *rows]
    return ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in every]


def _page(rule: Rule, year: int) -> list[str]:
    facts = _facts(rule, year, with_example=False)
    lines = [
        "",
        f"### {rule.id} ({rule.form})",
        "",
        f"{rule.words.rstrip('.')}.",
        "",
        f"{rule.severity}, {rule.basis}, {facts['first_year']} to {facts['last_year']}.",
        f"Fields: {', '.join(rule.fields) or 'the whole file'}. Source: {rule.reference}.",
    ]
    made = example(rule, year)
    if made is None:
        return lines
    for title, rows in (("Passes", made.passes), ("Fails", made.fails)):
        lines += ["", f"{title} ({made.form}):", "", *_table(made.columns, rows)]
    return [*lines, "", f"Found: {made.said}"]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return ["no row"]
    head = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return head + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
