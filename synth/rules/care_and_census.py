"""Rules of the census that need the looked after return: who is in it, short breaks, disability, how plans closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.agreement import CHILD, on_child_form
from synth.rules.census import impairments
from synth.rules.common import (
    answer,
    any_of,
    birthday,
    bound,
    keyed,
    of_children,
    put,
    rows_of,
    same,
    take,
    with_child,
    without_children,
)
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

SHORT_BREAKS = "V1"


@rule("CRCS-054", form="child", needs=("episode", "crcs"))
def cared_for_not_here(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child with an episode in the year is not in the return of the whole year.

    Who turned 18 before the year began is too old for it. Short breaks alone are left out: they may be given without
    a care and support plan.
    """
    return of_children(t, "child", t.view(_in_care, g), missing_from="crcs")


@cared_for_not_here.breaker(entails=("CRCS-052",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    due = of_children(t, "child", t.view(_in_care, g))
    return without_children(t, "crcs", keyed(t, "child"), rows_of(due, rows))


def _in_care(t: Tables, g: Guidance) -> pl.DataFrame:
    """Return children (who) under 18 as the year began with an episode other than short breaks."""
    years = int(bound(g, "DATE_OF_BIRTH", "", "max_age_at_year_start_years")) + 1
    young = birthday("dob", years) > g.first_day
    real = (pl.col("legal") != SHORT_BREAKS) & (pl.col("start") <= g.last_day)
    return t.episodes.filter(young & real & pl.col("who").is_not_null()).select("who").unique()


@rule("CRCS-057", form="crcs", needs=CHILD)
def short_breaks_only(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child said to be looked after has short breaks only."""
    return answer(t.view(_breaks), (pl.col("LOOKED_AFTER_CHILD") == "1") & pl.col("only"))


@short_breaks_only.breaker(entails=("CRCS-050", "CRCS-107"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    chosen = take(t.view(_breaks), (pl.col("LOOKED_AFTER_CHILD") == "0") & pl.col("only"), rows)
    return put(t, "crcs", {"LOOKED_AFTER_CHILD": same(chosen, "1")})


def _breaks(t: Tables) -> pl.DataFrame:
    """Return census rows with `only`: all episodes of the child are of short breaks; null if none is, or not known."""
    breaks = pl.col("legal") == SHORT_BREAKS
    # Who has none at all has not only those: few children are left to be looked at whole.
    some = t.episodes.filter(breaks)["who"]
    theirs = t.episodes.filter(pl.col("who").is_in(some.implode()))
    only = theirs.group_by("who").agg(only=breaks.all(ignore_nulls=False))
    return with_child(t, "crcs", only, "LOOKED_AFTER_CHILD")


@rule("CRCS-063", form="crcs", needs=CHILD)
def disability_differs(t: Tables, g: Guidance) -> pl.Series:
    """Flag where one return tells of a disability and the other of none.

    A child with autism and no impairment may be called disabled in the looked after return: autism is an item of its
    own in the census.
    """
    wrong = any_of(
        (pl.col("DISABILITY_NONE") == code) & ~pl.col("disabled_cla").is_in(sorted(partners))
        for code, partners in g.allowed("disability_in_cla").items()
    )
    autism = (pl.col("HEALTH_AUTISTIC_SPECTRUM_DISORDER") == "1") & (pl.col("DISABILITY_NONE") == "1")
    return answer(t.view(on_child_form), wrong & ~autism.fill_null(value=False))


@disability_differs.breaker(entails=("CRCS-067",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame, names = t.view(on_child_form), impairments(t)
    no_autism = pl.col("HEALTH_AUTISTIC_SPECTRUM_DISORDER") == "0"
    well = take(frame, no_autism & (pl.col("disabled_cla") == "0") & (pl.col("DISABILITY_NONE") == "1"), rows)
    ill = take(frame, no_autism & (pl.col("disabled_cla") == "1") & (pl.col("DISABILITY_NONE") == "0"), rows)
    cells = {name: same(ill, "0") for name in names}
    cells["DISABILITY_NONE"] = same(well, "0") | same(ill, "1")
    cells[names[0]] |= same(well, "1")
    return put(t, "crcs", cells)


_not_adopted = pl.col("there").is_null() | ~pl.col("ended")


@rule("CRCS-105", form="crcs", needs=CHILD)
def adopted_here_only(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a plan was closed by adoption and no episode of the year ended so by that day."""
    return answer(t.view(_endings, g), _closed_as(g, "CRCS-105") & _not_adopted)


@adopted_here_only.breaker(entails=("CRCS-106",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _close_as(t, g, rows, "CRCS-105", _not_adopted)


@rule("CRCS-106", form="crcs", needs=CHILD)
def died_here_only(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a plan was closed by death of a child then looked after, whose episode did not end so.

    Who had left care before, or had short breaks only, may have died at home.
    """
    return answer(t.view(_endings, g), _closed_as(g, "CRCS-106") & pl.col("held") & ~pl.col("died"))


@died_here_only.breaker(entails=("CRCS-105",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _close_as(t, g, rows, "CRCS-106", pl.col("held") & ~pl.col("died"))


def _closing(g: Guidance, id_: str) -> tuple[str, list[str]]:
    """Return the reason for closure a rule speaks of, and the endings of an episode that fit it."""
    row = {a.rule: a for a in g.allowed_rows}[id_]
    return row.code, sorted(row.partners)


def _closed_as(g: Guidance, id_: str) -> pl.Expr:
    return (pl.col("REASON_FOR_CLOSURE") == _closing(g, id_)[0]) & pl.col("PLAN_CLOSED_DATE").is_not_null()


def _endings(t: Tables, g: Guidance) -> pl.DataFrame:
    """Return census rows with what the child's episodes say; null is "cannot say".

    `there`: there are some; `ended`: one by adoption, in the year and by closure; `held`: one on that day; `died`: one.
    """
    rows = t.typed("crcs").select(
        "REASON_FOR_CLOSURE", "PLAN_CLOSED_DATE", la=LA, id="CHILD_CODE", row=pl.int_range(pl.len())
    )
    closed = rows.filter(pl.col("PLAN_CLOSED_DATE").is_not_null())
    adopted, dead = (_closing(g, id_)[1] for id_ in ("CRCS-105", "CRCS-106"))
    by, end = pl.col("PLAN_CLOSED_DATE"), pl.col("end")
    finish = pl.when("open").then(pl.lit("")).otherwise("finish")
    in_time = end.is_between(g.first_day, by)
    running = (pl.col("start") <= by) & (pl.col("open") | (end >= by)) & (pl.col("legal") != SHORT_BREAKS)
    found = (
        closed.join(t.episodes.select("la", "id", "start", "end", "open", "legal", "finish"), on=["la", "id"])
        .group_by("row")
        .agg(
            there=pl.lit(value=True),
            ended=(finish.is_in(adopted) & in_time).any(ignore_nulls=False),
            held=running.any(),
            died=finish.is_in(dead).any(ignore_nulls=False),
        )
    )
    return rows.join(found, on="row", how="left", maintain_order="left")


def _close_as(t: Tables, g: Guidance, rows: Rows, id_: str, apart: pl.Expr) -> dict[str, pl.DataFrame]:
    chosen = take(t.view(_endings, g), pl.col("REASON_FOR_CLOSURE").is_not_null() & apart, rows)
    return put(t, "crcs", {"REASON_FOR_CLOSURE": same(chosen, _closing(g, id_)[0])})
