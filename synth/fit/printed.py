"""Which figures of a system can be printed as they were published, all at once.

A figure whose release was revised later leaves two intervals open: a wide one, which it must keep, and inside it what
its own rounding leaves open, where it is printed again as it was published. Not all figures of a table can keep the
narrow one, as some have to carry the revision. An integer program finds the fewest that have to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.tabulate.printing import convention

if TYPE_CHECKING:
    from synth.margins.model import Array, Flags, Matrix
    from synth.published import Row, Tables

__all__ = ["as_printed", "most_printed"]

_TIE = 0.1
"""Among equals the larger figure gives way: this over its size is what less it costs."""
_ORDER = 1e-6
"""Then the earlier one, so that the answer is always the same."""
_OUTSIDE = 1000.0
"""Cost of a child outside the wide interval, in figures: those that contradict each other are not made worse."""
_SLIPPED = 1e-9


def as_printed(tables: Tables, row: Row) -> tuple[float, float] | None:
    """Return the lowest and highest true value, both inclusive, that a table prints as this figure.

    None where no table prints it from one number: hidden, added up, quoted in words or worked out from others.
    """
    how = convention(row.rounding, tables.roundings[row.rounding])
    if how is None or how.parts or row.value is None:
        return None
    width, least = tables.half_width(row), 0.0
    if how.hidden_up_to is not None:
        if row.value <= how.hidden_up_to:
            return None
        least = how.hidden_up_to + 1
    return max(least, row.value - width), row.value + width


def most_printed(matrix: Matrix, low: Array, high: Array, printed_low: Array, printed_high: Array) -> Flags:
    """Say of each sum whether it keeps its narrow interval: as many as can together, all wide ones kept.

    `matrix` (m x n, sparse) adds n numbers, at least 0, to m sums. `low` and `high` are the wide ends, `printed_low`
    and `printed_high` the narrow ones inside them; they may be infinite. A sum without a narrower interval keeps
    it. Sums that contradict each other miss their wide intervals by as few children as possible. The result depends on
    nothing but the arguments.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  the solver is not needed to generate
    from scipy.sparse import csr_array, eye_array, hstack, vstack  # noqa: PLC0415

    below, above = (
        np.abs(np.where(np.isfinite(wide), narrow, 0.0) - np.where(np.isfinite(wide), wide, 0.0))
        for narrow, wide in ((printed_low, low), (printed_high, high))
    )
    rows, columns = matrix.shape
    open_ = np.flatnonzero(below + above > _SLIPPED)
    if not open_.size:
        return np.ones(rows, bool)
    choices = len(open_)
    where = (open_, np.arange(choices))
    slack, none = eye_array(rows), csr_array((rows, rows))
    at_least = [csr_array(matrix), csr_array((below[open_], where), shape=(rows, choices)), slack, none]
    at_most = [csr_array(matrix), csr_array((-above[open_], where), shape=(rows, choices)), none, -slack]
    everywhere = np.full(rows, np.inf)
    cost = 1.0 + _TIE / (2 + np.abs(printed_high[open_])) + _ORDER * np.arange(choices)
    found = milp(
        np.concatenate([np.zeros(columns), cost, np.full(2 * rows, _OUTSIDE)]),
        integrality=np.concatenate([np.zeros(columns), np.ones(choices), np.zeros(2 * rows)]),
        bounds=Bounds(0.0, np.concatenate([np.full(columns, np.inf), np.ones(choices), np.full(2 * rows, np.inf)])),
        constraints=LinearConstraint(
            vstack([hstack(at_least), hstack(at_most)], format="csc"),
            np.concatenate([printed_low, -everywhere]),
            np.concatenate([everywhere, printed_high]),
        ),
        options={"mip_rel_gap": 0.0},
    )
    keeps = np.ones(rows, bool)
    keeps[open_] = found.x[columns : columns + choices] < 0.5  # noqa: PLR2004  0 or 1
    return keeps
