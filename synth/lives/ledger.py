"""A growing table of equally long numpy columns: what the simulation writes its lives into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["Ledger"]


class Ledger:
    """Columns of fixed types that grow together; a row number stays valid until `keep` takes rows out."""

    def __init__(self, **columns: DTypeLike) -> None:
        self._store: dict[str, NDArray[Any]] = {name: np.zeros(1024, dtype) for name, dtype in columns.items()}
        self._length = 0

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
        end = self._length + count
        for name, column in self._store.items():
            if end > len(column):
                grown = np.zeros(max(end, 2 * len(column)), column.dtype)
                grown[: self._length] = column[: self._length]
                self._store[name] = grown
            self._store[name][self._length : end] = values[name]
        rows = np.arange(self._length, end)
        self._length = end
        return rows

    def keep(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Take out all rows but some; return for every old row number the new one, -1 for those taken out."""
        kept = np.flatnonzero(rows)
        number = np.full(len(rows), -1)
        number[kept] = np.arange(len(kept))
        self._store = {name: column.take(kept) for name, column in self._store.items()}
        self._length = len(kept)
        return number

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns cut to length, as they are: what is written into the table is written into them."""
        return {name: column[: self._length] for name, column in self._store.items()}

    def frozen(self) -> dict[str, NDArray[Any]]:
        """Return the columns cut to length, as independent arrays."""
        return {name: column.copy() for name, column in self.columns().items()}
