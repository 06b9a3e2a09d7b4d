"""A folder of written returns as `synth show` reads it: its year, its children, and their rows as text."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from synth.errors import InputError
from synth.reading import year_folders
from synth.reading.apart import DamagedError, columns_of, shape_of
from synth.reading.delimited import first_records, read_grid
from synth.reading.headings import check_headings
from synth.reading.kinds import kind_of
from synth.reading.text import open_text
from synth.tables import LA, child_column, file_name

if TYPE_CHECKING:
    from pathlib import Path

    from synth.guidance import Guidance

__all__ = ["FORMS", "Row", "called", "latest_folder", "pick", "read_forms", "rows_of", "unknown", "year_of"]

Row: TypeAlias = dict[str, str]
"""One row of a form as text: every item of the year, blank cells empty."""

_Key: TypeAlias = tuple[str, str]
"""Authority and identifier of a child."""

FORMS = {"crcs": "crcs", "child": "cla", "episode": "cla", "adoption": "cla", "care_leaver": "cla"}
"""Form -> return."""


def latest_folder(outputs: Path) -> Path:
    """Return the folder of the newest year in `outputs` that has a return; InputError if there is none."""
    years = [
        folder
        for folder in year_folders(outputs).values()
        if any((folder / name).is_file() for name in _names().values())
    ]
    if not years:
        raise InputError(
            f"{outputs}: no folder of a generated year in it. Make one with"
            " `synth generate --authorities 22 --year 2023`, or name a folder with --from."
        )
    return years[-1]


def pick(folder: Path, count: int, seed: int, looked_after: bool) -> list[str]:
    """Choose up to `count` different children at random; the same seed and files give the same ones.

    `looked_after` keeps to children in the CLA child form. InputError when there is nobody to choose from.
    """
    known = _identifiers(read_forms(folder), looked_after=looked_after)
    if not known:
        raise InputError(f"{folder}: no child of the {'CLA return' if looked_after else 'returns'} in it.")
    chosen = np.random.default_rng(seed).permutation(len(known))[:count]
    return [known[n] for n in chosen]


def called(folder: Path, children: list[str]) -> dict[_Key, str]:
    """Return what some children are called in people/children.csv, where it stands beside the returns."""
    path = folder / "people" / "children.csv"
    if not path.is_file():
        return {}
    try:
        found = _text(path).filter(pl.col("person_id").is_in(children))
        first = pl.col("given_names").str.split(" ").list.first()
        name = pl.when(pl.col("known_as") == "").then(first).otherwise("known_as")
        return {(la, who): text for la, who, text in found.select("authority", "person_id", name).iter_rows()}
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise InputError(f"{path}: cannot be read as CSV ({str(problem).splitlines()[0]}).") from problem


def _names() -> dict[str, str]:
    return {form: file_name(return_, form) for form, return_ in FORMS.items()}


def read_forms(folder: Path) -> dict[str, pl.DataFrame]:
    """Read the forms that stand in a folder as text, blanks empty; a form without a file has no rows."""
    frames = {}
    for form, name in _names().items():
        path = folder / name
        if not path.is_file():
            path = path.with_suffix(".parquet")
        if not path.is_file():
            frames[form] = pl.DataFrame(schema={LA: pl.String, child_column(form): pl.String})
            continue
        try:
            frame = _text(path)
        except (pl.exceptions.PolarsError, OSError, DamagedError) as problem:
            kind = "CSV" if path.suffix == ".csv" else "Parquet"
            raise InputError(f"{path}: cannot be read as {kind} ({str(problem).splitlines()[0]}).") from problem
        for heading in (LA, child_column(form)):
            if heading not in frame.columns:
                raise InputError(f"{path}, line 1: no heading {heading}; without it no child can be found.")
        frames[form] = frame
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder. Name one that `synth generate` wrote, such as outputs/2023."
        )
    if not any(frame.height for frame in frames.values()):
        raise InputError(f"{folder}: no rows of a return in it. Name a folder that `synth generate` wrote.")
    return frames


def _text(path: Path) -> pl.DataFrame:
    """Read a file as text, dates as CSV writes them, blanks empty."""
    if path.suffix == ".csv":
        return _rows(path)
    frame = columns_of(path, list(shape_of(path)[0]))
    return frame.with_columns(pl.col(pl.Date).dt.strftime("%d/%m/%Y")).cast(pl.String).fill_null("")


def _rows(path: Path) -> pl.DataFrame:
    """Read a CSV as other commands do: what is no text, or too wide or long to be a form, is refused."""
    shown = str(path)
    kind_of(path, shown)
    text = open_text(path, shown)
    records = first_records(text, ",", 1)
    if not records:
        raise InputError(f"{shown}: the file is empty; line 1 must hold the headings.")
    check_headings(records[0].cells, shown, records[0].line)
    frame = read_grid(text, records[0]).frame
    frame.columns = list(records[0].cells)
    return frame.fill_null("")


def year_of(frames: dict[str, pl.DataFrame], folder: Path) -> int:
    """Return the collection year of a folder: 2023 where YEAR_CODE is 202223."""
    for frame in frames.values():
        if "YEAR_CODE" in frame.columns and frame.height:
            code: str = frame["YEAR_CODE"][0]
            if len(code) == len("202223") and code.isascii() and code.isdigit():
                return int(code[:4]) + 1
    raise InputError(f"{folder}: no file says its year on line 2 in YEAR_CODE (expected a code such as 202223).")


def rows_of(frame: pl.DataFrame, form: str, children: list[str], g: Guidance) -> dict[_Key, list[Row]]:
    """Gather the rows of some children by authority and identifier; an item without a column is blank."""
    found: dict[_Key, list[Row]] = {}
    who, blank = child_column(form), dict.fromkeys((item.name for item in g.items(form)), "")
    for row in frame.filter(pl.col(who).is_in(children)).iter_rows(named=True):
        found.setdefault((row[LA], row[who]), []).append(blank | row)
    return found


def _identifiers(frames: dict[str, pl.DataFrame], *, looked_after: bool = False) -> list[str]:
    forms = ("child",) if looked_after else ("crcs", "child")
    return sorted({who for form in forms for who in frames[form][child_column(form)] if who})


def unknown(child: str, folder: Path, frames: dict[str, pl.DataFrame]) -> InputError:
    """Return what to say of a child in no file, with the identifier most like it."""
    known = _identifiers(frames)
    near = difflib.get_close_matches(child.strip().upper(), known, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}? " if near else ""
    some = f"The first of {len(known):,} identifiers are {', '.join(known[:3])}"
    return InputError(f"no child {child!r} in {folder}; {hint}{some}; `synth show --random 5` shows five.")
