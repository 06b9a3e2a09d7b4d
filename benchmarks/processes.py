"""Whole processes and what they cost: seconds, and the memory of a process with all its descendants. Prints nothing."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Run", "run"]

LOOK = 0.02
"""Seconds between two looks at the memory."""


class Run(NamedTuple):
    """A finished process: seconds, CPU seconds and peak memory in MB (None: unknown) of its tree, what it printed."""

    seconds: float
    cpu: float
    peak: float | None
    status: int
    out: str


def resident(process: int) -> int:
    """Return the resident memory of a process and its descendants in bytes, 0 where the system does not tell."""
    total, waiting = 0, [process]
    while waiting:
        place = Path("/proc", str(waiting.pop()))
        try:
            total += int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for thread in (place / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (OSError, IndexError):  # ended meanwhile, or no such system
            continue
    return total


def cpu_of_children() -> float:
    """Return the CPU seconds of all finished processes that this one started, and of theirs."""
    spent = os.times()
    return spent.children_user + spent.children_system


def run(*command: str, allowed: Iterable[int] = (0,), quiet: bool = True) -> Run:
    """Run a command to its end and watch its memory; any exit status but the allowed ones ends this run too."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        begun, cpu, peak = time.perf_counter(), cpu_of_children(), 0
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL if quiet else None)
        while True:
            peak = max(peak, resident(process.pid))
            try:
                status = process.wait(LOOK)
                break
            except subprocess.TimeoutExpired:
                continue
        seconds = time.perf_counter() - begun
        if status not in allowed:
            raise SystemExit(f"{' '.join(command)}: exit status {status}")
        out.seek(0)
        return Run(seconds, cpu_of_children() - cpu, peak / 1e6 or None, status, out.read())
