"""What may leave: counts rounded, correlations rounded, and either hidden where they tell of few children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from synth.learn.census import meets
from synth.learn.latent import from_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from synth.learn.measures import Measure

__all__ = ["COUNT_STEP", "STEP", "Released", "count_shares", "joint_counts", "release", "rounded"]

COUNT_STEP = 5
"""Released counts are multiples of this."""
STEP = 0.05
"""Released correlations are multiples of this."""


@dataclass(frozen=True, slots=True)
class Released:
    """Everything that was learned, as it may leave: nothing else of the return goes any further.

    `shares` holds for each measure children with the flag and all children asked, both rounded; `correlations` for
    each measure its pairs and their rounded correlation. Hidden are measures and pairs with a small count; `absent`
    are those of which the return has nothing.
    """

    children: int
    threshold: int
    shares: dict[str, tuple[int, int]]
    correlations: dict[str, dict[tuple[str, str], float]]
    hidden_shares: tuple[str, ...]
    hidden_pairs: int
    absent: tuple[str, ...]


def release(
    frame: pl.DataFrame,
    measures: Sequence[Measure],
    threshold: int,
    learned: Callable[[pl.DataFrame], NDArray[np.float64]] | None = None,
) -> Released:
    """Count the measures of a return (`census.factors`) and release them: rounded, small ones hidden.

    A share is hidden where fewer children than `threshold` have the flag, or fewer do not; a pair where any of its
    four joint counts is below it. `learned` gives the correlations behind flags, shape (k, k), of rows in which all are
    known; without it they are taken from the joint counts.
    """
    shares: dict[str, tuple[int, int]] = {}
    correlations: dict[str, dict[tuple[str, str], float]] = {}
    here = [measure for measure in measures if set(measure.items) <= set(frame.columns)]
    absent = [measure.name for measure in measures if measure not in here]
    hidden, pairs_hidden = [], 0
    single = [measure for measure in here if not measure.pairs]
    for measure, (with_flag, asked) in zip(single, count_shares(frame, single), strict=True):
        if not asked:
            absent.append(measure.name)
        elif min(with_flag, asked - with_flag) < threshold:
            hidden.append(measure.name)
        else:
            shares[measure.name] = (rounded(with_flag), rounded(asked))
    for measure in here:
        if measure.pairs:
            found, small = _pairs(frame, measure, threshold, learned)
            pairs_hidden += small
            if found:
                correlations[measure.name] = found
    return Released(rounded(frame.height), threshold, shares, correlations, tuple(hidden), pairs_hidden, tuple(absent))


def count_shares(frame: pl.DataFrame, measures: Iterable[Measure]) -> list[tuple[int, int]]:
    """Return for each measure of one item the children with the flag and all those of whom it is known."""
    asked: list[pl.Expr] = []
    for n, measure in enumerate(measures):
        item = pl.col(measure.items[0]).filter(meets(measure.where))
        asked += [item.sum().alias(f"with {n}"), item.count().alias(f"all {n}")]
    counts = frame.select(asked).row(0) if asked else ()
    return [(int(with_flag or 0), int(every)) for with_flag, every in zip(counts[::2], counts[1::2], strict=True)]


def joint_counts(frame: pl.DataFrame, measure: Measure) -> NDArray[np.float64]:
    """Return for each pair of a measure how many children have both flags, only the first, only the second, neither.

    Shape (pairs, 4); counted are rows in which all items of the measure are known.
    """
    rows = _known(frame, measure)
    asked = []
    for a, b in measure.pairs:
        one, other = pl.col(a) == 1, pl.col(b) == 1
        asked += [(one & other).sum(), (one & ~other).sum(), (~one & other).sum(), (~one & ~other).sum()]
    counts = rows.select(expression.alias(str(n)) for n, expression in enumerate(asked)).row(0)
    return np.array(counts, dtype=np.float64).reshape(-1, 4)


def rounded(count: int) -> int:
    """Return the nearest multiple of COUNT_STEP."""
    return COUNT_STEP * ((count + COUNT_STEP // 2) // COUNT_STEP)


def _pairs(
    frame: pl.DataFrame,
    measure: Measure,
    threshold: int,
    learned: Callable[[pl.DataFrame], NDArray[np.float64]] | None,
) -> tuple[dict[tuple[str, str], float], int]:
    counts = joint_counts(frame, measure)
    shown = counts.min(axis=1) >= threshold
    if not shown.any():
        return {}, len(shown)
    # An item that hardly anyone, or nearly everyone, has stays out: it would enter no pair.
    items = [
        i for i in measure.items if any(i in pair for pair, seen in zip(measure.pairs, shown, strict=True) if seen)
    ]
    if learned is None:
        values = dict(zip(measure.pairs, from_counts(np.maximum(counts, 0.5)).tolist(), strict=True))
    else:
        matrix = learned(_known(frame, measure).select(items))
        place = {item: n for n, item in enumerate(items)}
        values = {(a, b): float(matrix[place[a], place[b]]) for a, b in measure.pairs if a in place and b in place}
    found = {
        pair: round(round(values[pair] / STEP) * STEP, 2)
        for pair, seen in zip(measure.pairs, shown, strict=True)
        if seen
    }
    return found, int((~shown).sum())


def _known(frame: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    return frame.filter(meets(measure.where)).select(measure.items).drop_nulls()
