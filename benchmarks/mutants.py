"""Mutants of the rules: how many small changes of a rule the tests notice, and why the rest may stand.

    python benchmarks/mutants.py [MODULE ...] [--severity error|any] [--quick]

A mutant is tried against the tables of `tests/edges`, those of the rules it could change. One that is not noticed there
is tried again by the tests named in STANDING, in a process of its own. What still survives needs a line in
`mutants_kept.csv` with the reason why it cannot change any answer; a line is known by module, function, and the text
before and after, so that it stays right when lines move. Exit code 1 where a survivor has no reason, or a reason no
mutant. MODULE is the name of a module in synth/rules; all of them where none is named.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mutants_made import EVERY, ROOT, RULES, Key, Mutant, kept, mutants, rule_modules
from mutants_tried import trying

from synth.guidance import RETURNS, load, years

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

KEPT = Path(__file__).parent / "mutants_kept.csv"
STANDING = ("tests/test_rules.py", "tests/test_rules_census.py", "tests/test_rules_edges.py", "tests/test_validate.py")
LONGEST = 20.0
"""Seconds one mutant may take, beyond which it counts as noticed: tests that hang are no pass."""
LOT = 400
"""Mutants one process tries before another takes over."""


def error_rules() -> frozenset[str]:
    """Return the rules that are an error in any year, and what every rule goes through."""
    found = {EVERY}
    for return_ in RETURNS:
        for year in years():
            for mode in ("",) if return_ == "cla" else ("census_date", "all_year"):
                found |= {s.rule_id for s in load(return_, year, mode).statements.values() if s.severity == "error"}
    return frozenset(found)


class Trier:
    """A process that tries mutants one after another; a fresh one after a lot of them, a hang or a crash."""

    def __init__(self) -> None:
        self.context = get_context("spawn")
        self.process: Any = None
        self.pipe: Connection | None = None
        self.done = 0

    def survives(self, mutant: Mutant) -> bool:
        """Whether the tables of the edges do not notice a mutant."""
        if self.process is None or self.done >= LOT:
            self.stop()
            self.pipe, there = self.context.Pipe()
            self.process = self.context.Process(target=trying, args=(there,))
            self.process.start()
            there.close()
            self.done = 0
        self.done += 1
        assert self.pipe is not None
        try:
            self.pipe.send((mutant.module, mutant.source, mutant.rules))
            if self.pipe.poll(LONGEST if self.done > 1 else 3 * LONGEST):
                return not self.pipe.recv()
        except (EOFError, ConnectionError):
            pass
        self.stop()
        return False

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


def stands(mutant: Mutant) -> bool:
    """Whether the tests of rules, in a process of their own, do not notice a mutant either."""
    place = os.pathsep.join([str(ROOT), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-c", "import mutants_tried; mutants_tried.tests()", *STANDING],
        input=f"{mutant.module}\n{mutant.source}",
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": place},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
    return ended.returncode == 0


def judged(module: str, rules: frozenset[str] | None) -> Iterator[Mutant]:
    """Yield the mutants of a module that reach the answer of one of the rules, or of any."""
    for mutant in mutants(module):
        if mutant.rules and (rules is None or mutant.rules & rules):
            yield mutant


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--severity", choices=("error", "any"), default="any", help="rules that are judged")
    parser.add_argument("--quick", action="store_true", help="against the tables of the edges alone")
    asked = parser.parse_args()
    modules = [f"{RULES}.{name}" for name in asked.modules] or rule_modules()
    reasons, errors = kept(KEPT), error_rules()
    wanted = errors if asked.severity == "error" else None
    used: set[Key] = set()
    tallies: dict[str, Counter[str]] = {}
    trier = Trier()
    begun = time.perf_counter()
    bare: list[Mutant] = []
    for module in modules:
        tally = tallies[module] = Counter()
        for mutant in judged(module, wanted):
            kind = "error" if mutant.rules & errors else "other"
            tally["tried", kind] += 1
            if not trier.survives(mutant):
                tally["killed", kind] += 1
            elif mutant.key in reasons:
                used.add(mutant.key)
                tally["reason", kind] += 1
            elif not asked.quick and not stands(mutant):
                tally["killed", kind] += 1
            else:
                tally["survived", kind] += 1
                bare.append(mutant)
                print(f"SURVIVED {module} {mutant.function} [{mutant.which}] {mutant.operator}", flush=True)
                print(f"    {mutant.before}\n    {mutant.after}", flush=True)
    trier.stop()
    _print(tallies)
    print(f"{time.perf_counter() - begun:.0f} s")
    idle = [key for key in reasons if key[0] in modules and key not in used and wanted is None]
    for key in idle:
        print("REASON WITHOUT A SURVIVOR", *key)
    return 1 if bare or idle else 0


def _print(tallies: dict[str, Counter[Any]]) -> None:
    """Print what came of the mutants of each module: of rules that are errors, and of others."""
    columns = ("tried", "killed", "survived", "reason")
    print(f"{'':<22}{'rules that are errors':^36}{'other rules':^36}")
    print(f"{'module':<22}" + "".join(f"{name:>9}" for _ in range(2) for name in columns))
    whole: Counter[Any] = sum(tallies.values(), Counter())
    for name, tally in [*((module.rpartition(".")[2], tally) for module, tally in tallies.items()), ("all", whole)]:
        print(f"{name:<22}" + "".join(f"{tally[c, k]:>9,}" for k in ("error", "other") for c in columns))


if __name__ == "__main__":
    sys.exit(main())
