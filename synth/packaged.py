"""What comes with the program: tables beside the modules that read them, and the folder of profiles."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from pathlib import Path

from synth.errors import ProfileError

__all__ = ["profiles_dir", "rows_in"]


def rows_in(room: str, table: str) -> list[dict[str, str]]:
    """Return the rows of a table of a room (a folder of the package), such as areas.csv of geography, as text.

    The room itself is not imported, and nothing is checked.
    """
    text = files("synth").joinpath(room, table).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def profiles_dir() -> Path:
    """Return the folder of profiles: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "profiles", package.parent / "profiles"):
        if (folder / "published" / "sources.csv").is_file():
            return folder
    raise ProfileError(
        f"The profiles that belong to this package are missing: looked for {package / 'profiles'} and "
        f"{package.parent / 'profiles'}. Install the package again, or name a profile with --profile FILE.",
    )
