"""Reading profiles and overlays: what is wrong in a file is told by place, found and expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from synth.documents import check_letters, content_of, not_too_deep, whole_number
from synth.errors import ProfileError, nearest
from synth.log import doing
from synth.profile.model import FORMAT_VERSION, Figure, Level, Parameter, Profile, Record
from synth.profile.nested import mismatch
from synth.profile.rescaled import Factors, rescaled
from synth.published import profiles_dir

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["explained", "load_profile", "overlay", "read_json"]

_SHOWN = 5
"""How many mistakes of one file a message lists."""


class _Overlay(Record):
    """What an overlay file may hold; parameters are completed from those they replace.

    `statement` is what it says of itself, such as where it was learned; nothing is made with it.
    """

    format_version: Literal[1]
    overlay: Literal[True]
    statement: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    levels: tuple[dict[str, Any], ...] = Field(default=(), strict=False)


def load_profile(path: Path | None = None) -> Profile:
    """Read a profile, or an overlay on the built-in one; None gives the built-in profile.

    Raises ProfileError naming file and place in the JSON if it is missing, damaged, of another format
    version, or holds unknown keys, negative levels, or numbers that are not finite.
    """
    path = path or profiles_dir() / "wales.json"
    found = _read(path)
    if found.get("overlay") is True:
        return overlay(load_profile(None), path)
    try:
        profile = Profile.model_validate(found)
    except ValidationError as error:
        raise ProfileError(explained(path, error, Profile)) from None
    doing("profile %s read from %s", profile.name, path)
    return profile


def overlay(profile: Profile, path: Path) -> Profile:
    """Return a profile with the parameters and levels of an overlay file in place of its own.

    A parameter keeps the range, and unless it gives its own the unit and note, of the one it replaces; without a basis
    it counts as assumed. Raises ProfileError for names the profile does not have and values of another shape.
    """
    try:
        found = _Overlay.model_validate(_read(path))
    except ValidationError as error:
        raise ProfileError(explained(path, error, _Overlay)) from None
    parameters = dict(profile.parameters)
    for name, fields in found.parameters.items():
        if name not in parameters:
            raise ProfileError(
                f"{path}, parameters: {name!r} is not a parameter of profile {profile.name!r}"
                f"{nearest(name, parameters)} `synth profile show` lists them all.",
            )
        parameters[name] = _replaced(path, name, parameters[name], fields)
    cells = {(cell.kind, cell.authority, cell.year): cell for cell in profile.levels}
    factors: Factors = {}
    for n, fields in enumerate(found.levels):
        cell = _level(path, n, fields)
        key = (cell.kind, cell.authority, cell.year)
        if key not in cells:
            raise ProfileError(
                f"{path}, levels[{n}]: profile {profile.name!r} has no {cell.kind} level for authority "
                f"{cell.authority} in {cell.year}; years are {profile.warm_up_from} to {profile.years[1]}, "
                "authorities have codes such as 552. Correct the entry.",
            )
        factors[key] = cell.value / max(cells[key].value, 1)
        cells[key] = cell
    changed = {
        "name": f"{profile.name} + overlay",
        "levels": tuple(cells.values()),
        "targets": tuple(rescaled(profile.targets, factors)),
        "parameters": parameters,
    }
    kept = {name: getattr(profile, name) for name in Profile.model_fields}
    return Profile.model_construct(**kept | changed)


def _replaced(path: Path, name: str, old: Parameter, fields: dict[str, Any]) -> Parameter:
    kept = old.model_dump(exclude={"value", "by_year", "basis", "source", "uncertainty"})
    given = {"basis": "assumed", "source": f"overlay {path.name}"} | fields
    if "value" not in given and "by_year" not in given:
        given |= {"value": old.value} if old.by_year is None else {"by_year": old.by_year}
    if bounds := given.keys() & {"low", "high"}:
        raise ProfileError(
            f"{path}, parameters.{name}: found {', '.join(sorted(bounds))}; the range of a parameter cannot be "
            "replaced. Leave it out, and give a value inside the range.",
        )
    try:
        new = Parameter.model_validate(kept | given)
    except ValidationError as error:
        raise ProfileError(explained(path, error, Parameter, f"parameters.{name}")) from None
    year = min(old.by_year or (0,))
    if (odd := mismatch(old.at(year), new.at(year))) is not None:
        raise ProfileError(
            f"{path}, parameters.{name}: the value has another shape than the one it replaces{odd}. Give the "
            "same keys and as many entries, 0 for what should not occur; `synth profile show --format json` "
            "prints the present value.",
        )
    return new


def _level(path: Path, n: int, fields: dict[str, Any]) -> Level:
    value = fields.get("value", 0)
    defaults = {"low": value, "high": value, "basis": "assumed", "source": f"overlay {path.name}"}
    try:
        return Level.model_validate(defaults | fields)
    except ValidationError as error:
        raise ProfileError(explained(path, error, Level, f"levels[{n}]")) from None


def _read(path: Path) -> dict[str, Any]:
    found = read_json(path)
    version = found.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise ProfileError(
            f"{path}, format_version: found {_short(version)}; this version of the package reads "
            f"{FORMAT_VERSION}. "
            + (
                f'Add "format_version": {FORMAT_VERSION} to it.'
                if version is None
                else "Make the profile again with `synth fit`."
            ),
        )
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ProfileError tells a missing file from a damaged one."""
    try:
        text = content_of(path).decode()
        found = not_too_deep(json.loads(text, object_pairs_hook=_once, parse_int=whole_number))
        check_letters(text, found)
    except OSError as error:
        raise ProfileError(
            f"{path}: the file cannot be read ({error.strerror}). Check the name; without one the built-in is used.",
        ) from None
    except json.JSONDecodeError as error:
        raise ProfileError(
            f"{path} line {error.lineno}, column {error.colno}: not JSON ({error.msg}). Restore the file or "
            "correct the line.",
        ) from None
    except UnicodeDecodeError as error:
        raise ProfileError(
            f"{path}: byte {error.object[error.start]:#04x} at position {error.start:,} is no UTF-8; expected a JSON "
            "file, as `synth profile show --format json` prints one.",
        ) from None
    except RecursionError:
        raise ProfileError(
            f"{path}: its lists or objects are nested too deep. Restore the file or correct it."
        ) from None
    except ValueError as error:
        raise ProfileError(f"{path}: {error}. Restore the file or correct it.") from None
    if not isinstance(found, dict):
        raise ProfileError(f"{path}: found {_short(found)}; expected a JSON object. Restore the file.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object; expected once")
    return found


def explained(path: Path, error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    """Turn the checker's findings into lines: file, place, what was found, what was expected."""
    lines: list[str] = []
    for item in error.errors(include_url=False, include_context=False)[:_SHOWN]:
        place = prefix
        for part in item["loc"]:
            place += f"[{part}]" if isinstance(part, int) else f"{'.' if place else ''}{part}"
        where = f"{path}, {place}" if place else f"{path}"
        if item["type"] == "extra_forbidden":
            key = str(item["loc"][-1])
            lines.append(f"{where}: unknown key{nearest(key, _fields(model, item['loc'][:-1]))}")
        elif item["type"] == "missing":
            lines.append(f"{where}: missing; expected a value.")
        elif item["type"] == "value_error":
            lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}.")
        else:
            lines.append(f"{where}: found {_short(item['input'])}; {item['msg'][:1].lower()}{item['msg'][1:]}.")
    more = error.error_count() - _SHOWN
    lines += [f"and {more} more."] if more > 0 else []
    return "\n".join([*lines, "Correct the file."])


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    nested: dict[str, type[BaseModel]] = {"parameters": Parameter, "levels": Level, "figures": Figure}
    found = nested.get(str(loc[0]), model) if loc else model
    return list(found.model_fields)


def _short(found: object) -> str:
    text = json.dumps(found, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  enough to recognise it by
