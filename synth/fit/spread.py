"""What targets nobody published by authority are spread like, where another table says more than the size of a stock.

Placement orders live where children are placed for adoption; who comes alone to the country is looked after by
agreement, and few authorities look after most of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from synth.fit.cells import TargetCell

__all__ = ["adopting", "agreeing", "ordered"]


def adopting(cells: Sequence[TargetCell], values: Mapping[int, NDArray[np.float64]]) -> dict[int, NDArray[np.float64]]:
    """Return children placed for adoption by authority and year: the mean of each year and its neighbours.

    Placement orders and adoptions live where children are placed, a little before and after.
    """
    part = np.array([cell.name.startswith("adoption.") for cell in cells])
    placed = {year: found[:, part].sum(axis=1) for year, found in values.items()}
    around = {year: [placed[one] for one in (year - 1, year, year + 1) if one in placed] for year in placed}
    return {year: np.mean(found, axis=0) for year, found in around.items()}


def ordered(
    placed: Mapping[int, NDArray[np.float64]], stock: Mapping[int, NDArray[Any]]
) -> dict[int, NDArray[np.float64]]:
    """Return weights of children under a placement order by authority and year: between the placed and the stock.

    Most of them wait to be placed, some in vain: these are spread like all children in care.
    """
    return {year: np.sqrt(found * stock[year]) for year, found in placed.items()}


def agreeing(
    stock: Mapping[int, NDArray[Any]], alone: Mapping[int, NDArray[Any]], cells: Sequence[TargetCell]
) -> dict[int, NDArray[np.float64]]:
    """Return children in care by agreement by authority and year: the unaccompanied, and of all others the same share.

    The share is what the unaccompanied leave of that of Wales.
    """
    share = next(float(cell.share) for cell in cells if cell.name == "agreement")
    found = {}
    for year, apart in alone.items():
        others = stock[year] - apart
        found[year] = apart + others * max(share * stock[year].sum() - apart.sum(), 0.0) / others.sum()
    return found
