"""What made these files: a small JSON document beside them, without a clock, so that equal runs give equal bytes."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from synth import __version__
from synth.files import FILES
from synth.guidance import load

if TYPE_CHECKING:
    from pathlib import Path

    from synth.files import Generated
    from synth.profile import Profile

__all__ = ["guidance_digest", "manifest_text"]

_STATEMENT = (
    "Every record in this folder is synthetic. It was simulated from published aggregate statistics and stated"
    " assumptions; no record of a real child was used at any stage, and no row describes a real child."
)
_PROJECTION = (
    "Nothing was published about this year when the profile was made: stock and flow of the last published year are"
    " carried forward, and so is its guidance."
)
_MAY = [
    "testing software that writes, checks or reads the two returns",
    "training, teaching and writing analysis code before real data are available",
    "showing what the returns look like",
]
_MAY_NOT = [
    "estimating anything about real children, families or authorities beyond the published figures used",
    "being presented as real, linked to real records or sent in as a return",
    "judging an authority's practice: patterns inside an authority are mostly national assumptions",
]


@cache
def guidance_digest() -> str:
    """Return the SHA-256 of all guidance tables, in order of their names."""
    folder = files("synth.guidance")
    tables = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".csv")), key=lambda entry: entry.name)
    digest = hashlib.sha256()
    for table in tables:
        digest.update(table.name.encode() + b"\0" + table.read_bytes())
    return digest.hexdigest()


def manifest_text(made: Generated, profile: Profile, seed: int, mode: str, command: str, folder: Path) -> str:
    """Describe the files of a folder: command, seed, versions, digests, rows; JSON with a final line feed."""
    from synth.profile import digest  # noqa: PLC0415

    content = {
        "statement": _STATEMENT,
        "may_be_used_for": _MAY,
        "may_not_be_used_for": _MAY_NOT,
        "command": command,
        "mode": mode,
        "year": made.year,
        "collection": made.collection,
        "authorities": [authority.code for authority in made.authorities],
        "seed": seed,
        **({"projection": _PROJECTION} if load("cla", made.year).projected else {}),
        "versions": {
            "synth": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "polars", "scipy")},
        },
        "profile": {
            "name": profile.name,
            "format_version": profile.format_version,
            "sha256": digest(profile),
        },
        "guidance_sha256": guidance_digest(),
        "files": {
            name: {
                "rows": len(next(iter(made.forms[form].values()))),
                "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            }
            for form, name in FILES.items()
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
