"""The rows of the guidance tables: return years, items, codes, limits, combinations and rules in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["AllowedRow", "Code", "Dated", "Item", "Limit", "Note", "ReturnYear", "Statement", "Tables"]


BOTH = "both"
"""The mode of a row that belongs to either way of collecting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """What every row carries: the years it is in force, where it comes from and how sure it is.

    `first_year` and `last_year` are years of 31 March, both inclusive; `last_year` None means still in force.
    `mode` is the way of collecting it belongs to: census_date, all_year or both.
    `basis` is confirmed (seen in a public Welsh source), england (taken from the English return) or assumed.
    """

    return_: str
    first_year: int
    last_year: int | None
    basis: str
    confidence: str
    reference: str
    mode: str = BOTH
    line: int = field(default=0, compare=False, repr=False)
    """Line of the row in its CSV file."""

    def in_force(self, year: int) -> bool:
        """Return whether the row holds in the collection year that ends on 31 March of `year`."""
        return self.first_year <= year and (self.last_year is None or year <= self.last_year)

    def suits(self, mode: str) -> bool:
        """Return whether the row belongs to a way of collecting."""
        return self.mode in {BOTH, mode}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnYear(Dated):
    """One return in one collection year: `first_day` to `last_day` inclusive.

    `quarter_day` is the day by which a plan must be in place to count on the census date; None for a return that is
    never taken on it. `mode` is the way it was collected: census_date or all_year. `projected` says that nothing was
    seen of the year's guidance, and that of the year before is taken to hold.
    """

    year: int
    name: str
    first_day: dt.date
    last_day: dt.date
    quarter_day: dt.date | None
    due: str
    projected: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Dated):
    """One column of a form.

    `required` is always (blank is wrong), conditional (filled if and only if `condition` holds) or optional.
    `condition` reads FIELD=A|B (FIELD has one of these values) or FIELD!= (FIELD is filled).
    `min_age`, `max_age` are completed years on 31 March, inclusive; outside them the item takes
    `outside_age_code` and inside them it never does. `unique`: no value occurs twice within an authority.
    """

    form: str
    name: str
    label: str
    type: str
    required: str
    code_set: str
    min_age: int | None
    max_age: int | None
    outside_age_code: str
    condition: str
    unique: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Dated):
    """One code of a code set and what it means."""

    code_set: str
    code: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Dated):
    """A number or day that bounds an item when it has `code` (any value when `code` is blank).

    All bounds are inclusive: the value itself is still allowed. `value` is text; `unit` says how to read it.
    `item` is blank for limits on counts of a whole authority.
    """

    item: str
    code: str
    measure: str
    value: str
    unit: str
    rule: str
    severity: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedRow(Dated):
    """What `code` of `item` goes with: `partners` are values of `partner_item`, or words where that is blank.

    `partner_item` may be an item of the other return, as cla:ASYLUM.
    """

    relation: str
    item: str
    code: str
    partner_item: str
    partners: frozenset[str]
    rule: str
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Dated):
    """One rule in words: what holds in a good file.

    `fields` are the items it speaks of, empty for a whole file; `mode` is census_date, all_year or both. `unchecked`
    says why no rule checks it; empty where one does.
    """

    rule_id: str
    text: str
    severity: str
    fields: tuple[str, ...]
    unchecked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Dated):
    """What the guidance came to say about an item, or about some `codes` of it, from a year on."""

    item: str
    codes: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The seven tables of one folder, each in file order."""

    returns: tuple[ReturnYear, ...]
    items: tuple[Item, ...]
    codes: tuple[Code, ...]
    limits: tuple[Limit, ...]
    allowed: tuple[AllowedRow, ...]
    statements: tuple[Statement, ...]
    notes: tuple[Note, ...]
