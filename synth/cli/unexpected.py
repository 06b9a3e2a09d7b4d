"""What is said when something goes wrong that nobody foresaw: one message, and the way to the whole traceback."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

import synth
from synth.cli.words import LONGEST, legible

__all__ = ["UNEXPECTED", "of_a_path", "said"]

UNEXPECTED = 70
"""The exit code: EX_SOFTWARE of sysexits.h (BSD); no command uses it for anything else."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a disk says that takes no more."""
_LONGEST = 300
"""Characters of an exception's own words that are shown: some hold whole tables."""


def said(error: BaseException, *, verbose: bool) -> str:
    """Return the message about an exception, after its traceback where `verbose` asks for it; no line feed at the end.

    The message names the exception, the line of this package that was at work, and what to do next.
    """
    words = " ".join(str(error).split())
    words = words if len(words) <= _LONGEST else words[:_LONGEST] + " ..."
    what = type(error).__name__ + (f": {words}" if words else "")
    if _of_memory(error):
        cause = "Memory ran out: ask for fewer authorities, years or --workers"
    elif isinstance(error, OSError):
        cause = "The system refused a file or a folder: `synth doctor` looks at folders and disk"
    else:
        cause = "This is a mistake in synth or in a package it uses, not one of yours"
    if verbose:
        trace = "".join(traceback.format_exception(error)).rstrip()
        more = "The traceback stands above; before you pass it on, see that it quotes nothing of a real record"
        return f"{trace}\nsynth: unexpected {what}{_where(error)}.\n{cause}. {more}."
    more = "`synth --verbose` with the same command shows what was done and the whole traceback"
    return f"synth: unexpected {what}{_where(error)}.\n{cause}. {more}."


_SHORT = ("start new thread", "failed to map segment", "annot allocate memory")
"""What is said in other exceptions where memory is short: by threads, by the loader of libraries, by the system."""


def _of_memory(error: BaseException | None) -> bool:
    """Say whether an exception, or one that led to it, tells of too little memory."""
    return error is not None and (
        isinstance(error, MemoryError)
        or any(sign in str(error) for sign in _SHORT)
        or _of_memory(error.__cause__ or error.__context__)
    )


def of_a_path(error: BaseException) -> str:
    """Return the message about a path no system can hold or that cannot be read, or a full disk under what is printed.

    Nothing for other exceptions.
    """
    if not isinstance(error, OSError):
        return ""
    if error.errno in _FULL and not error.filename and _printing(error):
        return f"synth: what is printed cannot be written: {error.strerror}. Free some room there, or print elsewhere."
    if isinstance(error, FileNotFoundError) and not error.filename:
        return "synth: the folder this command was started in is gone. Change to one that is there."
    if not error.filename:
        return ""
    return f"synth: {legible(f'{error.filename}: {error.strerror or error}', LONGEST)}. Check the path."


def _printing(error: BaseException) -> bool:
    """Say whether an exception was raised while something was printed."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.name == "echo" and Path(frame.filename).parent.name == "click" for frame in frames)


def _where(error: BaseException) -> str:
    """Name the innermost line of this package in the traceback of an exception; nothing if none is in it."""
    package = Path(synth.__file__).parent
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if package in Path(frame.filename).parents]
    if not frames:
        return ""
    place = Path(frames[-1].filename).relative_to(package.parent).as_posix()
    return f" ({place}, line {frames[-1].lineno})"
