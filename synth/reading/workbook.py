"""Workbooks: each sheet with the headings of a form becomes its rows as text, under the sheet's own row numbers."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import polars as pl

from synth.reading.archive import check_archive
from synth.reading.headings import HEADING_ROWS, MAX_COLUMNS, NoFormError, best_row, place, recognise
from synth.reading.hushed import hushed
from synth.reading.kinds import UnreadableError
from synth.reading.part import Grid, Part, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from python_calamine import CalamineSheet

    from synth.reading.headings import Wanted

__all__ = ["NO_FORM", "read_workbook"]

NO_FORM = "No form of the return"
"""A sheet whose first filled cell begins so, as this program writes them beside forms, is left out without a word."""

_ROWS_AT_ONCE = 10_000
_MIDNIGHT = dt.time()
_EXACT = 1e15
"""Whole numbers below this are held without loss."""


def read_workbook(path: Path, shown: str, wanted: Wanted) -> tuple[list[Part], tuple[str, ...]]:
    """Read all sheets of a .xlsx workbook that are forms, and say in notes which sheets are none.

    The headings may stand below a few rows of other text. Dates become dd/mm/yyyy, whole numbers lose their
    decimals, true and false become 1 and 0; lines are the sheet's row numbers. Raises UnreadableError (an
    InputError) as `check_archive` does and for what the reader cannot read, NoFormError where no sheet is a
    form, InputError for a heading that stands twice.
    """
    from python_calamine import CalamineWorkbook, SheetTypeEnum  # noqa: PLC0415  only workbooks need it

    book = check_archive(path, shown)
    parts: list[Part] = []
    others: list[NoFormError] = []
    try:
        with hushed(), CalamineWorkbook.from_path(str(path)) as workbook:
            for sheet in workbook.sheets_metadata:
                if sheet.typ != SheetTypeEnum.WorkSheet:
                    continue
                try:
                    parts += _read_sheet(workbook.get_sheet_by_name(sheet.name), f"{shown} [{sheet.name}]", wanted)
                except NoFormError as problem:
                    others.append(problem)
    except (KeyboardInterrupt, SystemExit, MemoryError, NoFormError):
        raise
    except BaseException as problem:
        if not _of_reader(problem):
            raise
        reason = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
        raise UnreadableError(
            f"{shown}: the workbook cannot be read ({reason}). Open it in the spreadsheet program and save it once "
            f"more as .xlsx."
        ) from problem
    if not parts:
        if others:
            raise others[0]
        raise NoFormError(f"{shown}: the workbook has no sheet of cells. Expected a form of the return on each sheet.")
    notes = [f"{problem} The sheet is left out." for problem in others]
    if book.errors:
        many = f"{book.errors:,} cells hold" if book.errors > 1 else "one cell holds"
        notes.append(f"{shown}: {many} an error such as #N/A or #REF!; read as blank.")
    return parts, tuple(notes)


def _of_reader(problem: BaseException) -> bool:
    """Tell failures of the workbook reader from those of this program; a panic of it is no Exception."""
    from python_calamine import CalamineError  # noqa: PLC0415

    return isinstance(problem, CalamineError | OSError) or type(problem).__name__ == "PanicException"


def _read_sheet(sheet: CalamineSheet, shown: str, wanted: Wanted) -> list[Part]:
    """Read a sheet as a form; nothing where it says itself that it is none."""
    rows = enumerate(sheet.iter_rows(), start=1)
    head = list(itertools.islice(((n, row) for n, row in rows if any(cell != "" for cell in row)), HEADING_ROWS))
    if not head:
        raise NoFormError(f"{shown}: the sheet is empty; its first row must name the items of a form.")
    if str(next(cell for cell in head[0][1] if cell != "")).startswith(NO_FORM):
        return []
    named = [(line, ["" if cell == "" else _text(cell) or "" for cell in row]) for line, row in head]
    best = best_row([cells for _, cells in named], wanted)
    line, headings = named[best]
    while headings and not headings[-1].strip() and len(headings) > MAX_COLUMNS:
        headings.pop()
    shape = recognise(headings, wanted, shown)
    placed = place(headings, shape, shown, line)
    return [part_of(_grid(itertools.chain(head[best + 1 :], rows), len(headings)), placed, shape, shown)]


def _grid(rows: Iterator[tuple[int, list[Any]]], width: int) -> Grid:
    frames: list[pl.DataFrame] = []
    lines: list[pl.Series] = []
    while block := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        columns = zip(*(row for _, row in block), strict=True)
        frame = pl.DataFrame(
            [
                pl.Series(str(number), [_text(cell) for cell in column], dtype=pl.String)
                for number, column in enumerate(itertools.islice(columns, width))
            ]
        )
        filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        frames.append(frame.filter(filled))
        lines.append(pl.Series("line", [line for line, _ in block], dtype=pl.Int64).filter(filled))
    if not frames:
        empty = pl.DataFrame(schema={str(number): pl.String for number in range(width)})
        return Grid(empty, pl.Series("line", [], dtype=pl.Int64))
    return Grid(pl.concat(frames), pl.concat(lines))


def _text(cell: Any) -> str | None:  # noqa: ANN401  a cell is whatever the reader gives
    """Write a cell as a form would hold it; null where blank."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, dt.datetime):
        day = f"{cell.day:02d}/{cell.month:02d}/{cell.year:04d}"
        return day if cell.time() == _MIDNIGHT else f"{day} {cell:%H:%M:%S}"
    if isinstance(cell, dt.date):
        return f"{cell.day:02d}/{cell.month:02d}/{cell.year:04d}"
    return None if cell is None else str(cell)
