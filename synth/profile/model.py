"""The profile: everything the simulation knows about Wales in one readable file, checked as it is loaded.

Levels say how many children each authority has on each 31 March, figures are the national ones to compare
with, parameters say how children behave. A profile is treated as read-only once loaded.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from synth.errors import ProfileError
from synth.geography.authorities import all_authorities
from synth.profile.nested import Value, mismatch, mix
from synth.profile.ranges import out_of_range
from synth.profile.rescaled import Factors, rescaled
from synth.published import profiles_dir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "FITTED",
    "FORMAT_VERSION",
    "Figure",
    "Level",
    "Parameter",
    "Profile",
    "Target",
    "Value",
    "digest",
    "load_profile",
    "overlay",
]

FORMAT_VERSION = 1
FITTED = "fitted to "
"""Begins what the source of a parameter says about the figures its value was fitted to."""
Kind: TypeAlias = Literal["looked_after", "care_and_support"]
Basis: TypeAlias = Literal["published", "bridged", "assumed"]
Counts: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)]

_KINDS = ("looked_after", "care_and_support")
_SHOWN = 5
"""How many mistakes of one file a message lists."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Level(_Record):
    """Children of one authority (three-digit code) on 31 March of `year`; the interval is inclusive."""

    kind: Kind
    authority: str
    year: int
    value: int = Field(ge=0)
    low: float = Field(ge=0)
    high: float
    basis: Basis
    source: str


class Figure(_Record):
    """One published national figure and the interval its rounding leaves; a share is in percent."""

    name: str
    label: str
    year: int
    value: float
    low: float
    high: float
    unit: str
    source: str
    note: str = ""


class Parameter(_Record):
    """One number, list or table of numbers of the model, for all years or year by year, and its origin.

    Every number lies in the range its unit implies and, where given, between `low` and `high`, both inclusive.
    """

    value: Any = None
    by_year: dict[int, Any] | None = Field(default=None, strict=False)
    unit: str
    low: float | None = Field(default=None, strict=False)
    high: float | None = Field(default=None, strict=False)
    basis: Literal["published", "research", "assumed"]
    source: str
    note: str = ""
    uncertainty: str = ""

    @field_validator("by_year", mode="before")
    @classmethod
    def _years(cls, found: object) -> object:
        if not isinstance(found, dict):
            return found
        wrong = [year for year in found if not (isinstance(year, int) or str(year).isdecimal())]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is not a year such as 2023")
        return {int(year): value for year, value in sorted(found.items(), key=lambda item: int(item[0]))}

    @model_validator(mode="after")
    def _sound(self) -> Parameter:
        if (self.value is None) == (not self.by_year):
            raise ValueError("give exactly one of value and by_year")
        values = [self.value] if self.value is not None else list((self.by_year or {}).values())
        for value in values:
            if (wrong := out_of_range(value, self.unit, self.low, self.high)) is not None:
                raise ValueError(wrong)
            if (odd := mismatch(values[0], value)) is not None:
                raise ValueError(f"the years differ in shape{odd}")
        return self

    def at(self, year: int) -> Value:
        """Return the value of a year: on a straight line between the years given, flat outside them."""
        if self.by_year is None:
            return self.value  # type: ignore[no-any-return]
        years = sorted(self.by_year)
        before = max((y for y in years if y <= year), default=years[0])
        after = min((y for y in years if y >= year), default=years[-1])
        if before == after:
            return self.by_year[before]  # type: ignore[no-any-return]
        return mix(self.by_year[before], self.by_year[after], (year - before) / (after - before))


class Target(_Record):
    """Whole children of each authority by the cells of one table in one year: what exact mode reproduces.

    `counts` maps three-digit codes of authorities to one count a cell.
    """

    table: str
    year: int
    cells: tuple[str, ...] = Field(strict=False)
    counts: dict[str, Counts]

    @model_validator(mode="after")
    def _square(self) -> Target:
        for code, counts in self.counts.items():
            if len(counts) != len(self.cells):
                raise ValueError(f"authority {code}: {len(counts)} counts for {len(self.cells)} cells")
        return self


class Profile(_Record):
    """A whole profile; `years` are the first and last collection year it can generate, both inclusive."""

    format_version: Literal[1]
    name: str
    years: tuple[int, int] = Field(strict=False)
    warm_up_from: int
    inputs: dict[str, str]
    levels: tuple[Level, ...] = Field(strict=False)
    figures: tuple[Figure, ...] = Field(strict=False)
    targets: tuple[Target, ...] = Field(default=(), strict=False)
    held_out: tuple[str, ...] = Field(default=(), strict=False)
    """Published tables the fit did not look at."""
    parameters: dict[str, Parameter]

    @model_validator(mode="after")
    def _complete(self) -> Profile:
        codes = {a.code for a in all_authorities()}
        seen: set[tuple[str, str, int]] = set()
        for level in self.levels:
            key = (level.kind, level.authority, level.year)
            if level.authority not in codes:
                raise ValueError(f"levels: authority {level.authority!r} is not one of {min(codes)} to {max(codes)}")
            if key in seen:
                raise ValueError(f"levels: {level.kind}, authority {level.authority}, {level.year} stands there twice")
            if level.low > level.high:
                raise ValueError(f"levels: {level.kind}, authority {level.authority}, {level.year}: low is above high")
            seen.add(key)
        for kind in _KINDS:
            for code in sorted(codes):
                for year in range(self.warm_up_from, self.years[1] + 1):
                    if (kind, code, year) not in seen:
                        raise ValueError(f"levels: {kind}, authority {code}, {year} is missing")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002
        """Return a profile with some fields replaced, which remembers nothing of what was looked up in this one."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return self.model_construct(**kept | dict(update or {}))

    @cached_property
    def _index(self) -> dict[tuple[str, str], dict[int, int]]:
        index: dict[tuple[str, str], dict[int, int]] = {}
        for level in self.levels:
            index.setdefault((level.kind, level.authority), {})[level.year] = level.value
        return index

    @cached_property
    def _targets(self) -> dict[tuple[str, int], Target]:
        return {(target.table, target.year): target for target in self.targets}

    def target(self, table: str, code: str, year: int) -> tuple[int, ...] | None:
        """Return one authority's counts of a table in a year, in the order of its cells; None without a target."""
        found = self._targets.get((table, year))
        return None if found is None else found.counts.get(code)

    def cells_of(self, table: str, year: int) -> tuple[str, ...]:
        """Return the cells of a table of targets; none if the year has no such table."""
        found = self._targets.get((table, year))
        return () if found is None else found.cells

    @cached_property
    def _values(self) -> dict[tuple[str, int], Any]:
        return {}

    def level(self, kind: str, code: str, year: int) -> int:
        """Return the children of one authority on 31 March of `year`; ProfileError if there is no level."""
        of_years = self.levels_of(kind, code)
        if year not in of_years:
            raise ProfileError(
                f"Profile {self.name!r} has no {kind} level for authority {code} in {year}; it covers "
                f"{min(of_years)} to {max(of_years)}. Ask for a year inside, or add the level in an overlay.",
            )
        return of_years[year]

    def levels_of(self, kind: str, code: str) -> dict[int, int]:
        """Return all levels of one authority by year."""
        if (kind, code) not in self._index:
            raise ProfileError(
                f"Profile {self.name!r} has no levels of kind {kind!r} for authority {code!r}; kinds are "
                f"{', '.join(_KINDS)}, authorities have codes such as 552.",
            )
        return self._index[kind, code]

    def at(self, name: str, year: int) -> Any:  # noqa: ANN401  a parameter may be a number, list or table
        """Return a parameter's value in a year, interpolated and remembered; do not change the result."""
        key = (name, year)
        if key not in self._values:
            if name not in self.parameters:
                raise ProfileError(
                    f"Profile {self.name!r} has no parameter {name!r}{_nearest(name, self.parameters)}. "
                    "Take a profile built by this version of the package.",
                )
            self._values[key] = self.parameters[name].at(year)
        return self._values[key]

    def figures_of(self, year: int) -> tuple[Figure, ...]:
        """Return the published national figures of one collection year."""
        return tuple(figure for figure in self.figures if figure.year == year)


class _Overlay(_Record):
    """What an overlay file may hold; parameters are completed from those they replace."""

    format_version: Literal[1]
    overlay: Literal[True]
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
        return Profile.model_validate(found)
    except ValidationError as error:
        raise ProfileError(explained(path, error, Profile)) from None


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
                f"{_nearest(name, parameters)}. `synth profile show` lists them all.",
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


def digest(profile: Profile) -> str:
    """Return the SHA-256 of the profile's content in canonical JSON, as 64 hexadecimal digits."""
    text = json.dumps(profile.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


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
            f"{FORMAT_VERSION}. Make the profile again with `synth fit`.",
        )
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ProfileError tells a missing file from a damaged one."""
    try:
        found = json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise ProfileError(
            f"{path}: the file cannot be read ({error.strerror}). Check the name, or leave --profile out to "
            "use the built-in profile.",
        ) from None
    except json.JSONDecodeError as error:
        raise ProfileError(
            f"{path} line {error.lineno}, column {error.colno}: not JSON ({error.msg}). Restore the file or "
            "correct the line.",
        ) from None
    except (ValueError, RecursionError) as error:
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
            lines.append(f"{where}: unknown key{_nearest(key, _fields(model, item['loc'][:-1]))}.")
        elif item["type"] == "missing":
            lines.append(f"{where}: missing; expected a value.")
        elif item["type"] == "value_error":
            lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}.")
        else:
            lines.append(f"{where}: found {_short(item['input'])}; {item['msg'][:1].lower()}{item['msg'][1:]}.")
    more = error.error_count() - _SHOWN
    lines += [f"and {more} more."] if more > 0 else []
    return "\n".join([*lines, "Correct the file, or make it again with `synth fit`."])


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    nested: dict[str, type[BaseModel]] = {"parameters": Parameter, "levels": Level, "figures": Figure}
    found = nested.get(str(loc[0]), model) if loc else model
    return list(found.model_fields)


def _short(found: object) -> str:
    text = json.dumps(found, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  enough to recognise it by


def _nearest(name: str, known: object) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)  # type: ignore[call-overload]
    return f"; did you mean {near[0]!r}?" if near else ""
