"""Text for a terminal: what a file or argument holds is shown by its sign, never obeyed."""

from __future__ import annotations

__all__ = ["LONGEST", "legible"]

LONGEST = 4000
"""Letters of one message of an error; the middle of a longer one is left out."""


def legible(text: str, longest: int | None = None) -> str:
    r"""Return text in which control, direction and unpaired signs are escapes such as \x1b, cut if `longest`.

    Line feeds stay: messages have several lines.
    """
    shown = "".join(sign if sign.isprintable() or sign == "\n" else _escaped(sign) for sign in text)
    if longest is None or len(shown) <= longest:
        return shown
    half = longest // 2
    return f"{shown[:half]} ... ({len(shown) - longest:,} letters left out) ... {shown[-half:]}"


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
