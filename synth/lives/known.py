"""Families already known: cases that reopen, children who enter care from a plan, plans closed early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import birthday, day_of_year_start, last_day, quarter_day
from synth.guidance import load
from synth.lives.admission import Queue, foremost
from synth.lives.behaviour import BANDS
from synth.lives.book import HOME
from synth.lives.cells import Cells, starts_to_spare
from synth.lives.draw import among, flagged, within
from synth.lives.fitting import Budget, fit_in
from synth.lives.legal import FULL_ORDERS, LATEST, STATUSES, remand_bounds
from synth.lives.people import age_group
from synth.lives.periods import DESTINATIONS, DRAWN, Entrants, Outcome, outcome
from synth.lives.plans import PlanEnds, support_plan
from synth.lives.settling import room_by_group
from synth.working_days import next_working_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["close_early", "leave_early", "reopen", "stay_longer", "take_into_care", "wanted_alone"]

_GO_ON = among((STATUSES.index("V2"), STATUSES.index("C2")), STATUSES)
_MAY_STAY = among((HOME, DESTINATIONS.index("independent")), DESTINATIONS)
_MAY_LEAVE = among(
    (DESTINATIONS.index(name) for name in ("home", "guardian_carer", "guardian_other", "grows_up")), DESTINATIONS
)


def reopen(book: Book, year: int) -> None:
    """Let closed families come back: a new plan for every child still young enough."""
    first = day_of_year_start(year)
    child = book.children
    window = int(book.behaviour.scalar("plan.reopening_window_days", year))
    closed = (
        (child["plan_end"] < first) & (child["plan_end"] > first - window) & ~child["gone"] & ~child["unaccompanied"]
    )
    rows = flagged(closed)
    rows = rows[birthday(child["birth"][rows], 17) > first + 365]
    family, _, inverse = book.by_household(rows)
    u = book.streams("reopening").uniform(family, year)[inverse]
    been = book.households_of(child["care_number"] > 0)[child["household"][rows]]
    chance = book.behaviour.scalar("plan.reopening_chance", year) * np.where(
        been, book.behaviour.scalar("plan.reopening_if_looked_after", year), 1.0
    )
    rows = rows[u < chance]
    # A family comes back whole or not at all: no child of it may still hold a plan.
    rows = rows[~book.households_of(child["plan_end"] >= first)[child["household"][rows]]]
    u = book.streams("reopening day").uniform(child["family"][rows], year)
    start = within(u, first, last_day(year))
    closed_for = int(book.behaviour.scalar("plan.reopening_after_days", year))
    start = np.maximum(start, child["plan_end"][rows] + closed_for).astype(np.int32)
    here = start <= last_day(year)
    rows, start = rows[here], start[here]
    never = (start, np.zeros(len(rows), np.int32))
    ends = support_plan(
        book.streams, book.behaviour, child["family"][rows], child["plan_number"][rows] + 1,
        child["birth"][rows], child["need"][rows], start, never, year,
    )  # fmt: skip
    book.open_plans(rows, start, ends)


def take_into_care(book: Book, year: int, wanted: NDArray[np.int64], cells: Cells | None = None) -> NDArray[np.int64]:
    """Let children who already hold a plan enter care; return how many of them are still there on 31 March.

    The intensity is set so that the stated share of what the year wants comes this way, and no more families
    are taken than the year (or with `cells` each cell of it) has room for.
    """
    first, end = day_of_year_start(year), last_day(year)
    child, streams, behaviour = book.children, book.streams, book.behaviour
    rows, inverse, at, place, u = _asked(book, year, wanted)
    # The others share the proceedings of the first child of the family.
    first_to_go = rows[np.searchsorted(inverse, inverse)]
    joins = streams("enters with siblings").uniform(child["name"][rows], year) < behaviour.scalar(
        "siblings.enter_together_share", year
    )
    going = flagged(joins | (first_to_go == rows))
    rows, inverse, at, first_to_go = rows[going], inverse[going], at[going], first_to_go[going]
    who = Entrants(
        name=child["name"][rows],
        lead=child["name"][first_to_go],
        lead_birth=child["birth"][first_to_go],
        number=child["care_number"][rows],
        birth=child["birth"][rows],
        entry=at,
        unaccompanied=child["unaccompanied"][rows],
        under=np.full(len(rows), DRAWN, np.int8),
    )
    drawn = outcome(streams, behaviour, who, year)
    stays = drawn.end > end
    # Who left in the year and comes back stays this time: counts of leavers know each child once.
    lasting = flagged(stays | (child["care_end"][rows] < first))
    rows, inverse, stays = rows[lasting], inverse[lasting], stays[lasting]
    who, drawn = who.only(lasting), Outcome(drawn.destination[lasting], drawn.end[lasting])
    # Those chosen stand in line by their own draw; only as many go as the year has room for.
    order = np.lexsort((u, place))
    families = len(order)
    back = np.bincount(inverse, child["care_end"][rows] >= first, families)
    counts = np.bincount(inverse, stays, families).astype(np.int64)
    fits = np.zeros(families, bool)
    if cells is None:
        fits[order] = Queue(place[order], counts[order], len(book.homes)).reached() <= wanted[place[order]]
    else:
        rank = np.empty(families, np.int64)
        rank[order] = np.arange(families)
        who_stays = flagged(stays)
        who_stays = who_stays[np.argsort(rank[inverse[who_stays]], kind="stable")]
        number = cells.number(
            child["place"][rows[who_stays]], child["birth"][rows[who_stays]], child["sex"][rows[who_stays]]
        )
        leaving = np.bincount(inverse, ~stays, families)[order].astype(np.int64)
        spare = starts_to_spare(book, year, cells.by_authority(cells.room))
        # As many of the starts that do not last come this way as of those that do.
        share = behaviour.scalar("care.from_plan.share", year)
        brief = [] if spare is None else [Budget(leaving, np.floor(share * spare).astype(np.int64))]
        line = rank[inverse[who_stays]]
        groups = _room_in_groups(book, year, rows[who_stays], line, families)
        found = fit_in(
            line, number, families, cells.room, np.maximum(wanted, 0),
            [*brief, *groups, *_back_in_the_year(book, year, back[order])],
        )  # fmt: skip
        found |= _while_spare(place[order], counts[order] == 0, brief)
        fits[order] = found
    take = flagged(fits[inverse])
    book.enter_care(rows[take], who.only(take), drawn.destination[take], drawn.end[take], year)
    return book.by_authority(rows[take[stays[take]]])


def _asked(
    book: Book, year: int, wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
    """Return the children (by row) of families who hold a plan and might go into care, and the day they would.

    For each child the number of its family, for each family its authority and the draw it stands in line by.
    """
    first, end = day_of_year_start(year), last_day(year)
    child, streams, behaviour = book.children, book.streams, book.behaviour
    rows = flagged(
        (child["plan_end"] > first)
        & (child["care_end"] < end)
        & ~child["unaccompanied"]
        & ~child["short_breaks"]
        & ~child["gone"]
    )
    rows = rows[(birthday(child["birth"][rows], 17) > end) & (child["birth"][rows] < first)]
    family, place, inverse = book.by_household(rows)
    at = within(streams("entry from plan").uniform(family, year), first + 1, end)[inverse]
    apart = int(behaviour.scalar("care.days_between_periods", year))
    holds = flagged(
        (child["plan_start"][rows] < at) & (child["plan_end"][rows] > at) & (child["care_end"][rows] + apart < at)
    )
    rows, inverse, at = rows[holds], inverse[holds], at[holds]
    family_risk = np.bincount(inverse, _risk(book, rows, year), len(family))
    hoped = behaviour.scalar("care.from_plan.share", year) * wanted / behaviour.scalar("care.stay_share", year)
    total = np.bincount(place, family_risk, len(book.homes))
    intensity = np.divide(hoped, total, out=np.zeros(len(total)), where=total > 0)
    u = streams("enters from plan").uniform(family, year)
    most = behaviour.scalar("care.from_plan.family_chance_at_most", year)
    goes = u < np.minimum(most, intensity[place] * family_risk)
    going = flagged(goes[inverse])
    return rows[going], (np.cumsum(goes) - 1)[inverse[going]], at[going], place[goes], u[goes]


def _room_in_groups(
    book: Book, year: int, children: NDArray[np.int64], family: NDArray[np.int64], families: int
) -> list[Budget]:
    """Return the room of each ethnic group but the largest, for children (by row) of families who would stay."""
    room = room_by_group(book, year)
    if room is None:
        return []
    group = book.children["ethnic"][children]
    return [
        Budget(np.bincount(family[group == n], minlength=families), np.maximum(room[:, n], 0))
        for n in range(1, room.shape[1])
    ]


def _back_in_the_year(book: Book, year: int, size: NDArray[np.int64]) -> list[Budget]:
    """Return how many children each authority takes back who left it in the same year; `size` counts each family's."""
    starts = book.targets("starts", year, "starts")
    if starts is None:
        return []
    hoped = book.behaviour.scalar("care.back_in_year_share", year) * starts
    return [Budget(size, book.rounded(hoped, "back in the year", year))]


def _while_spare(place: NDArray[np.int64], nobody: NDArray[np.bool_], budgets: Sequence[Budget]) -> NDArray[np.bool_]:
    """Admit families of whom `nobody` stays until 31 March, in order, while there is something to spare for them."""
    taken = nobody.copy()
    for budget in budgets:
        line = Queue(place, np.where(nobody, budget.size, 0), len(budget.spare))
        taken &= line.reached() <= budget.spare[place]
    return taken


def _risk(book: Book, rows: NDArray[np.int64], year: int) -> NDArray[np.float64]:
    """Relative risk of entering care this year among children who hold a plan."""
    child, behaviour = book.children, book.behaviour
    first = day_of_year_start(year)
    risk = behaviour.vector("care.from_plan.risk_by_age", year, BANDS)[age_group(child["birth"][rows], first)]
    listed = child["registration"][rows]
    has = flagged(listed >= 0)
    begins, ends = (book.registrations[column][listed[has]] for column in ("start", "end"))
    risk[has[(begins <= first) & (ends > first)]] *= behaviour.scalar("care.from_plan.risk_if_registered", year)
    since = first - int(behaviour.scalar("care.from_plan.recent_days", year))
    recently = flagged(child["care_end"][rows] > since)
    home = recently[child["went"][rows[recently]] == HOME]
    risk[home] *= behaviour.scalar("care.from_plan.risk_if_returned", year)
    return risk


def close_early(book: Book, year: int, surplus: NDArray[np.int64]) -> None:
    """Close plans in authorities whose count falls faster than plans run out, at least `surplus` of them.

    Families go in the order of their own draw; those with a child in care this year or on the register stay.
    """
    first, end = day_of_year_start(year), last_day(year)
    child = book.children
    if not surplus.any():
        return
    rows = flagged((child["plan_end"] > end) & (surplus > 0)[child["place"]])
    listed = child["registration"][rows]
    off = np.where(listed >= 0, np.append(book.registrations["end"], 0)[listed], 0)
    tied = (off > first) | (child["care_end"][rows] > first) | child["short_breaks"][rows]
    begun = child["plan_start"][rows]
    tied |= begun > quarter_day(year)
    family, place, inverse = book.by_household(rows)
    free = np.bincount(inverse, tied, len(family)) == 0
    u = book.streams("early closure").uniform(family, year)
    order = np.lexsort((u, place))
    counts = (np.bincount(inverse, minlength=len(family)) * free)[order]
    queue = Queue(place[order], counts, len(book.homes))
    goes = np.zeros(len(family), bool)
    goes[order] = queue.reached() - counts < surplus[place[order]]
    closes = (goes & free)[inverse]
    day = within(book.streams("day of early closure").uniform(family, year), first, end)[inverse][closes]
    shortest = int(book.behaviour.scalar("plan.early_closure_after_days", year))
    day = np.maximum(day, np.minimum(begun[closes] + shortest, end))
    book.end_plans(rows[closes], PlanEnds.until(day))


def wanted_alone(book: Book, year: int, looked_after: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many unaccompanied asylum-seeking children each authority is to take in, beside those it has."""
    level = book.targets("unaccompanied", year, "unaccompanied")
    if level is None:
        share = book.behaviour.scalar("unaccompanied.share_of_stock", year)
        level = book.rounded(share * looked_after, "unaccompanied rounding", year)
    child = book.children
    here = book.by_authority(flagged(child["unaccompanied"] & (child["care_end"] > last_day(year))))
    return np.asarray(np.maximum(level - here, 0))


def leave_early(book: Book, year: int, looked_after: NDArray[np.int64], cells: Cells | None = None) -> None:
    """Let children leave care sooner where the stock falls faster than periods run out.

    In each authority (or with `cells` each cell of it) exactly the surplus goes, in the order of the children's own
    draw: those half a year in care first, in a cell also others and, last, unaccompanied children; of each, those who
    came lately sooner than those long in care. What happened to
    them before the year does not change; children to be adopted stay.
    """
    first = day_of_year_start(year)
    child, behaviour = book.children, book.behaviour
    present = book.in_care(year)
    place = child["place"][present].astype(np.int64)
    cell = place if cells is None else cells.number(place, child["birth"][present], child["sex"][present])
    if cells is None:
        surplus = np.maximum(np.bincount(place, minlength=len(looked_after)) - looked_after, 0)
    else:
        alone = child["unaccompanied"][present]
        held = np.bincount(cell[alone], minlength=len(cells.wanted))
        surplus = cells.subtract(cell, cells.keep_for_boys(wanted_alone(book, year, looked_after), held))
    settled = child["care_start"][present] < first - int(behaviour.scalar("care.early_leaving_after_days", year))
    tier = np.where(child["unaccompanied"][present], 2, np.where(settled, 0, 1))
    free = _MAY_LEAVE[child["went"][present]] & (surplus > 0)[cell]
    free &= (tier == 0) if cells is None else True
    rows, cell, tier = present[free], cell[free], tier[free]
    # A race in which those who came lately are fastest: leaving becomes rarer with time in care.
    held = (first - child["care_start"][rows]) / behaviour.scalar("care.early_leaving_fades_days", year)
    race = np.log(-np.log(book.streams("leaves early").uniform(child["name"][rows], year))) + held
    if book.targets("endings", year, "E4") is not None:
        # Home is where most go; those under a care order would stay on with their carer or see it discharged.
        ordered = FULL_ORDERS[book.status(rows, np.full(len(rows), first, np.int32))]
        race = race + np.where(ordered, behaviour.scalar("care.early_leaving_ordered", year), 0.0)
    rows = rows[foremost(cell, surplus, tier, race)]
    _leave(book, rows, year)
    if cells is not None:
        gone = np.bincount(
            cells.number(child["place"][rows], child["birth"][rows], child["sex"][rows]), minlength=len(surplus)
        )
        cells.make_up_for(surplus - gone)
        _make_room_in_groups(book, year, cells)


def _make_room_in_groups(book: Book, year: int, cells: Cells) -> None:
    """Let children of ethnic groups that have too many leave some time before they would: those next to leave first.

    Their places go to others, so that the stock by sex and age stays as it is wanted.
    """
    room = room_by_group(book, year)
    if room is None:
        return
    first, end = day_of_year_start(year), last_day(year)
    child, behaviour = book.children, book.behaviour
    settled = first - int(behaviour.scalar("care.early_leaving_after_days", year))
    rows = flagged((child["care_end"] > end) & (child["care_start"] < settled) & ~child["unaccompanied"])
    rows = rows[_MAY_LEAVE[child["went"][rows]] & (child["ethnic"][rows] > 0)]
    group = child["place"][rows].astype(np.int64) * room.shape[1] + child["ethnic"][rows]
    rows = rows[foremost(group, -room.ravel(), child["care_end"][rows], child["name"][rows])]
    _leave(book, rows, year)
    np.add.at(cells.room, cells.number(child["place"][rows], child["birth"][rows], child["sex"][rows]), 1)


def _leave(book: Book, rows: NDArray[np.int64], year: int) -> None:
    """Let children (by row) leave care sooner than drawn, on a working day of the year where there is one left."""
    first, end = day_of_year_start(year), last_day(year)
    day = within(book.streams("day of leaving early").uniform(book.children["name"][rows], year), first + 1, end)
    book.leave_care(rows, np.minimum(next_working_day(day), end).astype(np.int32), year)


def stay_longer(book: Book, year: int, cells: Cells) -> None:
    """Let children who were to go home late in the year stay into the next, where the year's starts are too few.

    Where more children are missing from the stock than the starts of the year would bring, those last to leave stay
    on, in cells with room. Stays of less than half a year are left alone.
    """
    starts = book.targets("starts", year, "starts")
    if starts is None:
        return
    first, end = day_of_year_start(year), last_day(year)
    child, behaviour = book.children, book.behaviour
    share = behaviour.scalar("care.stay_share_at_most", year)
    begun = book.by_authority(book.started(year))
    missing = cells.by_authority(cells.room) + begun - np.floor(share * starts).astype(np.int64)
    settled = int(behaviour.scalar("care.early_leaving_after_days", year))
    rows = flagged((child["care_end"] >= first) & (child["care_end"] <= end))
    rows = rows[_MAY_STAY[child["went"][rows]] & (missing > 0)[child["place"][rows]]]
    birth, held = child["birth"][rows], child["care_end"][rows] - child["care_start"][rows]
    # Short stays of older children may be remands, which have limits of their own.
    remanded_from, remand = remand_bounds(behaviour, load("cla", LATEST), year)
    shortest = np.where(birthday(birth, remanded_from) > end, settled // 2, max(settled, remand))
    rows = rows[(held > shortest) & (birthday(birth, 18) > end + settled)]
    # Agreement and full care orders go on as they are; nobody is on remand or under an interim order for years.
    period = child["period"][rows]
    drawn_end = book.periods["drawn_end"][period]
    status = book.status(rows, drawn_end - 1)
    # Who was to go home soon may have been on remand when the year began, for the sake of its total (see `otherwise`).
    remandable = (status == STATUSES.index("V2")) & (drawn_end >= first) & (drawn_end - remand < first)
    remandable &= (birthday(child["birth"][rows], remanded_from) < first) & ~child["unaccompanied"][rows]
    remandable &= book.periods["lead"][period] == child["name"][rows]
    goes_on = _GO_ON[status] & ~remandable
    rows, drawn_end = rows[goes_on], drawn_end[goes_on]
    place = child["place"][rows].astype(np.int64)
    # Who has stayed on before does so again only where nobody else can.
    again = child["care_end"][rows] > drawn_end
    rows = rows[np.lexsort((child["name"][rows], -child["care_end"][rows], again, place))]
    place = child["place"][rows].astype(np.int64)
    number = cells.number(place, child["birth"][rows], child["sex"][rows])
    each = np.arange(len(rows))
    groups = _room_in_groups(book, year, rows, each, len(rows))
    stays = fit_in(each, number, len(rows), cells.room, np.maximum(missing, 0), groups)
    rows = rows[stays]
    u = book.streams("stays longer").uniform(child["name"][rows], year)
    longest = int(behaviour.scalar("care.staying_longer_days", year))
    day = next_working_day(end + within(u, 1, longest)).astype(np.int32)
    book.end_care(rows, np.minimum(day, birthday(child["birth"][rows], 18) - 1).astype(np.int32), year)
