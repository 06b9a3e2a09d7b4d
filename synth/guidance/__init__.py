"""What the returns ask for, as dated rows: items, codes, limits, combinations and rules in words."""

from synth.guidance.loader import ALL_YEAR, CENSUS_DATE, RETURNS, Guidance, collected_as, load, load_from, years
from synth.guidance.rows import AllowedRow, Code, Item, Limit, ReturnYear, Statement

__all__ = [
    "ALL_YEAR",
    "CENSUS_DATE",
    "RETURNS",
    "AllowedRow",
    "Code",
    "Guidance",
    "Item",
    "Limit",
    "ReturnYear",
    "Statement",
    "collected_as",
    "load",
    "load_from",
    "years",
]
