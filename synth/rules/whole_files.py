"""Rules that look at all rows of an authority together: counts, shares, and sums against last year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.children import school_aged
from synth.rules.common import (
    ENDS,
    bound,
    day_text,
    keyed,
    lone,
    put,
    same,
    take,
)
from synth.rules.registry import rule
from synth.tables import LA, child_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

OLD_EPISODES = "last:episode"
PERCENT = 100
ELSEWHERE = ("512", "514")
"""Codes of authorities the breaker moves a child to: the first that the child is not in."""


def strays(t: Tables, form: str, g: Guidance) -> pl.DataFrame:
    """Return codes that a file has on far fewer rows than its commonest one: a few slipped in.

    A file of several authorities is right where each has rows in number; a single row is astray beside so many
    where no other form knows its code.
    """
    most, enough = (bound(g, LA, "", measure) for measure in ("max_stray_percent", "min_rows_beside_one"))
    table = t[form]
    if table.files is None:
        counts = table.typed.select(la=LA).drop_nulls().group_by("la").len("rows").with_columns(file=pl.lit(table.file))
    else:
        counts = table.typed.select(la=LA, file=table.files).drop_nulls().group_by("file", "la").len("rows")
    ranked = counts.sort("file", "rows", "la").with_columns(
        main=pl.col("la").last().over("file"), whole=pl.col("rows").max().over("file")
    )
    elsewhere = {la for other in t.forms if other != form for la in t.typed(other)[LA].drop_nulls().unique()}
    alone = (pl.col("rows") == 1) & (pl.col("whole") >= enough) & ~pl.col("la").is_in(sorted(elsewhere))
    few = ranked.filter((pl.col("rows") * PERCENT < pl.col("whole") * most) | alone).sort("la", "file")
    said = pl.format("{}: {} of its rows, beside {} of {}", "file", "rows", "whole", "main")
    return few.group_by("la", maintain_order=True).agg(value=said.str.join("; "))


@rule("CLA001", form="child", per="authority")
def stray_children(t: Tables, g: Guidance) -> pl.DataFrame:
    """Flag codes that stand on a few rows of a file of children full of another."""
    return strays(t, "child", g)


def _astray(t: Tables, form: str, rows: Rows) -> dict[str, pl.DataFrame]:
    """Give one child who came into care this year another authority's code on every form."""
    started = t.episodes.filter(pl.col("first") & (pl.col("reason") == "S") & (pl.col("start") >= t.first_day))
    new = {tuple(key) for key in started.select("la", "id").rows()}
    keys = keyed(t, form).select("la", "id").rows()
    key = next(keys[int(row)] for row in rows if keys[int(row)] in new)
    code = next(code for code in ELSEWHERE if code != key[0])
    changed: dict[str, pl.DataFrame] = {}
    for name in t.forms:
        there = t.text(name).select(LA, child_column(name)).rows()
        changed |= put(t, name, {LA: same([n for n, other in enumerate(there) if other == key], code)})
    return changed


@stray_children.breaker(entails=("CLA101", "CLA102", "CRCS-009"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _astray(t, "child", rows)


@rule("CLA001", form="episode", per="authority")
def stray_episodes(t: Tables, g: Guidance) -> pl.DataFrame:
    """Flag codes that stand on a few rows of a file of episodes full of another."""
    return strays(t, "episode", g)


@stray_episodes.breaker(entails=("CLA101", "CLA102", "CRCS-009"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _astray(t, "episode", rows)


def looked_after(t: Tables) -> pl.DataFrame:
    """Count the children of each authority looked after on the last day, short breaks left out: la, n."""
    held = t.episodes.select("la").drop_nulls().unique()
    counts = t.careers.filter("open").group_by("la").agg(n=pl.len())
    return held.join(counts, on="la", how="left").with_columns(pl.col("n").fill_null(0).cast(pl.Int64))


@rule("CLA146", form="episode", needs=(OLD_EPISODES,), per="authority")
def number_jumps(t: Tables, g: Guidance) -> pl.DataFrame:
    """Flag authorities whose number of children on 31 March is far from last year's."""
    most = bound(g, "", "", "max_change_percent")
    least = bound(g, "", "", "min_children")
    assert t.last is not None
    frame = looked_after(t).join(looked_after(t.last), on="la", suffix="_last")
    change = (pl.col("n") - pl.col("n_last")) * PERCENT / pl.col("n_last")
    far = frame.filter(pl.col("n_last") >= least).with_columns(change=change).filter(pl.col("change").abs() > most)
    said = pl.format(
        "{} looked after on 31 March, {} a year before: {} per cent; the bound is {}",
        "n",
        "n_last",
        _signed(pl.col("change")),
        pl.lit(f"{most:g}"),
    )
    return far.select("la", value=said)


def _signed(number: pl.Expr) -> pl.Expr:
    plus = pl.when(number > 0).then(pl.lit("+")).otherwise(pl.lit(""))
    return pl.concat_str(plus, number.round(1).cast(pl.String))


@number_jumps.breaker(entails=ENDS)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    begun = set(take(t.episodes, (pl.col("start") < g.last_day) & (pl.col("legal") != "L1"), rows))
    left = [row for row in lone(t, rows) if row in begun]
    cells = {
        "EPISODE_END_DATE": same(left, day_text(g.last_day)),
        "REASON_EPISODE_FINISHED_CODE": same(left, "E8"),
    }
    return put(t, "episode", cells)


def _balance(t: Tables, g: Guidance) -> pl.DataFrame:
    """Count by authority: there before, started, ceased, there now, and rows that leave a count unsure.

    An episode that ended X1 on the last day goes on next year, so its child is there.
    """
    assert t.last is not None
    last = pl.col("last") & (pl.col("open") | (pl.col("finish") == "X1"))
    before = t.last.episodes.group_by("la").agg(
        before=last.sum(), unsure_before=(pl.col("last").is_null() | _unread()).sum()
    )
    within = pl.lit(g.first_day), pl.lit(g.last_day)
    now = t.episodes.group_by("la").agg(
        started=((pl.col("reason") == "S") & pl.col("start").is_between(*within)).sum(),
        ceased=((pl.col("finish") != "X1") & pl.col("end").is_between(*within)).sum(),
        now=last.sum(),
        unsure=(pl.col("last").is_null() | pl.col("reason").is_null() | _unread()).sum(),
    )
    return before.join(now, on="la").with_columns(pl.exclude("la").cast(pl.Int64))


def _unread() -> pl.Expr:
    return ~pl.col("open") & (pl.col("end").is_null() | pl.col("finish").is_null())


@rule("CLA147", form="episode", needs=(OLD_EPISODES,), per="authority")
def sum_fails(t: Tables, g: Guidance) -> pl.DataFrame:
    """Flag authorities where those before, plus those started, less those ceased, are not those there now.

    Each row with an unreadable date or reason may make up for one child.
    """
    due = pl.col("before") + pl.col("started") - pl.col("ceased")
    unsure = pl.col("unsure") + pl.col("unsure_before")
    wrong = _balance(t, g).with_columns(due=due).filter((due - pl.col("now")).abs() > unsure)
    said = pl.format(
        "{} last 31 March + {} started - {} ceased = {}, but {} on 31 March",
        "before",
        "started",
        "ceased",
        "due",
        "now",
    )
    return wrong.select("la", value=said)


@sum_fails.breaker(entails=("CLA057", "CLA072", "CRCS-052"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    first = pl.col("first") & (pl.col("start") > g.first_day) & (pl.col("reason") == "S")
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": same(take(t.episodes, first, rows), "P")})


@rule("CLA148", form="child", per="authority")
def many_unknown_numbers(t: Tables, g: Guidance) -> pl.DataFrame:
    """Flag authorities where many children of school age have no pupil number, or a code for one not known."""
    most, least = (bound(g, "UPN", "", name) for name in ("max_unknown_percent", "min_children"))
    unknown = pl.col("UPN").is_null() | pl.col("UPN").is_in(sorted(g.values("upn_not_known")))
    counts = t.view(school_aged, g).filter(pl.col("school") & pl.col("la").is_not_null()).group_by("la")
    shares = counts.agg(n=pl.len(), unknown=unknown.sum()).filter(pl.col("n") >= least)
    share = pl.col("unknown") * PERCENT / pl.col("n")
    said = pl.format(
        "{} of {} children of school age without a UPN: {} per cent; the bound is {}",
        "unknown",
        "n",
        share.round(1).cast(pl.String),
        pl.lit(f"{most:g}"),
    )
    return shares.filter(share > most).select("la", value=said)


@many_unknown_numbers.breaker(entails=("CLA026",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "child", {"UPN": same(take(t.view(school_aged, g), pl.col("school"), rows), None)})
