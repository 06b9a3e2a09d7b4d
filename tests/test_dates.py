import datetime as dt

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from synth.dates import (
    age_on,
    birthday,
    day,
    day_of_year_start,
    last_day,
    quarter_day,
    to_date,
    year_code,
    year_of,
)

EPOCH = dt.date(1970, 1, 1)
DATES = st.dates(dt.date(1975, 1, 1), dt.date(2030, 12, 31))
LEAP = dt.date(2004, 2, 29)


def number(date):
    return np.array([(date - EPOCH).days], np.int32)


def birthday_in(birth, year):
    """The day in a calendar year; a child born on 29 February has it on 28 February, in leap years too."""
    return dt.date(year, birth.month, 28 if (birth.month, birth.day) == (2, 29) else birth.day)


@given(DATES, st.integers(1, 25))
@example(LEAP, 1)
@example(LEAP, 4)
@example(LEAP, 18)
@example(dt.date(2003, 2, 28), 1)
@example(dt.date(2003, 3, 1), 1)
def test_birthdays_fall_on_the_calendar_day(birth, years):
    found = birthday(number(birth), years)[0]
    assert to_date(found) == birthday_in(birth, birth.year + years)
    assert birthday(number(birth), np.array([years], np.int32))[0] == found


@given(DATES, DATES)
@example(LEAP, dt.date(2008, 2, 28))
@example(LEAP, dt.date(2008, 2, 29))
@example(LEAP, dt.date(2022, 2, 27))
@example(LEAP, dt.date(2022, 2, 28))
@example(dt.date(2005, 4, 1), dt.date(2023, 3, 31))
def test_ages_are_completed_years(birth, on):
    birth, on = min(birth, on), max(birth, on)
    expected = on.year - birth.year - (on < birthday_in(birth, on.year))
    assert age_on(number(birth), number(on))[0] == expected
    assert age_on(number(birth), int(number(on)[0]))[0] == expected


@given(DATES, st.integers(1, 20), st.integers(-800, 800))
def test_an_age_is_reached_on_its_birthday(birth, years, off):
    turns = birthday(number(birth), years)
    on = turns + np.int32(off)
    if on[0] >= number(birth)[0]:
        assert (age_on(number(birth), on)[0] >= years) == (off >= 0)


@given(DATES)
@example(dt.date(2023, 3, 31))
@example(dt.date(2023, 4, 1))
def test_collection_years_turn_on_the_first_of_april(on):
    year = int(year_of(number(on))[0])
    assert year == on.year + (on.month >= 4)
    assert day_of_year_start(year) <= number(on)[0] <= last_day(year)
    assert to_date(int(number(on)[0])) == on
    assert day(on.year, on.month, on.day) == number(on)[0]


def test_days_of_a_year():
    for year in range(1999, 2025):
        assert day_of_year_start(year + 1) == last_day(year) + 1
        assert to_date(day_of_year_start(year)) == dt.date(year - 1, 4, 1)
        assert to_date(last_day(year)) == dt.date(year, 3, 31)
        assert to_date(quarter_day(year)) == dt.date(year, 1, 1)
    assert year_code(2023) == "202223"
    assert year_code(2000) == "199900"
    assert year_code(2017) == "201617"


def test_arrays_keep_their_length_and_order():
    births = np.concatenate([number(LEAP), number(dt.date(1999, 12, 31)), number(dt.date(2010, 6, 1))])
    assert age_on(births, day(2022, 6, 1)).tolist() == [18, 22, 12]
    assert birthday(births, np.array([1, 2, 3], np.int32)).tolist() == [
        day(2005, 2, 28), day(2001, 12, 31), day(2013, 6, 1),
    ]  # fmt: skip
