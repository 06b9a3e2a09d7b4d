"""Workbooks as authorities send them: one for each authority and return, a sheet for each form.

Written with XlsxWriter, which dates the members of the archive alike: the same records give the same bytes. Text stays
text, whatever it begins with.
"""

from __future__ import annotations

import datetime as dt
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import xlsxwriter

from synth.errors import InputError
from synth.formats.sheets import FIRST_ROW, Styles, add_codes, add_form, add_notes, coded_items, styles_of
from synth.formats.unfit import Bounds, fitting, place_of
from synth.geography.authorities import all_authorities
from synth.guidance import RETURNS
from synth.spreadsheets import PLAIN
from synth.tables import LA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth.formats.content import Content
    from synth.tables import FormTable

__all__ = ["write_workbooks"]

_BOUNDS = Bounds(earliest=dt.date(1900, 3, 1), largest=10**15 - 1)
"""Spreadsheets count days from 1900 and take that year for a leap year; beyond 15 digits they round."""
_MOST_ROWS = 1_048_576
_LONGEST = 32_767
"""Rows of a sheet, and characters (two for some rare ones) of a cell."""
_NOBODY = "no-authority"
_ROW = "row"


@dataclass(frozen=True, slots=True)
class _Form:
    """A form as cells: text as it was, and dates and whole numbers where they can be read; `whose` row it is."""

    text: pl.DataFrame
    typed: pl.DataFrame
    whose: pl.Series


def write_workbooks(content: Content, folder: Path) -> None:
    """Write a workbook for each authority and return into a folder: 512_Isle-of-Anglesey_cla_2023.xlsx.

    A cell that cannot be read as the date or number it should be stays the text it was. A row goes with the authority
    it names; one that names none goes with the row above it. Raises InputError for what no sheet can hold: more than a
    million rows, a text of more than 32,767 characters.
    """
    names = {authority.code: f"{authority.code}_{authority.name.replace(' ', '-')}" for authority in all_authorities()}
    for return_ in RETURNS:
        forms = {form: _cells(table) for form, table in content.forms.items() if content.return_of(form) == return_}
        there = {code for form in forms.values() for code in form.whose.unique()}
        if forms and not there:
            # Headings without a row are a return too.
            there = {""}
        for code in sorted(there, key=lambda code: (code == "", code)):
            name = f"{names.get(code, _NOBODY)}_{return_}_{content.year}.xlsx"
            mine = {form: _rows(cells, code) for form, cells in forms.items()}
            try:
                _write_book(content, return_, mine, folder / name)
            except xlsxwriter.exceptions.FileCreateError as problem:
                # Of a full disk, which other writers call an OSError.
                raise OSError(errno.EIO, f"{name}: {problem}") from problem


def _cells(table: FormTable) -> _Form:
    typed = fitting(table, _BOUNDS)
    text = table.text.select(typed.columns).cast(pl.String)
    for name in text.columns:
        _check_text(table, text[name])
    known = [authority.code for authority in all_authorities()]
    whose = text.select(pl.when(pl.col(LA).is_in(known)).then(LA)) if LA in text.columns else text.select(pl.lit(None))
    filled = (
        whose.to_series().cast(pl.String).fill_null(strategy="forward").fill_null(strategy="backward").fill_null("")
    )
    return _Form(text, typed, filled)


def _check_text(table: FormTable, column: pl.Series) -> None:
    """Refuse texts that would be cut, or taken for the markup of a cell."""
    long = column.str.len_chars() > _LONGEST // 2
    markup = column.str.starts_with("<r>") & column.str.ends_with("</r>")
    for wrong, why in ((long, "is too long for a cell"), (markup, "would be taken for the markup of a cell")):
        if len(rows := wrong.arg_true()):
            shown = place_of(table, int(rows[0]), column.name)
            raise InputError(f"{shown} {why}. Write csv instead.")


def _rows(cells: _Form, code: str) -> _Form:
    mine = cells.whose == code
    if mine.sum() > _MOST_ROWS - FIRST_ROW:
        raise InputError(f"{mine.sum():,} rows of one authority; a sheet holds {_MOST_ROWS:,}. Write csv or parquet.")
    return _Form(cells.text.filter(mine), cells.typed.filter(mine), cells.whose.filter(mine))


def _write_book(content: Content, return_: str, forms: Mapping[str, _Form], path: Path) -> None:
    with xlsxwriter.Workbook(str(path), {**PLAIN, "in_memory": True}) as book:
        # A day, the same everywhere: not when, but for which census.
        book.set_properties({"title": path.stem, "created": dt.datetime(content.year, 3, 31)})  # noqa: DTZ001
        styles: Styles = styles_of(book)
        sheets = {form: book.add_worksheet(form) for form in forms}
        codes = add_codes(book.add_worksheet("Codes"), content.guides[return_], coded_items(content, forms), styles)
        for form, cells in forms.items():
            add_form(sheets[form], content, form, cells.text, cells.typed, codes, styles)
        add_notes(book.add_worksheet("Notes"), content, return_, tuple(forms), styles)
