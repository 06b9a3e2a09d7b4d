"""The main job: simulate, cut the returns, write them whole, read them back and check them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import InputError, OutputError
from synth.files import FILES, MANIFEST, Generated, check_place, folder_in_place, write_csv
from synth.lives.behaviour import Behaviour
from synth.lives.histories import live
from synth.lives.streams import Streams
from synth.lives.unfolding import unfold
from synth.returns.addresses import small_areas
from synth.returns.cla import cla_forms
from synth.returns.crcs import crcs_form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synth.geography.authorities import Authority
    from synth.profile import Profile
    from synth.returns.columns import Form
    from synth.validate.report import Report

__all__ = ["DEFAULT_SEED", "generate", "simulate"]

DEFAULT_SEED = 20230331
"""Used when no seed is given, so that two people who run the same command talk about the same children."""


def simulate(
    profile: Profile,
    authorities: Sequence[Authority],
    year: int,
    seed: int,
    tick: Callable[[int], None] = lambda _: None,
) -> Generated:
    """Simulate lives up to 31 March of `year` and cut both returns out of them; `tick` is called after each year."""
    streams, behaviour = Streams(seed), Behaviour(profile)
    history = live(streams, behaviour, authorities, year, tick)
    care = unfold(streams, behaviour, history, year)
    forms = {"crcs": crcs_form(streams, behaviour, history, care)} | cla_forms(streams, behaviour, history, care)
    forms["postcodes"] = _postcodes(forms)
    return Generated(year, tuple(authorities), forms)


def generate(
    profile: Profile,
    authorities: Sequence[Authority],
    year: int,
    *,
    seed: int = DEFAULT_SEED,
    mode: str = "exact",
    out: Path = Path("outputs"),
    command: str = "",
    tick: Callable[[int], None] = lambda _: None,
) -> tuple[Path, Generated, Report]:
    """Write both returns of a year into the folder `out`/`year` and return it, the forms and the check's report.

    The folder appears whole or not at all: files are written beside it under another name, read back and validated,
    and only then take its place. `mode` is "exact" (published cells reproduced) or "sampled" (a year that might have
    been: cells vary as chance would have it). Raises InputError for a year the profile does not cover or a folder that
    cannot be written or holds other files, OutputError where what was written does not pass.
    """
    first, last = profile.years
    if not first <= year <= last:
        raise InputError(
            f"--year {year}: profile {profile.name!r} covers the years {first} to {last}; choose one of them."
        )
    check_place(out, out / str(year))
    if mode == "sampled":
        from synth.sampled import sampled  # noqa: PLC0415

        drawn = sampled(profile, seed)
    else:
        drawn = profile
    made = simulate(drawn, authorities, year, seed, tick)
    with folder_in_place(out, str(year)) as building:
        report = _write(made, profile, seed, mode, command, building)
    return out / str(year), made, report


def _write(made: Generated, profile: Profile, seed: int, mode: str, command: str, building: Path) -> Report:
    """Write all files into a folder, read them back and check them."""
    from synth.manifest import manifest_text  # noqa: PLC0415  table and validation code load after the simulation
    from synth.validate.run import validate_folder  # noqa: PLC0415

    for form, name in FILES.items():
        write_csv(made.forms[form], building / name)
    (building / MANIFEST).write_text(manifest_text(made, profile, seed, mode, command, building), "utf-8")
    report = validate_folder(building, made.year)
    if not report.ok:
        raise OutputError(f"What was written does not pass its own check; nothing was replaced.\n{report.to_text()}")
    return report


def _postcodes(forms: dict[str, Form]) -> Form:
    """Give a small area to every Welsh postcode in the files, since invented postcodes are in no directory."""
    used = np.concatenate(
        [
            forms["crcs"]["HOME_POSTCODE"],
            forms["child"]["HOME_POSTCODE"],
            forms["episode"]["PLACEMENT_POSTCODE"],
        ]
    )
    found = small_areas(used[used != ""])
    welsh = sorted(postcode for postcode, area in found.items() if area)
    return {
        "POSTCODE": np.array(welsh, dtype="U8"),
        "LSOA2011_CD": np.array([found[p] for p in welsh], dtype="U9"),
    }
