"""Whether another process would write the same bytes: what they rest on, and where two differ."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from synth import __version__
from synth.errors import InputError
from synth.manifest import guidance_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

__all__ = ["PACKAGES", "check_alike", "versions"]

PACKAGES = ("numpy", "polars", "scipy")
"""What manifests name beside this package and Python."""


@cache
def versions() -> dict[str, str]:
    """Return the versions a manifest tells, and a digest of the program: between releases its version stands still."""
    digest = hashlib.sha256(guidance_digest().encode())
    for name, content in sorted(_modules(files("synth"), "")):
        digest.update(name.encode() + b"\0" + content)
    return {
        "python": platform.python_version(),
        "synth": __version__,
        **{name: version(name) for name in PACKAGES},
        "program": digest.hexdigest()[:12],
    }


def check_alike(others: Mapping[str, Mapping[str, str | None]]) -> None:
    """Hold the versions of other processes, by where they run, against those here; what they do not tell is not asked.

    Raises InputError that names the first process that differs and all that differs there.
    """
    here = versions()
    for place, there in others.items():
        differing = [
            f"{name} {there[name] or 'not installed'} (here {here[name]})" for name in here
            if name in there and there[name] != here[name]
        ]  # fmt: skip
        if differing:
            raise InputError(
                f"{place} has {', '.join(differing)} and might write other bytes; install the same there as here, and"
                " start it anew."
            )


def _modules(folder: Traversable, under: str) -> Iterator[tuple[str, bytes]]:
    """Yield the modules of a package with their names."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _modules(entry, f"{under}{entry.name}/")
        elif entry.name.endswith(".py"):
            # As a checkout may have it on Windows.
            yield under + entry.name, entry.read_bytes().replace(b"\r\n", b"\n")
