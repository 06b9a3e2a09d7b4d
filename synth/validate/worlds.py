"""A dataset of worlds checked partition by partition, each year beside the one before, and told as one report."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from synth.processes import in_order, processes_for
from synth.reading.dataset import open_dataset
from synth.reading.whole import check_whole
from synth.validate.joining import Joining, first_findings
from synth.validate.panel import reports_of_years

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

    from synth.reading.dataset import World
    from synth.validate.report import Report

__all__ = ["validate_dataset"]


def validate_dataset(
    root: Path,
    *,
    strict: bool = False,
    keep: int = 10,
    workers: int | None = None,
    each: Callable[[pl.DataFrame], None] | None = None,
    tick: Callable[[int, int], None] = lambda _done, _all: None,
) -> Report:
    """Check every partition of a dataset, once it has been found whole.

    The report holds the first `keep` findings of each rule and counts all; `each` is given all those of each partition
    in turn (`FINDING_COLUMNS`), in the order of the dataset, and needs not keep them. Files are named from the root.
    Each of `workers` processes (None: as many as are faster) has no more than two years of a world in memory; nothing
    else depends on their number. `tick` is told how many worlds of how many are done.

    Raises InputError where the dataset is not whole, and as `validate` does.
    """
    dataset = open_dataset(root)
    check_whole(dataset)
    joining = Joining(keep)
    worlds = dataset.worlds
    tick(0, len(worlds))
    check = partial(_check, root, strict, keep if each is None else None)
    checked = in_order(check, worlds, processes_for(len(worlds), workers))
    for done, (world, reports) in enumerate(zip(worlds, checked, strict=True), start=1):
        for report in reports:
            if each is not None:
                each(report.findings)
            joining.add(report, world.name)
        tick(done, len(worlds))
    return joining.report()


def _check(root: Path, strict: bool, keep: int | None, world: World) -> list[Report]:
    """Check the years of one world; all findings are given on where `keep` is None, else the first of each rule."""
    years = {year: (name, root / name) for year, name in world.years.items()}
    reports = reports_of_years(years, strict=strict)
    return [report if keep is None else first_findings(report, keep) for report in reports]
