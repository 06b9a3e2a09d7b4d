"""What is being done, step by step, for those who ask: the logger `synth` of the standard library, at level INFO.

Nobody is told unless a program configures logging, or the command line is called as `synth --verbose COMMAND`. Logging
is not imported for it: where nothing else has, nobody can be listening.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NAME", "doing", "told"]

NAME = "synth"
"""The logger."""


def doing(words: str, *given: object) -> None:
    """Log one step that has just been done; `words` takes what is `given` as % does, once it is known to be wanted."""
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger(NAME).info(words, *given)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Write every step to standard error while the block lasts, with the seconds since it began.

    Processes split off meanwhile write too; those begun anew (`--workers`, `--dask`) do not.
    """
    import logging  # noqa: PLC0415  only where it is asked for
    import time  # noqa: PLC0415

    begun = time.perf_counter()

    class _Seconds(logging.Formatter):
        def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  as logging calls it
            return f"synth {time.perf_counter() - begun:8.3f} s  {record.message}"

    logger = logging.getLogger(NAME)
    before, handler = logger.level, logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Seconds())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
