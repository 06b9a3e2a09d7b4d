"""Rules about what the child form says of one child: asylum, the home, the pupil number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.guidance import load
from synth.rules.common import age_on, answer, birthday, bound, put, same, take, with_child
from synth.rules.pupil_number import UPN, with_letter
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

__all__ = ["school_aged"]

NO_AUTHORITY = "999"

seeks_asylum = pl.col("ASYLUM") == "1"


def school_aged(t: Tables, g: Guidance) -> pl.DataFrame:
    """Return the rows of the child form, in file order, with `school`: of compulsory school age on the last day."""
    youngest = int(bound(g, "UPN", "", "school_age_from_years"))
    oldest = int(bound(g, "UPN", "", "school_age_to_years"))
    aged = age_on("DOB", t.last_day).is_between(youngest, oldest)
    return (
        t.text("child")
        .select(la=LA, UPN="UPN", who=t.numbers["child"])
        .with_columns(t.typed("child").select(school=aged).to_series())
    )


@rule("CLA017", form="child")
def young_asylum_seeker(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child who seeks asylum alone is younger than is likely all through the year."""
    years = bound(g, "ASYLUM", "1", "query_age_years")
    return answer(t.typed("child"), seeks_asylum & (birthday("DOB", years) > g.last_day))


@young_asylum_seeker.breaker(entails=("CLA018", "CRCS-062"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    years = bound(g, "ASYLUM", "1", "query_age_years")
    young = take(t.typed("child"), (pl.col("ASYLUM") == "0") & (birthday("DOB", years) > g.last_day), rows)
    return put(t, "child", {"ASYLUM": same(young, "1")})


def usual_for_asylum(g: Guidance) -> tuple[list[str], list[str]]:
    """Return the usual categories of need and legal statuses of a child who seeks asylum alone."""
    return sorted(g.allowed("asylum_usual_need")["1"]), sorted(g.allowed("asylum_usual_legal_status")["1"])


@rule("CLA018", form="episode", needs=("child",))
def unusual_asylum_start(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child who seeks asylum alone comes into care with another need or legal status than is usual.

    Only starts are looked at: an order that follows later is lawful.
    """
    needs, statuses = usual_for_asylum(g)
    unusual = ~pl.col("need").is_in(needs) | ~pl.col("legal").is_in(statuses)
    return answer(t.episodes, (pl.col("asylum") == "1") & (pl.col("reason") == "S") & unusual)


@unusual_asylum_start.breaker(entails=("CLA065", "CLA069", "CRCS-061"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    usual, _statuses = usual_for_asylum(g)
    other = next(code for code in sorted(g.values("category_of_need")) if code not in usual)
    starts = take(t.episodes, (pl.col("asylum") == "1") & (pl.col("reason") == "S"), rows)
    return put(t, "episode", {"CATEGORY_OF_NEED_CODE": same(starts, other)})


@rule("CLA020", form="child")
def home_missing(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the home postcode is blank and the child does not seek asylum alone.

    That there is no home in the UK is nowhere said in the files, so such a child is queried too.
    """
    written = t.text("child").select(blank=pl.col("HOME_POSTCODE").is_null())
    return answer(t.typed("child").with_columns(written), pl.col("blank") & (pl.col("ASYLUM") == "0"))


@home_missing.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "child", {"HOME_POSTCODE": same(take(t.typed("child"), pl.col("ASYLUM") == "0", rows), None)})


@rule("CLA023", form="child")
def upn_of_nowhere(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a well-formed pupil number is of no education authority in Wales or England."""
    numbers = sorted(load("crcs", g.year).values("education_authority"))
    formed = pl.col("UPN").str.contains(UPN)
    return answer(t.text("child"), formed & ~pl.col("UPN").str.slice(1, 3).is_in(numbers))


@upn_of_nowhere.breaker(entails=("CLA025", "CRCS-064"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    text = t.text("child")
    chosen = take(text, pl.col("UPN").str.contains(UPN), rows)
    moved = pl.concat_str(pl.col("UPN").str.slice(0, 1), pl.lit(NO_AUTHORITY), pl.col("UPN").str.slice(4))
    numbers = text[chosen].select(with_letter(moved)).to_series()
    return put(t, "child", {"UPN": dict(zip(chosen, numbers.to_list(), strict=True))})


def stayed(t: Tables, g: Guidance, whom: pl.Series) -> pl.DataFrame:
    """Return those of the children (who) who have long been looked after, short breaks aside: a number is due."""
    days = int(bound(g, "UPN", "", "looked_after_over_days"))
    until = pl.when("open").then(pl.lit(t.last_day)).otherwise("end")
    theirs = t.episodes.filter((pl.col("legal") != "V1") & pl.col("who").is_in(whom.implode()))
    spans = theirs.select("who", days=(until - pl.col("start")).dt.total_days())
    return spans.group_by("who").agg(pl.col("days").sum()).filter(pl.col("days") > days)


@rule("CLA026", form="child", needs=("episode",))
def upn_missing(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child of school age who has been looked after for a while has a blank for a pupil number."""
    frame = t.view(school_aged, g)
    without = pl.col("school") & pl.col("UPN").is_null()
    due = stayed(t, g, frame.filter(without)["who"])
    return answer(frame, without & pl.col("who").is_in(due["who"].implode()))


@upn_missing.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    aged = t.view(school_aged, g)
    there = stayed(t, g, aged["who"]).with_columns(stayed=pl.lit(value=True))
    frame = with_child(t, "child", there).with_columns(aged["school"])
    return put(t, "child", {"UPN": same(take(frame, pl.col("school") & pl.col("stayed"), rows), None)})
