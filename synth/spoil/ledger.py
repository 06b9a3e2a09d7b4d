"""The answer sheet: every mistake with its place, what was true, what was written, and the rules that notice."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING

import polars as pl

from synth.spoil.plan import KINDS
from synth.tables import LA, child_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from synth.spoil.mistakes import Mistake, Placed
    from synth.tables import Tables

__all__ = ["Answer", "Entry", "answers", "attributed", "entry_of", "to_csv"]

FOLLOWS = "follows"


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the answer sheet: one cell, row or file that was made otherwise.

    `entry` numbers mistakes from 1; lines of one mistake share it. `line` is that of the written file, blank for a row
    taken out and for what concerns a whole file. `child` is authority/identifier as written, an authority where a rule
    speaks of all its children, blank for a whole file. `rules` are bound to fire, `entailed` were seen to fire too.
    Kind "follows" says that rules also fire on a child that was not changed.
    """

    entry: int | None
    file: str
    line: int | None
    child: str
    field: str
    true: str
    written: str
    kind: str
    rules: tuple[str, ...] = ()
    entailed: tuple[str, ...] = ()


def answers(tables: Tables, mistakes: Sequence[Mistake], placed: Iterable[Placed]) -> list[Answer]:
    """Return a line for every changed cell, new row and row taken out; the rules not yet seen to fire."""
    found: list[Answer] = []
    for at in placed:
        change, mistake = at.change, mistakes[at.mistake]
        table = tables[change.form]
        old = {} if change.new else table.text.row(change.row, named=True)
        now = {**old, **change.cells}
        child = _child(now.get(LA), now.get(child_column(change.form)))
        start = Answer(at.mistake + 1, table.file, at.line, child, "", "", "", mistake.kind)
        if change.gone:
            found.append(replace(start, true="(row)"))
        elif change.new:
            found.append(replace(start, written="(row)"))
        else:
            found += [
                replace(start, field=name, true=old[name] or "", written=value or "")
                for name, value in change.cells.items()
            ]
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """One mistake as the answer sheet knows it: the rules expected, and whose findings are its doing.

    `children` are names as findings give them; a mistake in a whole file has `file` instead.
    """

    rules: frozenset[str]
    children: frozenset[str] = frozenset()
    file: str = ""


def entry_of(mistake: Mistake, number: int, lines: Iterable[Answer]) -> Entry:
    """Return what the sheet knows of a mistake: the child as it was and as it was written."""
    children = {_child(*mistake.child)} | {line.child for line in lines if line.entry == number}
    certain: frozenset[str] = frozenset() if mistake.whole else frozenset(mistake.rules)
    return Entry(certain, frozenset(children))


def attributed(
    lines: Iterable[Answer], entries: Sequence[Entry], forms: Mapping[str, set[str]], new: pl.DataFrame
) -> list[Answer]:
    """Return the lines with the rules that fire, and lines that say on which other children they do.

    `new` are the findings that were not there without the mistakes, `forms` the files each rule speaks about. A rule
    is named on the lines of its own file, if the mistake has one there.
    """
    fired: dict[str, dict[str, str]] = {}
    for child, rule, file in new.select("child", "rule", "file").unique(maintain_order=True).rows():
        fired.setdefault(child, {})[rule] = file
    seen = [_seen(entry, fired, new) for entry in entries]
    files: dict[int, set[str]] = {}
    given = list(lines)
    for line in given:
        files.setdefault(line.entry or 0, set()).add(line.file)
    found = []
    for line in given:
        n = line.entry or 0
        certain = entries[n - 1].rules & seen[n - 1]
        here = {rule for rule in certain if line.file in forms[rule] or not forms[rule] & files[n]}
        found.append(replace(line, rules=tuple(sorted(here)), entailed=tuple(sorted(seen[n - 1] - here))))
    listed = {line.child for line in found}
    of_whole = {line.kind for line in given} - KINDS.keys()
    owner = {child: n for n, entry in enumerate(entries, start=1) for child in entry.children}
    for child in sorted(fired.keys() - listed):
        by_file: dict[str, list[str]] = {}
        for rule, file in fired[child].items():
            if "/" not in child and rule in of_whole:
                found.append(Answer(None, file, None, child, "", "", "", rule, (rule,)))
            else:
                by_file.setdefault(file, []).append(rule)
        found += [
            Answer(owner.get(child), file, None, child, "", "", "", FOLLOWS, entailed=tuple(sorted(rules)))
            for file, rules in sorted(by_file.items())
        ]
    return found


def _seen(entry: Entry, fired: Mapping[str, Mapping[str, str]], new: pl.DataFrame) -> frozenset[str]:
    """Return the rules that fire on the children of a mistake, or anywhere in its file."""
    if entry.file:
        return frozenset(new.filter(pl.col("file") == entry.file)["rule"].to_list())
    return frozenset(rule for child in entry.children for rule in fired.get(child, ()))


def to_csv(lines: Iterable[Answer]) -> str:
    """Render the answer sheet as CSV; several rules are parted by spaces."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Answer)], lineterminator="\n")
    writer.writeheader()
    for line in lines:
        row = asdict(line)
        writer.writerow(row | {"rules": " ".join(line.rules), "entailed": " ".join(line.entailed)})
    return out.getvalue()


def _child(la: str | None, who: str | None) -> str:
    return f"{la or '?'}/{who or '?'}"
