"""The part of generate that makes research extracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from synth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth.files import Generated
    from synth.profile import Profile

__all__ = ["EXTRACT", "QUIRKS", "Extraction", "extraction"]

EXTRACT = click.option(
    "--extract",
    type=click.Choice(["sail"]),
    help="Beside the years' folders, all years as researchers see them: sail, as in the SAIL Databank.",
)
QUIRKS = click.option(
    "--quirks", is_flag=True, help="With --extract: the oddities known of the real copy, with a ledger."
)


class Extraction(NamedTuple):
    """An extract to be made of the years once they are written."""

    out: Path
    seed: int
    command: str
    quirks: bool
    statement: str

    def write(self, years: Sequence[Generated]) -> str:
        """Write the extract and say what there is."""
        from synth.extract import write_extract  # noqa: PLC0415

        made = write_extract(years, self.out, self.seed, self.command, quirks=self.quirks, statement=self.statement)
        (first, count), *others = made.rows.items()
        rows = f"{count:,} rows in {first}, " + ", ".join(f"{count:,} in {name}" for name, count in others)
        odd = "" if made.quirks is None else f"; {made.quirks:,} quirks, in quirks.csv"
        return f"Research extract written to {made.folder}: {rows}{odd}."


def extraction(
    name: str | None,
    quirks: bool,
    scaled: bool,
    out: Path,
    years: Sequence[int],
    seed: int,
    command: str,
    profile: Profile,
) -> Extraction | None:
    """Return the extract that was asked for, if any; `command` has {year} for the year.

    Raises InputError, before anything is done, for options that do not go together and a place that cannot be written.
    """
    if name is None:
        if quirks:
            raise InputError("--quirks go into a research extract: add --extract sail.")
        return None
    if scaled:
        raise InputError("--extract is made of one world; leave --scale away, and name another world with --world.")
    from synth.extract import check_extract  # noqa: PLC0415
    from synth.manifest import statement_of  # noqa: PLC0415

    check_extract(out, years)
    span = f"--years {years[0]}-{years[-1]}" if len(years) > 1 else f"--year {years[0]}"
    told = command.replace("--year {year}", span) + f" --extract {name}" + " --quirks" * quirks
    return Extraction(out, seed, told, quirks, statement_of(profile))
