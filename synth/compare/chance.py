"""What scores would be if both sides were drawn from one population: chance alone sets few children apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["by_chance"]

_MEAN_SIZE = float(np.sqrt(2 / np.pi))
"""Mean of the absolute value of a standard normal."""


def by_chance(a: pl.DataFrame, b: pl.DataFrame, names: Sequence[str], *, blanks: bool) -> float:
    """Return the mean score of one column, or of two together, between two draws as large as A and B.

    The score is 1 less half the sum of absolute differences of shares, as in SDMetrics' TVComplement (without `blanks`)
    and ContingencySimilarity (with them). Shares are those of both sides together; rows count as independent, so
    brothers and sisters, who are not, come out farther apart than this. 1 where either side has no row.
    """
    both = [frame.select(names) if blanks else frame.select(names).drop_nulls() for frame in (a, b)]
    rows = [frame.height for frame in both]
    if not all(rows):
        return 1.0
    # In order, so that sums are the same to the last digit each time.
    counts = pl.concat(both).group_by(names).len()["len"].sort().to_numpy()
    share = counts / counts.sum()
    spread = np.sqrt(share * (1 - share) * (1 / rows[0] + 1 / rows[1]))
    # A cell of less than a child differs by no more than both of its shares.
    apart = np.minimum(_MEAN_SIZE * spread, 2 * share)
    return float(1 - apart.sum() / 2)
