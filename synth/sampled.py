"""Another year that might have been: the profile's stocks vary as chance would have it, and nothing else is aligned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synth.geography.authorities import all_authorities
from synth.lives.draw import normal
from synth.lives.homes import Homes
from synth.lives.streams import Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.profile import Level, Profile, Target

__all__ = ["sampled"]

_AGES = 18


def sampled(profile: Profile, seed: int, world: int = 0) -> Profile:
    """Return the profile with stocks drawn anew: counts of children vary like Poisson counts around the fitted ones.

    A cell of the stock (authority, sex, single age) carries part of its departure on with its cohort, as most children
    of one year are those of the year before. Care and support varies with the looked-after stock and, beyond it, by
    chance of its own. All other targets are dropped, so legal status, placement, reasons and the rest follow the
    parameters alone. A year's draw depends on earlier years, never on later ones. Each world (counted from 0) has
    draws of its own.
    """
    streams, homes = Streams(seed), _homes(world)
    stocks = _stocks(profile, streams, homes)
    starts = [_varied_starts(target, streams, homes) for target in profile.targets if target.table == "starts"]
    return replace(profile, targets=(*stocks, *starts), levels=_levels(profile, stocks, streams, homes))


def _homes(world: int) -> dict[str, int]:
    """Return the name of each authority in a world (see `lives.homes`) by its code, in official order."""
    homes = Homes(all_authorities(), (world,))
    return dict(zip(homes.codes, homes.name.tolist(), strict=True))


def _stocks(profile: Profile, streams: Streams, homes: dict[str, int]) -> list[Target]:
    found: list[Target] = []
    departure: NDArray[np.float64] | None = None
    codes = list(homes)
    for target in sorted((t for t in profile.targets if t.table == "stock"), key=lambda target: target.year):
        counts = np.array([target.counts[code] for code in codes], float)
        who = (np.array(list(homes.values()))[:, None] * 1000 + np.arange(counts.shape[1])).ravel()
        fresh = normal(streams("sampled stock").uniform(who, target.year)).reshape(len(codes), -1, _AGES)
        if departure is None:
            departure = fresh
        else:
            keeps = float(profile.at("sampled.kept_a_year", target.year))
            older = np.concatenate((fresh[:, :, :1], departure[:, :, :-1]), axis=2)
            departure = np.where(np.arange(_AGES) > 0, keeps * older + np.sqrt(1 - keeps**2) * fresh, fresh)
        u = streams("sampled stock rounded").uniform(who, target.year).reshape(counts.shape)
        drawn = np.maximum(np.floor(counts + np.sqrt(counts) * departure.reshape(counts.shape) + u), 0).astype(int)
        found.append(replace(target, counts={c: tuple(row) for c, row in zip(codes, drawn.tolist(), strict=True)}))
    return found


def _varied_starts(target: Target, streams: Streams, homes: dict[str, int]) -> Target:
    counts: dict[str, tuple[int, ...]] = {}
    for code, (count,) in target.counts.items():
        z = normal(streams("sampled starts").uniform([homes[code]], target.year))[0]
        counts[code] = (max(round(count + float(np.sqrt(count) * z)), 0),)
    return replace(target, counts=counts)


def _levels(profile: Profile, stocks: list[Target], streams: Streams, homes: dict[str, int]) -> tuple[Level, ...]:
    """Return levels that go with the stocks; care and support keeps its distance to them, but for chance."""
    sums = {(code, target.year): sum(counts) for target in stocks for code, counts in target.counts.items()}
    found: list[Level] = []
    for level in profile.levels:
        key = (level.authority, level.year)
        if key not in sums:
            found.append(level)
            continue
        before = profile.level("looked_after", *key)
        value = sums[key]
        if level.kind == "care_and_support":
            beside = max(level.value - before, 0)
            spread = np.sqrt(beside * float(profile.at("sampled.children_a_family", level.year)))
            z = normal(streams("sampled care and support").uniform([homes[level.authority]], level.year))[0]
            value += max(round(beside + float(spread * z)), 0)
        found.append(replace(level, value=value, source=f"{level.source}; drawn around it"))
    return tuple(found)
