"""Targets that follow a level: what an overlay does to the tables of an authority and year whose level it changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.profile.model import Target

__all__ = ["Factors", "rescaled"]

Factors = dict[tuple[str, str, int], float]
"""(kind, authority, year) -> the new level over the old one."""

_WITH_CARE_AND_SUPPORT = {
    "status": ("register", "neither"),
    "need": ("N1",),
    "mental_ill_health": ("recorded",),
    "disability": ("any",),
}
"""Cells that are a part of care and support; all others are a part of the looked-after stock or its flows."""


def rescaled(targets: Sequence[Target], factors: Factors) -> list[Target]:
    """Return targets in which the authorities and years of `factors` keep their proportions at their new levels.

    A table's sum changes as its level does: cells that add up to a stock add up to the new one.
    """
    touched = {(code, year) for _, code, year in factors}
    found: list[Target] = []
    for target in targets:
        counts = dict(target.counts)
        for code in counts:
            if (code, target.year) in touched:
                counts[code] = _scaled(target, code, factors)
        found.append(replace(target, counts=counts))
    return found


def _scaled(target: Target, code: str, factors: Factors) -> tuple[int, ...]:
    supported = _WITH_CARE_AND_SUPPORT.get(target.table, ())
    care = factors.get(("looked_after", code, target.year), 1.0)
    support = factors.get(("care_and_support", code, target.year), 1.0)
    exact = [
        count * (support if cell in supported else care)
        for cell, count in zip(target.cells, target.counts[code], strict=True)
    ]
    whole = [int(value) for value in exact]
    total = round(sum(exact))
    # The largest remainders go up, the first first.
    order = sorted(range(len(exact)), key=lambda n: (whole[n] - exact[n], n))
    for n in order[: max(total - sum(whole), 0)]:
        whole[n] += 1
    return tuple(whole)
