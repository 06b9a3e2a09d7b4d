"""What readers written in other languages print of a damaged file, kept off the terminal."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["hushed"]


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep off standard error what a reader prints there itself while the block lasts: one message will tell it."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no terminal to print to
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
