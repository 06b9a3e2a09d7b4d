"""The folder `people` beside the returns of a year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.casefile.data import rows_of
from synth.casefile.slipping import with_slips
from synth.casefile.tables import casefile
from synth.files import write_csv
from synth.lives.behaviour import Behaviour
from synth.lives.streams import Streams

if TYPE_CHECKING:
    from pathlib import Path

    from synth.files import Generated
    from synth.profile import Profile
    from synth.returns.columns import Form

__all__ = ["FOLDER", "people_of", "write_people"]

FOLDER = "people"
_HEAD = """# People

Every person in these files is synthetic. Names are drawn at random from lists and belong to nobody; streets and
schools are put together from words. By chance a combination may be that of a living person, a real street or a real
school: nothing else in the file is theirs. The children are those of the returns beside this folder, joined by
authority and person_id. Dates are dd/mm/yyyy, blank means not known or does not apply.
"""


def people_of(profile: Profile, made: Generated, seed: int, slips: float = 0.0) -> dict[str, Form]:
    """Return the tables that `write_people` writes, by the names of their files without ending."""
    streams = Streams(seed)
    clean = casefile(streams, Behaviour(profile), made)
    return with_slips(streams, clean, slips, made.year) if slips > 0 else clean.tables


def write_people(profile: Profile, made: Generated, folder: Path, seed: int, slips: float = 0.0) -> None:
    """Write what a case system holds about the children of a year into the folder `people` in `folder`.

    `seed` is that of the year; `slips` the share of persons (0 to 1) written with a slip, of which slips.csv gives the
    true values. The same year gives the same bytes; a child has the same name in every year and whichever authorities
    were asked for.
    """
    tables = people_of(profile, made, seed, slips)
    place = folder / FOLDER
    place.mkdir()
    for name, form in tables.items():
        write_csv(form, place / f"{name}.csv")
    (place / "README.md").write_text(_readme(tables), "utf-8", newline="\n")


def _readme(tables: dict[str, Form]) -> str:
    """Describe the files and their columns."""
    lines = [_HEAD]
    for name, form in tables.items():
        words = {row["column"]: row["words"] for row in rows_of("columns.csv") if row["file"] == name}
        lines += [f"## {name}.csv", "", "| column | |", "| --- | --- |"]
        lines += [f"| {column} | {words[column]} |" for column in form]
        lines.append("")
    return "\n".join(lines)
