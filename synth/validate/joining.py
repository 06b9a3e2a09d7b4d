"""Reports put together one after another: of the years of a panel, or of the years and worlds of a dataset."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from synth.validate.findings import FINDING_COLUMNS
from synth.validate.report import SEVERITIES, Report, Spread

if TYPE_CHECKING:
    from synth.validate.report import Outcome

__all__ = ["Joining", "first_findings"]

_WEIGHT = ("not applicable", "passed", "found", "crashed")
"""What became of a rule, the strongest last: what it came to in one year stands for all."""

_Key = tuple[str, str]


def first_findings(report: Report, keep: int) -> Report:
    """Return a report that holds at most the first `keep` findings of each outcome, and counts them all."""
    held = [rows.head(keep) for _, rows in report.by_outcome() if rows is not None]
    return replace(report, findings=pl.concat(held) if held else report.findings, kept=keep)


@dataclass
class _Seen:
    """Where one rule found something so far; worlds come one after another."""

    years: set[int] = field(default_factory=set)
    worlds: int = 0
    world: str = ""
    here: int = 0
    worst: str = ""
    most: int = 0

    def add(self, year: int, world: str, count: int) -> None:
        self.years.add(year)
        if world != self.world:
            self.worlds, self.world, self.here = self.worlds + 1, world, 0
        self.here += count
        if self.here > self.most:
            self.worst, self.most = world, self.here


class Joining:
    """One report made of many; a rule's outcome is the strongest of any, and counts the rows of all.

    Of each outcome the first `keep` findings are held, all with None: what is held does not grow with the reports.
    """

    def __init__(self, keep: int | None = None) -> None:
        self._keep = keep
        self._outcomes: dict[_Key, Outcome] = {}
        self._findings: dict[_Key, list[pl.DataFrame]] = defaultdict(list)
        self._held: Counter[_Key] = Counter()
        self._seen: dict[_Key, _Seen] = defaultdict(_Seen)
        self._rows: Counter[str] = Counter()
        self._notes: dict[str, list[str]] = {}
        self._severities: Counter[str] = Counter()
        self._years: set[int] = set()
        self._worlds: set[str] = set()

    def add(self, report: Report, world: str = "") -> None:
        """Add the report of a year, of a world where there are several; all years of one come after each other."""
        self._years.add(report.year)
        self._worlds.add(world)
        for file, rows in report.files:
            # Of thousands of worlds nobody reads each file's rows.
            self._rows[file.rpartition("/")[2] if world else file] += rows
        for note in report.notes:
            # What is said of every world is said once.
            self._notes.setdefault(note.replace(f"/{world}", "", 1) if world else note, []).append(world)
        for new, found in report.by_outcome():
            key = new.rule, new.form
            old = self._outcomes.get(key)
            self._outcomes[key] = new if old is None else _stronger(old, new)
            self._severities[new.severity] += new.count
            if found is not None:
                self._keep_first(key, found)
                self._seen[key].add(report.year, world, new.count)

    def report(self) -> Report:
        """Return what all came to; of worlds, a note says in how many it was said where not in all."""
        keys = sorted(self._outcomes)
        found = [rows for key in keys for rows in self._findings[key]]
        worlds = 0 if self._worlds == {""} else len(self._worlds)
        return Report(
            max(self._years),
            tuple(self._rows.items()),
            tuple(self._outcomes[key] for key in keys),
            pl.concat(found) if found else pl.DataFrame(schema=FINDING_COLUMNS),
            tuple(
                f"{note} (in {len(said):,} of {worlds:,} worlds, first {said[0]})" if len(said) < worlds else note
                for note, said in self._notes.items()
            ),
            first_year=min(self._years),
            kept=self._keep,
            counted=dict(self._severities),
            worlds=worlds,
            spreads=tuple(self._spread(key) for key in keys if key in self._seen) if worlds else (),
        )

    def _keep_first(self, key: _Key, rows: pl.DataFrame) -> None:
        if self._keep is not None:
            rows = rows.head(self._keep - self._held[key])
        if rows.height:
            self._findings[key].append(rows)
            self._held[key] += rows.height

    def _spread(self, key: _Key) -> Spread:
        seen = self._seen[key]
        return Spread(*key, seen.worlds, tuple(sorted(seen.years)), seen.worst, seen.most)


def _stronger(old: Outcome, new: Outcome) -> Outcome:
    """Return what one rule came to in two reports; where it found something in both, as severe as in either."""
    stronger = max((new, old), key=lambda outcome: (_WEIGHT.index(outcome.status), -SEVERITIES.index(outcome.severity)))
    return replace(stronger, count=old.count + new.count)
