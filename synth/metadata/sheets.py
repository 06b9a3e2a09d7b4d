"""The data dictionary as CSV and as a workbook."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

from synth.metadata.entries import CODE, ITEM, Entry
from synth.metadata.words import said
from synth.spreadsheets import PLAIN, neutral

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxwriter.worksheet import Worksheet

__all__ = ["dictionary_csv", "dictionary_xlsx"]

_HEADINGS = tuple(name.rstrip("_") for name in Entry._fields)
_ITEMS = tuple(name for name in Entry._fields if name != "kind")
_CODES = (
    "return_", "code_set", "name", "label_en", "label_cy", "basis", "confidence", "source", "welsh_basis",
    "welsh_source",
)  # fmt: skip
_WIDTHS = {"name": 28, "label_en": 44, "label_cy": 44, "condition": 28, "source": 60, "note": 40, "welsh_source": 44}
_WIDTH, _TEXT_WIDTH = 13, 120


def dictionary_csv(rows: Sequence[Entry]) -> bytes:
    """Return the dictionary as one table, items before codes: UTF-8, commas, a line feed after each row.

    Text that a spreadsheet would take for a formula is led by an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADINGS)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def dictionary_xlsx(rows: Sequence[Entry], year: int, banner: str = "banner") -> bytes:
    """Return the dictionary as a workbook: what it is, a sheet of items and one of codes; the same rows, same bytes.

    `banner` is the key of the words that say what stands behind the files.
    """
    import xlsxwriter  # noqa: PLC0415  only where a workbook is made

    content = io.BytesIO()
    # Text stays text, whatever it begins with.
    plain = {**PLAIN, "in_memory": True}
    with xlsxwriter.Workbook(content, plain) as book:
        created = dt.datetime(year, 3, 31)  # noqa: DTZ001  a day, the same everywhere
        title = said("dictionary")
        book.set_properties({"title": f"{title.en} / {title.cy} {year}", "created": created})
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        about = book.add_worksheet("About")
        about.set_column(0, 0, _TEXT_WIDTH, wrapped)
        about.write_string(0, 0, f"{title.en} / {title.cy} {year}", heading)
        for line, key in enumerate((banner, "about_guidance", "about_welsh", "about_english")):
            text = said(key)
            about.write_string(2 * line + 1, 0, text.en)
            about.write_string(2 * line + 2, 0, text.cy)
        for name, kind, columns in (("Items", ITEM, _ITEMS), ("Codes", CODE, _CODES)):
            sheet = book.add_worksheet(name)
            for column, field in enumerate(columns):
                sheet.set_column(column, column, _WIDTHS.get(field, _WIDTH))
                sheet.write_string(0, column, field.rstrip("_"), heading)
            height = _fill(sheet, [row for row in rows if row.kind == kind], columns)
            sheet.freeze_panes(1, columns.index("name") + 1)
            sheet.autofilter(0, 0, height, len(columns) - 1)
    return content.getvalue()


def _fill(sheet: Worksheet, rows: Sequence[Entry], columns: Sequence[str]) -> int:
    """Write rows under the headings and return how many they are."""
    places = [Entry._fields.index(field) for field in columns]
    for line, row in enumerate(rows, start=1):
        for column, place in enumerate(places):
            if row[place]:
                sheet.write_string(line, column, neutral(row[place]))
    return len(rows)
