"""The parameters of the built-in profile with value, unit, basis, source and how far they could be off."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from made.markdown import plain, table
from synth.profile import load_profile
from synth.profile.check import basis_counts
from synth.profile.text import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth.profile import Profile
    from synth.profile.text import ShownParameter

__all__ = ["bases", "parameters"]


def bases() -> str:
    """Return how many parameters are published, research and assumed, and how many of them all were fitted."""
    counts = basis_counts(load_profile())
    return "\n".join(table(list(map(str.capitalize, counts)), [list(map(str, counts.values()))]))


def parameters() -> str:
    """Return all parameters by the part of life they are about."""
    profile = load_profile()
    groups: dict[str, list[ShownParameter]] = defaultdict(list)
    for row in show(profile, profile.years[1]):
        groups[row.name.partition(".")[0]].append(row)
    lines: list[str] = []
    for group, rows in groups.items():
        lines += ["", f"## {group.replace('_', ' ').capitalize()}", ""]
        for row in rows:
            lines += [*_one(profile, row), ""]
    return "\n".join(lines)


def _one(profile: Profile, row: ShownParameter) -> Iterator[str]:
    by_year = profile.parameters[row.name].by_year
    when = f" in {profile.years[1]}; values given for {', '.join(map(str, by_year))}" if by_year else ""
    yield f"`{row.name}`"
    yield f": {row.basis}; {plain(row.unit)}{when}"
    yield f": `{row.value}`"
    said = [row.source, row.note, row.uncertainty and f"Could be off: {row.uncertainty}"]
    if words := ". ".join(plain(part.rstrip(".")) for part in said if part):
        yield f": {words}."
