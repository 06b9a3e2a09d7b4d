"""The legal paths of periods of care, each drawn once: the first time anybody asks what a child's legal status was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import year_of
from synth.guidance import load
from synth.lives.draw import flagged
from synth.lives.legal import LATER, LATEST, STATUSES, LegalPath, legal_paths
from synth.lives.periods import entrants_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.periods import Columns
    from synth.lives.streams import Streams

__all__ = ["Courts"]


class Courts:
    """Paths by row of a table of periods that grows at its end; a path depends on nothing but its own period."""

    def __init__(self, streams: Streams, behaviour: Behaviour) -> None:
        self._streams, self._behaviour = streams, behaviour
        self._known = np.zeros(0, bool)
        self._path = _blank(0)

    def paths(self, children: Columns, periods: Columns, rows: NDArray[np.int64]) -> LegalPath:
        """Return the paths of some periods (rows of `periods`), drawn up to the end they were given at entry."""
        height = len(periods["start"])
        if height > len(self._known):
            # In steps of some size: a copy a year of all there is would add up.
            more = max(height, 2 * len(self._known)) - len(self._known)
            self._known = np.append(self._known, np.zeros(more, bool))
            self._path = LegalPath.joined(self._path, _blank(more))
        missing = rows[~self._known[rows]]
        if len(missing):
            # All that began in the same years are drawn at once: one after another they would be asked for anyway.
            undrawn = flagged(~self._known[:height])
            begun, asked = (year_of(periods["start"][some]) for some in (undrawn, missing))
            new = undrawn[np.isin(begun, asked)]
            path = legal_paths(
                self._streams, self._behaviour, load("cla", LATEST), entrants_of(children, periods, new),
                periods["destination"][new], periods["drawn_end"][new],
            )  # fmt: skip
            self._path.start[new], self._path.placed[new], self._path.consent[new] = (
                path.start,
                path.placed,
                path.consent,
            )
            self._known[new] = True
        return self._path.only(rows)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget all periods but some, which move up."""
        some = flagged(rows[: len(self._known)])
        self._known, self._path = self._known[some], self._path.only(some)


def _blank(height: int) -> LegalPath:
    return LegalPath(
        np.full((height, len(STATUSES)), LATER, np.int32), np.full(height, LATER, np.int32), np.zeros(height, bool)
    )
