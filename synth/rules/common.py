"""Small pieces rules are made of: aligned answers, birthdays, joins by child, and changes of single cells."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from synth.errors import GuidanceError
from synth.tables import LA, child_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

_FEW = 0.25
"""Share of the children below which a join first leaves out those it does not ask for."""
_FEW_DAYS = 1000
"""Below so many a table of days is never dear."""
_TABLES = 100
"""Tables of days kept: more than the rules of a year ask for."""

_Given = TypeVar("_Given", int, dt.date)

__all__ = [
    "CENSUS_AGES",
    "CHANGES",
    "ENDS",
    "TOO_OLD",
    "TOO_YOUNG",
    "age_on",
    "answer",
    "any_of",
    "at_rows",
    "birthday",
    "bound",
    "child_cells",
    "day_text",
    "keyed",
    "late_birthday",
    "lone",
    "of_children",
    "other_code",
    "put",
    "rows_of",
    "same",
    "shifted",
    "take",
    "with_child",
    "without_children",
    "years_before",
]


def answer(frame: pl.DataFrame, wrong: pl.Expr) -> pl.Series:
    """Evaluate a condition over a view in file order; null, that is "cannot say", counts as not wrong."""
    return frame.select(wrong.fill_null(value=False).alias("wrong")).to_series()


def any_of(conditions: Iterable[pl.Expr]) -> pl.Expr:
    """Return where one condition or more holds; nowhere without any."""
    return pl.any_horizontal(pl.lit(value=False), *conditions)


def at_rows(height: int, rows: pl.Series) -> pl.Series:
    """Return a flag for each row of a frame of some height, true for the row numbers given."""
    return pl.repeat(value=False, n=height, eager=True).scatter(rows, values=True).alias("wrong")


def bound(g: Guidance, item: str, code: str, measure: str) -> float:
    """Return a limit, itself allowed, that a rule cannot do without; GuidanceError where the year has none."""
    limit = g.limit(item, code, measure)
    if limit is None:
        raise GuidanceError(
            f"limits.csv has no {measure} for {item or 'the whole file'} {code} in {g.return_} {g.year}."
        )
    return limit


def birthday(birth: str, years: float) -> pl.Expr:
    """Return the day a child reaches an age; born on 29 February, that is 28 February in other years."""
    return _by_day(birth, _birthdays, int(years), pl.Date)


def late_birthday(birth: str, years: float) -> pl.Expr:
    """Return the latest day that may count as the birthday: 1 March for a child born on 29 February."""
    return _by_day(birth, _late_birthdays, int(years), pl.Date)


def age_on(birth: str, on: dt.date) -> pl.Expr:
    """Return age in completed years on a day; null before birth."""
    return _by_day(birth, _ages, on, pl.Int64)


def _birthdays(days: pl.Series, years: int) -> pl.Series:
    return days.dt.offset_by(f"{years}y")


def _late_birthdays(days: pl.Series, years: int) -> pl.Series:
    early = _birthdays(days, years)
    moved = early.dt.day() != days.dt.day()
    return early + moved.cast(pl.Int64) * dt.timedelta(days=1)


def _ages(days: pl.Series, on: dt.date) -> pl.Series:
    born = pl.col("born")
    before = (born.dt.month() > on.month) | ((born.dt.month() == on.month) & (born.dt.day() > on.day))
    years = pl.when(born <= on).then(on.year - born.dt.year().cast(pl.Int64) - before.cast(pl.Int64))
    return pl.DataFrame({"born": days}).select(years.alias("age")).to_series()


def _by_day(
    name: str, make: Callable[[pl.Series, _Given], pl.Series], given: _Given, kind: type[pl.Date | pl.Int64]
) -> pl.Expr:
    """Work something out of a date once for every day there can be, and look it up: a million rows have few days."""

    def look_up(dates: pl.Series) -> pl.Series:
        first, last = dates.min(), dates.max()
        if not isinstance(first, dt.date) or not isinstance(last, dt.date):
            return pl.Series(dates.name, [None] * len(dates), dtype=kind)
        if (last - first).days > max(len(dates), _FEW_DAYS):
            return make(dates, given)
        return _table(make, given, first.year, last.year).gather((dates - dt.date(first.year, 1, 1)).dt.total_days())

    return pl.col(name).map_batches(look_up, return_dtype=kind)


@lru_cache(_TABLES)
def _table(make: Callable[[pl.Series, _Given], pl.Series], given: _Given, first: int, last: int) -> pl.Series:
    """Return what is made of every day of some whole years: many rules ask the same of the same birth dates."""
    return make(pl.date_range(dt.date(first, 1, 1), dt.date(last, 12, 31), eager=True), given)


def with_child(t: Tables, form: str, other: pl.DataFrame, *items: str) -> pl.DataFrame:
    """Join a frame keyed by who, or la and id, one row a child, to the typed rows of a form; file order is kept.

    Name the items of the form that are wanted; none named means all.
    """
    wanted = items or t.typed(form).columns
    frame = t.typed(form).select(*wanted, la=LA, id=child_column(form), who=t.numbers[form])
    if "who" in other.columns:
        other = other.drop("la", "id", strict=False)
        if t[form].height < other.height * _FEW:
            other = other.filter(pl.col("who").is_in(t.numbers[form].implode()))
        return frame.join(other, on="who", how="left", maintain_order="left", suffix="_other")
    return frame.drop("who").join(other, on=["la", "id"], how="left", maintain_order="left", suffix="_other")


def of_children(t: Tables, form: str, children: pl.DataFrame, *, missing_from: str = "") -> pl.Series:
    """Return true for rows of a form whose child is among some (`who`), and on no row of a form named."""
    who = pl.col("who")
    among = who.is_in(children["who"].implode())
    if missing_from:
        among &= ~who.is_in(t.numbers[missing_from].implode())
    return answer(t.numbers[form].to_frame("who"), among)


def rows_of(flags: pl.Series, rows: NDArray[np.int64]) -> list[int]:
    """Return those of the given row numbers where a flag is true."""
    on = flags.fill_null(value=False)
    return [int(r) for r in rows if on[int(r)]]


def take(frame: pl.DataFrame, wanted: pl.Expr, rows: NDArray[np.int64]) -> list[int]:
    """Return those of the given row numbers where a condition over the whole frame holds."""
    return rows_of(answer(frame, wanted), rows)


def put(t: Tables, form: str, cells: Mapping[str, Mapping[int, str | None]]) -> dict[str, pl.DataFrame]:
    """Return the text frame of a form with some cells replaced: item to row number to new text."""
    text = t.text(form)
    columns = []
    for name, changes in cells.items():
        values = text[name].to_list()
        for row, value in changes.items():
            values[row] = value
        columns.append(pl.Series(name, values, dtype=pl.String))
    return {form: text.with_columns(columns)}


def same(rows: Iterable[int], value: str | None) -> dict[int, str | None]:
    """Give every row the same new text."""
    return dict.fromkeys(rows, value)


def day_text(day: dt.date) -> str:
    """Write a day as the files do: dd/mm/yyyy."""
    return day.strftime("%d/%m/%Y")


def shifted(frame: pl.DataFrame, column: str, rows: Iterable[int], days: int) -> dict[int, str | None]:
    """Return the dates of some rows moved by a number of days, as text; rows without a date are left out."""
    values = frame[column]
    return {row: day_text(values[row] + dt.timedelta(days=days)) for row in rows if isinstance(values[row], dt.date)}


TOO_YOUNG = (
    *("CLA073", "CLA092", "CLA093", "CLA094", "CLA094-query", "CLA095", "CLA095-query", "CLA096", "CLA097"),
    *("CLA099", "CLA099-query", "CLA116", "CLA117", "CLA118", "CLA119", "CLA017", "CLA100"),
    *("CLA006", "CLA068", "CLA071", "CLA142"),
)
"""Rules of least ages, and against last year: they may fire when a birth date is made later or a start earlier."""
TOO_OLD = (
    *("CLA015", "CLA033", "CLA079", "CLA108", "CLA109", "CLA111", "CLA115", "CLA120"),
    *("CLA006", "CLA026", "CLA068"),
)
"""Rules of greatest ages, and against last year: they may fire when a birth date is made earlier or a day later."""
CENSUS_AGES = (
    *("CRCS-070", "CRCS-072", "CRCS-073", "CRCS-074", "CRCS-075", "CRCS-076", "CRCS-010", "CRCS-011", "CRCS-018"),
    *("CRCS-019", "CRCS-020", "CRCS-069", "CRCS-083"),
)
"""Census items right for one age only, and birth dates against last year's: they may fire when a birth date moves."""
CHANGES = ("CLA062", "CLA063", "CLA064", "CLA069", "CLA091")
"""Rules on what changes and what does not: they may fire when a status, a placement or a postcode is changed."""
ENDS = (
    *("CLA107", "CLA123", "CLA124", "CLA125", "CLA141", "CLA142", "CRCS-050"),
    *("CLA135", "CLA136", "CLA144", "CLA145", "CRCS-057", "CRCS-105"),
)
"""Rules that may fire when an ending is put in, taken out or exchanged."""


def lone(t: Tables, rows: NDArray[np.int64]) -> list[int]:
    """Return those episodes that are open, a child's only one, no short breaks, and of a known birth date."""
    wanted = pl.col("first") & pl.col("last") & pl.col("open") & (pl.col("legal") != "V1")
    return take(t.episodes, wanted & pl.col("dob").is_not_null() & (pl.col("start") > pl.col("dob")), rows)


def child_cells(
    t: Tables, changes: Mapping[int, str | None], name: str, source: pl.DataFrame, form: str = "child"
) -> dict[str, pl.DataFrame]:
    """Give an item of the child's row on another form new text, keyed by rows of `source` (la, id)."""
    las, ids = source["la"], source["id"]
    wanted = {(las[row], ids[row]): value for row, value in changes.items()}
    keys = zip(t.text(form)[LA].to_list(), t.text(form)[child_column(form)].to_list(), strict=True)
    return put(t, form, {name: {n: wanted[key] for n, key in enumerate(keys) if key in wanted}})


def without_children(t: Tables, form: str, source: pl.DataFrame, rows: Iterable[int]) -> dict[str, pl.DataFrame]:
    """Take the children of some rows of `source` (la, id) out of another form."""
    gone = {(source["la"][row], source["id"][row]) for row in rows}
    keys = zip(t.text(form)[LA].to_list(), t.text(form)[child_column(form)].to_list(), strict=True)
    return {form: t.text(form).filter([key not in gone for key in keys])}


def keyed(t: Tables, form: str) -> pl.DataFrame:
    """Return the typed rows of a form with la and id, as breakers address children."""
    return t.typed(form).with_columns(la=pl.col(LA), id=pl.col(child_column(form)))


def years_before(day: dt.date, years: int) -> dt.date:
    """Return the same day of an earlier year; 29 February becomes 28 February."""
    dom = 28 if (day.month, day.day) == (2, 29) else day.day
    return dt.date(day.year - years, day.month, dom)


def other_code(value: str | None, codes: Iterable[str]) -> str:
    """Return the first code that is not the one given."""
    return next(code for code in codes if code != value)
