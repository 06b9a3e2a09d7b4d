"""Commands that need SDMetrics or SDV: compare and learn."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from synth.cli import values
from synth.cli.group import QUIET, formats, main
from synth.cli.kinds import PATH, SHARE
from synth.cli.progress import Steps
from synth.cli.words import legible
from synth.documents import json_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["compare", "learn"]


@main.command()
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option(
    "--form",
    "forms",
    multiple=True,
    metavar="FORM",
    help="A form (crcs, child, episode, ...); repeat.  [all]",
    shell_complete=values.form_names,
)
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=50_000,
    show_default=True,
    help="Children of a return compared at most, at even distances; 0: all.",
)
@click.option(
    "--association",
    type=SHARE,
    default=0.1,
    show_default=True,
    help="Pairs of columns count from this association in A (Cramer's V) on; 0: every pair.",
)
@click.option("--min-quality", type=SHARE, help="Exit with 1 where a return has a lower quality.  [none]")
@click.option("--out", type=PATH, help="The file to write, instead of printing.")
@formats("text", "json", "html", told="; json holds every column and pair")
def compare(
    a: Path,
    b: Path,
    forms: tuple[str, ...],
    sample: int,
    association: float,
    min_quality: float | None,
    out: Path | None,
    form: str,
) -> None:
    """Hold the forms in folder B against those in folder A with the reports of SDMetrics.

    Two seeds, years or releases, or a real return, where it may be, against a synthetic one. Said are scores of items
    and of pairs of items, never rows; nothing leaves this machine. Needs pip install "synth[compare]".

    Exit code 0: compared; 1: a quality is below --min-quality; 2: cannot be read, or nothing to compare.
    """
    from synth.compare import compare as compare_folders  # noqa: PLC0415
    from synth.compare import printing  # noqa: PLC0415
    from synth.files import check_file, write_whole  # noqa: PLC0415

    if out is not None:
        check_file(out, printing.ours)

    found = compare_folders(a, b, forms=forms, sample=sample, association=association)
    text = {"text": printing.to_text, "json": printing.to_json, "html": printing.to_html}[form](found)
    if out is None:
        click.echo(legible(text) if form == "text" else text, nl=False)
    else:
        write_whole(text, out)
        click.echo(legible(f"Written to {out}."))
    sys.exit(int(min_quality is not None and found.lowest_quality < min_quality))


@main.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option("--out", type=PATH, required=True, help="The overlay to write (JSON).")
@click.option(
    "--threshold",
    type=click.IntRange(min=5),
    default=10,
    show_default=True,
    help="Counts of fewer children are hidden, and what follows from them stays as built in.",
)
@click.option(
    "--min-children", type=click.IntRange(min=1), default=500, show_default=True, help="Refuse a return of fewer."
)
@click.option("--authority-level", is_flag=True, help="Allow a return of fewer than three authorities.")
@click.option(
    "--copula",
    type=click.Choice(["sdv", "counts"]),
    default="sdv",
    show_default=True,
    help="Correlations from SDV's Gaussian copula, or from joint counts, without SDV.",
)
@QUIET
def learn(
    paths: tuple[Path, ...],
    out: Path,
    threshold: int,
    min_children: int,
    authority_level: bool,
    copula: str,
    quiet: bool,
) -> None:
    """Learn from a care and support return you hold, where you hold it, as an overlay for --profile.

    How often factors (parents' difficulties, disability, health, register categories) are recorded, by status, need,
    age and sex, and how far they go together: as rounded counts and correlations, small ones hidden. No record leaves,
    and nothing leaves this machine; what leaves with the overlay is for your own disclosure control to say.
    """
    from synth.files import check_file, write_whole  # noqa: PLC0415
    from synth.learn import learn as learn_from  # noqa: PLC0415

    check_file(out, _learned)
    with Steps(quiet) as tick:
        found = learn_from(
            paths,
            threshold=threshold,
            min_children=min_children,
            authority_level=authority_level,
            copula=copula,
            tick=tick,
        )
    write_whole(found.text, out)
    if quiet:
        return
    for note in found.notes:
        click.echo(legible(note))
    click.echo(legible(found.statement["words"]))
    for kind, misses in (("share", found.fitted.shares), ("correlation", found.fitted.correlations)):
        worst = max(misses, key=lambda miss: miss.off, default=None)
        if worst:
            far = f"{worst.name}: {worst.generated:.3f} for {worst.released:.3f}"
            click.echo(f"Generated with it, the {kind} farthest off is {far}.")
    click.echo(
        legible(f"Written to {out}. Try: synth profile check --profile {out}; synth generate --profile {out} ...")
    )


def _learned(content: bytes) -> bool:
    """Say whether a file is an overlay that was learned, not the return itself or an overlay somebody wrote."""
    try:
        told = json_of(content)
        return told["overlay"] is True and str(told["statement"]["made_by"]).startswith("synth ")
    except (ValueError, LookupError, TypeError):
        return False
