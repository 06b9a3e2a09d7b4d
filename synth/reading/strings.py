"""The text of a workbook that is written once and stands in many cells: how much it comes to in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["letters_of"]


def letters_of(pieces: Iterable[bytes], lengths: Sequence[int], most: int) -> int:
    """Return the letters of all cells of a sheet that hold a shared text, whose `lengths` are given by their numbers.

    `pieces` are the XML, which has been found whole. Counting stops beyond `most`.
    """
    sheet = _Sheet(lengths)
    for piece in pieces:
        sheet.parser.Parse(piece, False)  # noqa: FBT003  expat takes no name
        if sheet.letters > most:
            break
    return sheet.letters


class _Sheet:
    """Adds up the shared texts of a sheet."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.letters = 0
        self._lengths = lengths
        self._shared = self._within = False
        self._number = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._letters

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            self._shared = attributes.get("t") == "s"
        elif local == "v" and self._shared:
            self._within, self._number = True, ""

    def _letters(self, data: str) -> None:
        if self._within:
            self._number += data[:20]

    def _end(self, name: str) -> None:
        if self._within and name.rpartition(":")[2] == "v":
            self._within = False
            number = self._number.strip()
            # What is no number of a text its reader refuses.
            if number.isascii() and number.isdigit() and int(number[:20]) < len(self._lengths):
                self.letters += self._lengths[int(number[:20])]
