"""A year past the last published one: the last one's levels and targets carried forward, called what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synth.errors import InputError

if TYPE_CHECKING:
    from synth.profile.model import Profile

__all__ = ["YEARS_AHEAD", "check_covered", "projected", "reaching"]

YEARS_AHEAD = 1
"""How many years past its last a profile can be projected."""


def check_covered(profile: Profile, year: int) -> None:
    """Raise InputError for a year a profile neither covers nor can be projected to."""
    first, last = profile.years
    if not first <= year <= last + YEARS_AHEAD:
        raise InputError(
            f"--year {year}: profile {profile.name!r} covers the years {first} to {last}, and, as a projection, "
            f"{last + YEARS_AHEAD}; choose one."
        )


def reaching(profile: Profile, year: int) -> Profile:
    """Return a profile that covers `year`: itself, or projected to it."""
    return profile if year <= profile.years[1] else projected(profile, year)


def projected(profile: Profile, year: int) -> Profile:
    """Return a profile that covers `year`, one past its last: stock and flow stay as they were in the last.

    What is carried forward says so: its basis is assumed, and it is named in the profile's own name. Parameters hold
    beyond their years anyway. Other years are as they were; raises ValueError for any other year.
    """
    first, last = profile.years
    if not last < year <= last + YEARS_AHEAD:
        raise ValueError(f"{year} is not the year after {last}")
    held = [level for level in profile.levels if level.year == last]
    says = f"projection: as {last}"
    return replace(
        profile,
        name=f"{profile.name}, projected to {year}",
        years=(first, year),
        levels=(*profile.levels, *(replace(level, year=year, basis="assumed", source=says) for level in held)),
        targets=(
            *profile.targets,
            *(replace(target, year=year) for target in profile.targets if target.year == last),
        ),
    )
