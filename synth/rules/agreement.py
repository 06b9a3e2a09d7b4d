"""Rules between the two returns: one child is told the same in both. They hold when both are at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.guidance import load
from synth.rules.common import (
    CENSUS_AGES,
    answer,
    any_of,
    keyed,
    of_children,
    other_code,
    put,
    rows_of,
    same,
    shifted,
    take,
    with_child,
    without_children,
)
from synth.rules.pupil_number import upn_letter, with_letter
from synth.rules.registry import rule

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

CHILD = ("child", "episode")
_DISABILITY = ("DISABILITY_NONE", "HEALTH_AUTISTIC_SPECTRUM_DISORDER")
SHARED_ITEMS = ("DATE_OF_BIRTH", "GENDER", "ETHNIC_ORIGIN_CODE", "ASYLUM_SEEKER_CODE", "UPN")
"""Items of the census that the child form asks for too."""


def in_care(t: Tables) -> pl.DataFrame:
    """Return census rows with what the other return says of the child; a child it lacks is not `open`."""
    there = t.careers.select("who", "open", "last_need", there=pl.lit(value=True))
    frame = with_child(t, "crcs", there, "LOOKED_AFTER_CHILD", "CATEGORY_OF_NEED_CODE")
    return frame.with_columns(open=pl.when(pl.col("there").is_null()).then(pl.lit(value=False)).otherwise("open"))


def on_child_form(t: Tables) -> pl.DataFrame:
    """Return census rows with the items of the child form beside them, named as there with _cla (first row wins)."""
    other = t.typed("child").select(
        who=t.numbers["child"],
        dob_cla="DOB",
        gender_cla="GNDR_CD",
        ethnicity_cla="ETHNICITY",
        asylum_cla="ASYLUM",
        upn_cla="UPN",
        disabled_cla="DISABILITY_CODE",
    )
    single = other.filter(pl.col("who").is_not_null()).unique("who", keep="first", maintain_order=True)
    return with_child(t, "crcs", single, *SHARED_ITEMS, *_DISABILITY)


def _there(view: Callable[[Tables], pl.DataFrame], column: str) -> Callable[[Tables, Guidance], pl.DataFrame]:
    """Show what the other return says."""
    return lambda t, _g: t.view(view).select(pl.col(column).alias("in the looked after return"))


@rule("CRCS-050", form="crcs", needs=CHILD)
def looked_after_here_only(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child said to be looked after has no open episode; short breaks do not count as one."""
    return answer(t.view(in_care), (pl.col("LOOKED_AFTER_CHILD") == "1") & ~pl.col("open") & pl.col("id").is_not_null())


@looked_after_here_only.breaker(entails=("CRCS-057", "CRCS-107"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    home = take(t.view(in_care), (pl.col("LOOKED_AFTER_CHILD") == "0") & ~pl.col("open"), rows)
    return put(t, "crcs", {"LOOKED_AFTER_CHILD": same(home, "1")})


@rule("CRCS-051", form="crcs", needs=CHILD)
def looked_after_there_only(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child said not to be looked after has an open episode other than short breaks."""
    return answer(t.view(in_care), (pl.col("LOOKED_AFTER_CHILD") == "0") & pl.col("open"))


@looked_after_there_only.breaker(entails=("CRCS-032",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    away = take(t.view(in_care), (pl.col("LOOKED_AFTER_CHILD") == "1") & pl.col("open"), rows)
    return put(t, "crcs", {"LOOKED_AFTER_CHILD": same(away, "0")})


@rule("CRCS-052", form="child", needs=("episode", "crcs"))
def long_in_care_not_here(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child open on 31 March whose period began by the quarter day is not in the census."""
    return of_children(t, "child", t.view(_due, g), missing_from="crcs")


@long_in_care_not_here.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    due = of_children(t, "child", t.view(_due, g))
    return without_children(t, "crcs", keyed(t, "child"), rows_of(due, rows))


@rule("CRCS-058", form="crcs", needs=CHILD, shows=_there(on_child_form, "dob_cla"))
def birth_differs(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the two returns give other birth dates."""
    return answer(t.view(on_child_form), pl.col("DATE_OF_BIRTH") != pl.col("dob_cla"))


@birth_differs.breaker(entails=("CRCS-024", "CRCS-026", "CRCS-098", "CRCS-039", "CRCS-116", *CENSUS_AGES))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.view(on_child_form)
    both = take(frame, pl.col("dob_cla").is_not_null(), rows)
    return put(t, "crcs", {"DATE_OF_BIRTH": shifted(frame, "dob_cla", both, 1)})


@rule("CRCS-059", form="crcs", needs=CHILD, shows=_there(on_child_form, "gender_cla"))
def gender_differs(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the two returns give other genders, both in codes that the other return has too."""
    shared = _shared(g, "GENDER", "GNDR_CD")
    wrong = pl.col("GENDER").is_in(shared) & (pl.col("GENDER") != pl.col("gender_cla"))
    return answer(t.view(on_child_form), wrong)


@gender_differs.breaker(entails=("CRCS-010",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    shared, genders = _shared(g, "GENDER", "GNDR_CD"), t.typed("crcs")["GENDER"]
    both = take(t.view(on_child_form), pl.col("gender_cla").is_not_null(), rows)
    return put(t, "crcs", {"GENDER": {row: other_code(genders[row], shared) for row in both}})


@rule("CRCS-060", form="crcs", needs=CHILD, shows=_there(on_child_form, "ethnicity_cla"))
def ethnicity_differs(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the two returns give other ethnic groups, both in codes that the other return has too."""
    shared = _shared(g, "ETHNIC_ORIGIN_CODE", "ETHNICITY")
    both = pl.col("ETHNIC_ORIGIN_CODE").is_in(shared)
    return answer(t.view(on_child_form), both & (pl.col("ETHNIC_ORIGIN_CODE") != pl.col("ethnicity_cla")))


@ethnicity_differs.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    shared, groups = _shared(g, "ETHNIC_ORIGIN_CODE", "ETHNICITY"), t.typed("crcs")["ETHNIC_ORIGIN_CODE"]
    both = take(t.view(on_child_form), pl.col("ethnicity_cla").is_not_null(), rows)
    return put(t, "crcs", {"ETHNIC_ORIGIN_CODE": {row: other_code(groups[row], shared) for row in both}})


@rule("CRCS-061", form="crcs", needs=CHILD, shows=_there(in_care, "last_need"))
def need_differs(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child looked after on 31 March has another category of need in the open episode."""
    return answer(t.view(in_care), pl.col("open") & (pl.col("CATEGORY_OF_NEED_CODE") != pl.col("last_need")))


@need_differs.breaker(entails=("CRCS-033", "CRCS-046", "CRCS-067", "CRCS-068", "CRCS-069"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    codes, needs = sorted(g.values("category_of_need")), t.typed("crcs")["CATEGORY_OF_NEED_CODE"]
    away = take(t.view(in_care), pl.col("open") & pl.col("last_need").is_not_null(), rows)
    return put(t, "crcs", {"CATEGORY_OF_NEED_CODE": {row: other_code(needs[row], codes) for row in away}})


@rule("CRCS-062", form="crcs", needs=CHILD, shows=_there(on_child_form, "asylum_cla"))
def asylum_differs(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the two returns disagree on whether the child came alone to seek asylum."""
    wrong = any_of(
        (pl.col("ASYLUM_SEEKER_CODE") == code) & ~pl.col("asylum_cla").is_in(sorted(partners))
        for code, partners in g.allowed("asylum_in_cla").items()
    )
    return answer(t.view(on_child_form), wrong)


@asylum_differs.breaker(entails=("CRCS-032", "CRCS-033"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.view(on_child_form)
    both = take(frame, pl.col("asylum_cla").is_not_null(), rows)
    flags = frame["asylum_cla"]
    return put(t, "crcs", {"ASYLUM_SEEKER_CODE": {row: "0" if flags[row] == "1" else "1" for row in both}})


@rule("CRCS-064", form="crcs", needs=CHILD, shows=_there(on_child_form, "upn_cla"))
def upn_differs(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where both returns give a pupil number and it is not the same."""
    return answer(t.view(on_child_form), pl.col("UPN") != pl.col("upn_cla"))


@upn_differs.breaker(entails=("CRCS-008", "CRCS-012"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.view(on_child_form)
    both = take(frame, (pl.col("UPN") == pl.col("upn_cla")) & upn_letter(pl.col("UPN")).is_not_null(), rows)
    upn = pl.col("UPN")
    turned = pl.concat_str(upn.str.slice(0, 10), (upn.str.slice(10, 1).cast(pl.Int64) + 5) % 10, upn.str.slice(11))
    numbers = frame[both].select(with_letter(turned)).to_series()
    return put(t, "crcs", {"UPN": dict(zip(both, numbers.to_list(), strict=True))})


def _due(t: Tables, g: Guidance) -> pl.DataFrame:
    """Return children (who) open on 31 March whose period began by the quarter day or in an earlier return."""
    began = pl.col("period_start").fill_null(g.first_day)
    return t.careers.filter(pl.col("open") & pl.col("sure") & (began <= pl.lit(g.quarter_day, dtype=pl.Date))).select(
        "who"
    )


def _shared(g: Guidance, here: str, there: str) -> list[str]:
    """Return the codes two items of the two returns have in common."""
    other = load("cla", g.year)
    mine = g.values(g.item("crcs", here).code_set)
    return sorted(mine & other.values(other.item("child", there).code_set))
