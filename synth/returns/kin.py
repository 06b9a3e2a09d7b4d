"""Whose children they are: what no return says, handed on beside the forms for files that tell of families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.lives.admission import begins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.dates import Days
    from synth.lives.histories import History

__all__ = ["Kin", "kin_of"]


@dataclass(frozen=True, slots=True)
class Kin:
    """The children of a form, row by row; arrays of one length.

    `name` is the child's own number and says its family (see `lives.people`); `first`, `oldest` and `youngest` are the
    birth days of the child who brought the family in and of the oldest and the youngest in it. They are those of all
    children of the family who are known to the authority, whoever is in a return, and never change.
    """

    name: NDArray[np.uint64]
    first: Days
    oldest: Days
    youngest: Days

    def only(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Kin:
        """Return the children at some rows, in that order."""
        return Kin(*(getattr(self, column)[rows] for column in self.__slots__))

    @classmethod
    def joined(cls, parts: Sequence[Kin]) -> Kin:
        """Return the children of several forms, one form after another."""
        return cls(*(np.concatenate([getattr(part, column) for part in parts]) for column in cls.__slots__))


def kin_of(history: History, children: NDArray[np.int64]) -> Kin:
    """Return the kin of some children (rows of the history), in that order."""
    child, birth = history.children, history.children["birth"]
    # Children of a household stand together, as they were written down, the one who brought it in before the others.
    household = child["household"]
    begin = np.flatnonzero(begins(household))
    at = household[children]
    return Kin(
        child["name"][children],
        birth[begin][at],
        np.minimum.reduceat(birth, begin)[at] if len(begin) else birth,
        np.maximum.reduceat(birth, begin)[at] if len(begin) else birth,
    )
