"""Levers: which parameter is moved to bring which published figure about, read from moments.csv."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.errors import ProfileError
from synth.published import read_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from synth.profile import Parameter

__all__ = ["STEPS", "Drive", "Lever", "Moments", "moved", "read_moments"]

STEPS = ("log-weight", "log", "probit", "shift")
"""How a lever moves numbers by an offset d: weights times exp(d), the sum of each row kept; numbers times exp(d);
shares p to the normal probability of their quantile plus d; shifts of a latent normal to themselves plus d."""

_COLUMNS = ("figure", "years", "parameter", "knot", "step", "reach", "width", "note")
_DIGITS = 6
"""Significant digits of a fitted number."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One movable offset: the numbers at `path` of a parameter, in the year `knot` or (None) in all years.

    `path` has a part a level of nesting: names joined by "|", or "*" for all. `width` is how far from 0 the offset is
    expected to lie (a standard deviation).
    """

    parameter: str
    path: tuple[str, ...]
    knot: int | None
    step: str
    width: float
    place: str

    @property
    def name(self) -> str:
        """The lever as moments.csv writes it."""
        text = "/".join((self.parameter, *self.path))
        return text if self.knot is None else f"{text} {self.knot}"


@dataclass(frozen=True, slots=True)
class Drive:
    """Lever number `lever` drives a figure of the years given (empty: every year it is published for).

    `reach` says how much of the figure moves with the lever, negative where it falls as the lever rises.
    """

    figure: str
    years: tuple[int, ...]
    lever: int
    reach: float
    place: str


@dataclass(frozen=True, slots=True)
class Moments:
    """All levers, and which figures each one drives."""

    levers: tuple[Lever, ...]
    drives: tuple[Drive, ...]


def read_moments(path: Path, parameters: Mapping[str, Parameter], figures: Sequence[str]) -> Moments:
    """Read moments.csv; `figures` are the names that can be counted.

    Raises ProfileError naming the line for unknown figures, parameters, places in a parameter or steps, and for a
    lever that is described in two ways.
    """
    levers: dict[tuple[str, str], int] = {}
    found: list[Lever] = []
    drives: list[Drive] = []
    for line, cells in read_csv(path, _COLUMNS):
        place = f"{path} line {line}"
        if cells["figure"] not in figures:
            raise ProfileError(f"{place}, column figure: {cells['figure']!r} is not a figure that can be counted.")
        lever = _lever(place, cells, parameters)
        key = (cells["parameter"], cells["knot"])
        if key not in levers:
            levers[key] = len(found)
            found.append(lever)
        known = found[levers[key]]
        if (known.step, known.width) != (lever.step, lever.width):
            raise ProfileError(
                f"{place}: {lever.name} has step {lever.step!r} and width {lever.width:g}, but {known.step!r} and "
                f"{known.width:g} at {known.place}. Write the same for one lever.",
            )
        years = tuple(int(_real(place, "years", text)) for text in cells["years"].split())
        reach = _real(place, "reach", cells["reach"])
        if reach == 0:
            raise ProfileError(f"{place}, column reach: 0; expected a share of the figure that moves, or a negative.")
        drives.append(Drive(cells["figure"], years, levers[key], reach, place))
    return Moments(tuple(found), tuple(drives))


def moved(parameters: Mapping[str, Parameter], levers: Sequence[Lever], offsets: Sequence[float]) -> dict[str, Any]:
    """Return `value` or `by_year` of every parameter that some lever touches, after moving.

    A parameter with levers of single years gets a value of each of those years, read off the line between its
    neighbours before anything moves. Numbers are rounded to six significant digits. An offset of 0 changes nothing.
    """
    active = [(lever, offset) for lever, offset in zip(levers, offsets, strict=True) if offset != 0]
    touched: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(lever.parameter for lever, _ in active):
        old = parameters[name]
        own = [(lever, offset) for lever, offset in active if lever.parameter == name]
        knots = sorted({lever.knot for lever in levers if lever.parameter == name and lever.knot is not None})
        if old.by_year is None and not knots:
            values: dict[int | None, Any] = {None: copy.deepcopy(old.value)}
        else:
            years = sorted({*(old.by_year or {}), *knots})
            values = {year: copy.deepcopy(old.at(year)) for year in years}
        for lever, offset in own:
            for year, value in values.items():
                if lever.knot is None or lever.knot == year:
                    values[year] = _shifted(value, lever, offset)
        rounded = {year: _rounded(value) for year, value in values.items()}
        touched[name] = {"value": rounded[None]} if None in rounded else {"by_year": rounded}
    return touched


def _lever(place: str, cells: Mapping[str, str], parameters: Mapping[str, Parameter]) -> Lever:
    name, *path = cells["parameter"].split("/")
    if name not in parameters:
        raise ProfileError(f"{place}, column parameter: the profile has no parameter {name!r}.")
    if cells["step"] not in STEPS:
        raise ProfileError(f"{place}, column step: {cells['step']!r}; expected one of {', '.join(STEPS)}.")
    knot = int(_real(place, "knot", cells["knot"])) if cells["knot"] else None
    width = _real(place, "width", cells["width"])
    if width <= 0:
        raise ProfileError(f"{place}, column width: {width:g}; expected a number above 0.")
    lever = Lever(name, tuple(path), knot, cells["step"], width, place)
    old = parameters[name]
    value = old.at(min(old.by_year or (0,)))
    if not list(_places(value, lever.path)):
        raise ProfileError(f"{place}, column parameter: {cells['parameter']!r} fits no number of {name}.")
    return lever


def _real(place: str, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ProfileError(f"{place}, column {column}: {text!r} is not a number.")
    return value


def _places(value: Any, path: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  nested to any depth
    """Yield (container, key) of every number the path names; a single number stands under key 0 of a list."""
    if not path:
        if isinstance(value, dict | list):
            return
        yield [value], 0
        return
    if not isinstance(value, dict | list):
        return
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    chosen = path[0].split("|")
    for key in keys:
        if path[0] != "*" and str(key) not in chosen:
            continue
        if len(path) > 1:
            yield from _places(value[key], path[1:])
        elif not isinstance(value[key], dict | list):
            yield value, key


def _shifted(value: Any, lever: Lever, offset: float) -> Any:  # noqa: ANN401
    """Return a nested value (changed in place where it is a table) with the lever's numbers moved."""
    if not isinstance(value, dict | list):
        return _moved_number(value, lever.step, offset)
    rows: dict[int, tuple[Any, list[Any]]] = {}
    for row, key in _places(value, lever.path):
        rows.setdefault(id(row), (row, []))[1].append(key)
    for row, keys in rows.values():
        before = sum(row.values() if isinstance(row, dict) else row)
        for key in keys:
            row[key] = _moved_number(row[key], lever.step, offset)
        if lever.step == "log-weight":
            after = sum(row.values() if isinstance(row, dict) else row)
            for key in list(row) if isinstance(row, dict) else range(len(row)):
                row[key] *= before / after if after else 1.0
    return value


def _moved_number(number: float, step: str, offset: float) -> float:
    if step == "probit":
        from scipy.special import ndtr, ndtri  # noqa: PLC0415  only when fitting

        # What cannot or must happen stays so.
        return float(ndtr(ndtri(number) + offset)) if 0 < number < 1 else number
    return number + offset if step == "shift" else number * math.exp(offset)


def _rounded(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
