"""Which published stocks cannot all be true at once, and by how many whole children at least.

In one year the sums by authority form one nesting and the sums of Wales another, so the linear programme that breaks
the fewest children has whole-number corners: what it finds feasible is feasible in whole children.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import ProfileError
from synth.fit.account.cells import FIRST, GROUPS, YEARS, Margin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Quarrel", "reconciled"]

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
            found.append(replace(margin, low=low, high=high))
    return found, quarrels


def _excess(margins: Sequence[Margin], totals: NDArray[np.int64], year: int) -> list[int]:
    from scipy.optimize import linprog  # noqa: PLC0415  the solver is not needed to generate
    from scipy.sparse import csr_matrix, eye, hstack, vstack  # noqa: PLC0415  the solver is not needed to generate

    if not margins:
        return []
    cells = np.arange(len(totals) * 2 * len(GROUPS)).reshape(len(totals), 2, len(GROUPS))
    many = len(margins)
    chosen = [
        cells[np.ix_(range(len(totals)) if m.authority is None else (m.authority,), m.sexes, m.groups)].ravel()
        for m in margins
    ]
    rows = np.repeat(np.arange(many), [len(c) for c in chosen])
    counts = csr_matrix((np.ones(len(rows)), (rows, np.concatenate(chosen))), shape=(many, cells.size))
    over = eye(many, format="csr")
    none = csr_matrix((many, many))
    bounds = vstack([hstack([counts, -over, none]), hstack([-counts, none, -over])])
    limits = np.concatenate([[m.high for m in margins], [-m.low for m in margins]])
    sums = csr_matrix(np.kron(np.eye(len(totals)), np.ones(2 * len(GROUPS))))
    sums = hstack([sums, csr_matrix((len(totals), 2 * many))])
    # Among equals the larger cell gives way, then the earlier one, so that the answer is always the same.
    cost = np.array(
        [
            (_COST_OF_CELL if len(m.groups) == 1 else _COST_OF_SUM) + _TIE / (2 + m.high) + 1e-6 * n
            for n, m in enumerate(margins)
        ],
    )
    result = linprog(
        np.concatenate([np.zeros(cells.size), cost, cost]),
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
    extra = np.round(result.x[cells.size :]).astype(int)
    return [int(up - down) for up, down in zip(extra[:many], extra[many:], strict=True)]
