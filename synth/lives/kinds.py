"""Kinds of placement, their codes, and what the guidance and the profile allow each of them with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import day
from synth.lives.draw import among
from synth.lives.legal import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.lives.behaviour import Behaviour

__all__ = ["ADOPTION", "FOSTER", "KINDS", "LOCATIONS", "PARENTS", "KindRules", "placement_code"]

KINDS = (
    "kin",
    "la_foster",
    "agency_foster",
    "parents",
    "home",
    "secure",
    "semi_independent",
    "independent",
    "employment",
    "school",
    "residential_care",
    "hospital",
    "family_centre",
    "custody",
    "other",
    "concurrent",
)
"""Kinds of placement a child may be moved to; placement for adoption (ADOPTION) follows them in the numbering."""

ADOPTION = len(KINDS)
LOCATIONS = ("inside", "outside_in_wales", "outside_wales")

_CODES = {
    "kin": ("F1", "F4", "F4"),
    "la_foster": ("F2", "F5", "F5"),
    "agency_foster": ("F3", "F6", "F6"),
    "parents": ("P1", "P1", "P1"),
    "home": ("H3", "H4", "H4"),
    "secure": ("H1", "H21", "H22"),
    "semi_independent": ("H5", "H5", "H5"),
    "independent": ("P2", "P2", "P2"),
    "employment": ("P3", "P3", "P3"),
    "school": ("S1", "S1", "S1"),
    "residential_care": ("R1", "R1", "R1"),
    "hospital": ("R2", "R2", "R2"),
    "family_centre": ("R3", "R3", "R3"),
    "custody": ("R5", "R5", "R5"),
    "other": ("Z1", "Z1", "Z1"),
    "concurrent": ("A8", "A8", "A8"),
}
"""The code of each kind by location: the Welsh codes say whether a carer or home lies inside the authority."""

FOSTER = among((KINDS.index(kind) for kind in ("kin", "la_foster", "agency_foster", "concurrent")), KINDS)
PARENTS = KINDS.index("parents")


def placement_code(kind: str, location: str) -> str:
    """Return the placement type code of a kind at a location (adoption codes depend on consent and carer)."""
    return _CODES[kind][LOCATIONS.index(location)]


class KindRules:
    """What the guidance allows, as masks over KINDS (rows: statuses) and lowest and highest ages."""

    def __init__(self, behaviour: Behaviour, guidance: Guidance) -> None:
        needs = guidance.allowed("placement_needs_legal_status")
        allows = guidance.allowed("legal_status_allows_placement")
        queried = guidance.allowed("legal_status_queried_with_placement")
        self.allowed = np.ones((len(STATUSES), len(KINDS)))
        for column, kind in enumerate(KINDS):
            for row, status in enumerate(STATUSES):
                for code in _CODES[kind]:
                    legal = (
                        (code not in needs or status in needs[code])
                        and (status not in allows or code in allows[status])
                        and (status not in queried or code not in queried[status])
                    )
                    self.allowed[row, column] *= legal
        base = behaviour.profile.warm_up_from
        # What the guidance tolerates as a rarity, or nobody would do, is not drawn either.
        for status, kinds in behaviour.value("placement.not_with_status", base).items():
            self.allowed[STATUSES.index(status), [KINDS.index(kind) for kind in kinds]] = 0.0
        # For every set of statuses (as packed bits), the kinds that all of them allow.
        held = np.unpackbits(np.arange(2**8, dtype=np.uint8)[:, None], axis=1)[:, : len(STATUSES)]
        self._lawful = held @ (self.allowed == 0) == 0
        # Kinds in which nobody is meant to stay long.
        longest = behaviour.table("placement.length_fit", base, KINDS, ("very_long",))
        self.passing = np.append(longest[:, 0] == 0, values=False)
        """Kinds (ADOPTION last) of which a stay is not made longer than it was drawn."""
        self.on_remand = self._factors(behaviour.value("placement.on_remand", base))
        self.first = self._factors(behaviour.value("placement.first", base))
        # The last row stands for no placement before (index -1).
        self.after = np.ones((len(KINDS) + 1, len(KINDS)))
        for kind, factors in behaviour.value("placement.after", base).items():
            self.after[KINDS.index(kind)] = self._factors(factors)

        def age(code: str) -> int:
            found = [guidance.limit("PLACEMENT_TYPE_CODE", code, m) for m in ("min_age_years", "query_age_years")]
            return int(max((value for value in found if value is not None), default=0))

        self.from_age = np.array([max(age(code) for code in _CODES[kind]) for kind in KINDS])
        infants = guidance.limit("PLACEMENT_TYPE_CODE", "R3", "infant_max_age_years") or 1
        parents = guidance.limit("PLACEMENT_TYPE_CODE", "R3", "parent_min_age_years") or 12
        self.family_centre_ages = (int(infants), int(parents))
        first = guidance.limit_date("PLACEMENT_TYPE_CODE", "A8", "first_start_date")
        self.concurrent_under = behaviour.scalar("placement.concurrent_under_age", base)
        self.concurrent_from = 0 if first is None else day(first.year, first.month, first.day)

    def lawful(self, during: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say of every kind whether all the statuses of a row allow it, shape (n, 16); `during` has shape (n, 7)."""
        return np.asarray(self._lawful.take(np.packbits(during, axis=1)[:, 0], axis=0))

    @staticmethod
    def _factors(named: Mapping[str, float]) -> NDArray[np.float64]:
        """Return one factor a kind, one where none is named."""
        return np.array([named.get(kind, 1.0) for kind in KINDS])
