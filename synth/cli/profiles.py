"""Commands about the profile: show it, check it, fit it anew."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from synth.cli import values
from synth.cli.group import FORMAT, PROFILE, QUIET, YEAR, main
from synth.cli.kinds import PATH
from synth.cli.progress import Steps
from synth.cli.words import legible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fit", "profile"]


@main.group()
def profile() -> None:
    """Look at the profile that drives the simulation; `synth fit` makes it."""


@profile.command("show")
@YEAR
@PROFILE
@FORMAT
def profile_show(year: int, profile: Path | None, form: str) -> None:
    """List parameters and levels of a year with value, basis and source."""
    from synth.profile import load_profile  # noqa: PLC0415
    from synth.profile.text import profile_json, profile_text  # noqa: PLC0415

    loaded = load_profile(profile)
    click.echo(profile_json(loaded, year) if form == "json" else legible(profile_text(loaded, year)))


@profile.command("check")
@PROFILE
def profile_check(profile: Path | None) -> None:
    """Check that every number has a basis and that levels, figures and targets agree; exit code 1 if not."""
    from synth.profile import load_profile  # noqa: PLC0415
    from synth.profile.check import check_profile, counts_text  # noqa: PLC0415

    loaded = load_profile(profile)
    findings = check_profile(loaded)
    for finding in findings:
        click.echo(legible(str(finding)))
    click.echo(legible(f"Profile {loaded.name}: {counts_text(loaded)}."))
    click.echo(f"Findings: {len(findings)}." if findings else "Nothing found.")
    sys.exit(1 if findings else 0)


@main.command()
@click.option(
    "--published",
    type=PATH,
    shell_complete=values.folders,
    help="Folder of published tables; the built-in one without it.",
)
@click.option(
    "--behaviour",
    type=PATH,
    help="File of behaviour parameters to start from; the built-in one without it.",
)
@click.option(
    "--out",
    type=PATH,
    help="Where to write the profile; without it the built-in one is replaced, or with --hold-out none written.",
)
@click.option("--hold-out", multiple=True, metavar="TABLE", help="Leave a table out (T16, or 'T16 measure'); repeat.")
@click.option("--year", type=int, shell_complete=values.years, help="With --hold-out: report this year only.")
@QUIET
def fit(
    published: Path | None,
    behaviour: Path | None,
    out: Path | None,
    hold_out: tuple[str, ...],
    year: int | None,
    quiet: bool,
) -> None:
    """Fit the profile to the published tables.

    Prints what the targets miss and how near behaviour comes to each figure. With --hold-out also how well the tables
    left out are predicted.
    """
    from synth.build import is_profile, write_built_in, write_profile  # noqa: PLC0415
    from synth.files import check_file  # noqa: PLC0415
    from synth.fit.report import fit_text, prediction_text  # noqa: PLC0415
    from synth.fit.run import fit as fit_profile  # noqa: PLC0415
    from synth.profile.loading import BUILT_IN  # noqa: PLC0415
    from synth.published import profiles_dir  # noqa: PLC0415

    here = profiles_dir()
    if out is not None:
        check_file(out, is_profile)
    tables = published or here / "published"
    with Steps(quiet) as tick:
        found = fit_profile(tables, behaviour or here / "behaviour.json", hold_out=hold_out, tick=tick)
    place = out or (None if hold_out else here / BUILT_IN)
    if place:
        (write_profile if out else write_built_in)(found.profile, place)
    if quiet:
        return
    click.echo(legible(fit_text(found)))
    if hold_out:
        with Steps(quiet) as tick:
            click.echo(prediction_text(found.profile, tables, hold_out, year, tick))
    if place:
        click.echo(legible(f"Written to {place}."))
