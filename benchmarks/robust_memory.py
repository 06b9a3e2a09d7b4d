"""How far the resident set of this process grows (Linux; elsewhere nothing is seen)."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["begin", "grown"]

_begun = [0.0]


def begin() -> None:
    """Begin to watch, or begin anew: what an input took to be made is not what it takes to be read."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    _begun[0] = _peak()


def grown() -> float:
    """Return by how many MB the resident set has been higher since than it was."""
    return _peak() - _begun[0]


def _peak() -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1000
    return 0
