"""What the returns ask for, as dated rows: items, codes, limits, combinations and rules in words."""

from synth.guidance.loader import RETURNS, Guidance, load, load_from, years
from synth.guidance.rows import AllowedRow, Code, Item, Limit, ReturnYear, Statement

__all__ = [
    "RETURNS",
    "AllowedRow",
    "Code",
    "Guidance",
    "Item",
    "Limit",
    "ReturnYear",
    "Statement",
    "load",
    "load_from",
    "years",
]
