"""Build a profile from published tables and behaviour parameters, and write it the same way every time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from synth.documents import json_of
from synth.errors import ProfileError
from synth.figures import published_figures
from synth.files import write_whole
from synth.levels import levels
from synth.profile.checked import checked
from synth.profile.documents import read_json
from synth.profile.loading import SUM, sum_of
from synth.profile.model import Parameter, Profile
from synth.published import load_tables, published_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from synth.profile.model import Record

__all__ = ["build", "is_profile", "profile_bytes", "write_built_in", "write_profile"]

FIRST_YEAR, LAST_YEAR = 2017, 2024
"""Collection years the guidance covers, both inclusive."""


def build(published_dir: Path, behaviour_path: Path | None = None) -> Profile:
    """Return the profile of Wales that follows from a folder of tables and a file of behaviour parameters.

    Without a behaviour file the profile has levels and figures but no parameters. Raises ProfileError naming
    the file and cell that is wrong.
    """
    tables = load_tables(published_dir)
    cells = levels(tables)
    parameters = _behaviour(behaviour_path) if behaviour_path else {}
    files = [*published_files(published_dir), *([behaviour_path] if behaviour_path else [])]
    return Profile(
        format_version=1,
        name="wales",
        years=(FIRST_YEAR, LAST_YEAR),
        warm_up_from=min(cell.year for cell in cells),
        inputs={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        levels=cells,
        figures=tuple(f for year in range(FIRST_YEAR, LAST_YEAR + 1) for f in published_figures(tables, year)),
        parameters=parameters,
    )


def profile_bytes(profile: Profile) -> bytes:
    """Return the file's content: UTF-8 JSON, one level, one figure and one field of a parameter a line."""
    return ("\n".join(_lines(profile)) + "\n").encode()


def write_profile(profile: Profile, path: Path) -> None:
    """Write a profile, whole or not at all; the same profile gives the same bytes.

    Raises OutputError if it cannot be written.
    """
    write_whole(profile_bytes(profile).decode(), path)


def write_built_in(profile: Profile, path: Path) -> None:
    """Write the profile that is read where none is named, and beside it the sum it is known by; raises as above."""
    content = profile_bytes(profile)
    write_whole(content.decode(), path)
    write_whole(sum_of(content), path.with_name(SUM))


def is_profile(content: bytes) -> bool:
    """Say whether a file is a profile as it is written here, of whatever version."""
    try:
        told = json_of(content)
    except ValueError:
        return False
    return isinstance(told, dict) and {"format_version", "inputs", "levels", "figures"} <= told.keys()


def _behaviour(path: Path) -> dict[str, Parameter]:
    found = read_json(path)
    if set(found) != {"parameters"} or not isinstance(found["parameters"], dict):
        keys = ", ".join(found) or "nothing"
        raise ProfileError(f'{path}: found {keys}; expected {{"parameters": {{name: {{...}}}}}} and nothing else.')
    return {
        name: checked(Parameter, fields, path, f"parameters.{name}") for name, fields in found["parameters"].items()
    }


def _lines(profile: Profile) -> Iterator[str]:
    yield "{"
    for name in ("format_version", "name", "years", "warm_up_from", "held_out"):
        yield f"  {_json(name)}: {_json(getattr(profile, name))},"
    yield '  "inputs": {'
    yield from _separated(f"    {_json(name)}: {_json(value)}" for name, value in profile.inputs.items())
    yield "  },"
    for name in ("levels", "figures", "targets"):
        yield f"  {_json(name)}: ["
        yield from _separated(f"    {_json(_filled(record))}" for record in getattr(profile, name))
        yield "  ],"
    yield '  "parameters": {'
    yield from _separated(_parameter(name, item) for name, item in profile.parameters.items())
    yield "  }"
    yield "}"


def _parameter(name: str, item: Parameter) -> str:
    fields = ",\n".join(f"      {_json(key)}: {_json(value)}" for key, value in _filled(item).items())
    return f"    {_json(name)}: {{\n{fields}\n    }}"


def _filled(record: Record) -> dict[str, Any]:
    """Drop what equals its default: it comes back when the file is read."""
    return {field.name: value for field in fields(record) if (value := getattr(record, field.name)) != field.default}


def _separated(lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    yield from (f"{line}," for line in found[:-1])
    yield from found[-1:]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), allow_nan=False)
