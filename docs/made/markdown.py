"""Markdown out of values: tables, cells, anchors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["anchor", "code", "plain", "span", "table"]


def plain(text: str) -> str:
    """Return text in which nothing is read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", text)


def code(text: str) -> str:
    """Return a machine name, as such."""
    return f"`{text}`"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; cells are Markdown, in which a bar stands with a backslash before it."""
    return [
        "| " + " | ".join(columns) + " |",
        "|" + " --- |" * len(columns),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def span(first: int, last: int | None) -> str:
    """Return years of 31 March, both inclusive, in words; `last` None is still in force."""
    if last is None:
        return f"{first} on"
    return str(first) if first == last else f"{first} to {last}"


def anchor(heading: str) -> str:
    """Return the anchor of a heading as the site and code hosts give it: lower case, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
