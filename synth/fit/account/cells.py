"""The published cells that bind the account of looked-after children, as lowest and highest true counts.

Stocks come from T01 (authority, sex and age group) and from the lines of `account_cells.csv` (Wales, later years);
flows from `account_cells.csv` alone. A count of children is whole, so a cell rounded to 5 is +-2, ends included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.errors import ProfileError
from synth.fit.printed import as_printed
from synth.geography.authorities import all_authorities
from synth.published import WALES, Row, Tables, number, read_csv
from synth.published.cells import intervals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from synth.profile.model import Level

__all__ = ["FIRST", "GROUPS", "LAST", "SEXES", "YEARS", "Margin", "group_of", "levels_of", "margins_of"]

FIRST, LAST = 2003, 2024
YEARS = LAST - FIRST + 1
SEXES = ("boys", "girls")
GROUPS = ("under 1", "1-4", "5-9", "10-15", "16-17")
"""Age groups of T01; its "18 and over" is left out, as nobody is looked after from the 18th birthday on."""

_FIRST_AGE = (0, 1, 5, 10, 16, 18)
_LAST_BITS = 1e-9
_KINDS = ("stock", "starts", "leavers", "ever")
_COLUMNS = (
    "kind", "year", "table_id", "measure", "row_year", "dim1", "dim2", "unit", "source_id", "first_age", "last_age",
    "side", "counted_once", "widen_percent", "change_measure", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Margin:
    """One cell: the children of `authority` (place in official order; None is Wales) it counts and between what.

    `year` is the place in the series (0 is 31 March 2003). `low` and `high` are whole numbers, both inclusive;
    `printed` are narrower ones between which the cell is printed as it was published, None where there are none.
    """

    kind: str
    table: str
    label: str
    authority: int | None
    year: int
    sexes: tuple[int, ...]
    groups: tuple[int, ...]
    low: int
    high: int
    printed: tuple[int, int] | None = None


def group_of(age: int) -> int:
    """Return the age group (place in GROUPS) of an age from 0 to 17."""
    return next(n for n in range(len(GROUPS)) if age < _FIRST_AGE[n + 1])


def levels_of(levels: Sequence[Level]) -> list[list[int]]:
    """Return looked-after children by authority (22) and year (22).

    Raises ProfileError if an authority lacks a year.
    """
    known = {(level.authority, level.year): level.value for level in levels if level.kind == "looked_after"}
    for authority in all_authorities():
        for year in range(FIRST, LAST + 1):
            if (authority.code, year) not in known:
                raise ProfileError(
                    f"no number of looked-after children for {authority.name} ({authority.code}) on 31 March {year}; "
                    f"expected one for every authority from {FIRST} to {LAST}. Add the level.",
                )
    return [[known[a.code, year] for year in range(FIRST, LAST + 1)] for a in all_authorities()]


def margins_of(
    tables: Tables,
    totals: Sequence[Sequence[int]],
    *,
    hold_out: Collection[str | tuple[str, int]] = (),
) -> list[Margin]:
    """Return every cell but those of the tables, or (table, year) pairs, in `hold_out`.

    The year of a pair is the 31 March the cell speaks of. Raises ProfileError naming the line of a wrong cell.
    """
    found = [*_t01(tables), *_listed(tables, [sum(column) for column in zip(*totals, strict=True)])]
    return [m for m in found if m.table not in hold_out and (m.table, m.year + FIRST) not in hold_out]


def _t01(tables: Tables) -> list[Margin]:
    places: dict[str, int | None] = {a.ons_code: a.order for a in all_authorities()} | {WALES: None}
    names = {a.ons_code: a.name for a in all_authorities()} | {WALES: "Wales"}
    interval = intervals(tables)
    found: list[Margin] = []
    for row in tables.rows:
        if row.table != "T01" or row.dim1 not in SEXES or row.dim2 not in (*GROUPS, "all"):
            continue
        if row.year is None or not FIRST <= row.year <= LAST:
            raise ProfileError(f"{row.place}: T01 of {row.year}; expected a year from {FIRST} to {LAST}.")
        found.append(
            Margin(
                kind="stock",
                table="T01",
                label=f"T01 {row.year} {names[row.geography]} {row.dim1} {row.dim2}",
                authority=places[row.geography],
                year=row.year - FIRST,
                sexes=(SEXES.index(row.dim1),),
                groups=tuple(range(len(GROUPS))) if row.dim2 == "all" else (GROUPS.index(row.dim2),),
                **_ends(interval(row), as_printed(tables, row)),
            ),
        )
    return found


def _ends(wide: tuple[float, float], narrow: tuple[float, float] | None) -> dict[str, Any]:
    """Return `low`, `high` and `printed` of a cell from the interval it must keep and the one that prints it."""
    low, high = _whole(*wide)
    printed = None if narrow is None else _whole(*narrow)
    return {"low": low, "high": high, "printed": None if printed == (low, high) else printed}


def _whole(low: float, high: float) -> tuple[int, int]:
    """Return the lowest and highest whole number of an interval; binary fractions may lose its last bits."""
    return max(0, math.ceil(low - _LAST_BITS)), math.floor(high + _LAST_BITS)


def _listed(tables: Tables, wales: Sequence[int]) -> list[Margin]:
    """Read account_cells.csv: which published row binds which flow or national stock."""
    path = tables.folder / "account_cells.csv"
    interval = intervals(tables)
    found: list[Margin] = []
    for line, cells in read_csv(path, _COLUMNS):
        if cells["kind"] not in _KINDS:
            raise ProfileError(
                f"{path} line {line}, column kind: {cells['kind']!r}; expected one of {', '.join(_KINDS)}."
            )
        year = int(number(path, line, "year", cells["year"])) - FIRST
        if not 0 <= year < YEARS:
            raise ProfileError(
                f"{path} line {line}, column year: {cells['year']}; expected a year from {FIRST} to {LAST}."
            )
        row = _row(tables, path, line, cells)
        wide, narrow = _bounds(tables, path, line, cells, row, interval(row), wales[year]), as_printed(tables, row)
        if narrow is not None:
            narrow = _bounds(tables, path, line, cells, row, narrow, wales[year])
        found.append(
            Margin(
                kind=cells["kind"],
                table=cells["table_id"],
                label=" ".join(
                    t
                    for t in (row.table, str(year + FIRST), "Wales", cells["kind"], row.dim1, row.dim2, row.source)
                    if t
                ),
                authority=None,
                year=year,
                sexes=(0, 1),
                groups=_groups(path, line, cells) if cells["kind"] == "stock" else tuple(range(len(GROUPS))),
                **_ends(wide, narrow),
            ),
        )
    return found


def _row(tables: Tables, path: Path, line: int, cells: Mapping[str, str]) -> Row:
    year = int(number(path, line, "row_year", cells["row_year"])) if cells["row_year"] else None
    rows = tables.find(
        cells["table_id"],
        cells["measure"],
        year,
        geography=WALES,
        dim1=cells["dim1"],
        dim2=cells["dim2"],
        unit=cells["unit"],
        source=cells["source_id"],
    )
    if len(rows) != 1 or rows[0].value is None:
        raise ProfileError(
            f"{path} line {line}: {len(rows)} published figures fit {cells['table_id']} {cells['measure']} "
            f"{cells['row_year']}; expected exactly one that is not hidden. Correct the line.",
        )
    return rows[0]


def _bounds(
    tables: Tables,
    path: Path,
    line: int,
    cells: Mapping[str, str],
    row: Row,
    published: tuple[float, float],
    total: int,
) -> tuple[float, float]:
    """Return what a line of account_cells.csv makes of the interval of its figure."""
    low, high = published
    if cells["side"] == "below":
        low, high = (0.0 if row.rounding == "less than" else low), row.value or 0.0
    if row.unit == "percent":
        low, high = low / 100 * total, high / 100 * total
    if cells["counted_once"]:
        # The figure counts children, the account every time one of them came or went.
        once = number(path, line, "counted_once", cells["counted_once"])
        low, high = low + once, high + once
    if cells["widen_percent"]:
        share = number(path, line, "widen_percent", cells["widen_percent"]) / 100
        low, high = low * (1 - share), high * (1 + share)
    if cells["change_measure"]:
        change = tables.find(row.table, cells["change_measure"], row.year, geography=WALES, source=row.source)
        if len(change) != 1 or change[0].value is None:
            raise ProfileError(
                f"{path} line {line}, column change_measure: {len(change)} figures fit {cells['change_measure']!r}; "
                "expected exactly one. Correct the line.",
            )
        growth, slack = change[0].value, tables.half_width(change[0])
        low, high = low / (1 + (growth + slack) / 100), high / (1 + (growth - slack) / 100)
    return low, high


def _groups(path: Path, line: int, cells: Mapping[str, str]) -> tuple[int, ...]:
    first, last = (int(number(path, line, column, cells[column])) for column in ("first_age", "last_age"))
    groups = tuple(n for n in range(len(GROUPS)) if first <= _FIRST_AGE[n] and _FIRST_AGE[n + 1] - 1 <= last)
    if not groups or _FIRST_AGE[groups[0]] != first or _FIRST_AGE[groups[-1] + 1] - 1 != last:
        raise ProfileError(
            f"{path} line {line}: ages {first} to {last} are not made of the groups {', '.join(GROUPS)}. "
            "Correct first_age and last_age.",
        )
    return groups
