"""The fidelity report of a dataset: each published cell over all worlds, and how the worlds and years compare."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from synth.fidelity.report import ROLES, WIDEST, number, published_row, what

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth.published import Cell

__all__ = ["OverWorlds", "WorldScore", "WorldsReport", "WorldsShare"]

_COLUMNS = (
    "year", "role", "table", "measure", "dim1", "dim2", "geography", "unit", "published", "low", "high", "worlds",
    "mean", "standard_error", "lowest", "highest", "inside", "share_inside", "worst_z", "basis", "source", "file",
    "line", "note", "not_compared",
)  # fmt: skip
_WORST_WORLDS = 5
_WORST_CELLS = 25


@dataclass(frozen=True, slots=True)
class OverWorlds:
    """One published cell over `worlds` worlds; figures are in the printed unit.

    `mean` is over worlds, `error` its standard error (None with one world), `lowest` and `highest` are single worlds'
    figures; in `inside` worlds the figure could be the published one, and `worst_z` is the z farthest from 0.
    """

    cell: Cell
    role: str
    note: str
    worlds: int
    mean: float
    error: float | None
    lowest: float
    highest: float
    inside: int
    worst_z: float

    @property
    def share_inside(self) -> float:
        """Share of the worlds whose figure lies inside the interval."""
        return self.inside / self.worlds


@dataclass(frozen=True, slots=True)
class WorldScore:
    """How many fitted cells of one world there are, in all years, and how many lie inside."""

    world: str
    cells: int
    inside: int


@dataclass(frozen=True, slots=True)
class WorldsShare:
    """Cells of a role, of one year or of all (None), counted once in each world: all of them, and those inside."""

    role: str
    year: int | None
    cells: int
    inside: int

    @property
    def share_inside(self) -> float:
        """Share of the cells inside their intervals; 1 without cells."""
        return self.inside / self.cells if self.cells else 1.0


@dataclass(frozen=True, slots=True)
class WorldsReport:
    """What the worlds of a dataset are like beside the published cells of its years.

    `known` says whether they were made with the profile they are judged beside.
    """

    folder: str
    years: tuple[int, ...]
    worlds: tuple[WorldScore, ...]
    authorities: tuple[str, ...]
    seed: int
    profile: str
    cells: tuple[OverWorlds, ...]
    skipped: tuple[tuple[Cell, str], ...]
    superseded: int
    unpublished: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...] = ()
    known: bool = True

    def shares(self) -> tuple[WorldsShare, ...]:
        """Return for each role, in order fitted, held_out, compared, all years together and then each."""
        found = []
        for role in ROLES:
            for year in (None, *self.years):
                held = [c for c in self.cells if c.role == role and year in {None, c.cell.year}]
                found.append(WorldsShare(role, year, sum(c.worlds for c in held), sum(c.inside for c in held)))
        return tuple(found)

    def exit_code(self, min_inside: float) -> int:
        """Return 0 where at least that share of the fitted cells of all worlds is inside and the profile known."""
        return 0 if self.known and self.shares()[0].share_inside >= min_inside else 1

    def misses(self) -> list[OverWorlds]:
        """Return the cells outside their interval in any world: those inside in fewest worlds first, then farthest."""
        return sorted((c for c in self.cells if c.inside < c.worlds), key=lambda c: (c.share_inside, -abs(c.worst_z)))

    def worst_worlds(self) -> list[WorldScore]:
        """Return the worlds in which fitted cells are outside, those with most first."""
        outside = [w for w in self.worlds if w.inside < w.cells]
        return sorted(outside, key=lambda w: w.inside - w.cells)[:_WORST_WORLDS]

    def to_text(self, *, all_cells: bool = False) -> str:
        """Render as text: shares by role and year, the worst worlds, the worst cells or all in order of the files."""
        misses = self.misses()
        listed = list(self.cells) if all_cells else misses[:_WORST_CELLS]
        title = "Cells" if all_cells else "Outside in any world, worst first"
        more = len(misses) - len(listed)
        lines = [*self._summary(), *self._worst(), "", f"{title}: {len(self.cells if all_cells else misses):,}"]
        lines += [*_lines(listed), *([f"and {more:,} more; --all lists every cell"] if more > 0 else [])]
        return "\n".join([*lines, *self._rest()])

    def to_csv(self) -> str:
        """Render every standing cell as a row, those not compared with their reason."""
        out = io.StringIO()
        writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows())
        return out.getvalue()

    def to_json(self) -> str:
        """Render everything as one JSON object; a z without bound is null, as is the error of a single world."""
        content = {
            "folder": self.folder,
            "years": list(self.years),
            "authorities": list(self.authorities),
            "seed": self.seed,
            "profile": self.profile,
            "made_with_this_profile": self.known,
            "remarks": list(self.remarks),
            "shares": [asdict(s) | {"share_inside": round(s.share_inside, 4)} for s in self.shares()],
            "worlds": [asdict(world) for world in self.worlds],
            "superseded": self.superseded,
            "cells": self._rows(),
            "unpublished": [{"return": r, "about": about, "note": note} for r, about, note in self.unpublished],
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def _summary(self) -> list[str]:
        first, last = self.years[0], self.years[-1]
        years = f"Year ending 31 March {last}" if first == last else f"Years ending 31 March {first} to {last}"
        worlds = _counted(len(self.worlds), "world", "worlds")
        places = _counted(len(self.authorities), "authority", "authorities")
        compared = f"{len(self.cells):,} published cells compared in each, {len(self.skipped):,} not"
        lines = [
            f"{years}, {worlds} of {places}, seed {self.seed}, profile {self.profile}",
            f"{compared}, {self.superseded:,} superseded by others",
            *self.remarks,
            "",
            f"{'':<34}{'cells':>12}{'inside':>12}{'share':>8}",
        ]
        for share in self.shares():
            name = ROLES[share.role] if share.year is None else f"  {share.year}"
            if share.cells and (share.year is None or len(self.years) > 1):
                lines.append(f"{name:<34}{share.cells:>12,}{share.inside:>12,}{share.share_inside:>8.1%}")
            elif share.year is None:
                lines.append(f"{name:<34}{0:>12}")
        return [*lines, "", "cells: of all worlds together"]

    def _worst(self) -> list[str]:
        worst = self.worst_worlds()
        if not worst:
            return ["", "Every fitted cell lies inside in every world."]
        whole = sum(w.inside == w.cells for w in self.worlds)
        lines = ["", f"Every fitted cell lies inside in {whole:,} of {len(self.worlds):,} worlds; fewest in:"]
        return lines + [f"  {w.world}: {w.inside:,} of {w.cells:,} ({w.inside / w.cells:.1%})" for w in worst]

    def _rest(self) -> Iterable[str]:
        yield ""
        reasons = Counter((cell.year, cell.table, reason) for cell, reason in self.skipped)
        if reasons:
            yield f"Not compared: {len(self.skipped):,}"
            yield from (f"  {n:>4}  {year} {table}: {why}" for (year, table, why), n in sorted(reasons.items()))
            yield ""
        yield "Nothing published to compare with:"
        yield from (f"  {of}: {about}. {note}" for of, about, note in self.unpublished)
        yield ""

    def _rows(self) -> list[dict[str, Any]]:
        rows = [_row(found) for found in self.cells]
        rows += [
            published_row(cell) | {"year": cell.year, "role": "none", "not_compared": reason}
            for cell, reason in self.skipped
        ]
        rows.sort(key=lambda row: (row["year"], row["file"], row["line"]))
        return [{column: row.get(column) for column in _COLUMNS} for row in rows]


def _row(found: OverWorlds) -> dict[str, Any]:
    return published_row(found.cell) | {
        "year": found.cell.year,
        "role": found.role,
        "worlds": found.worlds,
        "mean": round(found.mean, 3),
        "standard_error": None if found.error is None else round(found.error, 4),
        "lowest": round(found.lowest, 3),
        "highest": round(found.highest, 3),
        "inside": found.inside,
        "share_inside": round(found.share_inside, 4),
        "worst_z": round(found.worst_z, 2) if math.isfinite(found.worst_z) else None,
        "note": found.note,
    }


def _lines(cells: Sequence[OverWorlds]) -> list[str]:
    if not cells:
        return []
    names = [f"{found.cell.year} {what(found.cell)}"[:WIDEST] for found in cells]
    width = max(map(len, names))
    heads = ("published", "low", "high", "mean", "s.e.", "lowest", "highest", "inside")
    lines = [f"{'':<{width}}  {'':<9}" + "".join(f"{head:>10}" for head in heads)]
    for name, found in zip(names, cells, strict=True):
        shown = "hidden" if found.cell.value is None else number(found.cell.value)
        error = "" if found.error is None else number(found.error)
        figures = (found.cell.low, found.cell.high, found.mean)
        ends = (found.lowest, found.highest)
        lines.append(
            f"{name:<{width}}  {found.role:<9}{shown:>10}"
            + "".join(f"{number(value):>10}" for value in figures)
            + f"{error:>10}"
            + "".join(f"{number(value):>10}" for value in ends)
            + f"{found.share_inside:>10.1%}"
        )
    return lines


def _counted(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
