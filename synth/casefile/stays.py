"""Where the children of the looked-after return were placed in the year: episodes put together to stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.casefile.children import Children
    from synth.files import Generated

__all__ = ["Stays", "stays_of"]

_FOSTER = ("F2", "F3", "F5", "F6", "A8")
_KIN = ("F1", "F4")
_PARENTS = "P1"
_HOMES = "HRS"
"""First letters of the codes of homes, secure units, hospitals, residential schools and other establishments."""
_SHORT_BREAKS = "V1"


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays at one placement, in order of child and day; arrays of one length.

    `child` is the row of the child, `placement` its code, `postcode` where it is (blank: not in the return), `first`
    and `last` its first day and the day it ended as dd/mm/yyyy (blank: goes on). Flags say what kind of place it is.
    """

    child: NDArray[np.int64]
    placement: NDArray[np.str_]
    postcode: NDArray[np.str_]
    first: NDArray[np.str_]
    last: NDArray[np.str_]
    foster: NDArray[np.bool_]
    kin: NDArray[np.bool_]
    parents: NDArray[np.bool_]
    home: NDArray[np.bool_]
    short_breaks: NDArray[np.bool_]


def stays_of(made: Generated, children: Children) -> Stays:
    """Put together the episodes of a child that follow each other at one address under one code."""
    episode = made.forms["episode"]
    known = np.char.add(children.code, children.person)
    child = np.searchsorted(known, np.char.add(episode["LOCAL_AUTHORITY_CODE"], episode["SYSTEM_ID"]))
    placement, postcode = episode["PLACEMENT_TYPE_CODE"], episode["PLACEMENT_POSTCODE"]
    ended = episode["EPISODE_END_DATE"]
    fresh = np.ones(len(child), bool)
    same = (child[1:] == child[:-1]) & (placement[1:] == placement[:-1]) & (postcode[1:] == postcode[:-1])
    # A gap in between, out of care, makes another stay of it.
    fresh[1:] = ~(same & (ended[:-1] == episode["EPISODE_START_DATE"][1:]))
    begin = np.flatnonzero(fresh)
    end = np.append(begin[1:], len(child)) - 1
    code, where = placement[begin], postcode[begin]
    placed = where != ""
    return Stays(
        child=child[begin],
        placement=code,
        postcode=where,
        first=episode["EPISODE_START_DATE"][begin],
        last=ended[end],
        foster=np.isin(code, _FOSTER) & placed,
        kin=np.isin(code, _KIN) & placed,
        parents=code == _PARENTS,
        home=np.isin(code.astype("U1"), list(_HOMES)),
        short_breaks=episode["LEGAL_STATUS_CODE"][begin] == _SHORT_BREAKS,
    )
