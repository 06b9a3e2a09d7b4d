"""Children new to an authority who come straight into care, or soon: who is at the door and who is let in."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from synth.dates import Days, day_of_year_start, last_day, quarter_day
from synth.errors import ProfileError
from synth.lives.admission import begins, numbered, queue_lengths, queues
from synth.lives.cells import AGES, Cells, starts_to_spare
from synth.lives.departures import not_home_to_spare
from synth.lives.draw import among, flagged, within
from synth.lives.fitting import Budget, fit_in, take_in
from synth.lives.known import wanted_alone
from synth.lives.newcomers import line_up
from synth.lives.people import FEMALE, MALE, Members, family_names, members, only_children, queued
from synth.lives.periods import DESTINATIONS, DRAWN, Entrants, Outcome, outcome
from synth.lives.plans import PlanEnds, needs
from synth.lives.settling import settle_ethnicity, settle_ethnicity_alone, settle_needs, settle_plan_starts
from synth.lives.timing import bound_for_orders
from synth.working_days import next_working_day, previous_working_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["admit_unaccompanied", "fill_cells", "queue_for_care"]

T = TypeVar("T")
_ATTEMPTS = 12
_GROWS_UP = DESTINATIONS.index("grows_up")
_FIRST_ONLY_CHILD = 1 << 20
"""Only children who fill a cell are numbered from here on, far behind every queue."""


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """Children at the door; arrays of one length. `family` is each one's place in the queue it was drawn in."""

    place: NDArray[np.int64]
    family: NDArray[np.int64]
    members: Members
    who: Entrants
    drawn: Outcome
    stays: NDArray[np.bool_]

    def only(self, rows: NDArray[np.integer[Any]]) -> _Arrivals:
        """Return some of them; families keep their places in the queue."""
        drawn = self.drawn
        return _Arrivals(
            self.place[rows],
            self.family[rows],
            self.members.only(rows),
            self.who.only(rows),
            Outcome(drawn.destination[rows], drawn.end[rows]),
            self.stays[rows],
        )


def admit_unaccompanied(book: Book, year: int, looked_after: NDArray[np.int64], cells: Cells | None) -> None:
    """Admit unaccompanied asylum-seeking children, to their share of the stock."""
    room = np.maximum(looked_after - book.looked_after(year), 0)
    wanted = np.minimum(wanted_alone(book, year, looked_after), room)
    if cells is None:
        queue_for_care(book, year, "unaccompanied", wanted)
        return
    place, family = queues(book.homes.name, year, "unaccompanied", np.where(wanted > 0, 12 * wanted + 24, 1))
    found = _arrivals(book, place, family, "unaccompanied", year, _latest_entry(book, place, year, looked_after))
    _enter(book, found, _fitting(found, cells, len(family), wanted)[found.family], "unaccompanied", year, settle=True)


def queue_for_care(book: Book, year: int, kind: str, wanted: NDArray[np.int64]) -> None:
    """Admit families to whom care is the first or an early response, until `wanted` of them stay."""

    def draw(family: NDArray[np.uint64]) -> tuple[Members, NDArray[np.bool_], tuple[Entrants, Outcome]]:
        found = _arrivals(book, np.zeros(len(family), np.int64), family, kind, year)
        return found.members, found.stays, (found.who, found.drawn)

    place, new, take, (who, drawn) = line_up(book, kind, year, wanted, draw)
    _enter(book, _Arrivals(place, new.queue, new, who, drawn, take), take, kind, year)


def fill_cells(book: Book, year: int, cells: Cells) -> None:
    """Admit families to whom care is the first or an early response, until every cell of the stock is filled.

    Whole families come first, while every child of theirs that stays finds room; only children of the right sex and
    age take what is left. Families of whom nobody stays until 31 March are admitted up to the year's count of starts,
    or without one in proportion to their share of the line.
    """
    wanted = cells.by_authority(cells.room)
    bound = bound_for_orders(book, year)
    # Orders of the year are those of children who were in care before.
    leads = [destination for some, _ in bound for destination in some]
    spare, newest = starts_to_spare(book, year, wanted), _newest_to_spare(book, year)
    front = np.where(wanted > 0, 2 * wanted + 12, 1)
    lengths = queue_lengths(front)
    line = _Line.drawn(book, year, np.zeros_like(front), next(lengths), leads)
    newborn = line.found.stays & (line.found.members.birth > quarter_day(year))
    kinds = ((~line.found.stays, spare), (newborn, newest))
    budgets = [Budget(line.count(kind), left.copy()) for kind, left in kinds if left is not None]
    possible = replace(line.found, stays=line.found.stays & line.may_come[line.found.family])
    ahead = line.number < front[line.place]
    settled = _by_order(possible, ahead, cells, wanted, bound, budgets)
    left, grown = _brief_wanted(book, line, settled, ahead, cells, year), not_home_to_spare(book, year)
    taken = settled | line.brief(left, grown)
    blocks = [line.found.only(flagged(taken[line.found.family]))]
    # Where too few came and left again, the line goes on; nobody else is looked for there.
    done = line.length
    for length in lengths:
        if not left.any():
            break
        line = _Line.drawn(book, year, done, np.where(left > 0, length, done), leads)
        blocks.append(line.found.only(flagged(line.brief(left, grown)[line.found.family])))
        done = line.length
    queued = _joined(blocks)
    queued = queued.only(np.argsort(queued.members.name, kind="stable"))
    everyone = _joined([queued, *_only_children(book, year, cells, leads)])
    _enter(book, everyone, np.ones(len(everyone.place), bool), "care", year, settle=True)


@dataclass(frozen=True, slots=True)
class _Line:
    """Part of the lines of families for care in a year, drawn in full; arrays have one entry a family.

    `number` is a family's place in the line of its authority, `size` its children, `grown` those who turn 18 in care
    within the year; `may_come` excludes families with a child on the way to an order within the year. `length` says how
    far each authority's line reaches.
    """

    place: NDArray[np.int64]
    number: NDArray[np.int64]
    size: NDArray[np.int64]
    grown: NDArray[np.int64]
    may_come: NDArray[np.bool_]
    nobody_stays: NDArray[np.bool_]
    found: _Arrivals
    length: NDArray[np.int64]

    @classmethod
    def drawn(
        cls, book: Book, year: int, first: NDArray[np.int64], length: NDArray[np.int64], not_bound_for: list[int]
    ) -> _Line:
        """Draw the lines of all places from their families numbered `first` on, until they have this length."""
        place, family = queues(book.homes.name, year, "care", length, first)
        found, (_, number) = _arrivals(book, place, family, "care", year), queued(family)
        families = len(place)
        soon = ~found.stays & among(not_bound_for, DESTINATIONS)[found.drawn.destination]
        may_come = np.bincount(found.family[soon], minlength=families) == 0
        nobody_stays = (np.bincount(found.family[found.stays], minlength=families) == 0) & may_come
        size = np.bincount(found.family, minlength=families)
        grown = np.bincount(found.family[~found.stays & (found.drawn.destination == _GROWS_UP)], minlength=families)
        return cls(place, number, size, grown, may_come, nobody_stays, found, length)

    def count(self, children: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count some of the children in each family."""
        return np.bincount(self.found.family[children], minlength=len(self.place))

    def brief(self, left: NDArray[np.int64], grown: NDArray[np.int64] | None) -> NDArray[np.bool_]:
        """Admit families of whom nobody stays, up to as many children of each authority as are `left` (used up).

        No more of them than `grown` (used up too) turn 18; None sets no limit.
        """
        rows = flagged(self.nobody_stays)
        taken = np.zeros(len(self.place), bool)
        limits = [] if grown is None else [Budget(self.grown[rows], grown)]
        taken[rows] = take_in(self.place[rows], self.size[rows], left, limits)
        return taken


def _brief_wanted(
    book: Book, line: _Line, settled: NDArray[np.bool_], ahead: NDArray[np.bool_], cells: Cells, year: int
) -> NDArray[np.int64]:
    """Return how many children of families of whom nobody stays each authority admits beside those settled."""
    here = np.bincount(line.place[settled], line.size[settled], len(book.homes)).astype(np.int64)
    here += cells.by_authority(cells.room)
    wanted = starts_to_spare(book, year, here)
    if wanted is not None:
        return wanted
    short = ahead & line.nobody_stays
    others = ahead & ~line.nobody_stays
    of_others, of_short = (np.bincount(line.place[some], line.size[some], len(here)) for some in (others, short))
    return np.floor(of_short * here / np.maximum(of_others, 1)).astype(np.int64)


def _newest_to_spare(book: Book, year: int) -> NDArray[np.int64] | None:
    """Return how many more children looked after on 31 March may have a plan younger than three months, by authority.

    None without a target.
    """
    wanted = book.targets("status", year, "newest")
    if wanted is None:
        return None
    here = book.in_care(year)
    there = book.by_authority(here[book.children["plan_start"][here] > quarter_day(year)])
    # Where there are too many already, families without any such child come as ever.
    return np.asarray(np.maximum(wanted - there, 0))


def _by_order(
    found: _Arrivals,
    ahead: NDArray[np.bool_],
    cells: Cells,
    wanted: NDArray[np.int64],
    bound: list[tuple[list[int], NDArray[np.int64]]],
    budgets: list[Budget],
) -> NDArray[np.bool_]:
    """Admit queued families that fit: first those bound for an order, up to their number, then the others `ahead`."""
    families = len(ahead)
    settled = np.zeros(families, bool)
    left = found.stays.copy()
    most = wanted.copy()
    for leads, number in bound:
        on_the_way = np.bincount(found.family, left & among(leads, DESTINATIONS)[found.drawn.destination], families) > 0
        here = np.minimum(number, most)
        before = here.copy()
        settled |= _fitting(replace(found, stays=left & on_the_way[found.family]), cells, families, here, budgets)
        most -= before - here
        left &= ~on_the_way[found.family]
    return settled | _fitting(replace(found, stays=left & ahead[found.family]), cells, families, most, budgets)


def _only_children(book: Book, year: int, cells: Cells, not_bound_for: list[int]) -> list[_Arrivals]:
    """Draw only children of the right sex and age, who stay beyond 31 March, until no cell has room.

    They are not on the way to an order the year has enough of, unless hardly anybody else is to be found.
    """
    tried = np.zeros(len(cells.room), np.int64)
    # Newborns come with the queue, as many as there are places for plans that young.
    latest = last_day(year) if book.targets("status", year, "newest") is None else quarter_day(year)
    blocks: list[_Arrivals] = []
    for attempt in range(_ATTEMPTS):
        if not cells.room.any():
            return blocks
        count = np.where(cells.room > 0, 3 * cells.room + 4, 0)
        cell = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count) + tried[cell]
        tried += count
        place, within_place = np.divmod(cell, 2 * AGES)
        sex, age = np.divmod(within_place, AGES)
        family = family_names(book.homes.name[place], year, "care", _FIRST_ONLY_CHILD + (within_place << 12) + number)
        codes = np.where(sex == 0, MALE, FEMALE).astype(np.int8)
        new, entry = only_children(book.streams, book.behaviour, family, codes, age.astype(np.int32), year)
        found = _outcomes(book, place, new, entry, family, "care", year)
        bound = among(not_bound_for, DESTINATIONS)[found.drawn.destination] & (attempt < _ATTEMPTS // 2)
        found = replace(found, stays=found.stays & ~bound & (found.members.birth <= latest))
        first: NDArray[np.int64] = np.cumsum(found.stays) - found.stays
        before = np.concatenate(([0], np.cumsum(found.stays)))[np.cumsum(count)[cell] - count[cell]]
        chosen = found.stays & (first - before < cells.room[cell])
        cells.room[:] -= np.bincount(cell[chosen], minlength=len(count))
        blocks.append(found.only(flagged(chosen)))
    raise ProfileError(
        f"Profile {book.behaviour.profile.name!r}, {year}: hardly any child who would enter care stays until 31 March."
        " Stays are too short for the levels; change one of them."
    )


def _fitting(
    found: _Arrivals, cells: Cells, families: int, most: NDArray[np.int64], budgets: Sequence[Budget] = ()
) -> NDArray[np.bool_]:
    """Admit queued families while each child who stays finds room in its cell, within budgets."""
    who = flagged(found.stays)
    number = cells.number(found.place[who], found.members.birth[who], found.members.sex[who])
    return fit_in(found.family[who], number, families, cells.room, most, budgets)


def _latest_entry(
    book: Book, place: NDArray[np.int64], year: int, looked_after: NDArray[np.int64]
) -> NDArray[np.int32] | None:
    """Return the last day of entry of each queued child, early enough for the three-month rule where that is counted.

    A plan of an unaccompanied child begins on entry, so few can come after 1 January where nearly all of the stock
    is counted: a share of those whom the targets leave out.
    """
    counted = book.targets("status", year, "looked_after", "both")
    if counted is None:
        return None
    room = np.floor(book.behaviour.scalar("unaccompanied.share_of_newest", year) * (looked_after - counted))
    return np.where(numbered(place) < room[place], last_day(year), quarter_day(year)).astype(np.int32)


def _arrivals(
    book: Book,
    place: NDArray[np.int64],
    family: NDArray[np.uint64],
    kind: str,
    year: int,
    latest: NDArray[np.int32] | None = None,
) -> _Arrivals:
    """Draw queued families in full: members, the day they enter care, where the period leads."""
    entry = _entry_days(book, family, year)
    if latest is not None:
        early = within(book.streams("entry before the quarter").uniform(family), day_of_year_start(year), latest)
        entry = np.where(entry > latest, early, entry).astype(np.int32)
    new = members(book.streams, book.behaviour, kind, family, entry, year)
    return _outcomes(book, place[new.queue], new, entry[new.queue], family[new.queue], kind, year)


def _outcomes(
    book: Book,
    place: NDArray[np.int64],
    new: Members,
    entry: Days,
    family: NDArray[np.uint64],
    kind: str,
    year: int,
) -> _Arrivals:
    who = Entrants(
        name=new.name,
        lead=family * np.uint64(8),
        lead_birth=new.birth[np.searchsorted(new.queue, new.queue)],
        number=np.zeros(len(new.name), np.int32),
        birth=new.birth,
        entry=entry,
        unaccompanied=np.full(len(new.name), kind == "unaccompanied"),
        under=np.full(len(new.name), DRAWN, np.int8),
    )
    drawn = outcome(book.streams, book.behaviour, who, year)
    return _Arrivals(place, new.queue, new, who, drawn, drawn.end > last_day(year))


def _joined(blocks: list[_Arrivals]) -> _Arrivals:
    """Put queues one after the other; families are numbered anew."""

    def joined(kind: type[T], parts: list[T]) -> T:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        return kind(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    new = joined(Members, [block.members for block in blocks])
    family = np.cumsum(begins(new.family)) - 1
    return _Arrivals(
        np.concatenate([block.place for block in blocks]),
        family,
        replace(new, queue=family),
        joined(Entrants, [block.who for block in blocks]),
        joined(Outcome, [block.drawn for block in blocks]),
        np.concatenate([block.stays for block in blocks]),
    )


def _enter(
    book: Book, found: _Arrivals, take: NDArray[np.bool_], kind: str, year: int, *, settle: bool = False
) -> None:
    """Write the chosen children: who they are, their plan, a registration before care, the period of care.

    With `settle` ethnic groups, needs and plan starts are fitted to the targets of the year.
    """
    streams, behaviour, new, who, drawn = book.streams, book.behaviour, found.members, found.who, found.drawn
    start = _lead_in(book, new, who.entry, kind, year)
    ethnic = None
    if settle:
        counted = take & found.stays
        if kind == "unaccompanied":
            ethnic = settle_ethnicity_alone(book, year, found.place, new, take)
        else:
            start = settle_plan_starts(book, year, found.place, new, who.entry, start, counted)
            ethnic = settle_ethnicity(book, year, found.place, new, counted)
    need = needs(streams, behaviour, kind, new.family, new.birth, start, year)
    if settle and kind != "unaccompanied":
        need = settle_needs(book, year, found.place, new, need, take)
    rows = book.add_children(found.place, new, need, take, ethnic=ethnic, unaccompanied=kind == "unaccompanied")
    chosen = flagged(take)
    start, who, end = start[chosen], who.only(chosen), drawn.end[chosen]
    book.open_plans(rows, start, PlanEnds.until(end))
    book.register(rows, start, who.entry, "care", year)
    book.enter_care(rows, who, drawn.destination[chosen], end, year)


def _entry_days(book: Book, family: NDArray[np.uint64], year: int) -> Days:
    """Draw days of entry: evenly over the year, but fewer on free days, when only emergencies come in."""
    first, end = day_of_year_start(year), last_day(year)
    day, u = book.streams.each(("entry day", "entry waits"), family)
    drawn = within(day, first, end)
    waits = u < book.behaviour.scalar("care.entry_waits_for_working_day", year)
    return np.where(waits, np.minimum(next_working_day(drawn), previous_working_day(np.array([end]))), drawn)


def _lead_in(book: Book, new: Members, entry: NDArray[np.int32], kind: str, year: int) -> NDArray[np.int32]:
    """Plan starts of families new this year: at entry, or some time before but after 1 April and birth."""
    if kind == "unaccompanied":
        return entry
    u = book.streams("plan before care").uniform(new.family)
    at_once = book.behaviour.scalar("care.plan_starts_at_entry_share", year)
    room = entry - day_of_year_start(year)
    lead_in = np.where(u < at_once, 0, np.floor((u - at_once) / (1 - at_once) * (room + 1)))
    return np.maximum(entry - lead_in, new.birth).astype(np.int32)
