"""One folder held against everything published about its year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.fidelity.comparison import compare
from synth.fidelity.folders import Year, read_year, year_before
from synth.fidelity.report import Report
from synth.published import Tables, load_tables, read_csv

if TYPE_CHECKING:
    from pathlib import Path

    from synth.profile import Profile

__all__ = ["fidelity"]


def fidelity(folder: Path, profile: Profile, tables: Tables | None = None) -> Report:
    """Compare the files of a generated year with the published cells of that year.

    The profile only says which tables were held out of fitting. Raises InputError where the folder is not a whole
    generated year, ProfileError where the published tables cannot be read.
    """
    tables = tables or load_tables()
    this = read_year(folder)
    before = year_before(this)
    comparison = compare(this, before, tables, profile.held_out)
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
        remarks=_remarks(this, profile),
    )


def _remarks(this: Year, profile: Profile) -> tuple[str, ...]:
    from synth.profile import digest  # noqa: PLC0415  only where there is a digest to compare

    if this.profile_digest in ("", digest(profile)):
        return ()
    return (f"The files were made with another profile than {profile.name!r} at hand; name theirs with --profile.",)
