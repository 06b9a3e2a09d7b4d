"""A profile shown to its user: levels and parameters of one year with basis and source, as text or JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from synth.errors import ProfileError
from synth.geography.authorities import all_authorities
from synth.profile.check import basis_counts, counts_text
from synth.profile.model import digest, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth.profile import Level, Profile

__all__ = ["ShownParameter", "profile_json", "profile_text", "show"]

_WIDTH = 100
_LEAST = 20
"""Columns a source has, however wide the numbers before it are."""
_LONGEST = 600
"""Characters of a value printed in full; longer tables are summed up in words."""


@dataclass(frozen=True, slots=True)
class ShownParameter:
    """One parameter as it stands in a year; `value` is short text."""

    name: str
    value: str
    unit: str
    basis: str
    source: str
    note: str
    uncertainty: str


def show(profile: Profile, year: int) -> list[ShownParameter]:
    """Return the parameters of a year in the order of the file; ProfileError if it lacks the year."""
    _check(profile, year)
    return [
        ShownParameter(name, _short(profile.at(name, year)), p.unit, p.basis, p.source, p.note, p.uncertainty)
        for name, p in profile.parameters.items()
    ]


def profile_text(profile: Profile, year: int) -> str:
    """Return plain text of at most 100 columns: origin, levels by authority, figures, parameters."""
    _check(profile, year)
    return "\n".join(line.rstrip() for line in _lines(profile, year)) + "\n"


def profile_json(profile: Profile, year: int) -> str:
    """Return the same as JSON, with parameter values in full."""
    _check(profile, year)
    found = {
        "name": profile.name,
        "year": year,
        "digest": digest(profile),
        "years": profile.years,
        "warm_up_from": profile.warm_up_from,
        "inputs": profile.inputs,
        "levels": [fields_of(level) for level in profile.levels if level.year == year],
        "counts": basis_counts(profile),
        "figures": [fields_of(figure) for figure in profile.figures_of(year)],
        "parameters": [asdict(row) | {"value": profile.at(row.name, year)} for row in show(profile, year)],
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def _check(profile: Profile, year: int) -> None:
    if not profile.warm_up_from <= year <= profile.years[1]:
        raise ProfileError(
            f"Profile {profile.name!r} has nothing for {year}; it covers {profile.warm_up_from} to "
            f"{profile.years[1]}, and generates {profile.years[0]} to {profile.years[1]}. Choose one.",
        )


def _lines(profile: Profile, year: int) -> Iterator[str]:
    yield f"Profile {profile.name}, year ending 31 March {year}"
    yield f"Digest {digest(profile)}"
    yield f"Generates {profile.years[0]} to {profile.years[1]}; warm-up from {profile.warm_up_from}"
    for kind, title in (
        ("looked_after", "Looked after on 31 March (short breaks left out)"),
        ("care_and_support", "Receiving care and support on 31 March (plan of three months or more)"),
    ):
        yield from ("", title, "-" * len(title))
        yield from _levels([cell for cell in profile.levels if cell.kind == kind and cell.year == year])
    figures = profile.figures_of(year)
    if figures:
        yield from ("", "Published national figures", "--------------------------")
        for figure in figures:
            interval = "" if figure.low == figure.high else f" ({figure.low:.6g} to {figure.high:.6g})"
            text = f"{figure.label}: {figure.value:.6g} {_unit(figure.unit)}{interval} [{figure.source}]"
            yield from textwrap.wrap(
                text + (f" {figure.note}" if figure.note else ""), _WIDTH, subsequent_indent="    "
            )
    yield from ("", "Parameters", "----------", counts_text(profile))
    for row in show(profile, year):
        yield from textwrap.wrap(f"{row.name} = {row.value} ({row.unit})", _WIDTH, subsequent_indent="    ")
        parts = (row.basis, row.source, row.note, row.uncertainty and f"uncertainty: {row.uncertainty}")
        text = "; ".join(part for part in parts if part)
        yield from textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _levels(cells: list[Level]) -> Iterator[str]:
    names = {a.code: a.name for a in all_authorities()}
    yield f"{'code':<5}{'authority':<20}{'children':>9}{'low':>9}{'high':>9}  {'basis':<10}source"
    for cell in cells:
        head = (
            f"{cell.authority:<5}{names[cell.authority]:<20}{cell.value:>9}{cell.low:>9.1f}{cell.high:>9.1f}"
            f"  {cell.basis:<10}"
        )
        wrapped = textwrap.wrap(cell.source, max(_WIDTH - len(head), _LEAST)) or [""]
        yield head + wrapped[0]
        yield from (" " * len(head) + more for more in wrapped[1:])
    yield f"{'':<5}{'Wales':<20}{sum(cell.value for cell in cells):>9}"


def _unit(unit: str) -> str:
    return {"percent": "per cent", "rate_per_10000": "per 10,000", "count": "children"}.get(unit, unit)


def _short(value: Any) -> str:  # noqa: ANN401  a number, list or table
    text = _written(value)
    if len(text) <= _LONGEST:
        return text
    numbers = list(_numbers(value))
    keys = f", under {', '.join(value)}" if isinstance(value, dict) else ""
    return f"{len(numbers)} numbers from {min(numbers):.6g} to {max(numbers):.6g}{keys}"


def _written(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return ", ".join(
            f"{key} ({_written(inner)})" if isinstance(inner, dict | list) else f"{key} {_written(inner)}"
            for key, inner in value.items()
        )
    if isinstance(value, list):
        return " ".join(
            f"({_written(inner)})" if isinstance(inner, dict | list) else _written(inner) for inner in value
        )
    return f"{value:.6g}"


def _numbers(value: Any) -> Iterator[float]:  # noqa: ANN401
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _numbers(inner)
    else:
        yield value
