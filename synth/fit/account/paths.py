"""Children on their way through care as paths: come at an age, stay from one 31 March to the next, leave.

A path has a prior number of children. Every 31 March spent in care multiplies it by the factor of that cell, every
start by the factor of its year; among all tables with the resulting stocks this one is closest to the prior
(least Kullback-Leibler divergence), because the factors are those of the dual problem. Arrays run over age, authority,
sex and year as in `prior`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Paths", "Rates", "paths"]

_LAST_AGE = 18


@dataclass(frozen=True, slots=True)
class Rates:
    """Prior of the paths: opening children (18, A, 2), starts, and shares staying (19, A, 2, years).

    `stay` is of those looked after at the opening of the year (by age at its end), `stay_start` of its starts.
    """

    opening: NDArray[np.float64]
    starts: NDArray[np.float64]
    stay: NDArray[np.float64]
    stay_start: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paths:
    """Expected children: `stock` (18, A, 2, years), `starts` and `leavers` (19, A, 2, years; nothing in year 0).

    `stay` and `stay_start` are the shares after the factors; `mass` is the number of all paths.
    """

    stock: NDArray[np.float64]
    starts: NDArray[np.float64]
    leavers: NDArray[np.float64]
    stay: NDArray[np.float64]
    stay_start: NDArray[np.float64]
    mass: float


def paths(rates: Rates, stock_factor: NDArray[np.float64], start_factor: NDArray[np.float64]) -> Paths:
    """Return what the paths add up to under factors on stock (18, A, 2, years) and on the starts of a year (years).

    One pass back in time for the worth of being in care, one forward for the children.
    """
    worth = stock_factor.copy()
    stay = np.zeros_like(rates.stay)
    for age in range(_LAST_AGE - 2, -1, -1):
        kept = rates.stay[age + 1, ..., 1:] * worth[age + 1, ..., 1:]
        going_on = kept + (1 - rates.stay[age + 1, ..., 1:])
        stay[age + 1, ..., 1:] = kept / going_on
        worth[age, ..., :-1] *= going_on
    kept = rates.stay_start[:_LAST_AGE] * worth
    coming = kept + (1 - rates.stay_start[:_LAST_AGE])
    stay_start = np.zeros_like(rates.stay_start)
    stay_start[:_LAST_AGE] = kept / coming
    starts = rates.starts * start_factor
    starts[:_LAST_AGE] *= coming
    starts[..., 0] = 0.0
    stock = starts[:_LAST_AGE] * stay_start[:_LAST_AGE]
    stock[..., 0] = rates.opening * worth[..., 0]
    leavers = starts * (1 - stay_start)
    for age in range(1, _LAST_AGE):
        stock[age, ..., 1:] += stock[age - 1, ..., :-1] * stay[age, ..., 1:]
    # The youngest are complete first, so ages ascend; no age needs a later one.
    leavers[1:, ..., 1:] += stock[..., :-1] * (1 - stay[1:, ..., 1:])
    mass = float(starts.sum() + stock[..., 0].sum())
    return Paths(stock, starts, leavers, stay, stay_start, mass)
