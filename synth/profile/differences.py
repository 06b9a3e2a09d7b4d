"""What one profile holds otherwise than another: said wherever files are judged beside a changed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth.profile.model import Profile

__all__ = ["differences"]


def differences(profile: Profile, other: Profile) -> tuple[str, ...]:
    """Say what differs, parameters by name in alphabetical order, then counts of levels, figures and targets.

    A parameter differs by its values, not by what is said of their origin. Nothing is returned for profiles that
    drive the same simulation.
    """
    names = sorted(profile.parameters.keys() | other.parameters.keys())
    changed = [name for name in names if _values(profile, name) != _values(other, name)]
    told = [f"parameter {name}" for name in changed]
    for kind, entries in (("level", _levels), ("figure", _figures), ("target", _targets)):
        mine, theirs = entries(profile), entries(other)
        if n := max(len(mine - theirs), len(theirs - mine)):
            told.append(f"{n} {kind}{'' if n == 1 else 's'}")
    if profile.held_out != other.held_out:
        told.append("the tables held out")
    return tuple(told)


def _values(profile: Profile, name: str) -> tuple[object, object] | None:
    found = profile.parameters.get(name)
    return None if found is None else (found.value, found.by_year)


def _levels(profile: Profile) -> set[tuple[object, ...]]:
    return {(x.kind, x.authority, x.year, x.value) for x in profile.levels}


def _figures(profile: Profile) -> set[tuple[object, ...]]:
    return {(x.name, x.year, x.value, x.low, x.high) for x in profile.figures}


def _targets(profile: Profile) -> set[tuple[object, ...]]:
    return {
        (target.table, target.year, cell, code, count)
        for target in profile.targets
        for code, counts in target.counts.items()
        for cell, count in zip(target.cells, counts, strict=True)
    }
