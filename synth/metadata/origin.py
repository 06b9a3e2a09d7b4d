"""Where a dataset comes from and under which terms: its name, the program, the licence, the published sources."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from synth.metadata.words import Text, said
from synth.published import profiles_dir, read_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth.geography.authorities import Authority
    from synth.profile import Profile

__all__ = [
    "LICENCE",
    "LICENCE_NAME",
    "LICENCE_TITLE",
    "PROGRAM",
    "Source",
    "Subject",
    "Written",
    "keywords",
    "name_of",
    "sources_of",
    "title_of",
    "written_as",
]

PROGRAM = "synth"
LICENCE_NAME, LICENCE_TITLE = "MIT", "MIT License"
LICENCE = "https://spdx.org/licenses/MIT"
"""The licence of the program; what it writes may be used under the same."""

_TABLE = "sources.csv"


class Source(NamedTuple):
    """A source of published figures; `address` is empty where it has none that a browser could open."""

    title: str
    address: str


class Subject(NamedTuple):
    """What is described: a year, how care and support was collected in it, the world (counted from 0), and of whom."""

    year: int
    collection: str
    world: int
    authorities: tuple[Authority, ...]


class Written(NamedTuple):
    """A file as it was written: rows, bytes, SHA-256 as hexadecimal digits."""

    rows: int
    size: int
    sha256: str


def written_as(rows: int, content: bytes) -> Written:
    """Tell of the file of a form."""
    return Written(rows, len(content), hashlib.sha256(content).hexdigest())


def name_of(year: int, world: int) -> str:
    """Return the machine name of a year's dataset; `world` is counted from 0."""
    return f"synthetic-childrens-social-care-{year}" + (f"-world-{world + 1}" if world else "")


def title_of(years: Sequence[int], world: int = 0, worlds: int = 0) -> Text:
    """Return the title of a dataset of some years, of a world (counted from 0) or of several worlds."""
    parts = [said("title")]
    first, last = years[0], years[-1]
    parts.append(said("year_span", year=last) if first == last else said("years_span", first=first, last=last))
    if world:
        parts.append(said("world", n=world + 1))
    if worlds:
        parts.append(said("worlds", n=worlds))
    return Text(*(", ".join(part[language] for part in parts) for language in range(2)))


def keywords() -> tuple[Text, ...]:
    """Return what somebody might look for."""
    return tuple(said(f"keyword_{key}") for key in ("synthetic", "care", "looked_after", "support", "wales"))


def sources_of(profile: Profile) -> tuple[Source, ...]:
    """Return the sources of the published figures a profile was built from.

    None where it was not built from the tables that are at hand: which sources it had, is not known then.
    """
    path = profiles_dir() / "published" / _TABLE
    return _sources(path) if profile.inputs.get(_TABLE) == _digest(path) else ()


@lru_cache(maxsize=1)
def _sources(path: Path) -> tuple[Source, ...]:
    """Return the sources with an address first met, each once; several files of one page are one source."""
    found: dict[Source, None] = {}
    for _, cells in read_csv(path, ("source_id", "title", "address")):
        address, _, rest = cells["address"].partition(" ")
        known = address.startswith("http")
        # What follows an address names the file there.
        title = f"{cells['title']} {rest}".strip() if known else cells["title"]
        found[Source(title, address if known else "")] = None
    return tuple(found)


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
