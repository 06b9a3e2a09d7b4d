"""Commands that make records and show them: generate and show."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from synth.cli import values
from synth.cli.beside import FORMATS, PEOPLE, SLIPS, beside
from synth.cli.extracting import EXTRACT, QUIRKS, extraction
from synth.cli.group import COLLECTION, PROFILE, QUIET, main
from synth.cli.kinds import PATH, PLACE
from synth.cli.progress import Progress
from synth.cli.words import legible
from synth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.checker import Checked, Checker

__all__ = ["generate", "show"]


@main.command()
@click.option(
    "--authorities",
    default="22",
    show_default=True,
    metavar="N|LIST",
    shell_complete=values.authorities,
    help="The first N in official order (22: all), or names (English or Welsh), ONS or three-digit codes.",
)
@click.option(
    "--year",
    type=int,
    shell_complete=values.years,
    help="Collection year: that of the 31 March on which it ends.",
)
@click.option(
    "--years",
    metavar="FIRST-LAST",
    shell_complete=values.years_from_to,
    help="A panel: these years of the same children, a folder each.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=None,
    help="Another seed, another Wales; fixed if not given.",
)
@click.option(
    "--mode",
    type=click.Choice(["exact", "sampled"]),
    default="exact",
    show_default=True,
    help="exact: published cells are reproduced; sampled: a year that might have been, cells vary by chance.",
)
@COLLECTION
@click.option(
    "--out",
    type=PLACE,
    shell_complete=values.folders,
    help="Folder in which the year's folder is made (outputs); with --scale the dataset itself (outputs/worlds), which"
    " may be a URL such as s3://bucket/worlds.",
)
@PEOPLE
@SLIPS
@click.option("--world", type=click.IntRange(min=1), default=1, help="Another world: Wales with other children.")
@click.option("--scale", type=click.IntRange(min=1), metavar="K", help="A dataset of the worlds 1 to K.")
@FORMATS
@click.option("--by-authority", is_flag=True, help="With --scale: a folder for each authority of a world.")
@click.option("--workers", type=click.IntRange(min=1), help="With --scale: processes at work.  [all cores]")
@click.option("--dask", metavar="ADDRESS", help="With --scale: workers of the dask cluster at tcp://HOST:PORT instead.")
@EXTRACT
@QUIRKS
@PROFILE
@QUIET
def generate(
    authorities: str,
    year: int | None,
    years: str | None,
    seed: int | None,
    mode: str,
    collection: str,
    out: str | None,
    people: bool,
    slips: float,
    world: int,
    scale: int | None,
    formats: tuple[str, ...],
    by_authority: bool,
    workers: int | None,
    dask: str | None,
    extract: str | None,
    quirks: bool,
    profile: Path | None,
    quiet: bool,
) -> None:
    """Generate both returns of one year, or of several years of the same children.

    With --scale it is a dataset of many worlds: Wales again and again, each time with other children. The same command
    goes on where a stopped one was.
    """
    # A polite kill unwinds like an interrupt, so that no unfinished folder stays.
    signal.signal(signal.SIGTERM, _stopped)
    wanted = _wanted(year, years)
    check: Checker | None = None
    if scale is None:
        from synth.checker import checker  # noqa: PLC0415

        # The checker loads its tables and rules while this process loads all the rest.
        check = click.get_current_context().with_resource(checker(wanted[0]))

    from synth.files import DATAPACKAGE, FILES, MANIFEST, METADATA  # noqa: PLC0415
    from synth.formats import parse_formats  # noqa: PLC0415
    from synth.geography.authorities import parse_authorities  # noqa: PLC0415
    from synth.lives.homes import MOST_WORLDS  # noqa: PLC0415
    from synth.main_job import DEFAULT_SEED, generate_panel  # noqa: PLC0415
    from synth.manifest import command_of  # noqa: PLC0415
    from synth.profile import load_profile  # noqa: PLC0415

    asked = parse_formats(formats)
    if world > MOST_WORLDS:
        raise InputError(f"--world {world}: there are the worlds 1 to {MOST_WORLDS:,}; choose one.")
    chosen = parse_authorities(authorities)
    loaded = load_profile(profile)
    seed = DEFAULT_SEED if seed is None else seed
    codes = [authority.code for authority in chosen]
    place, command = Path(out or "outputs"), command_of(codes, "--year {year}", seed, mode, collection, world - 1)
    more = beside(asked, people, slips, scale is not None)
    extracting = extraction(extract, quirks, scale is not None, place, wanted, seed, command, loaded)
    if scale is not None:
        from synth.cli.scaling import generate_worlds  # noqa: PLC0415
        from synth.scale import Plan  # noqa: PLC0415

        if world != 1:
            raise InputError("--world names one world and --scale makes the first K; give one of them.")
        form: Literal["csv", "parquet"] = "parquet" if "parquet" in asked else "csv"
        plan = Plan(tuple(codes), tuple(wanted), scale, seed, mode, collection, form, by_authority)
        generate_worlds(plan.checked(loaded), loaded, out or "outputs/worlds", workers, dask, quiet)
        return
    for option, given in (
        ("--by-authority", by_authority),
        ("--workers", workers),
        ("--dask", dask),
        ("--out URL", "://" in (out or "")),
    ):
        if given:
            raise InputError(f"{option} goes with --scale; --scale 1 gives a dataset of one world.")
    with Progress(quiet, wanted[-1] - loaded.warm_up_from) as tick:
        written = generate_panel(
            loaded, chosen, wanted, seed=seed, mode=mode, out=place, command=command + more.options,
            collection=collection, tick=tick, world=world - 1, beside=more.writer(loaded, seed), check=check,
        )  # fmt: skip
    extracted = [] if extracting is None else [extracting.write([w.made for w in written])]
    if quiet:
        return
    from synth.manifest import in_short  # noqa: PLC0415
    from synth.summary import panel_text, summary_text  # noqa: PLC0415

    if years is None:
        click.echo(summary_text(written[0].made, loaded))
    else:
        click.echo(panel_text([w.made for w in written], loaded))
    click.echo(_checked([w.checked for w in written]))
    places = legible(", ".join(str(w.folder) for w in written))
    files = f"{len(FILES)} files, {DATAPACKAGE}, {METADATA} and {MANIFEST} each"
    click.echo(f"Written to {places} ({files}), seed {seed}.")
    for line in (*more.told(), *extracted):
        click.echo(legible(line))
    click.echo(legible(in_short(loaded)))


def _stopped(*_: object) -> NoReturn:
    """Say that the run was ended, and end it as an interrupt does."""
    # Written as it is: a signal may come while something else is being printed.
    os.write(2, b"synth: ended; what was not finished has been removed.\n")
    sys.exit(143)


def _wanted(year: int | None, years: str | None) -> list[int]:
    """Return the years asked for, rising: one, or from the first to the last of a span."""
    if (year is None) == (years is None):
        raise InputError("Name one year (--year 2023) or several (--years 2018-2023).")
    if year is not None:
        return [year]
    first, dash, last = (part.strip() for part in str(years).partition("-"))
    if not (first.isascii() and first.isdigit() and dash and last.isascii() and last.isdigit()):
        raise InputError(f"--years {years}: expected the first and the last year, such as 2018-2023.")
    if max(len(first), len(last)) > len("2023"):
        # A span of such years would not fit into the memory.
        raise InputError(f"--years {years}: a year has four digits; write the first and the last, such as 2018-2023.")
    if int(first) > int(last):
        raise InputError(f"--years {years}: the first year is later than the last; write {last}-{first}.")
    return list(range(int(first), int(last) + 1))


def _checked(found: Sequence[Checked]) -> str:
    """Say how the files passed their check; what is only queried of whole authorities is named."""
    passed = sum(checked.passed for checked in found)
    queried = sorted({rule for checked in found for rule in checked.queried})
    if not queried:
        return f"Read back and checked: {passed:,} rules passed, none found anything."
    return (
        f"Read back and checked: {passed:,} rules passed, none found a wrong row; "
        f"queried of whole authorities, as real returns are: {', '.join(queried)}."
    )


@main.command()
@click.argument("child", required=False)
@click.option(
    "--from",
    "folder",
    type=PATH,
    shell_complete=values.folders,
    help="Folder of a generated year; the latest in outputs without it.",
)
@click.option(
    "--random", "count", type=click.IntRange(min=1), help="Show this many children instead, picked at random."
)
@click.option("--seed", type=int, default=0, show_default=True, help="For --random: which ones.")
@click.option("--looked-after", is_flag=True, help="For --random: only children in the CLA return.")
def show(child: str | None, folder: Path | None, count: int | None, seed: int, looked_after: bool) -> None:
    """Print one child's life, as the returns tell it, as a readable timeline.

    CHILD is the local identifier (SYN...). The name shown is that of people/children.csv beside the
    returns; where there is no such file it is made up here for reading.
    """
    from synth.show.folder import latest_folder, pick  # noqa: PLC0415
    from synth.show.timeline import timelines  # noqa: PLC0415

    place = latest_folder(Path("outputs")) if folder is None else folder
    if (child is None) == (count is None):
        raise InputError("Name one child (synth show SYN...) or ask for some (synth show --random 5), not both.")
    chosen = [child.strip().upper()] if child is not None else pick(place, count or 1, seed, looked_after)
    click.echo(legible("\n\n".join(timelines(place, chosen))))
