"""Queries of the care and support census: what one child's register entry, need, health and family rarely say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.census import REASONS
from synth.rules.common import answer, any_of, at_rows, birthday, bound, put, same, take
from synth.rules.registry import rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

asylum, need = pl.col("ASYLUM_SEEKER_CODE"), pl.col("CATEGORY_OF_NEED_CODE")
on_register = pl.col("CHILD_PROTECTION_REGISTER") == "1"
autistic = pl.col("HEALTH_AUTISTIC_SPECTRUM_DISORDER") == "1"
DURING = "LOOKED_AFTER_DURING_YEAR"
VIOLENCE = "PARENTING_CAPACITY_DOMESTIC_ABUSE"
CHILDS_ILLNESS, PARENTS_ILLNESS, BEHAVIOUR = "N2", "N3", "N6"
NEED_SAID = ("CRCS-033", "CRCS-046", "CRCS-061", "CRCS-067", "CRCS-068", "CRCS-069")
"""Rules that may fire when a category of need is exchanged."""


def parenting(t: Tables) -> list[str]:
    """Return the names of the flags of what keeps parents from caring."""
    return [name for name in t.text("crcs").columns if name.startswith("PARENTING_CAPACITY_")]


def none_of(names: list[str]) -> pl.Expr:
    """Return where every one of some flags is 0."""
    return pl.all_horizontal(pl.col(name) == "0" for name in names)


def active(t: Tables) -> pl.Expr:
    """Return where the plan is active on 31 March; all plans are in a return of those present that day."""
    if "PLAN_ACTIVE_31_MARCH" in t.typed("crcs").columns:
        return pl.col("PLAN_ACTIVE_31_MARCH") == "1"
    return pl.lit(value=True)


def _never_in_care(t: Tables, wanted: pl.Expr) -> pl.Series:
    """Return the row numbers of those where a condition holds who were not looked after this year or last.

    Looked after returns are read as far as they are at hand.
    """
    rows = t.typed("crcs").with_columns(who=t.numbers["crcs"]).with_row_index("row").filter(wanted)
    if DURING in rows.columns:
        rows = rows.filter(pl.col(DURING).is_null() | (pl.col(DURING) != "1"))
    for tables in (t, t.last):
        if tables is not None and "child" in tables:
            rows = rows.filter(~pl.col("who").is_in(tables.numbers["child"].implode()))
    return rows["row"]


@rule("CRCS-032", form="crcs")
def alone_but_not_in_care(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child who came alone to seek asylum has an active plan and was not looked after this year or last.

    At 16 and 17 some leave care for a home of their own and keep the plan.
    """
    wrong = any_of(
        (asylum == code) & ~pl.col("LOOKED_AFTER_CHILD").is_in(sorted(usual))
        for code, usual in g.allowed("asylum_usual_looked_after").items()
    )
    rows = _never_in_care(t, wrong & active(t))
    return at_rows(t["crcs"].height, rows)


@alone_but_not_in_care.breaker(entails=("CRCS-033", "CRCS-046", "CRCS-062"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    code = min(g.allowed("asylum_usual_looked_after"))
    home = set(_never_in_care(t, active(t) & (pl.col("LOOKED_AFTER_CHILD") == "0")).to_list())
    return put(t, "crcs", {"ASYLUM_SEEKER_CODE": same((int(r) for r in rows if int(r) in home), code)})


@rule("CRCS-033", form="crcs")
def alone_but_other_need(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child who came alone to seek asylum has another need than absent parents."""
    return answer(t.typed("crcs"), _unusual_need("asylum_usual_need", "ASYLUM_SEEKER_CODE", g))


@alone_but_other_need.breaker(entails=("CRCS-032", "CRCS-046", "CRCS-062"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    usual = g.allowed("asylum_usual_need")
    code = min(usual)
    others = take(t.typed("crcs"), need.is_not_null() & ~need.is_in(sorted(usual[code])), rows)
    return put(t, "crcs", {"ASYLUM_SEEKER_CODE": same(others, code)})


def _unusual_need(relation: str, item: str, g: Guidance) -> pl.Expr:
    return any_of((pl.col(item) == code) & ~need.is_in(sorted(usual)) for code, usual in g.allowed(relation).items())


@rule("CRCS-044", form="crcs")
def many_categories(t: Tables, g: Guidance) -> pl.Series:
    """Flag where more categories of abuse or neglect are given than a registration usually names."""
    most = bound(g, "CHILD_PROTECTION_REGISTER", "1", "max_categories")
    said = pl.sum_horizontal((pl.col(name) == "1").fill_null(value=False).cast(pl.Int64) for name in REASONS)
    return answer(t.typed("crcs"), on_register & (said > most))


@many_categories.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    on = take(t.typed("crcs"), on_register, rows)
    return put(t, "crcs", {name: same(on, "1") for name in REASONS})


@rule("CRCS-045", form="crcs")
def financial_abuse_alone(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where financial abuse is the only category of a registration."""
    others = [name for name in REASONS if name != "CPR_FINANCIAL_ABUSE"]
    return answer(t.typed("crcs"), on_register & (pl.col("CPR_FINANCIAL_ABUSE") == "1") & none_of(others))


@financial_abuse_alone.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    on = take(t.typed("crcs"), on_register, rows)
    return put(t, "crcs", {name: same(on, str(int(name == "CPR_FINANCIAL_ABUSE"))) for name in REASONS})


@rule("CRCS-046", form="crcs")
def registered_for_other_need(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child on the register has another need than abuse or neglect."""
    return answer(t.typed("crcs"), _unusual_need("register_usual_need", "CHILD_PROTECTION_REGISTER", g))


@registered_for_other_need.breaker(entails=NEED_SAID)
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "crcs", {"CATEGORY_OF_NEED_CODE": same(take(t.typed("crcs"), on_register, rows), "N5")})


@rule("CRCS-047", form="crcs")
def registered_without_factor(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child is on the register and nothing is said to keep the parents from caring."""
    return answer(t.typed("crcs"), on_register & none_of(parenting(t)))


@registered_without_factor.breaker(entails=("CRCS-068",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    on = take(t.typed("crcs"), on_register, rows)
    return put(t, "crcs", {name: same(on, "0") for name in parenting(t)})


@rule("CRCS-067", form="crcs")
def disability_need_unexplained(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the need is the child's disability or illness and no impairment, autism or ill health is said.

    A mental health problem is an illness, and left out.
    """
    well = (pl.col("DISABILITY_NONE") == "1") & ~autistic & (pl.col("HEALTH_MENTAL_HEALTH") != "1")
    return answer(t.typed("crcs"), (need == CHILDS_ILLNESS) & well)


@disability_need_unexplained.breaker(entails=NEED_SAID)
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    well = (pl.col("DISABILITY_NONE") == "1") & ~autistic & (pl.col("HEALTH_MENTAL_HEALTH") != "1")
    return put(t, "crcs", {"CATEGORY_OF_NEED_CODE": same(take(t.typed("crcs"), well, rows), CHILDS_ILLNESS)})


@rule("CRCS-068", form="crcs")
def parents_need_unexplained(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the need is a parent's disability or illness and no such factor is said; violence is none."""
    illness = [name for name in parenting(t) if name != VIOLENCE]
    return answer(t.typed("crcs"), (need == PARENTS_ILLNESS) & none_of(illness))


@parents_need_unexplained.breaker(entails=NEED_SAID)
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    well = take(t.typed("crcs"), none_of([name for name in parenting(t) if name != VIOLENCE]), rows)
    return put(t, "crcs", {"CATEGORY_OF_NEED_CODE": same(well, PARENTS_ILLNESS)})


@rule("CRCS-069", form="crcs")
def young_for_behaviour(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the need is the child's behaviour and the child is below the age of criminal responsibility."""
    years = bound(g, "CATEGORY_OF_NEED_CODE", BEHAVIOUR, "query_age_years")
    return answer(t.typed("crcs"), (need == BEHAVIOUR) & (birthday("DATE_OF_BIRTH", years) > g.last_day))


@young_for_behaviour.breaker(entails=NEED_SAID)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    years = bound(g, "CATEGORY_OF_NEED_CODE", BEHAVIOUR, "query_age_years")
    young = take(t.typed("crcs"), birthday("DATE_OF_BIRTH", years) > g.last_day, rows)
    return put(t, "crcs", {"CATEGORY_OF_NEED_CODE": same(young, BEHAVIOUR)})


@rule("CRCS-083", form="crcs")
def young_for_autism(t: Tables, g: Guidance) -> pl.Series:
    """Flag where autism is recorded for a child too young to be diagnosed as a rule."""
    years = bound(g, "HEALTH_AUTISTIC_SPECTRUM_DISORDER", "1", "query_age_years")
    return answer(t.typed("crcs"), autistic & (birthday("DATE_OF_BIRTH", years) > g.last_day))


@young_for_autism.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    years = bound(g, "HEALTH_AUTISTIC_SPECTRUM_DISORDER", "1", "query_age_years")
    young = take(t.typed("crcs"), birthday("DATE_OF_BIRTH", years) > g.last_day, rows)
    return put(t, "crcs", {"HEALTH_AUTISTIC_SPECTRUM_DISORDER": same(young, "1")})
