"""Arguments as Python gives them, turned into what the command line would have read; messages name them likewise."""

from __future__ import annotations

import contextlib
import operator
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from synth.documents import reason
from synth.errors import InputError
from synth.geography.authorities import parse_authorities
from synth.lives.homes import MOST_WORLDS
from synth.profile import Profile, load_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import SupportsIndex

    from synth.geography.authorities import Authority

__all__ = [
    "Authorities",
    "authorities_of",
    "in_python",
    "names_of",
    "one_of",
    "path_of",
    "paths_of",
    "profile_of",
    "whole_number",
    "world_of",
]

Authorities: TypeAlias = "int | str | Iterable[int | str]"
"""What may name authorities: how many, a comma list of names or codes, or an iterable of these."""

_LONGEST = 80
"""Letters of an argument that a message shows."""
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


@contextlib.contextmanager
def in_python() -> Iterator[None]:
    """Call options by their names in Python where a message within the block names them as the command line does."""
    try:
        yield
    except InputError as problem:
        said = _OPTION.sub(lambda option: option[1].replace("-", "_"), str(problem))
        raise InputError(said) from problem


def authorities_of(given: Authorities) -> tuple[Authority, ...]:
    """Return the authorities meant: `parse_authorities` of a number, a text, or the entries of an iterable."""
    if isinstance(given, (int, str)):
        return parse_authorities(str(given))
    try:
        entries = [str(entry) for entry in given]
    except TypeError:
        raise InputError(
            f"authorities {_shown(given)}: expected a number from 1 to 22, a name or code, or a list of these."
        ) from None
    return parse_authorities(",".join(entries))


def profile_of(given: Profile | Path | str | None) -> Profile:
    """Return a profile as it is, read from a file, or the built-in one; ProfileError as `load_profile` raises it."""
    if isinstance(given, Profile):
        return given
    return load_profile(None if given is None else path_of("profile", given))


def whole_number(name: str, given: SupportsIndex, least: int = 0) -> int:
    """Return a whole number, also one of numpy's; InputError naming the argument for anything else or too small."""
    try:
        number = operator.index(given)
    except TypeError:
        raise InputError(f"{name} {_shown(given)}: expected a whole number, without quotes.") from None
    if number < least:
        raise InputError(f"{name} {number}: expected a whole number from {least}.")
    return number


def world_of(given: SupportsIndex) -> int:
    """Return the number of a world, counted from 0, from that counted from 1; InputError where there is no such."""
    number = whole_number("world", given, 1)
    if number > MOST_WORLDS:
        raise InputError(f"world {number}: there are the worlds 1 to {MOST_WORLDS:,}; choose one.")
    return number - 1


def one_of(name: str, given: str, known: Iterable[str]) -> str:
    """Return a word that must be one of some; InputError naming the argument and the words for any other."""
    words = tuple(known)
    if not isinstance(given, str) or given not in words:
        raise InputError(f"{name} {_shown(given)}: expected {' or '.join(repr(word) for word in words)}.")
    return given


def names_of(name: str, given: Iterable[str] | str) -> tuple[str, ...]:
    """Return names given one by one, or one, or several by commas; InputError naming the argument for what is none."""
    try:
        listed = given.split(",") if isinstance(given, str) else list(given)
        return tuple(part.strip() for part in listed if part.strip())
    except (TypeError, AttributeError):
        raise InputError(f"{name} {_shown(given)}: expected a name, or several in a list.") from None


def path_of(name: str, given: Path | str) -> Path:
    """Return a path, of something that is there or not; InputError naming the argument for what can be none."""
    if not isinstance(given, (str, Path)):
        raise InputError(f"{name} {_shown(given)}: expected a path, as text or pathlib.Path.")
    try:
        Path(given).lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        # Whether it is there and may be read is for those to say who use it.
        return Path(given)
    except (OSError, ValueError) as problem:
        raise InputError(f"{name} {_shown(str(given))}: can be no path ({reason(problem)}); give another.") from None
    return Path(given)


def _shown(given: object) -> str:
    """Return how an argument is shown in a message: the beginning of what it is, in one line."""
    words = " ".join(repr(given).split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


def paths_of(given: Path | str | Iterable[Path | str]) -> list[Path]:
    """Return one path, or each of several; InputError for what is neither."""
    one = isinstance(given, (str, Path, bytes)) or not isinstance(given, Iterable)
    listed: list[object] = [given] if one else list(given)  # type: ignore[arg-type]
    for path in listed:
        if not isinstance(path, (str, Path)):
            raise InputError(
                f"a {type(path).__name__} is no path: expected the path of a folder or file, or several in a list; a"
                " year in memory is checked with its own validate()."
            )
    return [path_of("path", path) for path in listed if isinstance(path, (str, Path))]
