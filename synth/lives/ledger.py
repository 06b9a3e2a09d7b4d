"""A growing table of equally long numpy columns: what the simulation writes its lives into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["Ledger"]

_HEIGHT = 1024
"""Rows a table has room for as it begins."""


class Ledger:
    """Columns of fixed types that grow together; a row number stays valid until `keep` takes rows out."""

    def __init__(self, **columns: DTypeLike) -> None:
        self._store: dict[str, NDArray[Any]] = {name: np.zeros(_HEIGHT, dtype) for name, dtype in columns.items()}
        self._length, self._height = 0, _HEIGHT

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column as a view: writing into it changes the table."""
        return self._store[name][: self._length]

    def append(self, **values: Any) -> NDArray[np.int64]:  # noqa: ANN401  arrays or scalars of the columns' types
        """Add rows (every column named; scalars are repeated) and return their row numbers."""
        sizes = [len(value) for value in values.values() if isinstance(value, np.ndarray)] or [1]
        count = max(sizes) if min(sizes) else 0
        if self._store.keys() != values.keys():
            raise KeyError(f"columns do not match: {sorted(self._store.keys() ^ values.keys())}")
        if not count:
            return np.zeros(0, np.int64)
        begin, end = self._length, self._length + count
        if end > self._height:
            self._grow(max(end, 2 * self._height))
        here = slice(begin, end)
        for name, column in self._store.items():
            column[here] = values[name]
        self._length = end
        return np.arange(begin, end)

    def _grow(self, height: int) -> None:
        """Make room for so many rows."""
        for name, column in self._store.items():
            self._store[name] = np.empty(height, column.dtype)
            self._store[name][: self._length] = column[: self._length]
        self._height = height

    def keep(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Take out all rows but some; return for every old row number the new one, -1 for those taken out."""
        kept = np.flatnonzero(rows)
        number = np.full(len(rows), -1)
        number[kept] = np.arange(len(kept))
        self._store = {name: column.take(kept) for name, column in self._store.items()}
        self._length = self._height = len(kept)
        return number

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns cut to length, as they are: what is written into the table is written into them."""
        return {name: column[: self._length] for name, column in self._store.items()}

    def frozen(self) -> dict[str, NDArray[Any]]:
        """Return the columns cut to length, as independent arrays."""
        return {name: column.copy() for name, column in self.columns().items()}
