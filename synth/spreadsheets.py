"""What spreadsheet programs take for a formula, and what is written in its place."""

from __future__ import annotations

__all__ = ["FORMULA", "PLAIN", "neutral"]

_SIGNS = ("=", "+", "-", "@", "\t", "\r")
FORMULA = r"^[=+\-@\t\r]"
"""Pattern of text that is taken for a formula."""
PLAIN: dict[str, bool] = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Options of XlsxWriter with which text stays text, whatever it begins with."""


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: led by an apostrophe where it began like one."""
    return f"'{text}" if text.startswith(_SIGNS) else text
