"""What must hold between the guidance tables before use: no overlaps, no names that lead nowhere."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

from synth.guidance.read import refuse
from synth.guidance.rows import Dated

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from synth.guidance.rows import AllowedRow, Item, Limit, Note, Statement, Tables

__all__ = ["check_tables"]

_D = TypeVar("_D", bound=Dated)

_CONDITION = re.compile(r"([A-Z0-9_]+)(!=|=(.+))")


def check_tables(tables: Tables) -> None:
    """Raise GuidanceError, naming file, line and column, for the first thing wrong between the tables."""
    _check_overlaps(tables)
    names = _Names(tables)
    for item in tables.items:
        _check_item(item, names)
    for limit in tables.limits:
        _check_limit(limit, names)
    for row in tables.allowed:
        _check_allowed(row, names)
    for statement in tables.statements:
        _check_statement(statement, names)
    for note in tables.notes:
        _check_note(note, names)


class _Names:
    """What the tables name, for looking up: by return, whatever the year, unless years are given."""

    def __init__(self, tables: Tables) -> None:
        self.returns = frozenset(r.return_ for r in tables.returns)
        self.years = {(r.return_, r.year) for r in tables.returns}
        self._covered: dict[tuple[str, int, int | None], set[int]] = {}
        self.codes: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.set_years: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.items: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for code in tables.codes:
            self.codes[code.return_, code.code_set].add(code.code)
            self.set_years[code.return_, code.code_set].update(self.covered(code))
        for item in tables.items:
            self.items[item.return_, item.name].append(item)
        self.rules = frozenset((s.return_, s.rule_id) for s in tables.statements)

    def covered(self, row: Dated) -> set[int]:
        """Years of returns.csv in which a row is in force."""
        key = (row.return_, row.first_year, row.last_year)
        if key not in self._covered:
            self._covered[key] = {year for name, year in self.years if name == row.return_ and row.in_force(year)}
        return self._covered[key]

    def values_of(self, return_: str, item: str) -> set[str]:
        """Every code an item has ever had."""
        return {code for row in self.items[return_, item] for code in self.codes.get((return_, row.code_set), ())}


def _check_overlaps(tables: Tables) -> None:
    _no_overlap("returns.csv", "year", tables.returns, lambda r: (r.return_, r.year))
    _no_overlap("items.csv", "first_year", tables.items, lambda r: (r.return_, r.form, r.name))
    _no_overlap("codes.csv", "first_year", tables.codes, lambda r: (r.return_, r.code_set, r.code))
    _no_overlap("limits.csv", "first_year", tables.limits, lambda r: (r.return_, r.item, r.code, r.measure))
    _no_overlap("allowed.csv", "first_year", tables.allowed, lambda r: (r.return_, r.relation, r.code))
    _no_overlap("statements.csv", "first_year", tables.statements, lambda r: (r.return_, r.rule_id))


def _no_overlap(file: str, column: str, rows: Iterable[_D], key: Callable[[_D], Hashable]) -> None:
    """Refuse two rows of one key that are in force in the same year."""
    seen: dict[Hashable, list[_D]] = defaultdict(list)
    for row in rows:
        for other in seen[key(row)]:
            if other.in_force(row.first_year) or row.in_force(other.first_year):
                refuse(
                    file,
                    row.line,
                    column,
                    f"{_years(row)}, which overlaps {_years(other)} on line {other.line} for the same key",
                    "years that follow on from each other",
                )
        seen[key(row)].append(row)


def _years(row: Dated) -> str:
    return f"{row.first_year}-{'' if row.last_year is None else row.last_year}"


def _check_return(file: str, row: Dated, names: _Names) -> None:
    if row.return_ not in names.returns:
        refuse(file, row.line, "return", repr(row.return_), "a return named in returns.csv")


def _check_item(item: Item, names: _Names) -> None:
    file, line = "items.csv", item.line
    _check_return(file, item, names)
    if item.type == "code" and not item.code_set:
        refuse(file, line, "code_set", "nothing", "the code set of an item of type code")
    if item.code_set:
        if (item.return_, item.code_set) not in names.codes:
            refuse(file, line, "code_set", repr(item.code_set), "a code set in codes.csv")
        lacking = names.covered(item) - names.set_years[item.return_, item.code_set]
        if lacking:
            refuse(
                file,
                line,
                "code_set",
                f"{item.code_set!r} without any code in {min(lacking)}",
                "codes in force",
            )
    codes = names.codes.get((item.return_, item.code_set), set())
    aged = item.min_age is not None or item.max_age is not None
    if aged and item.outside_age_code not in codes:
        found = repr(item.outside_age_code) if item.outside_age_code else "nothing"
        refuse(file, line, "outside_age_code", found, f"a code of {item.code_set} for children outside the ages")
    if item.outside_age_code and not aged:
        refuse(file, line, "outside_age_code", repr(item.outside_age_code), "nothing where no age is given")
    if (item.required == "conditional") != bool(item.condition):
        found = repr(item.condition) if item.condition else "nothing"
        refuse(file, line, "condition", found, "a condition for conditional items and none for others")
    if item.condition:
        _check_condition(item, names)


def _check_condition(item: Item, names: _Names) -> None:
    match = _CONDITION.fullmatch(item.condition)
    if match is None:
        refuse("items.csv", item.line, "condition", repr(item.condition), "FIELD=A|B or FIELD!=")
    others = [o for o in names.items[item.return_, match[1]] if o.form == item.form]
    if not others:
        refuse("items.csv", item.line, "condition", repr(match[1]), f"an item of form {item.form}")
    known = {code for o in others for code in names.codes.get((o.return_, o.code_set), ())}
    for value in (match[3] or "").split("|"):
        if match[3] and known and value not in known:
            refuse("items.csv", item.line, "condition", repr(value), f"a code of {match[1]}")


def _check_limit(limit: Limit, names: _Names) -> None:
    file, line = "limits.csv", limit.line
    _check_return(file, limit, names)
    if limit.item and not names.items[limit.return_, limit.item]:
        refuse(file, line, "item", repr(limit.item), "an item of this return in items.csv, or nothing")
    if limit.code and limit.code not in names.values_of(limit.return_, limit.item):
        refuse(file, line, "code", repr(limit.code), f"a code of {limit.item or 'an item'}")
    _check_rule(file, line, limit.return_, limit.rule, names)


def _check_allowed(row: AllowedRow, names: _Names) -> None:
    file, line = "allowed.csv", row.line
    _check_return(file, row, names)
    if not names.items[row.return_, row.item]:
        refuse(file, line, "item", repr(row.item), "an item of this return in items.csv")
    if row.code not in names.values_of(row.return_, row.item):
        refuse(file, line, "code", repr(row.code), f"a code of {row.item}")
    if row.partner_item:
        other, _, name = row.partner_item.rpartition(":")
        return_ = other or row.return_
        if not names.items[return_, name]:
            refuse(
                file,
                line,
                "partner_item",
                repr(row.partner_item),
                "an item in items.csv, as NAME or return:NAME",
            )
        unknown = row.partners - names.values_of(return_, name)
        if unknown:
            refuse(file, line, "partners", ", ".join(sorted(unknown)), f"codes of {name} divided by |")
    _check_rule(file, line, row.return_, row.rule, names)


def _check_rule(file: str, line: int, return_: str, rule: str, names: _Names) -> None:
    if (return_, rule) not in names.rules:
        refuse(file, line, "rule", repr(rule), "the id of a rule of this return in statements.csv")


def _check_note(note: Note, names: _Names) -> None:
    _check_return("notes.csv", note, names)
    if not names.items[note.return_, note.item]:
        refuse("notes.csv", note.line, "item", repr(note.item), "an item of this return in items.csv")
    unknown = set(note.codes) - names.values_of(note.return_, note.item)
    if unknown:
        refuse("notes.csv", note.line, "codes", ", ".join(sorted(unknown)), f"codes of {note.item} divided by |")


def _check_statement(statement: Statement, names: _Names) -> None:
    _check_return("statements.csv", statement, names)
    for name in statement.fields:
        held = [item for item in names.items[statement.return_, name] if item.suits(statement.mode)]
        years = {year for item in held for year in names.covered(item)}
        lacking = names.covered(statement) - years
        if lacking:
            refuse(
                "statements.csv",
                statement.line,
                "fields",
                f"{name!r}, which is no item of the {statement.return_} return in {min(lacking)}",
                "items in force in every year of the rule",
            )
