"""Blocks of worlds made here or by processes of this machine; a process that dies takes nothing but its block along."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from synth.errors import OutputError
from synth.processes import processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth.scale.work import Job, Partition

__all__ = ["run_blocks"]

_job: Job | None = None


def run_blocks(job: Job, blocks: Sequence[tuple[int, ...]], workers: int) -> Iterator[list[Partition]]:
    """Make blocks of worlds, `workers` at a time, and give what was made as it is finished.

    Raises what a block raises, and OutputError where a process dies; blocks finished before stand.
    """
    if workers <= 1 or len(blocks) <= 1:
        yield from map(job.make, blocks)
        return
    from concurrent.futures import FIRST_COMPLETED, wait  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    waiting = deque(blocks)
    try:
        with processes(min(workers, len(blocks)), _begin, job) as pool:
            running = {pool.submit(_make, waiting.popleft()) for _ in range(min(2 * workers, len(blocks)))}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                    if waiting:
                        running.add(pool.submit(_make, waiting.popleft()))
    except BrokenProcessPool:
        raise OutputError(
            "A worker process was ended from outside (out of memory?). Worlds finished before stand; the same command"
            " goes on from there, with fewer --workers if memory is short."
        ) from None


def _begin(job: Job) -> None:
    """Keep the job at hand in a new process."""
    global _job  # noqa: PLW0603  a process of a pool has no other place for what all its tasks share
    _job = job


def _make(worlds: tuple[int, ...]) -> list[Partition]:
    assert _job is not None
    return _job.make(worlds)
