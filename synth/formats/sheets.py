"""The sheets of a workbook: a form with drop-down lists, the codes behind them, and notes on all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.reading.workbook import NO_FORM
from synth.spreadsheets import neutral
from synth.tables import child_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from synth.formats.content import Content
    from synth.guidance import Guidance
    from synth.guidance.rows import Item

__all__ = ["FIRST_ROW", "Styles", "add_codes", "add_form", "add_notes", "coded_items", "styles_of"]

FIRST_ROW = 3
"""Rows above the first record: what the records are, the items in words, the headings."""
_WORDS_ROW, _HEADING_ROW = 1, 2
_LAST_ROW = 1_048_575
_NARROWEST, _WIDEST, _ROOM = 10, 28, 4
"""Characters a column is wide; its heading has a button beside it."""
_A4 = 9
"""The paper size of that name."""
_DAY_NONE = -25_569
"""Day 0 of a spreadsheet, 30 December 1899, counted from 1 January 1970."""
_SYNTHETIC = (
    "Synthetic: every record is made up from published statistics and assumptions. No row describes a real child."
)
_UNKNOWN = "Converted by synth, which does not know whose records these are. Treat them like the files they come from."
_TYPES = {"date": "date", "integer": "whole number", "code": "code", "upn": "pupil number", "postcode": "postcode"}
_ASKED = {"always": "always filled", "optional": "may be blank"}


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of a book. Text of any look stays text, also when somebody goes into the cell and out again."""

    banner: Format
    words: Format
    heading: Format
    text: Format
    quoted: Format
    date: Format
    whole: Format
    plain: Format
    wrapped: Format


def styles_of(book: Workbook) -> Styles:
    """Return the formats of a book, added to it."""
    return Styles(
        banner=book.add_format({"bold": True, "font_color": "#9C0006"}),
        words=book.add_format({"italic": True, "font_color": "#595959", "text_wrap": True, "valign": "bottom"}),
        heading=book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#DDEBF7"}),
        text=book.add_format({"num_format": "@"}),
        quoted=book.add_format({"num_format": "@", "quote_prefix": True}),
        date=book.add_format({"num_format": "dd/mm/yyyy", "align": "left"}),
        whole=book.add_format({"num_format": "0", "align": "left"}),
        plain=book.add_format(),
        wrapped=book.add_format({"text_wrap": True, "valign": "top"}),
    )


def coded_items(content: Content, forms: Iterable[str]) -> tuple[Item, ...]:
    """Return the items of some forms that have a list of codes."""
    return tuple(item for form in forms for item in content.items(form) if item.code_set)


def add_form(
    sheet: Worksheet,
    content: Content,
    form: str,
    text: pl.DataFrame,
    typed: pl.DataFrame,
    codes: Mapping[str, str],
    styles: Styles,
) -> None:
    """Fill a sheet with a form: `text` as it was, `typed` what dates and whole numbers were read as, null elsewhere.

    `codes` gives the range in which the codes of each list stand, as a formula.
    """
    sheet.write_string(0, 0, _banner(content), styles.banner)
    for column, item in enumerate(content.items(form)):
        sheet.write_string(_WORDS_ROW, column, item.label, styles.words)
        sheet.write_string(_HEADING_ROW, column, item.name, styles.heading)
        style = {"date": styles.date, "integer": styles.whole}.get(item.type, styles.text)
        # Cells take the format of their column.
        sheet.set_column(column, column, _width(item.name, text[item.name]), style)
        if item.type in {"date", "integer"}:
            _add_read(sheet, column, text[item.name], typed[item.name], styles)
        else:
            _add_texts(sheet, column, text[item.name], styles)
        if item.type == "code":
            sheet.data_validation(
                FIRST_ROW, column, _LAST_ROW, column,
                {
                    "validate": "list",
                    "source": codes[item.code_set],
                    "ignore_blank": item.required != "always",
                    "error_title": "No code of the list",
                    "error_message": f"Choose a code of the list {item.code_set}; the sheet Codes says what they mean.",
                },
            )  # fmt: skip
    last = FIRST_ROW + max(text.height, 1) - 1
    sheet.autofilter(_HEADING_ROW, 0, last, text.width - 1)
    sheet.freeze_panes(
        FIRST_ROW, text.columns.index(child_column(form)) + 1 if child_column(form) in text.columns else 1
    )
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{_LAST_ROW + 1}"})
    sheet.set_row(_WORDS_ROW, 45)
    sheet.set_row(_HEADING_ROW, 32)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.repeat_rows(_WORDS_ROW, _HEADING_ROW)


def _on_paper(sheet: Worksheet) -> None:
    """Print all columns on one page."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)


def _banner(content: Content) -> str:
    return _SYNTHETIC if content.synthetic else _UNKNOWN


def _width(name: str, column: pl.Series) -> int:
    longest = int(column.str.len_chars().max() or 0)  # type: ignore[arg-type]
    return min(max(longest + 1, len(name) + _ROOM, _NARROWEST), _WIDEST)


def _add_texts(sheet: Worksheet, column: int, values: pl.Series, styles: Styles) -> None:
    """Write texts; what begins like a formula is marked as text, which it stays when somebody edits the cell."""
    unsafe = {text for text in values.unique().drop_nulls() if neutral(text) != text}
    write = sheet.write_string
    for row, text in enumerate(values, start=FIRST_ROW):
        if text is None:
            continue
        if text in unsafe:
            write(row, column, text, styles.quoted)
        else:
            write(row, column, text)


def _add_read(sheet: Worksheet, column: int, text: pl.Series, read: pl.Series, styles: Styles) -> None:
    """Write dates and whole numbers as such; what could not be read, as the text it is."""
    numbers = read.to_physical() - _DAY_NONE if read.dtype == pl.Date else read
    write = sheet.write_number
    for row, number in enumerate(numbers, start=FIRST_ROW):
        if number is not None:
            write(row, column, number)
    left = pl.select(pl.when(read.is_null()).then(text)).to_series()
    if left.null_count() < len(left):
        _add_texts(sheet, column, left, styles)


def add_codes(sheet: Worksheet, g: Guidance, items: Iterable[Item], styles: Styles) -> dict[str, str]:
    """Fill the sheet of codes, list by list; returns the range of each list's codes."""
    sheet.write_string(0, 0, f"{NO_FORM}: the codes of its items in {g.year}, list by list", styles.banner)
    for column, (heading, width) in enumerate((("List", 26), ("Code", 10), ("Meaning", 90))):
        sheet.write_string(2, column, heading, styles.heading)
        sheet.set_column(column, column, width, styles.text)
    ranges = {}
    row = 3
    for name in dict.fromkeys(item.code_set for item in items):
        first = row + 1
        for code in g.codes(name):
            for column, text in enumerate((name, code.code, code.label)):
                sheet.write_string(row, column, text)
            row += 1
        ranges[name] = f"=Codes!$B${first}:$B${row}"
    sheet.freeze_panes(3, 0)
    sheet.autofilter(2, 0, row - 1, 2)
    sheet.ignore_errors({"number_stored_as_text": f"A1:C{row}"})
    _on_paper(sheet)
    return ranges


def add_notes(sheet: Worksheet, content: Content, return_: str, forms: Iterable[str], styles: Styles) -> None:
    """Fill the sheet of notes: what the records are, how cells are to be read, and every item in words."""
    g = content.guides[return_]
    notes = [
        f"{NO_FORM}: notes on this workbook",
        f"{g.header.name}, {g.first_day:%d/%m/%Y} to {g.last_day:%d/%m/%Y}",
        _banner(content),
        "Each sheet but Codes and Notes is a form. The third row holds its headings, the second says them in words.",
        "Dates are dates and whole numbers are numbers; codes are text, also those of digits. Blank means missing.",
        "A cell that was no date or number where one should stand is the text it was.",
        "Columns of codes have drop-down lists, whose codes and meanings are on the sheet Codes.",
    ]
    for row, line in enumerate(notes):
        sheet.write_string(row, 0, line, styles.banner if row in {0, 2} else styles.plain)
    top = len(notes) + 1
    widths = {"Form": 14, "Item": 46, "Meaning": 48, "Type": 14, "Filled": 40, "List of codes": 26}
    for column, (heading, width) in enumerate(widths.items()):
        sheet.write_string(top, column, heading, styles.heading)
        sheet.set_column(column, column, width, styles.wrapped)
    items = [(form, item) for form in forms for item in content.items(form)]
    for row, (form, item) in enumerate(items, start=top + 1):
        condition = (
            f"{item.condition.removesuffix('!=')} is filled" if item.condition.endswith("!=") else item.condition
        )
        asked = _ASKED.get(item.required, f"where {condition}")
        cells = (form, item.name, item.label, _TYPES.get(item.type, "text"), asked, item.code_set)
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell)
    _on_paper(sheet)
