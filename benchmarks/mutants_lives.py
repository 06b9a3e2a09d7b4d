"""Mutants of margins, lives and returns: how many of a sample of small changes the tests notice, and which tests.

    python benchmarks/mutants_lives.py [MODULE ...] [--sample N] [--seed S] [--kept] [--workers N] [--limit SECONDS]

There are too many changes to try each, as `mutants.py` does with the rules: tried are N of them (120), drawn by a hash
of the seed and of what names a change, so that a change of the program moves few others in or out. MODULE is a module
of synth/margins, synth/lives or synth/returns by its name there (`histories`, or `returns.addresses`); all of them
where none is named. `--kept` tries the changes that have a reason instead.

Each is tried in a process of its own that imports the module with the change; files stay as they are. First come the
tests of `mutants_lives_tests.csv`, then, where they notice nothing, the bytes of every year
(tests/test_golden_bytes.py), which tell that something changed and not whether it is wrong: what they hold alone is
listed. What goes on for longer than the limit counts as noticed. What no test of the first notices may have a line in
`mutants_kept_lives.csv` with the reason why it may stand, and the bytes are not asked then; what the bytes do not
notice either needs one. Exit code 1 where it has none, or where a reason has no mutant or no survivor any more; 2 where
tests fail without any change.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import heapq
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mutants_made import ROOT, Key, Mutant, kept, mutants, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HERE = Path(__file__).parent
KEPT, TESTS = HERE / "mutants_kept_lives.csv", HERE / "mutants_lives_tests.csv"
PACKAGES = ("synth.margins", "synth.lives", "synth.returns")
BYTES = ("tests/test_golden_bytes.py",)
RESULTS = ("direct", "bytes", "reason", "left")
BITS = {"BitAnd", "BitOr", "BitXor", "LShift", "RShift"}
IDLE = ("if TYPE_CHECKING:", "@dataclass(")
"""Lines whose changes alter no result: imports for annotations alone, and what guards records against later code."""


def tests_of() -> dict[str, tuple[str, ...]]:
    """Return the files with the tests of each module, the quickest first."""
    with TESTS.open(encoding="utf-8", newline="") as stream:
        return {
            row["module"]: tuple(f"tests/test_{name}.py" for name in row["tests"].split())
            for row in csv.DictReader(stream)
        }


def named(modules: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return modules by their whole names; end the command where one is not known, or by a name that two have."""
    found = []
    for name in modules:
        fitting = [module for module in known if f".{module}".endswith(f".{name}")]
        if len(fitting) != 1:
            sys.exit(f"{name}: names {len(fitting)} modules of {', '.join(PACKAGES)}, not one: {', '.join(fitting)}")
        found += fitting
    return found


def worth_trying(mutant: Mutant) -> bool:
    """Whether a change can alter a result, and does so otherwise than by an error at once.

    Left out are operators of bits for those of numbers and back, which floats do not have, flags and signs that guard
    against wrong calls alone, and lines of IDLE.
    """
    kind, _, change = mutant.operator.partition("_")
    if kind == "ReplaceBinaryOperator":
        before, _, after = change.partition("_")
        if (before in BITS) != (after in BITS) or after in {"LShift", "RShift"}:
            return False
    guards = (("strict=True", "strict=False"), ("*,", "/,"))
    return not mutant.before.startswith(IDLE) and all(mutant.after != mutant.before.replace(*pair) for pair in guards)


def place_of(mutant: Mutant, seed: int) -> bytes:
    """Return where a change stands in the order in which changes are taken into a sample."""
    return hashlib.sha256(repr((seed, mutant.key)).encode()).digest()


class Trier:
    """Runs tests with a change; the folder of what they make is its own and goes with it."""

    def __init__(self, limit: float, folder: Path) -> None:
        self.limit, self.folder, self.runs = limit, folder, 0

    def passes(self, module: str, source: str, files: Sequence[str], limit: float | None = None) -> bool:
        """Whether the tests of some files pass in time with a module of this source."""
        self.runs += 1
        paths = [str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")]
        code = "import mutants_tried; mutants_tried.tests()"
        place = self.folder / f"{module}-{hashlib.sha256(source.encode()).hexdigest()[:12]}-{self.runs}"
        process = subprocess.Popen(
            [sys.executable, "-c", code, f"--basetemp={place}", *files],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        try:
            process.communicate(f"{module}\n{source}", timeout=limit or self.limit)
        except subprocess.TimeoutExpired:
            return False
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            shutil.rmtree(place, ignore_errors=True)
        return process.returncode == 0

    def result(self, mutant: Mutant, tests: Sequence[str], reasons: Mapping[Key, str]) -> str:
        """Return which of RESULTS comes of a change."""
        if not self.passes(mutant.module, mutant.source, tests):
            return "direct"
        if mutant.key in reasons:
            return "reason"
        return "left" if self.passes(mutant.module, mutant.source, BYTES) else "bytes"


def made(modules: Iterable[str], keys: set[Key]) -> Iterator[Mutant]:
    """Yield the changes of modules that are worth trying, and add what names each to `keys`."""
    for module in modules:
        for mutant in mutants(module):
            if worth_trying(mutant):
                keys.add(mutant.key)
                yield mutant


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", type=int, default=120, metavar="N", help="how many changes are tried (120)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which of them (1)")
    parser.add_argument("--kept", action="store_true", help="try those that have a reason, and no sample")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="how many are tried at a time (1)")
    parser.add_argument("--limit", type=float, default=150.0, metavar="SECONDS", help="for each run of tests (150)")
    asked = parser.parse_args()
    tests, reasons = tests_of(), kept(KEPT)
    there = {f"{p}.{f.stem}" for p in PACKAGES for f in path_of(p).with_suffix("").glob("*.py") if f.stem != "__init__"}
    if there != set(tests):
        print(f"{TESTS.name}: modules without a line, or lines without a module:", *sorted(there ^ set(tests)))
        return 2
    modules = named(asked.modules, tests) or list(tests)
    begun, keys = time.perf_counter(), set[Key]()
    if asked.kept:
        chosen = [mutant for mutant in made(modules, keys) if mutant.key in reasons]
    else:
        drawn = heapq.nsmallest(asked.sample, made(modules, keys), key=lambda mutant: place_of(mutant, asked.seed))
        chosen = sorted(drawn, key=lambda mutant: list(tests).index(mutant.module))
    print(f"{len(chosen):,} of {len(keys):,} changes of {len(modules)} modules", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        trier = Trier(asked.limit, Path(folder))
        files = dict.fromkeys([*(name for mutant in chosen for name in tests[mutant.module]), *BYTES])
        plain = path_of(modules[0]).read_text(encoding="utf-8")
        if not trier.passes(modules[0], plain, list(files), 10 * asked.limit):
            print("without any change tests fail already: python -m pytest", *files)
            return 2
        with ThreadPoolExecutor(asked.workers) as pool:
            results = pool.map(lambda mutant: trier.result(mutant, tests[mutant.module], reasons), chosen)
            tallies, stale = _told(chosen, results, reasons)
    _print(tallies)
    print(f"{time.perf_counter() - begun:.0f} s")
    gone = [key for key in reasons if key[0] in modules and key not in keys]
    for key in gone:
        print("REASON WITHOUT A MUTANT", *key)
    return 1 if gone or stale or any(tally["left"] for tally in tallies.values()) else 0


def _told(
    chosen: Sequence[Mutant], results: Iterable[str], reasons: Mapping[Key, str]
) -> tuple[dict[str, Counter[str]], bool]:
    """Print what is left, held by bytes alone or has a reason too many; return counts by module, and if any has."""
    tallies: dict[str, Counter[str]] = {}
    stale = False
    told = {"left": "SURVIVED", "bytes": "BYTES ALONE"}
    for mutant, result in zip(chosen, results, strict=True):
        tallies.setdefault(mutant.module, Counter())[result] += 1
        if result in told:
            print(f"{told[result]} {mutant.module} {mutant.function} [{mutant.which}] {mutant.operator}")
            print(f"    {mutant.before}\n    {mutant.after}", flush=True)
        if result == "direct" and mutant.key in reasons:
            stale = True
            print("REASON WITHOUT A SURVIVOR", *mutant.key, flush=True)
    return tallies, stale


def _print(tallies: Mapping[str, Counter[str]]) -> None:
    """Print how many changes of each module came to what."""
    print(f"{'module':<28}{'tried':>9}" + "".join(f"{name:>9}" for name in RESULTS))
    whole: Counter[str] = sum(tallies.values(), Counter())
    for name, tally in [*tallies.items(), ("all", whole)]:
        print(f"{name:<28}{tally.total():>9,}" + "".join(f"{tally[result]:>9,}" for result in RESULTS))


if __name__ == "__main__":
    sys.exit(main())
