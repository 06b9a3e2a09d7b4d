"""Collection years, from 1 April to 31 March, and single days of them, without the arrays of `dates`."""

from __future__ import annotations

import datetime as dt

__all__ = ["day", "day_of_year_start", "last_day", "quarter_day", "to_date", "year_code"]


def day(year: int, month: int, dom: int) -> int:
    """Return the number of one calendar day."""
    return (dt.date(year, month, dom) - dt.date(1970, 1, 1)).days


def day_of_year_start(year: int) -> int:
    """Return 1 April on which collection year `year` begins (the calendar year before)."""
    return day(year - 1, 4, 1)


def last_day(year: int) -> int:
    """Return 31 March on which collection year `year` ends."""
    return day(year, 3, 31)


def quarter_day(year: int) -> int:
    """Return 1 January of `year`: a plan in place by then has lasted three months on 31 March."""
    return day(year, 1, 1)


def year_code(year: int) -> str:
    """Return the return's own name of a collection year: 2023 gives 202223."""
    return f"{year - 1}{year % 100:02d}"


def to_date(number: int) -> dt.date:
    """Return the calendar date of a day number."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(number))
