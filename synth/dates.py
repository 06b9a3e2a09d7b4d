"""Days, ages and collection years as whole numbers: a day counts from 1 January 1970, ages are whole years."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from synth.collection_year import day, day_of_year_start, last_day, quarter_day, to_date, year_code

__all__ = [
    "DAYS_IN_YEAR",
    "Days",
    "age_on",
    "birthday",
    "calendar_year",
    "day",
    "day_of_year_start",
    "last_day",
    "quarter_day",
    "to_date",
    "year_code",
    "year_of",
    "years_in",
]

Days = NDArray[np.int32]
"""Days since 1 January 1970, int32."""

DAYS_IN_YEAR = 365.2425
"""In the mean of the Gregorian calendar."""


def year_of(days: Days) -> NDArray[np.int32]:
    """Return the collection year (of its 31 March) each day falls in."""
    return np.asarray(_COLLECTION_YEAR.take(days))


def years_in(years: NDArray[np.int32]) -> tuple[list[int], NDArray[np.int64]]:
    """Return the distinct years of an array, which rise, and for each of its entries the place of its own."""
    if not len(years):
        return [], np.zeros(0, np.int64)
    first = int(years.min())
    occurs = np.bincount(years - first) > 0
    return (np.flatnonzero(occurs) + first).tolist(), (np.cumsum(occurs) - 1)[years - first]


def calendar_year(days: Days) -> NDArray[np.int32]:
    """Return the calendar year each day falls in."""
    return np.asarray(_YEAR.take(days))


def age_on(birth: Days, on: Days | int) -> NDArray[np.int32]:
    """Return age in completed years; a child born on 29 February is a year older from 28 February."""
    return np.asarray((_DATE.take(on) - _BIRTHDAY.take(birth)) >> _YEAR_BITS)


def birthday(birth: Days, years: int | NDArray[np.int32]) -> Days:
    """Return the day on which a child reaches an age (negative: that long before); 29 February becomes 28."""
    if isinstance(years, int):
        return np.asarray(_birthdays(years).take(birth))
    return np.asarray(_MONTH_START[_MONTH_INDEX.take(birth) + 12 * years] + _BIRTHDAY_OF_MONTH.take(birth) - 1)


@cache
def _birthdays(years: int) -> Days:
    """Return the day on which a child born on each day of the calendar reaches an age."""
    month = np.clip(_MONTH_INDEX + 12 * years, 0, len(_MONTH_START) - 1)
    return _MONTH_START[month] + _BIRTHDAY_OF_MONTH - 1


# Lives here fall between 1900 and 2100: the calendar of those days is looked up, not computed. Tables begin with day 0
# and end with the day before it: numpy counts days before 1970, which are below 0, from the end. Days of later years
# are not held off: some would be taken for those after 1900.
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_MONTH_START = (
    np.arange(f"{_FIRST_YEAR}-01", f"{_LAST_YEAR + 1}-01", dtype="datetime64[M]")
    .astype("datetime64[D]")
    .astype(np.int32)
)
_LENGTH = np.diff(_MONTH_START, append=day(_LAST_YEAR + 1, 1, 1))
_MONTH_INDEX = np.roll(np.repeat(np.arange(len(_LENGTH), dtype=np.int32), _LENGTH), _MONTH_START[0])
_DAYS = np.roll(np.arange(_LENGTH.sum(), dtype=np.int32) + _MONTH_START[0], _MONTH_START[0])
_YEAR = _MONTH_INDEX // 12 + _FIRST_YEAR
_MONTH = _MONTH_INDEX % 12 + 1
_DAY_OF_MONTH = _DAYS - _MONTH_START[_MONTH_INDEX] + 1
_LEAP_DAY = (_MONTH == 2) & (_DAY_OF_MONTH == 29)  # noqa: PLR2004
# Day of month on which a child born that day has a birthday every year.
_BIRTHDAY_OF_MONTH = np.where(_LEAP_DAY, 28, _DAY_OF_MONTH).astype(np.int32)
_COLLECTION_YEAR = (_YEAR + (_MONTH >= 4)).astype(np.int32)  # noqa: PLR2004  it turns in April
_YEAR_BITS = 9
# Year, month and day of month in one number: of two, the difference has the whole years in its upper bits.
_DATE = (_YEAR << _YEAR_BITS) + _MONTH * 32 + _DAY_OF_MONTH
_BIRTHDAY = (_YEAR << _YEAR_BITS) + _MONTH * 32 + _BIRTHDAY_OF_MONTH
