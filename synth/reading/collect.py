"""Paths in, forms out: files looked at, parts of one form put together, and the year their rows give."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from synth.collection_year import year_code
from synth.errors import InputError
from synth.guidance import ALL_YEAR, CENSUS_DATE, collected_as, load, years
from synth.log import doing
from synth.reading.dataset import AUTHORITY, advice, authority_folders
from synth.reading.delimited import read_delimited
from synth.reading.headings import every_shape, wanted_shapes
from synth.reading.kinds import DATA_ENDINGS, UnreadableError, kind_of, literal
from synth.reading.parquet import read_parquet
from synth.reading.workbook import read_workbook
from synth.tables import FormTable, form_table, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from synth.guidance import Guidance
    from synth.reading.headings import Shape, Wanted
    from synth.reading.part import Part
    from synth.tables import Tables

__all__ = ["Found", "beside_last_year", "read_any"]

_COLLECTIONS = {CENSUS_DATE: "a census-date", ALL_YEAR: "an all-year"}
_NO_FORMS = frozenset(
    {"manifest.json", "datapackage.json", "synthetic_postcodes.csv", "synthetic_postcodes.parquet", "answers.csv"}
)
"""Files this program writes beside the forms."""
_REPORTS = ("report", "findings", "validation", "fidelity")
"""Beginnings of the names of what was found in a folder, kept in it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the paths held: forms of the collection year that ends on 31 March `year`.

    `notes` are sentences for the reader: what was left out, put together, or read with a doubt.
    """

    year: int
    forms: Mapping[str, FormTable]
    notes: tuple[str, ...]


def read_any(
    paths: Sequence[Path], *, year: int | None = None, return_: str | None = None, form: str | None = None
) -> Found:
    """Read the forms of both returns from files or folders made anywhere: CSV, XLSX or Parquet.

    Folders are looked at, not what lies in their folders, save in those of single authorities (authority=512); a file
    in a folder that is no form is left out, with a note where it looks like data. A file that is named must be a form.
    `return_` and `form` say which form all files are, where headings cannot; `year` (of 31 March) is else what most
    rows give as YEAR_CODE.

    In the tables, `text` holds cells as written, `lines` the line in the file (CSV), the row of the sheet
    (XLSX) or the number of the row from 1 (Parquet), `files` the file of each row where there are several.

    Raises InputError, saying what is wrong, where, and what to do, for a path that cannot be read or is no
    form, a form with damaged rows, when no form is found, and when no row gives a year.
    """
    if not paths:
        raise InputError("no file or folder was named. Name the folder or the files of the return.")
    wanted = wanted_shapes(return_, form)
    notes: list[str] = []
    parts = _parts(paths, wanted, notes)
    if not parts:
        raise InputError(_nothing(paths, notes))
    if year is None:
        year = _year(parts)
    by_form: dict[Shape, list[Part]] = defaultdict(list)
    for part in parts:
        by_form[part.shape].append(part)
    forms: dict[str, FormTable] = {}
    for shape in every_shape():
        if shape in by_form:
            forms[shape.form] = _together(by_form[shape], _guidance(by_form[shape], year, notes), notes)
    return Found(year, forms, tuple(notes))


def beside_last_year(found: Found, last_year: Sequence[Path]) -> tuple[Tables, tuple[str, ...]]:
    """Return the forms found as tables, the year before beside them where it is named, and what is to be said of that.

    Before the first year with guidance, files are read as of the first. Raises InputError as `read_any` does.
    """
    tables = tables_of(found.forms, load("cla", found.year))
    if not last_year:
        return tables, ()
    before = read_any(last_year, year=max(found.year - 1, years().start))
    last = tables_of(before.forms, load("cla", before.year))
    return replace(tables, last=last), tuple(f"Last year: {note}" for note in before.notes)


def _parts(paths: Sequence[Path], wanted: Wanted, notes: list[str]) -> list[Part]:
    """Read every file; one in a folder that cannot be a form is left out, one that was named must be one."""
    parts: list[Part] = []
    for path, shown, named in _files(paths, notes):
        try:
            found, said = _read(path, shown, wanted)
        except UnreadableError as problem:
            if named:
                raise
            if path.suffix.lower() in DATA_ENDINGS:
                notes.append(f"Left out: {problem}")
            continue
        doing("%s read: %s", path, ", ".join(f"{part.shape.form} {part.text.height}" for part in found))
        parts += found
        notes += [*said, *(note for part in found for note in part.notes)]
    return parts


def _read(path: Path, shown: str, wanted: Wanted) -> tuple[list[Part], tuple[str, ...]]:
    kind = kind_of(path, shown)
    if kind == "text":
        return [read_delimited(path, shown, wanted)], ()
    place = literal(path)
    if place is None:
        raise UnreadableError(f"{shown}: its path has bytes that are no letters; give file and folders another name.")
    return read_workbook(place, shown, wanted) if kind == "workbook" else ([read_parquet(place, shown, wanted)], ())


def _files(paths: Sequence[Path], notes: list[str]) -> Iterator[tuple[Path, str, bool]]:
    """Give each file once: its path, the name to show, and whether it was named rather than found."""
    listed: list[tuple[Path, str, bool]] = []
    for path in paths:
        if path.is_dir():
            listed += [(file, file.name, False) for file in _in_folder(path, notes)]
            for part in authority_folders(path):
                listed += [(file, f"{part.name}/{file.name}", False) for file in _in_folder(part, notes)]
        else:
            listed.append((path, path.name, True))
    names = [shown for _, shown, _ in listed]
    seen: set[str] = set()
    for path, shown, named in listed:
        real = os.path.realpath(path)
        if real in seen:
            notes.append(f"{path.name} was named more than once; read once.")
            continue
        seen.add(real)
        yield path, shown if names.count(shown) == 1 else str(path), named


def _in_folder(folder: Path, notes: list[str]) -> Iterator[Path]:
    """Give the files of a folder that may be forms, by name; links that lead out of it are not followed."""
    try:
        inside = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as problem:
        raise InputError(
            f"{folder}: cannot be listed ({problem.strerror or problem}). Check who may read it."
        ) from problem
    home = os.path.realpath(folder)
    for path in inside:
        name = path.name.lower()
        # Spreadsheet programs keep a lock file ~$book.xlsx beside a workbook that is open.
        if name.startswith((".", "~$")) or name in _NO_FORMS or name.endswith(".md") or name.startswith(_REPORTS):
            continue
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(home):
            notes.append(f"Left out: {path.name} is a link that leads out of {folder.name}; name the file itself.")
            continue
        if path.is_file():
            yield path


def _year(parts: Iterable[Part]) -> int:
    """Return the year that most rows of all files give; of two alike, the later."""
    codes = [part.text["YEAR_CODE"].drop_nulls() for part in parts if "YEAR_CODE" in part.text.columns]
    counts = pl.concat(codes).value_counts().rows() if codes else []
    tally: dict[int, int] = defaultdict(int)
    for code, count in counts:
        start = code[:4]
        if start.isascii() and start.isdigit() and code == year_code(int(start) + 1):
            tally[int(start) + 1] += count
    if tally:
        return max(tally, key=lambda year: (tally[year], year))
    files = ", ".join(dict.fromkeys(part.file for part in parts))
    if counts:
        code = max(counts, key=lambda row: (row[1], row[0]))[0]
        raise InputError(
            f"{files}: YEAR_CODE {code!r} names no year; expected a form such as 202223 for 2022-23. "
            f"Correct it or name the year with --year."
        )
    raise InputError(f"{files}: no row has a YEAR_CODE such as 202223; name the year with --year.")


def _guidance(parts: Sequence[Part], year: int, notes: list[str]) -> Guidance:
    """Return the guidance a form is read under: for care and support that of the collection its items tell of."""
    shape = parts[0].shape
    if shape.return_ != "crcs":
        return load(shape.return_, year)
    g = load("crcs", year, collected_as({name for part in parts for name in part.text.columns}, year))
    if g.mode != g.usual_mode:
        held = "has plan items" if g.mode == ALL_YEAR else "has no plan items"
        file = _some(list(dict.fromkeys(part.file for part in parts)))
        notes.append(
            f"{file} {held}: read as {_COLLECTIONS[g.mode]} collection, though that of {year_code(year)} was "
            f"{_COLLECTIONS[g.usual_mode]} one."
        )
    return g


def _together(parts: Sequence[Part], g: Guidance, notes: list[str]) -> FormTable:
    """Put the parts of one form together in the order they were read and type them as of their year."""
    form = parts[0].shape.form
    items = {item.name for item in g.items(form)}
    # What was an item of another year is unknown in this one, under the heading it has.
    unknown = [
        *(heading for part in parts for name, heading in part.headings.items() if name not in items),
        *(heading for part in parts for heading in part.unknown),
    ]
    raw = pl.concat([part.text.select(c for c in part.text.columns if c in items) for part in parts], how="diagonal")
    lines = pl.concat([part.lines for part in parts]).alias("line")
    files = list(dict.fromkeys(part.file for part in parts))
    # Parts that stand in folders of authorities are told as one.
    apart = len(files) > 1 and all(file.startswith(AUTHORITY) for file in files)
    shown = f"{AUTHORITY}*/{files[0].rpartition('/')[2]}" if apart else _some(files)
    table = form_table(raw, form, g, file=shown, lines=lines)
    if len(files) > 1:
        each = [pl.repeat(part.file, part.text.height, dtype=pl.String, eager=True) for part in parts]
        table = replace(table, files=pl.concat(each).alias("file"))
        if not apart:
            notes.append(f"The form {form} is put together from {len(files)} files or sheets: {_some(files, 8)}.")
    for part in parts:
        lacking = [name for name in sorted(items) if name not in part.headings and name not in table.missing]
        if lacking:
            notes.append(f"{part.file} has no column {', '.join(lacking)}; read as blank.")
    return replace(table, unknown=tuple(dict.fromkeys(unknown)))


def _some(files: Sequence[str], most: int = 3) -> str:
    rest = len(files) - most
    return ", ".join(files[:most]) + (f" and {rest} more" if rest > 0 else "")


def _nothing(paths: Sequence[Path], notes: Sequence[str]) -> str:
    """Say that there is no form, what there is instead, and what was expected."""
    if len(paths) == 1 and (told := advice(paths[0])):
        return told
    where = ", ".join(str(path) for path in paths[:3])
    held = [file.name for path in paths if path.is_dir() for file in sorted(path.glob("*"))][:5]
    state = f"holds {', '.join(held)}" if held else "is empty"
    expected = "CSV, XLSX or Parquet files whose headings are the items of a form, such as LOCAL_AUTHORITY_CODE"
    said = f" {notes[0]}" if notes else ""
    return f"{where}: no file of a return; expected {expected}; the path {state}.{said}"
