"""JSON that others may have written or damaged: read as it stands, or refused as one kind of error."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["json_of"]


def json_of(content: bytes | str) -> Any:  # noqa: ANN401  JSON is whatever it is
    """Return what a JSON document says; ValueError for all that is wrong with it.

    No JSON, no UTF, nested deeper than can be followed, a number of thousands of digits, or one that is not finite:
    NaN and Infinity, which JSON does not have, and 1e999, which becomes one.
    """
    try:
        return json.loads(content, parse_float=_finite, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is not a finite number")
