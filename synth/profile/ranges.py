"""Ranges that the numbers of a parameter may lie in: its own, or those its unit implies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from synth.profile.nested import leaves

if TYPE_CHECKING:
    from synth.profile.nested import Value

__all__ = ["out_of_range", "range_of"]

_CHILDHOOD = 18
"""Nobody in either return is older."""

_BY_UNIT = (
    ("probability", 0.0, 1.0),
    ("chance", 0.0, 1.0),
    ("share", 0.0, 1.0),
    ("correlation", -1.0, 1.0),
    ("years", 0.0, float(_CHILDHOOD)),
    ("days", 0.0, math.inf),
    ("weight", 0.0, math.inf),
    ("factor", 0.0, math.inf),
    ("ratio", 0.0, math.inf),
    ("relative risk", 0.0, math.inf),
    ("breaks", 0.0, math.inf),
    ("addresses", 0.0, math.inf),
    ("excluded", 0.0, 1.0),
)
_LONGEST = 60
"""Letters of a value that are shown."""
_LARGEST = 10**60
_RISING = ("days", "years", "breaks")
"""Lists in these units are bounds, the lower one first."""
_ABOVE_ZERO = "median"
"""Logarithms are taken of medians: zero is no median."""


def range_of(unit: str, low: float | None = None, high: float | None = None) -> tuple[float, float]:
    """Return the lowest and highest number (both inclusive) of a unit, narrowed by a parameter's own bounds."""
    least, most = next(((a, b) for word, a, b in _BY_UNIT if unit.startswith(word)), (-math.inf, math.inf))
    return (least if low is None else max(least, low)), (most if high is None else min(most, high))


def out_of_range(value: Value, unit: str, low: float | None = None, high: float | None = None) -> str | None:
    """Return what is wrong with the first number that lies outside its range, or None."""
    least, most = range_of(unit, low, high)
    for where, leaf in leaves(value):
        number = isinstance(leaf, int | float) and not isinstance(leaf, bool)
        if not number or not _finite(leaf):
            return f"{_shown(leaf)}{where} is not a finite number"
        if not least <= leaf <= most:
            return f"{leaf!r}{where} is not {_words(least, most)}, as {_why(unit, low, high)}"
        if _ABOVE_ZERO in where and leaf <= 0:
            return f"{leaf!r}{where} is not above 0, as a median must be"
    if isinstance(value, list) and unit in _RISING and _falls(value):
        return f"{value} falls; bounds go from the lower to the higher"
    return None


def _falls(value: list[Value]) -> bool:
    """Say whether numbers fall; a list of lists is of another shape, which is told elsewhere."""
    numbers = [each for each in value if isinstance(each, int | float)]
    return len(numbers) == len(value) and sorted(numbers) != numbers


def _finite(number: float) -> bool:
    """Say whether a number, perhaps whole, is one that arithmetic can go on with."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _shown(leaf: object) -> str:
    text = repr(leaf) if not isinstance(leaf, int) or abs(leaf) < _LARGEST else "a number of very many digits"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _words(least: float, most: float) -> str:
    if math.isinf(most):
        return f"{least:g} or more"
    return f"{most:g} or less" if math.isinf(least) else f"between {least:g} and {most:g}"


def _why(unit: str, low: float | None, high: float | None) -> str:
    if low is not None or high is not None:
        return "this parameter must be"
    word = unit.split(maxsplit=1)[0].rstrip(",")
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word} must be" if word[-1] != "s" else f"{word} must be"
