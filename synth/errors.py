"""Exceptions, named for the mistake; each carries one message that says what, where and what to do next."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SynthError(Exception):
    """Base of every error this package raises on purpose; the command line prints it and exits with 2."""


class InputError(SynthError):
    """What the user asked for cannot be done: unknown authority, year out of range, unreadable file."""


class GuidanceError(SynthError):
    """A guidance table is damaged; the message names file, row and column."""


class ProfileError(SynthError):
    """A profile is missing, damaged or does not cover the year asked for."""


class OutputError(SynthError):
    """Files could not be written, or what was written failed its check."""


def nearest(name: str, known: Iterable[str]) -> str:
    """End a sentence about a name that was not found: with a question after the one most like it, if one is."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else "."
