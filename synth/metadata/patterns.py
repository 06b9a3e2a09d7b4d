"""What values look like, as regular expressions that hold for the whole of a value.

They say the same as the validator's, which cannot be had without the table library; a test holds them to each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.returns.identifiers import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.guidance import Code, Item

__all__ = ["AREA", "CHILD", "CHILD_ITEMS", "POSTCODE", "UPN", "pattern"]

CHILD_ITEMS = frozenset({"SYSTEM_ID", "CHILD_CODE"})
"""Items that hold the authority's own number of a child."""
CHILD = PREFIX + "[0-9A-HJKMNP-TV-Z]{7}"
"""Identifiers of children are written with Crockford's signs, without I, L, O and U."""
UPN = "[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]"
POSTCODE = "[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}"
AREA = "W01[0-9]{6}"


def pattern(item: Item, codes: Sequence[Code]) -> str:
    """Return what a filled value of an item looks like, empty where its type says all; `codes` may stand for one."""
    if item.name in CHILD_ITEMS:
        return CHILD
    if item.type == "upn":
        return "|".join([f"({UPN})", *(code.code for code in codes)])
    return {"postcode": POSTCODE, "area": AREA}.get(item.type, "")
