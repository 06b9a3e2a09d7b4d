"""What the returns ask for, from the guidance tables: years, forms item by item, code sets, limits, combinations."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypeVar

from made.markdown import anchor, code, plain, span, table
from synth.dates import year_code
from synth.guidance import load
from synth.guidance.read import read_tables
from synth.rules.rulebook import rules_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from synth.guidance import AllowedRow, Code, Item, Limit
    from synth.guidance.rows import Dated, Tables

__all__ = ["codes", "combinations", "ended", "form", "limits", "years"]

FIRST_YEAR = 2017
"""Collection year of the first returns of this kind; rows that ended before tell what came before them."""
RULES_OF = 2024
"""Year whose rules docs/rules.md explains."""
_MODES = {"census_date": "children on 31 March", "all_year": "everyone at any time in the year"}
_ONLY = {"census_date": "; on the census date only", "all_year": "; only when collected over the whole year"}

_T = TypeVar("_T")


@cache
def _tables() -> Tables:
    return read_tables(files("synth.guidance"))


def years(return_: str) -> str:
    """Return the collection years of a return: days, who is in it, how sure that is."""
    rows = [r for r in _tables().returns if r.return_ == return_]
    head = ["Year", "Code", "Days", "Who is in it", "Due", "Basis", "Note"]
    body = [
        [
            f"{r.year - 1}-{r.year % 100:02d}",
            code(year_code(r.year)),
            f"{r.first_day:%d/%m/%Y} to {r.last_day:%d/%m/%Y}",
            _MODES[r.mode] + (f", plan in place by {r.quarter_day:%d/%m/%Y}" if r.quarter_day else ""),
            r.due or "not seen",
            _basis(r),
            plain(r.note or ("A projection of the year before" if r.projected else "")),
        ]
        for r in rows
    ]
    return "\n".join([*table(head, body), "", *_sources(rows)])


def form(return_: str, name: str) -> str:
    """Return a form item by item: an overview, then for each item its type, conditions, limits, rules and sources."""
    items = [i for i in _tables().items if i.return_ == return_ and i.form == name]
    current = _grouped((i.name, i) for i in items if (i.last_year or FIRST_YEAR) >= FIRST_YEAR)
    overview = [
        [
            f"[`{item}`](#{anchor(item)})",
            plain(rows[-1].label),
            f"{rows[-1].type}, {rows[-1].required}",
            _code_set(rows[-1]) if rows[-1].code_set else "",
            _spans(rows),
            rows[-1].basis,
        ]
        for item, rows in current.items()
    ]
    lines = [*table(["Item", "Meaning", "Type, filled", "Codes", "Years", "Basis, latest"], overview)]
    for item, rows in current.items():
        lines += ["", f"## {item}", "", f"{plain(rows[-1].label)}.", "", *_item(return_, rows)]
    return "\n".join(lines)


def _item(return_: str, rows: tuple[Item, ...]) -> Iterator[str]:
    """Yield what is to be said of one item as a list; rows are those of its years, oldest first."""
    for row in _joined(rows):
        yield f"- {row}"
    name, form_ = rows[-1].name, rows[-1].form
    notes = [n for n in _tables().notes if n.return_ == return_ and n.item == name]
    for note in notes:
        which = f" ({', '.join(note.codes)})" if note.codes else ""
        yield f"- Since {note.first_year}{which}: {plain(note.text)}. {_basis(note).capitalize()}."
    found = [x for x in _tables().limits if x.return_ == return_ and x.item == name]
    if found:
        yield f"- Limits: {len(found)}, see [limits](limits.md#{anchor(name)})."
    rules = [r for r in rules_for(load(return_, RULES_OF))[0] if r.form == form_ and name in r.fields]
    if rules:
        links = [f"[{r.id}](../../rules.md#{anchor(f'{r.id} ({r.form})')})" for r in rules]
        yield f"- Rules that look at it, {RULES_OF}: {', '.join(links)}."
    yield from (f"- {line}" for line in _sources(rows))


def _joined(rows: tuple[Item, ...]) -> list[str]:
    """Return what an item was in its years, years in which it was the same in one sentence."""
    said: dict[str, list[Item]] = defaultdict(list)
    for row in rows:
        said[". ".join(_remarks(row))].append(row)
    return [f"{_spans(tuple(same))}: {words}. Basis: {_bases(same)}." for words, same in said.items()]


def _remarks(i: Item) -> Iterator[str]:
    filled = {"always": "always filled", "optional": "may be blank", "conditional": _condition(i)}
    yield f"{i.type}, {filled[i.required]}"
    if i.code_set:
        yield f"Code set {_code_set(i)}"
    if i.min_age is not None:
        yield f"From age {i.min_age} on 31 March, {code(i.outside_age_code)} below it"
    if i.max_age is not None:
        yield f"To age {i.max_age} on 31 March, {code(i.outside_age_code)} above it"
    if i.unique:
        yield "No value twice in an authority"
    if i.note:
        yield plain(i.note.rstrip("."))


def _condition(i: Item) -> str:
    field, _, values = i.condition.partition("=")
    if field.endswith("!"):
        return f"filled if and only if {code(field[:-1])} is filled"
    return f"filled if and only if {code(field)} is {' or '.join(code(v) for v in values.split('|'))}"


def codes(return_: str) -> str:
    """Return every code set of a return with the meaning of each code, its years and basis."""
    asked = defaultdict(list)
    for i in _tables().items:
        if i.return_ == return_ and i.code_set and (i.last_year or FIRST_YEAR) >= FIRST_YEAR:
            asked[i.code_set].append(i)
    lines: list[str] = []
    for name, rows in _grouped((c.code_set, c) for c in _tables().codes if c.return_ == return_).items():
        uses = list(dict.fromkeys(f"[`{i.name}`]({i.form}.md#{anchor(i.name)})" for i in asked[name]))
        use = f"Codes of {', '.join(uses)}." if uses else "No item takes these codes; rules and older files know them."
        lines += ["", f"## {name}", "", use, "", *_code_table(rows), "", *_sources(rows)]
    return "\n".join(lines)


def _code_table(rows: Iterable[Code]) -> list[str]:
    body = [
        [code(value), plain(same[-1].label), _spans(same), ", ".join(dict.fromkeys(_basis(c) for c in same))]
        for value, same in _grouped((c.code, c) for c in rows).items()
    ]
    return table(["Code", "Meaning", "Years", "Basis"], body)


def limits(return_: str) -> str:
    """Return the numbers and days that bound items, by item; bounds are themselves allowed."""
    lines: list[str] = []
    found = _grouped((x.item, x) for x in _tables().limits if x.return_ == return_)
    for item, rows in found.items():
        body = [[_where(x), _quantity(x), x.rule, x.severity, _spans((x,)), _basis(x), plain(x.note)] for x in rows]
        title = item or "The whole file of an authority"
        lines += ["", f"### {title}", "", *table(["Code", "Limit", "Rule", "If not", "Years", "Basis", "Note"], body)]
    return "\n".join(lines)


def _where(x: Limit) -> str:
    return code(x.code) if x.code else "any"


def _quantity(x: Limit) -> str:
    unit = {"date": "", "count": "", "percent": " per cent", "per_10000": " per 10,000"}.get(x.unit, f" {x.unit}")
    return f"{x.measure.removesuffix(f'_{x.unit}').replace('_', ' ')}: {x.value}{unit}"


def combinations(return_: str) -> str:
    """Return which codes go with which, relation by relation."""
    lines: list[str] = []
    for name, rows in _grouped((a.relation, a) for a in _tables().allowed if a.return_ == return_).items():
        first = rows[0]
        between = code(first.item) + (f" and {code(first.partner_item)}" if first.partner_item else "")
        body = [[code(a.code), _partners(a), a.rule, a.severity, _spans((a,)), _basis(a)] for a in rows]
        head = ["Code", "Goes with", "Rule", "If not", "Years", "Basis"]
        lines += ["", f"### {name.replace('_', ' ').capitalize()}", "", f"Between {between}.", "", *table(head, body)]
    return "\n".join(lines)


def _partners(a: AllowedRow) -> str:
    return " ".join(code(partner) if a.partner_item else plain(partner) for partner in sorted(a.partners))


def ended(return_: str) -> str:
    """Return the items that were asked for before these returns and are no more."""
    rows = [i for i in _tables().items if i.return_ == return_ and (i.last_year or FIRST_YEAR) < FIRST_YEAR]
    body = [[code(i.form), code(i.name), plain(i.label), _spans((i,)), plain(i.note)] for i in rows]
    return "\n".join(table(["Form", "Item", "Meaning", "Years", "Note"], body))


def _code_set(i: Item) -> str:
    return f"[{plain(i.code_set)}](codes.md#{anchor(i.code_set)})"


def _spans(rows: Iterable[Dated]) -> str:
    """Return the years of rows in words, years that follow each other as one span."""
    spans: list[tuple[int, int | None, str]] = []
    for row in sorted(rows, key=lambda r: r.first_year):
        only = _ONLY.get(row.mode, "")
        if spans and spans[-1][1] is not None and row.first_year <= spans[-1][1] + 1 and spans[-1][2] == only:
            spans[-1] = (spans[-1][0], row.last_year, only)
        elif not spans or spans[-1] != (row.first_year, row.last_year, only):
            spans.append((row.first_year, row.last_year, only))
    return ", ".join(span(first, last) + only for first, last, only in spans)


def _basis(row: Dated) -> str:
    return f"{row.basis}, {row.confidence} confidence"


def _bases(rows: Iterable[Dated]) -> str:
    """Return the basis of some rows, with its years where they differ."""
    said = _grouped((_basis(row), row) for row in rows)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{basis} ({_spans(same)})" for basis, same in said.items())


def _sources(rows: Iterable[Dated]) -> list[str]:
    """Return a sentence that names the sources of some rows, each once; no lines for none."""
    named = dict.fromkeys(part.strip() for row in rows for part in row.reference.split("; ") if part.strip())
    return [f"Sources: {plain('; '.join(named))}."] if named else []


def _grouped(pairs: Iterable[tuple[str, _T]]) -> dict[str, tuple[_T, ...]]:
    groups: dict[str, list[_T]] = defaultdict(list)
    for name, value in pairs:
        groups[name].append(value)
    return {name: tuple(values) for name, values in groups.items()}
