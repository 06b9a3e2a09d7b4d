"""Everything in force for one return and year, as JSON-ready values and as text to read or to compare."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from synth.collection_year import year_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from synth.guidance.loader import Guidance
    from synth.guidance.rows import AllowedRow, Code, Dated, Item, Limit, Note, Statement

__all__ = ["listing", "listing_text"]

WIDTH = 110
"""Columns the text keeps within, unless one word alone is longer."""

_MODES = {
    "census_date": "those present on the last day",
    "all_year": "everyone at any time in the year",
}


def listing(g: Guidance) -> dict[str, Any]:
    """Return header, forms, codes, limits, allowed, statements and notes as dicts and lists of text and numbers."""
    h = g.header
    return {
        "return": g.return_,
        "year": g.year,
        "year_code": year_code(g.year),
        "name": h.name,
        "mode": g.mode,
        "first_day": g.first_day.isoformat(),
        "last_day": g.last_day.isoformat(),
        "quarter_day": g.quarter_day.isoformat() if g.quarter_day else None,
        "due": h.due,
        "note": h.note,
        "basis": h.basis,
        "confidence": h.confidence,
        "reference": h.reference,
        "forms": {form: [_item(i) for i in g.items(form)] for form in g.forms},
        "codes": {name: [_code(c) for c in codes] for name, codes in g.codes_by_set.items()},
        "limits": [_limit(x) for x in g.limits],
        "allowed": [_allowed(a, g) for a in g.allowed_rows],
        "statements": [_statement(s) for s in g.statements.values()],
        "notes": [_note(n) for n in g.notes],
    }


def listing_text(g: Guidance) -> str:
    """Return the same as lines of at most 110 columns, in file order; sources are left to `listing`."""
    sections = (
        _head_lines(g),
        *([_note_lines(g)] if g.notes else []),
        *(_form_lines(g, form) for form in g.forms),
        *(_code_lines(g, name) for name in g.codes_by_set),
        _limit_lines(g),
        _allowed_lines(g),
        _statement_lines(g),
    )
    return "\n\n".join("\n".join(line.rstrip() for line in section) for section in sections) + "\n"


def _dated(row: Dated) -> dict[str, Any]:
    return {
        "first_year": row.first_year,
        "last_year": row.last_year,
        "basis": row.basis,
        "confidence": row.confidence,
        "reference": row.reference,
    }


def _item(i: Item) -> dict[str, Any]:
    return {
        "name": i.name,
        "label": i.label,
        "type": i.type,
        "required": i.required,
        "condition": i.condition,
        "code_set": i.code_set,
        "min_age": i.min_age,
        "max_age": i.max_age,
        "outside_age_code": i.outside_age_code,
        "unique": i.unique,
        "note": i.note,
        **_dated(i),
    }


def _code(c: Code) -> dict[str, Any]:
    return {"code": c.code, "label": c.label, **_dated(c)}


def _limit(x: Limit) -> dict[str, Any]:
    return {
        "item": x.item,
        "code": x.code,
        "measure": x.measure,
        "value": x.value,
        "unit": x.unit,
        "rule": x.rule,
        "severity": x.severity,
        "note": x.note,
        **_dated(x),
    }


def _allowed(a: AllowedRow, g: Guidance) -> dict[str, Any]:
    return {
        "relation": a.relation,
        "item": a.item,
        "code": a.code,
        "partner_item": a.partner_item,
        "partners": _in_code_order(a, g),
        "rule": a.rule,
        "severity": a.severity,
        **_dated(a),
    }


def _statement(s: Statement) -> dict[str, Any]:
    return {
        "rule": s.rule_id,
        "text": s.text,
        "severity": s.severity,
        "fields": list(s.fields),
        "mode": s.mode,
        **({"unchecked": s.unchecked} if s.unchecked else {}),
        **_dated(s),
    }


def _note(n: Note) -> dict[str, Any]:
    return {"item": n.item, "codes": list(n.codes), "text": n.text, **_dated(n)}


def _in_code_order(a: AllowedRow, g: Guidance) -> list[str]:
    """Return the partners as their code set orders them, words and codes of other returns by the alphabet."""
    sets = {i.code_set for form in g.forms for i in g.items(form) if i.name == a.partner_item and i.code_set}
    place = {c.code: n for name in sets for n, c in enumerate(g.codes(name))}
    return sorted(a.partners, key=lambda code: (place.get(code, len(place)), code))


def _head_lines(g: Guidance) -> Iterator[str]:
    h = g.header
    title = f"{h.name} ({g.return_}), {g.year - 1}-{g.year % 100:02d}"
    yield title
    yield "=" * len(title)
    yield f"Year code     {year_code(g.year)}"
    yield f"Days          {g.first_day} to {g.last_day}"
    yield f"Children      {_MODES[g.mode]}"
    if g.mode != g.usual_mode:
        yield from _wrapped(
            "Collection    ", f"not as the year was collected ({_MODES[g.usual_mode]}): assumed throughout"
        )
    if g.quarter_day:
        yield f"Plan in place by {g.quarter_day}"
    if h.due:
        yield f"Due           {h.due}"
    yield f"Basis         {_basis(h)}"
    if h.note:
        yield from _wrapped("Note          ", h.note)
    yield from _wrapped("Source        ", h.reference)


def _note_lines(g: Guidance) -> Iterator[str]:
    yield from _heading(f"Notes: {len(g.notes)}")
    for n in g.notes:
        yield f"{' '.join((n.item, *n.codes))}, since {n.first_year - 1}-{n.first_year % 100:02d}"
        yield from _wrapped(f"    {_basis(n):<16}  ", n.text)


def _form_lines(g: Guidance, form: str) -> Iterator[str]:
    items = g.items(form)
    yield from _heading(f"Form {form}: {_count(items, 'item')}")
    names = max(len(i.name) for i in items)
    sets = max(len(i.code_set) for i in items)
    for i in items:
        yield f"{i.name:<{names}}  {i.type:<8}  {i.required:<11}  {i.code_set:<{sets}}  {_basis(i)}"
        yield from _wrapped("    ", ". ".join(_remarks(i)))


def _remarks(i: Item) -> Iterator[str]:
    yield i.label
    if i.condition:
        field, _, values = i.condition.partition("=")
        if field.endswith("!"):
            yield f"Filled if and only if {field[:-1]} is filled"
        else:
            yield f"Filled if and only if {field} is {values.replace('|', ' or ')}"
    if i.min_age is not None:
        yield f"From age {i.min_age} on 31 March, {i.outside_age_code} below it"
    if i.max_age is not None:
        yield f"To age {i.max_age} on 31 March, {i.outside_age_code} above it"
    if i.unique:
        yield "No value twice in an authority"
    if i.note:
        yield i.note


def _code_lines(g: Guidance, name: str) -> Iterator[str]:
    codes = g.codes(name)
    used = any(i.code_set == name for form in g.forms for i in g.items(form))
    yield from _heading(f"Codes {name}: {len(codes)}{'' if used else ', of no item'}")
    width = max(len(c.code) for c in codes)
    for c in codes:
        yield from _wrapped(f"{c.code:<{width}}  {_basis(c):<16}  ", c.label)


def _limit_lines(g: Guidance) -> Iterator[str]:
    yield from _heading(f"Limits: {len(g.limits)}, all inclusive")
    wheres = [" ".join(filter(None, (x.item or "(authority)", x.code))) for x in g.limits]
    whats = [_quantity(x) for x in g.limits]
    where_width, what_width = max(map(len, wheres), default=0), max(map(len, whats), default=0)
    for x, where, what in zip(g.limits, wheres, whats, strict=True):
        yield f"{where:<{where_width}}  {what:<{what_width}}"
        yield from _wrapped("    ", "; ".join(filter(None, (x.rule, x.severity, _basis(x), x.note))))


def _quantity(x: Limit) -> str:
    plain = x.unit.removesuffix("s") if x.value == "1" else x.unit
    unit = {"date": "", "percent": " %", "count": "", "per_10000": " per 10,000"}.get(x.unit, f" {plain}")
    return f"{x.measure} {x.value}{unit}"


def _allowed_lines(g: Guidance) -> Iterator[str]:
    yield from _heading("What goes with what")
    relation = None
    for a in g.allowed_rows:
        if a.relation != relation:
            relation = a.relation
            yield f"{relation} ({a.item}{f' > {a.partner_item}' if a.partner_item else ''})"
        partners = " ".join(_in_code_order(a, g))
        yield from _wrapped(f"    {a.code:<4} {a.rule:<8} {a.severity:<7} {_basis(a):<16}  ", partners)


def _statement_lines(g: Guidance) -> Iterator[str]:
    yield from _heading(f"Rules: {len(g.statements)}")
    for s in g.statements.values():
        yield from _wrapped(f"{s.rule_id:<8}  {s.severity:<7}  {_basis(s):<16}  ", s.text)
        if s.fields:
            yield from _wrapped("    ", ", ".join(s.fields))


def _heading(title: str) -> tuple[str, str]:
    return title, "-" * len(title)


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _basis(row: Dated) -> str:
    return f"{row.basis}/{row.confidence}"


def _wrapped(lead: str, text: str) -> Iterable[str]:
    """Return text after a lead, later lines indented to the same column; the lead alone for no text."""
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [lead]
