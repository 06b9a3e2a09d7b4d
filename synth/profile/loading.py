"""Reading profiles: the built-in one as it was written, any other held to what a profile may say."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from synth.documents import content_of
from synth.log import doing
from synth.packaged import profiles_dir
from synth.profile.checked import checked_profile
from synth.profile.documents import read_document
from synth.profile.model import Figure, Level, Parameter, Profile, Target
from synth.profile.overlays import overlay

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BUILT_IN", "SUM", "load_profile", "sum_of"]

BUILT_IN, SUM = "wales.json", "wales.json.sha256"
"""The built-in profile, and the file beside it that tells its bytes from any others, as `sha256sum -c` reads it."""


def load_profile(path: Path | None = None) -> Profile:
    """Read a profile, or an overlay on the built-in one; None gives the built-in profile.

    Raises ProfileError naming file and place in the JSON if it is missing, damaged, of another format
    version, or holds unknown keys, negative levels, or numbers that are not finite.
    """
    path = path or profiles_dir() / BUILT_IN
    profile = _as_written(path)
    if profile is None:
        found = read_document(path)
        if found.get("overlay") is True:
            return overlay(load_profile(None), path)
        profile = checked_profile(found, path)
    doing("profile %s read from %s", profile.name, path)
    return profile


def sum_of(content: bytes) -> str:
    """Return the line of a file of sums that tells the built-in profile of this content."""
    return f"{hashlib.sha256(content).hexdigest()}  {BUILT_IN}\n"


def _as_written(path: Path) -> Profile | None:
    """Return the profile of a file whose sum stands beside it: it was checked when it was made; None for any other."""
    if path.name != BUILT_IN:
        return None
    try:
        content = content_of(path)
        if path.with_name(SUM).read_text("ascii") != sum_of(content):
            return None
    except (OSError, ValueError):
        # What is wrong with the file itself is told by those who read it whole.
        return None
    found: dict[str, Any] = json.loads(content)
    return Profile(
        **found
        | {
            "years": tuple(found["years"]),
            "held_out": tuple(found["held_out"]),
            "levels": tuple(Level(**fields) for fields in found["levels"]),
            "figures": tuple(Figure(**fields) for fields in found["figures"]),
            "targets": tuple(_target(**fields) for fields in found["targets"]),
            "parameters": {name: Parameter(**fields) for name, fields in found["parameters"].items()},
        }
    )


def _target(cells: list[str], counts: dict[str, list[int]], **fields: Any) -> Target:  # noqa: ANN401  JSON
    return Target(cells=tuple(cells), counts={code: tuple(row) for code, row in counts.items()}, **fields)
