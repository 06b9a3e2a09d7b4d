"""Rules about where a placement is: its postcode against what its code says of inside and outside."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from synth.geography.authorities import all_authorities
from synth.packaged import rows_in
from synth.rules.common import (
    CHANGES,
    answer,
    any_of,
    put,
    take,
)
from synth.rules.registry import rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

DISTRICT = r"^([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9][A-Z]{2}$"
"""The part of a postcode before its last three characters."""
WHERE = {
    "inside": ["inside"],
    "outside": ["outside_in_wales", "outside_wales"],
    "outside_in_wales": ["outside_in_wales"],
    "outside_wales": ["outside_wales"],
}
"""What the guidance says of a placement's place, and where it may lie then."""


@cache
def districts() -> dict[str, str]:
    """Return postcode district to authority code (512 to 552); others lie mainly outside Wales."""
    codes = {a.ons_code: a.code for a in all_authorities()}
    return {row["district"]: codes[row["authority_ons"]] for row in rows_in("geography", "postcode_districts.csv")}


def placed(t: Tables) -> pl.DataFrame:
    """Return episodes with `where`: inside, outside_in_wales or outside_wales; null if unknown."""
    found = pl.col("postcode").str.extract(DISTRICT)
    # Many placements share a postcode: each is looked up once.
    postcodes = t.episodes.select(pl.col("postcode").drop_nulls().unique())
    there = postcodes.with_columns(there=found.replace_strict(districts(), default="", return_dtype=pl.String))
    authority = pl.col("there")
    return t.episodes.join(there, on="postcode", how="left", maintain_order="left").with_columns(
        where=pl.when(authority.is_null() | pl.col("la").is_null())
        .then(None)
        .when(authority == "")
        .then(pl.lit("outside_wales"))
        .when(authority == pl.col("la"))
        .then(pl.lit("inside"))
        .otherwise(pl.lit("outside_in_wales"))
    )


def _codes(g: Guidance, id_: str) -> list[str]:
    return [row.code for row in g.allowed_rows if row.rule == id_]


def _moved(t: Tables, chosen: list[int], *, home: bool) -> dict[str, pl.DataFrame]:
    """Give placements a postcode of the child's own authority, or of another Welsh one."""
    las = t.episodes["la"]
    found = {row: next(d for d, la in districts().items() if (la == las[row]) is home) for row in chosen}
    return put(t, "episode", {"PLACEMENT_POSTCODE": {row: f"{d} 4AA" for row, d in found.items()}})


def elsewhere(t: Tables, g: Guidance, id_: str) -> pl.Series:
    """Return true where a placement lies elsewhere than its code says, for the codes of one rule."""
    wrong = any_of(
        (pl.col("placement") == row.code) & ~pl.col("where").is_in(WHERE[min(row.partners)])
        for row in g.allowed_rows
        if row.rule == id_
    )
    return answer(t.view(placed), wrong)


@rule("CLA101", form="episode")
def not_inside(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a code for inside the authority has a postcode elsewhere."""
    return elsewhere(t, g, "CLA101")


@not_inside.breaker(entails=CHANGES)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    fostered = take(
        t.view(placed), (pl.col("where") == "inside") & pl.col("placement").is_in(_codes(g, "CLA101")), rows
    )
    return _moved(t, fostered, home=False)


@rule("CLA102", form="episode")
def not_outside(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a code for outside the authority has a postcode inside it."""
    return elsewhere(t, g, "CLA102")


@not_outside.breaker(entails=CHANGES)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    away = take(t.view(placed), (pl.col("where") != "inside") & pl.col("placement").is_in(_codes(g, "CLA102")), rows)
    return _moved(t, away, home=True)


@rule("CLA103", form="episode")
def wrong_side_of_border(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a secure unit lies on the other side of the Welsh border than its code says."""
    return elsewhere(t, g, "CLA103")


@wrong_side_of_border.breaker(entails=CHANGES)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    secure = take(
        t.view(placed), (pl.col("where") == "outside_wales") & pl.col("placement").is_in(_codes(g, "CLA103")), rows
    )
    return _moved(t, secure, home=False)
