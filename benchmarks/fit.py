"""How well and how fast a known table is recovered from its published margins, beside two other ways of doing it.

    python benchmarks/fit.py [--children 7000] [--children 17000] [--seed 1] [--mbi PYTHON]

A table of 22 authorities x 18 ages x 2 sexes x 6 needs x 10 placements x 3 legal statuses (142,560 cells) is drawn
from a mixture of kinds of children, so that its axes depend on each other. Six margins of one axis, five of two and
two of three are published (995 cells), rounded to 5 and hidden below 5. Only these are handed on. Printed for each
method: seconds, the standardised absolute error against the true margins (sum of absolute differences over sum of
true counts; every margin has the same sum, so this is also the mean of it over margins), the same against the printed
figures that are shown, and how many margin cells lie outside their interval. The lines are

    as printed   the figures themselves, hidden ones read as 2: no table, only what their rounding costs
    synth        fit_table, then whole_table
    nearest      fit_table with inside="nearest"
    plain ipf    iterative proportional fitting to the figures as printed, 200 rounds
    mbi          private-pgm's mirror descent, 2,000 steps, in the interpreter given by --mbi (`pip install mbi`)

The linear algebra runs on one thread unless OMP_NUM_THREADS says otherwise. private-pgm's
seconds leave out its import and count its compilation.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

# before numpy is loaded: threads of the linear algebra that wait for a busy core cost more than they bring
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

AXES = {"authority": 22, "age": 18, "sex": 2, "need": 6, "placement": 10, "legal": 3}
PUBLISHED = (
    *((name,) for name in AXES),
    ("authority", "placement"),
    ("authority", "need"),
    ("age", "placement"),
    ("age", "need"),
    ("age", "legal"),
    ("sex", "placement", "legal"),
    ("need", "placement", "legal"),
)
KINDS = 8
SHARES = {
    "need": (0.58, 0.06, 0.10, 0.12, 0.09, 0.05),
    "placement": (0.45, 0.17, 0.10, 0.08, 0.06, 0.05, 0.04, 0.025, 0.015, 0.01),
    "legal": (0.62, 0.24, 0.14),
}
ALIKE = 4.0
"""How alike the kinds are: the weight of the common shares in those of each kind."""


def true_table(children: int, seed: int) -> np.ndarray:
    """Return the table to be recovered: a multinomial draw from a mixture of kinds of children."""
    rng = np.random.default_rng(seed)
    sizes = rng.gamma(3.0, 1.0, AXES["authority"])
    ages = np.arange(AXES["age"])
    chance = np.zeros(tuple(AXES.values()))
    for weight in rng.dirichlet(np.full(KINDS, 2.0)):
        authority = sizes * rng.gamma(4.0, 0.25, sizes.size)
        age = np.exp(-0.5 * ((ages - rng.uniform(0, 17)) / rng.uniform(1.5, 6.0)) ** 2)
        sex = rng.dirichlet((8.0, 7.0))
        others = (rng.dirichlet(ALIKE * np.array(shares)) for shares in SHARES.values())
        kind = np.einsum("a,b,c,d,e,f->abcdef", authority, age, sex, *others)
        chance += weight * kind / kind.sum()
    return rng.multinomial(children, chance.ravel() / chance.sum()).reshape(chance.shape)


def sums(table: np.ndarray) -> list[np.ndarray]:
    """Return the published margins of a table."""
    names = list(AXES)
    return [table.sum(axis=tuple(names.index(name) for name in names if name not in axes)) for axes in PUBLISHED]


class Problem:
    """What is published of a table: figures (hidden ones NaN), and the ends of their intervals."""

    def __init__(self, table: np.ndarray) -> None:
        rounded = [5.0 * np.floor(margin / 5 + 0.5) for margin in sums(table)]
        self.figures = [np.where(m < 5, np.nan, v) for m, v in zip(sums(table), rounded, strict=True)]  # noqa: PLR2004
        self.low = [np.where(np.isnan(figure), 0.0, figure - 2.5) for figure in self.figures]
        self.high = [np.where(np.isnan(figure), 4.0, figure + 2.5) for figure in self.figures]
        self.read = [np.where(np.isnan(figure), 2.0, figure) for figure in self.figures]

    def prior(self) -> np.ndarray:
        """Return the product of the margins of one axis."""
        return np.einsum("a,b,c,d,e,f->abcdef", *self.read[: len(AXES)])

    def total(self) -> float:
        """Return the number of children as the shortest margin has it."""
        return float(min(self.read, key=np.size).sum())


def plain_ipf(problem: Problem, rounds: int = 200) -> np.ndarray:
    """Return the table scaled to each margin in turn."""
    names, table = list(AXES), problem.prior()
    for _ in range(rounds):
        for axes, figures in zip(PUBLISHED, problem.read, strict=True):
            drop = tuple(names.index(name) for name in names if name not in axes)
            now = table.sum(axis=drop)
            table *= np.expand_dims(np.divide(figures, now, out=np.zeros_like(now), where=now > 0), drop)
    return table


def fit_by_mbi(source: str, target: str) -> None:
    """Fit the problem in `source` with private-pgm and write seconds and margins to `target`."""
    begun = time.perf_counter()
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003
    jax.config.update("jax_enable_compilation_cache", False)  # noqa: FBT003
    import mbi  # noqa: PLC0415

    loaded = time.perf_counter() - begun
    given = np.load(source)
    measured = [
        mbi.LinearMeasurement(given[f"read{place}"].ravel(), axes, stddev=5 / 12**0.5)
        for place, axes in enumerate(PUBLISHED)
    ]
    begun = time.perf_counter()
    model = mbi.estimation.MirrorDescent().estimate(
        mbi.Domain.fromdict(AXES), measured, known_total=float(given["total"]), iters=2000
    )
    fitted = [np.asarray(model.project(axes).datavector(flatten=False)) for axes in PUBLISHED]
    seconds = time.perf_counter() - begun
    turned = {f"margin{place}": margin for place, margin in enumerate(fitted)}
    np.savez(target, seconds=seconds, loaded=loaded, **turned)


def by_mbi(problem: Problem, python: str) -> tuple[float, list[np.ndarray]] | None:
    """Return seconds (import apart) and margins from private-pgm run by another interpreter; None without it."""
    if python == sys.executable and importlib.util.find_spec("mbi") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "problem.npz"), Path(folder, "fitted.npz")
        np.savez(source, total=problem.total(), **{f"read{i}": read for i, read in enumerate(problem.read)})
        command = [python, "-W", "ignore", __file__, "--solve-mbi", str(source), str(target)]
        run = subprocess.run(command, check=False, capture_output=True, text=True)
        if run.returncode:
            print(run.stderr[-2000:], file=sys.stderr)
            return None
        found = np.load(target)
        return float(found["seconds"]), [found[f"margin{i}"] for i in range(len(PUBLISHED))]


def timed(work: Callable[[], object], runs: int = 3) -> tuple[float, object]:
    """Return the median seconds of some runs and what the last one gave."""
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - begun)
    return sorted(seconds)[runs // 2], out


class Report:
    """Prints one line a method."""

    def __init__(self, table: np.ndarray, problem: Problem) -> None:
        self._true = np.concatenate([margin.ravel() for margin in sums(table)])
        self._low, self._high = (np.concatenate([m.ravel() for m in side]) for side in (problem.low, problem.high))
        self._figures = np.concatenate([figure.ravel() for figure in problem.figures])
        shown = int((~np.isnan(self._figures)).sum())
        print(f"{table.sum():,} children in {(table > 0).sum():,} cells; {shown} figures shown of {self._true.size}")
        print(f"{'':14}{'seconds':>9}{'SAE true':>10}{'SAE shown':>11}{'outside':>9}")

    def line(self, name: str, seconds: float | None, margins: list[np.ndarray]) -> None:
        """Print how far margins are from the true and the printed ones."""
        found = np.concatenate([np.asarray(margin).ravel() for margin in margins])
        true = np.abs(found - self._true).sum() / self._true.sum()
        shown = np.nansum(np.abs(found - self._figures)) / np.nansum(self._figures)
        outside = int(((found < self._low - 1e-6) | (found > self._high + 1e-6)).sum())
        clock = "" if seconds is None else f"{seconds:.2f}"
        print(f"{name:14}{clock:>9}{true:>10.4f}{shown:>11.4f}{outside:>9}", flush=True)


def compare(children: int, seed: int, python: str) -> None:
    """Print the lines for one table."""
    from synth.margins import Margin, fit_table, whole_table  # noqa: PLC0415

    table = true_table(children, seed)
    problem = Problem(table)
    report = Report(table, problem)
    margins = [Margin(axes, low, high) for axes, low, high in zip(PUBLISHED, problem.low, problem.high, strict=True)]
    report.line("as printed", None, problem.read)
    seconds, fitted = timed(lambda: fit_table(AXES, problem.prior(), margins))
    report.line("synth", seconds, sums(fitted.values))
    seconds, whole = timed(lambda: whole_table(AXES, fitted.values, margins))
    report.line("synth, whole", seconds, sums(whole.values))
    for found in (fitted.conflicts, whole.outside):
        for conflict in found[:10]:
            print(f"    outside: {conflict}")
    seconds, nearest = timed(lambda: fit_table(AXES, problem.prior(), margins, inside="nearest"), 1)
    report.line("nearest", seconds, sums(nearest.values))
    seconds, scaled = timed(lambda: plain_ipf(problem), 1)
    report.line("plain ipf", seconds, sums(scaled))
    other = by_mbi(problem, python)
    if other is None:
        print(f"{'mbi':14}  not available: pip install mbi into an interpreter of its own and name that with --mbi")
    else:
        report.line("mbi", *other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, action="append", help="size of a table; may be given again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mbi", default=os.environ.get("MBI_PYTHON", sys.executable), metavar="PYTHON")
    parser.add_argument("--solve-mbi", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.solve_mbi:
        fit_by_mbi(*chosen.solve_mbi)
        return
    for place, children in enumerate(chosen.children or (7_000, 17_000)):
        if place:
            print()
        compare(children, chosen.seed, chosen.mbi)


if __name__ == "__main__":
    main()
