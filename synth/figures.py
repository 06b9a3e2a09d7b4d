"""National figures to hold a generated year against; figures.csv says which published cells give each one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.errors import ProfileError
from synth.levels import KINDS, national_total
from synth.profile.model import Figure
from synth.published import WALES, Row, Tables, number, read_csv

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["published_figures"]

_COLUMNS = ("figure", "label", "year", "unit", "formula", "numerator", "denominator", "note")
_FORMULAS = ("value", "share", "before_change")
_TOTALS = {
    "looked_after": ("looked_after", "Children looked after on 31 March"),
    "care_and_support": ("care_and_support", "Children receiving care and support on 31 March"),
}
_Interval = tuple[float, float, float]
"""Value, low and high."""


def published_figures(tables: Tables, year: int) -> tuple[Figure, ...]:
    """Return the figures of one collection year, totals first, each with the interval its rounding leaves.

    A share is in percent. Raises ProfileError naming the line of figures.csv whose cells cannot be found.
    """
    found: list[Figure] = []
    for kind in KINDS:
        total = national_total(tables, kind, year)
        if total:
            value, slack, source = total
            name, label = _TOTALS[kind]
            found.append(_figure(name, label, year, (value, value - slack, value + slack), "count", source))
    path = tables.folder / "figures.csv"
    for line, cells in read_csv(path, _COLUMNS):
        if int(number(path, line, "year", cells["year"])) != year:
            continue
        if cells["formula"] not in _FORMULAS:
            raise ProfileError(
                f"{path} line {line}, column formula: {cells['formula']!r}; expected one of {', '.join(_FORMULAS)}.",
            )
        top, source = _sum(tables, path, line, "numerator", cells["numerator"], year)
        interval = top
        if cells["formula"] != "value":
            bottom, other = _sum(tables, path, line, "denominator", cells["denominator"], year)
            source = source if other == source else f"{source} / {other}"
            interval = _share(top, bottom) if cells["formula"] == "share" else _before(top, bottom)
        found.append(_figure(cells["figure"], cells["label"], year, interval, cells["unit"], source, cells["note"]))
    return tuple(found)


def _figure(name: str, label: str, year: int, interval: _Interval, unit: str, source: str, note: str = "") -> Figure:
    value, low, high = (round(float(x), 3) for x in interval)
    return Figure(
        name=name,
        label=label,
        year=year,
        value=value,
        low=low,
        high=high,
        unit=unit,
        source=source,
        note=note,
    )


def _share(top: _Interval, bottom: _Interval) -> _Interval:
    """Percent of one in the other; the rounding of the much larger denominator is left out."""
    return top[0] / bottom[0] * 100, top[1] / bottom[0] * 100, top[2] / bottom[0] * 100


def _before(later: _Interval, change: _Interval) -> _Interval:
    """Take a figure back a year by its rise in percent."""
    return tuple(x / (1 + change[0] / 100) for x in later)  # type: ignore[return-value]


def _sum(tables: Tables, path: Path, line: int, column: str, text: str, year: int) -> tuple[_Interval, str]:
    """Add up the cells a formula names: terms joined by " + " or " - "."""
    value = low = high = 0.0
    sources: list[str] = []
    for plus in text.split(" + "):
        for n, term in enumerate(plus.split(" - ")):
            sign = -1 if n else 1
            row = _cell(tables, f"{path} line {line}, column {column}", term, year)
            width = tables.half_width(row)
            value += sign * (row.value or 0.0)
            low += sign * (row.value or 0.0) - width
            high += sign * (row.value or 0.0) + width
            name = f"{row.table} {row.source}"
            if name not in sources:
                sources.append(name)
    return (value, low, high), ", ".join(sources)


def _cell(tables: Tables, where: str, term: str, year: int) -> Row:
    """Find the one cell named `table|measure|dim1|dim2|unit|source`, then `|year` or `|basis`."""
    parts = term.split("|")
    if len(parts) not in (6, 7):
        raise ProfileError(f"{where}: {term!r} has {len(parts)} parts; expected table|measure|dim1|dim2|unit|source.")
    table, measure, dim1, dim2, unit, source, *more = parts
    basis = ""
    if more and more[0].isdecimal():
        year = int(more[0])
    elif more:
        basis = more[0]
    rows = tables.find(table, measure, year, geography=WALES, dim1=dim1, dim2=dim2, unit=unit, source=source)
    rows = [row for row in rows if row.value is not None and (row.basis == basis or not basis)]
    if len(rows) != 1:
        raise ProfileError(f"{where}: {term!r} fits {len(rows)} published cells of {year}; expected exactly one.")
    return rows[0]
