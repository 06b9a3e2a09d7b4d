"""Rules that follow from a row of limits.csv or allowed.csv: an age, a length, a day, two codes on one row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.guidance import years
from synth.guidance.rows import AllowedRow
from synth.rules.common import (
    ENDS,
    TOO_OLD,
    TOO_YOUNG,
    answer,
    birthday,
    child_cells,
    day_text,
    late_birthday,
    lone,
    put,
    same,
    years_before,
)
from synth.rules.registry import Condition, Rule
from synth.tables import AS_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from synth.guidance import Guidance, Limit
    from synth.tables import Tables

__all__ = ["limit_rules"]

EARLIER = "earlier_min_age_years"
"""An age for episodes that began before the age there now is was laid down."""
AGES = frozenset({"min_age_years", "query_age_years", "max_age_years", "min_age_weeks", EARLIER})
ENDING = "REASON_EPISODE_FINISHED_CODE"
NAMES = {
    "LEGAL_STATUS_CODE": "legal",
    "PLACEMENT_TYPE_CODE": "placement",
    "REASON_EPISODE_STARTED_CODE": "reason",
    ENDING: "finish",
}
"""Items of the episode form whose limits are read here, with their names in the view of episodes."""

WITHIN = frozenset(
    {
        "placement_needs_legal_status",
        "legal_status_allows_placement",
        "placement_needs_reason_started",
        "reason_ceased_needs_placement",
        "reason_ceased_needs_legal_status",
        "legal_status_allows_reason_ceased",
        "placement_allows_reason_ceased",
        "adopters_number_allows_gender",
        "adopters_number_allows_legal_status",
        "adopters_gender_allows_legal_status",
    }
)
"""Relations of two items of one row in which the partner must be among those named."""
AGAINST = frozenset({"legal_status_queried_with_placement"})
"""Relations in which the partner must not be among those named."""
ELSEWHERE = frozenset({"CLA079", "CLA080", "CLA082", "CLA120"})
"""Rules whose limits are read by hand-written code, or (080, 082) speak of more than one stay's length."""


def limit_rules(g: Guidance) -> list[Rule]:
    """Return one rule for each rule id that limits and combinations in force name and this module can read.

    A limit whose severity differs from its statement's, such as an age that is only queried, becomes a rule
    of its own with the id of the statement and `-query`.
    """
    made: dict[tuple[str, str], list[_Part]] = {}
    for part in (*_from_limits(g), *_from_allowed(g)):
        id_ = part.row.rule
        if id_ not in g.statements or id_ in ELSEWHERE:
            continue
        softer = part.row.severity != g.statements[id_].severity and part.measure.startswith("query_")
        made.setdefault((f"{id_}-query" if softer else id_, part.form), []).append(part)
    return [_rule(name, form, parts, g) for (name, form), parts in made.items()]


@dataclass(frozen=True, slots=True)
class _Part:
    """One row of limits.csv or allowed.csv as a condition over a form, true where wrong."""

    form: str
    row: Limit | AllowedRow
    wrong: pl.Expr

    @property
    def measure(self) -> str:
        """What a limit limits; empty for a combination."""
        return "" if isinstance(self.row, AllowedRow) else self.row.measure


def _rule(name: str, form: str, parts: list[_Part], g: Guidance) -> Rule:
    statement = g.statements[name.removesuffix("-query")]
    wrong = pl.any_horizontal(part.wrong.fill_null(value=False) for part in parts)
    needs = ("child",) if form == "episode" and "DOB" in statement.fields else ()

    def break_rows(
        t: Tables, g: Guidance, rows: NDArray[np.int64], rng: np.random.Generator
    ) -> dict[str, pl.DataFrame]:
        part = parts[int(rng.integers(len(parts)))]
        return break_combination(part, t, g, rows) if form != "episode" else break_episode(part, t, g, rows)

    return Rule(
        name,
        form,
        statement.fields,
        statement.text,
        parts[0].row.severity,
        statement.reference,
        statement.basis,
        _check(form, wrong),
        needs,
        break_rows,
        _neighbours(parts, g),
        condition=Condition("episodes" if form == "episode" else "typed", wrong),
    )


def _neighbours(parts: list[_Part], g: Guidance) -> tuple[str, ...]:
    """Name the rules that rows about the same codes or items belong to: they may fire together."""
    codes = {part.row.code for part in parts}
    for part in parts:
        if isinstance(part.row, AllowedRow):
            codes |= part.row.partners | g.values(g.item(part.form, part.row.partner_item).code_set)
    ids = {x.rule for x in g.limits if x.code in codes} | {a.rule for a in g.allowed_rows if a.code in codes}
    near = {part.row.item for part in parts}
    if parts[0].form != "episode":
        near |= {part.row.partner_item for part in parts if isinstance(part.row, AllowedRow)}
    ids |= {a.rule for a in g.allowed_rows if a.partner_item in near}
    ids |= {f"{id_}-query" for id_ in ids}
    fixed = {
        "CLA036",
        "CLA040",
        "CLA057",
        "CLA037",
        "CLA081",
        "CLA105",
        "CLA108",
        "CLA109",
        "CLA018",
        "CLA045",
        "CLA069",
        "CLA080",
        "CRCS-058",
        *ENDS,
        *TOO_OLD,
        *TOO_YOUNG,
    }
    return tuple(sorted(ids | fixed | ({"CLA031", "CLA032", "CLA052"} if parts[0].form == "episode" else set())))


def _check(form: str, wrong: pl.Expr) -> Callable[[Tables, Guidance], pl.Series]:
    def check(t: Tables, _: Guidance) -> pl.Series:
        return answer(t.typed(form) if form != "episode" else t.episodes, wrong)

    return check


def _from_limits(g: Guidance) -> Iterator[_Part]:
    """Yield the limits on episodes with a code."""
    for x in g.limits:
        wrong = _limit(x) if x.item in NAMES and x.code else None
        if wrong is not None:
            known = x.code in g.values(g.item("episode", x.item).code_set)
            said = pl.col(NAMES[x.item] if known else f"{AS_WRITTEN}{x.item}")
            yield _Part("episode", x, (said == x.code) & wrong & _from_year_on(x, g))


def _from_year_on(x: Limit, g: Guidance) -> pl.Expr:
    """Leave out episodes older than a limit that was changed: they keep the one they started under.

    An earlier age that is lower may be asked of all: whoever is below it is below the later one too.
    """
    changed = _changed(x, g)
    return pl.lit(value=True) if changed is None or x.measure == EARLIER else pl.col("start") >= changed


def _changed(x: Limit, g: Guidance) -> dt.date | None:
    """Return the first day of a limit; None for those as old as the return."""
    return dt.date(x.first_year - 1, g.first_day.month, g.first_day.day) if x.first_year > years().start else None


def _limit(x: Limit) -> pl.Expr | None:
    """Return where an episode with the code breaks its limit; None for a measure that is read elsewhere."""
    on = pl.col("end") if x.item == ENDING else pl.col("start")
    run = (pl.col("run_end") - pl.col("run_start")).dt.total_days()
    if x.unit == "date":
        day = pl.lit(x.value).str.to_date()
        wrong = {
            "first_start_date": pl.col("start") < day,
            "last_start_date": pl.col("start") > day,
            "first_end_date": pl.col("end") < day,
        }
        return wrong.get(x.measure)
    value = float(x.value)
    wrong = {
        "min_age_years": on < birthday("dob", value),
        "query_age_years": on < birthday("dob", value),
        EARLIER: on < birthday("dob", value),
        "max_age_years": on >= late_birthday("dob", value + 1),
        "min_age_weeks": on < pl.col("dob") + pl.duration(weeks=int(value)),
        "max_days": run > value,
        "query_days": run > value,
        "min_days": (pl.col("end") - pl.col("start")).dt.total_days() < value,
    }
    return wrong.get(x.measure)


def _from_allowed(g: Guidance) -> Iterator[_Part]:
    """Yield the relations between two items of one row."""
    for row in g.allowed_rows:
        if row.relation not in WITHIN | AGAINST:
            continue
        form = _form_of(row, g)
        partner = pl.col(NAMES.get(row.partner_item, row.partner_item))
        among = partner.is_in(sorted(row.partners))
        wrong = among if row.relation in AGAINST else ~among
        yield _Part(form, row, (pl.col(NAMES.get(row.item, row.item)) == row.code) & wrong)


def _form_of(row: AllowedRow, g: Guidance) -> str:
    """Return the form that holds both items of a combination."""
    items = {row.item, row.partner_item}
    return next(form for form in g.forms if items <= {item.name for item in g.items(form)})


def break_combination(part: _Part, t: Tables, g: Guidance, rows: NDArray[np.int64]) -> dict[str, pl.DataFrame]:
    """Give rows of a form a code and a partner that must not stand beside it."""
    assert isinstance(part.row, AllowedRow)
    chosen = [int(row) for row in rows]
    cells = {part.row.item: part.row.code, part.row.partner_item: _bad_partner(part, g)}
    return put(t, part.form, {name: same(chosen, value) for name, value in cells.items()})


def break_episode(part: _Part, t: Tables, g: Guidance, rows: NDArray[np.int64]) -> dict[str, pl.DataFrame]:
    """Make lone episodes break one limit or combination, by codes, dates, or the child's birth date."""
    row = part.row
    cells: dict[str, str | None] = {row.item: row.code, "PLACEMENT_POSTCODE": None}
    if isinstance(row, AllowedRow):
        cells[row.partner_item] = _bad_partner(part, g)
    chosen = lone(t, rows)
    starts, ends = _days(part, t, g, chosen)
    chosen = [n for n in chosen if n in starts]
    births: dict[int, dt.date] = {}
    if part.measure in AGES:
        weeks = part.measure == "min_age_weeks"
        for n in chosen:
            on = ends[n] if row.item == ENDING else starts[n]
            births[n] = on if weeks else _birth(part, on)
    texts: dict[str, dict[int, str | None]] = {name: same(chosen, value) for name, value in cells.items()}
    texts["EPISODE_START_DATE"] = {n: day_text(starts[n]) for n in chosen}
    if ends:
        texts["EPISODE_END_DATE"] = {n: day_text(ends[n]) for n in chosen}
        texts.setdefault(ENDING, same(chosen, "E8"))
    if cells.get("LEGAL_STATUS_CODE") == "V1":
        texts["SHORT_BREAKS"] = same(chosen, "1")
    changed = put(t, "episode", texts)
    if births:
        changed |= child_cells(t, {n: day_text(day) for n, day in births.items()}, "DOB", t.episodes)
    return changed


def _birth(part: _Part, on: dt.date) -> dt.date:
    """Return a birth date a few days on the wrong side of an age."""
    assert not isinstance(part.row, AllowedRow)
    years = int(float(part.row.value))
    if part.measure == "max_age_years":
        return years_before(on, years + 1) - dt.timedelta(days=5)
    return years_before(on, years) + dt.timedelta(days=5)


def _days(part: _Part, t: Tables, g: Guidance, chosen: list[int]) -> tuple[dict[int, dt.date], dict[int, dt.date]]:
    """Return starts, and ends where one is needed, by row; rows too short for it are left out."""
    row = part.row
    starts: dict[int, dt.date] = {n: t.episodes["start"][n] for n in chosen}
    if isinstance(row, AllowedRow):
        ending = ENDING in {row.item, row.partner_item}
    else:
        ending = row.item == ENDING or row.measure == "min_days"
        day = dt.timedelta(days=1)
        if row.measure == "first_start_date":
            starts = dict.fromkeys(chosen, dt.date.fromisoformat(row.value) - day)
        elif row.measure == "last_start_date":
            starts = {n: d for n, d in starts.items() if d > dt.date.fromisoformat(row.value)}
        elif row.measure == "first_end_date":
            return starts, dict.fromkeys(chosen, dt.date.fromisoformat(row.value) - day)
        elif row.measure == "min_days":
            starts = {n: d for n, d in starts.items() if g.first_day <= d < g.last_day}
            return starts, {n: d + day for n, d in starts.items()}
        elif row.measure in {"max_days", "query_days"}:
            longest = dt.timedelta(days=float(row.value))
            starts = {n: d for n, d in starts.items() if g.last_day - d > longest}
        elif (changed := _changed(row, g)) is not None:
            starts = {n: d for n, d in starts.items() if (d < changed) is (row.measure == EARLIER)}
    return starts, dict.fromkeys(starts, g.last_day) if ending else {}


def _bad_partner(part: _Part, g: Guidance) -> str:
    """Return a code that the combination does not allow, or the one it queries."""
    row = part.row
    assert isinstance(row, AllowedRow)
    if row.relation in AGAINST:
        return min(row.partners)
    codes = g.codes(g.item(part.form, row.partner_item).code_set)
    return next(c.code for c in codes if c.code not in row.partners)
