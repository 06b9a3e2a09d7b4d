"""Tests of chance and properties, run again and again: do any fail now and then?

    python benchmarks/flicker.py [--runs N] [--first N] [--hash-seeds N] [--only WORDS] [--list]

Run are the tests that draw: those of Hypothesis, and those that weigh counts with tests/chance.py or bounds in standard
errors; left out are those that need all Wales or a panel, whose draws are fixed. The dearest come in every twentieth
run only. In each run Hypothesis has another seed, remembers nothing and tries 10 examples where a test does not say how
many; every stream of draws and every generator of numpy's has another seed too, so that a test has to hold for any;
tests come in another order. Runs are shared out over some values of PYTHONHASHSEED; within one they follow one another
in one process, which spares their imports, with fixtures made anew.

Printed are tests a run, runs, failures with the run they fell in (`--first RUN --runs 1` repeats it), and core seconds.
A check that states a rate p of false alarms fails in about runs * p of the runs. Exit code 1 if any test failed.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import numpy as np
import pytest
from hypothesis import settings

from synth.lives.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parent.parent
DEAR = {
    "world", "written", "panel", "ahead", "five_worlds", "two_years_of_worlds", "whole_fit", "simulated_before",
}  # fmt: skip
"""Fixtures of whole simulations, made with seeds of their own."""
SELDOM = {
    "test_adding_an_authority_leaves_the_others_alone",
    "test_no_rule_finds_anything_whatever_the_seed",
    "test_whatever_is_asked_for_lives_stay_lawful_and_the_past_stays",
    "test_a_whole_account_balances_and_meets_its_figures",
    "test_an_account_balances_and_meets_its_figures",
    "test_any_delimiter_encoding_order_and_case_give_the_same",
    "test_children_are_linked_as_often_as_published",
    "test_equations_are_solved_as_by_a_full_matrix",
    "test_every_margin_of_a_real_table_is_met",
    "test_exact_margins_give_what_proportional_fitting_gives",
    "test_links_and_shares_are_those_of_the_tables",
    "test_quarrels_are_the_fewest_children_possible",
    "test_sums_known_to_the_child_give_way_last",
    "test_the_order_of_axes_and_margins_does_not_matter",
}  # fmt: skip
"""Tests of a third of a second and more."""
OF_CHANCE = re.compile(
    r"\b(fits|fits_share|evenly|spread_as|unrelated|around_nought)\(|standard errors?|by chance|a seed in"
)
MANY = 10**6
"""Seeds of two runs are so far apart."""


class Runs:
    """A plugin of pytest: leaves the tests that draw, and runs them with seeds and an order for each run.

    Without `runs` they are run once, as the suite runs them.
    """

    def __init__(self, runs: Iterable[int] = (), only: str = "") -> None:
        self.runs = list(runs)
        self.only = only
        self.run = 0
        self.ran: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_sessionstart(self) -> None:
        """Let Hypothesis and all sources of draws follow the number of the run, once conftest has had its say."""
        if not self.runs:
            return
        settings.register_profile("fresh", settings.get_profile("fixed"), derandomize=False, max_examples=10)
        settings.load_profile("fresh")
        stream, generator = Streams.__call__, np.random.default_rng

        def fresh(seed: Any = None) -> np.random.Generator:  # noqa: ANN401
            return generator([self.run, seed] if isinstance(seed, int) else seed)

        Streams.__call__ = lambda own, purpose: stream(Streams(own.seed + self.run * MANY), purpose)  # type: ignore[method-assign]
        np.random.default_rng = fresh  # type: ignore[assignment]

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave tests that draw, or those asked for by name."""
        items[:] = [item for item in items if (self.only in item.nodeid if self.only else draws(item))]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool | None:  # noqa: ANN401
        """Run the tests for each number, all fixtures made anew, and tell what came of it in a line of JSON."""
        for run in self.runs:
            self.run, hypothesis.core.global_force_seed = run, run
            rng = random.Random(run)  # noqa: S311
            place = {item.module.__name__: rng.random() for item in session.items}
            items = [item for item in session.items if self.only or run % 20 == 0 or item.originalname not in SELDOM]
            items.sort(key=lambda item: (place[item.module.__name__], rng.random()))
            self.ran.clear()
            self.failed.clear()
            # After the last of a run, which none follows, nothing that fixtures made is left.
            for item, following in zip_longest(items, items[1:]):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            told = {"run": run, "ran": len(self.ran), "failed": self.failed}
            print(json.dumps(told), file=sys.__stdout__, flush=True)
        return bool(self.runs) or None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:  # noqa: ANN401
        """Time a test with what it needs."""
        begun = time.process_time()
        done = yield
        self.ran[item.nodeid] = time.process_time() - begun
        return done

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401
        """Remember a test that failed."""
        if report.failed:
            self.failed.append(report.nodeid)


def draws(item: Any) -> bool:  # noqa: ANN401
    """Say whether a test is one of Hypothesis or of chance, and needs no whole simulation."""
    if DEAR & set(item.fixturenames):
        return False
    test = item.function
    return hasattr(test, "hypothesis") or OF_CHANCE.search(inspect.getsource(test)) is not None


def modules(only: str) -> list[str]:
    """Return the test modules in which some test may draw, or one of those asked for may stand."""
    told = {path: path.read_text("utf-8") for path in sorted((ROOT / "tests").glob("test_*.py"))}
    # Versions fit bounds, too.
    drawing = re.compile(r"hypothesis|" + OF_CHANCE.pattern)
    if only:
        return [str(path) for path, text in told.items() if only in text or only in str(path)]
    return [str(path) for path, text in told.items() if drawing.search(text) and "from synth.doctor" not in text]


def tested(runs: Iterable[int], only: str) -> Runs:
    """Run the tests for the numbers given, or once as they are, and return what is remembered of the last."""
    plugin = Runs(runs, only)
    options = ["-q", "-o", "addopts=", "-p", "no:xdist", "-p", "no:cacheprovider", "--tb=no", "-W", "ignore"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main([*options, *modules(only)], plugins=[plugin])
    if status not in {0, 1}:
        raise SystemExit(said.getvalue())
    return plugin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="number of the first run")
    parser.add_argument("--hash-seeds", type=int, default=10, help="values of PYTHONHASHSEED the runs are shared over")
    parser.add_argument("--only", default="", help="tests with these words in their names instead, whatever they do")
    parser.add_argument("--list", action="store_true", help="list the tests and run them once, as the suite does")
    parser.add_argument("--in-here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.chdir(ROOT)
    runs = range(asked.first, asked.first + asked.runs)
    if asked.list:
        found = tested((), asked.only)
        for test, seconds in sorted(found.ran.items(), key=lambda one: one[1]):
            print(f"{seconds:>7.2f} s  {test}")
        print(f"{len(found.ran)} tests, {len(found.failed)} failed")
        return 1 if found.failed else 0
    if asked.in_here:
        tested(runs, asked.only)
        return 0
    return shared_out(runs, asked.hash_seeds, asked.only)


def shared_out(runs: range, seeds: int, only: str) -> int:
    """Run all, each value of PYTHONHASHSEED a process with some of the runs, and print what came of them."""
    begun, tests, done = time.perf_counter(), 0, 0
    failures: Counter[str] = Counter()
    each = -(-len(runs) // seeds)
    for seed in range(seeds):
        mine = runs[seed * each : (seed + 1) * each]
        if not mine:
            break
        command = [
            sys.executable,
            __file__,
            "--in-here",
            "--first",
            str(mine[0]),
            "--runs",
            str(len(mine)),
            "--only",
            only,
        ]
        threads = {"OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        variables = os.environ | threads | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
            for line in process.stdout or ():
                found = json.loads(line)
                done, tests = done + 1, found["ran"]
                failures.update(found["failed"])
                for test in found["failed"]:
                    print(f"run {found['run']} (hash seed {seed}): {test}", flush=True)
    spent = os.times()
    cpu = spent.children_user + spent.children_system
    print(f"{tests} tests, {done} runs, {failures.total()} failures in {len(failures)} tests")
    print(f"{cpu:,.0f} core seconds, {time.perf_counter() - begun:,.0f} s")
    for test, times in failures.most_common():
        print(f"  {times:>4} of {done}: {test}")
    return 1 if failures or done < len(runs) else 0


if __name__ == "__main__":
    sys.exit(main())
