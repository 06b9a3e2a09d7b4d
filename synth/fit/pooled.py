"""Figures that add up two years, each rounded first: which multiple of the step each year has.

A page that prints 495 for two years has added, say, 245 and 250. Which two they were nobody knows; those chosen here
print again as many of the figures as can be together, and of all that do, they are nearest to what was fitted to the
two years. Each year then has an interval of its own, of which children who stay from one year to the next may need all;
what lies near an end of it, where a child that lives miss would show, is used only as far as they do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from synth.fit.system import Pooled, Row, System

__all__ = ["shared_out"]

_NEAR = 2
"""How many steps from the fitted number the multiples lie that are tried."""
_STRAYING = 1e-4
"""Cost of a child away from the fitted number, in figures that are not printed."""
_MIDDLE, _NEAR_END, _SMALL = 1, 2e-3, 100.0
"""How far from a multiple of the step is not near an end yet; cost of a child beyond, of a figure so small or smaller:
that of larger ones falls with the root of their size, as lives miss the smaller by more."""
_OUTSIDE = 1000.0
"""Cost of a child outside an interval that both years must keep."""
_GAP = 1e-5


@dataclass(frozen=True, slots=True)
class _Pair:
    """A figure, the places of its rows among the published ones of either year, and among all of both years."""

    figure: Pooled
    rows: tuple[int, int]
    places: tuple[int, int]

    @property
    def half(self) -> int:
        """How far from a multiple of the step a whole number is still rounded to it."""
        return math.ceil(self.figure.how.step / 2) - 1

    @property
    def least(self) -> float:
        """The fewest children of both years with whom the figure is not hidden."""
        hidden = self.figure.how.hidden_up_to
        return self.figure.low if hidden is None else max(self.figure.low, hidden + 1)

    def ends(
        self, steps: int, beyond: tuple[float, float] | None = None
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return lowest and highest number of each year, given the steps of the first.

        With `beyond` only what lies in the middle, or so many children beyond it in either year.
        """
        first = self.figure.how.step * steps
        wide = (self.half, self.half) if beyond is None else (min(self.half, _MIDDLE + by) for by in beyond)
        below = math.floor((self.figure.value - self.least) / 2)
        numbers = zip((first, self.figure.value - first), wide, strict=True)
        one, other = ((max(0.0, n - min(by, below)), n + by) for n, by in numbers)
        return one, other


@dataclass(frozen=True, slots=True)
class _Share:
    """How many steps of a figure the first year has, and how many children either year lies beyond the middle."""

    steps: int
    beyond: tuple[float, float]


def shared_out(
    years: tuple[Sequence[Row], Sequence[Row]],
    systems: tuple[System, System],
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[list[Row], list[Row]]:
    """Return the published rows of two years, pooled figures narrowed to the multiple each year has of them.

    `systems` hold all conditions of either year, those of the table before the published ones, and `values` the
    numbers fitted to it. Figures that cannot be printed again keep their rows, hidden ones too. The result depends on
    nothing but the arguments.
    """
    pairs = _pairs(years, systems)
    found = [list(rows) for rows in years]
    for pair, share in zip(pairs, _multiples(pairs, systems, values) if pairs else (), strict=True):
        if share is not None:
            aims = pair.ends(share.steps, share.beyond)
            for rows, at, (low, high), aim in zip(found, pair.rows, pair.ends(share.steps), aims, strict=True):
                rows[at] = replace(rows[at], low=low, high=high, aim=aim)
    return found[0], found[1]


def _pairs(years: tuple[Sequence[Row], Sequence[Row]], systems: tuple[System, System]) -> list[_Pair]:
    """Return the figures that stand in both years."""
    before, between = (len(one.labels) - len(rows) for one, rows in zip(systems, years, strict=True))
    there = {row.pooled.place: n for n, row in enumerate(years[1]) if row.pooled}
    return [
        _Pair(
            row.pooled,
            (n, there[row.pooled.place]),
            (before + n, len(systems[0].labels) + between + there[row.pooled.place]),
        )
        for n, row in enumerate(years[0])
        if row.pooled and row.pooled.place in there
    ]


def _multiples(
    pairs: Sequence[_Pair], systems: tuple[System, System], values: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> list[_Share | None]:
    """Return how each figure is shared out; None where it cannot be printed again."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  the solver is not needed to generate
    from scipy.sparse import block_array, block_diag, csr_array, diags_array, eye_array  # noqa: PLC0415

    matrix = csr_array(block_diag([one.matrix for one in systems]))
    low, high = (np.concatenate([getattr(one, side) for one in systems]) for side in ("low", "high"))
    rows, numbers, many = len(low), matrix.shape[1], len(pairs)
    first, second = (np.array([pair.places[n] for pair in pairs]) for n in (0, 1))
    both = np.concatenate([first, second])
    low[both], high[both] = -np.inf, np.inf  # held together instead
    own, other, fitted = matrix[first], matrix[second], (matrix @ np.concatenate(values))
    step, whole, half, least, most = (
        np.array(told, float)
        for told in zip(
            *((p.figure.how.step, p.figure.value, p.half, p.least, p.figure.high) for p in pairs), strict=True
        )
    )
    times, away, outside = diags_array(step), eye_array(2 * many), eye_array(rows)
    near, far = eye_array(many, 2 * many), eye_array(many, 2 * many, k=many)
    middle = np.full(many, float(_MIDDLE))
    free = diags_array(2 * (whole + most))
    infinite = np.full(many, np.inf)
    # Columns by what they stand for, and how many: numbers of both years, steps of the first year, figures given up,
    # children away from what was fitted, outside of what must be kept, and beyond the middle.
    sizes = {"numbers": numbers, "steps": many, "given up": many, "below": 2 * many, "above": 2 * many}
    sizes |= {"too few": rows, "too many": rows, "beyond": 2 * many}
    conditions: list[tuple[dict[str, Any], Any, Any]] = [
        ({"numbers": matrix, "too few": outside, "too many": -outside}, low, high),
        ({"numbers": own, "steps": -times, "given up": free}, -half, infinite),
        ({"numbers": own, "steps": -times, "given up": -free}, -infinite, half),
        ({"numbers": other, "steps": times, "given up": free}, whole - half, infinite),
        ({"numbers": other, "steps": times, "given up": -free}, -infinite, whole + half),
        ({"numbers": own + other, "given up": free}, least, infinite),
        ({"numbers": own + other, "given up": -free}, -infinite, most),
        ({"numbers": matrix[both], "below": away, "above": -away}, fitted[both], fitted[both]),
        ({"numbers": own, "steps": -times, "given up": free, "beyond": near}, -middle, infinite),
        ({"numbers": own, "steps": -times, "given up": -free, "beyond": -near}, -infinite, middle),
        ({"numbers": other, "steps": times, "given up": free, "beyond": far}, whole - middle, infinite),
        ({"numbers": other, "steps": times, "given up": -free, "beyond": -far}, -infinite, whole + middle),
    ]

    def columns(values: Mapping[str, ArrayLike], else_: float = 0.0) -> NDArray[np.float64]:
        each = ((values.get(name, else_), size) for name, size in sizes.items())
        return np.concatenate([np.broadcast_to(np.asarray(one, float), size) for one, size in each])

    nearest = np.round(fitted[first] / step)
    near_end = np.tile(_NEAR_END * np.sqrt(_SMALL / np.maximum(whole, _SMALL)), 2)
    cost: dict[str, ArrayLike] = {"given up": 1, "below": _STRAYING, "above": _STRAYING, "beyond": near_end}
    found = milp(
        columns(cost | {"too few": _OUTSIDE, "too many": _OUTSIDE}),
        integrality=columns({"steps": 1, "given up": 1}),
        bounds=Bounds(
            columns({"steps": np.maximum(nearest - _NEAR, 0)}),
            columns({"steps": nearest + _NEAR, "given up": 1}, np.inf),
        ),
        constraints=LinearConstraint(
            block_array([[blocks.get(name) for name in sizes] for blocks, _, _ in conditions], format="csc"),
            np.concatenate([ends for _, ends, _ in conditions]),
            np.concatenate([ends for _, _, ends in conditions]),
        ),
        options={"mip_rel_gap": _GAP},
    )
    steps, given_up = np.round(found.x[numbers : numbers + 2 * many]).astype(int).reshape(2, many)
    beyond = found.x[-2 * many :].reshape(2, many).T.tolist()
    return [
        None if gone else _Share(int(n), (one, other))
        for n, gone, (one, other) in zip(steps, given_up, beyond, strict=True)
    ]
