"""The part of validate and fidelity that looks at datasets of worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from synth.cli.progress import Partitions
from synth.cli.words import legible
from synth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from synth.fidelity.worlds_report import WorldsReport
    from synth.profile import Profile

__all__ = ["check_alone", "check_no_workers", "fidelity_worlds", "validate_worlds"]


def check_alone(dataset: Path, paths: Sequence[Path], asked: Mapping[str, object]) -> None:
    """Refuse what makes no sense for a dataset: other paths beside it, and options about single files."""
    if len(paths) > 1:
        raise InputError(f"{dataset} is a dataset of worlds; name it alone, or name folders of files.")
    for option, given in asked.items():
        if given:
            raise InputError(
                f"{option} goes with files of one year; a dataset says itself what it holds, and its years stand beside"
                f" each other. Take the option out, or name one partition of {dataset}."
            )


def check_no_workers(workers: int | None) -> None:
    """Refuse --workers where there is nothing to share out."""
    if workers:
        raise InputError("--workers goes with a dataset of worlds; files of one year are read by one process.")


def validate_worlds(dataset: Path, form: str, *, strict: bool, rows: int, workers: int | None) -> int:
    """Check a dataset and print what was found, findings as CSV while they are found; return the exit code."""
    from synth.validate import formats as printing  # noqa: PLC0415
    from synth.validate import validate_dataset  # noqa: PLC0415

    headings = iter((True,))

    def printed(findings: pl.DataFrame) -> None:
        # Not before the first partition: a dataset that is not whole gets a message and nothing else.
        click.echo(printing.csv_of(findings, headings=next(headings, False)), nl=False)

    # A rule that found something has at least one row that says what it was about.
    keep = {"text": max(rows, 1), "json": printing.LISTED, "csv": 1}.get(form, printing.SHOWN)
    with Partitions(parts="Worlds") as tick:
        report = validate_dataset(
            dataset,
            strict=strict,
            keep=keep,
            workers=workers,
            each=printed if form == "csv" else None,
            tick=tick,
        )
    if form == "text":
        click.echo(legible(report.to_text(rows)), nl=False)
    elif form != "csv":
        printer = {"json": printing.to_json, "junit": printing.to_junit, "html": printing.to_html}[form]
        click.echo(printer(report), nl=False)
    return report.exit_code


def fidelity_worlds(dataset: Path, profile: Profile, workers: int | None) -> WorldsReport:
    """Hold a dataset against the published cells of its years."""
    from synth.fidelity.worlds import fidelity_of_worlds  # noqa: PLC0415

    with Partitions(parts="Worlds") as tick:
        return fidelity_of_worlds(dataset, profile, workers=workers, tick=tick)
