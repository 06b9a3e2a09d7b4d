"""Which form a row of headings belongs to, and where each item stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from synth.errors import InputError
from synth.guidance import ALL_YEAR, CENSUS_DATE, RETURNS, load, years
from synth.reading.kinds import UnreadableError
from synth.tables import LA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth.guidance import Guidance

__all__ = [
    "HEADING_ROWS",
    "MAX_COLUMNS",
    "NoFormError",
    "Placed",
    "Shape",
    "Wanted",
    "best_row",
    "check_headings",
    "check_repeats",
    "every_shape",
    "place",
    "recognise",
    "tidy",
    "wanted_shapes",
]

HEADING_ROWS = 20
"""Rows at the head of a file or sheet among which the headings are looked for."""
MAX_COLUMNS = 2000
"""Columns a form may have: forty items and whatever a system adds; a sheet of more is something else."""

_LEAST_ALWAYS = 0.5
"""Share of the items that must always be filled which a file needs before it is taken for a form."""
_CLEARLY = 0.1
"""Lead over the next form, as a share of its items, below which the two cannot be told apart."""


class NoFormError(UnreadableError):
    """A table that can be read but whose headings are those of no form."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a form asks for over all years: `years` holds (items, items always filled) of each distinct year.

    `codes` are the items with a list of codes in some year; a file repeats them, so they are read as categories.
    """

    return_: str
    form: str
    items: frozenset[str]
    years: tuple[tuple[frozenset[str], frozenset[str]], ...]
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the items stand: item -> column, counted from 0; `found` item -> heading as it was written.

    `others` are the columns that are no item of any year, with their headings as they were written;
    `nameless` those of them that have no heading.
    """

    columns: dict[str, int]
    found: dict[str, str]
    others: tuple[tuple[int, str], ...]
    nameless: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The forms a file may be; `named` where the form was given, so that headings need not tell."""

    shapes: tuple[Shape, ...]
    named: bool


def wanted_shapes(return_: str | None, form: str | None) -> Wanted:
    """Return the forms to choose from: all, those of one return, or the one named.

    Raises InputError, naming what there is, for a return or form there has never been.
    """
    every = every_shape()
    returns = sorted({shape.return_ for shape in every})
    if return_ is not None and return_ not in returns:
        raise InputError(f"there is no return {return_!r}; the returns are {', '.join(returns)}.")
    chosen = tuple(s for s in every if return_ in {None, s.return_} and form in {None, s.form})
    if not chosen:
        known = [s.form for s in every if return_ in {None, s.return_}]
        raise InputError(f"there is no form {form!r}; the forms are {', '.join(known)}.")
    return Wanted(chosen, form is not None)


def _collections(g: Guidance) -> Iterator[tuple[str, Guidance]]:
    """Give each form of a year with its guidance, each way it is or might be collected."""
    for form in g.forms:
        yield form, g
    if g.return_ == "crcs":
        yield "crcs", load("crcs", g.year, CENSUS_DATE if g.mode == ALL_YEAR else ALL_YEAR)


@cache
def every_shape() -> tuple[Shape, ...]:
    """Return the forms of all years with guidance, in the order of the returns."""
    found: dict[tuple[str, str], list[tuple[frozenset[str], frozenset[str]]]] = {}
    codes: dict[tuple[str, str], set[str]] = {}
    for return_ in RETURNS:
        for year in years():
            for form, g in _collections(load(return_, year)):
                items = frozenset(item.name for item in g.items(form))
                always = frozenset(item.name for item in g.items(form) if item.required == "always")
                found.setdefault((return_, form), []).append((items, always))
                coded = (item.name for item in g.items(form) if item.type == "code" and item.name != LA)
                codes.setdefault((return_, form), set()).update(coded)
    return tuple(
        Shape(
            return_,
            form,
            frozenset().union(*(items for items, _ in by_year)),
            tuple(dict.fromkeys(by_year)),
            frozenset(codes[return_, form]),
        )
        for (return_, form), by_year in found.items()
    )


def tidy(heading: str) -> str:
    """Write a heading as the items are named: capitals, one underscore for spaces, hyphens and stops."""
    return re.sub(r"[\s_.\-]+", "_", heading.replace("\ufeff", "").strip()).strip("_").upper()


def best_row(rows: Sequence[Sequence[str]], wanted: Wanted) -> int:
    """Return which of some rows holds most items of any one form; the first row where none holds any."""
    return max(range(len(rows)), key=lambda n: (_most(rows[n], wanted), -n))


def _most(row: Sequence[str], wanted: Wanted) -> int:
    tidied = {tidy(cell) for cell in row[:MAX_COLUMNS]}
    return max(len(tidied & shape.items) for shape in wanted.shapes)


def recognise(headings: Sequence[str], wanted: Wanted, shown: str) -> Shape:
    """Return the form the headings fit best; `wanted` are the forms to choose from.

    A form fits when at least half of the items that must always be filled in some year are there; the best
    must lead the next by a tenth of its items. Where the form was named, one item of it will do. Raises
    NoFormError (an InputError) where none fits or two fit alike.
    """
    tidied = {tidy(heading) for heading in headings[:MAX_COLUMNS]}
    choice = wanted.shapes
    if wanted.named and tidied & choice[0].items:
        return choice[0]
    fitting = sorted(((_share(shape, tidied), n) for n, shape in enumerate(choice)), reverse=True)
    fitting = [(share, n) for share, n in fitting if share > 0]
    if not fitting:
        raise NoFormError(_none_fits(headings, choice, tidied, shown))
    if len(fitting) > 1 and fitting[0][0] - fitting[1][0] < _CLEARLY:
        first, second = (choice[n].form for _, n in fitting[:2])
        raise NoFormError(
            f"{shown}: the headings fit the form {first} as well as the form {second}. "
            f"Save one file for each form, or name the form with --form."
        )
    return choice[fitting[0][1]]


def _share(shape: Shape, tidied: set[str]) -> float:
    """Return the share of the form's items that are there, in the year that fits best; 0 where it does not fit."""
    shares = [
        len(tidied & items) / len(items)
        for items, always in shape.years
        if len(tidied & always) >= _LEAST_ALWAYS * len(always)
    ]
    return max(shares, default=0.0)


def _none_fits(headings: Sequence[str], wanted: Sequence[Shape], tidied: set[str], shown: str) -> str:
    filled = [heading for heading in headings if heading.strip()]
    found = ", ".join(_short(heading) for heading in filled[:5]) + (" ..." if len(filled) > 5 else "")  # noqa: PLR2004
    nearest = max(wanted, key=lambda shape: len(tidied & shape.items))
    items, always = nearest.years[-1]
    there = len(tidied & nearest.items)
    lacking = sorted(always - tidied) or sorted(items - tidied)
    near = f"the nearest form, {nearest.form}, would need {', '.join(lacking[:6])}" if there else "no item is there"
    return (
        f"{shown}: no row of headings of a form among the first {HEADING_ROWS} rows; found {found or 'nothing'}; "
        f"{near}. The forms are {', '.join(shape.form for shape in wanted)}; name the form with --form if it is one."
    )


def _short(heading: str, most: int = 30) -> str:
    shown = heading if len(heading) <= most else heading[:most] + "..."
    return repr(shown)[1:-1]


def place(headings: Sequence[str], shape: Shape, shown: str, line: int) -> Placed:
    """Find the column of each item; headings without a name are told by their number.

    `line` is the line of the headings. Raises InputError for a heading that stands more than once, in
    whatever spelling, and for more than 2,000 columns.
    """
    check_headings(headings, shown, line)
    columns: dict[str, int] = {}
    found: dict[str, str] = {}
    others: list[tuple[int, str]] = []
    for number, heading in enumerate(headings):
        name = tidy(heading)
        if name in shape.items:
            columns[name], found[name] = number, heading
        else:
            others.append((number, heading if name else f"column {number + 1} without a heading"))
    nameless = frozenset(number for number, heading in enumerate(headings) if not tidy(heading))
    return Placed(columns, found, tuple(others), nameless)


def check_headings(headings: Sequence[str], shown: str, line: int) -> None:
    """Raise InputError where there are more than 2,000 headings, or one stands more than once in whatever spelling."""
    if len(headings) > MAX_COLUMNS:
        raise InputError(
            f"{shown}, line {line}: {len(headings):,} columns; at most {MAX_COLUMNS:,} are read. Delete the empty ones."
        )
    check_repeats(headings, shown, line)


def check_repeats(headings: Sequence[str], shown: str, line: int) -> None:
    """Raise InputError, naming both columns, where a heading stands more than once in whatever spelling."""
    seen: dict[str, int] = {}
    for number, heading in enumerate(headings, start=1):
        name = tidy(heading)
        if name and name in seen:
            raise InputError(
                f"{shown}, line {line}: heading {heading!r} stands more than once (columns {seen[name]} and {number}); "
                f"keep one column of each."
            )
        seen[name] = number
