"""One chart: a Vega-Lite specification with its data, the same as a table, and what it shows in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CATEGORIES", "Chart", "axis", "colour", "number", "share", "specification"]

CATEGORIES = tuple(f"var(--c{n})" for n in range(7))
"""Colours that tell categories apart, by the style sheet, so that they change with light and dark."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure of the report in one language.

    `spec` is a Vega-Lite specification, or None where the table is the figure. `rows` are the table's, as text and
    numbers, one entry for each of `head`. `alt` says in words what is to be seen.
    """

    key: str
    title: str
    alt: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | int | float]]
    spec: dict[str, Any] | None = None
    note: str = ""


def specification(values: list[dict[str, Any]], height: int | dict[str, Any], **parts: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """Return a specification as wide as its place on the page."""
    return {"width": "container", "height": height, "data": {"values": values}, **parts}


def colour(field: str, names: Sequence[str], title: str | None = None, columns: int = 3) -> dict[str, Any]:
    """Return the colour of categories in their order, explained above the chart."""
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(CATEGORIES[: len(names)])},
        "legend": {"title": title, "orient": "top", "columns": columns, "labelLimit": 260},
    }


def axis(field: str, kind: str, title: str | None = None, **parts: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """Return a position with an axis of its own title."""
    return {"field": field, "type": kind, "title": title, **parts}


def number(value: float, digits: int = 0) -> str:
    """Return a number as it is read."""
    return f"{value:,.{digits}f}"


def share(part: float, whole: float, digits: int = 1) -> str:
    """Return a part in per cent."""
    return f"{100 * part / whole:.{digits}f}" if whole else "0"
