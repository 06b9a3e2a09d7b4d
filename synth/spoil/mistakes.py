"""A mistake: what is to be written otherwise in the rows of one child; and many of them put into forms at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from synth.tables import FIRST_LINE, LA, child_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.tables import Tables

__all__ = ["Change", "Child", "Mistake", "Placed", "children_of", "put_in"]

Child = tuple[str | None, str | None]
"""Authority and identifier, as they stand in the file."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row made otherwise: cells with new text, or the row taken out (`gone`), or a row put in after it (`new`).

    `row` is the number of the row in the form as read, from 0; -1 puts a new row in before all others. `cells` are
    text by item, for a new row all of its items.
    """

    form: str
    row: int
    cells: Mapping[str, str | None] = field(default_factory=dict)
    gone: bool = False
    new: bool = False


@dataclass(frozen=True, slots=True)
class Mistake:
    """What went wrong with one child: `kind`, the rules bound to notice it, and the changes of its rows.

    Mistakes of one run concern different children. `whole` marks those of which only the whole file's counts tell.
    """

    kind: str
    child: Child
    changes: tuple[Change, ...]
    rules: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A change and the line of the written file where it stands; None for a row taken out."""

    mistake: int
    change: Change
    line: int | None


def put_in(tables: Tables, mistakes: Sequence[Mistake]) -> tuple[dict[str, pl.DataFrame], list[Placed]]:
    """Return the changed forms as text, and where each change came to stand, in order of mistakes."""
    by_form: dict[str, list[tuple[int, Change]]] = {}
    for n, mistake in enumerate(mistakes):
        for change in mistake.changes:
            by_form.setdefault(change.form, []).append((n, change))
    frames: dict[str, pl.DataFrame] = {}
    placed: list[Placed] = []
    for form, changes in by_form.items():
        frames[form], lines = _one_form(tables.text(form), [change for _, change in changes])
        placed += [Placed(n, change, line) for (n, change), line in zip(changes, lines, strict=True)]
    return frames, sorted(placed, key=lambda at: at.mistake)


def _one_form(text: pl.DataFrame, changes: Sequence[Change]) -> tuple[pl.DataFrame, list[int | None]]:
    """Return the changed text of a form and the line of each change."""
    columns = {name: text[name].to_list() for name in {n for c in changes if not c.new for n in c.cells}}
    for change in changes:
        if not change.new:
            for name, value in change.cells.items():
                columns[name][change.row] = value
    frame = text.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in columns.items())
    gone = {change.row for change in changes if change.gone}
    added = [change for change in changes if change.new]
    places: list[tuple[float, int]] = [(float(row), row) for row in range(text.height) if row not in gone]
    # New rows follow the row they belong to, in the order they were made.
    places += [(change.row + 0.5, text.height + n) for n, change in enumerate(added)]
    places.sort()
    if added:
        rows = [{name: change.cells.get(name) for name in text.columns} for change in added]
        frame = pl.concat([frame, pl.DataFrame(rows, schema=frame.schema)])
    frame = frame[[row for _, row in places]]
    line = {row: FIRST_LINE + n for n, (_, row) in enumerate(places)}
    numbers = {id(change): text.height + n for n, change in enumerate(added)}
    return frame, [line.get(numbers[id(c)] if c.new else c.row) for c in changes]


def children_of(tables: Tables) -> dict[Child, dict[str, list[int]]]:
    """Return the row numbers of every child by form, children in the order they first stand in."""
    found: dict[Child, dict[str, list[int]]] = {}
    for form in tables.forms:
        text = tables.text(form)
        keys = zip(text[LA].to_list(), text[child_column(form)].to_list(), strict=True)
        for row, key in enumerate(keys):
            found.setdefault(key, {}).setdefault(form, []).append(row)
    return found
