"""A folder of years: each is checked beside the one before, and what was found is told as one report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from synth.reading.kinds import DATA_ENDINGS
from synth.validate.report import Report
from synth.validate.run import validate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth.validate.report import Outcome

__all__ = ["validate_panel", "years_of"]

_WEIGHT = ("not applicable", "passed", "found", "crashed")
"""What became of a rule, the strongest last: what it came to in one year stands for all."""


def years_of(paths: Sequence[Path]) -> dict[int, Path]:
    """Return the folders of years in the one folder named, by year; none where it holds files of a return itself."""
    if len(paths) != 1 or not paths[0].is_dir():
        return {}
    inside = sorted(paths[0].iterdir(), key=lambda path: path.name)
    if any(path.is_file() and path.suffix.lower() in DATA_ENDINGS for path in inside):
        return {}
    named = [path for path in inside if path.is_dir() and len(path.name) == len("2023") and path.name.isdecimal()]
    return {int(path.name): path for path in named}


def validate_panel(years: dict[int, Path], *, last_year: Sequence[Path] = (), strict: bool = False) -> Report:
    """Check folders of years as one: each beside the one before where that is there, the first beside `last_year`.

    Files are named with their folder. Raises InputError as `validate` does.
    """
    reports: list[Report] = []
    for year, folder in sorted(years.items()):
        before = [years[year - 1]] if year - 1 in years else list(last_year) if not reports else []
        found = validate([folder], year=year, last_year=before, strict=strict)
        named = pl.concat_str(pl.lit(f"{folder.name}/"), "file").alias("file")
        reports.append(
            replace(
                found,
                files=tuple((f"{folder.name}/{name}", rows) for name, rows in found.files),
                findings=found.findings.with_columns(named),
                # What is said of last year's files stands with their own year, where that is here.
                notes=tuple(
                    f"{folder.name}: {note}"
                    for note in found.notes
                    if not (note.startswith("Last year: ") and year - 1 in years)
                ),
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
