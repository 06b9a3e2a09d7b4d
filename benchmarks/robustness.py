"""Input that hurts, and faults: how many were tried, refused with a message, read, and what went wrong.

    python benchmarks/robustness.py [--inputs N] [--faults N] [--kills N] [--surroundings] [--seed S]
                                    [--workers N] [--minutes M] [--only WORDS] [--keep FOLDER]

Inputs are made from a few good files: bytes turned about, and whole containers with content that hurts. The n-th input
of a kind is the same for a seed. Worker processes read them; a finding is

    traceback   anything raised but the errors this package raises on purpose, a rule that crashed, a file changed that
                was only to be read, a formula or a raw control character in what is written again
    hang        one input took more than 10 s: its worker is ended
    crash       the worker died
    memory      the resident set grew by more than 1,000 MB during one input (Linux)

What was found is kept in --keep, a folder for each place in the code. Faults run whole commands: robust_faults.py,
robust_kills.py and, with --surroundings, surroundings.py (short).
Exit code 1 with any finding.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import robust_memory
import surroundings
from robust_commands import COMMANDS, RefusedError
from robust_faults import FAULTS
from robust_inputs import KINDS, make_good
from robust_kills import kills

from synth.errors import SynthError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

SLOW = 10.0
"""Seconds one input may take, beyond which it counts as hanging."""
GROWTH = 1000
"""MB by which one input may raise the resident set. Findings take it: 100,000 rows with eight each come to some 800."""
ROOM = 12_000_000_000
"""Bytes of address space of a worker, so that no input takes the machine with it."""
BATCH = 50
KILLED, SURROUNDINGS = "killed", "other surroundings"
LONGEST = 6000
"""Letters of a message: what is longer is no message."""
ALL = KINDS | COMMANDS
SHARE = {
    "command line": 2,
    "files that are none": 0.1,
    "places that are taken": 0.1,
    "written again": 0.6,
    "profile, values": 0.3,
    "profile, bytes": 0.3,
    "folder": 0.2,
}
"""How often a kind is tried, where not as often as the others: those that cost much or find much."""


@dataclass(slots=True)
class Tally:
    """What came of a kind of input."""

    tried: int = 0
    refused: int = 0
    read: int = 0
    seconds: float = 0
    findings: Counter[str] = field(default_factory=Counter)


def one(kind: str, number: int, seed: int, good: Path, place: Path) -> tuple[str, str]:
    """Try one input in an empty folder; return what came of it and, for a finding, where in the code."""
    rng = random.Random(f"{seed}/{kind}/{number}")  # noqa: S311  nothing secret
    robust_memory.begin()
    try:
        ALL[kind](good, place, rng)
        found = ("read", "")
    except (SynthError, RefusedError) as told:
        endless = kind in COMMANDS and len(str(told)) > LONGEST
        found = ("refused", "") if str(told) and not endless else ("finding", f"a message of {len(str(told))} letters")
    except (Exception, SystemExit) as problem:  # noqa: BLE001  whatever it is, it is told
        found = ("finding", _place(problem))
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt):
            raise
        found = ("finding", _place(problem))
    grown = robust_memory.grown()
    return (
        ("finding", f"memory: {kind} grew by more than {GROWTH} MB")
        if grown > GROWTH and found[0] != "finding"
        else found
    )


def _place(problem: BaseException) -> str:
    ours = [frame for frame in traceback.extract_tb(problem.__traceback__) if "/synth/" in frame.filename]
    at = f" at {'/'.join(Path(ours[-1].filename).parts[-2:])}:{ours[-1].lineno}" if ours else ""
    note = f" ({problem.__notes__[0][:150]})" if hasattr(problem, "__notes__") else ""
    return f"{type(problem).__name__}{at}: {str(problem)[:120]!r}{note}"


def work(pipe: Connection, seed: int, good: Path, kept: Path) -> None:
    """Try the inputs that come through a pipe, telling when each begins and what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 2)
    while (task := pipe.recv()) is not None:
        kind, numbers = task
        for number in numbers:
            pipe.send(("begin", kind, number))
            place = Path(tempfile.mkdtemp(prefix="in-", dir=kept))
            begun = time.perf_counter()
            what, where = one(kind, number, seed, good, place)
            pipe.send((what, kind, number, where, time.perf_counter() - begun, str(place)))
            if what != "finding":
                shutil.rmtree(place, ignore_errors=True)
        pipe.send(("done",))


class Pool:
    """Worker processes, each watched: one that hangs or dies is told of and replaced."""

    def __init__(self, number: int, seed: int, good: Path, kept: Path) -> None:
        self.context = get_context("spawn")
        self.told = (seed, good, kept)
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self.examples: dict[str, str] = {}
        self.running: dict[Connection, tuple[BaseProcess, list[Any]]] = {}
        for _ in range(number):
            self._start()

    def _start(self) -> None:
        here, there = self.context.Pipe()
        process = self.context.Process(target=work, args=(there, *self.told))
        process.start()
        there.close()
        # Process and: kind, number and beginning of what it is at, inputs it has still to try.
        self.running[here] = (process, [None, None, None, []])

    def run(self, tasks: Iterator[tuple[str, list[int]]]) -> None:
        """Try all inputs."""
        for pipe in list(self.running):
            self._give(pipe, tasks)
        while self.running:
            for pipe in wait(list(self.running), 1):
                try:
                    self._hear(pipe, pipe.recv(), tasks)  # type: ignore[union-attr]
                except (EOFError, ConnectionError):
                    self._lost(pipe, "crash", tasks)  # type: ignore[arg-type]
            for pipe, (_, at) in list(self.running.items()):
                if at[2] is not None and time.monotonic() - at[2] > SLOW:
                    self._lost(pipe, "hang", tasks)

    def _give(self, pipe: Connection, tasks: Iterator[tuple[str, list[int]]]) -> None:
        process, at = self.running[pipe]
        task = (at[0], at[3]) if at[3] else next(tasks, None)
        with contextlib.suppress(ConnectionError):
            pipe.send(task)
        if task is None:
            process.join()
            del self.running[pipe]
        else:
            at[0], at[3] = task[0], list(task[1])

    def _hear(self, pipe: Connection, said: tuple[Any, ...], tasks: Iterator[tuple[str, list[int]]]) -> None:
        at = self.running[pipe][1]
        if said[0] == "begin":
            at[1], at[2] = said[2], time.monotonic()
        elif said[0] == "done":
            at[2], at[3] = None, []
            self._give(pipe, tasks)
        else:
            what, kind, number, where, seconds, place = said
            at[2] = None
            at[3].remove(number)
            self._count(what, kind, number, where, seconds, place)

    def _count(self, what: str, kind: str, number: int, where: str, seconds: float, place: str) -> None:
        tally = self.tallies[kind]
        tally.tried += 1
        tally.seconds += seconds
        tally.refused += what == "refused"
        tally.read += what == "read"
        if what == "finding":
            where = where if not where.startswith("AssertionError") else where.split(": synth", maxsplit=1)[0]
            key = where.partition(" (synth")[0]
            tally.findings[key] += 1
            if key not in self.examples:
                self.examples[key] = f"{kind} {number}: {where}\n    {place}"
                print("FOUND", self.examples[key], flush=True)
            else:
                shutil.rmtree(place, ignore_errors=True)

    def _lost(self, pipe: Connection, why: str, tasks: Iterator[tuple[str, list[int]]]) -> None:
        """Tell of a worker that hangs or died, and let another go on with what it had."""
        process, at = self.running.pop(pipe)
        process.kill()
        process.join()
        if at[2] is None and not at[3]:
            return
        if at[2] is not None:
            self._count("finding", at[0], at[1], f"{why}: {at[0]} {at[1]}", SLOW if why == "hang" else 0, "")
            at[3].remove(at[1])
        self._start()
        fresh = next(reversed(self.running))
        self.running[fresh][1][:] = [at[0], None, None, at[3]]
        self._give(fresh, tasks)


def batches(inputs: int, only: str, minutes: float) -> Iterator[tuple[str, list[int]]]:
    """Share inputs out over the kinds, a batch of each in turn."""
    kinds = [kind for kind in ALL if only in kind]
    weight = sum(SHARE.get(kind, 1) for kind in kinds)
    left = {kind: list(range(max(1, round(inputs * SHARE.get(kind, 1) / weight)))) for kind in kinds}
    end = time.monotonic() + 60 * minutes
    while any(left.values()) and time.monotonic() < end:
        for kind in kinds:
            if left[kind]:
                yield kind, left[kind][:BATCH]
                del left[kind][:BATCH]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=5000)
    parser.add_argument("--faults", type=int, default=3, help="runs of each fault that is tried at random moments")
    parser.add_argument("--kills", type=int, default=14, help="times a command is killed midway")
    parser.add_argument("--surroundings", action="store_true", help="hold bytes made elsewhere against those made here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=1e6, help="no further inputs are given out after so many")
    parser.add_argument("--only", default="", help="only kinds with these words in their names")
    parser.add_argument("--keep", type=Path, help="where inputs that were findings stay")
    asked = parser.parse_args()
    kept = asked.keep or Path(tempfile.mkdtemp(prefix="robust-"))
    good = kept / "good"
    shutil.rmtree(good, ignore_errors=True)
    good.mkdir(parents=True)
    make_good(good)
    started, cpu = time.perf_counter(), os.times()
    rows: list[tuple[str, Tally]] = []
    if asked.inputs:
        pool = Pool(asked.workers, asked.seed, good, kept)
        pool.run(batches(asked.inputs, asked.only, asked.minutes))
        rows += sorted(pool.tallies.items(), key=lambda item: list(ALL).index(item[0]))
    seconds, spent = time.perf_counter() - started, os.times()
    if asked.faults:
        rows += [(name, _faults(run, asked, kept)) for name, run in FAULTS.items() if asked.only in name]
    if asked.kills and asked.only in KILLED:
        rows.append((KILLED, _kills(asked, kept)))
    if asked.surroundings and asked.only in SURROUNDINGS:
        begun = time.perf_counter()
        number, other = surroundings.look(short=True)
        tally = Tally(number, 0, number - len(other), time.perf_counter() - begun, Counter(other))
        rows.append((SURROUNDINGS, tally))
    _print(rows)
    tried = sum(tally.tried for name, tally in rows if name in ALL)
    if tried:
        used = spent.children_user + spent.children_system - cpu.children_user - cpu.children_system
        each = f"{1000 * seconds / tried:.1f} s, {1000 * used / tried:.1f} s CPU"
        print(
            f"{tried:,} inputs, seed {asked.seed}: {each} per 1,000,"
              f" {asked.workers} workers")  # fmt: skip
    found = sum(tally.findings.total() for _, tally in rows)
    others = [tally for name, tally in rows if name not in ALL]
    survived = sum(tally.refused + tally.read for tally in others)
    print(
        f"{tried:,} inputs tried, {survived:,} of {sum(t.tried for t in others):,} faults survived, {found:,} findings"
    )
    if found == 0 and asked.keep is None:
        shutil.rmtree(kept)
    return 1 if found else 0


def _faults(run: Any, asked: argparse.Namespace, kept: Path) -> Tally:  # noqa: ANN401
    """Try one fault, and count what came of it."""
    tally = Tally()
    for number in range(asked.faults):
        place = Path(tempfile.mkdtemp(prefix="fault-", dir=kept))
        rng = random.Random(f"{asked.seed}/{run.__name__}/{number}")  # noqa: S311
        begun = time.perf_counter()
        for wrong, refused in run(place, rng):
            tally.tried += 1
            tally.refused += refused and not wrong
            tally.read += not refused and not wrong
            if wrong:
                tally.findings[wrong] += 1
                print("FOUND", wrong, flush=True)
        tally.seconds += time.perf_counter() - begun
        shutil.rmtree(place, ignore_errors=True)
    print(f"{run.__name__.strip('_')}: {tally.tried} tried", flush=True)
    return tally


def _kills(asked: argparse.Namespace, kept: Path) -> Tally:
    tally = Tally()
    place = Path(tempfile.mkdtemp(prefix="fault-", dir=kept))
    begun = time.perf_counter()
    for wrong in kills(place, random.Random(f"{asked.seed}/kills"), asked.kills):  # noqa: S311
        tally.tried += 1
        tally.read += not wrong
        if wrong:
            tally.findings[wrong] += 1
            print("FOUND", wrong, flush=True)
    tally.seconds = time.perf_counter() - begun
    shutil.rmtree(place, ignore_errors=True)
    return tally


def _print(rows: list[tuple[str, Tally]]) -> None:
    print(f"{'kind':<32}{'tried':>8}{'refused':>9}{'read':>8}{'findings':>10}{'ms each':>9}")
    for name, tally in rows:
        each = 1000 * tally.seconds / max(tally.tried, 1)
        print(
            f"{name:<32}{tally.tried:>8,}{tally.refused:>9,}{tally.read:>8,}{tally.findings.total():>10,}{each:>9.1f}"
        )
    for name, tally in rows:
        for where, times in tally.findings.most_common():
            print(f"  {times:>5} {name}: {where}")


if __name__ == "__main__":
    sys.exit(main())
