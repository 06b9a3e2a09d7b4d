"""The command that looks at the machine, the packages and the tables: doctor."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from synth.cli import values
from synth.cli.group import FORMAT, main
from synth.cli.words import legible

__all__ = ["doctor"]


@main.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("outputs"),
    show_default=True,
    shell_complete=values.folders,
    help="The folder that is to be written to.",
)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    type=click.Path(path_type=Path),
    shell_complete=values.profiles,
    help="A profile or overlay to be checked beside the built-in one; may be repeated.",
)
@FORMAT
def doctor(out: Path, profiles: tuple[Path, ...], form: str) -> None:
    """Say whether all is there that synth needs: packages, folders, disk, memory, encoding, profiles, guidance.

    Each line is ok, note (works, with less than there could be) or problem, with the next step below it. Nothing is
    sent or asked for over a network. Exit code 0: no problem; 1: problems.
    """
    from synth.doctor import examine, to_json, to_text  # noqa: PLC0415

    findings = examine(out, profiles)
    # Names of folders may hold letters that cannot be printed here, which is one of the things to be told.
    printed = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = to_json(findings) if form == "json" else legible(to_text(findings))
    click.echo(text.encode(printed, "backslashreplace").decode(printed), nl=False)
    sys.exit(int(any(finding.status == "problem" for finding in findings)))
