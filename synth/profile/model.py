"""The profile: everything the simulation knows about Wales in one readable file, checked as it is loaded.

Levels say how many children each authority has on each 31 March, figures are the national ones to compare
with, parameters say how children behave. A profile is treated as read-only once loaded. These are plain records, which
load fast: what a file of somebody else's says is held to their types and bounds where it is read (checked).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from synth.errors import ProfileError, nearest
from synth.profile.nested import Value, mismatch, mix
from synth.profile.ranges import out_of_range

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FITTED",
    "FORMAT_VERSION",
    "KINDS",
    "LEARNED",
    "Figure",
    "Level",
    "Parameter",
    "Profile",
    "Record",
    "Target",
    "Value",
    "digest",
    "fields_of",
]

FORMAT_VERSION = 1
FITTED = "fitted to "
"""Begins what the source of a parameter says about the figures its value was fitted to."""
LEARNED = "learned from "
"""Begins the source of a parameter that was learned from records somebody holds, as `synth learn` does."""
Kind: TypeAlias = Literal["looked_after", "care_and_support"]
Basis: TypeAlias = Literal["published", "bridged", "assumed"]


class _Between:
    """Bounds of a number, both inclusive, in the words of the library that holds documents to them once it asks."""

    __is_annotated_types_grouped_metadata__ = True

    def __init__(self, low: float, high: float | None = None) -> None:
        self._low, self._high = low, high

    def __iter__(self) -> Iterator[object]:
        from annotated_types import Ge, Le  # noqa: PLC0415

        yield Ge(self._low)
        if self._high is not None:
            yield Le(self._high)


Count: TypeAlias = Annotated[int, _Between(0)]
Year: TypeAlias = Annotated[int, _Between(1000, 9999)]

KINDS: tuple[Kind, ...] = ("looked_after", "care_and_support")
_MOST = 1_000_000
"""Children of one authority a simulation can be asked for: beyond it no memory would hold them."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is read from a file as it stands: unknown keys, other types and numbers that are not finite are refused."""

    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012  pydantic's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Level(Record):
    """Children of one authority (three-digit code) on 31 March of `year`; the interval is inclusive."""

    kind: Kind
    authority: str
    year: int
    value: Annotated[int, _Between(0, _MOST)]
    low: Annotated[float, _Between(0)]
    high: float
    basis: Basis
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Record):
    """One number, list or table of numbers of the model, for all years or year by year, and its origin.

    Every number lies in the range its unit implies and, where given, between `low` and `high`, both inclusive.
    """

    value: Any = None
    by_year: dict[Year, Any] | None = None
    unit: str
    low: float | None = None
    high: float | None = None
    basis: Literal["published", "research", "assumed"]
    source: str
    note: str = ""
    uncertainty: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) == (not self.by_year):
            raise ValueError("give exactly one of value and by_year")
        if self.by_year is not None:
            # The keys of a JSON object are text, in any order.
            rising = {int(year): value for year, value in sorted(self.by_year.items(), key=lambda item: int(item[0]))}
            object.__setattr__(self, "by_year", rising)
        values = [self.value] if self.value is not None else list((self.by_year or {}).values())
        for value in values:
            if (wrong := out_of_range(value, self.unit, self.low, self.high)) is not None:
                raise ValueError(wrong)
            if (odd := mismatch(values[0], value)) is not None:
                raise ValueError(f"the years differ in shape{odd}")

    def with_values(self, value: Any = None, by_year: dict[int, Any] | None = None) -> Parameter:  # noqa: ANN401
        """Return the same parameter with other numbers; ValueError for numbers it cannot have."""
        return replace(self, value=value, by_year=by_year)

    def at(self, year: int) -> Value:
        """Return the value of a year: on a straight line between the years given, flat outside them."""
        if self.by_year is None:
            return self.value  # type: ignore[no-any-return]
        years = list(self.by_year)
        before = max((y for y in years if y <= year), default=years[0])
        after = min((y for y in years if y >= year), default=years[-1])
        if before == after:
            return self.by_year[before]  # type: ignore[no-any-return]
        return mix(self.by_year[before], self.by_year[after], (year - before) / (after - before))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Record):
    """Whole children of each authority by the cells of one table in one year: what exact mode reproduces.

    `counts` maps three-digit codes of authorities to one count a cell.
    """

    table: str
    year: int
    cells: tuple[str, ...]
    counts: dict[str, tuple[Count, ...]]

    def __post_init__(self) -> None:
        for code, counts in self.counts.items():
            if len(counts) != len(self.cells):
                raise ValueError(f"authority {code}: {len(counts)} counts for {len(self.cells)} cells")


@dataclass(frozen=True, kw_only=True)
class Profile(Record):
    """A whole profile; `years` are the first and last collection year it can generate, both inclusive."""

    format_version: Literal[1]
    name: str
    years: tuple[int, int]
    warm_up_from: int
    inputs: dict[str, str]
    levels: tuple[Level, ...]
    figures: tuple[Figure, ...]
    targets: tuple[Target, ...] = ()
    held_out: tuple[str, ...] = ()
    """Published tables the fit did not look at."""
    parameters: dict[str, Parameter]

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
                f"{', '.join(KINDS)}, authorities have codes such as 552.",
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


def fields_of(record: Record) -> dict[str, Any]:
    """Return the fields of a record by name, in their order, each as it stands."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def digest(profile: Profile) -> str:
    """Return the SHA-256 of the profile's content in canonical JSON, as 64 hexadecimal digits."""
    text = json.dumps(profile, default=fields_of, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
