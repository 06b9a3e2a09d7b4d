"""A year past the last published one: the last one's levels and targets carried forward, called what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth.profile.model import Profile

__all__ = ["YEARS_AHEAD", "projected"]

YEARS_AHEAD = 1
"""How many years past its last a profile can be projected."""


def projected(profile: Profile, year: int) -> Profile:
    """Return a profile that covers `year`, one past its last: stock and flow stay as they were in the last.

    What is carried forward says so: its basis is assumed, and it is named in the profile's own name. Parameters hold
    beyond their years anyway. Other years are as they were; raises ValueError for any other year.
    """
    first, last = profile.years
    if not last < year <= last + YEARS_AHEAD:
        raise ValueError(f"{year} is not the year after {last}")
    held = [level for level in profile.levels if level.year == last]
    says = {"year": year, "basis": "assumed", "source": f"projection: as {last}"}
    return profile.model_copy(
        update={
            "name": f"{profile.name}, projected to {year}",
            "years": (first, year),
            "levels": (*profile.levels, *(level.model_copy(update=says) for level in held)),
            "targets": (
                *profile.targets,
                *(target.model_copy(update={"year": year}) for target in profile.targets if target.year == last),
            ),
        }
    )
