"""Mistakes in single cells, as people and spreadsheets make them: where each may happen and what it writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.from_items import item_rule_id
from synth.rules.pupil_number import LETTERS, UPN
from synth.spoil.mistakes import Change, Mistake
from synth.tables import LA, child_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np

    from synth.guidance import Guidance, Item
    from synth.spoil.mistakes import Child
    from synth.tables import Tables

    Random = np.random.Generator

__all__ = ["CELL_KINDS", "CellKind", "cell_mistakes"]

_DATE = r"^\d{2}/\d{2}/\d{4}$"
_EXCEL_DAY_0 = dt.date(1899, 12, 30)
_KEYS = ("LOCAL_AUTHORITY_CODE", "SYSTEM_ID", "CHILD_CODE")
_LAST_MONTH = 12


@dataclass(frozen=True, slots=True)
class CellKind:
    """One kind of mistake in a cell.

    `may` says for an item which of its cells can suffer it (None: none), given their text; `write` makes the new
    text from the old. `breaks` names the check of the item that is bound to notice, "" where none is.
    """

    name: str
    words: str
    may: Callable[[Item, Guidance], pl.Expr | None]
    write: Callable[[str, Item, Guidance, Random], str | None]
    breaks: Callable[[str, Item], str]


def cell_mistakes(
    kind: CellKind, tables: Tables, guidance: Iterable[Guidance], wanted: int, used: set[Child], rng: Random
) -> list[Mistake]:
    """Return up to `wanted` mistakes of a kind, spread evenly over the items that can suffer it."""
    places = [
        (g, form, item, may)
        for g in guidance
        for form in g.forms
        if form in tables
        for item in g.items(form)
        if item.name not in tables[form].missing and item.name not in _KEYS
        if (may := kind.may(item, g)) is not None
    ]
    found: list[Mistake] = []
    taken = set(used)
    queues = {(form, item.name): _rows(tables, form, may, rng) for _, form, item, may in places}
    while places and len(found) < wanted:
        n = int(rng.integers(len(places)))
        g, form, item, _ = places[n]
        mistake = _next(kind, tables, g, form, item, queues[form, item.name], taken, rng)
        if mistake is None:
            places.pop(n)
            continue
        taken.add(mistake.child)
        found.append(mistake)
    return found


def _rows(tables: Tables, form: str, may: pl.Expr, rng: Random) -> Iterator[int]:
    rows = tables.text(form).select(may.fill_null(value=False)).to_series().arg_true().to_numpy()
    return iter(rng.permutation(rows).tolist())


def _next(
    kind: CellKind, tables: Tables, g: Guidance, form: str, item: Item, rows: Iterator[int], used: set[Child],
    rng: Random,
) -> Mistake | None:  # fmt: skip
    """Return a mistake in the next row of a child that has none yet; None when there are no more."""
    text = tables.text(form)
    las, ids, cells = text[LA], text[child_column(form)], text[item.name]
    for row in rows:
        child = (las[row], ids[row])
        old = cells[row]
        if child in used or old is None:
            continue
        new = kind.write(old, item, g, rng)
        if new == old:
            continue
        check = kind.breaks(form, item)
        rules = (item_rule_id(g, form, item, check),) if check else ()
        return Mistake(kind.name, child, (Change(form, row, {item.name: new}),), rules)
    return None


def _typed(*types: str) -> Callable[[Item, Guidance], pl.Expr | None]:
    return lambda item, _: pl.col(item.name).is_not_null() if item.type in types else None


def _shape_check(form: str, item: Item, *, of_number: str = "length") -> str:
    """Return the check that sees a cell of the wrong shape: codes, dates, whole numbers, postcodes, pupil numbers.

    The census asks for length, digits and letter of a pupil number one by one.
    """
    kinds = {"code": "list", "date": "date", "integer": "number", "postcode": "postcode"}
    if item.type == "upn":
        return of_number if form == "crcs" else "upn"
    return "year" if item.name == "YEAR_CODE" else kinds.get(item.type, "")


def _letter_check(form: str, item: Item) -> str:
    return _shape_check(form, item, of_number="letter")


def _swappable(item: Item, _: Guidance) -> pl.Expr | None:
    if item.type != "date":
        return None
    cell = pl.col(item.name)
    day, month = cell.str.slice(0, 2).cast(pl.Int32, strict=False), cell.str.slice(3, 2).cast(pl.Int32, strict=False)
    return cell.str.contains(_DATE) & (day <= _LAST_MONTH) & (day != month)


def _transposable(item: Item, _: Guidance) -> pl.Expr | None:
    return pl.col(item.name).str.contains(UPN) if item.type == "upn" else None


def _transpose(old: str, _i: Item, _g: Guidance, rng: Random) -> str:
    places = [n for n in range(4, 11) if old[n] != old[n + 1]]
    if not places:
        return old
    n = places[int(rng.integers(len(places)))]
    return old[:n] + old[n + 1] + old[n] + old[n + 2 :]


def _another_letter(old: str, _i: Item, _g: Guidance, rng: Random) -> str:
    others = [letter for letter in LETTERS if letter != old[0]]
    return others[int(rng.integers(len(others)))] + old[1:]


def _ended_codes(item: Item, g: Guidance) -> list[str]:
    if item.type != "code":
        return []
    return sorted(code.code for code in g.ended_codes if code.code_set == item.code_set)


def _lettered(item: Item, _: Guidance) -> pl.Expr | None:
    if item.type not in {"code", "postcode", "upn"}:
        return None
    code = pl.col(item.name).cast(pl.String)
    return code.str.to_lowercase() != code


def _spaced(old: str, _i: Item, _g: Guidance, rng: Random) -> str:
    return (f" {old}", f"{old} ", f"{old}  ")[int(rng.integers(3))]


def _day(old: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(old, "%d/%m/%Y").date()  # noqa: DTZ007  a day has no time zone
    except ValueError:
        return None


def _mangled_date(old: str, _i: Item, _g: Guidance, rng: Random) -> str:
    day = _day(old)
    if day is None:
        return old
    return (str((day - _EXCEL_DAY_0).days), day.strftime("%d-%b-%y"), "########")[int(rng.integers(3))]


def _digits(item: Item, _: Guidance) -> pl.Expr | None:
    return pl.col(item.name).cast(pl.String).str.contains(r"^\d+$") if item.type == "code" else None


def _required(item: Item, _: Guidance) -> pl.Expr | None:
    return pl.col(item.name).is_not_null() if item.required == "always" else None


CELL_KINDS = (
    CellKind(
        "day-month-swapped", "day and month of a date change places; a real date still, so rules may not notice",
        _swappable, lambda old, _i, _g, _r: f"{old[3:5]}/{old[:2]}/{old[6:]}", lambda _f, _i: "",
    ),
    CellKind(
        "digits-transposed", "two neighbouring digits of a pupil number change places", _transposable, _transpose,
        lambda _f, _i: "letter",
    ),
    CellKind(
        "wrong-check-letter", "a pupil number begins with another letter", _transposable, _another_letter,
        lambda _f, _i: "letter",
    ),
    CellKind(
        "old-code", "a code of an earlier list, no longer in use",
        lambda item, g: pl.col(item.name).is_not_null() if _ended_codes(item, g) else None,
        lambda _o, item, g, rng: str(rng.choice(_ended_codes(item, g))), lambda _f, _i: "list",
    ),
    CellKind(
        "lower-case", "a code or postcode in small letters", _lettered, lambda old, _i, _g, _r: old.lower(),
        _letter_check,
    ),
    CellKind(
        "stray-spaces", "spaces before or after a value", _typed("code", "date", "postcode", "upn"), _spaced,
        _shape_check,
    ),
    CellKind(
        "excel-date", "a date as a spreadsheet leaves it: a day count, 03-May-22, or ########", _typed("date"),
        _mangled_date, lambda _f, _i: "date",
    ),
    CellKind(
        "excel-number", "a numeric code as a spreadsheet leaves it: 552.0", _digits,
        lambda old, _i, _g, _r: f"{old}.0", _shape_check,
    ),
    CellKind(
        "blank-required", "nothing where something must stand on every row", _required,
        lambda _o, _i, _g, _r: None, lambda _f, _i: "required",
    ),
)  # fmt: skip
"""Kinds of mistake in one cell, in the order they are listed."""
