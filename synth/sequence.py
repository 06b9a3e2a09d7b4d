"""A child's episodes one after another: what stands before and after each, and what a period of care led to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["NEIGHBOURS", "adoptions", "in_order", "with_neighbours"]

NEIGHBOURS = ("number", "start", "end", "reason", "finish", "legal", "need", "placement", "postcode")
"""Columns of an episode that are set beside its neighbours."""


def adoptions(rows: pl.DataFrame, children: pl.DataFrame) -> pl.DataFrame:
    """Return first_adoptive and first_order of the few children (who) who have either in their last period."""
    placed = pl.col("placement").is_in(["A3", "A4", "A5", "A6"])
    few = rows.filter(placed | (pl.col("legal") == "E1")).select(
        "who", "start", "period", "first", "reason", adoptive=placed, ordered=pl.col("legal") == "E1"
    )
    few = few.join(children.select("who", "latest"), on="who", how="left", maintain_order="left")
    latest = pl.col("period") == pl.col("latest")
    # An order made while already placed: the placing itself stands in an earlier return.
    inherited = (pl.col("first") & pl.col("adoptive") & (pl.col("reason") == "L")).any()
    return few.group_by("who", maintain_order=True).agg(
        first_adoptive=pl.when(~inherited).then(pl.col("start").filter(latest & pl.col("adoptive")).min()),
        first_order=pl.col("start").filter(latest & pl.col("ordered")).min(),
    )


def in_order(episodes: pl.DataFrame) -> bool:
    """Say whether each child's episodes stand together and by start, as they mostly do: then nothing need be sorted."""
    who, start = pl.col("who"), pl.col("start")
    other = (who != who.shift(1)).fill_null(value=True)
    children, together, known, rising = episodes.select(
        who.n_unique().alias("children"),
        other.sum().alias("together"),
        (who.is_not_null() & start.is_not_null()).all().alias("known"),
        (other | (start > start.shift(1))).all().alias("rising"),
    ).row(0)
    return bool(known and rising and children == together)


def with_neighbours(ordered: pl.DataFrame, last_day: dt.date, gap_days: int) -> pl.DataFrame:
    """Add the columns that look along a child's episodes; `ordered` is sorted by child and start."""
    # The frame is sorted, so neighbours are a row away: far quicker than shifting within groups.
    before = (pl.col("who") == pl.col("who").shift(1)).fill_null(value=False)
    sure = (pl.col("who").is_not_null() & pl.col("start").is_not_null()).all().over("who")
    frame = ordered.with_columns(before=before, sure=sure).with_columns(
        after=pl.col("before").shift(-1, fill_value=False)
    )
    gap = (pl.col("start") - pl.col("prev_end")).dt.total_days()
    frame = frame.with_columns(
        *(pl.when(pl.col("sure") & pl.col("before")).then(pl.col(c).shift(1)).alias(f"prev_{c}") for c in NEIGHBOURS),
        *(pl.when(pl.col("sure") & pl.col("after")).then(pl.col(c).shift(-1)).alias(f"next_{c}") for c in NEIGHBOURS),
        first=pl.when("sure").then(~pl.col("before")),
        last=pl.when("sure").then(~pl.col("after")),
    ).with_columns(gap=gap)
    goes_on = ((pl.col("prev_finish") == "X1") & pl.col("gap").is_between(0, gap_days)).fill_null(value=False)
    frame = frame.with_columns(
        goes_on=pl.when("sure").then(goes_on),
        latest_day=pl.when("open").then(pl.lit(last_day)).otherwise("end"),
    ).with_columns(
        period=pl.when("sure").then((~pl.col("before") | (pl.col("reason") == "S").fill_null(value=False)).cum_sum()),
        run=(~(pl.col("goes_on") & (pl.col("legal") == pl.col("prev_legal"))).fill_null(value=False)).cum_sum(),
    )
    return frame.with_columns(
        run_start=pl.when("sure").then(pl.col("start").min().over("run")),
        run_end=pl.when("sure").then(pl.col("latest_day").max().over("run")),
    ).drop("before", "after", "sure", "latest_day", "run")
