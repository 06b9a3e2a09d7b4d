"""Whether a dataset is whole: every partition its manifest names, every file as it was written, and nothing else."""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from synth.documents import content_of, json_of, opened
from synth.errors import InputError
from synth.files import BESIDE, FILES, MANIFEST, METADATA
from synth.reading.dataset import AUTHORITY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from synth.reading.dataset import Dataset

__all__ = ["check_whole"]

_NAMES = "|".join(name.removesuffix(".csv") for name in FILES.values())
_FILE = re.compile(rf"({AUTHORITY}[0-9]{{3}}/)?({_NAMES})\.(csv|parquet)")
_BESIDE = re.compile(rf"{METADATA}/([0-9]{{4}}/)?[a-z]+\.[a-z]+")
_SHOWN = 5
"""Mistakes told one by one."""
_SIGNS = 12
"""Signs of a SHA-256 that are shown."""


def check_whole(dataset: Dataset) -> None:
    """Hold a dataset against its manifests: partitions, files, their SHA-256, and that nothing else stands there.

    Hidden files, which no reader of partitions looks at, may. Files are read one after another, piece by piece. Raises
    InputError that says what is wrong, where, what was expected and what to do.
    """
    wrong = [*_strange(dataset), *_wrong_beside(dataset)]
    # Reading and hashing leave the interpreter alone most of the time.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(partial(_wrong, dataset), dataset.partitions):
            wrong += found
    if not wrong:
        return
    told = "".join(f"\n  {problem}" for problem in wrong[:_SHOWN])
    more = f"\n  and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
    raise InputError(
        f"{dataset.root} is not what its {MANIFEST} says:{told}{more}\n"
        "Take away what is not named there; what is missing or changed is made again by: "
        f"{dataset.told['command']} --out {dataset.root}. A partition can be looked at as it stands: name its folder."
    )


def _strange(dataset: Dataset) -> Iterator[str]:
    """Say what stands beside the partitions."""
    root = dataset.root
    years = sorted({name.partition("/")[0] for name in dataset.partitions})
    beside = _beside(dataset)
    expected = {MANIFEST, *years, *dataset.partitions, *beside, *({METADATA} if beside else ())}
    described = (path for path in (root / METADATA).rglob("*") if beside and not path.is_dir())
    folders = (root, *(root / year for year in years))
    listed = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
    for path in (*listed, *sorted(described)):
        name = path.relative_to(root).as_posix()
        if name not in expected and not path.name.startswith("."):
            yield f"{name} is there, but not named in {MANIFEST}."


def _beside(dataset: Dataset) -> dict[str, Any]:
    """Return what the manifest says of files that describe the dataset; older ones name none."""
    told = dataset.told.get(BESIDE)
    return told if isinstance(told, dict) else {}


def _wrong_beside(dataset: Dataset) -> Iterator[str]:
    """Say what is wrong with the files that describe the dataset."""
    for name, told in _beside(dataset).items():
        # As with partitions: what a manifest names is opened.
        if not _BESIDE.fullmatch(name) or not isinstance(told, dict):
            yield f"{MANIFEST} names {name!r}; expected a file such as {METADATA}/dcat.jsonld, with its SHA-256."
        else:
            yield from _held(dataset.root / name, name, str(told.get("sha256")))


def _wrong(dataset: Dataset, name: str) -> list[str]:
    """Say what is wrong with one partition."""
    rows, digest = dataset.partitions[name]
    place = dataset.root / name
    if not place.is_dir():
        return [f"{name} is missing; expected {rows:,} rows there."]
    told = f"{name}/{MANIFEST}"
    try:
        content = content_of(place / MANIFEST)
    except OSError as problem:
        return [_unread(told, problem)]
    if (found := hashlib.sha256(content).hexdigest()) != digest:
        return [_changed(told, found, digest)]
    try:
        manifest = json_of(content)
        files = {file: (int(entry["rows"]), str(entry["sha256"])) for file, entry in manifest["files"].items()}
        year, world = int(manifest["year"]), int(manifest["world"])
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        return [f"{told} does not tell year, world and files ({type(problem).__name__}: {problem})."]
    wrong = []
    if name.partition("/")[0] != f"year={year}" or int(name.rpartition("=")[2]) != world:
        wrong.append(f"{told} says it is world {world} of {year}.")
    if (held := sum(number for number, _ in files.values())) != rows:
        wrong.append(f"{told} counts {held:,} rows; expected {rows:,}.")
    for file, (_, expected) in files.items():
        wrong += _wrong_file(place, name, file, expected)
    known = {MANIFEST, *files}
    for path in sorted(place.rglob("*")):
        file = path.relative_to(place).as_posix()
        if not path.is_dir() and file not in known and not path.name.startswith("."):
            wrong.append(f"{name}/{file} is there, but not named in the {MANIFEST} beside it.")
    return wrong


def _wrong_file(place: Path, name: str, file: str, expected: str) -> Iterator[str]:
    # What a manifest names is opened: nothing outside the partition may be.
    if not _FILE.fullmatch(file):
        yield f"{name}/{MANIFEST} names {file!r}; expected a form such as {FILES['crcs']}."
        return
    yield from _held(place / file, f"{name}/{file}", expected)


def _held(path: Path, file: str, expected: str) -> Iterator[str]:
    """Hold a file, told by a name, against its SHA-256."""
    try:
        with opened(path) as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as problem:
        yield _unread(file, problem)
        return
    if found != expected:
        yield _changed(file, found, expected)


def _unread(file: str, problem: OSError) -> str:
    if isinstance(problem, FileNotFoundError):
        return f"{file} is missing."
    return f"{file} cannot be read ({problem.strerror or problem})."


def _changed(file: str, found: str, expected: str) -> str:
    return f"{file} is not as it was written: SHA-256 {found[:_SIGNS]}..., expected {expected[:_SIGNS]}..."
