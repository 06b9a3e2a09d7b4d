"""Rules that look along a child's episodes: no gaps in a period, no overlaps, and why each one began."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import (
    CHANGES,
    ENDS,
    TOO_OLD,
    answer,
    any_of,
    bound,
    child_cells,
    day_text,
    late_birthday,
    lone,
    other_code,
    put,
    same,
    shifted,
    take,
    years_before,
)
from synth.rules.registry import rule
from synth.rules.shown import NEIGHBOURING_DATES, WHAT_CHANGED, around

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

start, end, reason, legal = pl.col("start"), pl.col("end"), pl.col("reason"), pl.col("legal")
CONTINUES = ["L", "P", "B"]
"""Reasons of an episode that continues a period; S begins one."""

same_legal = legal == pl.col("prev_legal")
same_type = pl.col("placement") == pl.col("prev_placement")
same_postcode = pl.col("postcode") == pl.col("prev_postcode")


@rule("CLA053", form="episode", shows=NEIGHBOURING_DATES)
def overlaps(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where an episode starts before the one before it ended."""
    return answer(t.episodes, start < pl.col("prev_end"))


@overlaps.breaker(entails=("CLA106", "CLA133"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    inside = take(
        t.episodes,
        pl.col("goes_on") & (pl.col("prev_end") - pl.col("prev_start") > dt.timedelta(days=1)),
        rows,
    )
    return put(t, "episode", {"EPISODE_START_DATE": shifted(t.episodes, "prev_end", inside, -1)})


@rule("CLA054", form="episode", shows=NEIGHBOURING_DATES)
def same_day_starts(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child's episode starts on the day another of them starts."""
    return answer(t.episodes, (start == pl.col("prev_start")) | (start == pl.col("next_start")))


@same_day_starts.breaker(entails=("CLA053", "CLA101", "CLA128", "CLA133", "CLA134"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    follows = take(t.episodes, pl.col("prev_start").is_not_null() & pl.col("last"), rows)
    return put(t, "episode", {"EPISODE_START_DATE": shifted(t.episodes, "prev_start", follows, 0)})


@rule("CLA055", form="episode", shows=NEIGHBOURING_DATES)
def open_before_last(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where an episode is open though a later one follows."""
    return answer(t.episodes, pl.col("open") & ~pl.col("last"))


@open_before_last.breaker(entails=("CLA142", "CRCS-051", "CRCS-052"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    before = take(t.episodes, ~pl.col("last") & end.is_not_null() & ~legal.is_in(["L1", "L2", "L3"]), rows)
    blank = same(before, None)
    return put(t, "episode", {"EPISODE_END_DATE": blank, "REASON_EPISODE_FINISHED_CODE": blank})


@rule("CLA056", form="episode", shows=NEIGHBOURING_DATES)
def numbering(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where numbers do not run 1, 2, 3 in order of date."""
    number = pl.col("number")
    wrong = pl.when("first").then(number != 1).otherwise(number != pl.col("prev_number") + 1)
    return answer(t.episodes, wrong)


@numbering.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    numbers = t.episodes["number"]
    last = take(t.episodes, pl.col("last") & pl.col("number").is_not_null(), rows)
    return put(t, "episode", {"EPISODE_NUMBER": {row: str(numbers[row] + 1) for row in last}})


@rule("CLA057", form="episode", shows=NEIGHBOURING_DATES)
def first_is_no_start(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child's first episode here began in the year, past its first day, yet continues another.

    An episode on 1 April may continue one that ended on 31 March and stands in the last return.
    """
    within = start >= g.first_day + dt.timedelta(days=t.gap_days)
    return answer(t.episodes, pl.col("first") & within & reason.is_in(CONTINUES))


@first_is_no_start.breaker(entails=("CLA072", "CRCS-052"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    within = start >= g.first_day + dt.timedelta(days=t.gap_days)
    begun = take(t.episodes, pl.col("first") & within & (reason == "S"), rows)
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": same(begun, "P")})


@rule("CLA058", form="episode", shows=around("end", "next_start"))
def continuation_missing(t: Tables, g: Guidance) -> pl.Series:
    """Flag where X1 is not followed on the day or the next; X1 on 31 March is left to next year."""
    gap = (pl.col("next_start") - end).dt.total_days()
    left = pl.col("last") & (end < g.last_day)
    return answer(t.episodes, (pl.col("finish") == "X1") & (left | (gap > t.gap_days)))


@continuation_missing.breaker(entails=ENDS)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    left = take(t.episodes, pl.col("last") & (end < g.last_day) & (pl.col("finish") != "X1"), rows)
    return put(t, "episode", {"REASON_EPISODE_FINISHED_CODE": same(left, "X1")})


@rule("CLA059", form="episode", shows=around("prev_end", "prev_finish"))
def continuation_does_not_follow_on(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where an L, P or B episode does not begin on the day, or the day after, one ended with X1."""
    broken = (pl.col("prev_finish") != "X1") | (pl.col("gap") > t.gap_days)
    return answer(t.episodes, reason.is_in(CONTINUES) & broken)


@continuation_does_not_follow_on.breaker(entails=("CLA037", "CLA058", "CLA106", "CLA133"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    follows = take(t.episodes, pl.col("goes_on"), rows)
    return put(t, "episode", {"EPISODE_START_DATE": shifted(t.episodes, "prev_end", follows, t.gap_days + 1)})


@rule("CLA060", form="episode", shows=around("prev_end", "prev_finish"))
def restart_without_start(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where care had ended and the next episode is not a start."""
    return answer(t.episodes, (pl.col("prev_finish") != "X1") & (reason != "S"))


@restart_without_start.breaker(entails=("CLA059", "CLA128"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    again = take(t.episodes, (pl.col("prev_finish") != "X1") & (reason == "S"), rows)
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": same(again, "P")})


@rule("CLA061", form="episode", shows=around("prev_end", "prev_finish"))
def starts_on_ending_day(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a period is said to start on the very day the last episode ended."""
    return answer(t.episodes, (reason == "S") & (start == pl.col("prev_end")))


@starts_on_ending_day.breaker(entails=("CLA128",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    again = take(t.episodes, pl.col("prev_end").is_not_null() & (reason == "S"), rows)
    return put(t, "episode", {"EPISODE_START_DATE": shifted(t.episodes, "prev_end", again, 0)})


@rule("CLA062", form="episode", shows=WHAT_CHANGED)
def legal_change_only(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where L is given but the legal status stays, or the placement or its postcode changes."""
    wrong = same_legal | ~same_type | ~same_postcode
    return answer(t.episodes, pl.col("goes_on") & (reason == "L") & wrong)


@legal_change_only.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    moved = take(t.episodes, pl.col("goes_on") & (reason == "P"), rows)
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": same(moved, "L")})


@rule("CLA063", form="episode", shows=WHAT_CHANGED)
def placement_change_only(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where P is given but the legal status changes, or neither placement nor postcode does."""
    wrong = ~same_legal | (same_type & same_postcode)
    return answer(t.episodes, pl.col("goes_on") & (reason == "P") & wrong)


@placement_change_only.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    ordered = take(t.episodes, pl.col("goes_on") & reason.is_in(["L", "B"]), rows)
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": same(ordered, "P")})


@rule("CLA064", form="episode", shows=WHAT_CHANGED)
def both_change(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where B is given but the legal status stays, or neither placement nor postcode changes."""
    wrong = same_legal | (same_type & same_postcode)
    return answer(t.episodes, pl.col("goes_on") & (reason == "B") & wrong)


@both_change.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    moved = take(t.episodes, pl.col("goes_on") & (reason == "P"), rows)
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": same(moved, "B")})


@rule("CLA065", form="episode", shows=WHAT_CHANGED)
def need_changes(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the category of need is not that of the episode which this one continues."""
    continued = pl.col("goes_on") & reason.is_in(CONTINUES)
    return answer(t.episodes, continued & (pl.col("need") != pl.col("prev_need")))


@need_changes.breaker(entails=("CRCS-061",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    needs = t.episodes["need"]
    codes = [c.code for c in g.codes(g.item("episode", "CATEGORY_OF_NEED_CODE").code_set)]
    last = take(t.episodes, pl.col("goes_on") & pl.col("last") & pl.col("need").is_not_null(), rows)
    return put(t, "episode", {"CATEGORY_OF_NEED_CODE": {row: other_code(needs[row], codes) for row in last}})


@rule("CLA066", form="episode", shows=around("next_start"))
def life_goes_on(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an ending after which nothing can follow is followed by an episode."""
    final = sorted(g.allowed("reason_ceased_ends_life"))
    return answer(t.episodes, pl.col("finish").is_in(final) & ~pl.col("last"))


@life_goes_on.breaker(entails=("CLA059", "CLA060", *ENDS))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    final = max(g.allowed("reason_ceased_ends_life"))
    followed = take(t.episodes, ~pl.col("last") & (pl.col("finish") == "X1"), rows)
    return put(t, "episode", {"REASON_EPISODE_FINISHED_CODE": same(followed, final)})


@rule("CLA079", form="episode", needs=("child",))
def late_care_order(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a care order begins past the last age for one; C1 to C2 counts as one run of orders."""
    orders = [x.code for x in g.limits if x.rule == "CLA079"]
    begins = pl.when(reason == "S").then(pl.lit(value=True)).otherwise(~pl.col("prev_legal").is_in(orders))
    late = any_of(
        (legal == code)
        & (start >= late_birthday("dob", bound(g, "LEGAL_STATUS_CODE", code, "max_start_age_years") + 1))
        for code in orders
    )
    return answer(t.episodes, begins & late)


@late_care_order.breaker(entails=("CLA018", "CLA069", "CLA080", "CLA097", "CLA108", "CLA109", "CRCS-058", *TOO_OLD))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    begun = set(take(t.episodes, reason == "S", rows))
    chosen = [row for row in lone(t, rows) if row in begun]
    code = next(x.code for x in g.limits if x.rule == "CLA079")
    years = int(bound(g, "LEGAL_STATUS_CODE", code, "max_start_age_years")) + 1
    starts = t.episodes["start"]
    births = {row: day_text(years_before(starts[row], years) - dt.timedelta(days=5)) for row in chosen}
    changed = child_cells(t, births, "DOB", t.episodes)
    return changed | put(t, "episode", {"LEGAL_STATUS_CODE": same(chosen, code)})


@rule("CLA081", form="episode")
def short_breaks_beside_care(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode continues one whose legal status it may not stand beside, either way round."""
    before = pl.col("prev_legal")
    beside = any_of(
        (one == code) & other.is_in(sorted(partners))
        for code, partners in g.allowed("legal_status_not_next_to").items()
        for one, other in ((legal, before), (before, legal))
    )
    return answer(t.episodes, pl.col("goes_on") & beside)


@short_breaks_beside_care.breaker(entails=("CLA085", "CLA088", "CLA089", "CLA112", *CHANGES, *ENDS))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    code, partners = next(iter(g.allowed("legal_status_not_next_to").items()))
    beside = take(t.episodes, pl.col("goes_on") & pl.col("last") & pl.col("prev_legal").is_in(sorted(partners)), rows)
    return put(t, "episode", {"LEGAL_STATUS_CODE": same(beside, code), "SHORT_BREAKS": same(beside, "1")})


@rule("CLA084", form="episode")
def short_breaks_move(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a series of short breaks changes its placement."""
    series = pl.col("goes_on") & (legal == "V1") & (pl.col("prev_legal") == "V1")
    return answer(t.episodes, series & (pl.col("placement") != pl.col("prev_placement")))


@short_breaks_move.breaker(entails=("CLA045",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    day = g.last_day - dt.timedelta(days=30)
    lasting = pl.col("first") & pl.col("last") & pl.col("open") & (legal == "V1") & (start < day)
    series = take(t.episodes, lasting, rows)
    numbers, places = t.episodes["number"], t.episodes["placement"]
    codes = sorted(g.allowed("legal_status_allows_placement")["V1"])
    closed = {
        "EPISODE_END_DATE": same(series, day_text(day)),
        "REASON_EPISODE_FINISHED_CODE": same(series, "X1"),
    }
    text = put(t, "episode", closed)["episode"]
    second = t.text("episode")[series].with_columns(
        pl.Series("EPISODE_NUMBER", [str(numbers[row] + 1) for row in series], dtype=pl.String),
        pl.Series("PLACEMENT_TYPE_CODE", [other_code(places[row], codes) for row in series], dtype=pl.String),
        pl.lit("P").alias("REASON_EPISODE_STARTED_CODE"),
        pl.lit(day_text(day)).alias("EPISODE_START_DATE"),
        pl.lit(None, dtype=pl.String).alias("PLACEMENT_POSTCODE"),
    )
    return {"episode": pl.concat([text, second], how="vertical_relaxed")}
