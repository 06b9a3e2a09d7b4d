"""Alignment: admitting queued families, authority by authority, until outside totals are met exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.lives.people import family_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Queue", "admit", "begins", "foremost", "numbered", "queue_lengths", "queues", "run_begins"]


def begins(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which rows begin a run of equal values: the first, and each whose value is another than the one before."""
    found = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def numbered(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each row's number among those of its group (its index), from 0 and in the order of the rows."""
    order = np.argsort(group, kind="stable")
    numbers = np.empty(len(group), np.int64)
    numbers[order] = _in_run(group[order])
    return numbers


def run_begins(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return for each row the one that its run of equal values begins with."""
    return np.maximum.accumulate(np.where(begins(values), np.arange(len(values)), 0))


def _in_run(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return each row's number in its run of equal values, from 0."""
    return np.arange(len(values)) - run_begins(values)


def foremost(group: NDArray[np.int64], count: NDArray[np.int64], *keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which rows are among the first `count` of their group (its index) in the order of `keys`, the first most."""
    order = np.lexsort((*reversed(keys), group))
    ordered = group[order]
    found = np.empty(len(group), np.bool_)
    found[order] = _in_run(ordered) < count[ordered]
    return found


def queue_lengths(wanted: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield queue lengths, one an authority: usually the first are long enough to find `wanted` children in.

    Stops after some doublings: a profile in which hardly anybody stays would queue without end.
    """
    lengths = np.where(wanted > 0, wanted + wanted // 2 + 12, 1)
    for _ in range(_DOUBLINGS):
        yield lengths
        lengths = np.where(wanted > 0, 2 * lengths, 1)


def queues(
    home: NDArray[np.int64],
    year: int,
    kind: str,
    lengths: NDArray[np.int64],
    first: NDArray[np.int64] | int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return each queued family's place (index into `home`, the places' names) and name, queue after queue.

    Each queue goes from the family numbered `first` on until it is so long.
    """
    more = lengths - first
    place = np.repeat(np.arange(len(home)), more)
    number = np.arange(len(place)) - np.repeat(np.cumsum(more) - more - first, more)
    return place, family_names(home[place], year, kind, number)


_DOUBLINGS = 8


@dataclass(frozen=True, slots=True)
class Queue:
    """Families in line; `place` (sorted) is a family's authority, `counts` how many children it would add."""

    place: NDArray[np.int64]
    counts: NDArray[np.int64]
    authorities: int

    @classmethod
    def of(
        cls, place: NDArray[np.int64], queue: NDArray[np.int64], counted: NDArray[np.bool_], authorities: int
    ) -> Queue:
        """Count the children that matter in each family; `queue` gives each child's family."""
        return cls(place, np.bincount(queue, counted, len(place)).astype(np.int64), authorities)

    def reached(self, counts: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the running count within each authority, the family itself included."""
        counts = self.counts if counts is None else counts
        running = np.cumsum(counts)
        before = np.concatenate(([0], running))[np.searchsorted(self.place, np.arange(self.authorities))]
        return running - before[self.place]


def admit(queue: Queue, wanted: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Admit families from the front of each line until exactly `wanted` children count.

    Returns who is admitted, and how many children are missing from each authority whose line is too short.

    Families are taken while they fit; the last places, too few for the next family, go to the first later families
    that bring exactly one. Families that add nobody (they came and left within the year) are taken as long as the
    line still moves. Who stands farther back changes nothing for a line in which nobody is missing.
    """
    reached = queue.reached()
    here = wanted[queue.place]
    admitted = (reached - queue.counts < here) & (reached <= here)
    missing = wanted - np.bincount(queue.place, np.where(admitted, queue.counts, 0), queue.authorities).astype(np.int64)
    single = ~admitted & (queue.counts == 1)
    admitted |= single & (queue.reached(single.astype(np.int64)) <= missing[queue.place])
    found = np.bincount(queue.place, np.where(admitted, queue.counts, 0), queue.authorities)
    return admitted, wanted - found.astype(np.int64)
