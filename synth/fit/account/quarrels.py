"""Which published stocks cannot all be true at once, by how many whole children at least, and which print again.

In one year the sums by authority form one nesting and the sums of Wales another, so the linear programme that breaks
the fewest children has whole-number corners: what it finds feasible is feasible in whole children.

A stock of a release that was revised later keeps what its rounding alone leaves open wherever others can carry the
revision, so that it is printed again as it was published.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import ProfileError
from synth.fit.account.cells import FIRST, GROUPS, YEARS, Margin
from synth.fit.printed import most_printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

__all__ = ["Quarrel", "narrowed", "reconciled"]

_COST_OF_CELL, _COST_OF_SUM = 1.0, 0.5
"""A sum over groups gives way before a group: it was printed from the same children and says less."""
_TIE = 0.1


@dataclass(frozen=True, slots=True)
class Quarrel:
    """A published cell that others contradict: it is missed by `by` children (negative: too few)."""

    label: str
    low: int
    high: int
    by: int

    def __str__(self) -> str:
        """Say which cell it is, what was published and what is met instead."""
        met = self.high + self.by if self.by > 0 else self.low + self.by
        return f"{self.label}: {self.low} to {self.high} published, {met} met"


def reconciled(margins: Sequence[Margin], totals: NDArray[np.int64]) -> tuple[list[Margin], list[Quarrel]]:
    """Return the stock margins, those that contradict the rest widened by the fewest children, and the quarrels.

    `totals` (A, years) always hold. Margins of other kinds pass through unchanged.
    """
    found: list[Margin] = [m for m in margins if m.kind != "stock"]
    quarrels: list[Quarrel] = []
    for year in range(YEARS):
        here = [m for m in margins if m.kind == "stock" and m.year == year]
        for margin, by in zip(here, _excess(here, totals[:, year], year), strict=True):
            if by:
                quarrels.append(Quarrel(margin.label, margin.low, margin.high, by))
            low, high = margin.low + min(by, 0), margin.high + max(by, 0)
            found.append(replace(margin, low=low, high=high, printed=None if by else margin.printed))
    return found, quarrels


def narrowed(margins: Sequence[Margin], totals: NDArray[np.int64]) -> list[Margin]:
    """Return the margins, as many stocks as can be together between the ends that print them as published.

    `margins` must be reconciled with `totals` (A, years). The others keep their ends.
    """
    kept: set[Margin] = set()
    for year in range(YEARS):
        here = [m for m in margins if m.kind == "stock" and m.year == year]
        if any(m.printed for m in here):
            kept.update(m for m, keeps in zip(here, _printed(here, totals[:, year]), strict=True) if keeps)
    return [replace(m, low=m.printed[0], high=m.printed[1]) if m.printed and m in kept else m for m in margins]


def _printed(margins: Sequence[Margin], totals: NDArray[np.int64]) -> NDArray[np.bool_]:
    from scipy.sparse import vstack  # noqa: PLC0415  the solver is not needed to generate

    every = np.concatenate([totals, [m.low for m in margins]]), np.concatenate([totals, [m.high for m in margins]])
    printed = [m.printed or (m.low, m.high) for m in margins]
    ends = (np.concatenate([totals, [pair[side] for pair in printed]]).astype(float) for side in (0, 1))
    matrix = vstack([_authorities(len(totals)), _counts(margins, len(totals))], format="csr")
    return most_printed(matrix, every[0].astype(float), every[1].astype(float), *ends)[len(totals) :]


def _counts(margins: Sequence[Margin], authorities: int) -> csr_matrix:
    """Return which cells, by authority, sex and age group, each margin adds up."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415  the solver is not needed to generate

    cells = np.arange(authorities * 2 * len(GROUPS)).reshape(authorities, 2, len(GROUPS))
    chosen = [
        cells[np.ix_(range(authorities) if m.authority is None else (m.authority,), m.sexes, m.groups)].ravel()
        for m in margins
    ]
    rows = np.repeat(np.arange(len(margins)), [len(c) for c in chosen])
    return csr_matrix((np.ones(len(rows)), (rows, np.concatenate(chosen))), shape=(len(margins), cells.size))


def _authorities(authorities: int) -> csr_matrix:
    """Return the same for the total of each authority."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415  the solver is not needed to generate

    return csr_matrix(np.kron(np.eye(authorities), np.ones(2 * len(GROUPS))))


def _excess(margins: Sequence[Margin], totals: NDArray[np.int64], year: int) -> list[int]:
    from scipy.optimize import linprog  # noqa: PLC0415  the solver is not needed to generate
    from scipy.sparse import csr_matrix, eye, hstack, vstack  # noqa: PLC0415  the solver is not needed to generate

    if not margins:
        return []
    many = len(margins)
    counts = _counts(margins, len(totals))
    cells = counts.shape[1]
    over = eye(many, format="csr")
    none = csr_matrix((many, many))
    bounds = vstack([hstack([counts, -over, none]), hstack([-counts, none, -over])])
    limits = np.concatenate([[m.high for m in margins], [-m.low for m in margins]])
    sums = hstack([_authorities(len(totals)), csr_matrix((len(totals), 2 * many))])
    # Among equals the larger cell gives way, then the earlier one, so that the answer is always the same.
    cost = np.array(
        [
            (_COST_OF_CELL if len(m.groups) == 1 else _COST_OF_SUM) + _TIE / (2 + m.high) + 1e-6 * n
            for n, m in enumerate(margins)
        ],
    )
    result = linprog(
        np.concatenate([np.zeros(cells), cost, cost]),
        A_ub=bounds.tocsr(),
        b_ub=limits,
        A_eq=sums.tocsr(),
        b_eq=totals,
        method="highs-ds",
    )
    if result.status != 0:
        raise ProfileError(
            f"31 March {year + FIRST}: no numbers by age and sex fit the totals of the authorities ({result.message}). "
            "Check the levels of that year.",
        )
    extra = np.round(result.x[cells:]).astype(int)
    return [int(up - down) for up, down in zip(extra[:many], extra[many:], strict=True)]
