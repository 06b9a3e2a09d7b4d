"""The part of generate that makes datasets of many worlds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from synth.cli.progress import Partitions

if TYPE_CHECKING:
    from synth.profile import Profile
    from synth.scale import Plan

__all__ = ["generate_worlds"]


def generate_worlds(plan: Plan, profile: Profile, out: str, workers: int | None, quiet: bool) -> None:
    """Make a dataset, or what is missing of it, and say what there is.

    `out` is a path or a URL.
    """
    from synth.scale import Job, make_dataset, store_at  # noqa: PLC0415

    job = Job(plan, profile, store_at(out))
    with Partitions(quiet) as tick:
        made = make_dataset(job, workers=workers or os.cpu_count() or 1, tick=tick)
    if quiet:
        return
    rows = ", ".join(f"{count:,} {form.replace('_', ' ')}" for form, count in made.rows.items() if form != "postcodes")
    click.echo(f"{plan.worlds:,} worlds of {len(plan.codes)} authorities, years {', '.join(map(str, plan.years))}.")
    click.echo(f"Rows: {rows}.")
    if made.finished_before:
        click.echo(f"{made.finished_before:,} of {len(made.partitions):,} partitions had been finished before.")
    click.echo(f"Written to {out} (year=.../world=..., each with a manifest.json, and one for all), seed {plan.seed}.")
    click.echo("Wholly synthetic: no real record was used. See manifest.json for what the files may be used for.")
