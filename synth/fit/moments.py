"""Behaviour fitted by simulated moments: simulate, compare with published figures, move what drives them, repeat."""

from __future__ import annotations

import math
import re
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.errors import ProfileError
from synth.fit.counting import COUNTED, Count, count_all
from synth.fit.levers import Moments, moved, read_moments
from synth.fit.search import Problem, beyond, search
from synth.geography.authorities import all_authorities
from synth.profile.model import FITTED, Parameter, Profile
from synth.published import profiles_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from synth.geography.authorities import Authority
    from synth.profile.model import Figure

__all__ = ["UNFOLDED", "Residual", "fit_behaviour", "residuals_text"]

_INSET = 0.25
"""How far from the ends of its interval a figure is aimed at, as a share of the width."""

UNFOLDED = ("legal", "placement", "three_or_more", "disability", "mental_ill_health")
"""Tables of targets met when periods are unfolded and returns cut: set aside, so that behaviour gives the figures."""

_Key = tuple[str, int]
_NAME = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Residual:
    """A published figure (interval inclusive) against its simulated mean before and after fitting.

    `error` is the standard error of that mean, `drivers` name the levers that could move it.
    """

    figure: str
    year: int
    unit: str
    low: float
    high: float
    before: float
    after: float
    error: float
    drivers: tuple[str, ...]

    @property
    def off(self) -> float:
        """How far the fitted figure lies outside its interval: positive above, negative below, 0 inside."""
        return float(beyond(np.array([self.after]), np.array([self.low]), np.array([self.high]))[0])

    @property
    def inside(self) -> bool:
        """Whether the figure lies inside, or nearer to it than two standard errors of the simulation."""
        return abs(self.off) <= 2 * self.error


def fit_behaviour(
    profile: Profile,
    *,
    seeds: Sequence[int],
    rounds: int = 10,
    authorities: Sequence[Authority] | None = None,
    moments: Path | None = None,
    processes: int = 2,
    tick: Callable[[int], None] | None = None,
) -> tuple[dict[str, Parameter], tuple[Residual, ...]]:
    """Return all parameters of the profile, some of them moved, and how near each published figure came.

    A figure is averaged over `seeds`, the same in every one of at most `rounds` rounds of simulation. The profile's
    parameters are the start and the prior: what no figure determines stays as it is. A moved parameter keeps its basis
    and names the figures in its source. `moments` is a file such as the built-in moments.csv. Fewer authorities than
    all give shares only: counts of Wales are left out, as are figures from tables that the profile names as held out.
    The result does not depend on the number of processes; `tick` is called with the number of each round. Raises
    ProfileError for a damaged file, and where the profile has no figures.
    """
    chosen = tuple(authorities or all_authorities())
    national = len(chosen) == len(all_authorities())
    left_out = {name.split()[0] for name in profile.held_out}
    figures = [
        f
        for f in profile.figures
        if f.name in COUNTED and (national or f.unit != "count") and not left_out & set(_NAME.findall(f.source))
    ]
    if not figures:
        raise ProfileError(f"Profile {profile.name!r} has no published figure to fit to. Build it with its tables.")
    read = read_moments(moments or profiles_dir() / "published" / "moments.csv", profile.parameters, sorted(COUNTED))
    plain = _changed(profile, profile.parameters, without=UNFOLDED)
    keys = [(figure.name, figure.year) for figure in figures]
    with _simulations(plain, chosen, keys, processes) as simulate:
        tick = tick or (lambda _: None)
        first = simulate({}, seeds)
        tick(0)
        start, error = _means(first, keys), _errors(first, keys)
        low, high = (np.array([getattr(figure, side) for figure in figures], float) for side in ("low", "high"))
        # The mean of some runs is aimed at: one alone strays from it.
        inset = _INSET * (high - low)
        problem = Problem(
            low=low + inset,
            high=high - inset,
            error=error,
            slope=_slopes(figures, read),
            width=np.array([lever.width for lever in read.levers]),
        )
        found = search(
            problem,
            start,
            lambda offsets: _means(simulate(moved(plain.parameters, read.levers, offsets.tolist()), seeds), keys),
            rounds - 1,
            tick,
        )
    drivers = _drivers(figures, read)
    residuals = tuple(
        Residual(
            figure=f.name, year=f.year, unit=f.unit, low=f.low, high=f.high,
            before=float(start[n]), after=float(found.figures[n]), error=float(error[n]), drivers=drivers[n],
        )
        for n, f in enumerate(figures)
    )  # fmt: skip
    return _parameters(plain, read, found.offsets, figures), residuals


def residuals_text(residuals: Sequence[Residual]) -> str:
    """Return a table of residuals, the worst first, in plain text."""
    lines = [f"{'figure':<42}{'year':>5}{'low':>11}{'high':>11}{'start':>11}{'fitted':>11}{'off':>9}{'in errors':>11}"]
    lines += [
        f"{row.figure:<42}{row.year:>5}{row.low:>11.6g}{row.high:>11.6g}{row.before:>11.5g}{row.after:>11.5g}"
        f"{row.off:>9.3g}{row.off / row.error:>11.1f}{'' if row.drivers else '  nothing drives it'}"
        for row in sorted(residuals, key=lambda r: (-abs(r.off / r.error), r.figure, r.year))
    ]
    inside = sum(row.inside for row in residuals)
    lines.append(f"{inside} of {len(residuals)} inside or within two standard errors")
    return "\n".join(lines) + "\n"


def _means(runs: Sequence[dict[_Key, Count]], keys: Sequence[_Key]) -> NDArray[np.float64]:
    return np.array([np.mean([run[key].value for run in runs]) for key in keys])


def _errors(runs: Sequence[dict[_Key, Count]], keys: Sequence[_Key]) -> NDArray[np.float64]:
    """Return the standard error of each mean over runs."""
    squares = np.array([np.mean([run[key].error ** 2 for run in runs]) for key in keys])
    return np.sqrt(squares / len(runs))


def _slopes(figures: Sequence[Figure], read: Moments) -> NDArray[np.float64]:
    """Return how each figure is thought to move with each lever before anything has been tried."""
    slope = np.zeros((len(figures), len(read.levers)))
    for drive in read.drives:
        step = read.levers[drive.lever].step
        for n, figure in enumerate(figures):
            if figure.name == drive.figure and (not drive.years or figure.year in drive.years):
                slope[n, drive.lever] = drive.reach * _scale(figure, step)
    return slope


def _scale(figure: Figure, step: str) -> float:
    """Return the change of a figure when all of it moves with an offset of one."""
    middle = (figure.low + figure.high) / 2
    if figure.unit != "percent":
        return middle
    share = min(max(middle / 100, 1e-4), 1 - 1e-4)
    if step not in {"probit", "shift"}:
        return 100 * share * (1 - share)
    from scipy.special import ndtri  # noqa: PLC0415  only when fitting

    return 100 * math.exp(-(float(ndtri(share)) ** 2) / 2) / math.sqrt(2 * math.pi)


def _drivers(figures: Sequence[Figure], read: Moments) -> list[tuple[str, ...]]:
    slope = _slopes(figures, read)
    return [tuple(read.levers[m].name for m in np.flatnonzero(row)) for row in slope]


def _parameters(
    profile: Profile, read: Moments, offsets: NDArray[np.float64], figures: Sequence[Figure]
) -> dict[str, Parameter]:
    """Return the profile's parameters with the moved ones saying what they were fitted to."""
    slope = _slopes(figures, read)
    parameters = dict(profile.parameters)
    for name, value in moved(parameters, read.levers, offsets.tolist()).items():
        own = [n for n, lever in enumerate(read.levers) if lever.parameter == name and offsets[n] != 0]
        driven: dict[str, list[str]] = {}
        for n in np.flatnonzero((slope[:, own] != 0).any(axis=1)).tolist():
            driven.setdefault(figures[n].name, []).append(str(figures[n].year))
        to = FITTED + ", ".join(f"{figure} {' '.join(years)}" for figure, years in driven.items())
        old = parameters[name]
        parameters[name] = replace(old.with_values(**value), source=f"{old.source}; {to}" if old.source else to)
    return parameters


def _changed(profile: Profile, parameters: dict[str, Parameter], without: tuple[str, ...] = ()) -> Profile:
    """Return a profile with other parameters, none of its remembered values and without some tables of targets."""
    targets = tuple(t for t in profile.targets if t.table not in without)
    return replace(profile, parameters=parameters, targets=targets)


@dataclass(slots=True)
class _Task:
    """What a simulation needs besides seed and changed parameters."""

    profile: Profile
    authorities: tuple[Authority, ...]
    keys: list[_Key]

    def run(self, changes: dict[str, Any], seed: int) -> dict[_Key, Count]:
        parameters = dict(self.profile.parameters)
        for name, value in changes.items():
            parameters[name] = parameters[name].with_values(**value)
        return count_all(_changed(self.profile, parameters), self.authorities, seed, self.keys)


_task: list[_Task] = []
"""The task of a worker process."""


def _prepare(task: _Task) -> None:
    _task[:] = [task]


def _run(changes: dict[str, Any], seed: int) -> dict[_Key, Count]:
    return _task[0].run(changes, seed)


@contextmanager
def _simulations(
    profile: Profile, authorities: tuple[Authority, ...], keys: list[_Key], processes: int
) -> Iterator[Callable[[dict[str, Any], Sequence[int]], list[dict[_Key, Count]]]]:
    """Yield a function that simulates changed parameters under several seeds, in the order of the seeds."""
    task = _Task(profile, authorities, keys)
    if processes == 1:
        yield lambda changes, seeds: [task.run(changes, seed) for seed in seeds]
        return
    # Spawned, not forked: a progress display may have threads running.
    with ProcessPoolExecutor(processes, get_context("spawn"), _prepare, (task,)) as pool:
        yield lambda changes, seeds: list(pool.map(_run, [changes] * len(seeds), seeds))
