"""Metadata for SDV: the tables of a year, loaded with `Metadata.load_from_json` of SDV 2.

Tables are named as files are without their ending, as SDV's own readers of folders name them. A child is known by its
identifier alone: SDV's public synthesizers take no key of several columns, and identifiers are unique in Wales. On the
forms of adoptions and care leavers it is the foreign key and so no primary one. The file of postcodes is left out: it
is a directory, no parent whose children could be learnt from, and those synthesizers take five tables at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth.files import FILES
from synth.metadata.described import ADDED, described
from synth.metadata.patterns import CHILD, CHILD_ITEMS, UPN

if TYPE_CHECKING:
    from synth.guidance import Item

__all__ = ["sdv_metadata"]

_VERSION = "V2"
"""METADATA_SPEC_VERSION of SDV 2.0."""
_DATES = "%d/%m/%Y"


def sdv_metadata(year: int, collection: str, *, parquet: bool = False) -> dict[str, Any]:
    """Describe the tables of a year; `collection` is census_date or all_year.

    In `parquet` files days are dates, which have no format.
    """
    tables = {}
    relationships = []
    for form in described(year, collection):
        if form.return_ == ADDED:
            continue
        tables[_name(form.form)] = {
            "columns": {item.name: _column(item, parquet=parquet) for item in form.items},
            **({"primary_key": form.key[-1]} if not form.within else {}),
        }
        if form.within:
            child = form.key[1]
            relationships.append(
                {
                    "parent_table_name": _name(form.within),
                    "child_table_name": _name(form.form),
                    "parent_primary_key": child,
                    "child_foreign_key": child,
                }
            )
    return {"tables": tables, "relationships": relationships, "METADATA_SPEC_VERSION": _VERSION}


def _name(form: str) -> str:
    return FILES[form].removesuffix(".csv")


def _column(item: Item, *, parquet: bool) -> dict[str, Any]:
    """Return what SDV calls the type of a column."""
    if item.name in CHILD_ITEMS:
        return {"sdtype": "id", "regex_format": CHILD}
    if item.type == "upn":
        return {"sdtype": "id", "regex_format": UPN}
    if item.type == "date":
        return {"sdtype": "datetime", **({} if parquet else {"datetime_format": _DATES})}
    if item.type == "postcode":
        return {"sdtype": "postcode", "pii": True}
    # The year is a name, not a number to be counted with.
    counted = item.type == "integer" and item.name != "YEAR_CODE"
    return {"sdtype": "numerical" if counted else "categorical"}
