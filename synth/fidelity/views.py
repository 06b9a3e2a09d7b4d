"""Views of a year's files as the statisticians count them: who is looked after on the day, who started, who left.

Every view keeps the items of its form by machine name and adds columns of its own in small letters. Single rows are
children, except in `ended`, whose rows are episodes. Short breaks (V1) stand in `short_breaks` only.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from synth.geography.areas import district_authority
from synth.tables import LA

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Views"]

_CHILD = [LA, "SYSTEM_ID"]
_KEPT = ("DOB", "GNDR_CD", "ETHNICITY", "DISABILITY_CODE", "ASYLUM")
_INSIDE = ("F1", "F2", "F3", "H1", "H3")
_OUTSIDE = ("F4", "F5", "F6", "H4")
"""Codes that say whether a carer or home lies inside the authority; for others and for Wales the postcode tells."""
_SECURE_IN_WALES, _SECURE_OUTSIDE_WALES = "H21", "H22"
_AWAY = ("M1", "M2", "M3")
_DISTRICT = r"^([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9][A-Z]{2}$"
_DAYS_A_MONTH = 365.25 / 12


class Views:
    """The views of one collection year, each built when first asked for.

    `forms` are typed frames: codes as text, dates as Date, blanks null (as `FormTable.typed`).
    """

    def __init__(self, forms: Mapping[str, pl.DataFrame], year: int) -> None:
        self._forms = forms
        self.year = year
        self.first, self.last = dt.date(year - 1, 4, 1), dt.date(year, 3, 31)

    def __getitem__(self, view: str) -> pl.DataFrame:
        """Return a view by its name in counted.csv."""
        return getattr(self, view)  # type: ignore[no-any-return]

    @cached_property
    def looked_after(self) -> pl.DataFrame:
        """Episodes open on 31 March: age on the day, location, and placements of the child in the year."""
        stock = self._single.filter(pl.col("EPISODE_END_DATE").is_null()).join(
            self._placements, on=_CHILD, how="left", maintain_order="left"
        )
        return stock.with_columns(_age(pl.lit(self.last)), _location())

    @cached_property
    def short_breaks(self) -> pl.DataFrame:
        """Series of short breaks open on 31 March."""
        open_ = (pl.col("LEGAL_STATUS_CODE") == "V1") & pl.col("EPISODE_END_DATE").is_null()
        return self._episodes.filter(open_).with_columns(_age(pl.lit(self.last)), _location())

    @cached_property
    def started(self) -> pl.DataFrame:
        """Children who started to be looked after in the year, as they first came in: age and age_days at the start."""
        new = (pl.col("REASON_EPISODE_STARTED_CODE") == "S") & pl.col("EPISODE_START_DATE").is_between(
            self.first, self.last
        )
        days = (pl.col("EPISODE_START_DATE") - pl.col("DOB")).dt.total_days().alias("age_days")
        found = self._single.filter(new).unique(_CHILD, keep="first", maintain_order=True)
        return found.with_columns(_age(pl.col("EPISODE_START_DATE")), _location(), days)

    @cached_property
    def ceased(self) -> pl.DataFrame:
        """Children who ceased to be looked after in the year, by their last ending: age at the end."""
        found = self.ended.filter(pl.col("REASON_EPISODE_FINISHED_CODE") != "X1")
        return found.unique(_CHILD, keep="last", maintain_order=True)

    @cached_property
    def ended(self) -> pl.DataFrame:
        """Episodes that ended in the year, continued or not: age at the end."""
        found = self._single.filter(pl.col("EPISODE_END_DATE").is_between(self.first, self.last))
        return found.with_columns(_age(pl.col("EPISODE_END_DATE")))

    @cached_property
    def ever(self) -> pl.DataFrame:
        """Children looked after at any time in the year."""
        still = pl.col("EPISODE_END_DATE").is_null() | (pl.col("EPISODE_END_DATE") >= self.first)
        found = self._single.filter(still & (pl.col("EPISODE_START_DATE") <= self.last))
        return found.unique(_CHILD, keep="last", maintain_order=True).with_columns(_age(pl.lit(self.last)))

    @cached_property
    def adopted(self) -> pl.DataFrame:
        """Children adopted in the year: days and months from entry, and from the decision, to placing and adoption."""
        spans = [
            ((pl.col(end) - pl.col(start)).dt.total_days() / unit).alias(f"{name}_{begin}_to_{until}")
            for begin, start in (("entry", "DATE_LATEST_CARE"), ("decision", "DATE_DECISION"))
            for until, end in (("placement", "DATE_PLACED"), ("adoption", "DATE_ADOPTED"))
            for name, unit in (("days", 1.0), ("months", _DAYS_A_MONTH))
        ]
        return self._forms["adoption"].with_columns(spans)

    @cached_property
    def care_leavers(self) -> pl.DataFrame:
        """Young people who left care in the year at 16 or over."""
        return self._forms["care_leaver"]

    @cached_property
    def care_and_support(self) -> pl.DataFrame:
        """Children of the care and support census on 31 March, in an all-year file by the three-month rule: age."""
        frame = self._forms["crcs"]
        if "PLAN_START_DATE" in frame.columns:
            in_place = pl.col("PLAN_START_DATE") <= dt.date(self.year, 1, 1)
            frame = frame.filter((pl.col("PLAN_ACTIVE_31_MARCH") == "1") & in_place)
        return frame.with_columns(_age(pl.lit(self.last), "DATE_OF_BIRTH"))

    @cached_property
    def _episodes(self) -> pl.DataFrame:
        """Episodes by child and start, with the child's own items."""
        child = self._forms["child"].unique(_CHILD, keep="first", maintain_order=True).select(*_CHILD, *_KEPT)
        frame = self._forms["episode"].join(child, on=_CHILD, how="left", maintain_order="left")
        return frame.sort(*_CHILD, "EPISODE_START_DATE", "EPISODE_NUMBER", nulls_last=True, maintain_order=True)

    @cached_property
    def _single(self) -> pl.DataFrame:
        """Episodes that are no short breaks; a status that cannot be read is none."""
        return self._episodes.filter(pl.col("LEGAL_STATUS_CODE").ne_missing("V1"))

    @cached_property
    def _placements(self) -> pl.DataFrame:
        """Placements of each child in the year: the one in force on 1 April, then each new one.

        Going missing and coming back to the same place are none.
        """
        away = pl.col("PLACEMENT_TYPE_CODE").is_in(_AWAY).fill_null(value=False)
        same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in _CHILD).fill_null(value=False)
        back = same & away.shift(1, fill_value=False) & (pl.col("REASON_EPISODE_STARTED_CODE") == "P")
        earlier = pl.col("EPISODE_START_DATE") < self.first
        new = pl.col("REASON_EPISODE_STARTED_CODE").is_in(["S", "P", "B"]) & ~away & ~back
        counted = self._single.select(*_CHILD, placements=(earlier | new).cast(pl.Int64))
        return counted.group_by(_CHILD).agg(pl.col("placements").sum())


def _age(day: pl.Expr, born: str = "DOB") -> pl.Expr:
    """Whole years on a day."""
    birth = pl.col(born)
    month, birth_month = day.dt.month(), birth.dt.month()
    before = (month < birth_month) | ((month == birth_month) & (day.dt.day() < birth.dt.day()))
    return (day.dt.year() - birth.dt.year() - before.cast(pl.Int32)).alias("age")


def _location() -> pl.Expr:
    """Return inside, outside_in_wales, outside_wales or, without a code or postcode that tells, unknown."""
    code, postcode = pl.col("PLACEMENT_TYPE_CODE").cast(pl.String).fill_null(""), pl.col("PLACEMENT_POSTCODE")
    host = postcode.str.extract(_DISTRICT).replace_strict(district_authority(), default=None, return_dtype=pl.String)
    coded_outside = code.is_in(_OUTSIDE)
    return (
        pl.when(code.is_in(_INSIDE) | (~coded_outside & (host == pl.col(LA)) & ~code.str.starts_with("H2")))
        .then(pl.lit("inside"))
        .when((code == _SECURE_IN_WALES) | ((code != _SECURE_OUTSIDE_WALES) & host.is_not_null()))
        .then(pl.lit("outside_in_wales"))
        .when((code == _SECURE_OUTSIDE_WALES) | postcode.is_not_null())
        .then(pl.lit("outside_wales"))
        .otherwise(pl.lit("unknown"))
        .alias("location")
    )
