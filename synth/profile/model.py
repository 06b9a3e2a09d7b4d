"""The profile: everything the simulation knows about Wales in one readable file, checked as it is loaded.

Levels say how many children each authority has on each 31 March, figures are the national ones to compare
with, parameters say how children behave. A profile is treated as read-only once loaded.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from synth.errors import ProfileError, nearest
from synth.geography.authorities import all_authorities
from synth.profile.nested import Value, mismatch, mix
from synth.profile.ranges import out_of_range

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FITTED",
    "FORMAT_VERSION",
    "LEARNED",
    "Figure",
    "Level",
    "Parameter",
    "Profile",
    "Record",
    "Target",
    "Value",
    "digest",
]

FORMAT_VERSION = 1
FITTED = "fitted to "
"""Begins what the source of a parameter says about the figures its value was fitted to."""
LEARNED = "learned from "
"""Begins the source of a parameter that was learned from records somebody holds, as `synth learn` does."""
Kind: TypeAlias = Literal["looked_after", "care_and_support"]
Basis: TypeAlias = Literal["published", "bridged", "assumed"]
Counts: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)]

_MOST = 1_000_000
"""Children of one authority a simulation can be asked for: beyond it no memory would hold them."""
_KINDS = ("looked_after", "care_and_support")


class Record(BaseModel):
    """What is read from a file as it stands: unknown keys, other types and numbers that are not finite refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Level(Record):
    """Children of one authority (three-digit code) on 31 March of `year`; the interval is inclusive."""

    kind: Kind
    authority: str
    year: int
    value: int = Field(ge=0, le=_MOST)
    low: float = Field(ge=0)
    high: float
    basis: Basis
    source: str


class Figure(Record):
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


class Parameter(Record):
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


class Target(Record):
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


class Profile(Record):
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

    @property
    def learned(self) -> bool:
        """Whether any parameter was learned from records: what is made with it then rests on more than publications."""
        return any(item.source.startswith(LEARNED) for item in self.parameters.values())

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
                    f"Profile {self.name!r} has no parameter {name!r}{nearest(name, self.parameters)} "
                    "Take a profile built by this version of the package.",
                )
            self._values[key] = self.parameters[name].at(year)
        return self._values[key]

    def figures_of(self, year: int) -> tuple[Figure, ...]:
        """Return the published national figures of one collection year."""
        return tuple(figure for figure in self.figures if figure.year == year)


def digest(profile: Profile) -> str:
    """Return the SHA-256 of the profile's content in canonical JSON, as 64 hexadecimal digits."""
    text = json.dumps(profile.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
