"""Python's search for unreachable cycles, at rest while a job runs."""

import atexit
import gc

__all__ = ["rest", "search_at_end"]

_OBJECTS = 100_000
"""So many objects may be made before unreachable cycles are searched for; Python's own 700 are made all the time."""


def rest() -> None:
    """Let this process search for unreachable cycles rarely, and not once more as it ends.

    Hardly anything here is made in cycles, but each search for them walks what all modules hold, and one more as the
    process ends, when all memory goes anyway, would take as long as writing and reading all files of a year.
    """
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)


def search_at_end() -> None:
    """Search once more at the end after all: packages that count their objects call what is left then leaks."""
    atexit.unregister(gc.freeze)
