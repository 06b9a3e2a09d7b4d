"""Why periods of care cease: the reason codes, from where each period leads and how it stood at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day, day_of_year_start, last_day
from synth.guidance import load
from synth.lives.assignment import choose_with_rest, gumbel
from synth.lives.draw import choose
from synth.lives.legal import FULL_ORDERS, LATEST, STATUSES
from synth.lives.periods import DESTINATIONS
from synth.lives.placements import KINDS
from synth.lives.plans import adult_services

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.histories import History
    from synth.lives.streams import Streams
    from synth.lives.unfolding import Care

__all__ = ["ending_codes"]

_FIXED = {"guardian_carer": "E43", "guardian_other": "E44", "died": "E2", "transfer": "E3", "custody": "E9"}
_GUARDIANS = ["E43", "E44"]
_AT_18 = ("E10", "E5", "E6", "E8")
_CUSTODY_AGE = 14
"""Nobody younger is put down as sentenced to custody in place of another reason."""
_FOSTER = [KINDS.index(kind) for kind in ("kin", "la_foster", "agency_foster")]


def ending_codes(streams: Streams, behaviour: Behaviour, history: History, care: Care) -> NDArray[np.str_]:
    """Return the reason each period of care ceases (one a period, known only once the end has come)."""
    period, who = care.period, care.who
    destination, end = period["destination"], period["end"]
    base = behaviour.profile.warm_up_from
    code = np.full(len(destination), "E8 ")
    for name, reason in _FIXED.items():
        code[destination == DESTINATIONS.index(name)] = reason

    # Only who lived with a foster carer can stay with one under a special guardianship order, and nobody who is away
    # on the day it is made: an order hastened into a year does not wait for who went missing before.
    kind, final = care.last(care.stays.kind), care.episodes.last
    away = np.zeros(len(code), bool)
    away[care.episodes.period[final]] = care.episodes.away[final] >= 0
    code[(code == "E43") & ~np.isin(kind, _FOSTER)] = "E44"
    code[np.isin(code, _GUARDIANS) & away] = "E8"

    legal = care.path.at(end - 1)
    home = destination == DESTINATIONS.index("home")
    # A care order is discharged with the child at home already, by then for good.
    ordered, to_parents = _orders(legal, kind)
    code[home & to_parents] = "E4"

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
    with_carer = np.isin(kind, _FOSTER) & (end < birthday(who.birth, 18) - 1)
    sooner = np.where(to_parents & ~away, "E4", np.where(ordered & with_carer & ~away, "E43", "E8"))
    code[early] = sooner[early]
    for name, reason in _FIXED.items():
        code[care.period["instead"] == DESTINATIONS.index(name)] = reason
    code = np.char.strip(code)
    cells = behaviour.targets("endings", care.year, history.homes)
    if cells is None:
        return code
    lawful = _lawful(care, legal, kind, away)
    return _settled(streams, behaviour, history, care, code, lawful, cells)


def _orders(legal: NDArray[np.int64], kind: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which periods end under a full or placement order, and which may end with a return home.

    Those are the others, and those discharged from a care order at home.
    """
    ordered = FULL_ORDERS[legal]
    return ordered, ~ordered | ((legal == STATUSES.index("C2")) & (kind == KINDS.index("parents")))


def _lawful(
    care: Care, legal: NDArray[np.int64], kind: NDArray[np.int64], away: NDArray[np.bool_]
) -> dict[str, NDArray[np.bool_]]:
    """Say for codes that need it which periods may end so; codes not named may end any period."""
    end, birth = care.period["end"], care.who.birth
    grown = end >= birthday(birth, 18) - 1
    teens = birthday(birth, 16) <= end
    with_carer = np.isin(kind, _FOSTER) & ~away
    ordered, to_parents = _orders(legal, kind)
    first = load("cla", LATEST).limit_date("REASON_EPISODE_FINISHED_CODE", "E10", "first_end_date")
    begun = end >= (day(first.year, first.month, first.day) if first is not None else 0)
    return {
        "E4": to_parents & ~away & ~grown,
        "E43": with_carer & ~grown,
        "E44": ~away & ~grown,
        "E5": teens,
        "E6": teens,
        "E7": teens,
        "E9": (birthday(birth, _CUSTODY_AGE) <= end) & ~grown & ~ordered & ~away,
        "E10": grown & with_carer & begun,
        "E12": legal == STATUSES.index("E1"),
    }


def _settled(
    streams: Streams,
    behaviour: Behaviour,
    history: History,
    care: Care,
    code: NDArray[np.str_],
    lawful: dict[str, NDArray[np.bool_]],
    wanted: NDArray[np.int64],
) -> NDArray[np.str_]:
    """Return the reasons of those who left in the year so that each authority's counts come out.

    What was drawn for a period is the likeliest for it; the profile says what else might have been returned.
    """
    names = np.array(behaviour.profile.cells_of("endings", care.year))
    end = care.period["end"]
    rows = np.flatnonzero((end >= day_of_year_start(care.year)) & (end <= last_day(care.year)))
    others = behaviour.value("ending.instead", behaviour.profile.warm_up_from)
    drawn, which = np.unique(code[rows], return_inverse=True)
    weights = np.array(
        [[1.0 if own == name else others.get(own, {}).get(name, 0.0) for name in names] for own in drawn.tolist()]
    ).reshape(-1, len(names))
    score = np.full((len(rows), len(names)), -np.inf)
    for column, name in enumerate(names.tolist()):
        weight = weights[which, column]
        allowed = weight > 0
        if name in lawful:
            allowed &= lawful[name][rows] | (drawn == name)[which]
        here = rows[allowed]
        u = streams(f"reason {name}").uniform(care.who.name[here], care.who.number[here])
        score[allowed, column] = np.log(weight[allowed]) + gumbel(u)
    group = history.children["place"][care.period["child"][rows]].astype(np.int64)
    # What is missing of one reason is made up for by that which stands for no other.
    chosen = choose_with_rest(score, group, wanted, names.tolist().index("E8"))
    found = code.copy()
    found[rows] = names[chosen]
    return found
