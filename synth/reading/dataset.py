"""Where things stand in a dataset of worlds, what its manifest says it holds, and whether it is there, unchanged.

A dataset is a folder with a manifest.json and partitions below it: year=2023/world=0001 holds the files of a year of a
world and a manifest.json of its own, the files by authority in folders such as authority=512.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.documents import content_of, json_of, reason
from synth.errors import InputError
from synth.files import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "AUTHORITY",
    "Dataset",
    "World",
    "advice",
    "authority_folders",
    "dataset_among",
    "open_dataset",
    "partition_before",
]

AUTHORITY = "authority="
_YEARS, _WORLDS = "year=*", "world=*"
_PARTITION = re.compile(r"year=([0-9]{4})/(world=[0-9]+)")
_KEYS = {
    "command": str,
    "years": list,
    "worlds": int,
    "authorities": list,
    "seed": int,
    "profile": dict,
    "partitions": dict,
}


@dataclass(frozen=True, slots=True)
class World:
    """A world of a dataset: `years` gives the name of the partition of each of its years, rising."""

    name: str
    years: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a dataset holds by its manifest: `partitions` gives rows and SHA-256 of the manifest of each, in order."""

    root: Path
    told: Mapping[str, Any]
    partitions: Mapping[str, tuple[int, str]]

    @property
    def worlds(self) -> tuple[World, ...]:
        """The worlds, in the order of the manifest."""
        found: dict[str, dict[int, str]] = {}
        for name in self.partitions:
            year, world = _placed(name)
            found.setdefault(world, {})[year] = name
        return tuple(World(world, dict(sorted(years.items()))) for world, years in found.items())

    @property
    def years(self) -> tuple[int, ...]:
        """The years, rising."""
        return tuple(sorted({_placed(name)[0] for name in self.partitions}))


def dataset_among(paths: Sequence[Path]) -> Path | None:
    """Return the first of some paths that is a dataset, or one year of it; None where all are something else."""
    return next((path for path in paths if _is_dataset(path) or _is_year(path)), None)


def open_dataset(root: Path) -> Dataset:
    """Read what a dataset says of itself; whether it is so is not looked at (see `check_whole`).

    Raises InputError where the folder is no dataset, only a year of one, or its manifest is missing or damaged.
    """
    if not _is_dataset(root):
        raise InputError(
            advice(root) or f"{root} is no dataset of worlds; expected what synth generate --scale writes."
        )
    path = root / MANIFEST
    if not path.is_file():
        first = _first_partition(root)
        raise InputError(
            f"{root} has no {MANIFEST}: the dataset was not finished. Give the command that makes it again, which goes"
            f" on where it was stopped, or name one partition, such as {first}."
        )
    try:
        told = json_of(content_of(path))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({reason(error)}). {_AGAIN}") from None
    for key, kind in _KEYS.items():
        if not isinstance(told, dict) or not isinstance(told.get(key), kind):
            raise InputError(f"{path}: {key} is missing or is no {kind.__name__}. {_AGAIN}")
    return Dataset(root, told, dict(_stated(path, told)))


_AGAIN = "Give the command that made the dataset again: what is whole stays, and the manifest is written anew."


def _stated(path: Path, told: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Return rows and SHA-256 of each partition the manifest names; InputError where they are not years of worlds."""
    found: dict[str, tuple[int, str]] = {}
    for name, said in told["partitions"].items():
        if not _PARTITION.fullmatch(name):
            raise InputError(f"{path}: partition {name!r}; expected a name such as year=2023/world=0001. {_AGAIN}")
        rows, digest = (
            (said.get(key) for key in ("rows", "manifest_sha256")) if isinstance(said, dict) else (None, None)
        )
        if not isinstance(rows, int) or not isinstance(digest, str):
            raise InputError(f"{path}: partition {name} has no rows or no manifest_sha256. {_AGAIN}")
        found[name] = rows, digest
    years = sorted({_placed(name)[0] for name in found})
    worlds = {_placed(name)[1] for name in found}
    if not found or years != told["years"] or len(worlds) != told["worlds"] or len(found) != len(years) * len(worlds):
        wanted = f"{told['worlds']} worlds of the years {', '.join(map(str, told['years']))}"
        raise InputError(f"{path}: says it is {wanted} and names {len(found)} partitions. {_AGAIN}")
    return found


def partition_before(folder: Path) -> Path | None:
    """Return where the year before of the same world stands, None where the folder is no partition of a dataset."""
    place = folder.resolve()
    parts = _PARTITION.fullmatch(f"{place.parent.name}/{place.name}")
    return place.parent.parent / f"year={int(parts[1]) - 1}" / place.name if parts else None


def authority_folders(folder: Path) -> list[Path]:
    """Return the folders of single authorities in a partition, in their order; none where its files are whole."""
    return sorted(path for path in folder.glob(f"{AUTHORITY}*") if path.is_dir())


def advice(folder: Path) -> str:
    """Say what to name instead of a dataset, or of a year of one, where one folder of files is asked for; else ''."""
    if _is_dataset(folder):
        found = _first_partition(folder)
        such = f", such as {found}" if found else ""
        return f"{folder} is a dataset of worlds, no folder of a year; name one of its partitions{such}."
    if _is_year(folder):
        found = _first_partition(folder.parent)
        return f"{folder} is one year of a dataset; name all of it, {folder.parent}, or one world, such as {found}."
    return ""


def _is_dataset(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    if _first_partition(folder):
        return True
    try:
        told = json_of(content_of(folder / MANIFEST))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and "partitions" in told


def _is_year(folder: Path) -> bool:
    return folder.is_dir() and folder.resolve().match(_YEARS) and any(folder.glob(_WORLDS))


def _first_partition(root: Path) -> Path | None:
    return min(root.glob(f"{_YEARS}/{_WORLDS}"), default=None)


def _placed(name: str) -> tuple[int, str]:
    """Return year and world of a partition by its name."""
    year, _, world = name.partition("/")
    return int(year.removeprefix("year=")), world
