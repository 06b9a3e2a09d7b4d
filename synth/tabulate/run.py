"""The standard tables of a generated year or of a folder of years, each a folder that is whole or not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.errors import InputError
from synth.fidelity.folders import generated_years, read_year, year_before
from synth.files import MANIFEST, check_place, folder_in_place
from synth.published import load_tables
from synth.published.counted import load_counted
from synth.tabulate.figures import published_kinds, standard_figures
from synth.tabulate.workbook import WORKBOOK, write_workbook
from synth.tabulate.writing import ABOUT, about, write_csv_tables

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from synth.published import Tables
    from synth.tabulate.figures import Standard

__all__ = ["FORMATS", "TABLES", "Tabulated", "tabulate"]

FORMATS = ("csv", "xlsx")
TABLES = "tables"
"""Name of the folder the years' tables are put into, beside the folders of the years, unless another is named."""


@dataclass(frozen=True, slots=True)
class Tabulated:
    """The tables of one year and the folder they were written into."""

    standard: Standard
    folder: Path


def tabulate(folder: Path, out: Path | None = None, forms: Collection[str] = FORMATS) -> list[Tabulated]:
    """Write the standard tables of a generated year, or of every year in a folder, into a folder of each year.

    The folders are made in `out`, or in `tables` beside those of the years; one written before is replaced. Raises
    InputError where there is no generated year, it cannot be read, or files of somebody else's would be replaced;
    OutputError where the disk refuses.
    """
    years = _years(folder)
    tables = load_tables()
    places = [_place(year, out) for year in years]
    known = _names(tables)
    if len(years) > 1:
        # Before any is written; the folders of a panel are named by their years.
        for place, year in zip(places, years, strict=True):
            check_place(place, place / year.name, known)
    kinds = published_kinds(tables)
    written = []
    for place, year in zip(places, years, strict=True):
        this = read_year(year)
        standard = standard_figures(this, year_before(this), tables, kinds)
        name = str(this.year)
        check_place(place, place / name, known)
        with folder_in_place(place, name) as building:
            (building / ABOUT).write_text(about(standard), "utf-8", newline="\n")
            if "csv" in forms:
                write_csv_tables(standard, building)
            if "xlsx" in forms:
                write_workbook(standard, building / WORKBOOK)
        written.append(Tabulated(standard, place / name))
    return written


def _years(folder: Path) -> list[Path]:
    """Return the folder itself, or the generated years in it where it is none."""
    if (folder / MANIFEST).is_file():
        return [folder]
    years = generated_years(folder)
    if years:
        return years
    what = f"holds no {MANIFEST}, nor folders of years that do" if folder.is_dir() else "is no folder"
    raise InputError(
        f"{folder} {what}; expected the folder of a year, or of several, written by synth generate, such as "
        "outputs/2023. Write one with: synth generate --authorities 22 --year 2023."
    )


def _place(year: Path, out: Path | None) -> Path:
    if out is not None:
        return out
    # Through the real path: the year may be named as . or .. from inside it.
    return (year if year.name not in ("", "..") else year.resolve()).parent / TABLES


def _names(tables: Tables) -> frozenset[str]:
    """Return the names of all files this may have written before."""
    return frozenset({ABOUT, WORKBOOK, *(f"{row.table}.csv" for row in load_counted(tables))})
