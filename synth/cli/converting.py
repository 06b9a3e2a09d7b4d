"""The command that writes anyone's files in other formats: convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from synth.cli import values
from synth.cli.group import QUIET, main
from synth.cli.kinds import PATH
from synth.cli.words import legible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["convert"]


@main.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option(
    "--format",
    "formats",
    multiple=True,
    required=True,
    metavar="LIST",
    help="csv, parquet, xlsx, sqlite, duckdb, stata, spss: some of them with commas between.",
)
@click.option("--out", type=PATH, required=True, help="Folder, with a folder for each format.")
@click.option("--year", type=int, help="Collection year, where the files do not tell.", shell_complete=values.years)
@click.option("--return", "return_", type=click.Choice(["cla", "crcs"]), help="The return, where headings do not tell.")
@click.option("--form", "one_form", help="The form (child, episode, ...), where headings do not tell.")
@QUIET
def convert(
    paths: tuple[Path, ...],
    formats: tuple[str, ...],
    out: Path,
    year: int | None,
    return_: str | None,
    one_form: str | None,
    quiet: bool,
) -> None:
    """Write files of a return in other formats: a folder, or files (CSV, XLSX, Parquet), also with mistakes in them.

    In csv and xlsx a cell that is no date or number where one should stand remains the text it is. The other formats
    have types: they refuse such a form, naming the first such cell. stata, sqlite and duckdb refuse codes out of their
    lists too, and the databases keys that are blank or stand twice.
    """
    from synth.dates import year_code  # noqa: PLC0415
    from synth.formats import parse_formats  # noqa: PLC0415
    from synth.formats.converting import convert as write  # noqa: PLC0415

    made = write(paths, parse_formats(formats), out, year=year, return_=return_, form=one_form)
    if quiet:
        return
    for note in made.notes:
        click.echo(legible(note))
    rows = ", ".join(f"{form.replace('_', ' ')} {count:,}" for form, count in made.rows.items())
    files = ", ".join(f"{name} ({count} file{'s' if count != 1 else ''})" for name, count in made.files.items())
    click.echo(legible(f"Year {year_code(made.year)}, rows: {rows}. Written to {made.folder}: {files}."))
