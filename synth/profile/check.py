"""Whether a profile explains itself: every number has a basis, and levels, figures and targets agree."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.geography.authorities import all_authorities
from synth.profile.model import FITTED
from synth.profile.ranges import out_of_range
from synth.published import load_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from synth.profile.model import Parameter, Profile, Target

__all__ = ["Finding", "basis_counts", "check_profile", "counts_text"]

_PARTS_OF = {"stock": "looked_after", "legal": "looked_after", "placement": "looked_after"}
"""Tables of targets whose cells divide all children of a level."""
_SOME_OF = {"three_or_more": "looked_after"}
"""Tables of targets that count some of the children of a level."""
_WEIGHTED = ("share", "weight")
_ID = re.compile(r"[A-Za-z]\w*")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a profile: where, what was found, what was expected."""

    where: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; expected {self.expected}."


def check_profile(profile: Profile, published: Path | None = None) -> list[Finding]:
    """Return everything a profile leaves unexplained or that contradicts itself, in the order of its file.

    `published` is the folder whose tables and sources count as known (None: the one that came with the package).
    """
    tables = load_tables(published)
    known = set(tables.sources) | {row.table for row in tables.rows}
    found = [*_levels(profile), *_targets(profile)]
    for name, item in profile.parameters.items():
        found += _origin(f"parameters.{name}", item, known)
        found += _numbers(f"parameters.{name}", item, profile)
    return found


def basis_counts(profile: Profile) -> dict[str, int]:
    """Return how many parameters are published, research and assumed, and how many of them all were fitted."""
    counts = Counter(item.basis for item in profile.parameters.values())
    fitted = sum(FITTED in item.source for item in profile.parameters.values())
    return {basis: counts[basis] for basis in ("published", "research", "assumed")} | {"fitted": fitted}


def counts_text(profile: Profile) -> str:
    """Return the counts by basis in one line."""
    counts = basis_counts(profile)
    parts = ", ".join(f"{counts[basis]} {basis}" for basis in ("published", "research", "assumed"))
    return f"{len(profile.parameters)} parameters: {parts}; {counts['fitted']} of them fitted to published figures"


def _origin(where: str, item: Parameter, known: set[str]) -> Iterator[Finding]:
    source = item.source.partition(FITTED)[0].strip("; ")
    if item.basis == "published" and not known & set(_ID.findall(source)):
        yield Finding(where, f"basis published, source {source!r}", "an id of sources.csv or of a table in it")
    if item.basis == "research" and not source:
        yield Finding(where, "basis research without a source", "the name of the study or law")
    if item.basis == "assumed" and not item.note.strip():
        yield Finding(where, "basis assumed without a note", "why it was assumed so")
    if item.basis == "assumed" and not item.uncertainty.strip():
        yield Finding(where, "basis assumed without an uncertainty", "how far it could be off")


def _numbers(where: str, item: Parameter, profile: Profile) -> Iterator[Finding]:
    first, last = profile.warm_up_from, profile.years[1]
    dated = item.by_year or {}
    for year in dated:
        if not first <= year <= last:
            yield Finding(f"{where}.by_year.{year}", f"the year {year}", f"a year from {first} to {last}")
    values = {f"{where}.by_year.{year}": value for year, value in dated.items()} or {where: item.value}
    for place, value in values.items():
        if (wrong := out_of_range(value, item.unit, item.low, item.high)) is not None:
            yield Finding(place, wrong, "a number in the range of the parameter")
        if item.unit in _WEIGHTED:
            for row in _all_zero(value, ""):
                yield Finding(f"{place}{row}", "every weight is 0", "at least one above 0")


def _all_zero(value: Any, where: str) -> Iterator[str]:  # noqa: ANN401  nested to any depth
    """Yield the rows of weights in which nothing can be drawn."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        yield from _all_zero(inner, f"{where}.{key}")
    numbers = [inner for inner in value.values() if isinstance(inner, int | float)]
    if len(numbers) == len(value) and not any(numbers):
        yield where


def _levels(profile: Profile) -> Iterator[Finding]:
    for cell in profile.levels:
        if not cell.low <= cell.value <= cell.high:
            where = f"levels: {cell.kind}, authority {cell.authority}, {cell.year}"
            yield Finding(where, f"{cell.value}", f"{cell.low:g} to {cell.high:g}, as its own interval says")
    for figure in profile.figures:
        if not figure.low <= figure.value <= figure.high:
            where = f"figures: {figure.name}, {figure.year}"
            yield Finding(where, f"{figure.value:g}", f"{figure.low:g} to {figure.high:g}, as its own interval says")


def _targets(profile: Profile) -> Iterator[Finding]:
    codes = {a.code for a in all_authorities()}
    seen: set[tuple[str, int]] = set()
    for target in profile.targets:
        where = f"targets: {target.table}, {target.year}"
        if (target.table, target.year) in seen:
            yield Finding(where, "the table stands there twice", "once a year")
        seen.add((target.table, target.year))
        if not profile.warm_up_from <= target.year <= profile.years[1]:
            yield Finding(where, f"the year {target.year}", f"a year from {profile.warm_up_from} to {profile.years[1]}")
            continue
        if odd := sorted(target.counts.keys() ^ codes):
            yield Finding(where, f"authorities missing or unknown: {', '.join(odd)}", "every authority once")
        yield from _sums(profile, target, where)


def _sums(profile: Profile, target: Target, where: str) -> Iterator[Finding]:
    kind = _PARTS_OF.get(target.table) or _SOME_OF.get(target.table)
    if kind is None:
        return
    for code, counts in target.counts.items():
        if code not in {a.code for a in all_authorities()}:
            continue
        level, total = profile.level(kind, code, target.year), sum(counts)
        if target.table in _PARTS_OF and total != level:
            yield Finding(f"{where}, authority {code}", f"{total} children in all", f"{level}, the level of {kind}")
        if target.table in _SOME_OF and total > level:
            yield Finding(f"{where}, authority {code}", f"{total} children", f"at most {level}, the level of {kind}")
