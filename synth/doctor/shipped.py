"""What came with the package: profiles and guidance tables, read and checked as the commands do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.doctor.finding import Finding, note, ok, problem
from synth.errors import SynthError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synth.profile.check import Finding as Wrong

__all__ = ["guidance_tables", "profiles", "unread"]

_TABLES = "Tables"
_AGAIN = "install the package again, or take the files from its repository anew"


def profiles(named: Sequence[Path] = ()) -> Iterator[Finding]:
    """Say of the built-in profile, and of those named, whether they can be read and explain every number."""
    from synth.profile import load_profile  # noqa: PLC0415  table code is loaded once the machine was looked at
    from synth.profile.check import check_profile, counts_text  # noqa: PLC0415

    for path in (None, *named):
        subject = "built-in profile" if path is None else f"profile {path}"
        then = _AGAIN if path is None else "correct that place in the file, or leave the profile out"
        try:
            profile = load_profile(path)
            wrong = check_profile(profile)
        except SynthError as error:
            yield problem(_TABLES, subject, _line(error), then)
            continue
        if wrong:
            yield _unexplained(subject, wrong, path)
        else:
            yield ok(_TABLES, subject, f"{profile.name}: {counts_text(profile)}; nothing found")


def _unexplained(subject: str, wrong: Sequence[Wrong], path: Path | None) -> Finding:
    """Return what a profile leaves open: our own must not, somebody's own still works."""
    told = f"{len(wrong)} findings, the first: {wrong[0]}"
    if path is None:
        return problem(_TABLES, subject, told, _AGAIN)
    return note(_TABLES, subject, told, f"see all with: synth profile check --profile {path}")


def guidance_tables() -> Iterator[Finding]:
    """Say whether the guidance tables of both returns can be read for every year."""
    from synth.guidance import RETURNS, load, years  # noqa: PLC0415

    try:
        known = years()
        for return_ in RETURNS:
            read = [load(return_, year) for year in known]
            last = read[-1]
            items = sum(len(last.items(form)) for form in last.forms)
            yield ok(
                _TABLES, f"guidance, {return_}",
                f"read for {known[0]} to {known[-1]}; {items} items and {len(last.statements)} statements in the last",
            )  # fmt: skip
    except SynthError as error:
        yield problem(_TABLES, "guidance", _line(error), _AGAIN)


def unread() -> list[Finding]:
    """Say that nothing was read, since a package that reads it is missing."""
    return [note(_TABLES, "profiles, guidance", "not looked at: packages are missing", "install them and look again")]


def _line(error: SynthError) -> str:
    return " ".join(str(error).split())
