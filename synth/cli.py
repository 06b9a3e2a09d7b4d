"""The command line: parsing, progress and printing only. Everything heavy is imported inside the commands."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synth import __version__
from synth.errors import InputError, SynthError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]

_YEAR = click.option("--year", type=int, required=True, help="Collection year: that of the 31 March on which it ends.")
_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
_PROFILE = click.option(
    "--profile",
    type=click.Path(path_type=Path),
    help="Profile or overlay file (JSON); the built-in one without it.",
)


class _Commands(click.Group):
    """Turns the package's own errors into one message on standard error and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  as click declares it
        try:
            return super().invoke(ctx)
        except SynthError as error:
            click.echo(f"synth: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            # The reader (head, less) has seen enough.
            sys.stderr.close()
            ctx.exit(0)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="synth")
def main() -> None:
    """Wholly synthetic records for the Welsh children's social care returns.

    Children Receiving Care and Support (CRCS) and Children Looked After (CLA), simulated from published figures. No
    real record is used anywhere.
    """


@main.command()
@click.option(
    "--authorities",
    default="22",
    show_default=True,
    metavar="N|LIST",
    help="The first N in official order (22: all), or names (English or Welsh), ONS or three-digit codes.",
)
@_YEAR
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
@click.option("--out", type=click.Path(path_type=Path), default=Path("outputs"), show_default=True,
              help="Folder in which the year's folder is made.")  # fmt: skip
@_PROFILE
@click.option("--quiet", is_flag=True, help="Print nothing unless something is wrong.")
def generate(
    authorities: str, year: int, seed: int | None, mode: str, out: Path, profile: Path | None, quiet: bool
) -> None:
    """Generate both returns of one year."""
    from synth.files import FILES  # noqa: PLC0415
    from synth.generate import DEFAULT_SEED, generate  # noqa: PLC0415
    from synth.geography.authorities import parse_authorities  # noqa: PLC0415
    from synth.profile import load_profile  # noqa: PLC0415

    # A polite kill unwinds like an interrupt, so that no unfinished folder stays.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = parse_authorities(authorities)
    loaded = load_profile(profile)
    seed = DEFAULT_SEED if seed is None else seed
    command = f"synth generate --authorities {','.join(a.code for a in chosen)} --year {year} --seed {seed}"
    if mode != "exact":
        command += f" --mode {mode}"
    with _progress(quiet, year - loaded.warm_up_from) as tick:
        folder, made, report = generate(loaded, chosen, year, seed=seed, mode=mode, out=out, command=command, tick=tick)
    if quiet:
        return
    from synth.summary import summary_text  # noqa: PLC0415

    click.echo(summary_text(made, loaded))
    counts = report.counts()
    click.echo(f"Read back and checked: {counts['passed']} rules passed, none found anything.")
    click.echo(f"Written to {folder} ({len(FILES)} files and manifest.json), seed {seed}.")
    click.echo("Wholly synthetic: no real record was used. See manifest.json for what the files may be used for.")


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--year", type=int, help="Collection year, if the files should be held against another than their own.")
@_FORMAT
def validate(path: Path, year: int | None, form: str) -> None:
    """Check the files in a folder against the collection guidance.

    Exit code 0: nothing found; 1: something found; 2: cannot be read; 3: a rule crashed.
    """
    from synth.validate import validate_folder  # noqa: PLC0415

    report = validate_folder(path, year)
    click.echo(report.to_json() if form == "json" else report.to_text())
    sys.exit(report.exit_code)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="How to print it; csv and json hold every cell.",
)
@click.option(
    "--min-inside",
    type=click.FloatRange(0, 1),
    default=0.99,
    show_default=True,
    help="Exit with 1 where a smaller share of the fitted cells lies inside.",
)
@click.option("--all", "all_cells", is_flag=True, help="In text: list every cell, not only the misses.")
@click.option(
    "--profile", type=click.Path(path_type=Path), help="The profile the files were made with, if not the built-in one."
)
def fidelity(path: Path, form: str, min_inside: float, all_cells: bool, profile: Path | None) -> None:
    """Hold the files of a generated year against every published cell.

    Exit code 0: enough of the fitted cells lie inside their intervals; 1: too few, or the files were made with
    another profile than the one at hand (--profile names theirs); 2: cannot be read.
    """
    from synth.fidelity.run import fidelity  # noqa: PLC0415
    from synth.profile import load_profile  # noqa: PLC0415

    report = fidelity(path, load_profile(profile))
    if form == "text":
        click.echo(report.to_text(all_cells=all_cells), nl=False)
    else:
        click.echo(report.to_csv() if form == "csv" else report.to_json(), nl=False)
    sys.exit(report.exit_code(min_inside))


@main.command()
@click.option("--return", "return_", type=click.Choice(["cla", "crcs"]), required=True, help="Which return.")
@_YEAR
@_FORMAT
def guidance(return_: str, year: int, form: str) -> None:
    """Print the guidance in force: forms, items, code sets, limits, combinations, rule statements."""
    import json  # noqa: PLC0415

    from synth.guidance import load  # noqa: PLC0415
    from synth.guidance.listing import listing, listing_text  # noqa: PLC0415

    loaded = load(return_, year)
    click.echo(json.dumps(listing(loaded), indent=2, ensure_ascii=False) if form == "json" else listing_text(loaded))


@main.group()
def profile() -> None:
    """Look at the profile that drives the simulation; `synth fit` makes it."""


@profile.command("show")
@_YEAR
@_PROFILE
@_FORMAT
def profile_show(year: int, profile: Path | None, form: str) -> None:
    """List parameters and levels of a year with value, basis and source."""
    from synth.profile import load_profile  # noqa: PLC0415
    from synth.profile.text import profile_json, profile_text  # noqa: PLC0415

    loaded = load_profile(profile)
    click.echo(profile_json(loaded, year) if form == "json" else profile_text(loaded, year))


@profile.command("check")
@_PROFILE
def profile_check(profile: Path | None) -> None:
    """Check that every number has a basis and that levels, figures and targets agree; exit code 1 if not."""
    from synth.profile import load_profile  # noqa: PLC0415
    from synth.profile.check import check_profile, counts_text  # noqa: PLC0415

    loaded = load_profile(profile)
    findings = check_profile(loaded)
    for finding in findings:
        click.echo(finding)
    click.echo(f"Profile {loaded.name}: {counts_text(loaded)}.")
    click.echo(f"Findings: {len(findings)}." if findings else "Nothing found.")
    sys.exit(1 if findings else 0)


@main.command()
@click.option(
    "--published",
    type=click.Path(path_type=Path),
    help="Folder of published tables; the built-in one without it.",
)
@click.option(
    "--behaviour",
    type=click.Path(path_type=Path),
    help="File of behaviour parameters to start from; the built-in one without it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where to write the profile; without it the built-in one is replaced, or with --hold-out none written.",
)
@click.option("--hold-out", multiple=True, metavar="TABLE", help="Leave a table out (T16, or 'T16 measure'); repeat.")
@click.option("--year", type=int, help="With --hold-out: report this year only.")
@click.option("--quiet", is_flag=True, help="Print nothing unless something is wrong.")
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
    # Before numpy is loaded: the fit solves many small systems, on which threads mostly wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from synth.build import write_profile  # noqa: PLC0415
    from synth.fit.report import fit_text, prediction_text  # noqa: PLC0415
    from synth.fit.run import fit as fit_profile  # noqa: PLC0415
    from synth.published import profiles_dir  # noqa: PLC0415

    here = profiles_dir()
    tables = published or here / "published"
    with _steps(quiet) as tick:
        found = fit_profile(tables, behaviour or here / "behaviour.json", hold_out=hold_out, tick=tick)
    place = out or (None if hold_out else here / "wales.json")
    if place:
        write_profile(found.profile, place)
    if quiet:
        return
    click.echo(fit_text(found))
    if hold_out:
        with _steps(quiet) as tick:
            click.echo(prediction_text(found.profile, tables, hold_out, year, tick))
    if place:
        click.echo(f"Written to {place}.")


@main.command()
@click.argument("child", required=False)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of a generated year; the latest in outputs without it.",
)
@click.option(
    "--random", "count", type=click.IntRange(min=1), help="Show this many children instead, picked at random."
)
@click.option("--seed", type=int, default=0, show_default=True, help="For --random: which ones.")
@click.option("--looked-after", is_flag=True, help="For --random: only children in the CLA return.")
def show(child: str | None, folder: Path | None, count: int | None, seed: int, looked_after: bool) -> None:
    """Print one child's life, as the returns tell it, as a readable timeline.

    CHILD is the local identifier (SYN...). The name shown is made up here for reading; it stands in no file.
    """
    from synth.show.timeline import latest_folder, pick, timelines  # noqa: PLC0415

    place = latest_folder(Path("outputs")) if folder is None else folder
    if (child is None) == (count is None):
        raise InputError("Name a child (synth show SYN...) or ask for some (synth show --random 5).")
    chosen = [child] if child is not None else pick(place, count or 1, seed, looked_after)
    click.echo("\n\n".join(timelines(place, chosen)))


class _progress:  # noqa: N801  used as a function: with _progress(...) as tick
    """A progress bar on standard error while years are simulated; nothing when quiet or not on a terminal."""

    def __init__(self, quiet: bool, years: int) -> None:
        self.bar: Any = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

            self.bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self.task = self.bar.add_task("Simulating", total=years + 1)

    def __enter__(self) -> Callable[[int], None]:
        if self.bar:
            self.bar.start()
        return self._tick

    def _tick(self, year: int) -> None:
        if self.bar:
            self.bar.update(self.task, advance=1, description=f"Simulating lives to 31 March {year}")

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()


class _steps:  # noqa: N801  used as a function: with _steps(...) as tick
    """Steps of a long job on standard error, with the seconds since it began; nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet

    def __enter__(self) -> Callable[[str], None]:
        import time  # noqa: PLC0415

        self.start = time.monotonic()
        return self._tick

    def _tick(self, step: str) -> None:
        import time  # noqa: PLC0415

        if not self.quiet:
            click.echo(f"{time.monotonic() - self.start:6.1f} s  {step}", err=True)

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""
