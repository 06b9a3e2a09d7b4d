"""The main job: simulate, cut the returns, write them whole, read them back and check them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from synth.checker import checker
from synth.errors import OutputError
from synth.files import FILES, MANIFEST, Generated, check_place, folder_in_place, write_csv
from synth.guidance import load
from synth.log import doing
from synth.manifest import manifest_text
from synth.profile.projected import check_covered, reaching
from synth.simulate import drawn_with, simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synth.checker import Checked, Checker
    from synth.geography.authorities import Authority
    from synth.profile import Profile

__all__ = ["DEFAULT_SEED", "Written", "generate", "generate_panel"]

DEFAULT_SEED = 20230331
"""Used when no seed is given, so that two people who run the same command talk about the same children."""


class Written(NamedTuple):
    """A year on disk: its folder, what was written there, and how that passed its own check."""

    folder: Path
    made: Generated
    checked: Checked


def generate(
    profile: Profile,
    authorities: Sequence[Authority],
    year: int,
    *,
    seed: int = DEFAULT_SEED,
    mode: str = "exact",
    out: Path = Path("outputs"),
    command: str = "",
    collection: str = "",
    tick: Callable[[int], None] = lambda _: None,
    beside: Callable[[Generated, Path], None] = lambda _made, _folder: None,
) -> Written:
    """Write both returns of a year into the folder `out`/`year`; see `generate_panel`."""
    (written,) = generate_panel(
        profile, authorities, (year,), seed=seed, mode=mode, out=out, command=command, collection=collection, tick=tick,
        beside=beside,
    )  # fmt: skip
    return written


def generate_panel(
    profile: Profile,
    authorities: Sequence[Authority],
    years: Sequence[int],
    *,
    seed: int = DEFAULT_SEED,
    mode: str = "exact",
    out: Path = Path("outputs"),
    command: str = "",
    collection: str = "",
    tick: Callable[[int], None] = lambda _: None,
    world: int = 0,
    beside: Callable[[Generated, Path], None] = lambda _made, _folder: None,
    check: Checker | None = None,
) -> list[Written]:
    """Write both returns of some years, which rise, out of the same lives into the folders `out`/`year`.

    Each folder holds the bytes it would hold were its year asked for alone; `command` is that command, with {year}
    for the year. The folders appear whole or not at all: files are written beside them under other names, read back
    and validated, each year beside the one before, and only then take their places. `mode` is "exact" (published cells
    reproduced) or "sampled" (years that might have been: cells vary as chance would have it), `collection` and `world`
    (counted from 0) as in `simulate_years`. `beside` is called with each year and the folder in which its files stand,
    and may write more there: other formats, or what tells of the files. `check` is a checker of `years[0]` begun
    before, which has then loaded beside this process. The year after the profile's last is a projection.

    Raises InputError for any other year the profile does not cover or a folder that cannot be written or holds other
    files, OutputError where what was written does not pass.
    """
    for year in years:
        check_covered(profile, year)
        check_place(out, out / str(year))
    drawn = drawn_with(profile, max(years), mode, seed, world)
    load("cla", years[0])  # its tables, which every process would read by itself
    with contextlib.ExitStack() as places:
        check = check or places.enter_context(checker(years[0]))
        # While one year is checked, the next is simulated.
        written: list[tuple[Path, Generated]] = []
        lived = places.enter_context(simulated(drawn, authorities, years, seed, tick, collection, world))
        for made in lived:
            doing("%s simulated", made.year)
            building = places.enter_context(folder_in_place(out, str(made.year)))
            for form, name in FILES.items():
                write_csv(made.forms[form], building / name)
            check.check(building, made.year)
            beside(made, building)
            # What comes after a year has no part in it: its profile is the one it would have alone.
            told = reaching(profile, made.year)
            words = manifest_text(made, told, seed, mode, command.replace("{year}", str(made.year)), building)
            (building / MANIFEST).write_text(words, "utf-8")
            doing("%s written to %s", made.year, building)
            written.append((out / str(made.year), made))
        found = check.checked()
        doing("read back and checked: %s", ", ".join(str(checked.year) for checked in found))
        for checked in found:
            if not checked.ok:
                raise OutputError(
                    f"What was written for {checked.year} does not pass its own check; nothing was replaced.\n"
                    f"{checked.text}"
                )
        return [Written(folder, made, checked) for (folder, made), checked in zip(written, found, strict=True)]
