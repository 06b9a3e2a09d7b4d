"""Delimited text: the delimiter and headings found, the rows read in bulk, and each mistake named by its line."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.errors import InputError
from synth.reading.headings import HEADING_ROWS, NoFormError, best_row, place, recognise
from synth.reading.part import Grid, Part, part_of
from synth.reading.text import Text, open_text, scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synth.reading.headings import Wanted
    from synth.reading.text import Scan

__all__ = ["Heading", "first_records", "read_delimited", "read_grid"]

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Heading:
    """The row of headings: its cells as written, its first and last line (from 1) and the delimiter."""

    cells: tuple[str, ...]
    line: int
    last_line: int
    delimiter: str


def read_delimited(path: Path, shown: str, wanted: Wanted) -> Part:
    """Read one text file as the form its headings fit; `wanted` are the forms to choose from.

    Nothing is stripped; blank cells are null; empty lines are left out. Rows shorter than the headings are
    read as blank at the end, with a note. Raises UnreadableError or NoFormError (InputErrors) where it cannot be a
    form, and InputError, naming the line, for rows longer than the headings, quotes that never close, lines
    of more than 1 MB, and a heading that stands twice.
    """
    text = open_text(path, shown)
    heading = _find_heading(text, wanted)
    shape = recognise(heading.cells, wanted, shown)
    placed = place(heading.cells, shape, shown, heading.line)
    codes = frozenset(number for item, number in placed.columns.items() if item in shape.codes)
    return part_of(read_grid(text, heading, codes), placed, shape, shown)


def first_records(text: Text, delimiter: str, most: int) -> list[Heading]:
    """Return the first rows with any filled cell, read with one delimiter."""
    reader = csv.reader(io.StringIO(text.head, newline="\n"), delimiter=delimiter)
    found: list[Heading] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append(Heading(tuple(cells), line, reader.line_num, delimiter))
            if len(found) == most:
                break
            line = reader.line_num + 1
    except csv.Error:
        # A quote that swallows what follows: what stands above it is all there is to look at.
        return found
    return found


def _find_heading(text: Text, wanted: Wanted) -> Heading:
    """Return the row that holds most items, whatever the delimiter; where none does, the widest first row."""
    choices = []
    for delimiter in DELIMITERS:
        records = first_records(text, delimiter, HEADING_ROWS)
        if records:
            choices.append(records[best_row([record.cells for record in records], wanted)])
    if not choices:
        raise NoFormError(f"{text.shown}: holds no row of headings; line 1 must name the items of a form.")
    by_width = sorted(choices, key=lambda choice: -len(choice.cells))
    return by_width[best_row([choice.cells for choice in by_width], wanted)]


def read_grid(text: Text, heading: Heading, codes: frozenset[int] = frozenset()) -> Grid:
    """Read all rows below the headings; columns of few distinct texts (`codes`) as Categorical where that is quicker.

    Raises InputError as `read_delimited` does.
    """
    width = len(heading.cells)
    offset = _offset(text, heading.last_line)
    counted = scan(text, offset, heading.last_line + 1, heading.delimiter)
    notes: tuple[str, ...] = ()
    wrong = counted.wrong_byte
    if wrong is not None:
        text = _as_windows(text)
        offset = _offset(text, heading.last_line)
    if text.encoding == "windows-1252":
        where = f" (line {wrong})" if wrong is not None else ""
        notes = (f"{text.shown} is not UTF-8{where}; read as Windows-1252. Check names with accents.",)
    # With an odd quote out, one never closes: read in bulk, all behind it would be a single cell.
    grid = None if counted.quotes % 2 else _in_bulk(text, heading, counted, codes)
    if grid is None:
        grid = _one_by_one(text, heading, offset, width)
    return Grid(grid.frame, grid.lines, notes + grid.notes)


def _as_windows(text: Text) -> Text:
    try:
        decoded = text.bytes().decode("cp1252")
    except UnicodeDecodeError as problem:
        raise InputError(
            f"{text.shown}: byte {problem.object[problem.start]:#04x} at position {problem.start:,} is neither UTF-8 "
            f"nor Windows-1252. Save it as CSV UTF-8."
        ) from problem
    return Text(text.shown, decoded.encode(), text.head, "windows-1252")


def _offset(text: Text, lines: int) -> int:
    """Return the byte at which the line after the first `lines` lines begins."""
    at = 0
    for _ in range(lines):
        feed = text.head.find("\n", at)
        if feed < 0:
            return _mark(text) + len(text.head.encode())
        at = feed + 1
    return _mark(text) + len(text.head[:at].encode())


def _mark(text: Text) -> int:
    """Return the bytes of the byte order mark, which `head` is without."""
    if isinstance(text.source, bytes):
        return 0
    with text.source.open("rb") as stream:
        return 3 if stream.read(3) == b"\xef\xbb\xbf" else 0


def _in_bulk(text: Text, heading: Heading, counted: Scan, codes: frozenset[int]) -> Grid | None:
    """Read with the quick reader; None where it fails or its rows do not add up to what was counted."""
    width = len(heading.cells)
    source: Path | bytes = text.source
    if heading.line > 1:
        source = text.bytes()[_offset(text, heading.line - 1) - _mark(text) :]
    try:
        frame = pl.read_csv(
            source,
            infer_schema=False,
            schema_overrides={heading.cells[number]: pl.Categorical for number in codes},
            separator=heading.delimiter,
            glob=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None
    if frame.width != width:
        return None
    frame.columns = [str(number) for number in range(width)]
    if counted.quotes:
        # A cell of nothing between quotes is blank too.
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    first = heading.last_line + 1
    lines = pl.int_range(first, first + frame.height, eager=True, dtype=pl.Int64).alias("line")
    if counted.lines != frame.height:
        lines, breaks = _pushed_down(frame, lines)
        if not counted.quotes or counted.lines != frame.height + breaks:
            return None
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    short = _short_rows(source, heading, counted, frame, filled)
    if short is None:
        return None
    notes = _short_note(text, width, lines.filter(short)) if short.any() else ()
    if not filled.all():
        frame, lines = frame.filter(filled), lines.filter(filled)
    return Grid(frame, lines, notes)


def _short_rows(
    source: Path | bytes, heading: Heading, counted: Scan, frame: pl.DataFrame, filled: pl.Series
) -> pl.Series | None:
    """Tell which filled rows lack delimiters; None where that takes a closer look."""
    full = frame.width - 1
    none = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
    inside = _count(frame, heading.delimiter) if counted.quotes else pl.zeros(frame.height, dtype=pl.Int64, eager=True)
    # No row has too many, so the sum is right only where every row is; a blank row may have any number.
    if filled.all() and counted.delimiters - int(inside.sum()) == full * frame.height:
        return none
    by_line = _delimiters_by_line(source, heading) if counted.lines == frame.height else None
    if by_line is None or len(by_line) != frame.height:
        return None
    return filled & (by_line - inside < full)


def _delimiters_by_line(source: Path | bytes, heading: Heading) -> pl.Series | None:
    """Count the delimiters of each line below the headings, inside quotes or not; None where lines are no rows."""
    if heading.last_line > heading.line:
        return None
    try:
        # No text holds the separator named here, so each line is one cell.
        raw = pl.read_csv(source, infer_schema=False, separator="\x01", quote_char=None, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None
    return _count(raw, heading.delimiter) if raw.width == 1 else None


def _short_note(text: Text, width: int, short: Sequence[int] | pl.Series) -> tuple[str, ...]:
    """Say on which line the first short row stands and how many there are."""
    many = f"{len(short):,} rows have" if len(short) > 1 else "one row has"
    note = (
        f"{text.shown}: {many} fewer cells than the {width} headings, the first on line {short[0]}; "
        f"read as blank at the end. Was the file cut short?"
    )
    return (note,)


def _count(frame: pl.DataFrame, what: str) -> pl.Series:
    counts = pl.all().cast(pl.String).str.count_matches(what, literal=True).fill_null(0).cast(pl.Int64)
    return frame.select(pl.sum_horizontal(counts)).to_series()


def _pushed_down(frame: pl.DataFrame, lines: pl.Series) -> tuple[pl.Series, int]:
    """Move each row down by the line breaks inside cells above it; also return how many there are."""
    breaks = _count(frame, "\n")
    return lines + (breaks.cum_sum() - breaks), int(breaks.sum())


def _one_by_one(text: Text, heading: Heading, offset: int, width: int) -> Grid:
    """Read row by row: slower, but it can say which line is wrong and how many rows are short."""
    frames: list[pl.DataFrame] = []
    lines: list[int] = []
    short: list[int] = []
    rows: list[list[str]] = []
    for line, cells in _records(text, heading, offset):
        if not any(cells):
            continue
        if len(cells) > width:
            name = DELIMITERS[heading.delimiter]
            raise InputError(
                f"{text.shown}, line {line}: the row cannot be read: it has {len(cells)} cells, the headings are "
                f"{width}. A {name} inside a cell needs quotes around the cell; a spare {name} must go."
            )
        if len(cells) < width:
            short.append(line)
        rows.append(cells + [""] * (width - len(cells)))
        lines.append(line)
        if len(rows) == _ROWS_AT_ONCE:
            frames.append(_frame(rows, width))
            rows = []
    frames.append(_frame(rows, width))
    notes = _short_note(text, width, short) if short else ()
    return Grid(pl.concat(frames), pl.Series("line", lines, dtype=pl.Int64), notes)


def _frame(rows: list[list[str]], width: int) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else itertools.repeat((), width)
    frame = pl.DataFrame(
        [pl.Series(str(number), column, dtype=pl.String) for number, column in enumerate(columns)],
    )
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all()))


def _records(text: Text, heading: Heading, offset: int) -> Iterator[tuple[int, list[str]]]:
    """Give the line and cells of each row; InputError names the line a quote or other damage begins on."""
    binary = io.BytesIO(text.source) if isinstance(text.source, bytes) else text.source.open("rb")
    with binary:
        binary.seek(offset)
        with io.TextIOWrapper(binary, encoding="utf-8", newline="\n") as stream:
            reader = csv.reader(stream, delimiter=heading.delimiter, strict=True)
            line = heading.last_line + 1
            try:
                for cells in reader:
                    yield line, cells
                    line = heading.last_line + 1 + reader.line_num
            except csv.Error as problem:
                raise InputError(
                    f"{text.shown}, line {line}: the row cannot be read ({problem}). Either a quote that begins a cell "
                    f"never closes or the cell goes on after it, or the cell has more than {csv.field_size_limit():,} "
                    f"characters; check the quotes of this row. A quote inside a quoted cell is written twice."
                ) from problem
