"""Mistakes made through the breakers of rules: what a breaker changed, taken apart child by child."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.spoil.mistakes import Change, Mistake
from synth.tables import LA, child_column

if TYPE_CHECKING:
    import polars as pl

    from synth.guidance import Guidance
    from synth.rules.registry import Rule
    from synth.spoil.mistakes import Child
    from synth.tables import Tables

__all__ = ["broken"]

_TRIED_FIRST = 400
"""Rows a breaker is shown at first; all of them only where these were not enough."""


def broken(
    rule: Rule, tables: Tables, g: Guidance, wanted: int, used: set[Child], rng: np.random.Generator
) -> list[Mistake]:
    """Return up to `wanted` mistakes that violate a rule, each of another child that is not in `used`.

    A rule about whole files needs many rows: one mistake a child touched, whatever `wanted` says.
    """
    if rule.break_rows is None:
        return []
    rows = rng.permutation(np.arange(tables[rule.form].height))
    found: list[Mistake] = []
    for shown in (rows[:_TRIED_FIRST], rows) if rule.per == "row" and len(rows) > _TRIED_FIRST else (rows,):
        try:
            apart = _by_child(tables, rule.break_rows(tables, g, np.sort(shown), rng))
        except (ValueError, OverflowError):
            # After the year 9999 there is no day: such files are no good ones; a note says how few are made.
            return []
        children = [child for child in apart if child not in used]
        if rule.per == "row":
            children = [children[n] for n in rng.permutation(len(children))[:wanted]]
        whole = rule.per != "row"
        found = [Mistake(rule.id, child, tuple(apart[child]), (rule.id,), whole=whole) for child in children]
        if len(found) >= wanted:
            break
    return found


def _by_child(tables: Tables, frames: dict[str, pl.DataFrame]) -> dict[Child, list[Change]]:
    """Return the changes between the forms as read and as a breaker left them, by the child whose rows they are."""
    found: dict[Child, list[Change]] = {}
    for form, new in frames.items():
        old = tables.text(form)
        keys = list(zip(old[LA].to_list(), old[child_column(form)].to_list(), strict=True))
        if new.height == old.height:
            for change in _cells(form, old, new):
                found.setdefault(keys[change.row], []).append(change)
        else:
            for owner, change in _rows(form, old, new, keys):
                found.setdefault(owner, []).append(change)
    return found


def _cells(form: str, old: pl.DataFrame, new: pl.DataFrame) -> list[Change]:
    """Return changed cells, a change a row."""
    cells: dict[int, dict[str, str | None]] = {}
    for name in old.columns:
        other = old[name].ne_missing(new[name])
        for row in other.arg_true().to_list():
            cells.setdefault(row, {})[name] = new[name][row]
    return [Change(form, row, values) for row, values in sorted(cells.items())]


def _rows(form: str, old: pl.DataFrame, new: pl.DataFrame, keys: list[Child]) -> list[tuple[Child, Change]]:
    """Return rows taken out and rows put in, each with its child; a new row follows the child's last one."""
    before, after = old.rows(), new.rows()
    left: dict[tuple[str | None, ...], list[int]] = {}
    for row, values in reversed(list(enumerate(before))):
        left.setdefault(values, []).append(row)
    put_in = [values for values in after if not _taken(left, values)]
    found = [(keys[row], Change(form, row, gone=True)) for rows in left.values() for row in rows]
    last = {key: row for row, key in enumerate(keys)}
    la, who = old.columns.index(LA), old.columns.index(child_column(form))
    for values in put_in:
        key = (values[la], values[who])
        cells = dict(zip(old.columns, values, strict=True))
        found.append((key, Change(form, last.get(key, old.height - 1), cells, new=True)))
    return found


def _taken(left: dict[tuple[str | None, ...], list[int]], values: tuple[str | None, ...]) -> bool:
    """Pair a row with one that stood there before; say whether there was one."""
    rows = left.get(values)
    if not rows:
        return False
    rows.pop()
    return True
