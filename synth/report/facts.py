"""What a report tells: generated years read once, held against what was published and against the guidance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from synth.errors import InputError
from synth.fidelity.comparison import Comparison, Result, compare
from synth.fidelity.folders import Year, folder_before, follows, is_partition, read_manifest, year_from
from synth.files import MANIFEST
from synth.geography.authorities import all_authorities
from synth.published import WALES, load_tables
from synth.reading import beside_last_year, read_any, read_folder, year_folders
from synth.validate.run import validate_tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth.geography.authorities import Authority
    from synth.profile import Profile
    from synth.published import Tables
    from synth.tables import Tables as TypedTables
    from synth.validate.report import Report

__all__ = ["Facts", "Stock", "YearFacts", "gather"]

_STOCK = "looked_after_at_31_march"
_WHOLE = ("", "all", "CH/039")
"""What stands for all children of a table; CH/039 is the name of a performance measure."""
_FAR, _FEW = 0.05, 5
"""A stock nothing was published about is off where it is this share, and more than so many children, from the level."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Children looked after on 31 March in one authority.

    `interval` is the published one, ends included, None where nothing was published; `level` is what the profile aims
    at.
    """

    authority: Authority
    generated: int
    level: int
    interval: tuple[float, float] | None
    rate: float

    @property
    def fits(self) -> bool:
        """Whether the stock lies in the published interval, or without one near the profile's level."""
        if self.interval:
            return self.interval[0] <= self.generated <= self.interval[1]
        return abs(self.generated - self.level) <= max(_FEW, _FAR * self.level)

    @property
    def off(self) -> float:
        """How far the stock is from the level, as a share of it."""
        return self.generated / max(self.level, 1) - 1


@dataclass(frozen=True, slots=True)
class YearFacts:
    """One year: its files, the comparison (None for a projection) and the report of the validator."""

    this: Year
    tables: TypedTables
    manifest: Mapping[str, Any]
    comparison: Comparison | None
    validation: Report
    stocks: tuple[Stock, ...]

    @property
    def year(self) -> int:
        """The year of the 31 March on which it ends."""
        return self.this.year

    @property
    def results(self) -> tuple[Result, ...]:
        """All cells compared."""
        return self.comparison.results if self.comparison else ()

    def wales(self, measure: str, dim1: str = "", unit: str = "count") -> Result | None:
        """Return the figure of Wales published about a measure, the first where there are several."""
        for found in self.results:
            cell = found.cell
            if (cell.measure, cell.geography, cell.dim1, cell.unit) == (measure, WALES, dim1, unit):
                return found
        return None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one report tells; `years` rise and have at least one member."""

    years: tuple[YearFacts, ...]
    profile: Profile

    @property
    def latest(self) -> YearFacts:
        """The last year."""
        return self.years[-1]

    @property
    def panel(self) -> bool:
        """Whether there are several years."""
        return len(self.years) > 1

    @property
    def same_profile(self) -> bool:
        """Whether the profile at hand is the one the files were made with."""
        from synth.profile import digest  # noqa: PLC0415  slow to import

        found = digest(self.profile)
        return all(one.this.profile_digest == found for one in self.years if one.comparison)


def gather(folder: Path, profile: Profile) -> Facts:
    """Read the folder of a generated year, or of several, each beside the one before where that is there.

    Raises InputError where it is neither, and as `read_year` does.
    """
    tables = load_tables()
    folders = [folder] if (folder / MANIFEST).is_file() else list(year_folders(folder).values())
    if not folders:
        what = "is no folder" if not folder.is_dir() else "holds neither a manifest.json nor folders of years"
        raise InputError(f"{folder} {what}; expected what synth generate writes, such as outputs/2023 or outputs.")
    years: list[YearFacts] = []
    before: tuple[Year, TypedTables, dict[str, Any]] | None = None
    for path in folders:
        this, now, manifest = read = _read(path)
        if before is None and (beside := folder_before(this)):
            before = _read(beside)
        earlier, last, _ = before if before and follows(before[2], this) else (None, None, None)
        known = this.year <= profile.years[1]
        comparison = compare(this, earlier, tables, profile.held_out) if known else None
        years.append(
            YearFacts(
                this=this,
                tables=now,
                manifest=manifest,
                comparison=comparison,
                validation=validate_tables(replace(now, last=last), this.year),
                stocks=_stocks(this, profile, tables, _intervals(comparison)),
            )
        )
        before = read
    return Facts(tuple(years), profile)


def _read(folder: Path) -> tuple[Year, TypedTables, dict[str, Any]]:
    """Read the folder of a year: what it is, its forms as the validator reads them, its manifest."""
    manifest = read_manifest(folder)
    year = manifest["year"]
    held = beside_last_year(read_any([folder], year=year), ())[0] if is_partition(folder) else read_folder(folder, year)
    return year_from(folder, manifest, held.forms), held, manifest


def _intervals(comparison: Comparison | None) -> dict[str, tuple[float, float]]:
    """Return the published interval of each authority's stock, the narrowest where several figures speak of one."""
    found: dict[str, tuple[float, float]] = {}
    for result in comparison.results if comparison else ():
        cell = result.cell
        if (cell.measure, cell.unit) != (_STOCK, "count") or cell.dim1 not in _WHOLE or cell.dim2 not in _WHOLE:
            continue
        low, high = found.get(cell.geography, (0.0, float("inf")))
        if cell.high - cell.low < high - low:
            found[cell.geography] = cell.low, cell.high
    return found


def _stocks(
    this: Year, profile: Profile, tables: Tables, intervals: Mapping[str, tuple[float, float]]
) -> tuple[Stock, ...]:
    """Count the stock of each authority in the files, beside the level of the profile, its last in a projection."""
    counts = dict(this.views.looked_after.group_by("LOCAL_AUTHORITY_CODE").len().iter_rows())
    children = tables.children(this.year - 1)
    return tuple(
        Stock(
            authority=area,
            generated=counts.get(area.code, 0),
            level=profile.level("looked_after", area.code, min(this.year, profile.years[1])),
            interval=intervals.get(area.ons_code),
            rate=10_000 * counts.get(area.code, 0) / children[area.ons_code],
        )
        for area in all_authorities()
        if area.code in this.authorities
    )
