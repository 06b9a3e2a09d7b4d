"""Rules of the whole-year care and support return: plan dates, closures, status without a plan."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import (
    CENSUS_AGES,
    answer,
    bound,
    day_text,
    late_birthday,
    put,
    same,
    shifted,
    take,
    years_before,
)
from synth.rules.registry import rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

begun, closed = pl.col("PLAN_START_DATE"), pl.col("PLAN_CLOSED_DATE")
birth, active = pl.col("DATE_OF_BIRTH"), pl.col("PLAN_ACTIVE_31_MARCH")


@rule("CRCS-025", form="crcs")
def plan_past_childhood(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child was grown up as the year began, or the plan goes on past that birthday."""
    years = bound(g, "DATE_OF_BIRTH", "", "max_age_at_year_start_years") + 1
    last = late_birthday("DATE_OF_BIRTH", bound(g, "PLAN_CLOSED_DATE", "", "max_birthday_years"))
    unclosed = t.text("crcs")["PLAN_CLOSED_DATE"].is_null()
    past = (closed > last) | (pl.lit(unclosed) & (last <= g.last_day))
    return answer(t.typed("crcs"), (late_birthday("DATE_OF_BIRTH", years) <= g.first_day) | past)


@plan_past_childhood.breaker(entails=("CRCS-040", "CRCS-058", *CENSUS_AGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    years = int(bound(g, "DATE_OF_BIRTH", "", "max_age_at_year_start_years")) + 1
    return put(t, "crcs", {"DATE_OF_BIRTH": same((int(r) for r in rows), day_text(years_before(g.first_day, years)))})


@rule("CRCS-097", form="crcs")
def plan_in_future(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the plan starts after the year ended."""
    return answer(t.typed("crcs"), begun > g.last_day)


@plan_in_future.breaker(entails=("CRCS-100", "CRCS-110"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    day = day_text(g.last_day + dt.timedelta(days=1))
    return put(t, "crcs", {"PLAN_START_DATE": same((int(r) for r in rows), day)})


@rule("CRCS-098", form="crcs")
def plan_before_birth(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the plan starts before the child was born."""
    return answer(t.typed("crcs"), begun < birth)


@plan_before_birth.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "crcs", {"PLAN_START_DATE": shifted(t.typed("crcs"), "DATE_OF_BIRTH", (int(r) for r in rows), -1)})


@rule("CRCS-099", form="crcs")
def closed_outside_year(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the plan was closed before the year began or after it ended."""
    return answer(t.typed("crcs"), ~closed.is_between(g.first_day, g.last_day))


@closed_outside_year.breaker(entails=("CRCS-100", "CRCS-101", "CRCS-105"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    over = take(t.typed("crcs"), active == "0", rows)
    return put(t, "crcs", {"PLAN_CLOSED_DATE": same(over, day_text(g.first_day - dt.timedelta(days=1)))})


@rule("CRCS-100", form="crcs")
def closed_before_begun(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the plan was closed before it started."""
    return answer(t.typed("crcs"), closed < begun)


@closed_before_begun.breaker(entails=("CRCS-099", "CRCS-105"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    over = take(t.typed("crcs"), active == "0", rows)
    return put(t, "crcs", {"PLAN_CLOSED_DATE": shifted(t.typed("crcs"), "PLAN_START_DATE", over, -1)})


@rule("CRCS-101", form="crcs")
def closed_at_once(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the plan was closed on the day it started."""
    return answer(t.typed("crcs"), closed == begun)


@closed_at_once.breaker(entails=("CRCS-110",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    over = take(t.typed("crcs"), active == "0", rows)
    return put(t, "crcs", {"PLAN_START_DATE": shifted(t.typed("crcs"), "PLAN_CLOSED_DATE", over, 0)})


@rule("CRCS-102", form="crcs")
def active_flag(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a plan closed before 31 March is called active, or one not closed is not."""
    unclosed = pl.lit(t.text("crcs")["PLAN_CLOSED_DATE"].is_null())
    return answer(t.typed("crcs"), ((active == "1") & (closed < g.last_day)) | ((active == "0") & unclosed))


@active_flag.breaker(entails=("CRCS-PLAN_CLOSED_DATE-blank", "CRCS-050", "CRCS-107"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    over = take(t.typed("crcs"), (active == "0") & (closed < g.last_day), rows)
    return put(t, "crcs", {"PLAN_ACTIVE_31_MARCH": same(over, "1")})


@rule("CRCS-107", form="crcs")
def status_without_plan(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child without an active plan is called looked after or registered on 31 March."""
    status = (pl.col("LOOKED_AFTER_CHILD") == "1") | (pl.col("CHILD_PROTECTION_REGISTER") == "1")
    return answer(t.typed("crcs"), (active == "0") & status)


@status_without_plan.breaker(entails=("CRCS-050",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    over = take(t.typed("crcs"), (active == "0") & (pl.col("LOOKED_AFTER_CHILD") == "0"), rows)
    return put(t, "crcs", {"LOOKED_AFTER_CHILD": same(over, "1")})
