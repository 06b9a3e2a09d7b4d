"""The part of generate that writes more beside the forms of a year: what tells of them, other formats, and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from synth.cli.kinds import SHARE
from synth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from synth.files import Generated
    from synth.profile import Profile

__all__ = ["FORMATS", "PEOPLE", "SLIPS", "Beside", "beside"]

FORMATS = click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="LIST",
    help="More formats beside the CSV files, each in a folder of its name: parquet, xlsx, sqlite, duckdb, stata, spss;"
    " several with commas between. With --scale: csv or parquet.  [csv]",
)
PEOPLE = click.option(
    "--people",
    is_flag=True,
    help="Write beside the returns, in the folder people, what a case system holds: invented names, families,"
    " addresses, schools, social workers.",
)
SLIPS = click.option(
    "--people-slips",
    "slips",
    type=SHARE,
    default=0.0,
    metavar="RATE",
    help="--people with slips of the pen in this share of the persons, and an answer sheet.",
)


class Beside(NamedTuple):
    """What is to stand beside the forms of a year: formats other than CSV, and people with slips at a rate."""

    formats: tuple[str, ...]
    people: bool
    slips: float

    @property
    def options(self) -> str:
        """The options that ask for it, each with a space before it."""
        people = f" --people-slips {self.slips}" if self.slips else " --people" * self.people
        return (f" --format {','.join(self.formats)}" if self.formats else "") + people

    def writer(self, profile: Profile, seed: int) -> Callable[[Generated, Path], None]:
        """Return what writes it, and what describes the forms, into the folder of a year.

        Nothing is loaded for what was not asked for.
        """
        from synth.metadata import beside as describing  # noqa: PLC0415

        writers = [describing(profile)]
        if self.formats:
            from synth.formats.writing import beside  # noqa: PLC0415

            writers.append(beside(self.formats))
        if self.people:
            from synth.casefile import write_people  # noqa: PLC0415

            writers.append(lambda made, folder: write_people(profile, made, folder, seed, self.slips))

        def write(made: Generated, folder: Path) -> None:
            for writer in writers:
                writer(made, folder)

        return write

    def told(self) -> Iterator[str]:
        """Yield what to say of it once it is written."""
        if self.formats:
            yield f"In folders beside them, each of its name: {', '.join(self.formats)}."
        if self.people:
            yield "Beside them, in the folder people: names drawn at random, which belong to nobody."


def beside(formats: Sequence[str], people: bool, slips: float, scaled: bool) -> Beside:
    """Return what was asked for; `formats` are those of `parse_formats`.

    Raises InputError, before anything is done, for what does not go with many worlds or is not installed.
    """
    from synth.formats import check_installed, check_scale  # noqa: PLC0415

    people = people or slips > 0
    if scaled:
        check_scale(formats)
        if people:
            raise InputError("--people goes with one world, not with --scale; name the world with --world.")
    check_installed(formats)
    return Beside(tuple(name for name in formats if name != "csv"), people, slips)
