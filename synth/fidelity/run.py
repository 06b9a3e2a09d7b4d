"""One folder held against everything published about its year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.errors import InputError
from synth.fidelity.comparison import compare
from synth.fidelity.folders import read_year, year_before
from synth.fidelity.report import Report
from synth.log import doing
from synth.published import Tables, load_tables, read_csv

if TYPE_CHECKING:
    from pathlib import Path

    from synth.profile import Profile

__all__ = ["fidelity", "origin", "unpublished"]

_TOLD = 8
"""How many differences between two profiles a remark lists."""


def fidelity(folder: Path, profile: Profile, tables: Tables | None = None) -> Report:
    """Compare the files of a generated year with the published cells of that year.

    The profile says which tables were held out of fitting, and must be the one the files were made with: the report
    says where it is another, and how it differs from the built-in one. Raises InputError where the folder is not a
    whole generated year or is a projection, ProfileError where the published tables cannot be read.
    """
    tables = tables or load_tables()
    this = read_year(folder)
    if this.year > profile.years[1]:
        raise InputError(f"{folder}: {this.year} is a projection; nothing published is there to hold it against.")
    before = year_before(this)
    comparison = compare(this, before, tables, profile.held_out)
    doing("%s counted and held against what was published about %d", folder, this.year)
    known, remarks = origin(this.profile, this.profile_digest, profile)
    return Report(
        folder=str(folder),
        year=this.year,
        authorities=this.authorities,
        seed=this.seed,
        profile=this.profile,
        comparison=comparison,
        unpublished=unpublished(tables),
        remarks=remarks,
        known=known,
    )


def unpublished(tables: Tables) -> tuple[tuple[str, str, str], ...]:
    """Return what nobody published: return, what it is about, and a note."""
    columns = ("return", "about", "note")
    return tuple(
        (cells["return"], cells["about"], cells["note"])
        for _, cells in read_csv(tables.folder / "unpublished.csv", columns)
    )


def origin(made_with: str, made_digest: str, profile: Profile) -> tuple[bool, tuple[str, ...]]:
    """Say whether files made with a profile (name, SHA-256) were made with the one at hand.

    Then what a reader should know of either.
    """
    from synth.profile import differences, digest, load_profile  # noqa: PLC0415  slow to import, where digests differ

    remarks = []
    found = digest(profile)
    known = made_digest == found
    if not known:
        remarks.append(
            f"NOT the profile at hand: the files were made with {made_with!r} ({made_digest[:12]}), judged "
            f"beside {profile.name!r} ({found[:12]}). Name theirs with --profile, or write the year again.",
        )
    if found != digest(built_in := load_profile()):
        told = differences(profile, built_in)
        more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        changed = ", ".join(told[:_TOLD]) or "what is said of origins, no number"
        remarks.append(f"{profile.name!r} is not the built-in profile. Changed: {changed}{more}.")
    return known, tuple(remarks)
