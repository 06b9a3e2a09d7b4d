"""Tables that come with the program: CSV files beside the modules that read them."""

from __future__ import annotations

import csv
from importlib.resources import files

__all__ = ["rows_in"]


def rows_in(room: str, table: str) -> list[dict[str, str]]:
    """Return the rows of a table of a room (a folder of the package), such as areas.csv of geography, as text.

    The room itself is not imported, and nothing is checked.
    """
    text = files("synth").joinpath(room, table).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
