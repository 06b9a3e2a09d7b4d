"""Files as this program writes them: known names, headings that must be the year's own, UTF-8 and commas."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from synth.errors import InputError
from synth.guidance import RETURNS, collected_as, load
from synth.log import doing
from synth.reading.delimited import first_records, read_grid
from synth.reading.headings import check_headings
from synth.reading.kinds import kind_of
from synth.reading.text import open_text
from synth.tables import LA, FormTable, Tables, file_name, form_table, tables_of

if TYPE_CHECKING:
    from pathlib import Path

    from synth.guidance import Guidance

__all__ = ["guidance_of", "read_folder", "read_form", "read_return", "year_folders"]


def read_form(path: Path, form: str, g: Guidance) -> FormTable:
    """Read one file as the form of a year; nothing is stripped, empty cells are null, empty lines left out.

    Headings may stand in any order but are read to the letter. Raises InputError when the file cannot be
    opened, is not UTF-8, has rows longer or shorter than its headings, or repeats a heading; headings that
    are unknown or missing are only reported.
    """
    shown = path.name
    if kind_of(path, shown) != "text":
        raise InputError(f"{shown}: is no CSV file. Save it as CSV UTF-8.")
    text = open_text(path, shown)
    records = first_records(text, ",", 1)
    if not records:
        raise InputError(f"{shown}: the file is empty; line 1 must hold the headings, even where no child is returned.")
    heading = records[0]
    check_headings(heading.cells, shown, heading.line)
    codes = frozenset(n for n, name in enumerate(heading.cells) if name in _coded(g, form))
    grid = read_grid(text, heading, codes)
    if grid.notes or text.encoding != "utf-8":
        said = grid.notes[0] if grid.notes else f"{shown} is written in {text.encoding}."
        raise InputError(f"{said} Files of this program are whole and in UTF-8.")
    raw = grid.frame
    raw.columns = list(heading.cells)
    doing("%s read: %s %d", path, form, raw.height)
    return form_table(raw, form, g, file=shown, lines=grid.lines)


def _coded(g: Guidance, form: str) -> frozenset[str]:
    return frozenset(item.name for item in g.items(form) if item.type == "code" and item.name != LA)


def read_return(folder: Path, return_: str, g: Guidance) -> Tables:
    """Read the forms of one return that stand in a folder; forms without a file are left out.

    Raises InputError as `read_form` does, for a heading that is no item of the year, and for a file without
    an item that must always be filled.
    """
    forms: dict[str, FormTable] = {}
    for form in g.forms:
        path = folder / file_name(return_, form)
        if not path.exists():
            continue
        table = read_form(path, form, g)
        _check_headings(table, g)
        forms[form] = table
    return tables_of(forms, g)


def read_folder(folder: Path, year: int) -> Tables:
    """Read the forms of both returns of a year that stand in a folder written by this program.

    Raises InputError when there is none, and as `read_return` does.
    """
    guides = [guidance_of(folder, return_, year) for return_ in RETURNS]
    forms = {form: table for g in guides for form, table in read_return(folder, g.return_, g).forms.items()}
    if not forms:
        names = ", ".join(file_name(g.return_, form) for g in guides for form in g.forms)
        raise InputError(f"{folder}: no file of a return; expected one or more of {names}.")
    return tables_of(forms, guides[0])


def guidance_of(folder: Path, return_: str, year: int) -> Guidance:
    """Return the guidance of a return in a folder: for care and support that of the collection its headings tell of."""
    path = folder / file_name("crcs", "crcs")
    if return_ != "crcs" or not path.is_file():
        return load(return_, year)
    head = first_records(open_text(path, path.name), ",", 1)
    return load("crcs", year, collected_as(head[0].cells, year) if head else "")


def year_folders(folder: Path) -> dict[int, Path]:
    """Return the folders of years that stand in a folder (2018, 2019, ...), by year, rising."""
    found = sorted(folder.glob("[0-9][0-9][0-9][0-9]"))
    return {int(path.name): path for path in found if path.is_dir()}


def _check_headings(table: FormTable, g: Guidance) -> None:
    expected = [item.name for item in g.items(table.form)]
    if table.unknown:
        found = table.unknown[0]
        near = difflib.get_close_matches(found, expected, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"{table.file}, line 1: heading {found!r} is no item of the {table.form} form in {g.year}; {hint}"
            f"Expected headings: {', '.join(expected)}."
        )
    always = {item.name for item in g.items(table.form) if item.required == "always"}
    absent = [name for name in table.missing if name in always]
    if absent:
        raise InputError(
            f"{table.file}, line 1: no column for {', '.join(absent)}, which must be filled on every row "
            f"of the {table.form} form in {g.year}. Add the column or check the spelling of the headings."
        )
