"""Rules about children whom two authorities return: care that is taken over, and care that cannot be in two places.

Children are known again by their pupil number, temporary ones aside, and those that two children of one authority have.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import ENDS, at_rows, birthday, bound, day_text, keyed, put, same, take
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

ENDING = "REASON_EPISODE_FINISHED_CODE"
START, GOES_ON, TAKEN_OVER, SHORT_BREAKS = "S", "X1", "E3", "V1"
ADULT = 18
MOST = 100
"""Episodes of one pupil number in a year: children have a few, and each is held beside each of the others."""
NEW_HERE = ("CLA101", "CLA102", "CRCS-052", "CRCS-054")
"""Rules a copy of a child in another authority's return may meet as well."""

start, end, upn = pl.col("start"), pl.col("end"), pl.col("upn")


def numbered(t: Tables) -> pl.DataFrame:
    """Return children (who) with a pupil number that is no temporary one and no other child's of the authority."""
    people = (
        t.typed("child")
        .select(who=t.numbers["child"], upn=pl.col("UPN"), la=pl.col(LA))
        .filter(pl.col("who").is_not_null() & upn.str.contains(r"^[A-Z][0-9]{12}$"))
        .unique("who", keep="first", maintain_order=True)
    )
    # Whose it is cannot be said: CLA024 tells of it. One number on all rows of a file would pair all of them.
    return people.filter(pl.struct("la", "upn").is_unique()).drop("la")


def met_again(t: Tables) -> pl.DataFrame:
    """Return pairs of an episode and one of the same child in another authority, short breaks aside.

    Columns: those of the episode (row, upn, la, start, end, finish, last, open, dob), and la, start, reason and dob of
    the other (la_there and so on).
    """
    people = t.view(numbered)
    people = people.filter(upn.is_duplicated())
    short = pl.col("legal") == SHORT_BREAKS
    here = t.episodes.filter(pl.col("who").is_in(people["who"].implode()) & ~short).join(people, on="who")
    # Thousands would be millions of pairs, and no child's: the sequence rules tell of them.
    here = here.filter(pl.len().over("upn") <= MOST)
    names = ("la", "start", "reason", "dob")
    elsewhere = here.select("upn", **{f"{name}_there": name for name in names})
    pairs = here.select("row", "upn", "la", "start", "end", "finish", "last", "open", "dob").join(elsewhere, on="upn")
    return pairs.filter(pl.col("la") != pl.col("la_there"))


def taken_over(t: Tables, _g: Guidance) -> pl.DataFrame:
    """Return pairs of an episode after which another authority took care over, and a period that starts there later."""
    later = (pl.col("finish") == TAKEN_OVER) & (pl.col("reason_there") == START) & (_gap() >= 0)
    return t.view(met_again).filter(later)


def at_once(t: Tables, g: Guidance) -> pl.DataFrame:
    """Return pairs of an episode and one elsewhere that begins while it goes on.

    Or a period that starts just after the one here ended, though care was not taken over (E3). An episode that ends X1
    is no end of a period unless it is the last: the next one is looked at instead.
    """
    ended = pl.col("last") | (pl.col("finish") != GOES_ON)
    follows = ended & _gap().is_between(0, _most(g)) & (pl.col("finish") != TAKEN_OVER)
    during = (pl.col("start_there") >= start) & (pl.col("open") | (pl.col("start_there") < end))
    return t.view(met_again).filter(during | (follows & (pl.col("reason_there") == START)))


def _beside(pairs: Callable[[Tables, Guidance], pl.DataFrame]) -> Callable[[Tables, Guidance], pl.DataFrame]:
    """Show the first of the other authority's episodes that stand beside one, of the pairs a rule looks at."""

    def shows(t: Tables, g: Guidance) -> pl.DataFrame:
        first = t.view(pairs, g).sort("start_there", "la_there").unique("row", keep="first", maintain_order=True)
        frame = t.episodes.select("row").join(first, on="row", how="left", maintain_order="left")
        labels = {"the other authority": "la_there", "an episode began there": "start_there"}
        return frame.select(pl.col(name).alias(label) for label, name in labels.items())

    return shows


def _most(g: Guidance) -> int:
    """Return the days that may lie between the end with one authority and the start with the next."""
    return int(bound(g, ENDING, TAKEN_OVER, "max_gap_days"))


def _gap() -> pl.Expr:
    return (pl.col("start_there") - end).dt.total_days()


@rule("CLA122", form="episode", needs=("child",), shows=_beside(taken_over))
def taken_over_later(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child whom another authority took over starts in another one, though not on that or the next day.

    Nor does another birth date fit. One who starts nowhere in these files may have gone elsewhere in the UK, and is not
    queried.
    """
    fits = (_gap() <= _most(g)) & (pl.col("dob") == pl.col("dob_there")).fill_null(value=True)
    late = t.view(taken_over, g).group_by("row").agg(fits=fits.any()).filter(~pl.col("fits"))
    return at_rows(t.episodes.height, late["row"])


@taken_over_later.breaker(entails=(*NEW_HERE, *ENDS))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    days = _most(g) + 1
    later = end + pl.duration(days=days)
    young = (later < g.last_day) & (later < birthday("dob", ADULT))
    left = take(_known(t), pl.col("last") & upn.is_not_null() & (pl.col("legal") != SHORT_BREAKS) & young, rows)
    ends = t.episodes["end"]
    return _also_elsewhere(t, g, {row: ends[row] + dt.timedelta(days=days) for row in left}, same(left, TAKEN_OVER))


@rule("CLA149", form="episode", needs=("child",), shows=_beside(at_once))
def in_two_places(t: Tables, g: Guidance) -> pl.Series:
    """Flag where another authority looks after the child at the same time.

    Of two episodes that go on at once the one that began first is flagged: not both, unless they began on one day.
    """
    return at_rows(t.episodes.height, t.view(at_once, g)["row"].unique())


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
