"""Commands that check files: validate, spoil, rules, fidelity and guidance."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from synth.cli import values
from synth.cli.datasets import check_alone, check_no_workers, fidelity_worlds, validate_worlds
from synth.cli.group import COLLECTION, FORMAT, LAST_YEAR, MADE_WITH, WORKERS, YEAR, formats, main
from synth.cli.kinds import PATH, SHARE
from synth.cli.words import legible
from synth.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from synth.fidelity.report import Report
    from synth.fidelity.worlds_report import WorldsReport

__all__ = ["fidelity", "guidance", "rules", "spoil", "validate"]


@main.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option(
    "--year",
    type=int,
    shell_complete=values.years,
    help="Collection year, if the files should be held against another than their own.",
)
@click.option("--return", "return_", type=click.Choice(["cla", "crcs"]), help="The return, where headings do not tell.")
@click.option(
    "--form",
    "one_form",
    shell_complete=values.form_names,
    help="The form (child, episode, ...), where headings do not tell.",
)
@LAST_YEAR
@click.option("--strict", is_flag=True, help="Take every rule as stated, also those Welsh guidance does not confirm.")
@click.option("--rows", type=click.IntRange(min=0), default=10, show_default=True, help="In text: rows shown a rule.")
@formats(
    "text",
    "json",
    "csv",
    "junit",
    "html",
    told="; csv and json hold every finding, json of a dataset the first 1,000 of each rule",
)
@WORKERS
def validate(
    paths: tuple[Path, ...],
    year: int | None,
    return_: str | None,
    one_form: str | None,
    last_year: tuple[Path, ...],
    strict: bool,
    rows: int,
    form: str,
    workers: int | None,
) -> None:
    """Check files of a return against the collection guidance: a folder, or files (CSV, XLSX, Parquet).

    Return, form and year are found from headings and content; nothing leaves this machine. A folder of years (2018,
    2019, ...) is checked year by year, each beside the one before; so is a dataset of worlds, once it is found to be
    whole. Exit code 0: no errors (warnings and queries may stand); 1: errors; 2: cannot be read; 3: a rule crashed.
    """
    from synth.reading.dataset import dataset_among  # noqa: PLC0415

    if dataset := dataset_among(paths):
        asked = {"--year": year, "--return": return_, "--form": one_form, "--last-year": last_year}
        check_alone(dataset, paths, asked)
        sys.exit(validate_worlds(dataset, form, strict=strict, rows=rows, workers=workers))
    check_no_workers(workers)
    from synth.validate import formats as printing  # noqa: PLC0415
    from synth.validate import validate as check  # noqa: PLC0415
    from synth.validate import validate_panel, years_of  # noqa: PLC0415

    panel = years_of(paths)
    if panel and year is None and not return_ and not one_form:
        report = validate_panel(panel, last_year=last_year, strict=strict)
    else:
        report = check(paths, year=year, return_=return_, form=one_form, last_year=last_year, strict=strict)
    printed = {
        "text": lambda r: legible(r.to_text(rows)),
        "json": printing.to_json,
        "csv": printing.to_csv,
        "junit": printing.to_junit,
        "html": printing.to_html,
    }
    click.echo(printed[form](report), nl=False)
    sys.exit(report.exit_code)


@main.command()
@click.argument("paths", nargs=-1, type=PATH, metavar="PATH...")
@click.option(
    "--out",
    type=PATH,
    shell_complete=values.folders,
    help="Folder for the spoilt files and answers.csv.",
)
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="SHARE|KIND=SHARE",
    help="Share of the children with a mistake, or of one kind or rule; may be repeated.  [default: 0.02]",
)
@click.option("--kinds", default="", metavar="LIST", help="Kinds of mistake people make, by commas; all.")
@click.option(
    "--rules",
    "rules_",
    default="",
    metavar="LIST",
    shell_complete=values.rule_lists,
    help="Rules to break, by commas: id, form, cla, crcs, all.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Other mistakes, others' rows.")
@LAST_YEAR
@click.option("--list", "listed", is_flag=True, help="List the kinds of mistake and stop.")
def spoil(
    paths: tuple[Path, ...],
    out: Path | None,
    rates: tuple[str, ...],
    kinds: str,
    rules_: str,
    seed: int,
    last_year: tuple[Path, ...],
    listed: bool,
) -> None:
    """Put known mistakes into good files and say which, in answers.csv.

    Each mistake is in another child. Without --kinds and --rules, half are such as people and spreadsheets make and
    half break rules, one after another. Files are written as CSV.
    """
    from synth.spoil import ANSWERS, KINDS  # noqa: PLC0415
    from synth.spoil import spoil as spoil_files  # noqa: PLC0415

    if listed:
        width = max(map(len, KINDS))
        click.echo("\n".join(f"{name:<{width}}  {words}" for name, words in KINDS.items()))
        click.echo(
            "\nRules can be broken too: --rules CLA053,CRCS-024, a form, cla, crcs or all; `synth rules` lists them."
        )
        return
    if not paths or out is None:
        raise InputError(
            "Name the good files, and a folder for the spoilt: synth spoil outputs/2023 --out spoilt/2023."
        )
    made = spoil_files(
        paths, out, rates=rates, kinds=_names(kinds), rules=_names(rules_), seed=seed, last_year=last_year
    )
    for note in made.notes:
        click.echo(legible(note))
    counts = made.counts()
    click.echo(" times  mistake or rule broken")
    click.echo("\n".join(f"{number:>6,}  {name}" for name, number in counts.items()))
    written = f"Written to {made.folder}; {ANSWERS} says where each is."
    click.echo(legible(f"{sum(counts.values()):,} mistakes, seed {seed}. {written}"))


@main.command()
@click.argument("ids", nargs=-1, metavar="[RULE...]", shell_complete=values.rule_ids)
@click.option("--year", type=int, default=2024, show_default=True, shell_complete=values.years, help="Collection year.")
@click.option("--return", "return_", type=click.Choice(["cla", "crcs"]), help="Rules of one return.")
@formats("text", "json", "markdown", told="; markdown gives whole pages")
def rules(ids: tuple[str, ...], year: int, return_: str | None, form: str) -> None:
    """List the rules of a year, or explain some of them with a worked example that passes and one that fails."""
    from synth.explain import explained, listed, pages, to_json  # noqa: PLC0415

    if form == "json":
        click.echo(to_json(year, return_, ids))
    elif form == "markdown":
        click.echo(pages(year, return_, ids), nl=False)
    else:
        click.echo(explained(year, ids) if ids else listed(year, return_))


def _names(given: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",") if name.strip())


@main.command()
@click.argument("path", type=PATH, shell_complete=values.folders)
@formats("text", "csv", "json", told="; csv and json hold every cell")
@click.option(
    "--min-inside",
    type=SHARE,
    default=0.99,
    show_default=True,
    help="Exit with 1 where a smaller share of the fitted cells lies inside.",
)
@click.option("--all", "all_cells", is_flag=True, help="In text: list every cell, not only the misses.")
@MADE_WITH
@WORKERS
def fidelity(
    path: Path, form: str, min_inside: float, all_cells: bool, profile: Path | None, workers: int | None
) -> None:
    """Hold the files of a generated year against every published cell.

    Of a dataset of worlds each cell is held against all worlds: mean, lowest and highest figure, share inside.

    Exit code 0: enough of the fitted cells lie inside their intervals; 1: too few, or the files were made with
    another profile than the one at hand (--profile names theirs); 2: cannot be read.
    """
    from synth.fidelity.run import fidelity  # noqa: PLC0415
    from synth.profile import load_profile  # noqa: PLC0415
    from synth.reading.dataset import dataset_among  # noqa: PLC0415

    report: Report | WorldsReport
    if dataset_among([path]):
        report = fidelity_worlds(path, load_profile(profile), workers)
    else:
        check_no_workers(workers)
        report = fidelity(path, load_profile(profile))
    if form == "text":
        click.echo(legible(report.to_text(all_cells=all_cells)), nl=False)
    else:
        click.echo(report.to_csv() if form == "csv" else report.to_json(), nl=False)
    sys.exit(report.exit_code(min_inside))


@main.command()
@click.option("--return", "return_", type=click.Choice(["cla", "crcs"]), required=True, help="Which return.")
@YEAR
@COLLECTION
@FORMAT
def guidance(return_: str, year: int, collection: str, form: str) -> None:
    """Print the guidance in force: forms, items, code sets, limits, combinations, rule statements."""
    import json  # noqa: PLC0415

    from synth.guidance import load  # noqa: PLC0415
    from synth.guidance.listing import listing, listing_text  # noqa: PLC0415

    loaded = load(return_, year, collection)
    click.echo(json.dumps(listing(loaded), indent=2, ensure_ascii=False) if form == "json" else listing_text(loaded))
