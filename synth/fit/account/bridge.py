"""Age groups of Wales in years between two with figures: near the straight line between the published shares.

Nothing was published on ages for 2013 nor for 2018 to 2021, and totals alone would leave it to chance when the shift
from small children to adolescents took place. The line is the same convention as for authorities without a figure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from synth.fit.account.cells import FIRST, GROUPS, YEARS, Margin

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BRIDGE", "bridges"]

BRIDGE = "bridge"
_BOTH = (0, 1)
_LAST_BITS = 1e-6
_BANDS = ((0, 1), (2,), (3,), (4,))


def bridges(margins: Sequence[Margin], wales: Sequence[int], percent: float) -> list[Margin]:
    """Return a margin for every band of ages (0-4, 5-9, 10-15, 16-17) and year between two published ones.

    `wales` is the total by year. The interval is `percent` of the count wide to either side for each year to the
    nearest published one, ends included. Years before the first or after the last published one get nothing.
    """
    found: list[Margin] = []
    for band in _BANDS:
        shares = {
            year: share for year in range(YEARS) if (share := _share(margins, band, year, wales[year])) is not None
        }
        for year in range(YEARS):
            before = max((y for y in shares if y < year), default=None)
            after = min((y for y in shares if y > year), default=None)
            if year in shares or before is None or after is None:
                continue
            weight = (year - before) / (after - before)
            value = (shares[before] * (1 - weight) + shares[after] * weight) * wales[year]
            half = value * percent / 100 * min(year - before, after - year)
            names = ", ".join(GROUPS[group] for group in band)
            found.append(
                Margin(
                    kind="stock",
                    table=BRIDGE,
                    label=f"Wales {year + FIRST} {names} between {before + FIRST} and {after + FIRST}",
                    authority=None,
                    year=year,
                    sexes=_BOTH,
                    groups=band,
                    low=max(0, math.ceil(value - half - _LAST_BITS)),
                    high=math.floor(value + half + _LAST_BITS),
                ),
            )
    return found


def _share(margins: Sequence[Margin], band: tuple[int, ...], year: int, total: int) -> float | None:
    """Return the middle of what was published on a band in a year as a share of the total, or None."""
    here = [m for m in margins if m.kind == "stock" and m.authority is None and m.year == year]
    whole = [m for m in here if m.groups == band and m.sexes == _BOTH]
    if whole:
        return (max(m.low for m in whole) + min(m.high for m in whole)) / 2 / total
    parts = [m for m in here if len(m.groups) == 1 and m.groups[0] in band and len(m.sexes) == 1]
    if len(parts) != len(band) * len(_BOTH):
        return None
    return sum((m.low + m.high) / 2 for m in parts) / total
