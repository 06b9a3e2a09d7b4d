"""A folder of years: each is checked beside the one before, and what was found is told as one report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from synth.errors import InputError
from synth.reading import beside_last_year, read_any, year_folders
from synth.reading.kinds import DATA_ENDINGS
from synth.validate.joining import Joining
from synth.validate.run import validate_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from synth.tables import Tables
    from synth.validate.report import Report

__all__ = ["reports_of_years", "validate_panel", "years_of"]


def years_of(paths: Sequence[Path]) -> dict[int, Path]:
    """Return the folders of years in the one folder named, by year; none where it holds files of a return itself."""
    if len(paths) != 1 or not paths[0].is_dir():
        return {}
    if any(path.is_file() and path.suffix.lower() in DATA_ENDINGS for path in paths[0].iterdir()):
        return {}
    return year_folders(paths[0])


def validate_panel(years: dict[int, Path], *, last_year: Sequence[Path] = (), strict: bool = False) -> Report:
    """Check folders of years as one: each beside the one before where that is there, the first beside `last_year`.

    Files are named with their folder. Raises InputError as `validate` does.
    """
    joining = Joining()
    named = {year: (folder.name, folder) for year, folder in years.items()}
    for report in reports_of_years(named, last_year=last_year, strict=strict):
        joining.add(report)
    return joining.report()


def reports_of_years(
    years: Mapping[int, tuple[str, Path]], *, last_year: Sequence[Path] = (), strict: bool = False
) -> Iterator[Report]:
    """Check folders of years one after another, each beside the one before where that is there.

    `years` gives the name of each folder, which files and notes are told with, and its place. No more than two years
    are held at a time. Raises InputError as `validate` does.
    """
    held: dict[int, Tables] = {}
    for year, (name, folder) in sorted(years.items()):
        try:
            found = read_any([folder], year=year)
        except InputError as problem:
            raise InputError(f"{name}: {problem}") from problem
        tables, notes = beside_last_year(found, last_year)
        last_year = ()
        if year - 1 in held:
            tables = replace(tables, last=held[year - 1])
        # Each year is read once, and kept only until the next has been held against it.
        held = {year: replace(tables, last=None)}
        report = validate_tables(tables, year, strict=strict)
        yield replace(
            report,
            files=tuple((f"{name}/{file}", rows) for file, rows in report.files),
            findings=report.findings.with_columns(pl.concat_str(pl.lit(f"{name}/"), "file").alias("file")),
            notes=tuple(f"{name}: {note}" for note in (*found.notes, *notes, *report.notes)),
        )
