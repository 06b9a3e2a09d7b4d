"""Checks written years beside the simulation: in a process of its own where one is to be had cheaply, else a thread."""

from __future__ import annotations

import contextlib
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from synth.split import answer, ended, may_split, split_off

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future, ThreadPoolExecutor
    from multiprocessing.connection import Connection
    from pathlib import Path

    from synth.tables import Tables
    from synth.validate.report import Report

__all__ = ["Checked", "Checker", "checker"]

_DOES = "checks what was written"


@dataclass(frozen=True, slots=True)
class Checked:
    """How a year passed its check, in words and numbers alone: who reads them needs no table library.

    `ok` is that of the report, `passed` how many rules found nothing, `queried` those that found something, `text` the
    whole report.
    """

    year: int
    ok: bool
    passed: int
    queried: tuple[str, ...]
    text: str

    @classmethod
    def of(cls, report: Report) -> Checked:
        """Take what a report says."""
        queried = tuple(outcome.rule for outcome in report.found())
        return cls(report.year, report.ok, report.counts()["passed"], queried, report.to_text())


class Checker(Protocol):
    """Reads folders back and validates them one after another, each beside the year before if it was given."""

    def check(self, folder: Path, year: int) -> None:
        """Begin the check of a folder in which all forms of a year have been written; returns at once."""

    def checked(self) -> list[Checked]:
        """Return how all folders passed, once that is known; raises what a check raised."""


@contextlib.contextmanager
def checker(first: int) -> Iterator[Checker]:
    """Give a checker for as long as the block lasts; `first` is the year it will be asked about first."""
    if not may_split():
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  hardly ever needed

        with ThreadPoolExecutor(1) as pool:
            yield _Thread(pool)
        return
    with split_off(_serve, first) as there:
        yield _Process(there)


class _Years:
    """Reads and validates years, and remembers the last."""

    def __init__(self) -> None:
        self.before: tuple[int, Tables] | None = None

    def check(self, folder: Path, year: int) -> Checked:
        from synth.reading import read_folder  # noqa: PLC0415  table code loads beside the simulation
        from synth.validate.run import validate_tables  # noqa: PLC0415

        tables = read_folder(folder, year)
        last = self.before[1] if self.before is not None and self.before[0] == year - 1 else None
        self.before = year, tables
        return Checked.of(validate_tables(replace(tables, last=last), year))


class _Thread:
    """The checker where the process cannot be split."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool, self.years = pool, _Years()
        self.jobs: list[Future[Checked]] = []

    def check(self, folder: Path, year: int) -> None:
        self.jobs.append(self.pool.submit(self.years.check, folder, year))

    def checked(self) -> list[Checked]:
        return [job.result() for job in self.jobs]


class _Process:
    """The checker's end in the process that simulates."""

    def __init__(self, there: Connection) -> None:
        self.there, self.asked = there, 0

    def check(self, folder: Path, year: int) -> None:
        try:
            self.there.send((folder, year))
        except OSError as problem:
            raise ended(_DOES) from problem
        self.asked += 1

    def checked(self) -> list[Checked]:
        return [answer(self.there, _DOES) for _ in range(self.asked)]


def _serve(here: Connection, first: int) -> None:
    """Answer until the other end is closed or its process is gone."""
    years = _Years()
    # What fails here fails again in the check, whose answer tells it.
    with contextlib.suppress(Exception):
        _prepare(first)
    while True:
        folder, year = here.recv()
        here.send(_tried(years, folder, year))


def _prepare(year: int) -> None:
    """Load what the check of a year needs, while it is waited for."""
    import synth.reading  # noqa: PLC0415  table code loads beside the simulation
    import synth.validate.run  # noqa: F401, PLC0415
    from synth.guidance import RETURNS, load  # noqa: PLC0415
    from synth.rules.rulebook import rules_for  # noqa: PLC0415

    for return_ in RETURNS:
        rules_for(load(return_, year))


def _tried(years: _Years, folder: Path, year: int) -> Checked | Exception:
    """Return how a folder passed, or what was raised instead, with its place in the code."""
    try:
        return years.check(folder, year)
    except Exception as problem:  # noqa: BLE001  raised again where it was asked
        problem.add_note(traceback.format_exc())
        return problem
