"""Everything looked at, in the order in which it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.doctor.machine import cores, encoding, folders, memory, splitting
from synth.doctor.packages import dependencies, extras, interpreter
from synth.doctor.shipped import guidance_tables, profiles, unread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth.doctor.finding import Finding

__all__ = ["examine"]


def examine(out: Path, named: Sequence[Path] = ()) -> list[Finding]:
    """Look at the machine, the packages and the tables, and return what was found.

    `out` is the folder that would be written to, `named` are profiles or overlays to be checked beside the built-in
    one. Nothing is changed, save that a file without a name is opened in each folder and goes at once; no network is
    asked.
    """
    # Splitting first: it can be tried only while the table library is not loaded.
    split = splitting()
    needed = list(dependencies())
    usable = all(finding.status != "problem" for finding in needed)
    return [
        *interpreter(),
        *needed,
        *extras(),
        *folders(out),
        *memory(),
        *cores(),
        *split,
        *encoding(),
        *([*profiles(named), *guidance_tables()] if usable else unread()),
    ]
