"""How a counted figure is printed: rounded to a step, or hidden where it is small."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.published.reading import Rounding

__all__ = ["HIDDEN", "Convention", "convention", "default_rounding", "printed", "rounded"]

HIDDEN = "*"
"""What stands for a small count that is not shown."""

_TWICE, _HALVED = " twice", " twice, halved"
_NOT_PRINTED = ("within ", "derived")
"""Roundings that begin so belong to figures somebody worked out from printed ones; no table holds them."""
_DEFAULTS = {"count": "nearest5", "percent": "nearest1pct", "rate_per_10000": "nearest1", "months": "nearest0.1"}
_WHOLE = 100
"""Per cent that a figure may lie below the printed one of which only that is known."""
_SLIPPED = 1e-9
"""What binary fractions may lose: half a step counts as half in spite of it."""


@dataclass(frozen=True, slots=True)
class Convention:
    """How figures are printed: to the nearest multiple of `step`, in the printed unit.

    Totals from 0 to `hidden_up_to`, both inclusive, are hidden; None where none are. With `parts` figures that add
    up several counts add them up after each was rounded; `halved`, half of that is their mean. Of figures less than
    `below` nothing more is said.
    """

    name: str
    step: float
    hidden_up_to: float | None = None
    parts: bool = False
    halved: bool = False
    below: float | None = None

    @property
    def decimals(self) -> int:
        """Return how many digits stand after the point."""
        if self.halved:
            return 1
        return 0 if self.step >= 1 else round(-math.log10(self.step) + 0.49)

    @property
    def words(self) -> str:
        """Say it for a reader."""
        said = "to the last unit" if self.name in ("exact", "as_published") else f"to the nearest {self.step:g}"
        if self.parts:
            said = f"the two years' counts, each {said}, added up"
        if self.halved:
            said = f"half of {said}"
        if self.below is not None:
            said += f"; <{self.below:g} is all that is said of less"
        hides = "" if self.hidden_up_to is None else f"; {HIDDEN} is 0 to {self.hidden_up_to:g}"
        return said + hides


def convention(name: str, rounding: Rounding, value: float | None = None) -> Convention | None:
    """Return how figures of one kind of rounding are printed; `value` is that of one that was.

    None where no table prints them: quoted in words ("just under"), or worked out from other figures.
    """
    if rounding.below and rounding.percent >= _WHOLE and value is not None:
        return Convention(name, 1.0, below=value)
    if rounding.percent or rounding.below or name.startswith(_NOT_PRINTED):
        return None
    halved = name.endswith(_HALVED)
    parts = halved or name.endswith(_TWICE)
    # Two roundings may be twice as far off as one; what is printed is still a multiple of the one step.
    step = rounding.half_width if parts and not halved else 2 * rounding.half_width
    return Convention(name, step or 1.0, rounding.hidden_up_to, parts, halved)


def default_rounding(unit: str) -> str:
    """Return the rounding of a unit whose own was never published: counts to 5 with small ones hidden."""
    return _DEFAULTS.get(unit, "exact")


def rounded(value: float, step: float) -> float:
    """Return the multiple of `step` (over 0) nearest to a value; half a step goes away from 0.

    A step of 1 or more gives a whole number, a smaller one has no digits beyond its own.
    """
    steps = math.floor(abs(value) / step + 0.5 + _SLIPPED)
    found = math.copysign(steps * step, value) if steps else 0.0
    return round(found, max(0, 2 - math.floor(math.log10(step))))


def printed(parts: Sequence[float], how: Convention) -> float | None:
    """Return the figure as printed, None where it is hidden; `parts` are the counts it adds up, one without any.

    Of a figure less than `how.below` that bound.
    """
    total = sum(parts)
    if how.below is not None and total < how.below:
        return how.below
    if how.hidden_up_to is not None and total <= how.hidden_up_to:
        return None
    if how.parts:
        return sum(rounded(part, how.step) for part in parts) / (2 if how.halved else 1)
    return rounded(total, how.step)
