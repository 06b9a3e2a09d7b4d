"""The command that writes the standard tables of generated records: tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from synth.cli import values
from synth.cli.group import QUIET, main
from synth.cli.kinds import PATH
from synth.cli.words import legible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["tables"]


@main.command()
@click.argument("folder", type=PATH, shell_complete=values.folders)
@click.option(
    "--out",
    type=PATH,
    shell_complete=values.folders,
    help="Folder in which the year's folder is made.  [default: tables, beside FOLDER]",
)
@click.option(
    "--format",
    "forms",
    type=click.Choice(["csv", "xlsx"]),
    multiple=True,
    help="csv: a file a table, a row a figure; xlsx: one workbook, a sheet a table; may be repeated, both without it.",
)
@QUIET
def tables(folder: Path, out: Path | None, forms: tuple[str, ...], quiet: bool) -> None:
    """Write the published tables as the records of a year give them, printed as the statisticians would.

    FOLDER is that of a generated year, such as outputs/2023, or of several years. Every figure that was ever published
    and can be counted is there, rounded and hidden as in the year of the files or the nearest one. Write your own
    code, and check it against them.
    """
    from synth.tabulate.run import FORMATS, tabulate  # noqa: PLC0415

    for made in tabulate(folder, out, forms or FORMATS):
        if quiet:
            continue
        standard = made.standard
        for note in standard.notes:
            click.echo(legible(f"Left out: {note}"))
        hidden = sum(entry.shown is None for entry in standard.entries)
        projection = ", a projection" if standard.projected else ""
        counts = f"{len(standard.by_table())} tables, {len(standard.entries):,} figures, {hidden:,} hidden"
        click.echo(legible(f"{standard.year}{projection}: {counts}. Written to {made.folder}."))
