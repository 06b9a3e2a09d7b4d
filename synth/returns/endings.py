"""Why periods of care cease: the reason codes, from where each period leads and how it stood at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day
from synth.guidance import load
from synth.lives.draw import choose
from synth.lives.legal import STATUSES
from synth.lives.periods import DESTINATIONS
from synth.lives.placements import KINDS
from synth.lives.plans import adult_services
from synth.lives.unfolding import LATEST, Care

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.streams import Streams

__all__ = ["ending_codes"]

_FIXED = {"guardian_carer": "E43", "guardian_other": "E44", "died": "E2", "transfer": "E3", "custody": "E9"}
_AT_18 = ("E10", "E5", "E6", "E8")
_FOSTER = [KINDS.index(kind) for kind in ("kin", "la_foster", "agency_foster")]


def ending_codes(streams: Streams, behaviour: Behaviour, history: History, care: Care) -> NDArray[np.str_]:
    """Return the reason each period of care ceases (one a period, known only once the end has come)."""
    period, who = care.period, care.who
    destination, end = period["destination"], period["end"]
    base = behaviour.profile.warm_up_from
    code = np.full(len(destination), "E8 ")
    for name, reason in _FIXED.items():
        code[destination == DESTINATIONS.index(name)] = reason

    # Only who lived with a foster carer can stay with one under a special guardianship order.
    kind = care.last(care.stays.kind)
    code[(code == "E43") & ~np.isin(kind, _FOSTER)] = "E44"

    legal = care.path.at(end - 1)
    home = destination == DESTINATIONS.index("home")
    # A care order is discharged with the child at home already: the child does not return, the period ceases.
    ordered = np.isin(legal, [STATUSES.index("C2"), STATUSES.index("E1")])
    code[home & ~ordered] = "E4"

    adopted = destination == DESTINATIONS.index("adoption")
    unopposed = streams("adoption unopposed").uniform(who.name) < behaviour.scalar(
        "ending.adopted_unopposed_share", base
    )
    code[adopted] = np.where(unopposed | care.path.consent, "E11", "E12")[adopted]

    independent = destination == DESTINATIONS.index("independent")
    u = streams("way of leaving").uniform(who.name)
    ways = ("E5", "E6")
    code[independent] = np.array(ways)[choose(u[independent], behaviour.vector("ending.independent", base, ways))]

    grown = destination == DESTINATIONS.index("grows_up")
    weights = np.select(
        [np.isin(kind, _FOSTER)[:, None], (kind == KINDS.index("parents"))[:, None]],
        [
            behaviour.vector("ending.at_18_from_foster", base, _AT_18)[None],
            behaviour.vector("ending.at_18_from_parents", base, _AT_18)[None],
        ],
        behaviour.vector("ending.at_18_otherwise", base, _AT_18)[None],
    )
    first = load("cla", LATEST).limit_date("REASON_EPISODE_FINISHED_CODE", "E10", "first_end_date")
    if first is not None:
        weights[end < day(first.year, first.month, first.day), _AT_18.index("E10")] = 0.0
    code[grown] = np.array(_AT_18)[choose(u[grown], weights[grown])]
    need = history.children["need"][period["child"]]
    code[grown & adult_services(streams, behaviour, who.name, need, base)] = "E7"
    # Who leaves sooner than drawn goes home, or, under an order, stays on with a guardian or sees it discharged.
    early = care.left_early()
    final = care.episodes.last
    away = np.zeros(len(code), bool)
    away[care.episodes.period[final]] = care.episodes.away[final] >= 0
    with_carer = np.isin(kind, _FOSTER) & (end < birthday(who.birth, 18) - 1)
    sooner = np.where(~ordered & ~away, "E4", np.where(ordered & with_carer & ~away, "E43", "E8"))
    code[early] = sooner[early]
    return np.char.strip(code)
