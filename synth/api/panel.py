"""Several collection years of the same children in memory, each a year by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from synth.api.forms import Forms
from synth.api.shown import panel_line, panel_page
from synth.api.writing import written
from synth.api.year import Year
from synth.errors import InputError
from synth.files import FILES
from synth.validate.joining import Joining

if TYPE_CHECKING:
    from pathlib import Path

    from synth.fidelity.report import Report as FidelityReport
    from synth.validate import Report

__all__ = ["Panel"]


class Panel(Forms, Mapping[int, Year]):
    """Years of the same children by year, rising: `panel[2023]` is a `Year`.

    `frames`, and the attributes crcs, child, episode, adoption, care_leaver and postcodes, hold the forms of all years
    under each other, with the year (Int64) as first column `year`; an item that a year's form does not have is null in
    its rows. Postcodes are listed once. Raises InputError for no year at all, and for the same year twice.

    >>> panel = synth.generate_panel(2022, 2023, "Merthyr Tydfil")
    >>> list(panel), panel[2022].episode.height
    ([2022, 2023], 401)
    >>> panel.episode.columns[:4]
    ['year', 'YEAR_CODE', 'LOCAL_AUTHORITY_CODE', 'SYSTEM_ID']
    """

    def __init__(self, years: Iterable[Year]) -> None:
        found = sorted(years, key=lambda year: year.year)
        self._years = {year.year: year for year in found}
        if not found or len(self._years) < len(found):
            told = ", ".join(str(year.year) for year in found) or "none"
            raise InputError(f"A panel has one or more years, each once; found {told}.")

    def __getitem__(self, year: int) -> Year:
        return self._years[year]

    def __iter__(self) -> Iterator[int]:
        return iter(self._years)

    def __len__(self) -> int:
        return len(self._years)

    @cached_property
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The typed forms of all years by name."""
        listed = pl.concat([year.postcodes for year in self.values()]).unique(maintain_order=True)
        return {form: self._stacked(form) for form in FILES if form != "postcodes"} | {"postcodes": listed}

    def validate(self, *, strict: bool = False) -> Report:
        """Hold each year against its guidance, beside the year before where that is here; one report on all of them.

        In the report files are named with the year, as 2023/synthetic_crcs.csv.

        >>> report = panel.validate()
        >>> report.first_year, report.year, report.exit_code
        (2022, 2023, 0)
        """
        joining = Joining()
        for number, year in self.items():
            report = year.validate(last_year=self.get(number - 1), strict=strict)
            joining.add(
                replace(
                    report,
                    files=tuple((f"{number}/{file}", rows) for file, rows in report.files),
                    findings=report.findings.with_columns(pl.concat_str(pl.lit(f"{number}/"), "file").alias("file")),
                    notes=tuple(f"{number}: {note}" for note in report.notes),
                )
            )
        return joining.report()

    def fidelity(self) -> dict[int, FidelityReport]:
        """Hold each year against its published figures, those of two years included where the year before is here.

        Raises InputError for a projection.
        """
        return {number: year.fidelity(last_year=self.get(number - 1)) for number, year in self.items()}

    def write(self, out: Path | str) -> list[Path]:
        """Write a folder for each year into `out`, as `synth generate --years` does, and return the folders.

        All appear or none, each checked beside the one before. Raises as `Year.write` does.
        """
        return written(list(self.values()), out)

    def __repr__(self) -> str:
        return panel_line(self)

    def _repr_html_(self) -> str:
        return panel_page(self)

    def _stacked(self, form: str) -> pl.DataFrame:
        each = [
            year.frames[form].select(pl.lit(number).cast(pl.Int64).alias("year"), pl.all())
            for number, year in self.items()
        ]
        return pl.concat(each, how="diagonal")
