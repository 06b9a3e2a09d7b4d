"""Where a sum comes to rest inside its interval under the pull of its multiplier.

Three kinds of interval:

- no width: the sum rests where it is told;
- both ends above nothing: any true count in the interval is as likely as another before the pull, so the sum rests
  at the mean of an evenly spread count tilted by the multiplier (the Langevin function of it): in the middle without
  a pull, never quite at an end;
- from 0 up, as hidden counts are: a Poisson count cut off at the high end, so that the lower end, which every count
  obeys anyway, pulls at nothing: a small expectation stays as small as it is.

A pull of 1 tilts the chances of neighbouring counts by `hardness` powers of e. Were the cells Poisson counts about
what prior and multipliers make of them, 1 would be right; they vary more, and a lower value, which trusts the prior
less, comes nearer to the truth (benchmarks/fit.py). As it grows the sums move freely almost up to the ends, and the
fit becomes the table strictly closest to the prior.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synth.margins.model import Array

__all__ = ["Rest"]

_FIRM = 0.1
"""Slope added to the cut-off Poisson's pull, so that a pull upwards has an answer too, if a slow one."""
_TINY, _SMALL, _EXACT = 1e-8, 1e-2, 1e-12
"""Below these: a mean is its own variance; a tilt is a power series; a rate is found."""
_STEPS = 12
"""Most steps between 0 and the high end: beyond, children are counted in equal groups."""


class Rest:
    """Places of rest for all sums at once; `low` and `high` finite, inclusive, `low <= high`; one hardness each.

    Without `hidden`, intervals from 0 up are read as evenly spread too.
    """

    def __init__(self, low: Array, high: Array, hardness: Array, *, hidden: bool) -> None:
        self._middle = (low + high) / 2
        self._half = (high - low) / 2
        self._hardness = hardness
        self._cut = np.flatnonzero(hidden & (low == 0) & (high > 0))
        top = np.floor(high[self._cut] + 1e-9)
        top = np.where(top >= 1, top, high[self._cut])
        number = np.where(top >= 1, np.minimum(np.maximum(top, 1), _STEPS), 4.0)
        self._group = top / number
        self._steps = np.arange(int(number.max(initial=1.0)) + 1.0)
        factorial = np.concatenate([[0.0], np.cumsum(np.log(self._steps[1:]))])
        self._logs = np.where(self._steps <= number[:, None], -factorial, -np.inf)
        self._number = number

    def at(self, multipliers: Array) -> tuple[float, Array, Array]:
        """Return T summed, the places of rest (minus its slope) and its curvature, for each multiplier."""
        height, place, curvature = _even(self._middle, self._half, -multipliers * self._hardness)
        height, curvature = height / self._hardness, curvature * self._hardness
        if self._cut.size:
            pull = multipliers[self._cut]
            height[self._cut], place[self._cut], curvature[self._cut] = self._poisson(pull)
        return float(height.sum()), place, curvature

    def _poisson(self, pull: Array) -> tuple[Array, Array, Array]:
        """Return the same for the cut-off Poisson: the rate is found whose mean under the cut answers the pull."""
        base = np.log(self._number / 2)
        rate = np.log(self._number) - np.minimum(pull, 0.0)
        for _ in range(60):
            weights = self._logs + rate[:, None] * self._steps
            peak = weights.max(axis=1)
            weights = np.exp(weights - peak[:, None])
            total = weights.sum(axis=1)
            weights /= total[:, None]
            # the mean over the rate: written without its smallest term it would lose all figures
            inner = self._logs[:, :-1] + rate[:, None] * self._steps[:-1]
            inner = np.where(np.isfinite(self._logs[:, 1:]), inner, -np.inf)
            crest = inner.max(axis=1)
            ratio = crest + np.log(np.exp(inner - crest[:, None]).sum(axis=1)) - peak - np.log(total)
            mean = np.exp(ratio + rate)
            spread = weights @ self._steps**2 - mean * mean
            share = np.where(mean > _TINY, np.minimum(spread / np.maximum(mean, 1e-300), 1.0), 1.0)
            gap = ratio - _FIRM * (rate - base) - pull
            slope = 1 + _FIRM - share
            if np.abs(gap).max() < _EXACT:
                break
            rate = rate + gap / slope
        height = (1 + _FIRM) * (np.log(total) + peak) - mean
        return self._group * height, self._group * mean, self._group * share * mean / slope


def _even(middle: Array, half: Array, tilt: Array) -> tuple[Array, Array, Array]:
    """Return log mean of exp(tilt y), the mean and the variance of y spread evenly over middle -+ half and tilted."""
    x = half * tilt
    small = np.abs(x) < _SMALL
    safe = np.where(small, 1.0, np.abs(x))
    fall = np.exp(-2 * safe)
    height = np.where(small, x * x / 6 - x**4 / 180, safe + np.log1p(-fall) - np.log(2 * safe))
    place = np.where(small, x / 3 - x**3 / 45, np.sign(x) * ((1 + fall) / (1 - fall) - 1 / safe))
    width = np.where(small, 1 / 3 - x * x / 15 + 2 * x**4 / 189, 1 / safe**2 - 4 * fall / (1 - fall) ** 2)
    return middle * tilt + height, middle + half * place, half * half * width
