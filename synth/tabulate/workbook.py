"""The standard tables as a workbook: a sheet a table, authorities down and categories across.

Written with XlsxWriter: polars' own writer needs it too, but writes one frame with one line of headings a sheet, and
these have titles, notes and headings of several lines. It depends on nothing else, and dates the members of the
archive alike, so that the same figures give the same bytes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import xlsxwriter

from synth.spreadsheets import PLAIN, neutral
from synth.tabulate.printing import Convention
from synth.tabulate.writing import banner, measure_words, rounding_notes, unit_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from synth.tabulate.figures import Entry, Standard
    from synth.tabulate.printing import Convention

__all__ = ["WORKBOOK", "write_workbook"]

WORKBOOK = "tables.xlsx"
_CONTENTS = "Contents"
_LONGEST_NAME = 31
"""Characters a sheet's name may have."""
_FIRST_WIDTH, _WIDTH = 44, 17

_Column: TypeAlias = tuple[str, str, str, str]
"""Measure, two categories and unit: the lines of a heading."""


@dataclass(frozen=True, slots=True)
class _Formats:
    """The formats of a book; those of numbers by their digits after the point."""

    title: Format
    banner: Format
    heading: Format
    first: Format
    plain: Format
    hidden: Format
    numbers: dict[int, Format]


def write_workbook(standard: Standard, path: Path) -> None:
    """Write all tables of a year into one workbook, with a sheet of contents and notes before them.

    Figures are numbers with the digits they are printed with, hidden ones text. The same figures give the same bytes.
    """
    with xlsxwriter.Workbook(str(path), PLAIN) as book:
        created = dt.datetime(standard.year, 3, 31)  # noqa: DTZ001  a day, the same everywhere
        book.set_properties(
            {"title": f"Standard tables {standard.year}", "comments": banner(standard), "created": created}
        )
        formats = _formats(book, standard)
        tables = standard.by_table()
        _contents(book.add_worksheet(_CONTENTS), standard, formats)
        for table, entries in tables.items():
            _sheet(book.add_worksheet(table[:_LONGEST_NAME]), standard, entries, formats)


def _formats(book: Workbook, standard: Standard) -> _Formats:
    digits = sorted({entry.how.decimals for entry in standard.entries})
    return _Formats(
        title=book.add_format({"bold": True, "font_size": 14}),
        banner=book.add_format({"bold": True, "font_color": "#9C0006"}),
        heading=book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        first=book.add_format({"bold": True}),
        plain=book.add_format(),
        hidden=book.add_format({"align": "right"}),
        numbers={n: book.add_format({"num_format": "#,##0" + ("." + "0" * n if n else "")}) for n in digits},
    )


def _contents(sheet: Worksheet, standard: Standard, formats: _Formats) -> None:
    sheet.set_column(0, 0, _FIRST_WIDTH)
    lines = [(f"Standard tables, year ending 31 March {standard.year}", formats.title)]
    lines += [(banner(standard), formats.banner), ("", formats.plain)]
    row = _lines(sheet, 0, lines)
    for table, entries in standard.by_table().items():
        sheet.write_string(row, 0, neutral(table), formats.first)
        sheet.write_string(row, 1, neutral(_title(entries)), formats.plain)
        row += 1
    if standard.notes:
        left = [("", formats.plain), ("Left out", formats.first)]
        _lines(sheet, row, [*left, *((note, formats.plain) for note in standard.notes)])
    sheet.freeze_panes(2, 0)


def _sheet(sheet: Worksheet, standard: Standard, entries: Sequence[Entry], formats: _Formats) -> None:
    """Fill a sheet: title, banner, a grid of authorities if there are any, a list of the rest, notes on rounding."""
    table = entries[0].table
    row = _lines(
        sheet,
        0,
        [
            (f"{table}: {_title(entries)}, {standard.year}", formats.title),
            (banner(standard), formats.banner),
            ("", formats.plain),
        ],
    )
    local = {(e.measure, e.unit) for e in entries if not e.national}
    grid = [e for e in entries if (e.measure, e.unit) in local]
    listed = [e for e in entries if (e.measure, e.unit) not in local]
    frozen = row
    if grid:
        row, frozen = _grid(sheet, row, grid, formats)
    if listed:
        row, below = _list(sheet, row, listed, formats)
        frozen = frozen if grid else below
    notes = [("Notes", formats.first), *((line, formats.plain) for line in rounding_notes(entries))]
    _lines(sheet, row, notes)
    sheet.set_column(0, 0, _FIRST_WIDTH)
    sheet.set_column(1, max(3, len({_column(e) for e in grid})), _WIDTH)
    sheet.freeze_panes(frozen, 1)


def _grid(sheet: Worksheet, top: int, entries: Sequence[Entry], formats: _Formats) -> tuple[int, int]:
    """Write places down and categories across; returns the row after it, and the first row under its heading."""
    columns = {column: n for n, column in enumerate(dict.fromkeys(map(_column, entries)), start=1)}
    lines = [n for n in range(4) if any(column[n] for column in columns)]
    for line, part in enumerate(lines):
        sheet.write_string(top + line, 0, "Authority" if part == lines[-1] else "", formats.heading)
        for column, n in columns.items():
            sheet.write_string(top + line, n, neutral(column[part]), formats.heading)
    first = top + len(lines)
    places = {place: n for n, place in enumerate(_places(entries), start=first)}
    for place, row in places.items():
        sheet.write_string(row, 0, neutral(place), formats.first)
    for entry in entries:
        _figure(sheet, places[entry.name], columns[_column(entry)], entry, formats)
    return first + len(places) + 1, first


def _places(entries: Sequence[Entry]) -> list[str]:
    """Return the names of places, authorities in official order and Wales under them as their sum."""
    return list(dict.fromkeys(e.name for e in sorted(entries, key=lambda e: e.national)))


def _list(sheet: Worksheet, top: int, entries: Sequence[Entry], formats: _Formats) -> tuple[int, int]:
    """Write figures of Wales, categories down and units across; returns as `_grid`."""
    units = {unit: n for n, unit in enumerate(dict.fromkeys(e.unit for e in entries), start=3)}
    for n, words in enumerate(("Wales: measure", "category", "", *map(unit_words, units))):
        sheet.write_string(top, n, words, formats.heading)
    rows = {key: n for n, key in enumerate(dict.fromkeys(_column(e)[:3] for e in entries), start=top + 1)}
    for key, row in rows.items():
        for n, words in enumerate(key):
            sheet.write_string(row, n, neutral(words), formats.plain)
    for entry in entries:
        _figure(sheet, rows[_column(entry)[:3]], units[entry.unit], entry, formats)
    return top + len(rows) + 2, top + 1


def _figure(sheet: Worksheet, row: int, column: int, entry: Entry, formats: _Formats) -> None:
    how: Convention = entry.how
    if entry.shown is None or entry.bounded:
        sheet.write_string(row, column, entry.text, formats.hidden)
    else:
        sheet.write_number(row, column, entry.shown, formats.numbers[how.decimals])


def _column(entry: Entry) -> _Column:
    return measure_words(entry.measure), entry.dim1, entry.dim2, unit_words(entry.unit)


def _title(entries: Sequence[Entry]) -> str:
    """Return the first measure in words, and how many others there are."""
    measures = list(dict.fromkeys(e.measure for e in entries))
    others = len(measures) - 1
    more = f" and {others} other{'s' if others > 1 else ''}" if others else ""
    return measure_words(measures[0]) + more


def _lines(sheet: Worksheet, row: int, lines: Sequence[tuple[str, Format]]) -> int:
    """Write lines one under the other; returns the row after them."""
    for n, (text, form) in enumerate(lines):
        sheet.write_string(row + n, 0, neutral(text), form)
    return row + len(lines)
