"""Overlays: a file that replaces some parameters and levels of a profile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from synth.errors import ProfileError, nearest
from synth.profile.checked import checked
from synth.profile.documents import read_document
from synth.profile.model import Level, Parameter, Profile, Record, fields_of
from synth.profile.nested import mismatch
from synth.profile.rescaled import Factors, rescaled

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["overlay"]

_OF_ITS_OWN = {"value", "by_year", "basis", "source", "uncertainty"}
"""What a parameter does not take over from the one it replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlay(Record):
    """What an overlay file may hold; parameters are completed from those they replace.

    `statement` is what it says of itself, such as where it was learned; nothing is made with it.
    """

    format_version: Literal[1]
    overlay: Literal[True]
    statement: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    levels: tuple[dict[str, Any], ...] = ()


def overlay(profile: Profile, path: Path) -> Profile:
    """Return a profile with the parameters and levels of an overlay file in place of its own.

    A parameter keeps the range, and unless it gives its own the unit and note, of the one it replaces; without a basis
    it counts as assumed. Raises ProfileError for names the profile does not have and values of another shape.
    """
    found = checked(_Overlay, read_document(path), path)
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
    return replace(
        profile,
        name=f"{profile.name} + overlay",
        levels=tuple(cells.values()),
        targets=tuple(rescaled(profile.targets, factors)),
        parameters=parameters,
    )


def _replaced(path: Path, name: str, old: Parameter, fields: dict[str, Any]) -> Parameter:
    kept = {name: value for name, value in fields_of(old).items() if name not in _OF_ITS_OWN}
    given = {"basis": "assumed", "source": _source(path)} | fields
    if "value" not in given and "by_year" not in given:
        given |= {"value": old.value} if old.by_year is None else {"by_year": old.by_year}
    if bounds := given.keys() & {"low", "high"}:
        raise ProfileError(
            f"{path}, parameters.{name}: found {', '.join(sorted(bounds))}; the range of a parameter cannot be "
            "replaced. Leave it out, and give a value inside the range.",
        )
    new = checked(Parameter, kept | given, path, f"parameters.{name}")
    year = min(old.by_year or (0,))
    if (odd := mismatch(old.at(year), new.at(year))) is not None:
        raise ProfileError(
            f"{path}, parameters.{name}: the value has another shape than the one it replaces{odd}. Give the "
            "same keys and as many entries, 0 for what should not occur; `synth profile show --format json` "
            "prints the present value.",
        )
    return new


def _source(path: Path) -> str:
    """Name the file a value came from; bytes of its name that are no letters as they are escaped elsewhere."""
    return f"overlay {path.name.encode(errors='backslashreplace').decode()}"


def _level(path: Path, n: int, fields: dict[str, Any]) -> Level:
    value = fields.get("value", 0)
    defaults = {"low": value, "high": value, "basis": "assumed", "source": _source(path)}
    return checked(Level, defaults | fields, path, f"levels[{n}]")
