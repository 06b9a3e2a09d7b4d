"""Years and panels made in memory: what `synth generate` would write, as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.api.arguments import authorities_of, in_python, one_of, profile_of, whole_number, world_of
from synth.api.panel import Panel
from synth.api.year import Year
from synth.errors import InputError
from synth.frames import text_frame
from synth.guidance import ALL_YEAR, CENSUS_DATE
from synth.main_job import DEFAULT_SEED
from synth.manifest import command_of, described
from synth.profile.projected import check_covered, reaching
from synth.simulate import drawn_with, simulate_years

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synth.api.arguments import Authorities
    from synth.profile import Profile

__all__ = ["generate", "generate_panel"]


def generate(
    year: int = 2023,
    authorities: Authorities = 22,
    *,
    seed: int = DEFAULT_SEED,
    mode: str = "exact",
    collection: str = "",
    profile: Profile | Path | str | None = None,
    world: int = 1,
) -> Year:
    """Generate both returns of one collection year, that of the 31 March on which it ends; nothing is written.

    `authorities` are a number (the first so many in official order), names in English or Welsh, ONS or three-digit
    codes, in a comma list or one by one. `mode` is "exact" (published cells reproduced) or "sampled" (a year that might
    have been), `collection` "census-date" or "all-year" (by default as care and support was collected in the year),
    `profile` a profile, or the path of one or of an overlay, and `world` another Wales than the first. The same
    arguments give the same children. Raises InputError for any that cannot be, ProfileError for a damaged profile.

    >>> year = synth.generate(2023, "Merthyr Tydfil")
    >>> year.crcs.height
    505
    """
    (made,) = _made((whole_number("year", year),), authorities, seed, mode, collection, profile, world)
    return made


def generate_panel(
    first: int,
    last: int,
    authorities: Authorities = 22,
    *,
    seed: int = DEFAULT_SEED,
    mode: str = "exact",
    collection: str = "",
    profile: Profile | Path | str | None = None,
    world: int = 1,
) -> Panel:
    """Generate the years `first` to `last`, both inclusive, of the same children out of one simulation.

    Each year is what `generate` would give by itself; the other arguments are those of `generate`. Raises as it does.

    >>> panel = synth.generate_panel(2022, 2023, "Merthyr Tydfil")
    >>> left_open = panel[2022].episode.filter(panel[2022].episode["EPISODE_END_DATE"].is_null())
    >>> left_open.join(panel[2023].episode, on=["SYSTEM_ID", "EPISODE_START_DATE"]).height == left_open.height
    True
    """
    years = range(whole_number("first", first), whole_number("last", last) + 1)
    if not years:
        raise InputError(f"first {first}, last {last}: the first year is later than the last; change their order.")
    return Panel(_made(years, authorities, seed, mode, collection, profile, world))


def _made(
    years: Sequence[int],
    authorities: Authorities,
    seed: int,
    mode: str,
    collection: str,
    profile: Profile | Path | str | None,
    world: int,
) -> Iterator[Year]:
    """Yield years, which rise, out of one simulation."""
    seed, world = whole_number("seed", seed), world_of(world)
    mode = one_of("mode", mode, ("exact", "sampled"))
    if isinstance(collection, str):
        collection = collection.replace("_", "-")
    collection = one_of("collection", collection, ("", "census-date", "all-year"))
    published = profile_of(profile)
    with in_python():
        chosen = authorities_of(authorities)
        for year in years:
            check_covered(published, year)
    drawn = drawn_with(published, years[-1], mode, seed, world)
    codes = [authority.code for authority in chosen]
    way = {"": "", "census-date": CENSUS_DATE, "all-year": ALL_YEAR}[collection]
    for made in simulate_years(drawn, chosen, years, seed, collection=way, worlds=(world,)):
        command = command_of(codes, f"--year {made.year}", seed, mode, way, world)
        # What comes after a year has no part in it: its profile is the one it would have alone.
        told = reaching(published, made.year)
        about = described(made.year, codes, told, seed, mode, made.collection, command, made.world)
        text = {form: text_frame(columns) for form, columns in made.forms.items()}
        yield Year(about, text, published)
