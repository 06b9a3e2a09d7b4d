"""Pupil numbers: their shape, the check letter they begin with, and other numbers in their place."""

from __future__ import annotations

import polars as pl

__all__ = ["LETTERS", "UPN", "UPN_LENGTH", "lettered", "other_upn", "upn_letter", "with_letter"]

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""Letters of a pupil number, A worth 0 to Z worth 22; I, O and S are not used."""
UPN = rf"^[{LETTERS}][0-9]{{11}}[0-9{LETTERS}]$"
UPN_LENGTH = 13
_DIGITS = range(2, UPN_LENGTH)
"""Places of the characters that are always digits."""
_WORTH = {str(digit): digit for digit in range(10)} | {letter: place for place, letter in enumerate(LETTERS)}

_YEAR_PLACE = 4
"""Characters before the year in which a number was issued."""


def upn_letter(upn: pl.Expr) -> pl.Expr:
    """Return the check letter that characters 2 to 13 of a pupil number call for; null where not well formed.

    Each character is multiplied by its place (2 to 13); the sum modulo 23 picks the letter. A final letter,
    of a temporary number, counts as its place in the list.
    """
    return upn.map_batches(_letters, return_dtype=pl.String)


def _letters(upn: pl.Series) -> pl.Series:
    """Return check letters of well-formed numbers, null for others."""
    number = upn.str.slice(1, len(_DIGITS)).cast(pl.Int64, strict=False)
    worth = upn.str.slice(UPN_LENGTH - 1).replace_strict(_WORTH, default=None, return_dtype=pl.Int64) * UPN_LENGTH
    for place in reversed(_DIGITS):
        worth += number % 10 * place
        number //= 10
    letters = pl.Series([*LETTERS], dtype=pl.String).gather(worth % len(LETTERS))
    return pl.select(pl.when(upn.str.contains(UPN)).then(letters)).to_series()


def lettered(upn: pl.Expr) -> pl.Expr:
    """Return a pupil number with some letter in the first place, whatever stands there."""
    return pl.concat_str(pl.lit(LETTERS[0]), upn.str.slice(1))


def with_letter(upn: pl.Expr) -> pl.Expr:
    """Return a pupil number with the check letter it calls for; null where the rest is not well formed."""
    return pl.concat_str(upn_letter(lettered(upn)), upn.str.slice(1))


def other_upn(upn: pl.Expr) -> pl.Expr:
    """Return another well-formed pupil number in place of one: a digit of the year is moved on by five."""
    digit = (upn.str.slice(_YEAR_PLACE, 1).cast(pl.Int64) + 5) % 10
    return with_letter(pl.concat_str(upn.str.slice(0, _YEAR_PLACE), digit, upn.str.slice(_YEAR_PLACE + 1)))
