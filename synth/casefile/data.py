"""The tables beside this module: names, words of addresses and schools, shares. Read once."""

from __future__ import annotations

from functools import cache

from synth.packaged import rows_in

__all__ = ["rows_of", "share", "shares"]


@cache
def rows_of(file: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a table of this room."""
    return tuple(rows_in("casefile", file))


@cache
def shares() -> dict[str, float]:
    """Return every number of shares.csv by its name."""
    return {row["name"]: float(row["value"]) for row in rows_of("shares.csv")}


def share(name: str) -> float:
    """Return one number of shares.csv."""
    return shares()[name]
