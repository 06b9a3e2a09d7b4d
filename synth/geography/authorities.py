"""The 22 authorities in official order, and the ways a user may name them."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from functools import cache

from synth.errors import InputError
from synth.packaged import rows_in

__all__ = ["Authority", "all_authorities", "fold", "parse_authorities"]


@dataclass(frozen=True, slots=True)
class Authority:
    """One local authority; `code` is the three-digit social services code used in both returns."""

    code: str
    ons_code: str
    education_number: str
    name: str
    welsh_name: str
    order: int
    """Place in the official order, 0 to 21; part of every random stream's name."""


@cache
def all_authorities() -> tuple[Authority, ...]:
    """Return the 22 authorities in the order of their social services codes (512 to 552)."""
    return tuple(Authority(**row, order=n) for n, row in enumerate(rows_in("geography", "authorities.csv")))


def parse_authorities(text: str) -> tuple[Authority, ...]:
    """Read what the user typed: a number N (the first N), or names, ONS codes or three-digit codes.

    A bare number from 1 to 22 counts authorities; anything else is a comma list. The result is in official
    order without repeats. Raises InputError naming the first unknown entry and the nearest right one.
    """
    authorities = all_authorities()
    entries = [part.strip() for part in text.split(",") if part.strip()]
    if not entries:
        raise InputError("--authorities is empty; give a number from 1 to 22, or names such as Cardiff,Powys.")
    if len(entries) == 1 and entries[0].lstrip("-").isdecimal() and len(entries[0].lstrip("-")) <= 2:  # noqa: PLR2004
        count = int(entries[0])
        if not 1 <= count <= len(authorities):
            raise InputError(f"--authorities {count}: Wales has 22 authorities; give a number from 1 to 22.")
        return authorities[:count]
    known = _names(authorities)
    chosen: set[int] = set()
    for entry in entries:
        found = known.get(fold(entry))
        if found is None:
            raise InputError(_unknown(entry, known, authorities))
        chosen.add(found)
    return tuple(authorities[n] for n in sorted(chosen))


def _names(authorities: tuple[Authority, ...]) -> dict[str, int]:
    names: dict[str, int] = {}
    for authority in authorities:
        forms = (authority.code, authority.ons_code, authority.name, authority.welsh_name)
        names.update({fold(form): authority.order for form in forms})
    return names


def fold(name: str) -> str:
    """Return lower case without accents, hyphens or doubled spaces, so that `Ynys Mon` finds Ynys Môn."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split())


def _unknown(entry: str, known: dict[str, int], authorities: tuple[Authority, ...]) -> str:
    near = difflib.get_close_matches(fold(entry), known, n=1, cutoff=0.5)
    hint = f"did you mean {authorities[known[near[0]]].name}? " if near else ""
    accepted = "Names (English or Welsh), ONS codes and codes 512 to 552 are accepted."
    return f"--authorities: {entry!r} is not a Welsh authority; {hint}{accepted}"
