"""What was written before, read back as it was made; and anyone's files, checked."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from synth.api.arguments import in_python, path_of, paths_of, profile_of, whole_number
from synth.api.panel import Panel
from synth.api.year import Year
from synth.documents import opened, reason
from synth.errors import InputError
from synth.fidelity.folders import generated_years, read_manifest
from synth.files import BESIDE, FILES
from synth.validate import validate, validate_panel, years_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from synth.profile import Profile
    from synth.validate import Report

__all__ = ["check", "load", "load_panel"]

_FORMS = {name.removesuffix(".csv"): form for form, name in FILES.items()}


def load(folder: Path | str, *, profile: Profile | Path | str | None = None) -> Year:
    """Read a generated year back: a folder `synth generate` or `Year.write` wrote, or one partition of a dataset.

    `profile` is the one it was made with, if not the built-in one. Raises InputError where the folder is none of these,
    a file is missing, or one is not as it was written.

    >>> place = year.write("outputs")
    >>> synth.load(place).contents() == year.contents()
    True
    """
    place = path_of("folder", folder)
    about = read_manifest(place)
    listed = about.pop("files", None)
    about.pop(BESIDE, None)
    if not isinstance(listed, dict):
        raise InputError(f"{place}: the manifest names no files. Write the year again.")
    parts: dict[str, list[pl.DataFrame]] = {form: [] for form in FILES}
    for name, told in listed.items():
        stem = Path(name).name.partition(".")[0]
        if stem in _FORMS:
            parts[_FORMS[stem]].append(_read(place, name, told))
    missing = [FILES[form] for form, found in parts.items() if not found]
    if missing:
        raise InputError(f"{place}: the manifest names no {', '.join(missing)}. Write the year again.")
    return Year(about, {form: pl.concat(found) for form, found in parts.items()}, profile_of(profile))


def load_panel(folder: Path | str, *, profile: Profile | Path | str | None = None) -> Panel:
    """Read the years that stand in a folder, as `synth generate --years` or `Panel.write` wrote them.

    Raises InputError where there is none, where they are not the same children, and as `load` does.
    """
    place = path_of("folder", folder)
    years = generated_years(place)
    if not years:
        raise InputError(f"{place} holds no folder of a generated year; expected such as {place / '2023'}.")
    used = profile_of(profile)
    found = [load(year, profile=used) for year in years]
    for year in found[1:]:
        _check_same(place, found[0], year)
    return Panel(found)


def check(
    paths: Path | str | Iterable[Path | str],
    *,
    last_year: Path | str | Iterable[Path | str] = (),
    year: int | None = None,
    strict: bool = False,
) -> Report:
    """Hold files made anywhere against the guidance, as `synth validate` does: CSV, workbooks, Parquet, or folders.

    A folder of years is checked year by year, each beside the one before. `last_year` names files of the year before,
    for the rules that compare; `year` is the collection year, if not that of the files; `strict` takes every rule as
    stated, also those Welsh guidance does not confirm. Raises InputError for what cannot be read.

    >>> report = synth.check(year.write("outputs"))
    >>> report.exit_code
    0
    """
    with in_python():
        named, before = paths_of(paths), paths_of(last_year)
        year = None if year is None else whole_number("year", year)
        panel = years_of(named)
        if panel and year is None:
            return validate_panel(panel, last_year=before, strict=strict)
        return validate(named, year=year, last_year=before, strict=strict)


def _read(folder: Path, name: str, told: Any) -> pl.DataFrame:  # noqa: ANN401  whatever the manifest says
    """Return a file as text, dates as dd/mm/yyyy; InputError where it is not what the manifest says."""
    try:
        with opened(folder / name) as file:
            content = file.read()
    except (OSError, ValueError) as problem:
        raise InputError(
            f"{folder / name}: cannot be read ({reason(problem)}), and a whole year is needed. Write the year again."
        ) from None
    if not isinstance(told, dict) or hashlib.sha256(content).hexdigest() != told.get("sha256"):
        raise InputError(
            f"{folder / name} is not as it was written: its SHA-256 is another than in the manifest. Write the year"
            " again; files that were changed can be checked with synth.check."
        )
    if name.endswith(".parquet"):
        frame = pl.read_parquet(io.BytesIO(content))
        return frame.with_columns(pl.col(pl.Date).dt.strftime("%d/%m/%Y"))
    return pl.read_csv(content, infer_schema=False)


def _check_same(folder: Path, one: Year, other: Year) -> None:
    """Refuse years that are not of one panel."""
    for key in _apart(one, other):
        raise InputError(
            f"{folder}: {one.year} and {other.year} are not the same children; they differ in {key}. Load them one by"
            " one, or write the panel again."
        )


def _apart(one: Year, other: Year) -> Iterator[str]:
    keys = ("seed", "mode", "world", "authorities")
    return (key for key in keys if one.about.get(key) != other.about.get(key))
