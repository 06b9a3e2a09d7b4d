"""How each published figure is counted in generated files, and what part it plays: one row of counted.csv a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.errors import ProfileError
from synth.published.reading import Tables, read_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth.published.cells import Cell

__all__ = ["ROLES", "VIEWS", "Condition", "Counted", "conditions", "counted_as", "load_counted", "role_of"]

ROLES = ("fitted", "held_out", "compared", "none")
"""Aimed at; kept out of fitting to test it; not aimed at but told; not to be found in the two returns."""

VIEWS = {
    "looked_after": "stock",
    "short_breaks": "stock",
    "care_and_support": "stock",
    "started": "flow",
    "ceased": "flow",
    "ended": "flow",
    "ever": "flow",
    "adopted": "flow",
    "care_leavers": "flow",
}
"""View -> whether its rows are counted on 31 March (stock) or over the year (flow)."""

_COLUMNS = (
    "table_id", "measure", "dim1_value", "dim2_value", "unit", "view", "where", "of", "years", "role", "note",
)  # fmt: skip
_YEARS = ("", "sum", "mean", "change")
_POPULATIONS = ("estimate", "rebased")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a column: one of some values (`A=x/y`), none of them (`A!=x`), or a range (`age=1..4`).

    Ends of a range are inclusive; an open end is None. A range has no values.
    """

    column: str
    values: tuple[str, ...] = ()
    negated: bool = False
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How figures of one kind are counted: rows of `view` that meet all of `where`.

    A share is taken of the rows that meet all of `of`; a rate per 10,000 of `population` ("estimate", or "rebased"
    on the 2021 census) at the mid-year before; a mean is that of column `mean`. `years` says how the year before
    joins in: "sum" or "mean" of both counts, or "change" from it in percent. Empty dims and unit fit every figure.
    """

    place: str
    table: str
    measure: str
    dim1: str
    dim2: str
    unit: str
    view: str
    where: tuple[Condition, ...]
    of: tuple[Condition, ...]
    population: str
    mean: str
    years: str
    role: str
    note: str

    def fits(self, cell: Cell) -> bool:
        """Say whether this row is about a cell."""
        asked = ((self.dim1, cell.dim1), (self.dim2, cell.dim2), (self.unit, cell.unit))
        return (self.table, self.measure) == (cell.table, cell.measure) and all(a in ("", b) for a, b in asked)


def load_counted(tables: Tables) -> tuple[Counted, ...]:
    """Read counted.csv from the folder of the published tables; ProfileError names line and column of a wrong cell."""
    path = tables.folder / "counted.csv"
    return tuple(_counted(path, line, cells) for line, cells in read_csv(path, _COLUMNS))


def counted_as(counted: Sequence[Counted], cell: Cell) -> Counted:
    """Return the row that says how a cell is counted: the first that fits.

    Raises ProfileError for a cell without one.
    """
    for row in counted:
        if row.fits(cell):
            return row
    dims = " / ".join(dim for dim in (cell.dim1, cell.dim2) if dim) or "undivided"
    raise ProfileError(
        f"{cell.place}: counted.csv does not say how {cell.table} {cell.measure} ({dims}, {cell.unit}) is counted. "
        "Add a row, with role none and the reason if it cannot be."
    )


def role_of(row: Counted, held_out: Sequence[str] = ()) -> str:
    """Return the role of a row; a fitted one of a table (`T16`) or measure (`T16 measure`) held out is held_out."""
    if row.role == "fitted" and (row.table in held_out or f"{row.table} {row.measure}" in held_out):
        return "held_out"
    return row.role


def _counted(path: Path, line: int, cells: dict[str, str]) -> Counted:
    place = f"{path.name} line {line}"

    def choice(column: str, allowed: Sequence[str]) -> str:
        if cells[column] not in allowed:
            expected = ", ".join(text or "empty" for text in allowed)
            raise ProfileError(f"{path} line {line}, column {column}: {cells[column]!r}; expected one of {expected}.")
        return cells[column]

    role = choice("role", ROLES)
    view = choice("view", ("",) if role == "none" else tuple(VIEWS))
    if role == "none" and not cells["note"]:
        raise ProfileError(f"{path} line {line}, column note: empty; expected why the figure cannot be counted.")
    of, population, mean = cells["of"], "", ""
    if of.startswith("population="):
        population, of = of.removeprefix("population="), ""
        if population not in _POPULATIONS:
            raise ProfileError(
                f"{path} line {line}, column of: population {population!r}; expected {' or '.join(_POPULATIONS)}.",
            )
    elif of.startswith("mean="):
        mean, of = of.removeprefix("mean="), ""
    return Counted(
        place=place,
        table=cells["table_id"],
        measure=cells["measure"],
        dim1=cells["dim1_value"],
        dim2=cells["dim2_value"],
        unit=cells["unit"],
        view=view,
        where=conditions(path, line, "where", cells["where"]),
        of=conditions(path, line, "of", of),
        population=population,
        mean=mean,
        years=choice("years", _YEARS),
        role=role,
        note=cells["note"],
    )


def conditions(path: Path, line: int, column: str, text: str) -> tuple[Condition, ...]:
    """Read conditions joined by semicolons; ProfileError names line and column of one that is none."""
    return tuple(_condition(path, line, column, part.strip()) for part in text.split(";") if part.strip())


def _condition(path: Path, line: int, column: str, text: str) -> Condition:
    name, sign, wanted = text.partition("=")
    negated = name.endswith("!")
    name = name.removesuffix("!").strip()
    if sign and name and wanted:
        if ".." not in wanted:
            return Condition(name, tuple(wanted.split("/")), negated)
        low, _, high = wanted.partition("..")
        if (low or high) and not negated and all(end.isdecimal() or not end for end in (low, high)):
            return Condition(name, low=int(low) if low else None, high=int(high) if high else None)
    raise ProfileError(
        f"{path} line {line}, column {column}: {text!r} is no condition; expected COLUMN=a/b, COLUMN!=a or age=1..4.",
    )
