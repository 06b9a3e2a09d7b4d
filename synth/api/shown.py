"""Years and panels at a glance: one line of text, and a small table for notebooks; never rows of children."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from synth.files import FILES
from synth.geography.authorities import all_authorities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from synth.api.panel import Panel
    from synth.api.year import Year

__all__ = ["panel_line", "panel_page", "year_line", "year_page"]

_NAMED = 3
"""So many authorities are named; more are counted."""


def year_line(year: Year) -> str:
    """Say in one line which year it is, of whom, and how many rows its forms have."""
    return f"<synth.Year {_span(year.year)}: {_places(year)}; {_counts(year)}; synthetic>"


def panel_line(panel: Panel) -> str:
    """Say in one line which years there are, of whom, and how many rows each form has in all of them."""
    years = list(panel.values())
    span = f"{_span(years[0].year)} to {_span(years[-1].year)}"
    return f"<synth.Panel {span}: {_places(years[0])}; {_counts(*years)}; synthetic>"


def year_page(year: Year) -> str:
    """Return the counts of a year as HTML, with what made it."""
    rows = {name: [year.text[form].height] for form, name in FILES.items()}
    return _table(_title(year, _span(year.year)), ("File", "Rows"), rows)


def panel_page(panel: Panel) -> str:
    """Return the counts of a panel as HTML, a column for each year, with what made it."""
    years = list(panel.values())
    rows = {name: [year.text[form].height for year in years] for form, name in FILES.items()}
    span = f"{_span(years[0].year)} to {_span(years[-1].year)}"
    return _table(_title(years[0], span), ("File", *(str(year.year) for year in years)), rows)


def _span(year: int) -> str:
    """Write a collection year as people do: 2022-23."""
    return f"{year - 1}-{year % 100:02}"


def _places(year: Year) -> str:
    areas = year.authorities
    if len(areas) == len(all_authorities()):
        return "all 22 authorities"
    return ", ".join(area.name for area in areas) if len(areas) <= _NAMED else f"{len(areas)} authorities"


def _counts(*years: Year) -> str:
    rows = {form: sum(year.text[form].height for year in years) for form in FILES if form != "postcodes"}
    return ", ".join(f"{count:,} {form}" for form, count in rows.items())


def _cell(count: int) -> str:
    return f'<td style="text-align: right">{count:,}</td>'


def _title(year: Year, span: str) -> str:
    told = [f"Year ending 31 March {year.year}" if span == _span(year.year) else f"Years {span}", _places(year)]
    told += [f"seed {year.seed}", f"{year.about['mode']} mode"]
    if year.world > 1:
        told.append(f"world {year.world}")
    if "projection" in year.about:
        told.append("a projection")
    return ", ".join(told)


def _table(title: str, head: Sequence[str], rows: Mapping[str, Iterable[int]]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr><td>{escape(name)}</td>{''.join(map(_cell, counts))}</tr>" for name, counts in rows.items())
    return (
        f"<table><caption>{escape(title)}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
        "<p><small>Wholly synthetic: no row describes a real child.</small></p>"
    )
