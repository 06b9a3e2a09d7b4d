"""What is written: the forms of a year, whole or as somebody left them, and what is known of where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.dates import year_code
from synth.files import FILES
from synth.guidance import RETURNS, load
from synth.reading import read_folder
from synth.tables import child_column, file_name, tables_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth.guidance import Guidance
    from synth.guidance.rows import Item
    from synth.reading import Found
    from synth.tables import FormTable

__all__ = ["Content", "content_in", "content_of"]

_PREFIX = "synthetic_"
_POSTCODES = "postcodes"


@dataclass(frozen=True, slots=True)
class Content:
    """The forms of one collection year, both returns or a part of them, in the order of the returns.

    `postcodes` is the table of invented postcodes (POSTCODE, LSOA2011_CD as text) that stands beside generated forms,
    None elsewhere. `synthetic` says whether the records are known to be made up; of other people's files it is not.
    """

    year: int
    forms: Mapping[str, FormTable]
    guides: Mapping[str, Guidance]
    postcodes: pl.DataFrame | None
    synthetic: bool

    def return_of(self, form: str) -> str:
        """Return the return a form belongs to: cla or crcs."""
        return next(name for name in RETURNS if form in self.guides[name].forms)

    def guide(self, form: str) -> Guidance:
        """Return the guidance a form is held under."""
        return self.guides[self.return_of(form)]

    def items(self, form: str) -> tuple[Item, ...]:
        """Return the items of a form that have a column here, in guidance order."""
        missing = set(self.forms[form].missing)
        return tuple(item for item in self.guide(form).items(form) if item.name not in missing)

    def name(self, form: str) -> str:
        """Return the name of a form's file without its ending, or of its table: only made-up records are so called."""
        name = file_name(self.return_of(form), form).removesuffix(".csv")
        return name if self.synthetic else name.removeprefix(_PREFIX)

    @property
    def whole_name(self) -> str:
        """The name of a file that holds all forms, without its ending."""
        return "synthetic" if self.synthetic else "returns"

    def title(self, form: str) -> str:
        """Say in a line what a form is and, where it is known, that its records are made up: CLA episode 2022-23."""
        code = year_code(self.year)
        return_ = self.return_of(form)
        words = return_.upper() if form == return_ else f"{return_.upper()} {form.replace('_', ' ')}"
        return f"{words} {code[:4]}-{code[4:]}" + (", wholly synthetic records" if self.synthetic else "")


def content_in(folder: Path, year: int) -> Content:
    """Return what stands in the folder of a generated year. Raises InputError where it cannot be read."""
    tables = read_folder(folder, year)
    postcodes = pl.read_csv(folder / FILES[_POSTCODES], infer_schema=False)
    return Content(year, tables.forms, {name: tables.guidance(name) for name in RETURNS}, postcodes, synthetic=True)


def content_of(found: Found) -> Content:
    """Return what was read of anyone's files; made up are those whose every child has an identifier of this program."""
    from synth.returns.identifiers import PREFIX  # noqa: PLC0415

    tables = tables_of(found.forms, load("cla", found.year))
    numbers = [table.text[child_column(form)].drop_nulls() for form, table in found.forms.items()]
    ours = any(len(each) for each in numbers) and all(each.str.starts_with(PREFIX).all() for each in numbers)
    return Content(found.year, found.forms, {name: tables.guidance(name) for name in RETURNS}, None, synthetic=ours)
