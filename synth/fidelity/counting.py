"""Counting published kinds of figures in the views of a year, for Wales and each authority at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.errors import ProfileError
from synth.geography.authorities import all_authorities
from synth.published import WALES
from synth.tables import LA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.fidelity.views import Views
    from synth.published.counted import Condition, Counted

__all__ = ["Counter", "Counts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by ONS code, Wales included; an area without rows counts 0."""

    of_area: Mapping[str, float]

    def __getitem__(self, area: str) -> float:
        return self.of_area.get(area, 0.0)


class Counter:
    """Counts the views of one year; what was counted once is remembered."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._known: dict[tuple[str, tuple[Condition, ...]], Counts] = {}
        self._ons = {authority.code: authority.ons_code for authority in all_authorities()}

    def rows(self, row: Counted) -> Counts:
        """Count the rows of the view that meet `where` and `of`."""
        return self._count(row, (*row.where, *row.of))

    def base(self, row: Counted) -> Counts:
        """Count the rows of the view that meet `of`; all of them without one."""
        return self._count(row, row.of)

    def mean(self, row: Counted, area: str) -> tuple[float, float, int]:
        """Return mean, standard deviation and number of the rows that meet `where`, over the column `mean`."""
        frame = self._filtered(row, row.where)
        if area != WALES:
            frame = frame.filter(pl.col(LA).replace_strict(self._ons, default=None) == area)
        self._check(row, (row.mean,), frame)
        values = frame[row.mean].drop_nulls().cast(pl.Float64).to_numpy()
        n = len(values)
        spread = float(values.std(ddof=1)) if n > 1 else 0.0
        return float(values.mean()) if n else 0.0, spread, n

    def _count(self, row: Counted, conditions: tuple[Condition, ...]) -> Counts:
        key = (row.view, conditions)
        if key not in self._known:
            frame = self._filtered(row, conditions)
            by_code = dict(frame.group_by(LA).len().iter_rows())
            counts = {self._ons[code]: float(n) for code, n in by_code.items() if code in self._ons}
            self._known[key] = Counts({WALES: float(frame.height)} | counts)
        return self._known[key]

    def _filtered(self, row: Counted, conditions: Sequence[Condition]) -> pl.DataFrame:
        frame = self._views[row.view]
        self._check(row, [condition.column for condition in conditions], frame)
        if not conditions:
            return frame
        return frame.filter(*(_expression(condition) for condition in conditions))

    def _check(self, row: Counted, columns: Sequence[str], frame: pl.DataFrame) -> None:
        for column in columns:
            if column not in frame.columns:
                own = sorted(name for name in frame.columns if name.islower())
                raise ProfileError(
                    f"{row.place}: {column!r} is no column of the view {row.view} in {self._views.year}; expected an "
                    f"item of its form or {', '.join(own) or 'none of its own'}. Correct where or of.",
                )


def _expression(condition: Condition) -> pl.Expr:
    column = pl.col(condition.column)
    if condition.values:
        found = column.cast(pl.String).is_in(condition.values)
        # What cannot be read is none of the values.
        return found.fill_null(value=False) if not condition.negated else ~found.fill_null(value=False)
    bounds = [column >= condition.low] if condition.low is not None else []
    bounds += [column <= condition.high] if condition.high is not None else []
    return pl.all_horizontal(bounds)
