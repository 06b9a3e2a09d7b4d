"""Queries of the census about a whole authority: shares and totals that are seldom right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.census import REASONS, impairments
from synth.rules.census_needs import none_of, parenting
from synth.rules.common import bound, put, same, take
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

looked_after = pl.col("LOOKED_AFTER_CHILD") == "1"
disabled = pl.col("DISABILITY_NONE") == "0"
mental = pl.col("HEALTH_MENTAL_HEALTH")
of_age = mental.is_in(["0", "1"])
UNKNOWN_HEALTH = "CRCS-084"


def nothing() -> pl.DataFrame:
    """Return what a rule of whole files says that found nothing."""
    return pl.DataFrame(schema={"la": pl.String, "value": pl.String})


def found(frame: pl.DataFrame, words: pl.Expr) -> pl.DataFrame:
    """Return what a rule of whole files found: la and value."""
    return frame.select(pl.col("la"), words.alias("value"))


def number(column: str, places: int = 0) -> pl.Expr:
    """Return a column as words: whole, or with decimal places."""
    value = pl.col(column).round(places)
    return (value if places else value.cast(pl.Int64)).cast(pl.String)


def out_of_bounds(
    t: Tables,
    part: pl.Expr,
    whole: pl.Expr,
    said: str,
    *,
    fewest: float,
    least: float = 0,
    most: float,
) -> pl.DataFrame:
    """Query authorities where `part` of `whole` is a share below `least` or above `most` per cent.

    Children of whom either cannot be known are left out, and authorities with fewer than `fewest` of the others.
    """
    known = pl.col("whole") & pl.col("part").is_not_null()
    shares = (
        t.typed("crcs")
        .lazy()
        .select(la=LA, part=part, whole=whole)
        .filter(pl.col("la").is_not_null() & known)
        .group_by("la")
        .agg(part=pl.col("part").sum(), whole=pl.len())
        .filter(pl.col("whole") >= fewest)
        .with_columns(share=100 * pl.col("part") / pl.col("whole"))
    )
    usual = f"at least {least:g} and at most {most:g}" if least else f"at most {most:g}"
    words = pl.format(
        "{} of {} {} ({} per cent); usual is {} per cent",
        number("part"),
        number("whole"),
        pl.lit(said),
        number("share", 1),
        pl.lit(usual),
    )
    return found(shares.filter(~pl.col("share").is_between(least, most)).collect(), words)


def fewest(g: Guidance, item: str = "", code: str = "") -> float:
    """Return how many records a share needs before it is looked at."""
    return bound(g, item, code, "min_records")


def set_where(t: Tables, wanted: pl.Expr, rows: Rows, cells: Mapping[str, str | None]) -> dict[str, pl.DataFrame]:
    """Give those of some rows where a condition holds new text."""
    chosen = take(t.typed("crcs"), wanted, rows)
    return put(t, "crcs", {name: same(chosen, value) for name, value in cells.items()})


@rule("CRCS-028", form="crcs", per="authority")
def gender_often_unknown(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a share of children of unknown gender above the bound."""
    most = bound(g, "GENDER", "9", "max_percent")
    gender = pl.col("GENDER")
    said = "children are of unknown gender"
    return out_of_bounds(t, gender == "9", gender.is_not_null(), said, fewest=fewest(g), most=most)


@gender_often_unknown.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, pl.col(LA).is_not_null(), rows, {"GENDER": "9"})


@rule("CRCS-030", form="crcs", per="authority")
def ethnicity_often_unknown(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a share of children whose ethnicity was not obtained above the bound."""
    most = bound(g, "ETHNIC_ORIGIN_CODE", "NOBT", "max_percent")
    ethnicity = pl.col("ETHNIC_ORIGIN_CODE")
    said = "children have an ethnicity that was not obtained"
    return out_of_bounds(t, ethnicity == "NOBT", ethnicity.is_not_null(), said, fewest=fewest(g), most=most)


@ethnicity_often_unknown.breaker(entails=("CRCS-060",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, pl.col(LA).is_not_null(), rows, {"ETHNIC_ORIGIN_CODE": "NOBT"})


@rule("CRCS-049", form="crcs", per="authority")
def often_both(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a share of looked after children who are on the register too above the bound."""
    most = bound(g, "LOOKED_AFTER_CHILD", "1", "max_registered_percent")
    both = pl.col("CHILD_PROTECTION_REGISTER") == "1"
    said = "looked after children are on the child protection register too"
    return out_of_bounds(t, both, looked_after, said, fewest=fewest(g), most=most)


@often_both.breaker(entails=("CRCS-046", "CRCS-047"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    day = g.last_day.strftime("%d/%m/%Y")
    cells = {"CHILD_PROTECTION_REGISTER": "1", "CPR_DATE": day, **dict.fromkeys(REASONS, "0"), REASONS[0]: "1"}
    single = looked_after & (pl.col("CHILD_PROTECTION_REGISTER") == "0")
    return set_where(t, single, rows, cells)


@rule("CRCS-081", form="crcs", per="authority")
def autism_as_mental_health(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query an authority where nearly every autistic child of an age for it has a mental health problem."""
    item = "HEALTH_AUTISTIC_SPECTRUM_DISORDER"
    most = bound(g, item, "1", "max_mental_health_percent")
    some = (pl.col(item) == "1") & of_age
    said = "autistic children have a mental health problem: is it autism alone?"
    return out_of_bounds(t, mental == "1", some, said, fewest=fewest(g, item, "1"), most=most)


@autism_as_mental_health.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    autistic = pl.col("HEALTH_AUTISTIC_SPECTRUM_DISORDER") == "1"
    return set_where(t, autistic & of_age, rows, {"HEALTH_MENTAL_HEALTH": "1"})


@rule("CRCS-082", form="crcs", per="authority")
def misuse_as_mental_health(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query an authority where nearly every child who misuses substances has a mental health problem."""
    item = "HEALTH_SUBSTANCE_MISUSE"
    most = bound(g, item, "1", "max_mental_health_percent")
    some = (pl.col(item) == "1") & of_age
    said = "children who misuse substances have a mental health problem: is it the misuse alone?"
    return out_of_bounds(t, mental == "1", some, said, fewest=fewest(g, item, "1"), most=most)


@misuse_as_mental_health.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, of_age, rows, {"HEALTH_SUBSTANCE_MISUSE": "1", "HEALTH_MENTAL_HEALTH": "1"})


@rule(UNKNOWN_HEALTH, form="crcs", per="authority")
def health_often_unknown(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a health item not known of more children than the bound; children outside its ages are left out."""
    parts = [nothing()]
    for row in (x for x in g.limits if x.rule == UNKNOWN_HEALTH):
        item = g.item("crcs", row.item)
        asked = pl.col(item.name).is_not_null() & (pl.col(item.name) != item.outside_age_code)
        said = f"children have {item.name} {row.code}, not known"
        unknown = pl.col(item.name) == row.code
        parts.append(out_of_bounds(t, unknown, asked, said, fewest=fewest(g), most=float(row.value)))
    return pl.concat(parts).group_by("la", maintain_order=True).agg(pl.col("value").str.join("; "))


@health_often_unknown.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    cells: dict[str, dict[int, str | None]] = {}
    for row in (x for x in g.limits if x.rule == UNKNOWN_HEALTH):
        asked = pl.col(row.item) != g.item("crcs", row.item).outside_age_code
        cells[row.item] = same(take(t.typed("crcs"), asked, rows), row.code)
    return put(t, "crcs", cells)


@rule("CRCS-088", form="crcs", per="authority")
def few_impairments_used(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query an authority whose disabled children have fewer kinds of impairment between them than is usual."""
    least = bound(g, "DISABILITY_NONE", "0", "min_impairments_used")
    names = impairments(t)
    kinds = pl.sum_horizontal((pl.col(name) == "1").any().cast(pl.Int64) for name in names)
    used = (
        t.typed("crcs")
        .filter(disabled & pl.col(LA).is_not_null())
        .group_by(la=LA)
        .agg(children=pl.len(), used=kinds)
        .filter(pl.col("children") >= fewest(g, "DISABILITY_NONE", "0"))
    )
    words = pl.format(
        "{} of {} impairments are used for {} disabled children; usual is at least {}",
        number("used"),
        pl.lit(str(len(names))),
        number("children"),
        pl.lit(f"{least:g}"),
    )
    return found(used.filter(pl.col("used") < least), words)


@few_impairments_used.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _one_impairment(t, rows)


def _one_impairment(t: Tables, rows: Rows) -> dict[str, pl.DataFrame]:
    names = impairments(t)
    return set_where(t, disabled, rows, {**dict.fromkeys(names, "0"), names[0]: "1"})


@rule("CRCS-089", form="crcs", per="authority")
def one_impairment_each(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query an authority whose disabled children nearly all have one impairment only."""
    most = bound(g, "DISABILITY_NONE", "0", "max_single_impairment_percent")
    single = pl.sum_horizontal((pl.col(name) == "1").cast(pl.Int64) for name in impairments(t)) == 1
    said = "disabled children have one impairment only"
    return out_of_bounds(t, single, disabled, said, fewest=fewest(g, "DISABILITY_NONE", "0"), most=most)


@one_impairment_each.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _one_impairment(t, rows)


@rule("CRCS-092", form="crcs", per="authority")
def often_no_factor(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a share of children without any parenting factor above the bound."""
    most = bound(g, "", "", "max_no_parenting_factor_percent")
    said = "children have no parenting capacity factor"
    return out_of_bounds(t, none_of(parenting(t)), pl.lit(value=True), said, fewest=fewest(g), most=most)


@often_no_factor.breaker(entails=("CRCS-047", "CRCS-068"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, pl.col(LA).is_not_null(), rows, dict.fromkeys(parenting(t), "0"))


@rule("CRCS-113", form="crcs", per="authority")
def looked_after_share(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a share of looked after children outside the usual."""
    least, most = (bound(g, "LOOKED_AFTER_CHILD", "1", f"{end}_percent") for end in ("min", "max"))
    known = pl.col("LOOKED_AFTER_CHILD").is_not_null()
    said = "children are looked after"
    return out_of_bounds(t, looked_after, known, said, fewest=fewest(g), least=least, most=most)


@looked_after_share.breaker(entails=("CRCS-032", "CRCS-051"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, looked_after, rows, {"LOOKED_AFTER_CHILD": "0"})


@rule("CRCS-114", form="crcs", per="authority")
def abuse_share(t: Tables, g: Guidance) -> pl.DataFrame:
    """Query a share of children in need for abuse or neglect outside the usual."""
    need = pl.col("CATEGORY_OF_NEED_CODE")
    least, most = (bound(g, "CATEGORY_OF_NEED_CODE", "N1", f"{end}_percent") for end in ("min", "max"))
    said = "children have need N1"
    return out_of_bounds(t, need == "N1", need.is_not_null(), said, fewest=fewest(g), least=least, most=most)


@abuse_share.breaker(entails=("CRCS-046", "CRCS-061"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return set_where(t, pl.col("CATEGORY_OF_NEED_CODE") == "N1", rows, {"CATEGORY_OF_NEED_CODE": "N5"})
