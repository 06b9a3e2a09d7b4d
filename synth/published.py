"""The published tables a profile is built from: official aggregates, checked cell by cell when read."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from synth.errors import ProfileError
from synth.geography.authorities import all_authorities

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WALES", "Row", "Tables", "load_tables", "number", "profiles_dir", "published_files", "read_csv"]

WALES = "W92000004"

_AGGREGATES = ("cla_aggregates.csv", "crcs_aggregates.csv", "population.csv")
_HELPERS = ("sources.csv", "roundings.csv", "levels.csv", "figures.csv")
_BASES = ("confirmed", "derived", "assumed")
_SHORT = (
    "table_id", "measure", "year_ending", "geography_code", "geography_name", "dim1_name", "dim1_value",
    "dim2_name", "dim2_value", "value", "unit", "basis", "source_id",
)  # fmt: skip
_LONG = (*_SHORT[:11], "rounding", "suppressed", *_SHORT[11:], "note")
_CENSUS, _REBASED_FROM = 2011, 2021
"""Estimates drift from one census to the next; those of mid-2021 are the first to start from the newer."""


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


@dataclass(frozen=True)
class Tables:
    """All figures, the known sources, and how wide the interval of each kind of rounding is."""

    folder: Path
    rows: tuple[Row, ...]
    sources: dict[str, str]
    roundings: dict[str, tuple[float, float]]

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
        fixed, percent = self.roundings[row.rounding]
        return fixed + percent / 100 * abs(row.value or 0.0)

    @cached_property
    def _children(self) -> dict[int, dict[str, int]]:
        known: dict[int, dict[str, int]] = {}
        for row in self.rows:
            if row.table == "pop_mye_sya" and row.dim1 == "0-17" and row.dim2 == "All":
                known.setdefault(row.year or 0, {})[row.geography] = round(row.value or 0)
        return known

    def children(self, mid_year: int, *, rebased: bool = False) -> dict[str, float]:
        """Return children aged 0-17 at a mid-year by ONS code, Wales included.

        A mid-year without an estimate is interpolated between its neighbours, or taken from the nearest one
        at either end. With `rebased`, mid-years before 2021 are scaled towards the 2021 census: the gap
        between the mid-2021 estimate and where the older series was heading is spread evenly from 2011 on.
        """
        known = self._children
        below, above = _neighbours(sorted(known), mid_year)
        weight = 0.0 if above == below else (mid_year - below) / (above - below)
        plain = {code: known[below][code] * (1 - weight) + known[above][code] * weight for code in known[below]}
        if not rebased or mid_year >= _REBASED_FROM or _REBASED_FROM not in known:
            return plain
        share = (mid_year - _CENSUS) / (_REBASED_FROM - _CENSUS)
        before = [known[year] for year in sorted(known) if year < _REBASED_FROM][-2:]
        expected = {code: before[-1][code] + (before[-1][code] - before[0][code]) for code in plain}
        return {code: n * (1 + share * (known[_REBASED_FROM][code] / expected[code] - 1)) for code, n in plain.items()}

    def children_source(self, mid_year: int) -> str:
        """Say which estimate `children` uses for a mid-year."""
        below, above = _neighbours(sorted(self._children), mid_year)
        if below == above == mid_year:
            return f"mid-{mid_year}"
        if below == above:
            return f"mid-{mid_year} taken as mid-{below}"
        return f"mid-{mid_year} between mid-{below} and mid-{above}"

    def national_ages(self, mid_year: int) -> dict[str, tuple[float, ...]]:
        """Return the children of Wales by single year of age 0 to 17 under "male" and "female" at a mid-year.

        A mid-year known only for both sexes together is divided as the nearest mid-year known by sex.
        """
        both = self._ages(WALES, "All")
        males = self._ages(WALES, "Male")
        below, above = _neighbours(sorted(both), mid_year)
        weight = 0.0 if above == below else (mid_year - below) / (above - below)
        total = [a * (1 - weight) + b * weight for a, b in zip(both[below], both[above], strict=True)]
        near = min(males, key=lambda year: (abs(year - mid_year), year))
        male = [n * m / a for n, m, a in zip(total, males[near], both[near], strict=True)]
        return {"male": tuple(male), "female": tuple(n - m for n, m in zip(total, male, strict=True))}

    def _ages(self, geography: str, sex: str) -> dict[int, list[float]]:
        ages: dict[int, dict[int, float]] = {}
        for row in self.rows:
            if row.table == "pop_mye_sya" and row.geography == geography and row.dim2 == sex and row.dim1.isdigit():
                ages.setdefault(row.year or 0, {})[int(row.dim1)] = row.value or 0.0
        return {year: [counts[age] for age in range(18)] for year, counts in ages.items()}


def _neighbours(known: list[int], year: int) -> tuple[int, int]:
    below = max((y for y in known if y <= year), default=known[0])
    above = min((y for y in known if y >= year), default=known[-1])
    return below, above


@cache
def profiles_dir() -> Path:
    """Return the folder of profiles: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "profiles", package.parent / "profiles"):
        if (folder / "published" / "sources.csv").is_file():
            return folder
    raise ProfileError(
        f"The profiles that belong to this package are missing: looked for {package / 'profiles'} and "
        f"{package.parent / 'profiles'}. Install the package again, or name a profile with --profile FILE.",
    )


def published_files(folder: Path) -> tuple[Path, ...]:
    """Return every file a profile is built from except the behaviour parameters, in a fixed order."""
    return tuple(folder / name for name in sorted((*_AGGREGATES, *_HELPERS)))


def read_csv(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row.

    Raises ProfileError if the file is missing, not UTF-8, lacks or adds a column, or a row is ragged.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ProfileError(
            f"{path}: the published table cannot be read ({error.strerror}). Restore the file.",
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
    roundings: dict[str, tuple[float, float]] = {}
    path = folder / "roundings.csv"
    for line, cells in read_csv(path, ("rounding", "half_width", "percent_of_value", "meaning")):
        fixed, percent = (number(path, line, c, cells[c]) for c in ("half_width", "percent_of_value"))
        roundings[cells["rounding"]] = (fixed, percent)
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
            rows.append(_row(path, line, cells, rounding))
    return Tables(folder, tuple(rows), sources, roundings)


def _row(path: Path, line: int, cells: dict[str, str], rounding: str) -> Row:
    hidden = cells.get("suppressed", "0")
    _check(path, line, "suppressed", hidden, ("0", "1"), "0 or 1")
    if hidden == "1" and cells["value"]:
        raise ProfileError(
            f"{path} line {line}, column value: {cells['value']!r} in a row marked suppressed; "
            "expected an empty cell. Empty the cell, or set suppressed to 0.",
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
