"""The profile's parameters as arrays: named axes in, numpy out, remembered per collection year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import years_in
from synth.lives.draw import matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from synth.lives.homes import Homes
    from synth.profile import Profile

__all__ = ["BANDS", "Behaviour", "band"]

BANDS = ("0", "1-4", "5-9", "10-15", "16-17")
"""Age groups of the published tables, by age in completed years."""

_LOWER_BOUNDS = np.array([1, 5, 10, 16])


def band(age: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the index into BANDS of ages in completed years."""
    return np.searchsorted(_LOWER_BOUNDS, age, side="right")


class Behaviour:
    """Parameters of a profile, fetched by name and collection year.

    `scalar`, `vector` and `table` return floats; what a nested parameter does not name counts as zero. Years before
    the first and after the last dated value take the nearest one.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._memory: dict[tuple[object, ...], Any] = {}
        self._values: dict[tuple[str, int], Any] = {}

    def value(self, name: str, year: int) -> Any:  # noqa: ANN401  the shape is the parameter's own
        """Return a parameter as it stands in the profile."""
        key = (name, year)
        if key not in self._values:
            self._values[key] = self.profile.at(name, year)
        return self._values[key]

    def scalar(self, name: str, year: int) -> float:
        """Return one number."""
        return float(self.value(name, year))

    def vector(self, name: str, year: int, columns: Sequence[str]) -> NDArray[np.float64]:
        """Return a one-level parameter in the order of `columns`."""
        key = (name, year, tuple(columns))
        if key not in self._memory:
            value = self.value(name, year)
            self._memory[key] = np.array([float(value.get(column, 0.0)) for column in columns])
        return self._memory[key]  # type: ignore[no-any-return]

    def table(self, name: str, year: int, rows: Sequence[str], columns: Sequence[str]) -> NDArray[np.float64]:
        """Return a two-level parameter, shape (rows, columns)."""
        key = (name, year, tuple(rows), tuple(columns))
        if key not in self._memory:
            self._memory[key] = matrix(self.value(name, year), rows, columns)
        return self._memory[key]  # type: ignore[no-any-return]

    def once(self, name: str, year: int, make: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return what `make` makes of parameters of a year, made once and known by `name`; do not change the result."""
        if (name, year) not in self._memory:
            self._memory[name, year] = make()
        return self._memory[name, year]  # type: ignore[no-any-return]

    def targets(self, table: str, year: int, homes: Homes) -> NDArray[np.int64] | None:
        """Return the children each place is to have in a table of targets, shape (places, cells).

        None where one of the authorities has no target in the year.
        """
        key = ("targets", table, year, homes.codes, homes.worlds)
        if key not in self._memory:
            found = [self.profile.target(table, code, year) for code in homes.codes]
            known = None if None in found else homes.in_every_world(np.array(found, np.int64))
            if known is not None:
                known.flags.writeable = False  # asked for again and again
            self._memory[key] = known
        return self._memory[key]  # type: ignore[no-any-return]

    def rows(
        self,
        name: str,
        years: NDArray[np.int32],
        row: NDArray[np.int64],
        rows: Sequence[str],
        columns: Sequence[str],
    ) -> NDArray[np.float64]:
        """Return for each entry the row `row[i]` of the table of its own year, shape (n, columns)."""
        stack, place = self._stack(name, years, rows, columns)
        return stack.reshape(-1, len(columns)).take(place * len(rows) + row, axis=0)

    def cells(
        self,
        name: str,
        years: NDArray[np.int32],
        column: NDArray[np.int64],
        rows: Sequence[str],
        columns: Sequence[str],
    ) -> NDArray[np.float64]:
        """Return for each entry the column `column[i]` of the table of its own year, shape (n, rows)."""
        stack, place = self._stack(name, years, rows, columns)
        return stack.transpose(0, 2, 1).reshape(-1, len(rows)).take(place * len(columns) + column, axis=0)

    def _stack(
        self, name: str, years: NDArray[np.int32], rows: Sequence[str], columns: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return the tables of the first to the last year that occurs, and for each entry the place of its own."""
        if not len(years):
            return np.zeros((0, len(rows), len(columns))), years
        first, last = years.min(), years.max()
        key = (name, int(first), int(last), tuple(rows), tuple(columns))
        if key not in self._memory:
            self._memory[key] = np.stack([self.table(name, year, rows, columns) for year in range(key[1], key[2] + 1)])
        return self._memory[key], years - first

    def scalars(self, name: str, years: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return one number for each entry, of its own year."""
        distinct, place = years_in(years)
        return np.array([self.scalar(name, year) for year in distinct])[place]
