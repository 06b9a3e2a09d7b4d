"""The ids of all rules of all years, from the guidance tables alone: for whoever needs names and no checks.

`synth.rules.rulebook` makes the rules themselves, which takes a table library and most of a second.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from synth.guidance.read import read_tables
from synth.rules.stated import STATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth.guidance import Item
    from synth.guidance.rows import Tables

__all__ = ["rule_names"]

_FIRST_YEAR = 2017
"""The first returns of this kind; items that ended before are in no form of theirs."""


@cache
def rule_names() -> dict[str, str]:
    """Return id to words of every rule of any year, stated ones first; also of those that cannot be checked."""
    tables = read_tables(files("synth.guidance"))
    stated = {s.rule_id: s.text for s in tables.statements}
    names = dict(stated)
    for item in tables.items:
        if item.last_year is not None and item.last_year < _FIRST_YEAR:
            continue
        for kind in _kinds(item):
            if not any(id_ in stated for id_ in STATED.get((item.form, item.name, kind), "").split()):
                names.setdefault(_made(item, kind), f"{item.label} ({item.name}): {kind}")
    for rule in _queried(tables):
        names.setdefault(f"{rule}-query", f"{stated[rule]}, where it is only queried")
    return names


def _made(item: Item, kind: str) -> str:
    return_ = item.return_.upper()
    prefix = return_ if item.form == item.return_ else f"{return_}-{item.form}"
    return f"{prefix}-{item.name}-{kind}"


def _kinds(item: Item) -> Iterator[str]:
    """Yield the kinds of check an item calls for; those of a pupil number are all stated."""
    if item.required == "always":
        yield "required"
    if item.condition:
        yield from ("filled", "blank")
    if item.type == "code":
        yield "list"
    if item.type == "integer":
        yield "year" if item.name == "YEAR_CODE" else "number"
    if item.type in {"date", "postcode"}:
        yield item.type
    if item.unique:
        yield "unique"
    if item.outside_age_code:
        yield "age"


def _queried(tables: Tables) -> Iterator[str]:
    """Yield the rules of which a limit is softer than its statement: an age that is only queried."""
    severities = {s.rule_id: s.severity for s in tables.statements}
    for limit in tables.limits:
        if limit.measure == "query_age_years" and severities.get(limit.rule, limit.severity) != limit.severity:
            yield limit.rule
