"""Published figures turned into levels: one whole number per kind, authority and 31 March, with its interval.

Which table speaks for which year stands in `levels.csv`; this module only does the arithmetic. A kind is
"looked_after" (short breaks left out) or "care_and_support" (the three-month rule).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from synth.errors import ProfileError
from synth.geography.authorities import all_authorities
from synth.profile.model import Basis, Kind, Level
from synth.published import WALES, Row, Tables, number, read_csv
from synth.tabulate.printing import convention, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["KINDS", "levels", "national_total"]

KINDS = ("looked_after", "care_and_support")

_COLUMNS = (
    "kind", "role", "first_year", "last_year", "table_id", "measure", "dim1", "unit", "geography",
    "source_id", "table_year", "population", "half_width", "half_width_unit", "basis", "note",
)  # fmt: skip
_CHOICES = {
    "kind": KINDS,
    "role": ("national", "authority", "parts", "bridge", "flat"),
    "population": ("", "estimate", "rebased"),
    "half_width_unit": ("", "count", "percent", "rate_per_10000"),
    "basis": ("published", "bridged", "assumed"),
}
_WHOLE = "all"
"""Second category of a part that is not divided further."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line of levels.csv: where the figures of some years come from and how wide they are.

    Of parts, `dim1` names the categories that add up to the level, between spaces.
    """

    place: str
    kind: str
    role: str
    first_year: int
    last_year: int
    table: str
    measure: str
    dim1: str
    unit: str
    geography: str
    source: str
    table_year: int | None
    population: str
    half_width: float
    half_width_unit: str
    basis: str
    note: str


@dataclass(slots=True)
class _Estimate:
    """A level before it is a whole number; `slack` is the half-width of its interval.

    The interval is cut at `least` and `most`, which lie on either side of the value.
    """

    value: float
    slack: float
    basis: str
    source: str
    least: float = 0.0
    most: float = math.inf

    @property
    def low(self) -> float:
        return max(0.0, self.value - self.slack, self.least)

    @property
    def high(self) -> float:
        return min(self.value + self.slack, self.most)

    def within(self, low: float, high: float) -> _Estimate:
        """Return the estimate cut to what its parts add up to; as it is where they leave it nothing."""
        if low > self.high or high < self.low:
            return self
        least, most = max(low, self.low), min(high, self.high)
        return replace(self, value=min(max(self.value, least), most), least=least, most=most)


def levels(tables: Tables) -> tuple[Level, ...]:
    """Return every level, by kind, authority in official order and year.

    Each year is moved to its national total in proportion to the width of each authority's interval, then
    rounded to whole numbers that keep the total and stay inside the intervals. Raises ProfileError naming the
    year if the authorities' intervals cannot add up to the national total.
    """
    rules = _rules(tables.folder / "levels.csv")
    found: list[Level] = []
    for kind in KINDS:
        found.extend(_levels_of(tables, [rule for rule in rules if rule.kind == kind], kind))
    return tuple(found)


def national_total(tables: Tables, kind: str, year: int) -> tuple[int, float, str] | None:
    """Return the total for Wales, the half-width of its interval and its source; None without a figure."""
    return _national(tables, [rule for rule in _rules(tables.folder / "levels.csv") if rule.kind == kind], year)


def _levels_of(tables: Tables, rules: list[_Rule], kind: str) -> list[Level]:
    areas = [a.ons_code for a in all_authorities()]
    codes = {a.ons_code: a.code for a in all_authorities()}
    bridge = next(rule for rule in rules if rule.role == "bridge")
    years = range(bridge.first_year, bridge.last_year + 1)
    table: dict[int, dict[str, _Estimate]] = {year: {} for year in years}
    for area in areas:
        known = {year: e for year in years if (e := _from_tables(tables, rules, area, year)) is not None}
        for year in years:
            table[year][area] = known.get(year) or _bridged(known, year, bridge)
    whole = {year: _whole(table[year], _national(tables, rules, year), f"{kind} {year}") for year in years}
    for year, cells in _shared_out(tables, rules, table, whole).items():
        whole[year] = _whole(cells, _national(tables, rules, year), f"{kind} {year}")
    for rule in (rule for rule in rules if rule.role == "flat"):
        for year in range(rule.first_year, rule.last_year + 1):
            same = whole[rule.table_year or year]
            whole[year] = same
            table[year] = {
                area: _Estimate(n, n * rule.half_width / 100, rule.basis, f"as {rule.table_year}")
                for area, n in same.items()
            }
    return [
        Level(
            kind=cast("Kind", kind),
            authority=codes[area],
            year=year,
            value=whole[year][area],
            low=round(min(table[year][area].low, whole[year][area]), 1),
            high=round(max(table[year][area].high, whole[year][area]), 1),
            basis=cast("Basis", table[year][area].basis),
            source=table[year][area].source,
        )
        for area in areas
        for year in sorted(whole)
    ]


def _whole(cells: Mapping[str, _Estimate], national: tuple[int, float, str] | None, what: str) -> dict[str, int]:
    """Return whole numbers for the authorities of a year that add up to Wales."""
    each = list(cells.values())
    total = _met(each, *national[:2]) if national else round(sum(cell.value for cell in each))
    return dict(zip(cells, _rounded(_moved(each, total, what), each, total, what), strict=True))


def _shared_out(
    tables: Tables, rules: list[_Rule], table: dict[int, dict[str, _Estimate]], whole: Mapping[int, Mapping[str, int]]
) -> dict[int, dict[str, _Estimate]]:
    """Return the estimates of years whose levels some authorities have only as a mean of both, each rounded first.

    They are cut to what prints the mean again. One of 630 may be that of 625 and 635: the pair nearest to the whole
    numbers found so far is taken.
    """
    found: dict[int, dict[str, _Estimate]] = {}
    for rule in rules:
        both = rule.first_year, rule.last_year
        if rule.role != "authority" or rule.table_year is None or both[1] != both[0] + 1:
            continue
        for area in table[both[0]]:
            row = _row(tables, rule, area, both[0])
            how = convention(row.rounding, tables.roundings[row.rounding]) if row else None
            if row is None or row.value is None or how is None or not how.halved:
                continue
            first, second = (whole[year][area] for year in both)
            near, added = rounded(first, how.step), 2 * row.value
            aims = (near - how.step, near, near + how.step)
            _, aim = min((abs(first - one) + abs(second - (added - one)), one) for one in aims)
            room = math.ceil(how.step / 2) - 1
            for year, middle in zip(both, (aim, added - aim), strict=True):
                cells = found.setdefault(year, dict(table[year]))
                cells[area] = cells[area].within(middle - room, middle + room)
    return found


def _from_tables(tables: Tables, rules: list[_Rule], area: str, year: int) -> _Estimate | None:
    """Return the level the first fitting rule gives, or None if no table has one."""
    for rule in rules:
        if rule.role != "authority" or not rule.first_year <= year <= rule.last_year:
            continue
        row = _row(tables, rule, area, year) if rule.geography in ("", area) else None
        if row is None or row.value is None:
            continue
        value, scale, source = _counted(tables, rule, row, year)
        slack = rule.half_width * (value / 100 if rule.half_width_unit == "percent" else scale)
        return _Estimate(value, slack, rule.basis, source).within(*_parts(tables, rules, area, year))
    return None


def _parts(tables: Tables, rules: list[_Rule], area: str, year: int) -> tuple[float, float]:
    """Return what the parts of a level, each rounded, add up to at least and at most; anything where none are known."""
    for rule in rules:
        if rule.role != "parts" or not rule.first_year <= year <= rule.last_year:
            continue
        found = [
            tables.find(
                rule.table,
                rule.measure,
                year,
                geography=area,
                dim1=part,
                dim2=_WHOLE,
                unit=rule.unit,
                source=rule.source,
            )
            for part in rule.dim1.split()
        ]
        values = [rows[0].value for rows in found if rows]
        if len(values) == len(found) and None not in values:
            whole, width = sum(value or 0.0 for value in values), rule.half_width * len(values)
            return whole - width, whole + width
    return 0.0, math.inf


def _national(tables: Tables, rules: list[_Rule], year: int) -> tuple[int, float, str] | None:
    for rule in rules:
        if rule.role != "national" or not rule.first_year <= year <= rule.last_year:
            continue
        row = _row(tables, rule, WALES, year)
        if row is None or row.value is None:
            raise ProfileError(
                f"{rule.place}: no figure for Wales in {rule.table} for {year}. Correct the line, or add the figure.",
            )
        value, scale, source = _counted(tables, rule, row, year)
        slack = 0.0 if row.rounding == "derived_from_rounded_rate" else tables.half_width(row) * scale
        return round(value), slack, source
    return None


def _row(tables: Tables, rule: _Rule, area: str, year: int) -> Row | None:
    rows = tables.find(
        rule.table,
        rule.measure,
        rule.table_year or year,
        geography=area,
        dim1=rule.dim1,
        unit=rule.unit,
        source=rule.source,
    )
    return rows[0] if rows else None


def _counted(tables: Tables, rule: _Rule, row: Row, year: int) -> tuple[float, float, str]:
    """Return children, children per unit of the figure, and the source; a rate uses the previous mid-year."""
    value = row.value or 0.0
    named = f"{row.table} {row.source}"
    if rule.table_year and rule.table_year != year:
        named = f"{row.table} {rule.table_year} {row.source}"
    if row.basis == "derived" and rule.note:
        # Arithmetic on published figures: say which.
        named += f": {rule.note}"
    if rule.unit != "rate_per_10000":
        return value, 1.0, named
    rebased = rule.population == "rebased"
    children = tables.children(year - 1, rebased=rebased)[row.geography] / 10_000
    base = " rebased" if rebased else ""
    return value * children, children, f"{named} x population {tables.children_source(year - 1)}{base}"


def _bridged(known: dict[int, _Estimate], year: int, bridge: _Rule) -> _Estimate:
    """Return the level on a straight line, in logarithms, between the authority's own figures."""
    before = max((y for y in known if y < year), default=min(known))
    after = min((y for y in known if y > year), default=max(known))
    weight = 0.0 if after == before else (year - before) / (after - before)
    logs = [math.log(max(known[y].value, 1.0)) for y in (before, after)]
    value = math.exp(logs[0] * (1 - weight) + logs[1] * weight)
    far = min(abs(year - before), abs(year - after))
    source = f"between {before} and {after}" if before != after else f"as {before}"
    return _Estimate(value, value * bridge.half_width / 100 * far, bridge.basis, source)


def _met(cells: list[_Estimate], total: int, slack: float) -> int:
    """Return the total to aim at: a national figure that is an interval itself meets the authorities."""
    gap = total - sum(cell.value for cell in cells)
    room = slack + sum(cell.slack for cell in cells)
    return round(total - (gap / room * slack if room and slack else 0.0))


def _moved(cells: list[_Estimate], total: int, what: str) -> list[float]:
    """Shift the values to a total, each by the same share of its slack and none beyond its interval."""
    gap = total - sum(cell.value for cell in cells)
    room = sum((cell.high - cell.value) if gap > 0 else (cell.value - cell.low) for cell in cells)
    if abs(gap) > room:
        raise ProfileError(
            f"{what}: the authorities add up to {total - gap:.0f} and can be moved by {room:.0f} at most, "
            f"but Wales is {total}. One of the published figures is wrong: correct it, or widen its "
            "half_width in levels.csv.",
        )
    share = abs(gap) / room if room else 0.0
    return [cell.value + share * ((cell.high - cell.value) if gap > 0 else (cell.low - cell.value)) for cell in cells]


def _rounded(values: list[float], cells: list[_Estimate], total: int, what: str) -> list[int]:
    """Round to whole numbers with the given sum; the largest fractions go up, inside their intervals."""
    whole = [max(math.floor(v), math.ceil(c.low - 1e-9)) for v, c in zip(values, cells, strict=True)]
    tops = [max(math.floor(c.high + 1e-9), n) for c, n in zip(cells, whole, strict=True)]
    order = sorted(range(len(values)), key=lambda n: (whole[n] - values[n], n))
    while (short := total - sum(whole)) > 0:
        free = [n for n in order if whole[n] < tops[n]][:short]
        if not free:
            raise ProfileError(
                f"{what}: no whole numbers inside the intervals add up to {total}. Widen them in levels.csv."
            )
        for n in free:
            whole[n] += 1
    if short < 0:
        raise ProfileError(f"{what}: whole numbers inside the intervals exceed {total}. Widen them in levels.csv.")
    return whole


def _rules(path: Path) -> list[_Rule]:
    """Read levels.csv; ProfileError names line and column of the first wrong cell."""
    rules: list[_Rule] = []
    for line, cells in read_csv(path, _COLUMNS):
        for column, allowed in _CHOICES.items():
            if cells[column] not in allowed:
                expected = ", ".join(repr(text) for text in allowed)
                raise ProfileError(
                    f"{path} line {line}, column {column}: {cells[column]!r}; expected one of {expected}."
                )
        rules.append(_rule(path, line, cells))
    return rules


def _rule(path: Path, line: int, cells: Mapping[str, str]) -> _Rule:
    def year(column: str) -> int:
        return int(number(path, line, column, cells[column]))

    return _Rule(
        place=f"{path} line {line}",
        kind=cells["kind"],
        role=cells["role"],
        first_year=year("first_year"),
        last_year=year("last_year"),
        table=cells["table_id"],
        measure=cells["measure"],
        dim1=cells["dim1"],
        unit=cells["unit"],
        geography=cells["geography"],
        source=cells["source_id"],
        table_year=year("table_year") if cells["table_year"] else None,
        population=cells["population"],
        half_width=number(path, line, "half_width", cells["half_width"]) if cells["half_width"] else 0.0,
        half_width_unit=cells["half_width_unit"],
        basis=cells["basis"],
        note=cells["note"],
    )
