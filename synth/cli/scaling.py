"""The part of generate that makes datasets of many worlds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from synth.cli.progress import Partitions
from synth.cli.words import legible
from synth.errors import InputError

if TYPE_CHECKING:
    from synth.profile import Profile
    from synth.scale import Plan

__all__ = ["generate_worlds"]


def generate_worlds(plan: Plan, profile: Profile, out: str, workers: int | None, dask: str | None, quiet: bool) -> None:
    """Make a dataset, or what is missing of it, here or on the dask cluster at an address, and say what there is.

    `out` is a path or a URL.
    """
    from synth.manifest import in_short  # noqa: PLC0415
    from synth.scale import Job, make_dataset, store_at  # noqa: PLC0415

    if dask is not None and workers is not None:
        raise InputError("--workers are processes of this machine and --dask has workers of its own; give one of them.")
    store = store_at(out)
    if not store.shared:
        raise InputError(f"--out {out}: what is there ends with this command; give a path or another URL.")
    job = Job(plan, profile, store)
    if dask is not None:
        from synth.scale.cluster import cluster_at  # noqa: PLC0415

        with cluster_at(dask) as run, Partitions(quiet) as tick:
            made = make_dataset(job, run=run, tick=tick)
    else:
        with Partitions(quiet) as tick:
            made = make_dataset(job, workers=workers or os.cpu_count() or 1, tick=tick)
    if quiet:
        return
    rows = ", ".join(f"{count:,} {form.replace('_', ' ')}" for form, count in made.rows.items() if form != "postcodes")
    click.echo(f"{plan.worlds:,} worlds of {len(plan.codes)} authorities, years {', '.join(map(str, plan.years))}.")
    click.echo(f"Rows: {rows}.")
    if made.finished_before:
        click.echo(f"{made.finished_before:,} of {len(made.partitions):,} partitions had been finished before.")
    place = legible(out)
    click.echo(
        f"Written to {place} (year=.../world=..., each with a manifest.json; metadata and a manifest.json for all),"
        f" seed {plan.seed}."
    )
    click.echo(legible(in_short(profile)))
