"""Rules of the care and support census over several items of one child."""

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

birth, registered = pl.col("DATE_OF_BIRTH"), pl.col("CPR_DATE")
REASONS = [
    "CPR_NEGLECT",
    "CPR_PHYSICAL_ABUSE",
    "CPR_SEXUAL_ABUSE",
    "CPR_FINANCIAL_ABUSE",
    "CPR_EMOTIONAL_ABUSE",
]


def impairments(t: Tables) -> list[str]:
    """Return the names of the impairment flags, without the flag for none."""
    names = t.text("crcs").columns
    return [name for name in names if name.startswith("DISABILITY_") and name != "DISABILITY_NONE"]


@rule("CRCS-022", form="crcs")
def birth_in_future(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child is born after the year ended."""
    return answer(t.typed("crcs"), birth > g.last_day)


@birth_in_future.breaker(entails=("CRCS-026", "CRCS-039", "CRCS-058", "CRCS-098", "CRCS-116", *CENSUS_AGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(
        t,
        "crcs",
        {"DATE_OF_BIRTH": same((int(r) for r in rows), day_text(g.last_day + dt.timedelta(days=1)))},
    )


@rule("CRCS-024", form="crcs")
def grown_up(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child is past the last age on 31 March."""
    years = bound(g, "DATE_OF_BIRTH", "", "max_age_years") + 1
    return answer(t.typed("crcs"), late_birthday("DATE_OF_BIRTH", years) <= g.last_day)


@grown_up.breaker(entails=("CRCS-040", "CRCS-058", *CENSUS_AGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    years = int(bound(g, "DATE_OF_BIRTH", "", "max_age_years")) + 1
    return put(t, "crcs", {"DATE_OF_BIRTH": same((int(r) for r in rows), day_text(years_before(g.last_day, years)))})


@rule("CRCS-026", form="crcs")
def born_after_quarter_day(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child was born after the day by which the plan had to be in place."""
    return answer(t.typed("crcs"), birth > pl.lit(g.quarter_day, dtype=pl.Date))


@born_after_quarter_day.breaker(entails=("CRCS-039", "CRCS-058", "CRCS-116", *CENSUS_AGES))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    day = (g.quarter_day or g.last_day) + dt.timedelta(days=1)
    return put(t, "crcs", {"DATE_OF_BIRTH": same((int(r) for r in rows), day_text(day))})


@rule("CRCS-038", form="crcs")
def registered_in_future(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child was registered after the year ended."""
    return answer(t.typed("crcs"), registered > g.last_day)


@registered_in_future.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    on = take(t.typed("crcs"), pl.col("CHILD_PROTECTION_REGISTER") == "1", rows)
    return put(t, "crcs", {"CPR_DATE": same(on, day_text(g.last_day + dt.timedelta(days=1)))})


def _earliest(g: Guidance) -> pl.Expr:
    """Return the first day on which a child not yet born can be registered."""
    return birth - pl.duration(weeks=int(bound(g, "CPR_DATE", "", "max_weeks_before_birth")))


@rule("CRCS-039", form="crcs")
def registered_before_birth(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child was registered before birth, no earlier than an unborn child can be."""
    return answer(t.typed("crcs"), registered.is_between(_earliest(g), birth, closed="left"))


@registered_before_birth.breaker(entails=("CRCS-040",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    on = take(t.typed("crcs"), pl.col("CHILD_PROTECTION_REGISTER") == "1", rows)
    return put(t, "crcs", {"CPR_DATE": shifted(t.typed("crcs"), "DATE_OF_BIRTH", on, -1)})


@rule("CRCS-116", form="crcs")
def registered_before_pregnancy(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the child was registered longer before birth than a pregnancy lasts."""
    return answer(t.typed("crcs"), registered < _earliest(g))


@registered_before_pregnancy.breaker(entails=("CRCS-040",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    on = take(t.typed("crcs"), pl.col("CHILD_PROTECTION_REGISTER") == "1", rows)
    frame = t.typed("crcs").with_columns(day=_earliest(g))
    return put(t, "crcs", {"CPR_DATE": shifted(frame, "day", on, -1)})


@rule("CRCS-040", form="crcs")
def registered_long_ago(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the registration is older than is usual."""
    years = int(bound(g, "CPR_DATE", "", "query_years"))
    oldest = pl.lit(g.last_day).dt.offset_by(f"-{years}y")
    return answer(t.typed("crcs"), registered < oldest)


@registered_long_ago.breaker(entails=("CRCS-039", "CRCS-116"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    years = int(bound(g, "CPR_DATE", "", "query_years"))
    on = take(t.typed("crcs"), pl.col("CHILD_PROTECTION_REGISTER") == "1", rows)
    return put(t, "crcs", {"CPR_DATE": same(on, day_text(years_before(g.last_day, years) - dt.timedelta(days=1)))})


@rule("CRCS-041", form="crcs")
def registered_without_reason(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a registered child has no category of abuse or neglect."""
    none = pl.all_horizontal((pl.col(name) == "0") for name in REASONS)
    return answer(t.typed("crcs"), (pl.col("CHILD_PROTECTION_REGISTER") == "1") & none)


@registered_without_reason.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    on = take(t.typed("crcs"), pl.col("CHILD_PROTECTION_REGISTER") == "1", rows)
    return put(t, "crcs", {name: same(on, "0") for name in REASONS})


@rule("CRCS-086", form="crcs")
def none_and_some(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where no disability is said beside an impairment."""
    some = pl.any_horizontal((pl.col(name) == "1").fill_null(value=False) for name in impairments(t))
    return answer(t.typed("crcs"), (pl.col("DISABILITY_NONE") == "1") & some)


@none_and_some.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    none = take(t.typed("crcs"), pl.col("DISABILITY_NONE") == "1", rows)
    return put(t, "crcs", {impairments(t)[0]: same(none, "1")})


@rule("CRCS-087", form="crcs")
def neither_none_nor_some(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a disability is said without any impairment."""
    none = pl.all_horizontal((pl.col(name) == "0") for name in impairments(t))
    return answer(t.typed("crcs"), (pl.col("DISABILITY_NONE") == "0") & none)


@neither_none_nor_some.breaker(entails=("CRCS-063",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    none = take(t.typed("crcs"), pl.col("DISABILITY_NONE") == "1", rows)
    return put(t, "crcs", {"DISABILITY_NONE": same(none, "0")})
