"""What one file or sheet gave before its year is known: text by item, lines and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth.reading.headings import Placed, Shape

__all__ = ["Grid", "Part", "part_of"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows below the headings: String (or Categorical) columns named by their number from 0, blank cells null.

    `lines` (Int64) gives the line of each row; rows without any filled cell are left out.
    """

    frame: pl.DataFrame
    lines: pl.Series
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One form of one file or sheet.

    `text` holds a column for each item found, of whatever year: String, or Categorical for one with a list of codes.

    `file` names the file, or book and sheet; `headings` gives the heading of each item as it was written;
    `unknown` lists headings that are no item of any year.
    """

    shape: Shape
    file: str
    text: pl.DataFrame
    lines: pl.Series
    headings: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def part_of(grid: Grid, placed: Placed, shape: Shape, shown: str) -> Part:
    """Name the columns of a grid by item; a column without heading is told of only where it holds anything."""
    names = grid.frame.columns
    unknown = [
        heading
        for number, heading in placed.others
        if number not in placed.nameless or grid.frame[names[number]].null_count() < grid.frame.height
    ]
    text = grid.frame.select(pl.col(names[number]).alias(item) for item, number in placed.columns.items())
    text = text.cast({item: pl.Categorical for item in placed.columns if item in shape.codes})
    return Part(shape, shown, text, grid.lines, placed.found, tuple(unknown), grid.notes)
