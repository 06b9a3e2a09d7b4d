"""Days on which courts, panels and conferences sit: Monday to Friday, but for the bank holidays of Wales.

The holidays from 1998 to 2030 stand in bank_holidays.csv (Banking and Financial Dealings Act 1971, royal
proclamations; gov.uk/bank-holidays). What would fall on a free day is spread over the five working days after or before
it, so that no weekday stands out.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import day

if TYPE_CHECKING:
    from synth.dates import Days

__all__ = ["is_working_day", "next_working_day", "previous_working_day"]

_FIRST, _LAST = day(1970, 1, 1), day(2060, 1, 1)
_SPREAD = 5


def _working() -> Days:
    rows = files("synth").joinpath("bank_holidays.csv").read_text("utf-8").splitlines()[1:]
    holidays = np.array([row.partition(",")[0] for row in rows], "datetime64[D]").astype(np.int32)
    days = np.arange(_FIRST, _LAST, dtype=np.int32)
    # 1 January 1970 was a Thursday.
    return days[((days + 3) % 7 < _SPREAD) & ~np.isin(days, holidays)]


_DAYS = _working()
_ALL = np.arange(_FIRST, _LAST, dtype=np.int32)
_PLACE = np.searchsorted(_DAYS, _ALL)
_FREE = ~np.isin(_ALL, _DAYS)
# A fixed scatter of the free days: which of the five working days each goes to.
_STEP = np.where(_FREE, (_ALL.astype(np.int64) * 2_654_435_761 >> 7) % _SPREAD, 0)
_NEXT = _DAYS[np.minimum(_PLACE + _STEP, len(_DAYS) - 1)]
_PREVIOUS = _DAYS[np.maximum(_PLACE - np.where(_FREE, 1 + _STEP, 0), 0)]


def is_working_day(days: Days) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Say which days courts sit on."""
    return np.asarray(~_FREE.take(np.asarray(days) - _FIRST, mode="clip"))


def next_working_day(days: Days) -> Days:
    """Return each day itself or a working day within about a week after it."""
    return np.asarray(_NEXT.take(np.asarray(days) - _FIRST, mode="clip"))


def previous_working_day(days: Days) -> Days:
    """Return each day itself or a working day within about a week before it."""
    return np.asarray(_PREVIOUS.take(np.asarray(days) - _FIRST, mode="clip"))
