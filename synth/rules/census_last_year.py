"""Rules of the census that need last year's: a child keeps number, birth date, gender, pupil number and plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import (
    CENSUS_AGES,
    answer,
    at_rows,
    day_text,
    other_code,
    put,
    same,
    shifted,
    take,
    years_before,
)
from synth.rules.pupil_number import UPN_LENGTH, other_upn
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

LAST = ("last:crcs",)
NOT_KNOWN = "9"
"""Gender that is not known: it may become known."""
NEW_BIRTH = ("CRCS-039", "CRCS-058", "CRCS-098", "CRCS-116", *CENSUS_AGES)
"""Rules that may fire when a birth date moves by a day or a year."""

born, born_then = pl.col("DATE_OF_BIRTH"), pl.col("DATE_OF_BIRTH_then")
gender, gender_then = pl.col("GENDER"), pl.col("GENDER_then")
number, number_then = pl.col("UPN"), pl.col("UPN_then")


def _issued(upn: pl.Expr) -> pl.Expr:
    """Return where a pupil number is a full one: neither a reason for having none, nor temporary."""
    return (upn.str.len_chars() == UPN_LENGTH) & upn.str.contains(r"[0-9]$")


_OTHER_GENDER = (gender != gender_then) & (gender != NOT_KNOWN) & (gender_then != NOT_KNOWN)
_OTHER_NUMBER = _issued(number) & _issued(number_then) & (number != number_then)
_OTHER_CHILD = (born != born_then) & (_OTHER_GENDER.fill_null(value=False) | _OTHER_NUMBER.fill_null(value=False))


@rule("CRCS-010", form="crcs", needs=LAST)
def birth_or_gender_changed(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where birth date or gender is not last year's; gender that was or is not known does not count.

    Where so much differs that it must be another child, the rule on numbers given twice says so instead.
    """
    changed = (born != born_then).fill_null(value=False) | _OTHER_GENDER.fill_null(value=False)
    return answer(t.census_then, changed & ~_OTHER_CHILD.fill_null(value=False))


@birth_or_gender_changed.breaker(entails=NEW_BIRTH)
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.census_then
    known = take(frame, pl.col("there") & born_then.is_not_null() & ~_OTHER_NUMBER.fill_null(value=False), rows)
    return put(t, "crcs", {"DATE_OF_BIRTH": shifted(frame, "DATE_OF_BIRTH_then", known, 1)})


@rule("CRCS-011", form="crcs", needs=LAST)
def number_given_again(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the birth date is not last year's, and the gender or the pupil number is not either."""
    return answer(t.census_then, _OTHER_CHILD)


@number_given_again.breaker(entails=("CRCS-012", "CRCS-024", "CRCS-025", "CRCS-059", *NEW_BIRTH))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.census_then
    both = pl.col("there") & born_then.is_not_null() & gender_then.is_not_null() & (gender_then != NOT_KNOWN)
    known = take(frame, both, rows)
    others = sorted(g.values("gender") - {NOT_KNOWN})
    births, genders = frame["DATE_OF_BIRTH_then"], frame["GENDER_then"]
    cells = {
        "DATE_OF_BIRTH": {row: day_text(years_before(births[row], 1)) for row in known},
        "GENDER": {row: other_code(genders[row], others) for row in known},
    }
    return put(t, "crcs", {name: dict(changes) for name, changes in cells.items()})


@rule("CRCS-012", form="crcs", needs=LAST)
def pupil_number_moved(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child has another pupil number than last year, or one that another child of the authority had.

    A temporary number may be exchanged for a lasting one. Where it must be another child under the same number, the
    rule on numbers given twice says so instead.
    """
    assert t.last is not None
    frame = t.census_then.with_row_index("row")
    kept = (number == number_then).fill_null(value=False)
    new = frame.filter(_issued(number) & ~kept).select("row", "la", "id", "UPN")
    then = t.last.typed("crcs").select(la=LA, owner="CHILD_CODE", UPN="UPN")
    elsewhere = new.join(then, on=["la", "UPN"]).filter(pl.col("owner") != pl.col("id"))["row"]
    changed = (_OTHER_NUMBER & ~_OTHER_CHILD.fill_null(value=False)).fill_null(value=False)
    return answer(frame, changed) | at_rows(frame.height, elsewhere)


@pupil_number_moved.breaker(entails=("CRCS-064",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.census_then
    kept = take(frame, _issued(number) & (number == number_then) & (born == born_then), rows)
    others = frame[kept].select(other_upn(number)).to_series()
    return put(t, "crcs", {"UPN": dict(zip(kept, others.to_list(), strict=True))})


@rule("CRCS-110", form="crcs", needs=LAST)
def plan_begun_again(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child with a plan on last 31 March has one begun in this year: right only if closed and reopened."""
    begun = t.typed("crcs")["PLAN_START_DATE"]
    return answer(t.census_then.with_columns(begun=begun), pl.col("active_then") & (pl.col("begun") >= g.first_day))


@plan_begun_again.breaker(entails=("CRCS-100", "CRCS-101"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(
        t, "crcs", {"PLAN_START_DATE": same(take(t.census_then, pl.col("active_then"), rows), day_text(g.first_day))}
    )
