"""Which figures the standard tables of a year hold, counted in its files and printed as their table prints them."""

from __future__ import annotations

import re
from collections import Counter as Tally
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from synth.fidelity.comparison import figure
from synth.fidelity.counting import Counter
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.published import WALES, published_cells
from synth.published.counted import counted_as, load_counted
from synth.tabulate.printing import HIDDEN, Convention, convention, default_rounding, printed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth.fidelity.folders import Year
    from synth.published import Cell, Tables
    from synth.published.counted import Counted

__all__ = ["Entry", "Kinds", "Printed", "Standard", "published_kinds", "standard_figures"]

_NAMED_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure of a table: counted as `value`, printed as `shown` (None: hidden), both in the unit.

    `geography` is the ONS code of Wales or an authority; `dim1` and `dim2` are empty where a table is not divided.
    """

    table: str
    measure: str
    year: int
    geography: str
    name: str
    dim1: str
    dim2: str
    unit: str
    value: float
    shown: float | None
    how: Convention

    @property
    def national(self) -> bool:
        """Say whether it is a figure of Wales."""
        return self.geography == WALES

    @property
    def bounded(self) -> bool:
        """Say whether the table only says that it is less than what is shown."""
        return self.how.below is not None and self.value < self.how.below

    @property
    def text(self) -> str:
        """Return what the table prints, with the digits its rounding has."""
        sign = "<" if self.bounded else ""
        return HIDDEN if self.shown is None else f"{sign}{self.shown:.{self.how.decimals}f}"


@dataclass(frozen=True, slots=True)
class Standard:
    """All figures of a year in the order of tables, measures, categories and places; `notes` say what was left out.

    `projected` says that nothing was published about the year.
    """

    year: int
    projected: bool
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]

    def by_table(self) -> dict[str, list[Entry]]:
        """Return the figures of each table, by its name."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.table, []).append(entry)
        return found


@dataclass(frozen=True, slots=True)
class Printed:
    """A figure that was published in some year: its cell, how it is counted and the rounding it was printed with."""

    cell: Cell
    row: Counted
    how: Convention | None

    @property
    def dims(self) -> tuple[str, str]:
        """Return its two categories."""
        return self.cell.dim1, self.cell.dim2


Kinds: TypeAlias = dict[tuple[str, str, str], list[Printed]]
"""Table, measure and unit -> every figure of them that was published and can be counted."""


def standard_figures(this: Year, before: Year | None, tables: Tables, kinds: Kinds | None = None) -> Standard:
    """Count and print every figure that was ever published and can be counted in the files of a year.

    A measure published for authorities in any year is given for all authorities in the files; one published for Wales
    only where all of Wales is there. What was published under several names has the name of the year nearest to the
    files'. It is printed as in the year of the files, or else in the nearest one. `before` is the year before, for
    figures of two years; `kinds` is what `published_kinds` found, for those who ask for several years. Raises
    ProfileError where a published table is damaged.
    """
    now, earlier = Counter(this.views), Counter(before.views) if before else None
    populations = {kind: tables.children(this.year - 1, rebased=kind == "rebased") for kind in ("estimate", "rebased")}
    entries: list[Entry] = []
    notes: dict[str, None] = {}
    for (table, measure, unit), known in (kinds or published_kinds(tables)).items():
        reason = _why_not(this, known, measure, earlier)
        if reason:
            notes[f"{table} {measure}: {reason}"] = None
            continue
        if not this.whole and any(found.cell.geography == WALES for found in known):
            notes["Figures for Wales are left out: the files hold some authorities only."] = None
        nearest = _nearest(known, this.year)
        for found in _categories(known, this.year):
            for area, name in _areas(this, known):
                made = figure(found.row, area, unit, now, earlier, populations)
                how = _how(nearest[area == WALES], found, area, tables)
                parts = [made.value]
                if how.parts and earlier is not None:
                    parts = [now.rows(found.row)[area], earlier.rows(found.row)[area]]
                shown = printed(parts, how)
                entries.append(
                    Entry(table, measure, this.year, area, name, *found.dims, unit, made.value, shown, how),
                )
    return Standard(this.year, load("cla", this.year).projected, tuple(entries), tuple(notes))


def published_kinds(tables: Tables) -> Kinds:
    """Return all figures that can be counted by table, measure and unit, in the order of counted.csv.

    Figures another one took the place of are among them, without their rounding.
    """
    counted = load_counted(tables)
    roundings = {(row.file, row.line): row.rounding for row in tables.rows}
    rows: dict[tuple[str, ...], Counted | None] = {}
    found: Kinds = {}
    for cell in _every_cell(tables):
        key = (cell.table, cell.measure, cell.dim1, cell.dim2, cell.unit)
        if key not in rows:
            row = counted_as(counted, cell) if any(row.fits(cell) for row in counted) else None
            rows[key] = row if row and row.role != "none" else None
        counted_row = rows[key]
        if counted_row is not None:
            name = roundings[cell.file, cell.line]
            how = None if cell.superseded else convention(name, tables.roundings[name], cell.value)
            found.setdefault((cell.table, cell.measure, cell.unit), []).append(Printed(cell, counted_row, how))
    order = {row.place: n for n, row in enumerate(counted)}
    return dict(sorted(found.items(), key=lambda item: min(order[one.row.place] for one in item[1])))


def _every_cell(tables: Tables) -> Iterator[Cell]:
    years = sorted({row.year for row in tables.rows if row.year and row.file != "population.csv"})
    for year in years:
        yield from published_cells(tables, year)


def _why_not(this: Year, known: Sequence[Printed], measure: str, earlier: Counter | None) -> str:
    years = {found.cell.year for found in known}
    if _NAMED_YEAR.search(measure) and this.year not in years:
        return f"names its years, and was published for {', '.join(map(str, sorted(years)))} only"
    if any(found.row.years for found in known) and earlier is None:
        return f"needs {this.year - 1} of the same seed, profile and authorities in a folder beside this one"
    columns = {column for found in known for column in _columns(found.row)}
    missing = sorted(columns - set(this.views[known[0].row.view].columns))
    return f"{', '.join(missing)} is not collected in {this.year}" if missing else ""


def _columns(row: Counted) -> set[str]:
    return {condition.column for condition in (*row.where, *row.of)} | ({row.mean} if row.mean else set())


def _categories(known: Sequence[Printed], year: int) -> list[Printed]:
    """Return one figure for each category, in the order they were published.

    Categories counted alike are one under several names: those of the year nearest to the files' are kept, of the
    later one of two.
    """
    alike: dict[tuple[object, ...], list[Printed]] = {}
    for found in known:
        row = found.row
        alike.setdefault((row.view, row.where, row.of, row.population, row.mean, row.years), []).append(found)
    kept = []
    for same in alike.values():
        nearest = min((found.cell.year for found in same), key=lambda other: (abs(other - year), -other))
        kept += list({found.dims: found for found in same if found.cell.year == nearest}.values())
    return kept


def _areas(this: Year, known: Sequence[Printed]) -> list[tuple[str, str]]:
    """Return ONS code and name of the places a measure is given for, Wales first."""
    published = {found.cell.geography for found in known}
    found = [(WALES, "Wales")] if WALES in published and this.whole else []
    if published - {WALES}:
        found += [(a.ons_code, a.name) for a in all_authorities() if a.ons_code in this.areas]
    return found


def _nearest(known: Sequence[Printed], year: int) -> dict[bool, list[Printed]]:
    """Return the figures that were printed in the year nearest to the files', for Wales (True) and for authorities."""
    found = {}
    for national in (True, False):
        held = [one for one in known if one.how and (one.cell.geography == WALES) is national]
        off = min((abs(one.cell.year - year) for one in held), default=0)
        found[national] = [one for one in held if abs(one.cell.year - year) == off]
    return found


def _how(nearest: Sequence[Printed], category: Printed, area: str, tables: Tables) -> Convention:
    """Return how a figure is printed: as itself was in the nearest year, else its category, else its measure.

    Of two years equally near the later counts. Where none was ever printed, as by default.
    """
    if not nearest:
        name = default_rounding(category.cell.unit)
        return convention(name, tables.roundings[name]) or Convention(name, 1.0)

    def distance(found: Printed) -> tuple[bool, bool, int]:
        return found.dims != category.dims, found.cell.geography != area, -found.cell.year

    first = min(map(distance, nearest))
    alike = Tally(found.how for found in nearest if found.how and distance(found) == first)
    return alike.most_common(1)[0][0]
