"""The files of a year as they are described: their forms, items and codes, and which items name a row or a child."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from synth.guidance import RETURNS, Item, load
from synth.metadata.words import Text, read

if TYPE_CHECKING:
    from synth.guidance import Code, Guidance

__all__ = ["ADDED", "Described", "described"]

ADDED = "synth"
"""Stands for the return of files that belong to none."""


@dataclass(frozen=True, slots=True)
class Described:
    """One file of a year: a form of a return, or what the generator adds.

    `key` are the items that together name a row, `within` the form whose rows these belong to by the child they name,
    empty for none, `home` the item whose postcodes all stand in the file of postcodes, empty for none.
    """

    form: str
    return_: str
    title: Text
    about: Text
    items: tuple[Item, ...]
    key: tuple[str, ...]
    within: str
    home: str
    guidance: Guidance | None = None

    def codes(self, item: Item) -> tuple[Code, ...]:
        """Return the codes an item may have, none where it has no list."""
        return self.guidance.codes(item.code_set) if self.guidance is not None and item.code_set else ()


@lru_cache(maxsize=8)
def described(year: int, collection: str) -> tuple[Described, ...]:
    """Return the files of a year in the order in which they are written; `collection` is census_date or all_year."""
    guidance = {name: load(name, year, collection if name == "crcs" else "") for name in RETURNS}
    forms = {form: g for g in guidance.values() for form in g.forms}
    return tuple(
        Described(
            form=row["form"],
            return_=g.return_ if (g := forms.get(row["form"])) is not None else ADDED,
            title=Text(row["en"], row["cy"]),
            about=Text(row["about_en"], row["about_cy"]),
            items=g.items(row["form"]) if g is not None else _added(row["form"]),
            key=tuple(row["key"].split("|")),
            within=row["within"],
            home=row["home"],
            guidance=g,
        )
        for row in read("forms.csv")
        if row["collection"] in {"", collection}
    )


@cache
def _added(form: str) -> tuple[Item, ...]:
    """Return the items of a file that belongs to no return."""
    return tuple(
        Item(
            return_=ADDED,
            form=form,
            name=row["name"],
            label=row["label"],
            type=row["type"],
            required=row["required"],
            code_set="",
            min_age=None,
            max_age=None,
            outside_age_code="",
            condition="",
            unique=row["unique"] == "yes",
            first_year=0,
            last_year=None,
            basis=row["basis"],
            confidence=row["confidence"],
            reference=row["reference"],
            note=row["note"],
        )
        for row in read("added.csv")
        if row["form"] == form
    )
