"""Items of the guidance as the metadata SDMetrics asks for: kinds of columns, keys and links between forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth.guidance.rows import Item

__all__ = ["KEY", "UNTOLD", "metadata", "sdtype"]

KEY = "CHILD"
"""The column that links forms: authority and the authority's own number of the child, which alone is not unique."""
UNTOLD = {
    "text": "an identifier",
    "upn": "an identifier",
    "postcode": "a postcode",
}
"""Types of items that are compared in no way, and what they are; the other types stand in `sdtype`."""

_SDTYPES = {"code": "categorical", "date": "datetime", "integer": "numerical"}
_DATES = "%d/%m/%Y"


def sdtype(item: Item) -> str:
    """Return what SDMetrics calls the type of an item: categorical, datetime or numerical; nothing for identifiers."""
    return _SDTYPES.get(item.type, "")


def metadata(forms: Mapping[str, Iterable[Item]], parent: str = "", *, banded: Iterable[str] = ()) -> dict[str, Any]:
    """Return the metadata of some forms, each a table of its items in their order.

    Identifiers and postcodes are left out. Where `parent` names one of the forms, every form has the column KEY too,
    and the others refer to the parent by it. Items in `banded` are categories whatever their type: dates and numbers
    that were put into bands.
    """
    bands = set(banded)
    tables: dict[str, Any] = {}
    for form, items in forms.items():
        columns: dict[str, dict[str, str]] = {KEY: {"sdtype": "id"}} if parent else {}
        for item in items:
            kind = "categorical" if item.name in bands else sdtype(item)
            if kind:
                columns[item.name] = {"sdtype": kind} | ({"datetime_format": _DATES} if kind == "datetime" else {})
        tables[form] = {"columns": columns} | ({"primary_key": KEY} if form == parent else {})
    links = [
        {
            "parent_table_name": parent,
            "child_table_name": form,
            "parent_primary_key": KEY,
            "child_foreign_key": KEY,
        }
        for form in forms
        if parent and form != parent
    ]
    return {"tables": tables, "relationships": links}
