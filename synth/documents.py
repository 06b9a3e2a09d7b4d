"""JSON that others may have written or damaged: read as it stands, or refused as one kind of error."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["json_of", "whole_number"]

_DIGITS = 4000
"""Longer numbers Python does not read, nor does anyone write them."""


def json_of(content: bytes | str) -> Any:  # noqa: ANN401  JSON is whatever it is
    """Return what a JSON document says; ValueError for all that is wrong with it.

    No JSON, no UTF, nested deeper than can be followed, a number of thousands of digits, or one that is not finite:
    NaN and Infinity, which JSON does not have, and 1e999, which becomes one.
    """
    try:
        return json.loads(content, parse_int=whole_number, parse_float=_finite, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def whole_number(text: str) -> int:
    """Return a whole number of a JSON document; ValueError where it has thousands of digits."""
    if len(text) > _DIGITS:
        raise ValueError(f"the number {text[:20]}... has {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is not a finite number")
