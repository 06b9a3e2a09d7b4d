"""Commands that show what was generated: report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from synth.cli import values
from synth.cli.group import MADE_WITH, main
from synth.cli.kinds import PATH
from synth.cli.words import legible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["report"]


@main.command()
@click.argument("folder", type=PATH, shell_complete=values.folders)
@click.option("--out", type=PATH, help="The file to write.  [default: report.html in FOLDER]")
@click.option("--lang", type=click.Choice(["en", "cy"]), default="en", show_default=True, help="Language shown first.")
@MADE_WITH
def report(folder: Path, out: Path | None, lang: str, profile: Path | None) -> None:
    """Write a report that can be looked at: one HTML file, offline, in English and Welsh.

    FOLDER is that of a generated year, or of several. The report shows counts, rates and flows beside the published
    ones, every published cell inside or outside its interval, what the validator found and what is assumed.
    """
    from synth.files import REPORT  # noqa: PLC0415
    from synth.profile import load_profile  # noqa: PLC0415
    from synth.report import write_report  # noqa: PLC0415

    path = out or folder / REPORT
    facts = write_report(folder, load_profile(profile), path, lang)
    years = f"{facts.years[0].year} to {facts.latest.year}" if facts.panel else f"{facts.latest.year}"
    click.echo(legible(f"Written to {path}: {years}, {path.stat().st_size / 1e6:.1f} MB. Open it in a browser."))
