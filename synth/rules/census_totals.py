"""Totals of the census about a whole authority: who sends it, how many it holds, and what columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.guidance import ALL_YEAR, CENSUS_DATE, load
from synth.reading.headings import tidy
from synth.rules.agreement import CHILD
from synth.rules.common import bound, other_code, put, take
from synth.rules.registry import rule
from synth.rules.whole_census import fewest, found, looked_after, nothing, number, set_where
from synth.rules.whole_files import strays
from synth.tables import LA

if TYPE_CHECKING:
    import datetime as dt

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

_PER = 10_000


@rule("CRCS-004", form="crcs", per="authority")
def stray_children(t: Tables, g: Guidance) -> pl.DataFrame:
    """Name codes that stand on a few rows of a file full of another's: the file does not say who sends it."""
    return strays(t, "crcs", g)


@stray_children.breaker(entails=("CRCS-054", "CRCS-105"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    codes = t.typed("crcs")[LA]
    home = take(t.typed("crcs"), pl.col("LOOKED_AFTER_CHILD") == "0", rows)[:1]
    other: dict[int, str | None] = {
        row: other_code(codes[row], sorted(g.values("local_authority") - set(codes))) for row in home
    }
    return put(t, "crcs", {LA: other})


def _in_care(t: Tables) -> pl.DataFrame:
    """Return authorities with looked after children by both returns: `here`, and `sure` and `there` in the other.

    An authority without any child in the looked after return sent none, and cannot be compared.
    """
    here = t.typed("crcs").filter(looked_after).group_by(la=LA).agg(here=pl.len())
    opened = pl.col("open")
    there = t.careers.group_by("la").agg(
        there=opened.fill_null(value=True).sum(), sure=opened.fill_null(value=False).sum()
    )
    return there.join(here, on="la", how="left").with_columns(pl.col("here").fill_null(0))


@rule("CRCS-055", form="crcs", needs=CHILD, per="authority")
def more_in_care_here(t: Tables, _g: Guidance) -> pl.DataFrame:
    """Query more children called looked after than the other return has open on 31 March, short breaks aside."""
    more = t.view(_in_care).filter(pl.col("here") > pl.col("there"))
    words = pl.format(
        "{} children are called looked after, the looked after return has {} on 31 March",
        number("here"),
        number("there"),
    )
    return found(more, words)


@more_in_care_here.breaker(entails=("CRCS-050", "CRCS-057", "CRCS-107"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, pl.col("LOOKED_AFTER_CHILD") == "0", rows, {"LOOKED_AFTER_CHILD": "1"})


@rule("CRCS-056", form="crcs", needs=CHILD, per="authority")
def fewer_in_care_here(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query fewer children called looked after than the least share of those the other return has open."""
    least = bound(g, "LOOKED_AFTER_CHILD", "1", "min_percent_of_cla")
    share = 100 * pl.col("here") / pl.col("sure")
    large = t.view(_in_care).filter(pl.col("sure") >= fewest(g)).with_columns(share=share)
    words = pl.format(
        "{} children are called looked after, {} per cent of the {} in the looked after return; usual is at least {}",
        number("here"),
        number("share", 1),
        number("sure"),
        pl.lit(f"{least:g}"),
    )
    return found(large.filter(pl.col("share") < least), words)


@fewer_in_care_here.breaker(entails=("CRCS-032", "CRCS-051"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, looked_after, rows, {"LOOKED_AFTER_CHILD": "0"})


def _counted(t: Tables, day: dt.date | None) -> pl.DataFrame:
    """Return children by authority (la, children); with a day only those of plans begun by it and still active."""
    counted = pl.lit(value=True)
    if day is not None:
        counted = ((pl.col("PLAN_ACTIVE_31_MARCH") == "1") & (pl.col("PLAN_START_DATE") <= day)).fill_null(value=True)
    frame = t.typed("crcs").select(la=LA, counted=counted).filter(pl.col("la").is_not_null())
    return frame.group_by("la").agg(children=pl.col("counted").sum().cast(pl.Int64))


@rule("CRCS-111", form="crcs", needs=("last:crcs",), per="authority")
def total_moved(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a total that moved further from last year's than the bound.

    Beside a return of a census date those of a whole year are counted whom that would hold: plans begun by 1 January
    and active on 31 March.
    """
    assert t.last is not None
    most = bound(g, "", "", "max_change_percent")
    # Where only one of the two is of the whole year, those of it are counted whom a census date would hold.
    days = [
        load("crcs", year, CENSUS_DATE).quarter_day if mode == ALL_YEAR and other == CENSUS_DATE else None
        for year, mode, other in ((g.year, g.mode, t.last.collection), (g.year - 1, t.last.collection, g.mode))
    ]
    now = _counted(t, days[0])
    both = now.join(_counted(t.last, days[1]).rename({"children": "then"}), on="la").with_columns(
        change=100 * (pl.col("children") / pl.col("then") - 1)
    )
    moved = both.filter((pl.col("then") >= fewest(g)) & (pl.col("change").abs() > most))
    words = pl.format(
        "{} children after {} last year, a change of {} per cent; usual is at most {}",
        number("children"),
        number("then"),
        number("change", 1),
        pl.lit(f"{most:g}"),
    )
    return found(moved, words)


def _thinned(t: Tables, rows: Rows, kept: int) -> dict[str, pl.DataFrame]:
    """Leave one in `kept` of some rows, and all others."""
    gone = {int(r) for n, r in enumerate(rows) if n % kept}
    return {"crcs": t.text("crcs").filter([n not in gone for n in range(t["crcs"].height)])}


@total_moved.breaker(entails=("CRCS-052", "CRCS-054"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _thinned(t, rows, 2)


@rule("CRCS-112", form="crcs", per="authority")
def rate_of_children(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query an authority with fewer or more children for its residents under 18 than is usual."""
    least, most = bound(g, "", "", "min_rate"), bound(g, "", "", "max_rate")
    people = {x.code: float(x.value) for x in g.limits if x.measure == "residents_under_18"}
    residents = pl.DataFrame({"la": list(people), "residents": list(people.values())})
    rates = (
        _counted(t, None)
        .filter(pl.col("children") >= fewest(g))
        .join(residents, on="la")
        .with_columns(rate=_PER * pl.col("children") / pl.col("residents"))
    )
    words = pl.format(
        "{} children among {} residents under 18 ({} for every 10,000); usual is at least {} and at most {}",
        number("children"),
        number("residents"),
        number("rate"),
        pl.lit(f"{least:g}"),
        pl.lit(f"{most:g}"),
    )
    return found(rates.filter(~pl.col("rate").is_between(least, most)), words)


@rate_of_children.breaker(entails=("CRCS-052",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _thinned(t, rows, 4)


def _old_headings(t: Tables, g: Guidance) -> list[str]:
    """Return columns of the file that the children in need census had and this return has no more."""
    old = {item.name for item in g.ended_items}
    return sorted(old & {*map(tidy, t["crcs"].unknown), *t.text("crcs").columns})


@rule("CRCS-115", form="crcs", per="authority")
def old_columns(t: Tables, g: Guidance) -> pl.DataFrame:
    """Name the columns of the earlier children in need census that stand in the file, for each authority in it."""
    names = _old_headings(t, g)
    if not names:
        return nothing()
    held = t.typed("crcs").select(la=LA).drop_nulls().unique()
    return found(held, pl.lit(f"the file has columns of the earlier census: {', '.join(names)}"))


@old_columns.breaker()
def _(t: Tables, g: Guidance, _rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return {"crcs": t.text("crcs").with_columns(pl.lit("0").alias(_added(g)))}


def _added(g: Guidance) -> str:
    """Return the name of the first column that was dropped."""
    return next(item.name for item in g.ended_items)
