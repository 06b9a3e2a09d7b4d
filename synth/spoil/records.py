"""Mistakes in whole records: a child written twice, another identifier, episodes left open, apart or overlapping."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.rules.pupil_number import UPN_LENGTH
from synth.spoil.mistakes import Change, Mistake
from synth.tables import child_column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from synth.spoil.mistakes import Child
    from synth.tables import Tables

    Rows = Mapping[str, list[int]]
    Random = np.random.Generator

__all__ = ["RECORD_KINDS", "RecordKind", "record_mistakes"]

_LONGEST = 21
"""Days by which an episode comes to begin too late or end too late, at most."""


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of mistake in a child's records; `make` returns none where the child's records do not allow it."""

    name: str
    words: str
    make: Callable[[Tables, Child, Rows, Random], Mistake | None]


def record_mistakes(
    kind: RecordKind, tables: Tables, rows: Mapping[Child, Rows], wanted: int, used: set[Child], rng: Random
) -> list[Mistake]:
    """Return up to `wanted` mistakes of a kind; `rows` are each child's row numbers by form."""
    children = [child for child in rows if child not in used and None not in child]
    found: list[Mistake] = []
    for n in rng.permutation(len(children)):
        if len(found) >= wanted:
            break
        child = children[n]
        mistake = kind.make(tables, child, rows[child], rng)
        if mistake is not None:
            found.append(mistake)
    return found


def _new_identifier(old: str, taken: set[str], rng: Random) -> str:
    """Return an identifier of the same look that nobody has: some of its digits are others."""
    while True:
        places = [n for n, c in enumerate(old) if c.isdigit()]
        letters = [*old]
        for n in places[-4:]:
            letters[n] = str(int(rng.integers(10)))
        new = "".join(letters) if places else f"{old}{int(rng.integers(1000))}"
        if new not in taken:
            return new


def _taken(tables: Tables, rows: Rows) -> set[str]:
    return {who for form in rows for who in tables.text(form)[child_column(form)].to_list() if who}


def _twice(tables: Tables, child: Child, rows: Rows, rng: Random) -> Mistake | None:
    """Write every row of the child a second time under another identifier, as after two referrals."""
    other = _new_identifier(child[1] or "", _taken(tables, rows), rng)
    rules: list[str] = []
    changes = []
    for form, numbers in rows.items():
        text = tables.text(form)
        for row in numbers:
            cells = text.row(row, named=True) | {child_column(form): other}
            changes.append(Change(form, numbers[-1], cells, new=True))
            if form == "child" and _real_upn(cells.get("UPN")):
                rules.append("CLA024")
            if form == "crcs" and _real_upn(cells.get("UPN")):
                rules.append("CRCS-008")
    return Mistake("child-twice", child, tuple(changes), tuple(rules))


def _real_upn(number: str | None) -> bool:
    return number is not None and len(number) == UPN_LENGTH


def _identifier_changed(tables: Tables, child: Child, rows: Rows, rng: Random) -> Mistake | None:
    """Give another identifier than last year, the same in all files; only last year's files can tell."""
    other = _new_identifier(child[1] or "", _taken(tables, rows), rng)
    changes = [Change(form, row, {child_column(form): other}) for form, numbers in rows.items() for row in numbers]
    return Mistake("identifier-changed", child, tuple(changes))


def _followed(tables: Tables, rows: Rows) -> list[tuple[int, int]]:
    """Return pairs of a child's episodes that follow on, one ended X1 and the next L, P or B."""
    if "episode" not in rows:
        return []
    view = tables.episodes[rows["episode"]]
    pairs = []
    by_start = {row["start"]: row for row in view.iter_rows(named=True)}
    for row in view.filter(pl.col("goes_on")).iter_rows(named=True):
        before = by_start.get(row["prev_start"])
        if before is not None and row["reason"] in {"L", "P", "B"}:
            pairs.append((before["row"], row["row"]))
    return pairs


def _one_pair(tables: Tables, rows: Rows, rng: Random) -> tuple[int, int] | None:
    pairs = _followed(tables, rows)
    return pairs[int(rng.integers(len(pairs)))] if pairs else None


def _left_open(tables: Tables, child: Child, rows: Rows, rng: Random) -> Mistake | None:
    """Leave an episode without end, with the next one begun."""
    pair = _one_pair(tables, rows, rng)
    if pair is None:
        return None
    blank = {"EPISODE_END_DATE": None, "REASON_EPISODE_FINISHED_CODE": None}
    return Mistake("episode-left-open", child, (Change("episode", pair[0], blank),), ("CLA055",))


def _gap(tables: Tables, child: Child, rows: Rows, rng: Random) -> Mistake | None:
    """Let the next episode begin some days after the last one ended."""
    pair = _one_pair(tables, rows, rng)
    if pair is None:
        return None
    after = tables.episodes.row(pair[1], named=True)
    room = ((after["end"] or tables.last_day) - after["start"]).days - 1
    if room <= tables.gap_days:
        return None
    days = int(rng.integers(tables.gap_days + 1, min(room, _LONGEST) + 1))
    start = after["start"] + dt.timedelta(days=days)
    change = Change("episode", pair[1], {"EPISODE_START_DATE": f"{start:%d/%m/%Y}"})
    return Mistake("gap", child, (change,), ("CLA058", "CLA059"))


def _overlap(tables: Tables, child: Child, rows: Rows, rng: Random) -> Mistake | None:
    """Let an episode end some days after the next one began."""
    pair = _one_pair(tables, rows, rng)
    if pair is None:
        return None
    after = tables.episodes.row(pair[1], named=True)
    room = ((after["end"] or tables.last_day) - after["start"]).days
    if room < 1:
        return None
    end = after["start"] + dt.timedelta(days=int(rng.integers(1, min(room, _LONGEST) + 1)))
    change = Change("episode", pair[0], {"EPISODE_END_DATE": f"{end:%d/%m/%Y}"})
    return Mistake("overlap", child, (change,), ("CLA053",))


RECORD_KINDS = (
    RecordKind("child-twice", "a child entered twice under two identifiers", _twice),
    RecordKind("identifier-changed", "another identifier than last year, in all files alike", _identifier_changed),
    RecordKind("episode-left-open", "an episode left open and the next one started", _left_open),
    RecordKind("gap", "days missing between two episodes that should follow on", _gap),
    RecordKind("overlap", "an episode that ends after the next one began", _overlap),
)
"""Kinds of mistake in a child's records, in the order they are listed."""
