"""Children whose care passes from one Welsh authority to another in the course of a year.

Both authorities have to know the same child, and each is simulated without the other. So who is taken over, from whom,
by whom and when is drawn beforehand for all Wales, from names that stand for such a child: each authority then lives
its own part, the one up to the day care passes, the other from that day on. The child comes into care and is taken over
in one collection year, so that it is in the stock of at most one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.dates import Days, birthday, day_of_year_start, last_day
from synth.geography.areas import neighbour_table
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.lives.cells import AGES
from synth.lives.draw import choose, flagged, within
from synth.lives.homes import Homes, named, order_of, world_of
from synth.lives.legal import LATEST, ROUTES, STATUSES, legal_paths
from synth.lives.people import FEMALE, MALE, Members, ethnicity, family_names
from synth.lives.periods import DESTINATIONS, DRAWN, Entrants, Outcome, outcome
from synth.lives.plans import PlanEnds, needs
from synth.working_days import next_working_day, previous_working_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.behaviour import Behaviour
    from synth.lives.book import Book
    from synth.lives.cells import Cells
    from synth.lives.streams import Streams

__all__ = ["Transfers", "hand_over", "transfers"]

_TRANSFER, _HOME = DESTINATIONS.index("transfer"), DESTINATIONS.index("home")
_COUNTED_BY = ("endings", "starts")
"""Tables of targets that say how many are taken over in a year, the better one first."""
_DAYS = (
    "born when taken over", "entry before being taken over", "day of being taken over", "plan before being taken over",
)  # fmt: skip
"""Draws of the days of such a child, one after another."""
_ROUTE_OF = np.array([ROUTES.index(status) if status in ROUTES else DRAWN for status in STATUSES], np.int8)


@dataclass(frozen=True, slots=True)
class Transfers:
    """Children taken over within Wales in a year; arrays of one length.

    `sender` and `receiver` name the places (see `homes`), both of one world, `entry` is the day the child comes into
    the sender's care and `handover` the day on which that ends and the receiver's begins; `under` is the legal status
    then (index into ROUTES). The plan with the sender begins on `plan_start`, with the receiver on the day of handover.
    """

    sender: NDArray[np.int64]
    receiver: NDArray[np.int64]
    members: Members
    ethnic: NDArray[np.int8]
    need: NDArray[np.int8]
    plan_start: Days
    entry: Days
    handover: Days
    under: NDArray[np.int8]

    def with_sender(self) -> Entrants:
        """Return the children as they come into the sender's care."""
        return self._entrants(0, self.entry, np.full(len(self.entry), DRAWN, np.int8))

    def with_receiver(self) -> Entrants:
        """Return the children as they come into the receiver's care: for the second time, as they are known here."""
        return self._entrants(1, self.handover, self.under)

    def _entrants(self, number: int, entry: Days, under: NDArray[np.int8]) -> Entrants:
        n, who = len(entry), self.members
        return Entrants(
            name=who.name, lead=who.name, lead_birth=who.birth, number=np.full(n, number, np.int32), birth=who.birth,
            entry=entry, unaccompanied=np.zeros(n, bool), under=under,
        )  # fmt: skip


def transfers(streams: Streams, behaviour: Behaviour, worlds: tuple[int, ...], year: int) -> Transfers:
    """Draw the children taken over within Wales in collection year `year`, whichever authorities are simulated.

    As many leave an authority as its target for E3 says (else a share of its starts), less those taken over elsewhere
    in the United Kingdom. Without targets of either kind there are none.
    """
    first, last = day_of_year_start(year), last_day(year)
    wales = Homes(all_authorities(), worlds)
    sender, number = _leaving(streams, behaviour, wales, year)
    family = family_names(sender, year, "taken_over", number)
    within_wales = streams("taken over within Wales").uniform(family) < behaviour.scalar(
        "transfers.within_wales_share", year
    )
    sender, family = sender[within_wales], family[within_wales]

    receiver = _receiving(streams, behaviour, sender, family, year)
    sex, age = _sex_and_age(streams, behaviour, wales, receiver, family, year)
    on = np.full(len(family), last, np.int32)
    born, entered, passed, begun = streams.each(_DAYS, family)
    birth = within(born, birthday(on, -age - 1) + 1, birthday(on, -age)).astype(np.int32)
    members = Members(np.arange(len(family)), family, family * np.uint64(8), birth, sex)

    shortest, longest = behaviour.value("transfers.days_in_care", year)
    entry = next_working_day(within(entered, first, last - 2 * shortest))
    latest = np.minimum(entry + longest, last - shortest // 2)
    handover = next_working_day(within(passed, entry + shortest, latest))
    plan_start = np.maximum(within(begun, first, entry), birth)
    drawn = Transfers(
        sender=sender,
        receiver=receiver,
        members=members,
        ethnic=ethnicity(streams, behaviour, order_of(sender), family, np.zeros(len(family), bool)),
        need=needs(streams, behaviour, "care", family, birth, plan_start, year),
        plan_start=plan_start.astype(np.int32),
        entry=entry,
        handover=handover,
        under=np.full(len(family), DRAWN, np.int8),
    )
    destination = np.full(len(family), _TRANSFER, np.int8)
    path = legal_paths(streams, behaviour, load("cla", LATEST), drawn.with_sender(), destination, handover)
    drawn.under[:] = _ROUTE_OF[path.at(handover - 1)]
    return drawn


def _leaving(
    streams: Streams, behaviour: Behaviour, wales: Homes, year: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the home of each child taken over by anyone, and the child's number there in the year."""
    endings, starts = (behaviour.targets(table, year, wales) for table in _COUNTED_BY)
    if endings is not None:
        counts = endings[:, behaviour.profile.cells_of("endings", year).index("E3")]
    elif starts is not None:
        hoped = behaviour.scalar("transfers.share_of_starts", year) * starts[:, 0]
        counts = np.floor(hoped + streams("children taken over").uniform(wales.name, year)).astype(np.int64)
    else:
        counts = np.zeros(len(wales), np.int64)
    sender = np.repeat(wales.name, counts)
    return sender, np.arange(len(sender)) - np.repeat(np.cumsum(counts) - counts, counts)


def _receiving(
    streams: Streams, behaviour: Behaviour, sender: NDArray[np.int64], family: NDArray[np.uint64], year: int
) -> NDArray[np.int64]:
    """Draw the authority that takes over: mostly one next to the first, in the same world."""
    (table, count), own = neighbour_table(), order_of(sender)
    near = streams("taken over by a neighbour").uniform(family) < behaviour.scalar("transfers.to_neighbour_share", year)
    u = streams("taken over by").uniform(family)
    near_by = table[own, np.floor(u * count[own]).astype(np.int64)]
    anyone = np.floor(u * (len(table) - 1)).astype(np.int64)
    anyone += anyone >= own
    return named(world_of(sender), np.where(near, near_by, anyone))


def _sex_and_age(
    streams: Streams,
    behaviour: Behaviour,
    wales: Homes,
    receiver: NDArray[np.int64],
    family: NDArray[np.uint64],
    year: int,
) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Draw the sex, and the age on 31 March, of which the receiver's stock grows by more than those a year older.

    So there is room for the child where stock is aligned by sex and age. Without such growth any age will do.
    """
    youngest, oldest = behaviour.value("transfers.age", year)
    ages = oldest - youngest + 1
    boys = behaviour.scalar("household.male_share.care", year)
    weights = np.repeat([boys, 1 - boys], ages) * np.ones((len(family), 1))
    now, before = (behaviour.targets("stock", when, wales) for when in (year, year - 1))
    if now is not None and before is not None:
        grown = np.array([now[:, sex * AGES + youngest :][:, :ages] for sex in (0, 1)])
        grown -= np.array([before[:, sex * AGES + youngest - 1 :][:, :ages] for sex in (0, 1)])
        growth = np.maximum(grown, 0).transpose(1, 0, 2).reshape(len(now), -1)[wales.place(receiver)].astype(float)
        weights = np.where(growth.any(axis=1, keepdims=True), growth, weights)
    drawn = choose(streams("sex and age when taken over").uniform(family), weights)
    return np.where(drawn < ages, MALE, FEMALE).astype(np.int8), (youngest + drawn % ages).astype(np.int32)


def hand_over(book: Book, year: int, cells: Cells | None) -> None:
    """Write the children of the year whose care passes from or to an authority of the book.

    With `cells`, those who are with the receiver on 31 March take room in its cells, in theirs or the nearest.
    """
    if not any(book.behaviour.profile.cells_of(table, year) for table in _COUNTED_BY):
        return
    drawn = transfers(book.streams, book.behaviour, book.homes.worlds, year)
    _send(book, drawn, book.homes.place(drawn.sender), year)
    _receive(book, drawn, book.homes.place(drawn.receiver), year, cells)


def _send(book: Book, drawn: Transfers, place: NDArray[np.int64], year: int) -> None:
    here = place >= 0
    rows = book.add_children(place, drawn.members, drawn.need, here, ethnic=drawn.ethnic)
    book.open_plans(rows, drawn.plan_start[here], PlanEnds.until(drawn.handover[here]))
    book.register(rows, drawn.plan_start[here], drawn.entry[here], "care", year)
    destination = np.full(len(rows), _TRANSFER, np.int8)
    book.enter_care(rows, drawn.with_sender().only(here), destination, drawn.handover[here], year)


def _receive(book: Book, drawn: Transfers, place: NDArray[np.int64], year: int, cells: Cells | None) -> None:
    here = place >= 0
    who, last = drawn.with_receiver().only(here), last_day(year)
    found = outcome(book.streams, book.behaviour, who, year)
    if cells is not None:
        found = _with_room(cells, place[here], drawn.members.sex[here], who, found, last)
    rows = book.add_children(place, drawn.members, drawn.need, here, ethnic=drawn.ethnic)
    book.open_plans(rows, who.entry, PlanEnds.until(found.end))
    book.enter_care(rows, who, found.destination, found.end, year)


def _with_room(
    cells: Cells, place: NDArray[np.int64], sex: NDArray[np.int8], who: Entrants, drawn: Outcome, last: int
) -> Outcome:
    """Give children who stay until 31 March their room; where an authority has none at all they go home before."""
    destination, end = drawn.destination.copy(), drawn.end.copy()
    for child in flagged(end > last).tolist():
        one: Any = slice(child, child + 1)
        (cell,) = cells.number(place[one], who.birth[one], sex[one])
        if not cells.by_authority(cells.room)[place[child]]:
            destination[child], end[child] = _HOME, previous_working_day(np.array([last]))[0]
        elif cells.room[cell]:
            cells.room[cell] -= 1
        else:
            surplus = np.zeros_like(cells.room)
            surplus[cell] = 1
            cells.make_up_for(surplus)
    return Outcome(destination, end)
