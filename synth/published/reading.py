"""Reading the published tables a profile is built from: official aggregates, checked cell by cell."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from synth.documents import content_of
from synth.errors import ProfileError
from synth.geography.authorities import all_authorities
from synth.packaged import profiles_dir
from synth.published.population import WALES, Populations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Rounding", "Row", "Tables", "load_tables", "number", "profiles_dir", "published_files", "read_csv"]

_AGGREGATES = ("cla_aggregates.csv", "crcs_aggregates.csv", "population.csv")
_BASES = ("confirmed", "derived", "assumed")
_SHORT = (
    "table_id", "measure", "year_ending", "geography_code", "geography_name", "dim1_name", "dim1_value",
    "dim2_name", "dim2_value", "value", "unit", "basis", "source_id",
)  # fmt: skip
_LONG = (*_SHORT[:11], "rounding", "suppressed", *_SHORT[11:], "note")


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure; `value` is None where the page hides a small count."""

    file: str
    line: int
    table: str
    measure: str
    year: int | None
    geography: str
    dim1: str
    dim2: str
    value: float | None
    unit: str
    rounding: str
    basis: str
    source: str
    note: str

    @property
    def place(self) -> str:
        """Where the figure stands, for messages."""
        return f"{self.file} line {self.line}"


@dataclass(frozen=True, slots=True)
class Rounding:
    """How far the true figure may lie from the printed one: so many units, so many percent of it, or both.

    With `below` it lies below the printed one only. A count hidden in a table of this rounding is between 0 and
    `hidden_up_to`, both inclusive; None where such tables hide nothing.
    """

    half_width: float
    percent: float
    below: bool
    hidden_up_to: float | None


@dataclass(frozen=True)
class Tables(Populations):
    """All figures, the known sources, and how wide the interval of each kind of rounding is."""

    folder: Path
    sources: dict[str, str]
    roundings: dict[str, Rounding]

    @cached_property
    def _by_key(self) -> dict[tuple[str, str, int | None], list[Row]]:
        index: dict[tuple[str, str, int | None], list[Row]] = {}
        for row in self.rows:
            index.setdefault((row.table, row.measure, row.year), []).append(row)
        return index

    def find(
        self,
        table: str,
        measure: str,
        year: int | None,
        *,
        geography: str = "",
        dim1: str = "",
        dim2: str = "",
        unit: str = "",
        source: str = "",
    ) -> list[Row]:
        """Return the rows that fit, in file order.

        An empty filter takes every value; "-" takes only rows where the field is empty.
        """
        wanted = {"geography": geography, "dim1": dim1, "dim2": dim2, "unit": unit, "source": source}
        tests = [(name, "" if text == "-" else text) for name, text in wanted.items() if text]
        rows = self._by_key.get((table, measure, year), [])
        return [row for row in rows if all(getattr(row, name) == text for name, text in tests)]

    def half_width(self, row: Row) -> float:
        """Return how far the true figure may lie from the printed one, in the unit of the row."""
        rounding = self.roundings[row.rounding]
        return rounding.half_width + rounding.percent / 100 * abs(row.value or 0.0)


def published_files(folder: Path) -> tuple[Path, ...]:
    """Return every file a profile is built from except the behaviour parameters, in a fixed order."""
    return tuple(sorted(folder.glob("*.csv")))


def read_csv(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row.

    Raises ProfileError if the file is missing, not UTF-8, lacks or adds a column, or a row is ragged.
    """
    try:
        text = content_of(path).decode()
    except OSError as error:
        raise ProfileError(
            f"{path}: the published table cannot be read ({error.strerror}). Check the folder of tables.",
        ) from None
    except UnicodeDecodeError as error:
        raise ProfileError(
            f"{path}: byte {error.start} is not UTF-8. Save the table as UTF-8 and try again.",
        ) from None
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = next(reader, [])
        if tuple(header) != columns:
            raise ProfileError(
                f"{path} line 1: the columns are {', '.join(header) or 'missing'}; "
                f"expected {', '.join(columns)}. Restore the heading line.",
            )
        for cells in reader:
            if len(cells) != len(columns):
                raise ProfileError(
                    f"{path} line {reader.line_num}: {len(cells)} cells; expected {len(columns)}, "
                    "one a column. Put quotes around a cell that contains a comma.",
                )
            yield reader.line_num, dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        raise ProfileError(f"{path} line {reader.line_num}: {error}. Check the quotes on that line.") from None


def load_tables(folder: Path | None = None) -> Tables:
    """Read and check every published table (`folder` None: the ones that came with the package).

    Raises ProfileError naming file, line and column of the first cell that is wrong.
    """
    folder = folder or profiles_dir() / "published"
    known = read_csv(folder / "sources.csv", ("source_id", "title", "address"))
    sources = {cells["source_id"]: cells["title"] for _, cells in known}
    roundings = dict(_roundings(folder / "roundings.csv"))
    areas = {WALES, *(a.ons_code for a in all_authorities())}
    rows: list[Row] = []
    for name in _AGGREGATES:
        path = folder / name
        columns = _SHORT if name == "population.csv" else _LONG
        for line, cells in read_csv(path, columns):
            _check(
                path,
                line,
                "geography_code",
                cells["geography_code"],
                areas,
                "an ONS code of Wales or an authority",
            )
            _check(path, line, "source_id", cells["source_id"], sources, "an id of sources.csv")
            _check(path, line, "basis", cells["basis"], _BASES, ", ".join(_BASES))
            rounding = cells.get("rounding", "exact")
            _check(path, line, "rounding", rounding, roundings, "one of roundings.csv")
            rows.append(_row(path, line, cells, rounding, roundings))
    return Tables(tuple(rows), folder, sources, roundings)


def _roundings(path: Path) -> Iterator[tuple[str, Rounding]]:
    columns = ("rounding", "half_width", "percent_of_value", "side", "hidden_up_to", "meaning")
    for line, cells in read_csv(path, columns):
        fixed, percent = (number(path, line, c, cells[c]) for c in ("half_width", "percent_of_value"))
        _check(path, line, "side", cells["side"], ("", "below"), "below, or empty for both sides")
        hidden = number(path, line, "hidden_up_to", cells["hidden_up_to"]) if cells["hidden_up_to"] else None
        yield cells["rounding"], Rounding(fixed, percent, cells["side"] == "below", hidden)


def _row(path: Path, line: int, cells: dict[str, str], rounding: str, roundings: dict[str, Rounding]) -> Row:
    hidden = cells.get("suppressed", "0")
    _check(path, line, "suppressed", hidden, ("0", "1"), "0 or 1")
    if hidden == "1" and cells["value"]:
        raise ProfileError(
            f"{path} line {line}, column value: {cells['value']!r} in a row marked suppressed; "
            "expected an empty cell. Empty the cell, or set suppressed to 0.",
        )
    if hidden == "1" and roundings[rounding].hidden_up_to is None:
        raise ProfileError(
            f"{path} line {line}, column suppressed: 1 with rounding {rounding!r}, for which roundings.csv has no "
            "hidden_up_to; expected the highest count such a table hides. Correct one of the two.",
        )
    value = None if hidden == "1" else number(path, line, "value", cells["value"])
    year = cells["year_ending"]
    if year and not (len(year) == 4 and year.isascii() and year.isdigit()):  # noqa: PLR2004  a year has four digits
        raise ProfileError(f"{path} line {line}, column year_ending: {year!r}; expected a year such as 2023, or empty.")
    return Row(
        file=path.name,
        line=line,
        table=cells["table_id"],
        measure=cells["measure"],
        year=int(year) if year else None,
        geography=cells["geography_code"],
        dim1=cells["dim1_value"],
        dim2=cells["dim2_value"],
        value=value,
        unit=cells["unit"],
        rounding=rounding,
        basis=cells["basis"],
        source=cells["source_id"],
        note=cells.get("note", ""),
    )


def number(path: Path, line: int, column: str, text: str) -> float:
    """Return a cell as a number that is finite and not negative; ProfileError names the cell otherwise."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ProfileError(
            f"{path} line {line}, column {column}: {text!r} is not a number of 0 or more. "
            "Correct the cell from its source.",
        )
    return value


def _check(path: Path, line: int, column: str, found: str, known: object, expected: str) -> None:
    if found not in known:  # type: ignore[operator]
        raise ProfileError(f"{path} line {line}, column {column}: {found!r}; expected {expected}. Correct the cell.")
