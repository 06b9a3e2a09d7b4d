"""What a dataset is to hold: which worlds and years, in which form, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synth.errors import InputError
from synth.files import FILES
from synth.geography.authorities import all_authorities
from synth.lives.homes import MOST_WORLDS
from synth.manifest import command_of
from synth.profile.projected import check_covered, reaching

if TYPE_CHECKING:
    from synth.geography.authorities import Authority
    from synth.profile import Profile

__all__ = ["Plan", "partition_of"]

_DIGITS = 4
"""Worlds are numbered from 1, with so many digits, so that their folders stand in order."""


def partition_of(year: int, world: int) -> str:
    """Return where a year of a world (counted from 0) stands in a dataset, named as Hive partitions are."""
    return f"year={year}/world={world + 1:0{_DIGITS}d}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A dataset: the same authorities and years of `worlds` worlds, each of them whole.

    `years` rise, `codes` are those of the authorities in official order; `mode` and `collection` are as in
    `generate_panel`, `form` is what the files are. With `by_authority` files stand in a folder for each authority.
    """

    codes: tuple[str, ...]
    years: tuple[int, ...]
    worlds: int
    seed: int
    mode: str = "exact"
    collection: str = ""
    form: Literal["csv", "parquet"] = "csv"
    by_authority: bool = False

    def checked(self, profile: Profile) -> Plan:
        """Return the plan itself; InputError where worlds cannot be numbered or the profile does not cover a year."""
        if not 1 <= self.worlds <= MOST_WORLDS:
            raise InputError(f"--scale {self.worlds}: a dataset holds 1 to {MOST_WORLDS:,} worlds; choose a number.")
        for year in self.years:
            check_covered(profile, year)
        return self

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """The authorities, in official order."""
        return tuple(authority for authority in all_authorities() if authority.code in self.codes)

    @property
    def partitions(self) -> dict[str, tuple[int, int]]:
        """Every partition's name, with its year and world, in the order of the dataset."""
        return {partition_of(year, world): (year, world) for world in range(self.worlds) for year in self.years}

    def names(self) -> dict[str, str]:
        """Return the name of each form's file."""
        return {form: name.removesuffix(".csv") + f".{self.form}" for form, name in FILES.items()}

    def command(self, year: int, world: int) -> str:
        """Return the command that makes one year of one world by itself."""
        return command_of(self.codes, f"--year {year}", self.seed, self.mode, self.collection, world)

    @property
    def whole_command(self) -> str:
        """The command that makes the dataset."""
        first, last = self.years[0], self.years[-1]
        years = f"--year {first}" if first == last else f"--years {first}-{last}"
        command = command_of(self.codes, years, self.seed, self.mode, self.collection)
        by_authority = " --by-authority" if self.by_authority else ""
        return f"{command} --scale {self.worlds} --format {self.form}{by_authority}"

    def profile_of(self, published: Profile, year: int | None = None) -> Profile:
        """Return the profile a year rests on, of all years' without one: what comes after a year has no part in it."""
        return reaching(published, max(self.years) if year is None else year)
