"""A dataset of worlds held against everything published about its years: each cell over all worlds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from synth.errors import InputError
from synth.fidelity.comparison import compare
from synth.fidelity.folders import read_manifest, read_year
from synth.fidelity.run import origin, unpublished
from synth.fidelity.worlds_report import OverWorlds, WorldScore, WorldsReport
from synth.processes import in_order, processes_for
from synth.published import load_tables
from synth.reading.dataset import open_dataset
from synth.reading.whole import check_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from synth.fidelity.comparison import Comparison, Result
    from synth.fidelity.folders import Year
    from synth.profile import Profile
    from synth.published import Cell
    from synth.reading.dataset import World

__all__ = ["fidelity_of_worlds"]

_tables = cache(load_tables)
"""The published tables, read once by each process."""


def fidelity_of_worlds(
    root: Path,
    profile: Profile,
    *,
    workers: int | None = None,
    tick: Callable[[int, int], None] = lambda _done, _all: None,
) -> WorldsReport:
    """Compare every partition of a dataset, once it has been found whole, with the published cells of its year.

    Years that are projections are left out, and said to be. Each of `workers` processes (None: as many as are faster)
    has no more than two years of a world in memory; nothing else depends on their number. `tick` is told how many
    worlds of how many are done. Raises InputError where the dataset is not whole or nothing was published about any of
    its years, and ProfileError where the published tables cannot be read.
    """
    dataset = open_dataset(root)
    last = profile.years[1]
    projected = [year for year in dataset.years if year > last]
    if len(projected) == len(dataset.years):
        raise InputError(f"{root}: {projected[0]} is a projection; nothing published is there to hold it against.")
    check_whole(dataset)
    worlds = dataset.worlds
    over = _Over()
    tick(0, len(worlds))
    comparing = partial(_compared, root, profile.held_out, last)
    compared = in_order(comparing, worlds, processes_for(len(worlds), workers))
    for done, (world, comparisons) in enumerate(zip(worlds, compared, strict=True), start=1):
        over.add(world.name, comparisons)
        tick(done, len(worlds))
    # That of a projected year is another, so a year is asked that was compared.
    asked = next(name for year, name in worlds[0].years.items() if year <= last)
    made_with = read_manifest(root / asked)["profile"]
    known, remarks = origin(str(made_with.get("name", "")), str(made_with.get("sha256", "")), profile)
    left_out = [f"{year} is a projection: nothing published is there to hold it against." for year in projected]
    return WorldsReport(
        folder=str(root),
        years=tuple(year for year in dataset.years if year <= last),
        worlds=tuple(over.worlds),
        authorities=tuple(dataset.told["authorities"]),
        seed=dataset.told["seed"],
        profile=str(made_with.get("name", "")),
        cells=tuple(seen.over_worlds() for seen in over.cells.values()),
        skipped=tuple(over.skipped.values()),
        superseded=sum(over.superseded.values()),
        unpublished=unpublished(_tables()),
        remarks=(*remarks, *left_out),
        known=known,
    )


def _compared(root: Path, held_out: Sequence[str], last: int, world: World) -> list[Comparison]:
    """Compare the published years of one world, each beside the year before where the dataset holds it."""
    found: list[Comparison] = []
    before: Year | None = None
    for year, name in world.years.items():
        if year > last:
            break
        try:
            this = read_year(root / name)
        except InputError as problem:
            raise InputError(f"{name}: {problem}") from problem
        found.append(compare(this, before if before and before.year == year - 1 else None, _tables(), held_out))
        before = this
    return found


@dataclass
class _Seen:
    """One cell over the worlds seen so far, added up so that none of them has to be kept (Welford)."""

    first: Result
    worlds: int = 0
    mean: float = 0.0
    squares: float = 0.0
    lowest: float = math.inf
    highest: float = -math.inf
    inside: int = 0
    worst: float = 0.0

    def add(self, result: Result) -> None:
        self.worlds += 1
        off = result.generated - self.mean
        self.mean += off / self.worlds
        self.squares += off * (result.generated - self.mean)
        self.lowest = min(self.lowest, result.generated)
        self.highest = max(self.highest, result.generated)
        self.inside += result.inside
        self.worst = max(self.worst, result.z, key=abs)

    def over_worlds(self) -> OverWorlds:
        first, n = self.first, self.worlds
        error = math.sqrt(self.squares / (n - 1) / n) if n > 1 else None
        return OverWorlds(
            first.cell, first.role, first.note, n, self.mean, error, self.lowest, self.highest, self.inside, self.worst
        )


@dataclass
class _Over:
    """Everything compared so far; cells by year and place."""

    cells: dict[tuple[int, str], _Seen] = field(default_factory=dict)
    skipped: dict[tuple[int, str], tuple[Cell, str]] = field(default_factory=dict)
    superseded: dict[int, int] = field(default_factory=dict)
    worlds: list[WorldScore] = field(default_factory=list)

    def add(self, world: str, comparisons: Sequence[Comparison]) -> None:
        fitted = inside = 0
        for comparison in comparisons:
            for result in comparison.results:
                key = result.cell.year, result.cell.place
                self.cells.setdefault(key, _Seen(result)).add(result)
                if result.role == "fitted":
                    fitted, inside = fitted + 1, inside + result.inside
            for cell, reason in comparison.skipped:
                self.skipped[cell.year, cell.place] = cell, reason
                self.superseded[cell.year] = comparison.superseded
            for result in comparison.results[:1]:
                self.superseded[result.cell.year] = comparison.superseded
        self.worlds.append(WorldScore(world, fitted, inside))
