"""Care and support plans and the child protection register: why they begin, how long they last, how they close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import Days, age_on, birthday
from synth.lives.admission import begins
from synth.lives.draw import among, choose, flagged, lognormal_days, normal, within
from synth.lives.people import QUEUE_BITS
from synth.lives.periods import DESTINATIONS, Entrants
from synth.working_days import next_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.streams import Streams, Uniform

__all__ = [
    "CLOSURES",
    "N1",
    "NEEDS",
    "PlanEnds",
    "adult_services",
    "aftercare_end",
    "need_draws",
    "needs",
    "registration",
    "short_break_series",
    "support_plan",
]

NEEDS = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9")
"""Categories of need, in the order of the code set."""

CLOSURES = ("RC1", "RC2", "RC4", "RC5", "RC6", "RC7")
"""Reasons a plan closes, as the all-year return codes them: adopted, died, special guardianship, another authority,
adult services, any other reason."""

_ADOPTED, _DIED, _GUARDIAN, _MOVED, _ADULT, _OTHER = range(6)
N1, _N2, _N6, _N9 = (NEEDS.index(code) for code in ("N1", "N2", "N6", "N9"))
_GOLDEN_RATIO = 0.6180339887498949
_GROWN_UP = 18
_OWN = [_N2, _N6, _N9]
"""Needs that are the child's own: a brother or sister does not share them."""
_IS_OWN = among(_OWN, NEEDS)
_INDEPENDENT, _GROWS_UP = DESTINATIONS.index("independent"), DESTINATIONS.index("grows_up")
_AT_ONCE = among((DESTINATIONS.index(name) for name in ("adoption", "died", "transfer", "grows_up")), DESTINATIONS)
"""Where a child goes whose plan ends with the period."""
_CLOSED_BY = {
    "adoption": _ADOPTED, "died": _DIED, "transfer": _MOVED, "guardian_carer": _GUARDIAN, "guardian_other": _GUARDIAN,
}  # fmt: skip
_BECAUSE = np.array([_CLOSED_BY.get(destination, _OTHER) for destination in DESTINATIONS], np.int8)


@dataclass(frozen=True, slots=True)
class PlanEnds:
    """Last day of each plan and why it ends (index into CLOSURES)."""

    end: Days
    because: NDArray[np.int8]

    @classmethod
    def until(cls, end: Days) -> PlanEnds:
        """Return plans that end on a day for no special reason."""
        return cls(end.astype(np.int32), np.full(len(end), _OTHER, np.int8))

    def only(self, take: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> PlanEnds:
        """Return the chosen ones."""
        return PlanEnds(self.end[take], self.because[take])

    def followed_by(self, others: PlanEnds) -> PlanEnds:
        """Return these and after them others."""
        return PlanEnds(np.append(self.end, others.end), np.append(self.because, others.because))


def needs(
    streams: Streams,
    behaviour: Behaviour,
    kind: str,
    family: NDArray[np.uint64],
    birth: Days,
    start: Days,
    year: int,
    tilt: NDArray[np.float64] | None = None,
    u: Uniform | None = None,
) -> NDArray[np.int8]:
    """Draw the category of need that opens a plan; children of one family share it unless it is one child's own.

    `tilt` multiplies the weight of abuse or neglect (N1), one factor a child; `u` is what `need_draws` gives, if known.

    Socially unacceptable behaviour (N6) is not drawn under the age of 10.
    """
    by_age = behaviour.once(f"need.{kind} by age", year, lambda: _need_weights(behaviour, kind, year))
    weights = by_age.take(age_on(birth, start), axis=1)
    if tilt is not None:
        weights[N1] *= tilt
    u = need_draws(streams, family) if u is None else u
    drawn = choose(u, weights.T)
    # The queue keeps a family's children together, the one who brought it in first.
    later = np.zeros(len(family), bool)
    later[1:] = family[1:] == family[:-1]
    own = flagged(later & _IS_OWN[drawn])
    if len(own) and kind != "unaccompanied":
        shared = weights.take(own, axis=1)
        shared[_OWN] = 0.0
        drawn[own] = choose(u[own], shared.T)
    return drawn.astype(np.int8)


def need_draws(streams: Streams, family: NDArray[np.uint64]) -> Uniform:
    """Return the uniform each family's need is drawn by.

    Spread evenly along each queue, so that a year's shares hardly depend on how few families it admits.
    """
    queue, place = family >> np.uint64(QUEUE_BITS), (family & np.uint64((1 << QUEUE_BITS) - 1)).astype(np.float64)
    u = (streams("need").uniform(queue) + place * _GOLDEN_RATIO) % 1.0
    return np.asarray(np.minimum(np.maximum(u, 1e-12), 1 - 1e-12))


def _need_weights(behaviour: Behaviour, kind: str, year: int) -> NDArray[np.float64]:
    """Return the weight of each need at each age in completed years, shape (9, 19)."""
    age = np.arange(_GROWN_UP + 1)
    weights = np.repeat(behaviour.vector(f"need.{kind}", year, NEEDS)[:, None], len(age), axis=1)
    weights[_N6, age < behaviour.scalar("need.n6_from_age", year)] = 0.0
    weights[_N9, age < behaviour.scalar("need.n9_from_age", year)] = 0.0
    # Disability is rarely the reason for a plan before it can be seen.
    seen = behaviour.value("need.n2_by_age", year)
    weights[_N2] *= np.interp(age, [float(key) for key in seen], list(seen.values()))
    return weights


def registration(
    streams: Streams,
    behaviour: Behaviour,
    family: NDArray[np.uint64],
    need: NDArray[np.int8],
    start: Days,
    kind: str,
    year: int,
) -> tuple[Days, NDArray[np.int32]]:
    """Return first day on the register and length in days of the plan that begins on `start`.

    A length of 0 says never; the first day then says nothing. Only plans for abuse or neglect (N1) lead to the
    register; all children of a family are registered together.
    """
    begin, length = start.astype(np.int32), np.zeros(len(start), np.int32)
    rows = flagged(need == N1)
    chance = behaviour.scalar(f"register.share_of_n1.{kind}", year)
    rows = rows[streams("registered").uniform(family[rows], start[rows]) < chance]
    family, start = family[rows], start[rows]
    wait, u, length_drawn = streams.each(("register wait", "registered later", "register length"), family, start)
    soon, late = (int(days) for days in behaviour.value("register.wait_days", year))
    later = u < behaviour.scalar("register.later_share", year)
    begin[rows] = next_working_day(start + np.where(later, within(wait, soon, late), within(wait, 0, soon)))
    value = behaviour.value("register.length", year)
    days = lognormal_days(length_drawn, value["median_days"], value["sigma"])
    length[rows] = np.minimum(np.maximum(days, value["shortest_days"]), value["longest_days"])
    return begin, length


def support_plan(
    streams: Streams,
    behaviour: Behaviour,
    family: NDArray[np.uint64],
    number: NDArray[np.int32],
    birth: Days,
    need: NDArray[np.int8],
    start: Days,
    register: tuple[Days, NDArray[np.int32]],
    year: int,
) -> PlanEnds:
    """Draw when plans of children who are not looked after end, never after the eve of the 18th birthday.

    Three kinds of plan, mixed in shares of their own for disability (N2) and for the rest: brief, middling, long.
    A plan outlasts the child's time on the register.
    """
    kinds = ("brief", "middling", "long")
    # Brothers and sisters stand together, and are drawn together.
    head = begins(family) | begins(number)
    v, u = streams.each(("plan kind", "plan length"), family[head], number[head])
    member = head.cumsum() - 1
    v, deviate = v.take(member), normal(u).take(member)
    kind, disabled = choose(v, behaviour.vector("plan.length_shares", year, kinds)), flagged(need == _N2)
    kind[disabled] = choose(v[disabled], behaviour.vector("plan.length_shares_disability", year, kinds))
    table = behaviour.table("plan.length", year, kinds, ("median_days", "sigma"))
    length = table[:, 0].take(kind) * np.exp(table[:, 1].take(kind) * deviate)
    length = np.maximum(length, behaviour.scalar("plan.shortest_days", year))
    begin, on = register
    listed = flagged(on)
    u = streams("plan tail").uniform(family[listed], number[listed])
    tail = within(u, *behaviour.value("register.plan_tail_days", year))
    length[listed] = np.maximum(length[listed], begin[listed] + on[listed] + tail - start[listed])
    end = (start + length).astype(np.int32)
    eve = birthday(birth, 18) - 1
    because = np.full(len(end), _OTHER, np.int8)
    grown = flagged(end >= eve)
    end[grown] = eve[grown]
    because[grown[adult_services(streams, behaviour, family[grown], need[grown], year)]] = _ADULT
    return PlanEnds(end, because)


def short_break_series(
    streams: Streams, behaviour: Behaviour, name: NDArray[np.uint64], birth: Days, start: Days, year: int
) -> Days:
    """Return the end of each series of short breaks, before 18."""
    value = behaviour.value("short_breaks.series", year)
    length = lognormal_days(streams("short break series").uniform(name), value["median_days"], value["sigma"])
    length = np.maximum(length, value["shortest_days"])
    return np.asarray(np.minimum(start + length, birthday(birth, 18) - 1), np.int32)


def adult_services(
    streams: Streams, behaviour: Behaviour, who: NDArray[np.uint64], need: NDArray[np.int8], year: int
) -> NDArray[np.bool_]:
    """Say whose care adult services take over at 18: most of those with a plan for their own disability (N2)."""
    goes = np.asarray(need == _N2)
    share = behaviour.scalar("plan.adult_services_share_n2", year)
    goes[goes] = streams("adult services").uniform(who[goes]) < share
    return goes


def aftercare_end(
    streams: Streams,
    behaviour: Behaviour,
    who: Entrants,
    need: NDArray[np.int8],
    destination: NDArray[np.int8],
    end: Days,
    year: int,
) -> PlanEnds:
    """Draw how long a plan goes on after a period of care, by where the child went.

    Adoption, death, transfer and the 18th birthday close it the same day; a child at home, with a guardian, in
    custody or living independently before 18 is supported for a while, at most to the eve of the 18th birthday.
    """
    value = behaviour.value("plan.aftercare", year)
    more = lognormal_days(streams("aftercare").uniform(who.name, who.number), value["median_days"], value["sigma"])
    at_once, independent = _AT_ONCE[destination], destination == _INDEPENDENT
    eve = birthday(who.birth, 18) - 1
    last = np.where(at_once, end, np.where(independent, eve, np.minimum(end + more, eve)))
    # Who came alone has no family here to be supported in: a plan without care does not go on for years.
    alone = end + int(behaviour.scalar("plan.aftercare_alone_at_most_days", year))
    last = np.where(who.unaccompanied, np.minimum(last, alone), last)
    because = _BECAUSE[destination]
    grown = destination == _GROWS_UP
    because[grown & adult_services(streams, behaviour, who.name, need, year)] = _ADULT
    return PlanEnds(last.astype(np.int32), because)
