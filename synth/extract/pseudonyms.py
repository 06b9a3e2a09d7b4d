"""Identifiers hidden as numbers: the same for the same text and seed, and not to be turned back without the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.streams import Streams

__all__ = ["hidden", "uniform"]

_LOW, _SPAN = 10**14, 9 * 10**14
"""Numbers of 15 digits: what reads whole numbers as floating point (R, spreadsheets) still tells them apart."""


def hidden(streams: Streams, purpose: str, text: pl.Series) -> pl.Series:
    """Return a number of 15 digits for each text (Int64), null for null."""
    known = text.drop_nulls().unique()
    words = _words(streams, f"extract: {purpose}", known) % np.uint64(_SPAN)
    numbers = pl.Series(words.astype(np.int64) + _LOW)
    return text.replace_strict(known, numbers, default=None, return_dtype=pl.Int64)


def uniform(streams: Streams, purpose: str, frame: pl.DataFrame, *names: str) -> pl.Series:
    """Return a uniform in (0, 1) for each row: the same for the same values of the columns `names`, which hold text."""
    text = frame.select(pl.concat_str(names, separator="/", ignore_nulls=True)).to_series()
    words = _words(streams, f"extract: {purpose}", text)
    return pl.Series(((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def _words(streams: Streams, purpose: str, text: pl.Series) -> NDArray[np.uint64]:
    """Return a 64-bit word for each text, all of which are filled: its letters drawn one after another."""
    letters = text.to_numpy().astype("S")
    width = letters.dtype.itemsize
    table = letters.view(np.uint8).reshape(len(letters), width)
    stream = streams(purpose)
    words = np.zeros(len(letters), np.uint64)
    for place in range(width):
        drawn = stream.words(words, table[:, place])
        # Texts may be of different lengths: what is behind the end changes nothing.
        words = np.where(table[:, place] == 0, words, drawn)
    return stream.words(words)
