"""Making some worlds of a dataset: the unit of work, the same in this process, in others and on other machines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synth.errors import OutputError
from synth.files import MANIFEST
from synth.guidance import load
from synth.manifest import described
from synth.scale.encode import encoded
from synth.scale.plan import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.profile import Profile
    from synth.scale.plan import Plan
    from synth.scale.store import Store

__all__ = ["Job", "Partition"]


@dataclass(frozen=True, slots=True)
class Partition:
    """A finished partition: its name, the rows of each of its files, the SHA-256 of its manifest."""

    name: str
    rows: dict[str, int]
    digest: str

    @classmethod
    def of(cls, name: str, manifest: bytes) -> Partition:
        """Take what its manifest tells."""
        rows = {file: entry["rows"] for file, entry in json.loads(manifest)["files"].items()}
        return cls(name, rows, hashlib.sha256(manifest).hexdigest())


@dataclass(frozen=True, slots=True)
class Job:
    """A dataset to be made: what it is to hold, from which profile, and where it stands."""

    plan: Plan
    profile: Profile
    store: Store
    _years: dict[int, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)
    """What manifests of a year have in common: a profile takes a while to digest."""

    def about(self, year: int, world: int) -> dict[str, Any]:
        """Return the manifest of a partition, all but its files."""
        plan = self.plan
        if year not in self._years:
            collection = load("crcs", year, plan.collection).mode
            profile = plan.profile_of(self.profile, year)
            self._years[year] = described(year, plan.codes, profile, plan.seed, plan.mode, collection, "")
        return self._years[year] | {"command": plan.command(year, world), "world": world + 1}

    def made_before(self, year: int, world: int) -> Partition | None:
        """Return a partition that an earlier run of the same plan has finished, else None.

        Raises OutputError where a whole partition stands there that another plan made.
        """
        name = partition_of(year, world)
        told = self.store.finished(name)
        if told is None:
            return None
        about = self.about(year, world)
        other = [key for key in {*about, *told} - {"files"} if about.get(key) != told.get(key)]
        names = set(self.plan.names().values())
        if not other and {file.rpartition("/")[2] for file in told["files"]} != names:
            other = ["files"]
        if not other and any("/" in file for file in told["files"]) != self.plan.by_authority:
            other = ["files by authority"]
        if other:
            raise OutputError(
                f"{name} was made by another run: it differs in {', '.join(sorted(other))}. Give another --out, or take"
                " the dataset away first."
            )
        manifest = self.store.read(f"{name}/{MANIFEST}")
        return None if manifest is None else Partition.of(name, manifest)

    def make(self, worlds: Sequence[int]) -> list[Partition]:
        """Simulate some worlds side by side and put their partitions in place."""
        found = []
        # Sampled worlds have stocks of their own, so each is lived by itself.
        for block in [(world,) for world in worlds] if self.plan.mode == "sampled" else [tuple(worlds)]:
            found += self._make(block)
        return found

    def _make(self, worlds: Sequence[int]) -> list[Partition]:
        # So that a job can be told what to do before.
        from synth.simulate import drawn_with, simulate_years  # noqa: PLC0415

        plan = self.plan
        profile = drawn_with(self.profile, plan.years[-1], plan.mode, plan.seed, worlds[0])
        found = []
        years = simulate_years(
            profile, plan.authorities, plan.years, plan.seed, collection=plan.collection, worlds=worlds, kin=False
        )
        for made in years:
            name, about = partition_of(made.year, made.world), self.about(made.year, made.world)
            files = encoded(made, plan, about)
            self.store.put(name, files)
            found.append(Partition.of(name, files[MANIFEST]))
        return found
