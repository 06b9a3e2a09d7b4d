"""Whole children for the account: stocks that keep every total and bound cell, then starts, then leavers.

Stocks of a year are rounded given those of the year before, so that a child rounded up one year is a year older the
next. The sums by authority form one nesting and those of Wales another, so the cheapest rounding is a linear programme
with whole-number corners.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.errors import ProfileError
from synth.fit.account.cells import FIRST, YEARS, Margin, group_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.fit.account.paths import Paths

__all__ = ["whole_flows", "whole_stocks"]

_AGES = 18
_GROUP = np.array([group_of(age) for age in range(_AGES)])
_REACHES = (1, 4, 16)
_DIGITS = 6
"""Expected children are cut to this many digits first, so that the last bits of a float decide nothing."""


def whole_stocks(found: Paths, margins: Sequence[Margin], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return stocks (18, A, 2, years) that add up to `totals` (A, years) and keep every stock margin.

    Raises ProfileError naming the year for which there are none.
    """
    stock = np.zeros(found.stock.shape, dtype=np.int64)
    for year in range(YEARS):
        aim = found.stock[..., year].copy()
        if year:
            # Children rounded up or down a year ago stay with the share of their age.
            before = stock[:-1, ..., year - 1] - found.stock[:-1, ..., year - 1]
            aim[1:] += found.stay[1:_AGES, ..., year] * before
        here = [m for m in margins if m.kind == "stock" and m.year == year]
        stock[..., year] = _rounded(np.maximum(aim, 0.0), here, totals[:, year], year)
    return stock


def _rounded(
    aim: NDArray[np.float64], margins: Sequence[Margin], totals: NDArray[np.int64], year: int
) -> NDArray[np.int64]:
    for reach in _REACHES:
        found = _nearest(aim, margins, totals, reach)
        if found is not None:
            return found
    raise ProfileError(
        f"31 March {year + FIRST}: no whole numbers near the fitted ones keep the totals and the published cells. "
        "Widen a published cell of that year.",
    )


def _nearest(
    aim: NDArray[np.float64], margins: Sequence[Margin], totals: NDArray[np.int64], reach: int
) -> NDArray[np.int64] | None:
    """Return the whole numbers at most `reach` beyond the next ones that miss `aim` (18, A, 2) least, or None.

    A miss costs its square over the expected number; the cost of each further child is one variable.
    """
    from scipy.optimize import linprog  # noqa: PLC0415  the solver is not needed to generate
    from scipy.sparse import csr_matrix  # noqa: PLC0415  the solver is not needed to generate

    flat: NDArray[np.float64] = np.round(aim, _DIGITS).ravel()
    base = np.maximum(np.floor(flat) - reach, 0.0)
    many = 2 * reach + 1
    counts = base[:, None] + np.arange(many + 1)
    cost = np.diff((counts - flat[:, None]) ** 2 / (flat[:, None] + 0.5), axis=1)
    rows = _sums(aim.shape, margins)
    own = np.zeros((len(totals), *aim.shape))
    for a in range(len(totals)):
        own[a, :, a] = 1.0
    own = own.reshape(len(totals), -1)
    result = linprog(
        cost.ravel(),
        A_ub=csr_matrix(np.repeat(np.vstack([rows, -rows]), many, axis=1)) if margins else None,
        b_ub=np.concatenate([[m.high for m in margins] - rows @ base, rows @ base - [m.low for m in margins]])
        if margins
        else None,
        A_eq=csr_matrix(np.repeat(own, many, axis=1)),
        b_eq=totals - own @ base,
        bounds=(0, 1),
        method="highs-ds",
    )
    if result.status != 0:
        return None
    added: NDArray[np.float64] = result.x.reshape(len(flat), many).sum(axis=1)
    whole: NDArray[np.int64] = np.round(base + added).astype(np.int64)
    if np.abs(whole - base - added).max() > 1e-6:  # noqa: PLR2004  the tolerance of the solver
        return None
    return whole.reshape(aim.shape)


def _sums(shape: tuple[int, ...], margins: Sequence[Margin]) -> NDArray[np.float64]:
    rows = np.zeros((len(margins), *shape))
    for row, margin in zip(rows, margins, strict=True):
        ages = np.flatnonzero(np.isin(_GROUP, margin.groups))
        places = np.arange(shape[1]) if margin.authority is None else np.array([margin.authority])
        row[np.ix_(ages, places, np.array(margin.sexes))] = 1.0
    return rows.reshape(len(margins), int(np.prod(shape)))


def whole_flows(
    found: Paths, stock: NDArray[np.int64], margins: Sequence[Margin]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return whole starts and leavers (19, A, 2, years; nought in year 0) that the whole stocks leave no rest of.

    The starts of Wales are the expected ones, moved inside the margins of all flows; starts go before leavers, and
    leavers before all who were ever looked after. Raises ProfileError if the
    stocks alone ask for more starts than were published.
    """
    starts = np.zeros(found.starts.shape, dtype=np.int64)
    leavers = np.zeros_like(starts)
    for year in range(1, YEARS):
        before = np.concatenate([np.zeros_like(stock[:1, ..., 0]), stock[..., year - 1]])
        after = np.concatenate([stock[..., year], np.zeros_like(stock[:1, ..., 0])])
        change = after - before
        change[-1] = 0
        total = round(float(found.starts[..., year].sum()))
        # What each kind says of the starts, given the stocks; where they quarrel the last one holds.
        less = {"ever": int(before.sum()), "leavers": int(before.sum() - after.sum()), "starts": 0}
        for kind, known in less.items():
            for margin in (m for m in margins if m.kind == kind and m.year == year):
                total = min(max(total, margin.low - known), margin.high - known)
        least = np.maximum(change, 0)
        if least.sum() > total:
            raise ProfileError(
                f"year ending 31 March {year + FIRST}: the stocks ask for {least.sum()} starts at least, "
                f"but only {total} fit the published number. Widen it, or correct the stocks.",
            )
        starts[..., year] = _whole_starts(_aimed(found, before, change, total, year), least, total)
        leavers[..., year] = before + starts[..., year] - after
    return starts, leavers


def _aimed(
    found: Paths, before: NDArray[np.int64], change: NDArray[np.int64], total: int, year: int
) -> NDArray[np.float64]:
    """Return the likeliest starts (19, A, 2) given the change of each cell, scaled to `total`.

    Comers who stay and leavers from the opening stock differ by the change, and their product is the expected one
    (the likeliest pair of two Poisson numbers with that difference); who comes and leaves within the year is on top.
    """
    staying = found.starts[..., year] * found.stay_start[..., year]
    passing = found.starts[..., year] - staying
    leaving = before * (1 - found.stay[..., year])
    low, high = 0.0, 64.0
    for _ in range(100):
        factor = (low + high) / 2
        comers = (change + np.sqrt(change**2 + 4 * staying * leaving * factor**2)) / 2
        aim = np.maximum(comers, np.maximum(change, 0)) + passing * factor
        low, high = (factor, high) if aim.sum() < total else (low, factor)
    return np.round(aim, _DIGITS)


def _whole_starts(aim: NDArray[np.float64], least: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Round by largest remainder: authorities to the total of Wales, then the cells of each to its own."""
    floor = np.maximum(np.floor(aim), least)
    own = _largest(aim.sum(axis=(0, 2)), floor.sum(axis=(0, 2)), total)
    found = np.empty_like(least)
    for a in range(aim.shape[1]):
        found[:, a] = _largest(aim[:, a].ravel(), floor[:, a].ravel(), int(own[a])).reshape(found[:, a].shape)
    return found


def _largest(aim: NDArray[np.float64], least: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Return whole numbers from `least` up with sum `total`, the largest shortfalls first; ties by place."""
    found = np.maximum(np.floor(aim), least)
    while (short := int(total - found.sum())) > 0:
        order = np.argsort(-np.round(aim - found, _DIGITS), kind="stable")
        found[order[:short]] += 1
    while (over := int(found.sum() - total)) > 0:
        order = np.argsort(np.round(aim - found, _DIGITS), kind="stable")
        free = order[found[order] > least[order]][:over]
        found[free] -= 1
    return found.astype(np.int64)
