"""Rates of entering and leaving care learnt from the fitted paths: what years with figures teach about those without.

A start rate is the assumed rate by age times four factors: Wales by sex, age group and year; authority by year;
authority by age group; authority by sex. Leaving is the assumed share with its odds times two: Wales by age group and
year; authority by age group. Each round compares the fitted children with those expected and moves the factors part of
the way: a factor seen on few children stays near 1, one of a year near its neighbours (`account_learning.csv`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import ProfileError
from synth.fit.account.cells import GROUPS, YEARS, group_of
from synth.fit.account.paths import Rates
from synth.published import number, read_csv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.fit.account.paths import Paths
    from synth.fit.account.prior import Prior
    from synth.published import Tables

__all__ = ["Factors", "Learning", "learning_of", "learnt", "rates_of"]

_AGES = 19
_GROUP = np.array([group_of(min(age, 17)) for age in range(_AGES)])
_HALF = 0.5
_COLUMNS = ("name", "value", "unit", "basis", "note")


@dataclass(frozen=True, slots=True)
class Learning:
    """How firmly a factor is held: children to set against it, or per step from one year to the next."""

    rounds: int
    start_wales_year: float
    start_authority_year: float
    start_authority_group: float
    start_authority_sex: float
    leave_wales_year: float
    leave_authority_group: float
    bridge_percent: float


@dataclass(frozen=True, slots=True)
class Factors:
    """Logarithms of the factors, nought at first; see the module for what each multiplies."""

    start_wales: NDArray[np.float64]
    start_authority: NDArray[np.float64]
    start_group: NDArray[np.float64]
    start_sex: NDArray[np.float64]
    leave_wales: NDArray[np.float64]
    leave_group: NDArray[np.float64]
    opening: NDArray[np.float64]

    @classmethod
    def none(cls, authorities: int) -> Factors:
        """Return factors of 1."""
        groups = len(GROUPS)
        return cls(
            start_wales=np.zeros((groups, 2, YEARS)),
            start_authority=np.zeros((authorities, YEARS)),
            start_group=np.zeros((groups, authorities)),
            start_sex=np.zeros((authorities, 2)),
            leave_wales=np.zeros((groups, YEARS)),
            leave_group=np.zeros((groups, authorities)),
            opening=np.zeros((18, authorities, 2)),
        )


def learning_of(tables: Tables) -> Learning:
    """Read `account_learning.csv`. Raises ProfileError if a name is unknown or missing."""
    path = tables.folder / "account_learning.csv"
    found: dict[str, float] = {}
    names = tuple(Learning.__dataclass_fields__)
    for line, cells in read_csv(path, _COLUMNS):
        if cells["name"] not in names:
            raise ProfileError(
                f"{path} line {line}, column name: {cells['name']!r}; expected one of {', '.join(names)}."
            )
        found[cells["name"]] = number(path, line, "value", cells["value"])
    missing = [name for name in names if name not in found]
    if missing:
        raise ProfileError(f"{path}: nothing for {', '.join(missing)}. Add a line for each.")
    return Learning(rounds=int(found.pop("rounds")), **found)


def rates_of(prior: Prior, factors: Factors) -> Rates:
    """Return the prior of the paths under the factors."""
    log_start = (
        factors.start_wales[_GROUP][:, None]
        + factors.start_authority[None, :, None]
        + factors.start_group[_GROUP][:, :, None, None]
        + factors.start_sex[None, :, :, None]
    )
    log_leave = factors.leave_wales[_GROUP][:, None, None] + factors.leave_group[_GROUP][:, :, None, None]
    odds = np.exp(log_leave)
    stay = (1 - prior.leave) / (1 - prior.leave + prior.leave * odds)
    return Rates(
        opening=prior.opening * np.exp(factors.opening),
        starts=prior.starts * np.exp(log_start) + prior.unaccompanied,
        stay=stay,
        stay_start=np.broadcast_to(1 - prior.leave_same_year, stay.shape),
    )


def learnt(
    prior: Prior,
    factors: Factors,
    rates: Rates,
    found: Paths,
    known: NDArray[np.bool_],
    learning: Learning,
) -> Factors:
    """Return the factors after one round; `known` (groups, years) tells where ages were published."""
    # One factor after the other, each on what the ones before leave unexplained: together they would overshoot.
    share = np.divide(
        rates.starts - prior.unaccompanied, rates.starts, out=np.zeros_like(rates.starts), where=rates.starts > 0
    )
    seen = found.starts * share
    aged = np.where(known[_GROUP][:, None, None], 1.0, 0.0)

    def started() -> NDArray[np.float64]:
        expected = (rates_of(prior, factors).starts - prior.unaccompanied).copy()
        expected[..., 0] = 0.0
        return expected

    expected = started()
    factors = replace(
        factors,
        start_authority=_in_time(
            factors.start_authority, seen.sum(axis=(0, 2)), expected.sum(axis=(0, 2)), learning.start_authority_year
        ),
    )
    expected = started()
    factors = replace(
        factors,
        start_wales=_in_time(
            factors.start_wales,
            _grouped(seen * aged).sum(axis=1),
            _grouped(expected * aged).sum(axis=1),
            learning.start_wales_year,
        ),
    )
    expected = started()
    factors = replace(
        factors,
        start_group=_held(
            factors.start_group,
            _grouped(seen * aged).sum(axis=(2, 3)),
            _grouped(expected * aged).sum(axis=(2, 3)),
            learning.start_authority_group,
        ),
    )
    expected = started()
    factors = replace(
        factors,
        start_sex=_held(
            factors.start_sex,
            (seen * aged).sum(axis=(0, 3)),
            (expected * aged).sum(axis=(0, 3)),
            learning.start_authority_sex,
        ),
    )

    # Leaving: only of those looked after at the opening, and below 18, when all must leave.
    at_risk = np.zeros_like(expected)
    at_risk[1:18, ..., 1:] = found.stock[:17, ..., :-1]
    left = _grouped(at_risk * (1 - found.stay) * aged)
    due = _grouped(at_risk * (1 - rates.stay) * aged)
    factors = replace(
        factors,
        leave_wales=_in_time(
            factors.leave_wales, left.sum(axis=(1, 2)), due.sum(axis=(1, 2)), learning.leave_wales_year
        ),
    )
    due = _grouped(at_risk * (1 - rates_of(prior, factors).stay) * aged)
    return replace(
        factors,
        leave_group=_held(
            factors.leave_group, left.sum(axis=(2, 3)), due.sum(axis=(2, 3)), learning.leave_authority_group
        ),
        opening=factors.opening + np.log(found.stock[..., 0].sum() / rates.opening.sum()),
    )


def _grouped(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([cells[group == _GROUP].sum(axis=0) for group in range(len(GROUPS))])


def _held(
    log: NDArray[np.float64], seen: NDArray[np.float64], due: NDArray[np.float64], held: float
) -> NDArray[np.float64]:
    """Return the factor of `seen` over what was due without it, with `held` children as expected added to both."""
    found: NDArray[np.float64] = np.log((seen + held) / (due * np.exp(-log) + held))
    return found


def _in_time(
    log: NDArray[np.float64], seen: NDArray[np.float64], due: NDArray[np.float64], held: float
) -> NDArray[np.float64]:
    """Return the factor by year (last axis), each step between years held by `held` children to the one before.

    Years without children take their value from the years about them.
    """
    asked = log + np.log((seen + _HALF) / (due + _HALF))
    steps = np.diff(np.eye(YEARS), axis=0)
    hold = held * steps.T @ steps + 1e-6 * np.eye(YEARS)
    flat_due, flat_asked = due.reshape(-1, YEARS), asked.reshape(-1, YEARS)
    found = [np.linalg.solve(np.diag(w) + hold, w * y) for w, y in zip(flat_due, flat_asked, strict=True)]
    return np.stack(found).reshape(log.shape)
