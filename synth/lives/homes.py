"""Home authorities, of one Wales or of several worlds side by side, and the numbers they are known by.

A world is Wales once: its authorities, its totals, children of its own. Worlds share nothing but the profile, so they
are lived together as longer arrays: an authority of a world is a *place*, and nothing below asks which world it is in.
A place is named by world and authority; families carry that name (see `people`), so their draws are their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth.geography.authorities import Authority

__all__ = ["MOST_WORLDS", "Homes", "named", "order_of", "world_of"]

Row = TypeVar("Row", bound=np.generic)

_ORDER_BITS, _WORLD_BITS = 5, 13
MOST_WORLDS = 1 << _WORLD_BITS
"""Worlds that names have room for; they are numbered from 0."""


def named(world: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the names of authorities (`order` 0 to 21) in worlds."""
    return np.asarray(world << _ORDER_BITS | order)


def order_of(name: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order (0 to 21) of named places."""
    return name & ((1 << _ORDER_BITS) - 1)


def world_of(name: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the world of named places."""
    return name >> _ORDER_BITS


@dataclass(frozen=True)
class Homes:
    """The places of a run: `authorities`, which rise in official order, in each of `worlds`, which rise.

    Arrays have one entry a place, world after world; a child's place is an index into them.
    """

    authorities: tuple[Authority, ...]
    worlds: tuple[int, ...] = (0,)

    def __len__(self) -> int:
        return len(self.authorities) * len(self.worlds)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """The authority's place in official order, 0 to 21."""
        return np.tile([authority.order for authority in self.authorities], len(self.worlds))

    @cached_property
    def name(self) -> NDArray[np.int64]:
        """The number a place is known by, whatever else is lived beside it."""
        return named(np.repeat(self.worlds, len(self.authorities)), self.order)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of the authorities of one world."""
        return tuple(authority.code for authority in self.authorities)

    def each(self, of: Callable[[str], int]) -> NDArray[np.int64]:
        """Return a number of each place, the same in every world, from what tells it of an authority's code."""
        return self.in_every_world(np.array([of(code) for code in self.codes]))

    def in_every_world(self, rows: NDArray[Row]) -> NDArray[Row]:
        """Repeat an array with one row an authority for every world: one row a place."""
        return np.concatenate([rows] * len(self.worlds))

    def place(self, name: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the index of named places, -1 for those that are not among these."""
        if not len(self):
            return np.full(len(name), -1)
        at = np.minimum(np.searchsorted(self.name, name), len(self) - 1)
        return np.where(self.name[at] == name, at, -1)
