"""Documents held to the model: unknown keys, other types, numbers out of bounds, and levels that are missing."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from synth.errors import ProfileError, nearest
from synth.geography.authorities import all_authorities
from synth.profile.documents import short
from synth.profile.model import KINDS, Figure, Level, Parameter, Profile, Record, fields_of

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import TypeAdapter, ValidationError

__all__ = ["checked", "checked_profile"]

_Kind = TypeVar("_Kind", bound=Record)

_ADAPTERS: dict[type[Record], TypeAdapter[Any]] = {}
"""What holds objects to each kind of record, made when first asked for."""
_SHOWN = 5
"""How many mistakes of one file a message lists."""


def checked_profile(found: dict[str, Any], path: Path) -> Profile:
    """Return the profile that a document read from `path` describes; ProfileError lists what is wrong with it."""
    profile = checked(Profile, found, path)
    if (wrong := _incomplete(profile)) is not None:
        raise ProfileError(f"{path}: levels: {wrong}.\nCorrect the file.")
    return profile


def checked(kind: type[_Kind], found: dict[str, Any], path: Path, place: str = "") -> _Kind:
    """Return the record that an object at a place of the file `path` describes; ProfileError lists what is wrong."""
    # A library that takes longer to load than a profile to read: only what others have written is held to it.
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        # As JSON: its lists are tuples here, its keys text.
        return _held_to(kind).validate_json(json.dumps(found, default=fields_of))
    except ValidationError as error:
        raise ProfileError(_explained(path, error, kind, place)) from None


def _held_to(kind: type[_Kind]) -> TypeAdapter[_Kind]:
    from pydantic import TypeAdapter  # noqa: PLC0415  see `checked`

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _incomplete(profile: Profile) -> str | None:
    """Return what is wrong with the levels of a profile taken together."""
    codes = {a.code for a in all_authorities()}
    seen: set[tuple[str, str, int]] = set()
    for level in profile.levels:
        key = (level.kind, level.authority, level.year)
        if level.authority not in codes:
            return f"authority {level.authority!r} is not one of {min(codes)} to {max(codes)}"
        if key in seen:
            return f"{level.kind}, authority {level.authority}, {level.year} stands there twice"
        if level.low > level.high:
            return f"{level.kind}, authority {level.authority}, {level.year}: low is above high"
        seen.add(key)
    for kind in KINDS:
        for code in sorted(codes):
            for year in range(profile.warm_up_from, profile.years[1] + 1):
                if (kind, code, year) not in seen:
                    return f"{kind}, authority {code}, {year} is missing"
    return None


def _explained(path: Path, error: ValidationError, kind: type[Record], prefix: str) -> str:
    """Turn the checker's findings into lines: file, place, what was found, what was expected."""
    lines: list[str] = []
    for item in error.errors(include_url=False, include_context=False)[:_SHOWN]:
        place, wrong_key = prefix, item["loc"][-1:] == ("[key]",)
        for part in item["loc"][: -1 if wrong_key else None]:
            place += f"[{part}]" if isinstance(part, int) else f"{'.' if place else ''}{part}"
        where = f"{path}, {place}" if place else f"{path}"
        if item["type"] == "unexpected_keyword_argument":
            key = str(item["loc"][-1])
            lines.append(f"{where}: unknown key{nearest(key, _fields(kind, item['loc'][:-1]))}")
        elif wrong_key:
            lines.append(f"{where}: {short(item['input'])} is not a year such as 2023.")
        elif item["type"] == "missing":
            lines.append(f"{where}: missing; expected a value.")
        elif item["type"] == "value_error":
            lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}.")
        else:
            lines.append(f"{where}: found {short(item['input'])}; {item['msg'][:1].lower()}{item['msg'][1:]}.")
    more = error.error_count() - _SHOWN
    lines += [f"and {more} more."] if more > 0 else []
    return "\n".join([*lines, "Correct the file."])


def _fields(kind: type[Record], loc: tuple[int | str, ...]) -> list[str]:
    nested: dict[str, type[Record]] = {"parameters": Parameter, "levels": Level, "figures": Figure}
    found = nested.get(str(loc[0]), kind) if loc else kind
    return [field.name for field in fields(found)]
