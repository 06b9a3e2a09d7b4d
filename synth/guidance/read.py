"""Reading the guidance tables: every cell is typed, or refused by file, line and column."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from synth.errors import GuidanceError
from synth.guidance.rows import BOTH, AllowedRow, Code, Item, Limit, Note, ReturnYear, Statement, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["read_tables", "refuse"]

_R = TypeVar("_R")

_LONGEST = 200
"""Letters of what was found that a message shows."""
_DIGITS = 9
"""No year, age or day of the guidance has more."""

BASES = frozenset({"confirmed", "england", "assumed"})
CONFIDENCES = frozenset({"high", "medium", "low"})
MODES = frozenset({"census_date", "all_year"})
SEVERITIES = frozenset({"error", "warning"})
ITEM_TYPES = frozenset({"text", "integer", "date", "code", "postcode", "upn"})
REQUIRED = frozenset({"always", "conditional", "optional"})
UNITS = frozenset({"years", "weeks", "days", "count", "percent", "per_10000", "date"})


def refuse(file: str, line: int, column: str, found: str, expected: str) -> NoReturn:
    """Raise GuidanceError for one cell; `found` and `expected` complete the sentence, without full stop."""
    if len(found) > _LONGEST:
        found = f"{found[:_LONGEST]}... ({len(found):,} letters)"
    raise GuidanceError(
        f"{file}, line {line}, column {column}: found {found}, expected {expected}; correct that cell and load again"
    )


def read_tables(folder: Traversable | Path) -> Tables:
    """Read the seven CSV files of a folder.

    GuidanceError for a missing file, a wrong header or a cell of the wrong kind.
    """
    return Tables(
        returns=_read(folder, "returns.csv", _RETURN_COLUMNS, _return_year),
        items=_read(folder, "items.csv", _ITEM_COLUMNS, _item),
        codes=_read(folder, "codes.csv", _CODE_COLUMNS, _code),
        limits=_read(folder, "limits.csv", _LIMIT_COLUMNS, _limit),
        allowed=_read(folder, "allowed.csv", _ALLOWED_COLUMNS, _allowed),
        statements=_read(folder, "statements.csv", _STATEMENT_COLUMNS, _statement),
        notes=_read(folder, "notes.csv", _NOTE_COLUMNS, _note),
    )


_DATED = ("first_year", "last_year", "basis", "confidence", "reference")
_RETURN_COLUMNS = (
    *("return", "year", "name", "mode", "first_day", "last_day", "quarter_day", "due", "projected", "note"),
    *("basis", "confidence", "reference"),
)
_ITEM_COLUMNS = (
    *("return", "form", "name", "label", "type", "required", "code_set", "min_age", "max_age"),
    *("outside_age_code", "condition", "unique", "mode", *_DATED, "note"),
)
_CODE_COLUMNS = ("return", "code_set", "code", "label", *_DATED)
_LIMIT_COLUMNS = ("return", "item", "code", "measure", "value", "unit", "rule", "severity", "mode", *_DATED, "note")
_ALLOWED_COLUMNS = (
    *("return", "relation", "item", "code", "partner_item", "partners", "rule", "severity", "mode", *_DATED),
)
_STATEMENT_COLUMNS = ("return", "rule_id", "text", "severity", "fields", "mode", *_DATED, "unchecked")
_NOTE_COLUMNS = ("return", "item", "codes", "text", "mode", *_DATED)


class _Cells:
    """The cells of one row, taken out by column and typed on the way."""

    __slots__ = ("_cells", "_file", "line")

    def __init__(self, file: str, line: int, cells: Mapping[str, str]) -> None:
        self._file = file
        self.line = line
        self._cells = cells

    def text(self, column: str, among: frozenset[str] | None = None) -> str:
        """Return a filled cell, one of `among` if given."""
        value = self._cells[column]
        if not value:
            refuse(self._file, self.line, column, "nothing", _list(among) if among else "a value")
        if among is not None and value not in among:
            refuse(self._file, self.line, column, repr(value), _list(among))
        return value

    def maybe(self, column: str) -> str:
        """Return a cell that may be blank."""
        return self._cells[column]

    def yes(self, column: str) -> bool:
        """Return whether a cell says yes, where it says yes or no."""
        return self.text(column, frozenset({"yes", "no"})) == "yes"

    def integer(self, column: str) -> int:
        """Return a whole number."""
        value = self._cells[column]
        if not value.isascii() or not value.isdigit() or len(value) > _DIGITS:
            refuse(self._file, self.line, column, repr(value), "a whole number such as 2017")
        return int(value)

    def maybe_integer(self, column: str) -> int | None:
        """Return a whole number, None for a blank cell."""
        return self.integer(column) if self._cells[column] else None

    def date(self, column: str) -> dt.date:
        """Return a day written as 2023-03-31."""
        value = self._cells[column]
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            refuse(self._file, self.line, column, repr(value), "a day written as 2023-03-31")

    def quantity(self, column: str, unit: str) -> str:
        """Return a number or, for the unit date, a day; still as text, but known to be readable."""
        value = self.text(column)
        if unit == "date":
            self.date(column)
            return value
        try:
            finite = math.isfinite(float(value))
        except ValueError:
            finite = False
        if not finite:
            refuse(self._file, self.line, column, repr(value), f"a number of {unit}")
        return value

    def years(self) -> tuple[int, int | None]:
        """Return first and last year of the row, in order."""
        first, last = self.integer("first_year"), self.maybe_integer("last_year")
        if last is not None and last < first:
            refuse(self._file, self.line, "last_year", str(last), f"{first} or later, the year the row begins")
        return first, last

    def basis(self) -> str:
        return self.text("basis", BASES)

    def confidence(self) -> str:
        return self.text("confidence", CONFIDENCES)

    def severity(self) -> str:
        return self.text("severity", SEVERITIES)

    def parts(self, column: str) -> tuple[str, ...]:
        """Return the parts of a cell divided by bars, none for a blank cell."""
        value = self._cells[column]
        return tuple(value.split("|")) if value else ()


def _list(values: frozenset[str]) -> str:
    return "one of " + ", ".join(sorted(values))


def _read(
    folder: Traversable | Path, file: str, columns: tuple[str, ...], build: Callable[[_Cells], _R]
) -> tuple[_R, ...]:
    return tuple(build(cells) for cells in _lines(folder, file, columns))


def _lines(folder: Traversable | Path, file: str, columns: tuple[str, ...]) -> Iterator[_Cells]:
    """Yield the rows of a file below its header, which must name exactly these columns in this order."""
    try:
        text = folder.joinpath(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GuidanceError(f"{file}: cannot be read ({error}); put the guidance table back in {folder}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if tuple(header) != columns:
            at = next((i for i, name in enumerate(columns) if header[i : i + 1] != [name]), len(columns))
            found = repr(header[at]) if at < len(header) else "nothing"
            wanted = repr(columns[at]) if at < len(columns) else "no further column"
            refuse(file, 1, str(at + 1), found, wanted)
        for row in reader:
            if len(row) != len(columns):
                column = columns[min(len(row), len(columns) - 1)]
                refuse(file, reader.line_num, column, f"a row of {len(row)} cells", f"{len(columns)} cells")
            yield _Cells(file, reader.line_num, dict(zip(columns, row, strict=True)))
    except csv.Error as error:
        raise GuidanceError(f"{file}, line {reader.line_num}: not readable as CSV ({error})") from error


def _origin(c: _Cells) -> dict[str, Any]:
    """Return what every row says of itself: its return, where it comes from, how sure it is, and its line."""
    return {
        "return_": c.text("return"),
        "basis": c.basis(),
        "confidence": c.confidence(),
        "reference": c.text("reference"),
        "line": c.line,
    }


def _dated(c: _Cells) -> dict[str, Any]:
    """Return the same with the years a row is in force."""
    first, last = c.years()
    return _origin(c) | {"first_year": first, "last_year": last}


def _return_year(c: _Cells) -> ReturnYear:
    year = c.integer("year")
    return ReturnYear(
        first_year=year,
        last_year=year,
        year=year,
        name=c.text("name"),
        mode=c.text("mode", MODES),
        first_day=c.date("first_day"),
        last_day=c.date("last_day"),
        quarter_day=c.date("quarter_day") if c.maybe("quarter_day") else None,
        due=c.maybe("due"),
        projected=c.yes("projected"),
        note=c.maybe("note"),
        **_origin(c),
    )


def _item(c: _Cells) -> Item:
    return Item(
        form=c.text("form"),
        name=c.text("name"),
        label=c.text("label"),
        type=c.text("type", ITEM_TYPES),
        required=c.text("required", REQUIRED),
        code_set=c.maybe("code_set"),
        min_age=c.maybe_integer("min_age"),
        max_age=c.maybe_integer("max_age"),
        outside_age_code=c.maybe("outside_age_code"),
        condition=c.maybe("condition"),
        unique=c.yes("unique"),
        mode=c.text("mode", MODES | {BOTH}),
        **_dated(c),
        note=c.maybe("note"),
    )


def _code(c: _Cells) -> Code:
    return Code(
        code_set=c.text("code_set"),
        code=c.text("code"),
        label=c.text("label"),
        **_dated(c),
    )


def _limit(c: _Cells) -> Limit:
    unit = c.text("unit", UNITS)
    return Limit(
        item=c.maybe("item"),
        code=c.maybe("code"),
        measure=c.text("measure"),
        value=c.quantity("value", unit),
        unit=unit,
        rule=c.text("rule"),
        severity=c.severity(),
        mode=c.text("mode", MODES | {BOTH}),
        **_dated(c),
        note=c.maybe("note"),
    )


def _allowed(c: _Cells) -> AllowedRow:
    return AllowedRow(
        relation=c.text("relation"),
        item=c.text("item"),
        code=c.text("code"),
        partner_item=c.maybe("partner_item"),
        partners=frozenset(c.parts("partners")),
        rule=c.text("rule"),
        severity=c.severity(),
        mode=c.text("mode", MODES | {BOTH}),
        **_dated(c),
    )


def _statement(c: _Cells) -> Statement:
    return Statement(
        rule_id=c.text("rule_id"),
        text=c.text("text"),
        severity=c.severity(),
        fields=c.parts("fields"),
        mode=c.text("mode", MODES | {BOTH}),
        **_dated(c),
        unchecked=c.maybe("unchecked"),
    )


def _note(c: _Cells) -> Note:
    return Note(
        item=c.text("item"),
        codes=c.parts("codes"),
        text=c.text("text"),
        mode=c.text("mode", MODES | {BOTH}),
        **_dated(c),
    )
