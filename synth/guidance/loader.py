"""The guidance in force: what one return asks for in one collection year, from dated and checked rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypeVar

from synth.errors import InputError
from synth.guidance.checks import check_tables
from synth.guidance.read import read_tables
from synth.guidance.rows import (
    AllowedRow,
    Code,
    Dated,
    Item,
    Limit,
    Note,
    ReturnYear,
    Statement,
    Tables,
)
from synth.log import doing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["ALL_YEAR", "CENSUS_DATE", "RETURNS", "Guidance", "collected_as", "load", "load_from", "years"]

CENSUS_DATE, ALL_YEAR = "census_date", "all_year"
"""Ways of collecting: those present on 31 March, or everyone at any time in the year."""
RETURNS = ("cla", "crcs")
"""The returns there is guidance for, in the order in which they are always named."""

_D = TypeVar("_D", bound=Dated)


@dataclass(frozen=True, slots=True, eq=False)
class Guidance:
    """Everything in force for one return and year; build it with `load`."""

    header: ReturnYear
    items_by_form: Mapping[str, tuple[Item, ...]]
    codes_by_set: Mapping[str, tuple[Code, ...]]
    limits: tuple[Limit, ...]
    allowed_rows: tuple[AllowedRow, ...]
    statements: Mapping[str, Statement]
    """Rule id to the rule in words, in file order."""
    notes: tuple[Note, ...]
    """What the guidance came to say about items and codes, in file order."""
    ended_items: tuple[Item, ...]
    """Items whose last year is over; none of them may come back."""
    ended_codes: tuple[Code, ...]
    """Codes whose last year is over, of every set."""
    usual_mode: str
    """The way of collecting that is or was used for the year's return."""
    _values: Mapping[str, frozenset[str]]
    _limits: Mapping[tuple[str, str, str], Limit]
    _allowed: Mapping[str, Mapping[str, frozenset[str]]]

    @property
    def return_(self) -> str:
        """Name of the return: cla or crcs."""
        return self.header.return_

    @property
    def year(self) -> int:
        """Year of the 31 March the collection year ends on."""
        return self.header.year

    @property
    def mode(self) -> str:
        """census_date: those present on 31 March; all_year: everyone at any time in the year."""
        return self.header.mode

    @property
    def projected(self) -> bool:
        """Whether nothing was seen of the year's guidance: that of the year before is taken to hold."""
        return self.header.projected

    @property
    def first_day(self) -> dt.date:
        """1 April on which the collection year begins."""
        return self.header.first_day

    @property
    def last_day(self) -> dt.date:
        """31 March on which the collection year ends."""
        return self.header.last_day

    @property
    def quarter_day(self) -> dt.date | None:
        """Day by which a plan must be in place to count on 31 March; None where there is no such test."""
        return self.header.quarter_day if self.mode == CENSUS_DATE else None

    @property
    def forms(self) -> tuple[str, ...]:
        """Names of the forms with at least one item in force, in file order."""
        return tuple(self.items_by_form)

    def items(self, form: str) -> tuple[Item, ...]:
        """Return the items of a form in column order; InputError for a form not in force."""
        try:
            return self.items_by_form[form]
        except KeyError:
            raise InputError(
                f"the {self.return_} return has no form {form!r} in {self.year}; it has {', '.join(self.forms)}"
            ) from None

    def item(self, form: str, name: str) -> Item:
        """Return one item of a form by its machine name; InputError when it is not in force."""
        for item in self.items(form):
            if item.name == name:
                return item
        raise InputError(f"form {form} of the {self.return_} return has no item {name} in {self.year}")

    def codes(self, code_set: str) -> tuple[Code, ...]:
        """Return the codes of a set in file order, not-applicable codes included; InputError if unknown."""
        try:
            return self.codes_by_set[code_set]
        except KeyError:
            raise InputError(
                f"the {self.return_} return has no code set {code_set!r} in {self.year}; "
                f"it has {', '.join(self.codes_by_set)}"
            ) from None

    def values(self, code_set: str) -> frozenset[str]:
        """Return the codes of a set as text; InputError for an unknown set."""
        self.codes(code_set)
        return self._values[code_set]

    def limit(self, item: str, code: str, measure: str) -> float | None:
        """Return a limit, itself allowed, as a number; None when there is none. ValueError if it is a day."""
        row = self._limits.get((item, code, measure))
        if row is None:
            return None
        if row.unit == "date":
            raise ValueError(f"limit {measure} of {item} {code} is a day: ask limit_date for it")
        return float(row.value)

    def limit_date(self, item: str, code: str, measure: str) -> dt.date | None:
        """Return a limit that is a day, itself allowed; None when there is none. ValueError if a number."""
        row = self._limits.get((item, code, measure))
        if row is None:
            return None
        if row.unit != "date":
            raise ValueError(f"limit {measure} of {item} {code} is a number of {row.unit}: ask limit for it")
        return dt.date.fromisoformat(row.value)

    def allowed(self, relation: str) -> Mapping[str, frozenset[str]]:
        """Return code to partners of one relation; a code not in it is unrestricted.

        InputError for a relation that is not in force.
        """
        try:
            return self._allowed[relation]
        except KeyError:
            raise InputError(
                f"the {self.return_} return has no relation {relation!r} in {self.year}; "
                f"it has {', '.join(self._allowed)}"
            ) from None


def load(return_: str, year: int, mode: str = "") -> Guidance:
    """Return the guidance of a return (cla or crcs) for the year ending 31 March `year`; read once and kept.

    `mode` is census_date or all_year: how the care and support return is collected, by default as it was in the year.
    InputError for a return or year without guidance, or a return that is never collected that way, GuidanceError (file,
    line, column) for damaged tables.
    """
    return _shipped(return_, year, mode)


def collected_as(names: Collection[str], year: int) -> str:
    """Return how a care and support file of some items was collected: all_year where any item is asked for only so."""
    only = {item.name for item in load("crcs", year, ALL_YEAR).items("crcs")}
    only -= {item.name for item in load("crcs", year, CENSUS_DATE).items("crcs")}
    return CENSUS_DATE if only.isdisjoint(names) else ALL_YEAR


def years() -> range:
    """Return the collection years there is guidance for, the same for both returns; projected ones aside."""
    known = {row.year for row in _shipped_tables().returns if not row.projected}
    return range(min(known), max(known) + 1)


def load_from(folder: Path, return_: str, year: int) -> Guidance:
    """Return the guidance held in another folder of the same seven tables; not kept. Raises as `load` does."""
    return _select(_checked(folder), return_, year, "")


@cache
def _shipped(return_: str, year: int, mode: str) -> Guidance:
    # One way of collecting is one guidance, however it was asked for.
    if mode and _shipped(return_, year, "").mode == mode:
        return _shipped(return_, year, "")
    return _select(_shipped_tables(), return_, year, mode)


@cache
def _shipped_tables() -> Tables:
    return _checked(files("synth.guidance"))


def _checked(folder: Traversable | Path) -> Tables:
    tables = read_tables(folder)
    check_tables(tables)
    doing("guidance tables read from %s", folder)
    return tables


def _select(tables: Tables, return_: str, year: int, mode: str) -> Guidance:
    years = {r.year: r for r in tables.returns if r.return_ == return_}
    if not years:
        known = ", ".join(dict.fromkeys(r.return_ for r in tables.returns))
        raise InputError(f"there is no return {return_!r}; the returns are {known}")
    if year not in years:
        seen = [y for y, row in years.items() if not row.projected]
        ahead = [str(y) for y, row in years.items() if row.projected]
        raise InputError(
            f"there is no guidance for the {return_} return of {year!r}; give the year of 31 March, "
            f"{min(seen)} to {max(seen)}" + (f", or {' or '.join(ahead)} for a projection" if ahead else "")
        )
    usual = years[year]
    modes = {usual.mode} if usual.quarter_day is None else {CENSUS_DATE, ALL_YEAR}
    if mode and mode not in modes:
        raise InputError(f"the {return_} return is not collected as {mode!r}; expected {' or '.join(sorted(modes))}")
    header = replace(usual, mode=mode or usual.mode)

    def now(rows: Iterable[_D]) -> tuple[_D, ...]:
        return tuple(r for r in rows if r.return_ == return_ and r.in_force(year) and r.suits(header.mode))

    def ended(rows: Iterable[_D]) -> tuple[_D, ...]:
        return tuple(r for r in rows if r.return_ == return_ and r.last_year is not None and r.last_year < year)

    items, codes, limits, allowed = (
        now(tables.items),
        now(tables.codes),
        now(tables.limits),
        now(tables.allowed),
    )
    forms = _grouped((i.form, i) for i in items)
    relations = _grouped((a.relation, a) for a in allowed)
    # Lists of items that are asked for only the other way.
    either = {i.code_set for i in tables.items if i.return_ == return_ and i.in_force(year)}
    others = either - {i.code_set for i in items}
    codes = tuple(c for c in codes if c.code_set not in others)
    code_sets = _grouped((c.code_set, c) for c in codes)
    current_items = {(i.form, i.name) for i in items}
    current_codes = {(c.code_set, c.code) for c in codes}
    return Guidance(
        header=header,
        items_by_form=forms,
        codes_by_set=code_sets,
        limits=limits,
        allowed_rows=allowed,
        statements={s.rule_id: s for s in now(tables.statements)},
        notes=now(tables.notes),
        ended_items=tuple(i for i in ended(tables.items) if (i.form, i.name) not in current_items),
        ended_codes=tuple(c for c in ended(tables.codes) if (c.code_set, c.code) not in current_codes),
        usual_mode=usual.mode,
        _values={s: frozenset(c.code for c in cs) for s, cs in code_sets.items()},
        _limits={(x.item, x.code, x.measure): x for x in limits},
        _allowed={name: {r.code: r.partners for r in rows} for name, rows in relations.items()},
    )


_G = TypeVar("_G")


def _grouped(pairs: Iterable[tuple[str, _G]]) -> dict[str, tuple[_G, ...]]:
    """Gather values by name, both in the order met."""
    groups: dict[str, list[_G]] = defaultdict(list)
    for name, value in pairs:
        groups[name].append(value)
    return {name: tuple(values) for name, values in groups.items()}
