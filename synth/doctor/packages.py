"""Python, this package and those it depends on: what is there, whether it will do, and how to get what is not."""

from __future__ import annotations

import importlib
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import synth
from synth.doctor.finding import Finding, note, ok, problem
from synth.doctor.requirements import asked_for, fits, installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth.doctor.requirements import Requirement

__all__ = ["dependencies", "extras", "interpreter"]

_PACKAGES, _EXTRAS = "Packages", "Extras"
_OLDEST = (3, 11)
_OURS = ("dev", "docs", "test")
"""Extras for work on this package; nobody else misses them."""


def interpreter() -> Iterator[Finding]:
    """Say which Python runs which release of this package, and from where."""
    told = f"{platform.python_version()} ({platform.python_implementation()}), {sys.executable}"
    if sys.version_info < _OLDEST:
        yield problem(_PACKAGES, "Python", told, f"install Python {'.'.join(map(str, _OLDEST))} or newer")
    else:
        yield ok(_PACKAGES, "Python", told)
    told = f"{synth.__version__}, {Path(synth.__file__).parent}"
    stated = installed("synth")
    if stated is None:
        yield note(_PACKAGES, "synth", f"{told}; not installed", "pip install . in its folder, for the command `synth`")
    elif stated != synth.__version__:
        yield note(_PACKAGES, "synth", f"{told}; installed as {stated}", "pip install . in its folder once more")
    else:
        yield ok(_PACKAGES, "synth", told)


def dependencies() -> Iterator[Finding]:
    """Say of each package the core needs whether it is there, new enough, and can be imported."""
    needed = asked_for()[""]
    if not needed:
        yield note(
            _PACKAGES, "dependencies", "nothing says what is needed: no metadata, no pyproject.toml",
            "pip install synth once more",
        )  # fmt: skip
    for requirement in needed:
        found = _looked_at(requirement)
        yield _imported(requirement) if found.status == "ok" else found


def _looked_at(requirement: Requirement) -> Finding:
    name, version = requirement.name, installed(requirement.name)
    then = f'pip install "{name}{requirement.versions}"'
    if version is None:
        return problem(_PACKAGES, name, f"not installed; {requirement.versions or 'any version'} is needed", then)
    if not fits(version, requirement.versions):
        return problem(_PACKAGES, name, f"{version}; {requirement.versions} is needed", then)
    return ok(_PACKAGES, name, version)


def _imported(requirement: Requirement) -> Finding:
    """Say whether a package that is there can be used: one built for another processor cannot."""
    name, version = requirement.name, installed(requirement.name)
    try:
        importlib.import_module(name.replace("-", "_").lower())
    except Exception as error:  # noqa: BLE001  whatever keeps it from being used
        told = f"{version}, but cannot be imported ({type(error).__name__}: {' '.join(str(error).split())})"
        return problem(_PACKAGES, name, told, f'pip install --force-reinstall "{name}{requirement.versions}"')
    return ok(_PACKAGES, name, str(version))


def extras() -> Iterator[Finding]:
    """Say of each extra whether all its packages are there and new enough; they are not imported."""
    for extra, needed in asked_for().items():
        if not extra or extra in _OURS:
            continue
        there = {one: version for one in needed if (version := installed(one.name))}
        good = [f"{one.name} {version}" for one, version in there.items() if fits(version, one.versions)]
        bad = [
            f"{one.name} {version} ({one.versions} is needed)"
            for one, version in there.items()
            if not fits(version, one.versions)
        ]
        bad += [f"{one.name} missing" for one in needed if one not in there]
        told = ", ".join([*good, *bad])
        if bad:
            yield note(_EXTRAS, extra, told, f'if it is wanted: pip install "synth[{extra}]"')
        else:
            yield ok(_EXTRAS, extra, told)
