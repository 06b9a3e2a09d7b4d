"""The whole-number targets of a profile as arrays: what an unfolded year has to show on its 31 March."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import ProfileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.homes import Homes
    from synth.profile import Profile

__all__ = ["ADOPTION_PLACES", "GROUPS", "LEGAL", "PLACES", "Goals", "Totals"]

LEGAL = ("care_order", "agreement", "remand", "other")
"""Groups of legal status: C1 and C2; V2; remand, detention or protection (J, L); placement orders (E1)."""
GROUPS = ("kin", "la_foster", "agency_foster", "parents", "residential", "adoption", "other")
"""Groups of placements, as they are published; each is counted at every location."""
PLACES = tuple(f"{group}.{where}" for group in GROUPS for where in ("inside", "outside_in_wales", "outside_wales"))
ADOPTION_PLACES = [n for n, cell in enumerate(PLACES) if cell.startswith("adoption.")]
"""Children placed for adoption, in PLACES, by location."""
_CELLS = {"legal": LEGAL, "placement": PLACES, "three_or_more": ("three_or_more",)}


@dataclass(frozen=True, slots=True)
class Totals:
    """One table's children by place and cell, shape (places, cells); `known` marks who has a target."""

    counts: NDArray[np.int64]
    known: NDArray[np.bool_]


class Goals:
    """Targets of some places, in their order."""

    def __init__(self, profile: Profile, homes: Homes) -> None:
        self._profile, self._homes = profile, homes

    @staticmethod
    def first_year(profile: Profile) -> int | None:
        """Return the first collection year for which any authority has a target here; None without targets.

        Every authority of a run walks through the same years, whether it has targets of its own or not.
        """
        return min((target.year for target in profile.targets if target.table in _CELLS), default=None)

    def of(self, table: str, year: int) -> Totals:
        """Return a table's totals in a year, columns in the order of LEGAL, PLACES or the single cell.

        A cell the target does not name counts as zero. Raises ProfileError for a cell that is none of the table's.
        """
        cells, named = _CELLS[table], self._profile.cells_of(table, year)
        codes = self._homes.codes
        counts = np.zeros((len(codes), len(cells)), np.int64)
        known = np.zeros(len(codes), bool)
        if odd := [name for name in named if name not in cells]:
            raise ProfileError(
                f"Profile {self._profile.name!r}: targets of table {table!r} in {year} name the cell {odd[0]!r}; cells "
                f"of that table are {', '.join(cells)}. Rebuild the profile with this version of the package.",
            )
        columns = [cells.index(name) for name in named]
        for row, code in enumerate(codes):
            found = self._profile.target(table, code, year)
            if found is not None:
                known[row] = True
                counts[row, columns] = found
        return Totals(self._homes.in_every_world(counts), self._homes.in_every_world(known))
