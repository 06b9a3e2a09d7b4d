"""One thing that was looked at, and what follows from it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["Finding", "Status", "note", "ok", "problem", "wanted"]

Status = Literal["ok", "note", "problem"]
"""Fine; works, but with less than there could be; or something will fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at (area and subject), what was found, how that is, and what to do; nothing to do if ok."""

    area: str
    subject: str
    status: Status
    found: str
    next: str = ""


def ok(area: str, subject: str, found: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(area, subject, "ok", found)


def note(area: str, subject: str, found: str, then: str) -> Finding:
    """Return a finding that leaves the work possible; `then` says what to do if more is wanted."""
    return Finding(area, subject, "note", found, then)


def problem(area: str, subject: str, found: str, then: str) -> Finding:
    """Return a finding that will make something fail; `then` says what to do."""
    return Finding(area, subject, "problem", found, then)


@cache
def wanted() -> dict[str, int]:
    """Return what a run should have (`needs.csv`): disk, temporary and memory in MB (of 10^6 bytes), cores."""
    text = files("synth.doctor").joinpath("needs.csv").read_text("utf-8")
    return {row["need"]: int(row["value"]) for row in csv.DictReader(text.splitlines())}
