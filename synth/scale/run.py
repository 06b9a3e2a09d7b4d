"""Making a dataset: what is finished stays, the rest is made block by block, and at the end the whole is described."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.errors import InputError
from synth.files import BESIDE, MANIFEST
from synth.manifest import json_text, made_by, statement_of
from synth.metadata import beside_worlds
from synth.scale.workers import run_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from synth.scale.work import Job, Partition

    Run = Callable[[Job, list[tuple[int, ...]], int], Iterable[list[Partition]]]

__all__ = ["Made", "make_dataset"]

_TOGETHER = 4
"""Worlds lived side by side: more are hardly faster, and each takes some 80 MB."""


@dataclass(frozen=True, slots=True)
class Made:
    """A dataset in its place: rows of each form, and how many of its partitions an earlier run had finished."""

    partitions: tuple[Partition, ...]
    rows: dict[str, int]
    finished_before: int


def make_dataset(
    job: Job,
    *,
    workers: int = 1,
    run: Run = run_blocks,
    tick: Callable[[int, int], None] = lambda _done, _all: None,
) -> Made:
    """Make every partition of a plan that is not there yet, what describes the dataset, and its manifest.

    Partitions that an earlier run of the same plan has finished are held against their hashes and not made again.
    `run` makes blocks of worlds, `workers` of them at a time, in any order; what is made does not depend on either.
    `tick` is told how many partitions of how many are there. Raises InputError where the place cannot be used,
    OutputError where it holds partitions of another plan or cannot be written.
    """
    plan, store = job.plan, job.store
    if workers > 1 and not store.shared:
        raise InputError(
            f"--out {store}: other processes do not see what is there; give --workers 1, or another place."
        )
    store.prepare()
    partitions = plan.partitions
    strange = [name for name in store.partitions() if name not in partitions]
    if strange:
        raise InputError(
            f"{store} holds {strange[0]}, which is not part of this dataset; give another --out, or take it away first."
        )
    found: dict[str, Partition] = {}
    for name, (year, world) in partitions.items():
        before = job.made_before(year, world)
        if before is not None:
            found[name] = before
    finished_before = len(found)
    tick(finished_before, len(partitions))
    # A world is lived once for all its years.
    missing = sorted({world for name, (_, world) in partitions.items() if name not in found})
    if missing:
        store.remove(MANIFEST)
    for made in run(job, _blocks(missing, workers), workers):
        found |= {partition.name: partition for partition in made}
        tick(len(found), len(partitions))
    whole = tuple(found[name] for name in partitions)
    rows = _rows(job, whole)
    beside = beside_worlds(plan, plan.profile_of(job.profile))
    for name, content in beside.items():
        if store.read(name) != content:
            store.write(name, content)
    store.write(MANIFEST, json_text(_manifest(job, whole, rows, beside)).encode())
    return Made(whole, rows, finished_before)


def _blocks(worlds: list[int], workers: int) -> list[tuple[int, ...]]:
    """Share worlds out to blocks of about the same size, as many as keep all workers busy to the end."""
    if not worlds:
        return []
    rounds = math.ceil(len(worlds) / (_TOGETHER * workers))
    number = min(rounds * workers, len(worlds))
    ends = [len(worlds) * end // number for end in range(number + 1)]
    return [tuple(worlds[first:end]) for first, end in itertools.pairwise(ends)]


def _rows(job: Job, partitions: Iterable[Partition]) -> dict[str, int]:
    """Add up the rows of each form."""
    forms = {name: form for form, name in job.plan.names().items()}
    rows: Counter[str] = Counter(dict.fromkeys(forms.values(), 0))
    for partition in partitions:
        for file, count in partition.rows.items():
            rows[forms[file.rpartition("/")[2]]] += count
    return dict(rows)


def _manifest(
    job: Job, partitions: Iterable[Partition], rows: dict[str, int], beside: Mapping[str, bytes]
) -> dict[str, Any]:
    plan = job.plan
    return {
        "statement": statement_of(job.profile),
        "command": plan.whole_command,
        "mode": plan.mode,
        "years": list(plan.years),
        "worlds": plan.worlds,
        "authorities": list(plan.codes),
        "seed": plan.seed,
        "format": plan.form,
        **made_by(plan.profile_of(job.profile)),
        "rows": rows,
        "partitions": {
            partition.name: {"rows": sum(partition.rows.values()), "manifest_sha256": partition.digest}
            for partition in partitions
        },
        BESIDE: {name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in beside.items()},
    }
