"""One folder held against everything published about its year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.errors import InputError
from synth.fidelity.comparison import compare
from synth.fidelity.folders import Year, read_year, year_before
from synth.fidelity.report import Report
from synth.published import Tables, load_tables, read_csv

if TYPE_CHECKING:
    from pathlib import Path

    from synth.profile import Profile

__all__ = ["fidelity"]

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
    known, remarks = _origin(this, profile)
    path = tables.folder / "unpublished.csv"
    unpublished = tuple(
        (cells["return"], cells["about"], cells["note"]) for _, cells in read_csv(path, ("return", "about", "note"))
    )
    return Report(
        folder=str(folder),
        year=this.year,
        authorities=this.authorities,
        seed=this.seed,
        profile=this.profile,
        comparison=comparison,
        unpublished=unpublished,
        remarks=remarks,
        known=known,
    )


def _origin(this: Year, profile: Profile) -> tuple[bool, tuple[str, ...]]:
    """Say whether the files were made with the profile at hand, and what a reader should know of either."""
    from synth.profile import differences, digest, load_profile  # noqa: PLC0415  slow to import, where digests differ

    remarks = []
    found = digest(profile)
    known = this.profile_digest == found
    if not known:
        remarks.append(
            f"NOT the profile at hand: the files were made with {this.profile!r} ({this.profile_digest[:12]}), judged "
            f"beside {profile.name!r} ({found[:12]}). Name theirs with --profile, or write the year again.",
        )
    if found != digest(built_in := load_profile()):
        told = differences(profile, built_in)
        more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        changed = ", ".join(told[:_TOLD]) or "what is said of origins, no number"
        remarks.append(f"{profile.name!r} is not the built-in profile. Changed: {changed}{more}.")
    return known, tuple(remarks)
