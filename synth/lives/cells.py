"""The cells a year's stock is aligned in, and the room there is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth.dates import Days, age_on, last_day
from synth.lives.behaviour import band
from synth.lives.draw import flagged
from synth.lives.people import FEMALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.book import Book

__all__ = ["AGES", "Cells", "starts_to_spare"]

AGES = 18
"""Single years of age 0 to 17 on 31 March; nobody is looked after at 18."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Children wanted in care on 31 March of `year` by authority, sex and single year of age.

    Cells are numbered authority after authority, boys before girls, by age. `wanted` has one count a cell and `room`
    (filled up as children are admitted) what is still free; both have length authorities x 36.
    """

    year: int
    wanted: NDArray[np.int64]
    room: NDArray[np.int64]

    @classmethod
    def of_year(cls, book: Book, year: int) -> Cells | None:
        """Return the cells of a year, or None where the profile has no targets by sex and age."""
        found = book.behaviour.targets("stock", year, book.homes)
        if found is None:
            return None
        wanted = found.ravel()
        return cls(year, wanted, wanted.copy())

    def number(self, place: NDArray[np.integer], birth: Days, sex: NDArray[np.int8]) -> NDArray[np.int64]:
        """Return the cell of children under 18 on 31 March."""
        age = age_on(birth, last_day(self.year))
        return np.asarray(np.asarray(place, np.int64) * (2 * AGES) + (sex == FEMALE) * AGES + age)

    def by_authority(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add counts of cells up to authorities."""
        return np.asarray(counts.reshape(-1, 2 * AGES).sum(axis=1))

    def subtract(self, present: NDArray[np.int64], kept: NDArray[np.int64]) -> NDArray[np.int64]:
        """Set the room beside children already there (their cells) and return how many are too many in each cell.

        `kept` is the room of each cell that is wanted for newcomers and nobody who is there may fill.
        """
        left = self.wanted - kept - np.bincount(present, minlength=len(self.wanted))
        self.room[:] = np.maximum(left, 0) + kept
        return np.asarray(np.maximum(-left, 0))

    def keep_for_boys(self, count: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return room kept in each cell for `count` older boys of each authority, the oldest ages in turn.

        `taken` says how many places of each cell are not to be had.
        """
        kept = np.zeros(len(self.wanted), np.int64)
        free = np.maximum(self.wanted - taken, 0)
        for place, missing in enumerate(count.tolist()):
            oldest = place * 2 * AGES + AGES - 1
            ages, left = [oldest, oldest - 1, oldest, oldest - 1, oldest - 2], missing
            while left:
                before = left
                for cell in ages:
                    if left and kept[cell] < free[cell]:
                        kept[cell] += 1
                        left -= 1
                if left == before:
                    break
        return kept

    def make_up_for(self, surplus: NDArray[np.int64]) -> None:
        """Take room from other cells of the same authority for children too many: so its total is kept.

        That of the same sex and age group (BANDS) first, which are what is published; of equals the nearest age.
        """
        sex, age = np.divmod(np.arange(2 * AGES), AGES)
        group = band(age)
        for cell in flagged(surplus):
            place, own = divmod(int(cell), 2 * AGES)
            other_kind = (sex != sex[own]).astype(int) + (group != group[own])
            missing = int(surplus[cell])
            for other in np.lexsort((np.abs(age - age[own]), other_kind)):
                taken = min(missing, int(self.room[place * 2 * AGES + other]))
                self.room[place * 2 * AGES + other] -= taken
                missing -= taken


def starts_to_spare(book: Book, year: int, room: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return how many of the year's starts are left for children who leave before 31 March, by authority.

    `room` children are still to come and stay. None without a target.
    """
    starts = book.targets("starts", year, "starts")
    if starts is None:
        return None
    return np.asarray(np.maximum(starts - book.by_authority(book.started(year)) - room, 0))
