"""The fidelity report: summary by role and table, the misses, what was not compared and what nobody published."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth.geography.authorities import all_authorities
from synth.published import WALES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.fidelity.comparison import Comparison, Result
    from synth.published import Cell

__all__ = ["ROLES", "WIDEST", "Report", "Score", "number", "published_row", "what"]

ROLES = {
    "fitted": "fitted: aimed at by the profile",
    "held_out": "held out: kept out of fitting",
    "compared": "compared: not aimed at",
}
_COLUMNS = (
    "role", "table", "measure", "dim1", "dim2", "geography", "unit", "published", "low", "high", "generated",
    "inside", "z", "basis", "source", "file", "line", "note", "not_compared",
)  # fmt: skip
WIDEST = 58


@dataclass(frozen=True, slots=True)
class Score:
    """Cells of one table or role taken together.

    `total_absolute_error` adds up how many children each figure lies outside its interval; `standardised` divides
    it by the children in the middle of the intervals. Both leave out means and changes.
    """

    name: str
    cells: int
    inside: int
    total_absolute_error: float
    standardised: float
    worst: Result | None

    @property
    def share_inside(self) -> float:
        """Return the share of cells inside their intervals; 1 without cells."""
        return self.inside / self.cells if self.cells else 1.0

    @classmethod
    def of(cls, name: str, results: Sequence[Result]) -> Score:
        """Take results together."""
        misses = [result for result in results if not result.inside]
        total = sum(result.children or 0.0 for result in results)
        size = sum(result.size or 0.0 for result in results)
        worst = max(misses, key=lambda result: abs(result.z), default=None)
        return cls(name, len(results), len(results) - len(misses), total, total / size if size else 0.0, worst)


@dataclass(frozen=True, slots=True)
class Report:
    """What a folder's files are like beside the published cells of its year.

    `known` says whether they were made with the profile they are judged beside.
    """

    folder: str
    year: int
    authorities: tuple[str, ...]
    seed: int
    profile: str
    comparison: Comparison
    unpublished: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...] = ()
    known: bool = True

    def by_role(self) -> tuple[Score, ...]:
        """Score each role, in order fitted, held_out, compared; every role is there."""
        return tuple(Score.of(r, [x for x in self.comparison.results if x.role == r]) for r in ROLES)

    def by_table(self) -> tuple[Score, ...]:
        """Score each table that has a cell compared, in file order."""
        tables = dict.fromkeys(result.cell.table for result in self.comparison.results)
        return tuple(Score.of(t, [x for x in self.comparison.results if x.cell.table == t]) for t in tables)

    def exit_code(self, min_inside: float) -> int:
        """Return 0 where at least that share of the fitted cells lies inside and the profile is known, else 1."""
        return 0 if self.known and self.by_role()[0].share_inside >= min_inside else 1

    def to_text(self, *, all_cells: bool = False) -> str:
        """Render as text, summary first; the misses worst first, or every cell in file order."""
        results = self.comparison.results
        listed = list(results) if all_cells else sorted((r for r in results if not r.inside), key=lambda r: -abs(r.z))
        title = "Cells" if all_cells else "Misses, worst first"
        return "\n".join(
            [*self._summary(), "", f"{title}: {len(listed)}", *_lines(listed), *self._rest()],
        )

    def to_csv(self) -> str:
        """Render every standing cell as a row, those not compared with their reason."""
        out = io.StringIO()
        writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._cells())
        return out.getvalue()

    def to_json(self) -> str:
        """Render everything as one JSON object; a z without bound is null."""
        content = {
            "folder": self.folder,
            "year": self.year,
            "authorities": list(self.authorities),
            "seed": self.seed,
            "profile": self.profile,
            "made_with_this_profile": self.known,
            "remarks": list(self.remarks),
            "roles": [_scored(score) for score in self.by_role()],
            "tables": [_scored(score) for score in self.by_table()],
            "superseded": self.comparison.superseded,
            "cells": self._cells(),
            "unpublished": [{"return": r, "about": about, "note": note} for r, about, note in self.unpublished],
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def _summary(self) -> list[str]:
        places = len(self.authorities)
        named = "1 authority" if places == 1 else f"{places} authorities"
        compared, skipped = len(self.comparison.results), len(self.comparison.skipped)
        lines = [
            f"Year ending 31 March {self.year}, {named}, seed {self.seed}, profile {self.profile}",
            f"{compared} published cells compared, {skipped} not, {self.comparison.superseded} superseded by others",
            *self.remarks,
            "",
            f"{'':<34}{'cells':>7}{'inside':>8}{'share':>8}{'error':>9}{'of all':>8}  largest miss",
        ]
        lines += [_score_line(ROLES[score.name], score) for score in self.by_role()]
        lines += ["", *(_score_line(score.name, score) for score in self.by_table()), ""]
        lines.append("error: children outside the intervals; of all: as a share of the children in the cells")
        return lines

    def _rest(self) -> list[str]:
        lines = [""]
        reasons = Counter((cell.table, reason) for cell, reason in self.comparison.skipped)
        if reasons:
            lines += [f"Not compared: {len(self.comparison.skipped)}"]
            lines += [f"  {n:>4}  {table}: {reason}" for (table, reason), n in sorted(reasons.items())]
            lines.append("")
        lines.append("Nothing published to compare with:")
        lines += [f"  {of}: {about}. {note}" for of, about, note in self.unpublished]
        return [*lines, ""]

    def _cells(self) -> list[dict[str, Any]]:
        rows = [_row(result) for result in self.comparison.results]
        for cell, reason in self.comparison.skipped:
            rows.append(published_row(cell) | {"role": "none", "not_compared": reason})
        rows.sort(key=lambda row: (row["file"], row["line"]))
        return [{column: row.get(column) for column in _COLUMNS} for row in rows]


def published_row(cell: Cell) -> dict[str, Any]:
    """Return a published cell as columns of a report, its interval to three places."""
    return {
        "table": cell.table,
        "measure": cell.measure,
        "dim1": cell.dim1,
        "dim2": cell.dim2,
        "geography": cell.geography,
        "unit": cell.unit,
        "published": cell.value,
        "low": round(cell.low, 3),
        "high": round(cell.high, 3),
        "basis": cell.basis,
        "source": cell.source,
        "file": cell.file,
        "line": cell.line,
    }


def _row(result: Result) -> dict[str, Any]:
    return published_row(result.cell) | {
        "role": result.role,
        "generated": round(result.generated, 3),
        "inside": result.inside,
        "z": round(result.z, 2) if math.isfinite(result.z) else None,
        "note": result.note,
    }


def _scored(score: Score) -> dict[str, Any]:
    return {
        "name": score.name,
        "cells": score.cells,
        "inside": score.inside,
        "share_inside": round(score.share_inside, 4),
        "total_absolute_error": round(score.total_absolute_error, 1),
        "standardised_absolute_error": round(score.standardised, 5),
        "largest_miss": None if score.worst is None else _row(score.worst),
    }


def _score_line(name: str, score: Score) -> str:
    if not score.cells:
        return f"{name:<34}{0:>7}"
    miss = f"  {what(score.worst.cell)}, z {score.worst.z:+.1f}" if score.worst else ""
    return (
        f"{name:<34}{score.cells:>7}{score.inside:>8}{score.share_inside:>8.1%}"
        f"{score.total_absolute_error:>9,.0f}{score.standardised:>8.1%}{miss}"
    )


def _lines(results: Sequence[Result]) -> list[str]:
    if not results:
        return []
    names = [what(result.cell)[:WIDEST] for result in results]
    width = max(map(len, names))
    lines = [f"{'':<{width}}  {'':<9}{'published':>10}{'low':>10}{'high':>10}{'generated':>11}{'z':>8}"]
    for name, r in zip(names, results, strict=True):
        shown = "hidden" if r.cell.value is None else number(r.cell.value)
        lines.append(
            f"{name:<{width}}  {r.role:<9}{shown:>10}{number(r.cell.low):>10}{number(r.cell.high):>10}"
            f"{number(r.generated):>11}{r.z:>+8.1f}"
        )
    return lines


def what(cell: Cell) -> str:
    """Say in words which figure a cell is: table, area, what it is divided by, unit."""
    names = {a.ons_code: a.name for a in all_authorities()} | {WALES: "Wales"}
    # Codes of measures, such as CH/048, say nothing to a reader.
    dims = " / ".join(dim for dim in (cell.dim1, cell.dim2) if dim and not dim.isupper())
    unit = {"percent": "%", "rate_per_10000": "per 10,000"}.get(cell.unit, "" if cell.unit == "count" else cell.unit)
    parts = (cell.table, names[cell.geography], dims or cell.measure.replace("_", " "), unit)
    return " ".join(part for part in parts if part)


def number(value: float) -> str:
    """Write two places at most, and none that are 0."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
