"""Good files in, spoilt files and the answer sheet out: as many mistakes as asked for, each in another child."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth.errors import InputError
from synth.files import FILES, check_place, folder_in_place, resolved
from synth.formulas import without_formulas
from synth.guidance import RETURNS
from synth.reading import beside_last_year, read_any
from synth.rules.rulebook import rules_for
from synth.spoil.breaking import broken
from synth.spoil.cells import CELL_KINDS, cell_mistakes
from synth.spoil.ledger import Answer, Entry, answers, attributed, entry_of, to_csv
from synth.spoil.mistakes import Mistake, children_of, put_in
from synth.spoil.plan import plan
from synth.spoil.records import RECORD_KINDS, record_mistakes
from synth.spoil.whole import FILE_KINDS
from synth.tables import lines_of, write_form
from synth.validate.run import validate_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from synth.guidance import Guidance
    from synth.rules.registry import Rule
    from synth.spoil.mistakes import Child
    from synth.spoil.plan import Wanted
    from synth.tables import FormTable, Tables

__all__ = ["ANSWERS", "Spoilt", "spoil"]

ANSWERS = "answers.csv"


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What was done: the folder, the year, the answer sheet, and notes on what could not be done."""

    folder: Path
    year: int
    lines: tuple[Answer, ...]
    notes: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Count mistakes by kind, those of rules by the rule's id."""
        kinds = {line.entry: line.kind for line in self.lines if line.entry is not None and line.kind != "follows"}
        found: dict[str, int] = {}
        for kind in kinds.values():
            found[kind] = found.get(kind, 0) + 1
        return dict(sorted(found.items()))


def spoil(
    paths: Sequence[Path],
    out: Path,
    *,
    rates: Sequence[str] = (),
    kinds: Sequence[str] = (),
    rules: Sequence[str] = (),
    seed: int = 1,
    last_year: Sequence[Path] = (),
    year: int | None = None,
) -> Spoilt:
    """Write the forms found in `paths` with mistakes into the folder `out`, and answers.csv beside them.

    Files are written as CSV under the names of generated ones; `out` appears whole or not at all and replaces only
    what this program wrote. The same files, options and seed give the same bytes. Raises InputError for what cannot be
    read, names that are unknown and a folder that cannot be used.
    """
    found = read_any(paths, year=year)
    _check_out(paths, out)
    names = {form: FILES[form] for form in found.forms}
    tables, _ = beside_last_year(found, last_year)
    tables, formulas = _harmless(tables)
    tables = replace(tables, forms={form: _as_written(table, names[form]) for form, table in tables.forms.items()})
    guidance = {name: tables.guidance(name) for name in RETURNS}
    book = {
        (r.id, r.form): (r, g)
        for g in guidance.values()
        for r in rules_for(g)[0]
        if r.break_rows is not None and all(form in tables for form in (r.form, *r.needs)) and tables[r.form].height
    }
    rng = np.random.default_rng(seed)
    rows = children_of(tables)
    wanted = plan(rates, kinds, rules, [r for r, _ in book.values()], len(rows), rng)
    mistakes, notes = _mistakes(tables, guidance, book, wanted, rows, rng)
    frames, placed = put_in(tables, mistakes)
    lines = answers(tables, mistakes, placed)
    entries = [entry_of(mistake, n, lines) for n, mistake in enumerate(mistakes, start=1)]
    base = validate_tables(tables, found.year).findings
    with folder_in_place(out.resolve().parent, out.resolve().name) as building:
        for form, name in names.items():
            text = frames.get(form, tables.text(form))
            write_form(text.drop([c for c in tables[form].missing if c in text.columns]), building / name)
        whole, more = _in_files(building, names, guidance, wanted, len(entries), rng)
        lines += whole
        entries += more
        spoilt = read_any([building], year=found.year)
        after = replace(tables, forms=spoilt.forms)
        new = _new(base, validate_tables(after, found.year).findings)
        forms = {r.id: {names[form] for (id_, form) in book if id_ == r.id} for r, _ in book.values()}
        lines = attributed(lines, entries, forms, new)
        (building / ANSWERS).write_text(to_csv(lines), "utf-8", newline="\n")
    return Spoilt(out, found.year, tuple(lines), (*found.notes, *formulas, *notes))


def _harmless(tables: Tables) -> tuple[Tables, list[str]]:
    """Lead what a spreadsheet takes for a formula by an apostrophe, and say so: the files are made to be opened."""
    notes = []
    changed = {}
    for form, table in tables.forms.items():
        text, formulas = without_formulas(table)
        for name, rows in formulas.items():
            changed[form] = table.text.with_columns(text[name])
            table = replace(table, text=changed[form])  # noqa: PLW2901  column upon column
            place = f"{table.file}, line {table.lines[rows[0]]}, {name}"
            notes.append(
                f"{place}: begins like a formula (so do {len(rows):,} cells of the column); led by an apostrophe."
            )
    return tables.changed(changed), notes


def _check_out(paths: Sequence[Path], out: Path) -> None:
    """Refuse to write over what was read, or over somebody else's files."""
    place = resolved(out)
    for path in paths:
        if place == path.resolve() or place == path.resolve().parent:
            raise InputError(f"--out {out}: the good files stand there; give another folder.")
    check_place(place.parent, place, {*FILES.values(), ANSWERS}, named=out)


def _as_written(table: FormTable, name: str) -> FormTable:
    """Return a form as it will stand in one file of that name, line after line."""
    return replace(table, file=name, files=None, lines=lines_of(table.height))


def _mistakes(
    tables: Tables,
    guidance: dict[str, Guidance],
    book: dict[tuple[str, str], tuple[Rule, Guidance]],
    wanted: Wanted,
    rows: Mapping[Child, Mapping[str, list[int]]],
    rng: np.random.Generator,
) -> tuple[list[Mistake], list[str]]:
    """Return the mistakes wanted, each of another child, and notes where fewer could be made."""
    used: set[Child] = set()
    found: list[Mistake] = []
    notes: list[str] = []

    def add(name: str, number: int, more: list[Mistake]) -> None:
        found.extend(more)
        used.update(mistake.child for mistake in more)
        if len(more) < number:
            notes.append(f"{name}: {len(more)} of {number} made; no more children whose records allow it.")

    for kind in RECORD_KINDS:
        if number := wanted.kinds.get(kind.name, 0):
            add(kind.name, number, record_mistakes(kind, tables, rows, number, used, rng))
    for (id_, form), number in wanted.rules.items():
        rule, g = book[id_, form]
        add(f"{id_} ({form})", number, broken(rule, tables, g, number, used, rng))
    for cell_kind in CELL_KINDS:
        if number := wanted.kinds.get(cell_kind.name, 0):
            more = cell_mistakes(cell_kind, tables, guidance.values(), number, used, rng)
            add(cell_kind.name, number, more)
    return found, notes


def _in_files(
    folder: Path, names: dict[str, str], guidance: dict[str, Guidance], wanted: Wanted, first: int,
    rng: np.random.Generator,
) -> tuple[list[Answer], list[Entry]]:  # fmt: skip
    """Spoil the files just written, each kind in another file, and return what was done."""
    lines: list[Answer] = []
    entries: list[Entry] = []
    left = [form for form in rng.permutation(sorted(names)).tolist() if (folder / names[form]).stat().st_size]
    for kind in FILE_KINDS:
        if not wanted.kinds.get(kind.name):
            continue
        for form in list(left):
            path = folder / names[form]
            made = kind.make(path.read_text("utf-8"), form, next(g for g in guidance.values() if form in g.forms), rng)
            if made is None:
                continue
            path.write_text(made.text, "utf-8", newline="\n")
            left.remove(form)
            n = first + len(entries) + 1
            lines.append(Answer(n, path.name, made.line, "", made.field, made.true, made.written, kind.name))
            entries.append(Entry(frozenset(made.rules), file=path.name))
            break
    return lines, entries


def _new(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the findings that were not there before, by file, child and rule."""
    return after.join(before, on=["file", "child", "rule"], how="anti", maintain_order="left")
