"""The conditions on the cells of a table of targets in a year: sums between ends, own ones and published ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.tabulate.printing import Convention

__all__ = ["LEAST", "Pooled", "Row", "System", "system_of"]

LEAST = 1e-6
_CLOSE = 0.05
_INSET, _INSET_AT_MOST = 1 / 3, 2.0
"""Targets keep this share of an interval's width, or so many children, away from its ends where they can: lives may
miss them by a child."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """A figure that adds up two years, each rounded first: where it stands, and how it was printed.

    `low` and `high` are what both years together may be.
    """

    place: str
    value: float
    low: float
    high: float
    how: Convention


@dataclass(frozen=True, slots=True)
class Row:
    """One linear condition on the cells of a table: weights (authorities, cells), lowest and highest sum.

    `printed` are narrower ends between which the figure is printed as it was published, `pooled` the figure of two
    years it is a part of; None where there are none. `aim` are ends that fitted numbers keep where they can, in place
    of a share of the width.
    """

    label: str
    weights: NDArray[np.float64]
    low: float
    high: float
    national: bool
    printed: tuple[float, float] | None = None
    pooled: Pooled | None = None
    aim: tuple[float, float] | None = None

    def narrow(self) -> Row:
        """Return the condition between the ends that print its figure, in whole children; itself without them."""
        if self.printed is None:
            return self
        return replace(self, low=math.ceil(self.printed[0] - LEAST), high=math.floor(self.printed[1] + LEAST))


@dataclass(frozen=True, slots=True)
class System:
    """All conditions on the cells of a year: a sparse matrix (rows, authorities x cells), bounds, and names.

    `aim` has a row for either end, NaN where nothing but the bounds is aimed at.
    """

    matrix: Any
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    labels: list[str]
    published: NDArray[np.bool_]
    aim: NDArray[np.float64]

    def inset(self) -> System:
        """Return published intervals without what is near their ends, or what is aimed at in them."""
        # A share of other cells has one row for either end, whose distance in children is not known.
        known = np.isfinite(self.high - self.low)
        width = np.where(known, self.high, 4 * _INSET_AT_MOST) - np.where(known, self.low, 0.0)
        by = np.where(self.published, np.minimum(_INSET * width, _INSET_AT_MOST), 0.0)
        low, high = np.where(np.isnan(self.aim), (self.low + by, self.high - by), self.aim)
        return replace(self, low=low, high=high)

    def whole(self) -> System:
        """Return the bounds that are left to whole children; sums of shares of them keep theirs."""
        fractions = abs(self.matrix - self.matrix.rint()).sum(axis=1) > LEAST
        low = np.where(fractions, self.low, np.ceil(self.low - LEAST))
        return replace(self, low=low, high=np.where(fractions, self.high, np.floor(self.high + LEAST)))

    def holds(self, counts: NDArray[np.int64]) -> bool:
        """Say whether whole numbers meet all conditions."""
        sums = self.matrix @ counts
        return bool(((sums > self.low - LEAST) & (sums < self.high + LEAST)).all())

    def around(self, values: NDArray[np.float64], wide: System) -> System:
        """Return bounds that values meet, where they do not meet these; never beyond those of `wide`."""
        sums = self.matrix @ values
        low, high = np.minimum(self.low, sums - _CLOSE), np.maximum(self.high, sums + _CLOSE)
        return replace(self, low=np.maximum(low, wide.low), high=np.minimum(high, wide.high))


def system_of(own: Sequence[Row], published: Sequence[Row], cells: int) -> System:
    """Return the conditions of a year on `cells` numbers (authorities x cells), those of the table first."""
    from scipy.sparse import csr_array  # noqa: PLC0415

    every = [*own, *published]
    matrix = csr_array(np.vstack([np.zeros((0, cells)), *(row.weights.reshape(1, -1) for row in every)]))
    low, high = (np.array([getattr(row, side) for row in every], float) for side in ("low", "high"))
    aim = np.array([row.aim or (np.nan, np.nan) for row in every], float).reshape(-1, 2).T
    return System(matrix, low, high, [row.label for row in every], np.arange(len(every)) >= len(own), aim)
