"""Rules about where children stay and for how long: codes out of use, short breaks, adoptive and family placements."""

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
    birthday,
    bound,
    day_text,
    lone,
    put,
    same,
    take,
)
from synth.rules.registry import rule
from synth.rules.shown import WHAT_CHANGED, around

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

ENDING, PLACEMENT = "REASON_EPISODE_FINISHED_CODE", "PLACEMENT_TYPE_CODE"

start, end, legal, placement = pl.col("start"), pl.col("end"), pl.col("legal"), pl.col("placement")


def written(t: Tables) -> pl.DataFrame:
    """Return the view of episodes with `blank`: no placement postcode was written."""
    return t.episodes.with_columns(t.text("episode").select(blank=pl.col("PLACEMENT_POSTCODE").is_null()).to_series())


@rule("CLA045", form="episode")
def postcode_missing(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the placement postcode is blank and the placement is not one that may go without.

    A flat of one's own (P2) may be abroad, which the files do not say, so it may always go without.
    """
    without = sorted(g.allowed("postcode_may_be_blank"))
    return answer(t.view(written), pl.col("blank") & ~placement.is_in(without))


@postcode_missing.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    without = sorted(g.allowed("postcode_may_be_blank"))
    return put(t, "episode", {"PLACEMENT_POSTCODE": same(take(t.view(written), ~placement.is_in(without), rows), None)})


@rule("CLA047", form="episode")
def codes_out_of_use(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a code that is out of use was written."""
    wrong = any_of(pl.col(row.item) == row.code for row in g.allowed_rows if row.relation == "code_out_of_use")
    return answer(t.text("episode"), wrong)


@codes_out_of_use.breaker(entails=("CLA042", "CLA046", *CHANGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    old = next(row for row in g.allowed_rows if row.relation == "code_out_of_use" and row.item == PLACEMENT)
    return put(t, "episode", {PLACEMENT: same(lone(t, rows), old.code)})


def _long_interim(t: Tables, g: Guidance) -> pl.Expr:
    """Say where the last episode of a run of interim orders makes it longer than usual, as far as this file shows."""
    days = int(bound(g, "LEGAL_STATUS_CODE", "C1", "query_days"))
    long = pl.col("run_end") - pl.col("run_start") > pl.duration(days=days)
    until = pl.when("open").then(pl.lit(t.last_day)).otherwise("end")
    return long & (until == pl.col("run_end"))


@rule("CLA080", form="episode")
def interim_order_goes_on(t: Tables, g: Guidance) -> pl.Series:
    """Flag the last episode of a run of interim care orders that is longer than usual."""
    return answer(t.episodes, (legal == "C1") & _long_interim(t, g))


@interim_order_goes_on.breaker(entails=("CLA018", "CLA079", *CHANGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    long = set(take(t.episodes, _long_interim(t, g) & ~placement.is_in(["A5", "A6"]), rows))
    return put(t, "episode", {"LEGAL_STATUS_CODE": same([row for row in lone(t, rows) if row in long], "C1")})


@rule("CLA082", form="episode")
def long_break(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a series of short breaks is one break only, begun and ended in the year, and longer than is lawful.

    A row is a series with its number of breaks in the year: the length of one of several is nowhere said.
    """
    days = int(bound(g, "LEGAL_STATUS_CODE", "V1", "max_days"))
    one = (legal == "V1") & (pl.col("breaks") == 1) & (pl.col("reason") == "S") & (start >= g.first_day)
    return answer(t.episodes, one & (end - start > pl.duration(days=days)))


@long_break.breaker(entails=("CLA068", "CLA072", *ENDS, *TOO_OLD))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    days = int(bound(g, "LEGAL_STATUS_CODE", "V1", "max_days"))
    series = take(t.episodes, pl.col("first") & pl.col("last") & (legal == "V1"), rows)
    last = g.first_day + dt.timedelta(days=days + 1)
    return put(
        t,
        "episode",
        {
            "EPISODE_START_DATE": same(series, day_text(g.first_day)),
            "EPISODE_END_DATE": same(series, day_text(last)),
            ENDING: same(series, "E8"),
            "REASON_EPISODE_STARTED_CODE": same(series, "S"),
            "SHORT_BREAKS": same(series, "1"),
        },
    )


@rule("CLA083", form="episode")
def many_breaks(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child's short breaks in the year, a day each at least, make more days than is lawful."""
    most = int(bound(g, "LEGAL_STATUS_CODE", "V1", "max_days_in_12_months"))
    breaks = t.episodes.filter(legal == "V1").group_by("who").agg(taken=pl.col("breaks").sum())
    over = breaks.filter(pl.col("taken") > most)["who"]
    return answer(t.episodes, (legal == "V1") & pl.col("who").is_in(over.implode()))


@many_breaks.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    most = int(bound(g, "LEGAL_STATUS_CODE", "V1", "max_days_in_12_months"))
    return put(t, "episode", {"SHORT_BREAKS": same(take(t.episodes, legal == "V1", rows), str(most + 1))})


@rule("CLA091", form="episode", shows=WHAT_CHANGED)
def adopters_are_no_carers(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a placement for adoption with the current foster carer follows on from no such carer, or moves.

    The child may have been with the carer for adoption already, under another legal status, or away for a while, in
    hospital or missing; what was before then is not looked for.
    """
    away = g.allowed("placement_interrupted_by")
    before, moved = pl.col("prev_placement"), pl.col("postcode") != pl.col("prev_postcode")
    follows = g.allowed("placement_follows_placement")

    def misplaced(code: str) -> pl.Expr:
        no_carer = pl.col("goes_on") & ~before.is_in(sorted({*follows[code], *follows, *away.get(code, ())}))
        other_carer = pl.col("goes_on") & before.is_in(sorted(follows[code])) & moved
        return (placement == code) & any_of([pl.col("reason") == "S", no_carer, other_carer])

    return answer(t.episodes, any_of(misplaced(code) for code in follows))


@adopters_are_no_carers.breaker(entails=("CLA092", *CHANGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    carers = sorted(g.allowed("placement_follows_placement")["A3"])
    under_consent = sorted(g.allowed("placement_needs_legal_status")["A3"])
    moved = pl.col("goes_on") & pl.col("last") & pl.col("open") & (pl.col("postcode") != pl.col("prev_postcode"))
    chosen = take(t.episodes, moved & pl.col("prev_placement").is_in(carers) & legal.is_in(under_consent), rows)
    return put(t, "episode", {PLACEMENT: same(chosen, "A3")})


def _between(g: Guidance) -> pl.Expr:
    """Say of an episode whether the child is no infant any more and no young parent yet when it starts."""
    infant = int(bound(g, PLACEMENT, "R3", "infant_max_age_years")) + 1
    parent = int(bound(g, PLACEMENT, "R3", "parent_min_age_years"))
    return (start >= birthday("dob", infant)) & (start < birthday("dob", parent))


@rule("CLA100", form="episode", needs=("child",))
def neither_infant_nor_parent(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a family centre is entered at an age too old for an infant and too young for a parent."""
    return answer(t.episodes, (placement == "R3") & _between(g))


@neither_infant_nor_parent.breaker(entails=("CLA104", *CHANGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    aged = set(take(t.episodes, _between(g), rows))
    return put(t, "episode", {PLACEMENT: same([row for row in lone(t, rows) if row in aged], "R3")})


@rule("CLA104", form="episode", needs=("child",), shows=around("home"))
def placed_at_home(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a placement other than with the parents has the postcode of the home."""
    may = sorted(g.allowed("home_postcode_may_match"))
    return answer(t.episodes, (pl.col("postcode") == pl.col("home")) & ~placement.is_in(may))


@placed_at_home.breaker(entails=("CLA101", "CLA102", "CLA103", *CHANGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    may = sorted(g.allowed("home_postcode_may_match"))
    away = take(t.episodes, pl.col("home").is_not_null() & ~placement.is_in(may), rows)
    return put(t, "episode", {"PLACEMENT_POSTCODE": {row: t.episodes["home"][row] for row in away}})
