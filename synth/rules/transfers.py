"""Rules about children whom two authorities return: care that is taken over, and care that cannot be in two places.

Children are known again by their pupil number, temporary ones aside.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import ENDS, at_rows, birthday, bound, day_text, keyed, put, same, take
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

ENDING, TAKEN_OVER, SHORT_BREAKS = "REASON_EPISODE_FINISHED_CODE", "E3", "V1"
ADULT = 18
NEW_HERE = ("CLA101", "CLA102", "CRCS-052", "CRCS-054")
"""Rules a copy of a child in another authority's return may meet as well."""

start, end, upn = pl.col("start"), pl.col("end"), pl.col("upn")


def numbered(t: Tables) -> pl.DataFrame:
    """Return children (who) with a pupil number that is no temporary one."""
    return (
        t.typed("child")
        .select(who=t.numbers["child"], upn=pl.col("UPN"))
        .filter(pl.col("who").is_not_null() & upn.str.contains(r"^[A-Z][0-9]{12}$"))
        .unique("who", keep="first", maintain_order=True)
    )


def met_again(t: Tables) -> pl.DataFrame:
    """Return pairs of an episode and the start of a period of the same child in another authority, short breaks aside.

    Columns: those of the episode (row, la, start, end, finish, last, dob), and la_there, start_there and dob_there.
    """
    people = t.view(numbered)
    people = people.filter(upn.is_duplicated())
    short = pl.col("legal") == SHORT_BREAKS
    here = t.episodes.filter(pl.col("who").is_in(people["who"].implode()) & ~short).join(people, on="who")
    begun = here.filter(pl.col("reason") == "S").select("upn", "la", "start", "dob")
    pairs = here.select("row", "upn", "la", "start", "end", "finish", "last", "dob").join(
        begun, on="upn", suffix="_there", maintain_order="left"
    )
    return pairs.filter(pl.col("la") != pl.col("la_there"))


def there(t: Tables, _g: Guidance) -> pl.DataFrame:
    """Show which other authority began to look after the child, and when."""
    pairs = t.view(met_again).unique("row", keep="first", maintain_order=True)
    frame = t.episodes.select("row").join(pairs, on="row", how="left", maintain_order="left")
    return frame.select(pl.col("la_there").alias("the other authority"), pl.col("start_there").alias("it began there"))


def _most(g: Guidance) -> int:
    """Return the days that may lie between the end with one authority and the start with the next."""
    return int(bound(g, ENDING, TAKEN_OVER, "max_gap_days"))


def _gap() -> pl.Expr:
    return (pl.col("start_there") - end).dt.total_days()


@rule("CLA122", form="episode", needs=("child",), shows=there)
def taken_over_later(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child whom another authority took over starts in another one, though not on that or the next day.

    Nor does another birth date fit. One who starts nowhere in these files may have gone elsewhere in the UK, and is not
    queried.
    """
    pairs = t.view(met_again).filter((pl.col("finish") == TAKEN_OVER) & (_gap() >= 0))
    fits = (_gap() <= _most(g)) & (pl.col("dob") == pl.col("dob_there")).fill_null(value=True)
    late = pairs.group_by("row").agg(fits=fits.any()).filter(~pl.col("fits"))
    return at_rows(t.episodes.height, late["row"])


@taken_over_later.breaker(entails=(*NEW_HERE, *ENDS))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    days = _most(g) + 1
    later = end + pl.duration(days=days)
    young = (later < g.last_day) & (later < birthday("dob", ADULT))
    left = take(_known(t), pl.col("last") & upn.is_not_null() & (pl.col("legal") != SHORT_BREAKS) & young, rows)
    ends = t.episodes["end"]
    return _also_elsewhere(t, g, {row: ends[row] + dt.timedelta(days=days) for row in left}, same(left, TAKEN_OVER))


@rule("CLA149", form="episode", needs=("child",), shows=there)
def in_two_places(t: Tables, g: Guidance) -> pl.Series:
    """Flag where another authority begins to look after the child during the episode.

    Or just after it, though care was not taken over (E3).
    """
    follows = pl.col("last") & _gap().is_between(0, _most(g)) & (pl.col("finish") != TAKEN_OVER)
    during = (pl.col("start_there") >= start) & (end.is_null() | (pl.col("start_there") < end))
    return at_rows(t.episodes.height, t.view(met_again).filter(during | follows)["row"].unique())


@in_two_places.breaker(entails=NEW_HERE)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = _known(t)
    still = (pl.col("last") & pl.col("open") & (start < g.last_day)).fill_null(value=False)
    open_now = take(frame, still & upn.is_not_null() & (pl.col("legal") != SHORT_BREAKS), rows)
    return _also_elsewhere(t, g, dict.fromkeys(open_now, g.last_day), {})


def _known(t: Tables) -> pl.DataFrame:
    """Return episodes in file order with the child's pupil number."""
    return t.episodes.join(t.view(numbered), on="who", how="left", maintain_order="left")


def _also_elsewhere(
    t: Tables, g: Guidance, begins: dict[int, dt.date], endings: dict[int, str | None]
) -> dict[str, pl.DataFrame]:
    """Return the forms with children of some episodes (by row) in another authority too, in care there from a day on.

    `endings` are written as the reasons their episodes here ended.
    """
    rows, (las, ids) = list(begins), (t.episodes["la"], t.episodes["id"])
    codes = sorted(g.values("local_authority"))
    other = {(las[row], ids[row]): next(code for code in codes if code != las[row]) for row in rows}
    children = t.text("child")
    episodes = put(t, "episode", {ENDING: endings})["episode"] if endings else t.text("episode")
    keys = keyed(t, "child").select("la", "id").rows()
    copied = [n for n, key in enumerate(keys) if key in other]
    arrived = children[copied].with_columns(pl.Series(LA, [other[keys[n]] for n in copied], dtype=pl.String))
    blank = ("EPISODE_END_DATE", ENDING, "PLACEMENT_POSTCODE")
    begun = t.text("episode")[rows].with_columns(
        pl.Series(LA, [other[las[row], ids[row]] for row in rows], dtype=pl.String),
        pl.Series("EPISODE_START_DATE", [day_text(begins[row]) for row in rows], dtype=pl.String),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in blank),
        EPISODE_NUMBER=pl.lit("1"),
        REASON_EPISODE_STARTED_CODE=pl.lit("S"),
        PLACEMENT_TYPE_CODE=pl.lit("Z1"),
        LEGAL_STATUS_CODE=pl.lit("V2"),
    )
    longer = {"child": [children, arrived], "episode": [episodes, begun]}
    return {form: pl.concat(parts, how="vertical_relaxed") for form, parts in longer.items()}
