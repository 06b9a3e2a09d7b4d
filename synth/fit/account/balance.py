"""The account of looked-after children from 2003 to 2024: stock, starts and leavers that add up without leftover.

For every authority, sex, single year of age x on 31 March and year t (short breaks left out):

    stock[x, t] = stock[x - 1, t - 1] + starts[x, t] - leavers[x, t]

Nobody is looked after at 18, so whoever turns 18 in the year is a leaver at age 18, and a child who came at 17 and
turned 18 before 31 March is a start and a leaver at 18. Starts include those who leave in the same year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth.fit.account.bridge import bridges
from synth.fit.account.cells import FIRST, GROUPS, YEARS, Margin, levels_of, margins_of
from synth.fit.account.learn import Factors, learning_of, learnt, rates_of
from synth.fit.account.prior import prior_of
from synth.fit.account.quarrels import Quarrel, narrowed, reconciled
from synth.fit.account.solve import Problem
from synth.fit.account.whole import whole_flows, whole_stocks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from synth.fit.account.learn import Learning
    from synth.fit.account.paths import Paths
    from synth.profile.model import Level
    from synth.published import Tables

__all__ = ["Account", "Quarrel", "fit_account"]

_LEARNING, _FINAL = 1.0, 1e-4
"""How near the cells are met, in children: while rates are still learnt, and at last."""


@dataclass(frozen=True)
class Account:
    """Children by authority (22, official order), sex (boys, girls), age on 31 March and year (`first_year` on).

    `stock` (22, 2, 18, 22), `starts` and `leavers` (22, 2, 19, 22) are whole; the first year has no opening, so its
    flows are nought. The `expected_` arrays of the same shapes are the fit they were rounded from. `quarrels` names
    the published cells that are missed because others contradict them.
    """

    first_year: int
    stock: NDArray[np.int64]
    starts: NDArray[np.int64]
    leavers: NDArray[np.int64]
    expected_stock: NDArray[np.float64]
    expected_starts: NDArray[np.float64]
    expected_leavers: NDArray[np.float64]
    quarrels: tuple[Quarrel, ...]
    violation: float
    """Largest distance of the expected account from a cell it should meet, in children."""

    def residual(self) -> NDArray[np.int64]:
        """Return closing stock less opening stock, starts and leavers, as (22, 2, 19, 21) from the second year on."""
        opening = np.pad(self.stock[..., :-1], ((0, 0), (0, 0), (1, 0), (0, 0)))
        closing = np.pad(self.stock[..., 1:], ((0, 0), (0, 0), (0, 1), (0, 0)))
        return closing - opening - self.starts[..., 1:] + self.leavers[..., 1:]


def fit_account(
    tables: Tables,
    levels: Sequence[Level],
    *,
    hold_out: Collection[str | tuple[str, int]] = (),
    tick: Callable[[str], None] | None = None,
) -> Account:
    """Fit the account to the published cells, all years at once.

    `levels` gives the total of every authority and year, always met. `hold_out` leaves out the cells of a table, or
    of a table on one 31 March, as "T15" or ("T01", 2017). `tick` is told each step in words.

    Raises ProfileError if a published line is wrong, a level is missing, or the cells cannot be met.
    """
    totals = np.array(levels_of(levels))
    margins = margins_of(tables, totals.tolist(), hold_out=hold_out)
    learning = learning_of(tables)
    spanned = bridges(margins, totals.sum(axis=0).tolist(), learning.bridge_percent)
    reconcilable, quarrels = reconciled([*margins, *spanned], totals)
    bound = narrowed(reconcilable, totals)
    found, violation = _expected(tables, bound, totals, learning, tick)
    if tick:
        tick("whole children")
    stock = whole_stocks(found, bound, totals)
    starts, leavers = whole_flows(found, stock, bound)
    quarrels += _flow_quarrels(margins, stock, starts, leavers)
    turned = [np.ascontiguousarray(np.moveaxis(a, 0, 2)) for a in (found.stock, found.starts, found.leavers)]
    return Account(
        first_year=FIRST,
        stock=np.ascontiguousarray(np.moveaxis(stock, 0, 2)),
        starts=np.ascontiguousarray(np.moveaxis(starts, 0, 2)),
        leavers=np.ascontiguousarray(np.moveaxis(leavers, 0, 2)),
        expected_stock=turned[0],
        expected_starts=turned[1],
        expected_leavers=turned[2],
        quarrels=tuple(quarrels),
        violation=violation,
    )


def _expected(
    tables: Tables,
    margins: Sequence[Margin],
    totals: NDArray[np.int64],
    learning: Learning,
    tick: Callable[[str], None] | None,
) -> tuple[Paths, float]:
    """Return the fitted paths: in turn the closest to the rates, and rates nearer to them."""
    prior = prior_of(tables)
    problem = Problem(margins, totals)
    known = np.zeros((len(GROUPS), YEARS), dtype=bool)
    for margin in margins:
        if margin.kind == "stock" and len(margin.groups) < len(GROUPS):
            known[list(margin.groups), margin.year] = True
        if margin.kind == "starts":
            known[:, margin.year] = True
    factors = Factors.none(len(totals))
    opening = np.log(totals[:, 0] / prior.opening.sum(axis=(0, 2)))
    factors = replace(factors, opening=factors.opening + opening[None, :, None])
    multipliers = None
    for round_ in range(learning.rounds + 1):
        last = round_ == learning.rounds
        rates = rates_of(prior, factors)
        solved = problem.solve(rates, start=multipliers, within=_FINAL if last else _LEARNING)
        multipliers = solved.multipliers
        if tick:
            tick(f"round {round_}: {solved.steps} steps, {solved.violation:.4f} children off")
        if not last:
            factors = learnt(prior, factors, rates, solved.paths, known, learning)
    return solved.paths, solved.violation


def _flow_quarrels(
    margins: Sequence[Margin], stock: NDArray[np.int64], starts: NDArray[np.int64], leavers: NDArray[np.int64]
) -> list[Quarrel]:
    """Name the published flows of Wales that the stocks contradict; starts go before leavers."""
    found: list[Quarrel] = []
    for margin in margins:
        year = margin.year
        if margin.kind == "stock" or not year:
            continue
        met = {
            "starts": starts[..., year].sum(),
            "leavers": leavers[..., year].sum(),
            "ever": stock[..., year - 1].sum() + starts[..., year].sum(),
        }[margin.kind]
        by = int(max(met - margin.high, 0) + min(met - margin.low, 0))
        if by:
            found.append(Quarrel(margin.label, margin.low, margin.high, by))
    return found
