"""Rules of the care leaver form: who must be on it, and who must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import (
    answer,
    any_of,
    at_rows,
    birthday,
    bound,
    keyed,
    put,
    same,
    take,
    with_child,
    without_children,
)
from synth.rules.registry import rule
from synth.rules.shown import beside_career

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

_LEFT_BY = beside_career("care_leaver", "last_finish", "care ended with")


@rule("CLA141", form="episode", needs=("child", "care_leaver"))
def leaver_record_missing(t: Tables, g: Guidance) -> pl.Series:
    """Flag where care ended at leaving age, calling for a care leaver record, and there is none."""
    age = bound(g, "DATE_CEASED", "", "min_age_years")
    without = [*g.allowed("reason_ceased_no_care_leaver_record")]
    statuses = [*g.allowed("legal_status_no_care_leaver_record")]
    left = pl.col("last") & (pl.col("finish") != "X1") & ~pl.col("finish").is_in(without)
    grown = pl.col("end") >= birthday("dob", age)
    calling = t.episodes.filter(left & grown & ~pl.col("legal").is_in(statuses)).select("row", "who")
    return at_rows(t.episodes.height, calling.filter(~pl.col("who").is_in(t.numbers["care_leaver"].implode()))["row"])


@leaver_record_missing.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    age = bound(g, "DATE_CEASED", "", "min_age_years")
    without = [*g.allowed("reason_ceased_no_care_leaver_record")]
    left = pl.col("last") & ~pl.col("finish").is_in([*without, "X1"]) & (pl.col("end") >= birthday("dob", age))
    return without_children(t, "care_leaver", t.episodes, take(t.episodes, left & (pl.col("legal") != "V1"), rows))


@rule("CLA142", form="care_leaver", needs=("child", "episode"), shows=_LEFT_BY)
def leaver_record_unfounded(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a care leaver is looked after on 31 March, or left too young or in a way that makes no care leaver."""
    without = [*g.allowed("reason_ceased_no_care_leaver_record")]
    young = with_child(t, "care_leaver", t.births, "DATE_CEASED").select(
        pl.col("DATE_CEASED") < birthday("dob", bound(g, "DATE_CEASED", "", "min_age_years"))
    )
    left = with_child(t, "care_leaver", t.careers)
    wrong = pl.col("open").fill_null(value=False) | pl.col("last_finish").is_in(without).fill_null(value=False)
    return answer(left, wrong) | answer(young, pl.first())


@leaver_record_unfounded.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    leavers = keyed(t, "care_leaver")
    keys = {(leavers["la"][int(row)], leavers["id"][int(row)]) for row in rows}
    view = t.episodes.filter(pl.col("last") & pl.col("end").is_not_null()).select("row", "la", "id").rows()
    return put(t, "episode", {"REASON_EPISODE_FINISHED_CODE": {n: "E2" for n, *key in view if tuple(key) in keys}})


@rule("CLA143", form="care_leaver")
def half_coded(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where only one of activity and accommodation is given."""
    return answer(t.text("care_leaver"), pl.col("ACTIV").is_null() != pl.col("ACCOM").is_null())


@half_coded.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    both = take(t.text("care_leaver"), pl.col("ACTIV").is_not_null() & pl.col("ACCOM").is_not_null(), rows)
    return put(t, "care_leaver", {"ACTIV": same(both, None)})


def housed_otherwise(t: Tables, g: Guidance, id_: str) -> pl.Series:
    """Return true where the accommodation does not go with how care ended, for the endings of one rule."""
    wrong = any_of(
        (pl.col("last_finish") == row.code) & ~pl.col("ACCOM").is_in(sorted(row.partners))
        for row in g.allowed_rows
        if row.rule == id_
    )
    return answer(with_child(t, "care_leaver", t.careers), wrong)


def _otherwise(t: Tables, g: Guidance, id_: str, rows: Rows) -> dict[str, pl.DataFrame]:
    """House leavers as does not go with how their care ended."""
    partners = {x.code: x.partners for x in g.allowed_rows if x.rule == id_}
    frame = with_child(t, "care_leaver", t.careers)
    finish = frame["last_finish"]
    codes = sorted(g.values(g.item("care_leaver", "ACCOM").code_set), reverse=True)
    chosen = take(frame, pl.col("last_finish").is_in(sorted(partners)), rows)
    return put(t, "care_leaver", {"ACCOM": {n: next(c for c in codes if c not in partners[finish[n]]) for n in chosen}})


@rule("CLA144", form="care_leaver", needs=("episode",), shows=_LEFT_BY)
def not_with_foster_carers(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a young person who stays on with foster carers (E10) is said to live elsewhere."""
    return housed_otherwise(t, g, "CLA144")


@not_with_foster_carers.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _otherwise(t, g, "CLA144", rows)


@rule("CLA145", form="care_leaver", needs=("episode",), shows=_LEFT_BY)
def housed_unlike_ending(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the accommodation does not fit going home, custody, or independent living."""
    return housed_otherwise(t, g, "CLA145")


@housed_unlike_ending.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _otherwise(t, g, "CLA145", rows)
