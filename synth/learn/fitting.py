"""Numbers of the profile moved until what is generated with them shows what was released."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from synth.fit.levers import moved
from synth.learn.census import factors
from synth.learn.latent import from_counts
from synth.learn.released import count_shares, joint_counts
from synth.lives.behaviour import Behaviour
from synth.lives.histories import lives
from synth.lives.homes import Homes
from synth.lives.streams import Streams
from synth.lives.unfolding import Unfolding
from synth.profile.projected import reaching
from synth.returns.crcs import crcs_form
from synth.tables import as_dates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from synth.geography.authorities import Authority
    from synth.learn.measures import Measure
    from synth.learn.released import Released
    from synth.lives.histories import History
    from synth.lives.unfolding import Care
    from synth.profile import Profile

__all__ = ["Fitted", "Miss", "fit"]

_SEED = 1
_WORLDS = (0, 1, 2, 3)
"""Simulated beside each other, so that small groups of children are not left to chance."""
_ROUNDS = 6
_FARTHEST = 3.0
"""Most a number is moved, in standard deviations or as a logarithm."""
_GIVEN = ("mental_ill_health",)
"""Tables of targets that would hold a share whatever the parameters are."""
_UNUSED = ("YEAR_CODE", "LOCAL_AUTHORITY_CODE", "CHILD_CODE", "UPN", "HOME_POSTCODE", "LANGUAGE", "ETHNIC_ORIGIN_CODE")
"""Items that are no factors."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A released share or mean correlation beside what is generated with the parameters found."""

    name: str
    released: float
    generated: float

    @property
    def off(self) -> float:
        """How far they are apart."""
        return abs(self.generated - self.released)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What replaces values of parameters (`value` or `by_year`), and how near generated records come."""

    values: dict[str, dict[str, Any]]
    moved: dict[str, tuple[str, ...]]
    """Parameter -> the measures that moved numbers of it."""
    shares: tuple[Miss, ...]
    correlations: tuple[Miss, ...]


def fit(
    profile: Profile,
    released: Released,
    measures: Sequence[Measure],
    year: int,
    authorities: Sequence[Authority],
    *,
    worlds: Sequence[int] = _WORLDS,
    tick: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Return values of parameters with which generated records show the released shares and correlations.

    Children are simulated once, for the year, in some authorities and worlds; what is recorded about them is drawn
    again after each step, from the same random numbers. What was hidden moves nothing. Parameters of several years
    keep their distances from year to year. `tick` is called after each round.
    """
    used = [m for m in measures if m.name in released.shares or m.name in released.correlations]
    generated = _generator(profile, year, authorities, worlds)
    offsets = np.zeros(len(used))
    levers = [measure.lever for measure in used]
    aims = [_aim(measure, released) for measure in used]
    for number in range(_ROUNDS):
        for stage in sorted({measure.stage for measure in used}):
            parameters = _with(profile, moved(profile.parameters, levers, offsets.tolist()))
            seen = _seen(generated(parameters), used, released)
            for n, measure in enumerate(used):
                if measure.stage == stage and not np.isnan(seen[n]):
                    step = _step(measure, aims[n], seen[n], _number(parameters, measure, year))
                    offsets[n] = np.clip(offsets[n] + step, -_FARTHEST, _FARTHEST)
        tick(f"fitted, round {number + 1} of {_ROUNDS}")
    values = {
        name: {kind: _short(value) for kind, value in found.items()}
        for name, found in moved(profile.parameters, levers, offsets.tolist()).items()
    }
    seen = _seen(generated(_with(profile, values)), used, released)
    misses = [Miss(m.name, aim, now) for m, aim, now in zip(used, aims, seen, strict=True) if not np.isnan(now)]
    by_parameter: dict[str, tuple[str, ...]] = {}
    for measure in used:
        name = measure.lever.parameter
        by_parameter[name] = (*by_parameter.get(name, ()), measure.name)
    return Fitted(
        values,
        by_parameter,
        tuple(miss for miss in misses if miss.name in released.shares),
        tuple(miss for miss in misses if miss.name in released.correlations),
    )


def _generator(
    profile: Profile, year: int, authorities: Sequence[Authority], worlds: Sequence[int]
) -> Callable[[Profile], pl.DataFrame]:
    """Return a function that gives the factors of the year's children as a profile has them recorded.

    Lives do not depend on what is recorded, so they are lived once.
    """
    streams = Streams(_SEED)
    reaches = reaching(profile, year)
    behaviour = Behaviour(reaches)
    unfolding = Unfolding(streams, behaviour)
    homes = Homes(tuple(sorted(authorities, key=lambda area: area.order)), tuple(worlds))
    lived: Iterator[History] = lives(streams, behaviour, homes, (year,), lambda _: None, unfolding.seen_from(year))
    history = next(lived)
    care: Care = unfolding.through(history, year)
    last = dt.date(year, 3, 31)
    targets = tuple(target for target in reaches.targets if target.table not in _GIVEN)

    def generated(other: Profile) -> pl.DataFrame:
        told = replace(reaches, parameters=other.parameters, targets=targets)
        columns = crcs_form(streams, Behaviour(told), history, care).columns
        wanted = {name: column for name, column in columns.items() if name not in _UNUSED}
        return factors(pl.DataFrame(wanted).with_columns(as_dates("DATE_OF_BIRTH")), last)

    return generated


def _aim(measure: Measure, released: Released) -> float:
    if measure.pairs:
        values = released.correlations[measure.name].values()
        return sum(values) / len(values)
    with_flag, asked = released.shares[measure.name]
    return with_flag / asked


def _seen(frame: pl.DataFrame, used: Sequence[Measure], released: Released) -> list[float]:
    """Return shares and mean correlations of generated records, of the pairs that were released; nan of no child."""
    shares = iter(count_shares(frame, [measure for measure in used if not measure.pairs]))
    found: list[float] = []
    for measure in used:
        if measure.pairs:
            shown = [pair in released.correlations[measure.name] for pair in measure.pairs]
            counts = np.maximum(joint_counts(frame, measure)[shown], 0.5)
            found.append(float(from_counts(counts).mean()))
        else:
            with_flag, asked = next(shares)
            found.append((with_flag + 0.5) / (asked + 1) if asked else np.nan)
    return found


def _step(measure: Measure, aim: float, seen: float, number: float) -> float:
    """Return how far to move a lever, on its own scale, for a share or correlation that is off."""
    from scipy.special import ndtri  # noqa: PLC0415  a quarter of a second to import: only when learning

    if measure.pairs:
        # The share of variance in common, moved on the normal scale, is the correlation itself.
        slope = float(np.exp(-(ndtri(min(max(number, 0.02), 0.98)) ** 2) / 2) / np.sqrt(2 * np.pi))
        return (aim - seen) / slope
    if measure.lever.step in {"probit", "shift"}:
        return float(ndtri(aim) - ndtri(seen))
    return float(np.log(aim / seen))


def _number(profile: Profile, measure: Measure, year: int) -> float:
    """Return the number a lever moves, where it is one alone."""
    value = profile.parameters[measure.lever.parameter].at(year)
    return float(value) if isinstance(value, int | float) else 0.0


def _with(profile: Profile, values: dict[str, dict[str, Any]]) -> Profile:
    parameters = dict(profile.parameters)
    for name, value in values.items():
        parameters[name] = parameters[name].with_values(**value)
    return replace(profile, parameters=parameters)


def _short(value: Any) -> Any:  # noqa: ANN401  nested to any depth
    """Round every number to three significant digits: what was released has no more."""
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_short(inner) for inner in value]
    return float(f"{value:.3g}") if isinstance(value, float) else value
