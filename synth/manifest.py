"""What made these files: a small JSON document beside them, without a clock, so that equal runs give equal bytes."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from synth import __version__
from synth.files import BESIDE, FILES
from synth.guidance import load

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from synth.files import Generated
    from synth.profile import Profile
    from synth.returns.columns import Form

__all__ = [
    "STATEMENT",
    "banner_of",
    "command_of",
    "described",
    "digests",
    "file_digest",
    "guidance_digest",
    "in_short",
    "json_text",
    "listed",
    "made_by",
    "manifest_text",
    "statement_of",
]

STATEMENT = (
    "Every record in this folder is synthetic. It was simulated from published aggregate statistics and stated"
    " assumptions; no record of a real child was used at any stage, and no row describes a real child."
)
_STATEMENT_LEARNED = (
    "Every record in this folder is synthetic, and no row describes a real child. It was simulated from published"
    " aggregate statistics, stated assumptions and figures that were learned from records, rounded and with small"
    " counts hidden; who holds the records says where it may go."
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

_VARYING = {
    ".duckdb": "No digest: DuckDB leaves remains of memory in parts of the file it does not use. The rows are the same."
}
"""Ending of a file -> why its bytes differ from run to run."""


@cache
def guidance_digest() -> str:
    """Return the SHA-256 of all guidance tables, in order of their names."""
    folder = files("synth.guidance")
    tables = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".csv")), key=lambda entry: entry.name)
    digest = hashlib.sha256()
    for table in tables:
        digest.update(table.name.encode() + b"\0" + table.read_bytes())
    return digest.hexdigest()


def statement_of(profile: Profile) -> str:
    """Say what stands behind what is made with a profile."""
    return _STATEMENT_LEARNED if profile.learned else STATEMENT


def banner_of(profile: Profile) -> str:
    """Return the key of the words, in both languages, that say it where there is little room."""
    return "banner_learned" if profile.learned else "banner"


def in_short(profile: Profile) -> str:
    """Say the same in a line or two, for who has just made files."""
    behind = "figures learned from records, but no row, went into it" if profile.learned else "no real record was used"
    return f"Wholly synthetic: {behind}. See manifest.json for what the files may be used for."


def manifest_text(made: Generated, profile: Profile, seed: int, mode: str, command: str, folder: Path) -> str:
    """Describe the files of a folder: command, seed, versions, digests, rows; JSON with a final line feed."""
    about = described(
        made.year, [a.code for a in made.authorities], profile, seed, mode, made.collection, command, made.world
    )
    files = {name: listed(made.forms[form], (folder / name).read_bytes()) for form, name in FILES.items()}
    beside = digests(folder, files)
    return json_text(about | {"files": files} | ({BESIDE: beside} if beside else {}))


def command_of(codes: Sequence[str], years: str, seed: int, mode: str, collection: str, world: int = 0) -> str:
    """Return the command that makes the same files again; `years` is its option, `world` is counted from 0."""
    command = f"synth generate --authorities {','.join(codes)} {years} --seed {seed}"
    if mode != "exact":
        command += f" --mode {mode}"
    if collection:
        command += f" --collection {collection.replace('_', '-')}"
    return command if world == 0 else f"{command} --world {world + 1}"


def listed(form: Form, content: bytes) -> dict[str, Any]:
    """Describe one file: its rows and its SHA-256."""
    return {"rows": len(next(iter(form.values()))), "sha256": hashlib.sha256(content).hexdigest()}


def digests(folder: Path, but: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of every file in a folder and its folders, by path, `but` for some."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: file_digest(folder / name) for name in names if name not in but}


def file_digest(path: Path) -> dict[str, str]:
    """Return the SHA-256 of a file, under that name; a note in its place where the bytes are others every time."""
    if path.suffix in _VARYING:
        return {"note": _VARYING[path.suffix]}
    with path.open("rb") as content:
        return {"sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def json_text(content: dict[str, Any]) -> str:
    """Write a manifest the same way every time, with a final line feed."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def described(
    year: int,
    codes: Sequence[str],
    profile: Profile,
    seed: int,
    mode: str,
    collection: str,
    command: str,
    world: int = 0,
) -> dict[str, Any]:
    """Say what made the files of a year (of a world, counted from 0) and what they may be used for."""
    return {
        "statement": statement_of(profile),
        "may_be_used_for": _MAY,
        "may_not_be_used_for": _MAY_NOT,
        "command": command,
        "mode": mode,
        "year": year,
        "world": world + 1,
        "collection": collection,
        "authorities": list(codes),
        "seed": seed,
        **({"projection": _PROJECTION} if load("cla", year).projected else {}),
        **made_by(profile),
    }


def made_by(profile: Profile) -> dict[str, Any]:
    """Say which versions, profile and guidance made files."""
    # Loaded where it is needed, while the check runs, not before the first child is simulated.
    from importlib.metadata import version  # noqa: PLC0415

    from synth.profile import digest  # noqa: PLC0415

    return {
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
    }
