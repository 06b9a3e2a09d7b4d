"""Files that others may have written or damaged: opened where they are files, and JSON read as it stands or refused."""

from __future__ import annotations

import errno
import json
import math
import re
import stat
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

__all__ = ["check_letters", "content_of", "json_of", "not_too_deep", "opened", "reason", "whole_number"]

_DIGITS = 4000
"""Longer numbers Python does not read, nor does anyone write them."""
_HALVES = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""An escape, or a letter of a text that was decoded elsewhere, that may be one."""
_DEEPEST = 100
"""Lists and objects inside one another: none of ours has ten. Python follows some thousands, each version its own."""
_NESTS = (dict, list)
_LARGEST = 50_000_000
"""Bytes of a manifest, profile or table of parameters: that of 8,192 worlds of eight years has a fifth of them."""


def opened(path: Path) -> BufferedReader:
    """Open a file to be read as bytes; OSError where there is none, also for a pipe or device, which may never end."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "is a pipe, socket or device, no file", str(path))
    return path.open("rb")


def content_of(path: Path) -> bytes:
    """Return all of a file that is to be held in memory; OSError as `opened`, and for one of more than 50 MB."""
    with opened(path) as stream:
        # Read to one byte more than is allowed: a file may grow, or have another size than it says.
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"has more than {_LARGEST / 1e6:,.0f} MB", str(path))
    return content


def reason(problem: Exception) -> str:
    """Return why a file could not be read, as a message puts it in brackets."""
    return str(getattr(problem, "strerror", None) or problem)


def json_of(content: bytes | str) -> Any:  # noqa: ANN401  JSON is whatever it is
    """Return what a JSON document says; ValueError for all that is wrong with it.

    No JSON, no UTF, halves of letters (UTF-16 surrogates), nested deeper than can be followed, a number of thousands of
    digits, or one that is not finite: NaN and Infinity, which JSON does not have, and 1e999, which becomes one.
    """
    # Left to itself, the library lets halves of letters pass, which no file can hold.
    text = content.decode(json.detect_encoding(content)) if isinstance(content, bytes) else content
    try:
        found = not_too_deep(json.loads(text, parse_int=whole_number, parse_float=_finite, parse_constant=_refuse))
        check_letters(text, found)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return found


def check_letters(text: str, found: object) -> None:
    """Refuse, as ValueError, halves of letters in what a JSON text was found to say: no file could hold it again."""
    try:
        if _HALVES.search(text):
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as problem:
        half = f"\\u{ord(problem.object[problem.start]):x}"
        raise ValueError(f"{half} is half of a letter and stands alone") from None


def not_too_deep(found: Any) -> Any:  # noqa: ANN401  JSON is whatever it is
    """Return what a JSON document says; RecursionError where more than 100 lists or objects are inside one another."""
    level = [found] if isinstance(found, _NESTS) else []
    for _ in range(_DEEPEST):
        level = [
            part
            for one in level
            for part in (one.values() if isinstance(one, dict) else one)
            if isinstance(part, _NESTS)
        ]
        if not level:
            return found
    raise RecursionError


def whole_number(text: str) -> int:
    """Return a whole number of a JSON document; ValueError where it has thousands of digits."""
    if len(text) > _DIGITS:
        raise ValueError(f"the number {text[:20]}... has {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is not a finite number")
