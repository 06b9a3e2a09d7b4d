import csv
import datetime as dt
from importlib.resources import files

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from synth.dates import day, to_date
from synth.working_days import is_working_day, next_working_day, previous_working_day

HOLIDAYS = {
    dt.date.fromisoformat(row["date"])
    for row in csv.DictReader(files("synth").joinpath("bank_holidays.csv").read_text("utf-8").splitlines())
}
DATES = st.dates(dt.date(1999, 1, 1), dt.date(2029, 12, 1))


def works(date):
    return date.weekday() < 5 and date not in HOLIDAYS


def number(date):
    return np.array([day(date.year, date.month, date.day)], np.int32)


@given(DATES)
@example(dt.date(2021, 12, 24))
@example(dt.date(2022, 6, 3))
@example(dt.date(2023, 4, 7))
def test_working_days_lie_on_the_right_side_and_near(on):
    after, before = (to_date(int(step(number(on))[0])) for step in (next_working_day, previous_working_day))
    assert works(after)
    assert works(before)
    assert before <= on <= after
    assert after - before <= dt.timedelta(days=24)
    assert bool(is_working_day(number(on))[0]) == works(on) == (before == after)


def test_no_weekday_stands_out():
    days = np.arange(day(2000, 1, 1), day(2029, 1, 1), dtype=np.int32)
    for step in (next_working_day, previous_working_day):
        weekdays = np.bincount((step(days) + 3) % 7, minlength=7)
        assert (weekdays[5:] == 0).all()
        assert weekdays[:5].min() > 0.9 * weekdays[:5].max() * 0.95


def test_holidays_known_by_everybody_are_there():
    assert {dt.date(2022, 6, 3), dt.date(2020, 5, 8), dt.date(2021, 12, 27), dt.date(2023, 4, 7)} <= HOLIDAYS
    assert all(8 <= sum(d.year == year for d in HOLIDAYS) <= 11 for year in range(1998, 2031))
