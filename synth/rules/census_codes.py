"""Rules of the care and support census on who a record is about: year, authority, pupil number, one code an item."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from synth.collection_year import year_code
from synth.rules.common import CENSUS_AGES, answer, at_rows, birthday, bound, day_text, put, same, take
from synth.rules.pupil_number import UPN_LENGTH, other_upn, with_letter
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

born, number = pl.col("DATE_OF_BIRTH"), pl.col("UPN")
AT_HOME = "UN1"
"""Why there is no pupil number: not yet of school age."""
_PERSON = ("DATE_OF_BIRTH", "GENDER", "ETHNIC_ORIGIN_CODE", "HOME_POSTCODE")


@rule("CRCS-002", form="crcs")
def misspelt_year(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the year code is not six digits or does not name two years that follow each other."""
    code = pl.col("YEAR_CODE")
    start, end = (code.str.slice(a, n).cast(pl.Int64, strict=False) for a, n in ((0, 4), (4, 2)))
    follows = (start + 1) % 100 == end
    return answer(t.text("crcs"), code.is_not_null() & ~(code.str.contains(r"^[0-9]{6}$") & follows))


@misspelt_year.breaker(entails=("CRCS-001",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    code = year_code(g.year)
    return put(t, "crcs", {"YEAR_CODE": same((int(r) for r in rows), f"{code[:4]}/{code[4:]}")})


@rule("CRCS-009", form="crcs")
def counted_twice(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where two authorities return one child: one pupil number, or one birth date, gender, ethnicity and home.

    Birth date, gender and ethnicity alone are shared by thousands of children by chance, so the home postcode must
    be the same too. Plans closed by 31 March are left out: whoever moves is rightly returned by both authorities.
    """
    frame = t.typed("crcs")
    active = pl.col("PLAN_ACTIVE_31_MARCH") == "1" if "PLAN_ACTIVE_31_MARCH" in frame.columns else pl.lit(value=True)
    wanted = frame.select(LA, "UPN", *_PERSON, active=active.fill_null(value=False)).with_row_index("row")
    there = wanted.filter(pl.col("active") & pl.col(LA).is_not_null())
    if there[LA].n_unique() < 2:  # noqa: PLR2004
        return at_rows(wanted.height, there["row"].clear())
    numbers = there.filter(pl.col("UPN").str.len_chars() == UPN_LENGTH)
    people = there.filter(pl.all_horizontal(pl.col(_PERSON).is_not_null()))
    rows = pl.concat([_in_two(numbers, ["UPN"]), _in_two(people, [*_PERSON])])
    return at_rows(wanted.height, rows)


def _in_two(frame: pl.DataFrame, key: list[str]) -> pl.Series:
    """Return the row numbers of those who share a key with a row of another authority."""
    shared = frame.filter(frame.select(key).hash_rows().is_duplicated())
    return shared.filter(pl.col(LA).n_unique().over(key) > 1)["row"]


@counted_twice.breaker(entails=("CRCS-008", "CRCS-012", "CRCS-018", "CRCS-064"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.typed("crcs")
    active = pl.col("PLAN_ACTIVE_31_MARCH") == "1" if "PLAN_ACTIVE_31_MARCH" in frame.columns else pl.lit(value=True)
    real = number.str.len_chars() == UPN_LENGTH
    chosen = take(frame, active & real & pl.col(LA).is_not_null(), rows)
    las = frame[LA].to_list()
    waiting: dict[str, list[int]] = {}
    pairs: list[tuple[int, int]] = []
    for row in chosen:
        mate = next((la for la, others in waiting.items() if la != las[row] and others), None)
        if mate is None:
            waiting.setdefault(las[row], []).append(row)
        else:
            pairs.append((waiting[mate].pop(), row))
    fresh = frame[[a for a, _ in pairs]].select(other_upn(number)).to_series()
    return put(t, "crcs", {"UPN": {row: new for pair, new in zip(pairs, fresh, strict=True) for row in pair}})


def _at_school(t: Tables, g: Guidance) -> pl.Expr:
    """Return where a child has come to compulsory schooling while the return speaks of it, and not left it.

    Schooling starts with the term after the fifth birthday: who turns five after December starts after 31 March.
    The years after the last school age are left out, and those whose plan was closed before they started.
    """
    start, end = (int(bound(g, "UPN", "", f"school_age_{end}_years")) for end in ("from", "to"))
    by = pl.lit(dt.date(g.last_day.year - 1, 12, 31))
    if "PLAN_CLOSED_DATE" in t.typed("crcs").columns:
        by = pl.min_horizontal(by, "PLAN_CLOSED_DATE")
    return (birthday("DATE_OF_BIRTH", start) <= by) & (birthday("DATE_OF_BIRTH", end + 1) > g.last_day)


@rule("CRCS-018", form="crcs")
def pupil_without_number(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child of compulsory school age has neither a pupil number nor a reason for having none."""
    return answer(t.typed("crcs"), number.is_null() & _at_school(t, g))


@pupil_without_number.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "crcs", {"UPN": same(take(t.typed("crcs"), number.is_not_null() & _at_school(t, g), rows), None)})


@rule("CRCS-019", form="crcs")
def number_too_young(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child below the age of nursery classes has a pupil number."""
    years = bound(g, "UPN", "", "query_age_years")
    real = number.str.len_chars() == UPN_LENGTH
    return answer(t.typed("crcs"), real & (birthday("DATE_OF_BIRTH", years) > g.last_day))


@number_too_young.breaker(entails=("CRCS-012", "CRCS-064"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    years = bound(g, "UPN", "", "query_age_years")
    chosen = take(t.typed("crcs"), number.is_null() & (birthday("DATE_OF_BIRTH", years) > g.last_day), rows)
    made = pl.DataFrame({"UPN": [f"A681300{row:06d}" for row in chosen]}, schema={"UPN": pl.String})
    full = made.select(with_letter(number)).to_series()
    return put(t, "crcs", {"UPN": dict(zip(chosen, full.to_list(), strict=True))})


@rule("CRCS-020", form="crcs")
def pupil_called_too_young(t: Tables, g: Guidance) -> pl.Series:
    """Flag where a child of compulsory school age is said to have no pupil number for being too young."""
    return answer(t.typed("crcs"), (number == AT_HOME) & _at_school(t, g))


@pupil_called_too_young.breaker(entails=("CRCS-064",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "crcs", {"UPN": same(take(t.typed("crcs"), _at_school(t, g), rows), AT_HOME)})


@rule("CRCS-023", form="crcs")
def not_born_yet(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the birth date is after the data were collected: the day on which an unborn child is expected."""
    return answer(t.typed("crcs"), born > pl.col("DATE_OF_DATA_COLLECTION"))


@not_born_yet.breaker(entails=("CRCS-022", "CRCS-026", "CRCS-039", "CRCS-058", "CRCS-098", "CRCS-116", *CENSUS_AGES))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    days = t.typed("crcs")["DATE_OF_DATA_COLLECTION"]
    later = {int(r): day_text(days[int(r)] + dt.timedelta(days=90)) for r in rows if days[int(r)] is not None}
    return put(t, "crcs", {"DATE_OF_BIRTH": later})


def _several(name: str, code_set: str, g: Guidance) -> pl.Expr:
    """Return where a cell holds two or more codes of a list, one after another however divided."""
    one = "|".join(sorted(g.values(code_set)))
    return pl.col(name).cast(pl.String).str.contains(rf"^\s*(?:{one})(?:\W*(?:{one}))+\s*$")


@rule("CRCS-034", form="crcs")
def two_asylum_codes(t: Tables, g: Guidance) -> pl.Series:
    """Flag where two codes of asylum status stand in one cell."""
    return answer(t.text("crcs"), _several("ASYLUM_SEEKER_CODE", "asylum_seeker", g))


@two_asylum_codes.breaker(entails=("CRCS-031",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "crcs", {"ASYLUM_SEEKER_CODE": same((int(r) for r in rows), "1 2")})


@rule("CRCS-066", form="crcs")
def two_needs(t: Tables, g: Guidance) -> pl.Series:
    """Flag where two categories of need stand in one cell."""
    return answer(t.text("crcs"), _several("CATEGORY_OF_NEED_CODE", "category_of_need", g))


@two_needs.breaker(entails=("CRCS-065",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "crcs", {"CATEGORY_OF_NEED_CODE": same((int(r) for r in rows), "N1 N5")})
