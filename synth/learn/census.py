"""A care and support return as the factors that the profile drives: one row a child, flags as 1, 0 or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.lives.behaviour import BANDS, band

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from synth.published.counted import Condition

__all__ = ["ITEMS", "factors", "meets"]

ITEMS = ("YOUTH_OFFENDING", "CHILD_HEALTH_", "HEALTH_", "PARENTING_CAPACITY_", "DISABILITY_", "CPR_")
"""Beginnings of the names of flags."""

_NO_FLAGS = ("CPR_DATE", "CPR_DURING_YEAR", "DISABILITY_NONE")
_ACTIVE = "PLAN_ACTIVE_31_MARCH"


def factors(form: pl.DataFrame, last_day: dt.date) -> pl.DataFrame:
    """Return children whose plan is active on 31 March (`last_day`): what they are grouped by, and their flags.

    `form` has the items of the return, DATE_OF_BIRTH as Date. Columns: status (looked_after, register, other),
    on_register, need, sex, alone (unaccompanied), age in completed years, its band, each flag under its own name, and
    as flags disabled (any impairment) and two_categories (of the register). Flags are Int8 and null where they are not
    asked for or not known.
    """
    if _ACTIVE in form.columns:
        form = form.filter((pl.col(_ACTIVE).cast(pl.String) == "1").fill_null(value=False))
    flags = [name for name in form.columns if name.startswith(ITEMS) and name not in _NO_FLAGS]
    birth = pl.col("DATE_OF_BIRTH").dt
    # Who was born later in a year than 31 March has not had the birthday.
    later = (birth.month() > last_day.month) | ((birth.month() == last_day.month) & (birth.day() > last_day.day))
    age = last_day.year - birth.year() - later.cast(pl.Int32)
    looked_after, on_register = (_flag(name) for name in ("LOOKED_AFTER_CHILD", "CHILD_PROTECTION_REGISTER"))
    frame = form.select(
        need=pl.col("CATEGORY_OF_NEED_CODE").cast(pl.String),
        sex=pl.col("GENDER").cast(pl.String),
        alone=(pl.col("ASYLUM_SEEKER_CODE").cast(pl.String) == "1").cast(pl.Int8),
        on_register=on_register,
        status=pl.when(looked_after == 1)
        .then(pl.lit("looked_after"))
        .when(on_register == 1)
        .then(pl.lit("register"))
        .when((looked_after == 0) & (on_register == 0))
        .then(pl.lit("other")),
        age=age,
        **{name: _flag(name) for name in flags},
    )
    impairments = [pl.col(name) == 1 for name in flags if name.startswith("DISABILITY_")]
    categories = [pl.col(name) for name in flags if name.startswith("CPR_")]
    known = frame["age"].fill_null(0).to_numpy()
    return frame.with_columns(
        pl.Series("band", [BANDS[n] for n in band(known)], dtype=pl.String),
        disabled=pl.any_horizontal(impairments).cast(pl.Int8),
        two_categories=(pl.sum_horizontal(categories) > 1).cast(pl.Int8),
    ).with_columns(pl.when(pl.col("age").is_not_null()).then("band"))


def meets(where: Sequence[Condition]) -> pl.Expr:
    """Return the rows of the factors that meet all conditions; what is not known meets none but those that exclude."""
    met = pl.lit(value=True)
    for condition in where:
        column = pl.col(condition.column)
        if condition.values:
            one = column.cast(pl.String).is_in(condition.values).fill_null(value=False)
            met &= ~one if condition.negated else one
        else:
            met &= column >= (condition.low or 0)
            met &= pl.lit(value=True) if condition.high is None else column <= condition.high
    return met.fill_null(value=False)


def _flag(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    return pl.when(text == "1").then(1).when(text == "0").then(0).cast(pl.Int8).alias(name)
