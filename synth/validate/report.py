"""What a check of files came to: every rule's outcome, every finding, and the exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from synth.collection_year import year_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Outcome", "Report", "Spread", "Status", "where"]

Status = Literal["passed", "found", "not applicable", "crashed"]
SAID = {
    "passed": "passed",
    "found": "found something",
    "not applicable": "not applicable",
    "crashed": "crashed",
}
ERRORS, CRASHED = 1, 3
"""Exit codes besides 0 (no error found); 2 is an InputError."""
SEVERITIES = ("error", "warning", "query")
_QUERIES = (
    "A query rests on the English return or on general knowledge, not on Welsh guidance seen; --strict takes each rule"
    " as stated."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rule: `count` rows found, or in `why` the reason it was silent or its error."""

    rule: str
    status: Status
    count: int
    severity: str
    words: str
    why: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Where in a dataset of worlds a rule found something: in how many worlds, which years, and where most."""

    rule: str
    form: str
    worlds: int
    years: tuple[int, ...]
    worst: str
    most: int

    def told(self, of: int) -> str:
        """Say it, beside how many worlds there are."""
        years = ", ".join(map(str, self.years))
        return f"in {self.worlds:,} of {of:,} worlds, {years}; most in {self.worst} ({self.most:,})"


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes of all rules and one long frame of findings (`FINDING_COLUMNS`, in order of rule and line)."""

    year: int
    files: tuple[tuple[str, int], ...]
    outcomes: tuple[Outcome, ...]
    findings: pl.DataFrame
    notes: tuple[str, ...] = ()
    first_year: int | None = None
    """Of a report on several years, of which `year` is the last."""
    kept: int | None = None
    """How many findings of each outcome are held, the first of them; None for all. Outcomes count every one."""
    counted: Mapping[str, int] | None = None
    """Findings of each severity, where a rule may be more severe in one year than in another."""
    worlds: int = 0
    """How many worlds a dataset has; 0 for files of one."""
    spreads: tuple[Spread, ...] = ()
    """Of a dataset, for each outcome that found something."""

    @property
    def span(self) -> str:
        """The year or years as files give them: 202223, or 201718 to 202223."""
        last = year_code(self.year)
        if self.first_year is None or self.first_year == self.year:
            return last
        return f"{year_code(self.first_year)} to {last}"

    @property
    def ok(self) -> bool:
        """True when no rule crashed or found a row; what is only queried of whole authorities may stand."""
        whole = pl.col("line").is_null() & (pl.col("severity") != "error")
        return not self._crashed and self.findings.filter(~whole).is_empty()

    @property
    def exit_code(self) -> int:
        """0 no errors (queries and warnings may stand), 1 errors, 3 a rule crashed; what cannot be read raises."""
        if self._crashed:
            return CRASHED
        return ERRORS if self.severities["error"] else 0

    @property
    def _crashed(self) -> bool:
        return any(o.status == "crashed" for o in self.outcomes)

    @property
    def severities(self) -> Counter[str]:
        """How many findings there are of each severity."""
        if self.counted is not None:
            return Counter(self.counted)
        found: Counter[str] = Counter()
        for o in self.outcomes:
            found[o.severity] += o.count
        return found

    def counts(self) -> dict[str, int]:
        """Count rules by status, every status named."""
        tally = Counter(o.status for o in self.outcomes)
        return {status: tally.get(status, 0) for status in ("passed", "found", "not applicable", "crashed")}

    def to_text(self, max_rows: int = 10) -> str:
        """Render as text: totals, a line for each rule that found something, then `max_rows` rows a rule."""
        return "\n".join([*self._summary(), *self._rows(max_rows)]) + "\n"

    def found(self) -> list[Outcome]:
        """Return the rules that found something, errors first, then by how much."""
        found = [o for o in self.outcomes if o.status == "found"]
        return sorted(found, key=lambda o: (SEVERITIES.index(o.severity), -o.count, o.rule))

    def by_outcome(self) -> Iterator[tuple[Outcome, pl.DataFrame | None]]:
        """Yield each outcome with those of its findings that are held; None for one that found nothing."""
        first = 0
        for outcome in self.outcomes:
            # A rule that crashed in one year may have found something in another.
            if not outcome.count:
                yield outcome, None
                continue
            held = outcome.count if self.kept is None else min(outcome.count, self.kept)
            yield outcome, self.findings[first : first + held]
            first += held

    def spread(self, outcome: Outcome) -> str:
        """Say where in a dataset an outcome found something; nothing for files of one world."""
        found = (s for s in self.spreads if (s.rule, s.form) == (outcome.rule, outcome.form))
        return next((s.told(self.worlds) for s in found), "")

    def unchecked(self) -> list[tuple[str, list[str]]]:
        """Return why rules were silent and which, by reason."""
        reasons: dict[str, list[str]] = {}
        for o in self.outcomes:
            if o.status == "not applicable":
                reasons.setdefault(o.why, []).append(o.rule)
        return sorted(reasons.items())

    def headline(self) -> list[str]:
        """Return what was read, how the rules ended, and how many findings there are of each severity."""
        held = ", ".join(f"{name} ({rows:,} rows)" for name, rows in self._held())
        tally = ", ".join(f"{number} {SAID[status]}" for status, number in self.counts().items())
        by_severity = self.severities
        kinds = [
            f"{by_severity[name]:,} {_plural(name, by_severity[name])}" for name in SEVERITIES if by_severity[name]
        ]
        told = ", ".join(kinds) or "nothing found"
        worlds = f", {self.worlds:,} {_plural('world', self.worlds)}" if self.worlds else ""
        return [f"Year {self.span}{worlds}: {held}", f"{len(self.outcomes)} rules: {tally}; {told}", *self.notes]

    def _held(self) -> list[tuple[str, int]]:
        """Return the files and their rows; of several years, the folders."""
        if self.first_year is None:
            return list(self.files)
        folders: Counter[str] = Counter()
        for name, rows in self.files:
            folders[name.partition("/")[0]] += rows
        return list(folders.items())

    def _summary(self) -> list[str]:
        lines = self.headline()
        if found := self.found():
            lines.append("")
            width = max(len(o.rule) for o in found)
            for o in found:
                lines.append(f"{o.rule:<{width}}  {o.severity:<7}  {o.count:>7,}  {o.words}")
                if spread := self.spread(o):
                    lines.append(f"{'':<{width}}  {spread}")
            if any(o.severity == "query" for o in found):
                lines += ["", _QUERIES]
        crashed = [o for o in self.outcomes if o.status == "crashed"]
        if crashed:
            lines += ["", "Crashed (a fault of this program, not of the file):"]
            lines += [f"{o.rule}  {o.why}" for o in crashed]
        if silent := self.unchecked():
            lines += ["", "Not checked:"]
            lines += [f"{len(ids)} {'rule' if len(ids) == 1 else 'rules'}: {why} ({_some(ids)})" for why, ids in silent]
        return lines

    def _rows(self, max_rows: int) -> list[str]:
        lines: list[str] = []
        # There may be a million findings: only those that are shown are copied.
        few = self.findings.group_by("rule", maintain_order=True).head(max(max_rows, 1))
        by_rule = dict(few.group_by("rule", maintain_order=True))
        counts: Counter[str] = Counter()
        for o in self.found():
            counts[o.rule] += o.count
        for rule, count in counts.items():
            rows = by_rule[(rule,)]
            lines += ["", f"{rule} ({rows['severity'][0]}): {rows['words'][0]}", f"  Source: {rows['reference'][0]}"]
            shown = rows.head(max_rows)
            lines += [f"  {where(row)}: {row['value']}" for row in shown.iter_rows(named=True)]
            if count > shown.height:
                lines.append(f"  and {count - shown.height:,} more")
        return lines


def where(finding: Mapping[str, Any]) -> str:
    """Say where a finding stands: file, line and child, or file and authority for what is said of all its rows."""
    if finding["line"] is None:
        return f"{finding['file']}, authority {finding['child']}"
    return f"{finding['file']} line {finding['line']}, child {finding['child']}"


def _plural(name: str, number: int) -> str:
    if number == 1:
        return name
    return "queries" if name == "query" else f"{name}s"


def _some(ids: Iterable[str], most: int = 6) -> str:
    listed = list(ids)
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")
