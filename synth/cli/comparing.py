"""Commands that need SDMetrics or SDV: compare and learn."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from synth.cli.group import formats, main
from synth.errors import OutputError

__all__ = ["compare"]


@main.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option(
    "--form", "forms", multiple=True, metavar="FORM", help="A form (crcs, child, episode, ...); repeat.  [all]"
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
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Pairs of columns count from this association in A (Cramer's V) on; 0: every pair.",
)
@click.option(
    "--min-quality", type=click.FloatRange(0, 1), help="Exit with 1 where a return has a lower quality.  [none]"
)
@click.option("--out", type=click.Path(path_type=Path), help="The file to write, instead of printing.")
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

    found = compare_folders(a, b, forms=forms, sample=sample, association=association)
    text = {"text": printing.to_text, "json": printing.to_json, "html": printing.to_html}[form](found)
    if out is None:
        click.echo(text, nl=False)
    else:
        _write(text, out)
        click.echo(f"Written to {out}.")
    sys.exit(int(min_quality is not None and found.lowest_quality < min_quality))


def _write(text: str, out: Path) -> None:
    """Write a file that is whole or not there; OutputError where the disk refuses."""
    beside = out.with_name(f"{out.name}.part")
    try:
        beside.write_text(text, "utf-8", newline="\n")
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(f"{out}: cannot be written ({error.strerror}). Name another file with --out.") from None
