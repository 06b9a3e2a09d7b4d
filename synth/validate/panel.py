"""A folder of years: each is checked beside the one before, and what was found is told as one report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from synth.reading import beside_last_year, read_any, year_folders
from synth.reading.kinds import DATA_ENDINGS
from synth.validate.report import Report
from synth.validate.run import validate_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth.tables import Tables
    from synth.validate.report import Outcome

__all__ = ["validate_panel", "years_of"]

_WEIGHT = ("not applicable", "passed", "found", "crashed")
"""What became of a rule, the strongest last: what it came to in one year stands for all."""


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
    reports: list[Report] = []
    held: dict[int, Tables] = {}
    for year, folder in sorted(years.items()):
        found = read_any([folder], year=year)
        tables, notes = beside_last_year(found, () if reports else last_year)
        if year - 1 in held:
            tables = replace(tables, last=held[year - 1])
        # Each year is read once, and kept only until the next has been held against it.
        held = {year: replace(tables, last=None)}
        report = validate_tables(tables, year, strict=strict)
        named = pl.concat_str(pl.lit(f"{folder.name}/"), "file").alias("file")
        reports.append(
            replace(
                report,
                files=tuple((f"{folder.name}/{name}", rows) for name, rows in report.files),
                findings=report.findings.with_columns(named),
                notes=tuple(f"{folder.name}: {note}" for note in (*found.notes, *notes, *report.notes)),
            )
        )
    return _joined(reports)


def _joined(reports: Sequence[Report]) -> Report:
    """Put the reports of years together; a rule's outcome is the strongest of any year, with all its rows."""
    outcomes: dict[tuple[str, str], Outcome] = {}
    for report in reports:
        for new in report.outcomes:
            key = new.rule, new.form
            old = outcomes.get(key)
            if old is None:
                outcomes[key] = new
                continue
            stronger = max((new, old), key=lambda outcome: _WEIGHT.index(outcome.status))
            outcomes[key] = replace(stronger, count=old.count + new.count, why=stronger.why)
    return Report(
        reports[-1].year,
        tuple(file for report in reports for file in report.files),
        tuple(sorted(outcomes.values(), key=lambda outcome: (outcome.rule, outcome.form))),
        pl.concat([report.findings for report in reports]),
        tuple(note for report in reports for note in report.notes),
        first_year=reports[0].year,
    )
