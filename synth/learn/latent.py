"""Correlations of the normals behind flags: from joint counts, and from the scores a copula is fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["both_above", "from_counts", "from_scores"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_HALVINGS = 40
_STEEPEST = 0.99
"""Correlations are looked for between this and its negative."""


def both_above(a: ArrayLike, b: ArrayLike, correlation: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that two standard normals of some correlation exceed `a` and `b`; arrays of one shape.

    The probability rises from that of independent ones by the integral of their density over the correlation, here
    over its arc sine (Plackett 1954; Drezner and Wesolowsky 1990), to some eight digits.
    """
    from scipy.special import ndtr  # noqa: PLC0415  a quarter of a second to import: only when learning

    x, y, top = (np.asarray(value, dtype=np.float64)[..., None] for value in (a, b, np.arcsin(correlation)))
    angle = top * (_NODES + 1) / 2
    density = np.exp(-(x**2 + y**2 - 2 * x * y * np.sin(angle)) / (2 * np.cos(angle) ** 2)) / (2 * np.pi)
    rise = (density * _WEIGHTS).sum(axis=-1) * top[..., 0] / 2
    return np.asarray(ndtr(-x[..., 0]) * ndtr(-y[..., 0]) + rise)


def from_counts(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return tetrachoric correlations; `counts` has shape (n, 4): both set, only the first, only the second, neither.

    Nothing of a row may be wholly set or unset; the result has shape (n,).
    """
    rows = counts.sum(axis=1)
    return _solved((counts[:, 0] + counts[:, 1]) / rows, (counts[:, 0] + counts[:, 2]) / rows, counts[:, 0] / rows)


def from_scores(
    correlation: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return tetrachoric correlations behind those of the scores of two flags set with shares `first` and `second`.

    A copula is fitted to scores: a flag that is set is an evenly drawn quantile above 1 - share, one that is not is one
    below it, both as a normal. Their correlation is the covariance of the flags times the distance between the mean
    scores of set and unset, density / (share (1 - share)), of either; so the joint share follows from it.
    """
    from scipy.special import ndtri  # noqa: PLC0415

    apart = 1.0
    for share in (first, second):
        apart = apart * np.exp(-(ndtri(share) ** 2) / 2) / np.sqrt(2 * np.pi) / (share * (1 - share))
    least = np.maximum(first + second - 1, 0)
    joint = np.clip(first * second + correlation / apart, least, np.minimum(first, second))
    return _solved(first, second, joint)


def _solved(first: NDArray[np.float64], second: NDArray[np.float64], joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation at which both are set as often as `joint`, by halving; the share rises with it."""
    from scipy.special import ndtri  # noqa: PLC0415

    a, b = -ndtri(first), -ndtri(second)
    low, high = np.full(len(joint), -_STEEPEST), np.full(len(joint), _STEEPEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = both_above(a, b, middle) >= joint
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray((low + high) / 2)
