"""Rules about one child or one episode at a time: who is on which form, dates within the year, ages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import (
    CHANGES,
    ENDS,
    TOO_OLD,
    TOO_YOUNG,
    answer,
    any_of,
    at_rows,
    birthday,
    bound,
    child_cells,
    day_text,
    keyed,
    late_birthday,
    lone,
    put,
    same,
    shifted,
    take,
    without_children,
    years_before,
)
from synth.rules.registry import rule
from synth.tables import AS_WRITTEN, LA, Tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance

    Rows = NDArray[np.int64]

ADULT = 18
"""Age at which the Children Act 1989 stops, for breakers alone."""
OTHER_ENDING = "E8"
HOME = "E4"
KEY = [LA, "SYSTEM_ID"]

start, end, dob = pl.col("start"), pl.col("end"), pl.col("dob")


def absent(t: Tables, form: str, *others: str) -> pl.Series:
    """Return true for rows of a form whose child is on none of the other forms."""
    known = pl.concat([t.numbers[other] for other in others]).unique()
    return answer(t.numbers[form].to_frame("who"), ~pl.col("who").is_in(known.implode()))


@rule("CLA005", form="child")
def birth_in_future(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child is born after the year ended."""
    return answer(t.typed("child"), pl.col("DOB") > g.last_day)


@birth_in_future.breaker(entails=("CLA031", "CLA120", "CLA130", "CRCS-058", *TOO_YOUNG))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "child", {"DOB": same((int(r) for r in rows), day_text(g.last_day + dt.timedelta(days=30)))})


@rule("CLA013", form="child")
def asylum_end_in_future(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the asylum status ceases after the year ended."""
    return answer(t.typed("child"), pl.col("DATE_CEASED_UASC") > g.last_day)


@asylum_end_in_future.breaker(entails=("CLA015",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    flagged = take(t.typed("child"), pl.col("ASYLUM") == "1", rows)
    return put(t, "child", {"DATE_CEASED_UASC": same(flagged, day_text(g.last_day + dt.timedelta(days=1)))})


@rule("CLA014", form="child")
def asylum_end_without_asylum(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a date on which asylum status ceased stands beside a child who is not flagged."""
    return answer(t.typed("child"), pl.col("DATE_CEASED_UASC").is_not_null() & (pl.col("ASYLUM") == "0"))


@asylum_end_without_asylum.breaker(entails=("CLA015",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    unflagged = take(t.typed("child"), pl.col("ASYLUM") == "0", rows)
    return put(t, "child", {"DATE_CEASED_UASC": same(unflagged, day_text(g.first_day))})


@rule("CLA015", form="child")
def asylum_end_after_childhood(t: Tables, g: Guidance) -> pl.Series:
    """Flag where asylum status ceases after the birthday that ends it at the latest."""
    years = bound(g, "DATE_CEASED_UASC", "", "max_birthday_years")
    return answer(t.typed("child"), pl.col("DATE_CEASED_UASC") > late_birthday("DOB", years))


@asylum_end_after_childhood.breaker(entails=("CLA013", "CLA014"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.typed("child").with_columns(day=late_birthday("DOB", ADULT))
    return put(t, "child", {"DATE_CEASED_UASC": shifted(frame, "day", (int(r) for r in rows), 1)})


@rule("CLA027", form="child", needs=("episode",))
def child_without_episode(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child has neither an episode nor a care leaver record."""
    others = ["episode", *(["care_leaver"] if "care_leaver" in t else [])]
    return absent(t, "child", *others)


@child_without_episode.breaker(entails=(*ENDS, "CRCS-052"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return without_children(t, "episode", keyed(t, "child"), (int(r) for r in rows))


@rule("CLA028", form="episode", needs=("child",))
def episode_without_child(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the child of an episode is not on the child form."""
    return absent(t, "episode", "child")


@episode_without_child.breaker(entails=("CLA109",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return without_children(t, "child", t.episodes, (int(r) for r in rows))


@rule("CLA028", form="adoption", needs=("child",))
def adoption_without_child(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the child of an adoption record is not on the child form."""
    return absent(t, "adoption", "child")


@adoption_without_child.breaker(entails=("CLA028",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return without_children(t, "child", keyed(t, "adoption"), (int(r) for r in rows))


@rule("CLA028", form="care_leaver", needs=("child",))
def leaver_without_child(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a care leaver is not on the child form."""
    return absent(t, "care_leaver", "child")


@leaver_without_child.breaker(entails=("CLA028",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return without_children(t, "child", keyed(t, "care_leaver"), (int(r) for r in rows))


@rule("CLA030", form="episode")
def starts_after_year(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode starts after the year ended."""
    return answer(t.episodes, start > g.last_day)


@starts_after_year.breaker(entails=("CLA033", "CLA057", "CRCS-050", *TOO_OLD))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "episode", {"EPISODE_START_DATE": same(lone(t, rows), day_text(g.last_day + dt.timedelta(days=1)))})


@rule("CLA031", form="episode", needs=("child",))
def starts_before_birth(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where an episode starts before the child was born."""
    return answer(t.episodes, start < dob)


@starts_before_birth.breaker(entails=TOO_YOUNG)
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "episode", {"EPISODE_START_DATE": shifted(t.episodes, "dob", lone(t, rows), -1)})


@rule("CLA032", form="episode")
def starts_before_the_act(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode starts before the first day any can."""
    first = g.limit_date("EPISODE_START_DATE", "", "first_start_date")
    return answer(t.episodes, start < pl.lit(first, dtype=pl.Date))


@starts_before_the_act.breaker(entails=("CLA031", "CLA049", "CLA050", *TOO_YOUNG))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    first = g.limit_date("EPISODE_START_DATE", "", "first_start_date") or g.first_day
    day = day_text(first - dt.timedelta(days=1))
    return put(t, "episode", {"EPISODE_START_DATE": same(lone(t, rows), day)})


@rule("CLA033", form="episode", needs=("child",))
def starts_grown_up(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode starts past the last age at which one can."""
    years = bound(g, "DOB", "", "max_start_age_years") + 1
    return answer(t.episodes, start >= late_birthday("dob", years))


@starts_grown_up.breaker(entails=("CLA030", "CLA057", "CRCS-050", *TOO_OLD))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.episodes.with_columns(day=late_birthday("dob", ADULT))
    return put(t, "episode", {"EPISODE_START_DATE": shifted(frame, "day", lone(t, rows), 0)})


@rule("CLA035", form="episode")
def ends_after_year(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode ends after the year ended."""
    return answer(t.episodes, end > g.last_day)


@ends_after_year.breaker(entails=("CLA135", "CRCS-105", *TOO_OLD))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    closed = take(t.episodes, pl.col("last") & end.is_not_null(), rows)
    return put(t, "episode", {"EPISODE_END_DATE": same(closed, day_text(g.last_day + dt.timedelta(days=1)))})


@rule("CLA036", form="episode")
def ends_before_year(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode was over before the year began."""
    return answer(t.episodes, end < g.first_day)


@ends_before_year.breaker(entails=("CLA037", *ENDS))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    early = set(take(t.episodes, start < g.first_day - dt.timedelta(days=30), rows))
    chosen = [row for row in lone(t, rows) if row in early]
    day = day_text(g.first_day - dt.timedelta(days=1))
    ending = {
        "EPISODE_END_DATE": same(chosen, day),
        "REASON_EPISODE_FINISHED_CODE": same(chosen, OTHER_ENDING),
    }
    return put(t, "episode", ending)


@rule("CLA037", form="episode")
def ends_at_once(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where an episode ends on or before the day it starts."""
    return answer(t.episodes, end <= start)


@ends_at_once.breaker(entails=("CLA106", "CLA135", *TOO_YOUNG, *TOO_OLD))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    closed = take(t.episodes, pl.col("last") & (end > start) & (start >= g.first_day), rows)
    return put(t, "episode", {"EPISODE_END_DATE": shifted(t.episodes, "start", closed, 0)})


@rule("CLA046", form="episode")
def old_codes(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode began under a placement code that had ended by then."""
    item = g.item("episode", "PLACEMENT_TYPE_CODE")
    written = pl.col(f"{AS_WRITTEN}{item.name}")
    ended = {code.code: code.last_year for code in g.ended_codes if code.code_set == item.code_set}
    wrong = any_of(
        (written == code) & (start > pl.date(pl.lit(last_year), g.last_day.month, g.last_day.day))
        for code, last_year in ended.items()
    )
    # Few rows hold a code that is not in the list.
    unread = t.episodes.filter(pl.col("placement").is_null())
    return at_rows(t.episodes.height, unread.filter(wrong)["row"])


@old_codes.breaker(entails=("CLA042", *CHANGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    kind = g.item("episode", "PLACEMENT_TYPE_CODE").code_set
    old = min((c for c in g.ended_codes if c.code_set == kind), key=lambda c: c.last_year or 0)
    late = set(take(t.episodes, start > pl.date(old.last_year or 0, g.last_day.month, g.last_day.day), rows))
    return put(t, "episode", {"PLACEMENT_TYPE_CODE": same([n for n in lone(t, rows) if n in late], old.code)})


@rule("CLA052", form="episode")
def short_breaks_counted(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a series of short breaks counts fewer than the least number."""
    least = bound(g, "SHORT_BREAKS", "", "min_value")
    return answer(t.episodes, (pl.col("legal") == "V1") & (pl.col("breaks") < least))


@short_breaks_counted.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "episode", {"SHORT_BREAKS": same(take(t.episodes, pl.col("legal") == "V1", rows), "0")})


@rule("CLA108", form="episode", needs=("child",))
def ends_grown_up(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode goes on past the birthday that ends being looked after."""
    years = bound(g, "DOB", "", "max_birthday_years")
    return answer(t.episodes, end > late_birthday("dob", years))


@ends_grown_up.breaker(entails=("CLA035", *TOO_OLD, *ENDS))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    closed = take(t.episodes, pl.col("last") & (end > start), rows)
    frame = t.episodes.with_columns(day=late_birthday("dob", ADULT))
    return put(t, "episode", {"EPISODE_END_DATE": shifted(frame, "day", closed, 1)})


@rule("CLA109", form="episode", needs=("child",))
def open_grown_up(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an open episode belongs to someone past the last age on 31 March."""
    years = bound(g, "DOB", "", "max_age_years") + 1
    return answer(t.episodes, pl.col("open") & (late_birthday("dob", years) <= g.last_day))


@open_grown_up.breaker(entails=("CRCS-058", *TOO_OLD))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    dob = day_text(years_before(g.last_day, ADULT) - dt.timedelta(days=5))
    return child_cells(t, same(lone(t, rows), dob), "DOB", t.episodes)


@rule("CLA120", form="episode", needs=("child",))
def stays_on_away_from_birthday(t: Tables, g: Guidance) -> pl.Series:
    """Flag where staying on with foster carers at 18 (E10) is given away from that birthday or placement."""
    years = bound(g, "REASON_EPISODE_FINISHED_CODE", "E10", "birthday_years")
    before = int(bound(g, "REASON_EPISODE_FINISHED_CODE", "E10", "max_days_before_birthday"))
    placements = sorted(g.allowed("reason_ceased_needs_placement").get("E10", frozenset()))
    timely = end.is_between(birthday("dob", years) - pl.duration(days=before), late_birthday("dob", years))
    fostered = pl.col("placement").is_in(placements)
    return answer(t.episodes, (pl.col("finish") == "E10") & (~timely | ~fostered))


@stays_on_away_from_birthday.breaker(entails=ENDS)
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    other = take(t.episodes, pl.col("last") & (end > start) & (pl.col("finish") != "E10"), rows)
    return put(t, "episode", {"REASON_EPISODE_FINISHED_CODE": same(other, "E10")})


def under_an_order(g: Guidance) -> pl.Expr:
    """Say of episodes whether an order that going home is queried under stands, away from the parents."""
    orders = g.allowed("reason_ceased_queried_with_legal_status").get(HOME, frozenset())
    at_home = g.allowed("reason_ceased_plain_with_placement").get(HOME, frozenset())
    return pl.col("legal").is_in(sorted(orders)) & ~pl.col("placement").is_in(sorted(at_home))


@rule("CLA121", form="episode")
def home_under_an_order(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child goes home (E4) under an order that stands, and has not lived with the parents before."""
    return answer(t.episodes, (pl.col("finish") == HOME) & under_an_order(g))


@home_under_an_order.breaker(entails=ENDS)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    ended = pl.col("last") & (end > start) & (pl.col("finish") != HOME)
    other = take(t.episodes, ended & under_an_order(g), rows)
    return put(t, "episode", {"REASON_EPISODE_FINISHED_CODE": same(other, HOME)})
