"""Children of Wales and its authorities by mid-year, from the population estimates among the published tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth.published.reading import Row

__all__ = ["WALES", "Populations"]

WALES = "W92000004"

_CENSUS, _REBASED_FROM = 2011, 2021
"""Estimates drift from one census to the next; those of mid-2021 are the first to start from the newer."""


@dataclass(frozen=True)
class Populations:
    """Population estimates read off `rows`; rows of other tables are passed over."""

    rows: tuple[Row, ...]

    @cached_property
    def _children(self) -> dict[int, dict[str, int]]:
        known: dict[int, dict[str, int]] = {}
        for row in self.rows:
            if row.table == "pop_mye_sya" and row.dim1 == "0-17" and row.dim2 == "All":
                known.setdefault(row.year or 0, {})[row.geography] = round(row.value or 0)
        return known

    def children(self, mid_year: int, *, rebased: bool = False) -> dict[str, float]:
        """Return children aged 0-17 at a mid-year by ONS code, Wales included.

        A mid-year without an estimate is interpolated between its neighbours, or taken from the nearest one
        at either end. With `rebased`, mid-years before 2021 are scaled towards the 2021 census: the gap
        between the mid-2021 estimate and where the older series was heading is spread evenly from 2011 on. Where a
        revised count and its rate give the rebased children of Wales, all authorities are scaled to that.
        """
        known = self._children
        below, above = _neighbours(sorted(known), mid_year)
        weight = 0.0 if above == below else (mid_year - below) / (above - below)
        plain = {code: known[below][code] * (1 - weight) + known[above][code] * weight for code in known[below]}
        if not rebased or mid_year >= _REBASED_FROM or _REBASED_FROM not in known:
            return plain
        share = (mid_year - _CENSUS) / (_REBASED_FROM - _CENSUS)
        before = [known[year] for year in sorted(known) if year < _REBASED_FROM][-2:]
        expected = {code: before[-1][code] + (before[-1][code] - before[0][code]) for code in plain}
        towards = {code: 1 + share * (known[_REBASED_FROM][code] / expected[code] - 1) for code in plain}
        found = {code: n * towards[code] for code, n in plain.items()}
        factor = self._implied.get(mid_year, found[WALES]) / found[WALES]
        return {code: n * factor for code, n in found.items()}

    @cached_property
    def _implied(self) -> dict[int, float]:
        """Children of Wales on rebased populations: a published count over the rate published with it."""
        return {row.year or 0: row.value or 0.0 for row in self.rows if row.table == "pop_implied"}

    def children_source(self, mid_year: int) -> str:
        """Say which estimate `children` uses for a mid-year."""
        below, above = _neighbours(sorted(self._children), mid_year)
        if below == above == mid_year:
            return f"mid-{mid_year}"
        if below == above:
            return f"mid-{mid_year} taken as mid-{below}"
        return f"mid-{mid_year} between mid-{below} and mid-{above}"

    def national_ages(self, mid_year: int) -> dict[str, tuple[float, ...]]:
        """Return the children of Wales by single year of age 0 to 17 under "male" and "female" at a mid-year.

        A mid-year known only for both sexes together is divided as the nearest mid-year known by sex.
        """
        both = self._ages(WALES, "All")
        males = self._ages(WALES, "Male")
        below, above = _neighbours(sorted(both), mid_year)
        weight = 0.0 if above == below else (mid_year - below) / (above - below)
        total = [a * (1 - weight) + b * weight for a, b in zip(both[below], both[above], strict=True)]
        near = min(males, key=lambda year: (abs(year - mid_year), year))
        male = [n * m / a for n, m, a in zip(total, males[near], both[near], strict=True)]
        return {"male": tuple(male), "female": tuple(n - m for n, m in zip(total, male, strict=True))}

    def _ages(self, geography: str, sex: str) -> dict[int, list[float]]:
        ages: dict[int, dict[int, float]] = {}
        for row in self.rows:
            if row.table == "pop_mye_sya" and row.geography == geography and row.dim2 == sex and row.dim1.isdecimal():
                ages.setdefault(row.year or 0, {})[int(row.dim1)] = row.value or 0.0
        return {year: [counts[age] for age in range(18)] for year, counts in ages.items()}


def _neighbours(known: list[int], year: int) -> tuple[int, int]:
    below = max((y for y in known if y <= year), default=known[0])
    above = min((y for y in known if y >= year), default=known[-1])
    return below, above
