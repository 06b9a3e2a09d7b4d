"""Slips of those who type names and dates: what each kind makes of a person, or that it can make nothing."""

from __future__ import annotations

import datetime as dt
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from synth.casefile.data import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["KINDS", "Draws", "Person", "slipped"]

Cells = dict[str, str]
_LAST_MONTH, _EVERY_MONTH_HAS = 12, 28
_SHORTEST = 3
"""Letters a word has at least that loses one or has two change places."""


class Draws(NamedTuple):
    """Uniform numbers that settle what a kind leaves open: which field, where in it, what instead."""

    field: float
    where: float
    what: float


class Person(NamedTuple):
    """A row of a file: its cells, the family name the person might also have, and the last day of the year."""

    cells: Mapping[str, str]
    other_name: str
    last: dt.date


@cache
def _others(part: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows_of("spellings.csv"):
        if row["part"] == part:
            found.setdefault(row["name"], []).append(row["other"])
    return found


@cache
def _short() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows_of("short_forms.csv"):
        found.setdefault(row["name"], []).append(row["short"])
    return found


@cache
def _beside() -> dict[str, str]:
    """Return the keys left and right of each letter."""
    found: dict[str, str] = {}
    for row in rows_of("keyboard.csv"):
        keys = row["keys"]
        found.update({key: keys[max(n - 1, 0) : n] + keys[n + 1 : n + 2] for n, key in enumerate(keys)})
    return found


@cache
def _plain() -> dict[int, str]:
    return {ord(row["letter"]): row["plain"] for row in rows_of("accents.csv")}


def _pick(options: list[str], u: float) -> str:
    return options[int(u * len(options))]


def _short_form(who: Person, draws: Draws) -> Cells:
    first, space, rest = who.cells["given_names"].partition(" ")
    return {"given_names": _pick(_short()[first], draws.what) + space + rest} if first in _short() else {}


def _spelling(who: Person, draws: Draws) -> Cells:
    found: list[Cells] = []
    for field, part, between in (("given_names", "given", " "), ("family_name", "family", "-")):
        words = who.cells[field].split(between)
        for n, word in enumerate(words):
            if word in _others(part):
                other = _pick(_others(part)[word], draws.what)
                found.append({field: between.join([*words[:n], other, *words[n + 1 :]])})
    return found[int(draws.field * len(found))] if found else {}


def _maiden_name(who: Person, _: Draws) -> Cells:
    return {"family_name": who.cells["former_name"]} if who.cells["former_name"] else {}


def _other_parents_name(who: Person, _: Draws) -> Cells:
    return {"family_name": who.other_name} if who.other_name else {}


def _double_name(who: Person, draws: Draws) -> Cells:
    name = who.cells["family_name"]
    if "-" in name:
        return {"family_name": _pick(name.split("-"), draws.what)}
    both = [f"{name}-{who.other_name}", f"{who.other_name}-{name}"]
    return {"family_name": _pick(both, draws.what)} if who.other_name and "-" not in who.other_name else {}


def _second_name_left_out(who: Person, _: Draws) -> Cells:
    return {"given_names": who.cells["given_names"].partition(" ")[0]}


def _names_swapped(who: Person, _: Draws) -> Cells:
    given, family = who.cells["given_names"], who.cells["family_name"]
    return {"given_names": family, "family_name": given}


def _typed(change: Callable[[str, int, float], str], *fields: str) -> Callable[[Person, Draws], Cells]:
    """Return a slip of one letter in one of some fields: never the first of a word, so that no cell begins oddly."""

    def write(who: Person, draws: Draws) -> Cells:
        filled = [field for field in fields if _letters(who.cells[field])]
        if not filled:
            return {}
        field = _pick(filled, draws.field)
        text, places = who.cells[field], _letters(who.cells[field])
        return {field: change(text, places[int(draws.where * len(places))], draws.what)}

    return write


def _letters(text: str) -> list[int]:
    """Return where letters stand that have a letter before and one after them, in words of some length."""
    return [n for n in range(1, len(text) - 1) if text[n - 1 : n + 2].isalpha() and len(text) > _SHORTEST]


def _transposed(text: str, n: int, _: float) -> str:
    return text[:n] + text[n + 1] + text[n] + text[n + 2 :]


def _missing(text: str, n: int, _: float) -> str:
    return text[:n] + text[n + 1 :]


def _doubled(text: str, n: int, _: float) -> str:
    return text[: n + 1] + text[n:]


def _wrong_key(text: str, n: int, u: float) -> str:
    keys = _beside().get(text[n], "")
    return text[:n] + keys[int(u * len(keys))] + text[n + 1 :] if keys else text


def _accent_missing(who: Person, draws: Draws) -> Cells:
    found: list[Cells] = []
    for field in ("given_names", "family_name", "address_line_1"):
        apart = unicodedata.normalize("NFD", who.cells[field].translate(_plain()))
        bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
        if bare != who.cells[field]:
            found.append({field: bare})
    return found[int(draws.field * len(found))] if found else {}


def _day_month_swapped(who: Person, _: Draws) -> Cells:
    day, month, year = (int(part) for part in who.cells["date_of_birth"].split("/"))
    return _dated(who, month, day, year) if day <= _LAST_MONTH else {}


def _wrong_digit(who: Person, draws: Draws) -> Cells:
    day, month, year = (int(part) for part in who.cells["date_of_birth"].split("/"))
    by = 1 if draws.what < 1 / 2 else -1
    of_year, of_day = _dated(who, day, month, year + by), _dated(who, day + by, month, year)
    return of_year or of_day if draws.field < 1 / 2 else of_day or of_year


def _dated(who: Person, day: int, month: int, year: int) -> Cells:
    """Write a date of birth, if there is such a day and it is past."""
    if not 1 <= day <= _EVERY_MONTH_HAS or dt.date(year, month, day) > who.last:
        return {}
    return {"date_of_birth": f"{day:02d}/{month:02d}/{year}"}


_NAMES = ("given_names", "family_name")
_WRITE: dict[str, Callable[[Person, Draws], Cells]] = {
    "short_form": _short_form,
    "welsh_spelling": _spelling,
    "maiden_name": _maiden_name,
    "other_parents_name": _other_parents_name,
    "double_name": _double_name,
    "second_name_left_out": _second_name_left_out,
    "names_swapped": _names_swapped,
    "letters_transposed": _typed(_transposed, *_NAMES, "address_line_1"),
    "letter_missing": _typed(_missing, *_NAMES, "address_line_1"),
    "letter_doubled": _typed(_doubled, *_NAMES),
    "wrong_key": _typed(_wrong_key, *_NAMES, "address_line_1"),
    "accent_missing": _accent_missing,
    "day_month_swapped": _day_month_swapped,
    "wrong_digit": _wrong_digit,
}
KINDS = tuple(_WRITE)
"""Kinds of slip in a row; a person written twice is one of its own."""


def slipped(kind: str, who: Person, draws: Draws) -> Cells:
    """Return the cells that a kind of slip changes in a row and what it writes there; none where it makes nothing."""
    found = _WRITE[kind](who, draws)
    return found if any(who.cells[field] != text for field, text in found.items()) else {}
