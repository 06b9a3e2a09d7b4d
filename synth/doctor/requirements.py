"""What this package asks for: read from its own statement, and held against what is installed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import synth

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Requirement", "asked_for", "fits", "installed", "parse"]

_NAME = "synth"
_REQUIREMENT = re.compile(r"\s*([\w.-]+)\s*(?:\[([\w., -]*)\])?\s*\(?([^;()]*)\)?\s*(?:;(.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w.-]+)['"]""")
_BOUND = re.compile(r"(>=|<=|==|!=|<|>)\s*([\d.]+)")
_RELEASE = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of what is asked for: a distribution, its extras, the versions that will do (">=1.32,<3")."""

    name: str
    extras: tuple[str, ...] = ()
    versions: str = ""


def parse(text: str) -> tuple[Requirement, str]:
    """Return a requirement as packaging writes it, and the extra it belongs to; "" for one that is always needed."""
    found = _REQUIREMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no requirement")
    name, extras, versions, marker = found.groups()
    extra = _EXTRA.search(marker or "")
    inside = tuple(part.strip() for part in (extras or "").split(",") if part.strip())
    return Requirement(name, inside, (versions or "").strip()), extra[1] if extra else ""


def asked_for() -> dict[str, list[Requirement]]:
    """Return extra -> requirements; "" for what is always needed. Extras that name others hold theirs too.

    A checkout is asked itself (its `pyproject.toml`), else the metadata that were installed. Nothing where there are
    neither.
    """
    asked: dict[str, list[Requirement]] = {"": []}
    for line, extra in _lines():
        asked.setdefault(extra, []).append(parse(line)[0])
    return {extra: list(dict.fromkeys(_resolved(asked, extra, frozenset()))) for extra in asked}


def _resolved(asked: dict[str, list[Requirement]], extra: str, seen: frozenset[str]) -> Iterator[Requirement]:
    """Yield the requirements of an extra, those of other extras of this package in place of their names."""
    for requirement in asked.get(extra, ()):
        if requirement.name != _NAME:
            yield requirement
            continue
        for other in requirement.extras:
            if other not in seen:
                yield from _resolved(asked, other, seen | {other})


def _lines() -> Iterator[tuple[str, str]]:
    """Yield each requirement as it is written, and its extra."""
    checkout = Path(synth.__file__).parents[1] / "pyproject.toml"
    if checkout.is_file():
        project = tomllib.loads(checkout.read_text("utf-8")).get("project", {})
        if project.get("name") == _NAME:
            yield from ((line, "") for line in project["dependencies"])
            yield from ((line, extra) for extra, lines in project["optional-dependencies"].items() for line in lines)
            return
    try:
        lines = metadata.requires(_NAME) or []
    except metadata.PackageNotFoundError:
        return
    yield from ((line, parse(line)[1]) for line in lines)


def installed(name: str) -> str | None:
    """Return the version of a distribution that is installed; None if it is not."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def fits(version: str, versions: str) -> bool:
    """Say whether a version lies within all bounds; what follows the numbers of a release (rc1, +cpu) is not looked at.

    >>> fits("2.1.0", ">=1.32,<3"), fits("1.9", ">=1.32")
    (True, False)
    """
    return all(_holds(_release(version), sign, _release(bound)) for sign, bound in _BOUND.findall(versions))


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, noughts at its end left out: 2.0 and 2 are the same."""
    found = _RELEASE.match(version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _holds(version: tuple[int, ...], sign: str, bound: tuple[int, ...]) -> bool:
    return {
        ">=": version >= bound,
        "<=": version <= bound,
        ">": version > bound,
        "<": version < bound,
        "==": version == bound,
        "!=": version != bound,
    }[sign]
