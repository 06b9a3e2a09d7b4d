"""Columns of a return as text: dates dd/mm/yyyy, codes as they stand, blank for nothing."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.dates import Days, day
from synth.lives.homes import named

__all__ = ["Form", "Sheet", "dates", "numbers", "yes_no"]

Form = dict[str, NDArray[np.str_]]
"""A form: machine name of the item -> column of text, all of one length, in the order of the file."""


class Sheet(NamedTuple):
    """A form with the place each row comes from (see `lives.homes`), which rise: worlds lie one after another.

    `child` is the child of each row (a row of the history), where the form has one row a child.
    """

    columns: Form
    home: NDArray[np.int64]
    child: NDArray[np.int64] | None = None

    def of_world(self, world: int) -> Form:
        """Return the rows of one world."""
        rows = self.rows_of(world)
        return {name: column[rows] for name, column in self.columns.items()}

    def rows_of(self, world: int) -> slice:
        """Return where the rows of one world stand."""
        first, last = np.searchsorted(self.home, named(np.array([world, world + 1]), np.zeros(2, np.int64)))
        return slice(int(first), int(last))


_FIRST, _LAST = day(1970, 1, 1), day(2060, 1, 1)


@cache
def _calendar() -> NDArray[np.str_]:
    date = np.arange(_FIRST, _LAST).astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    of_month, months = (date - month).astype(np.int64) + 1, month.astype(np.int64)
    signs = np.full((len(date), len("dd/mm/yyyy")), ord("/"), np.uint32)
    for numbers, columns in ((of_month, (1, 0)), (months % 12 + 1, (4, 3)), (months // 12 + 1970, (9, 8, 7, 6))):
        for power, column in enumerate(columns):
            signs[:, column] = numbers // 10**power % 10 + ord("0")
    return signs.view("U10").ravel()


def dates(days: Days, shown: NDArray[np.bool_] | None = None) -> NDArray[np.str_]:
    """Write days; where `shown` is false the column is blank."""
    text = _calendar()[np.where(True if shown is None else shown, days, 0)]
    return text if shown is None else np.where(shown, text, "")


def numbers(values: NDArray[np.integer[Any]], shown: NDArray[np.bool_] | None = None) -> NDArray[np.str_]:
    """Write whole numbers; where `shown` is false the column is blank."""
    text = np.asarray(values).astype(np.int64).astype("U8")
    return text if shown is None else np.where(shown, text, "")


def yes_no(flags: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Write 1 for true, 0 for false."""
    return np.where(flags, "1", "0")
