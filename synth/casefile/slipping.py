"""Who is written with a slip, and the answer sheet that says of each what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth.casefile.data import rows_of, share
from synth.casefile.slips import Draws, Person, slipped
from synth.dates import last_day, to_date
from synth.returns.identifiers import in_signs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from synth.casefile.tables import Casefile
    from synth.lives.streams import Streams
    from synth.returns.columns import Form

__all__ = ["DUPLICATE", "with_slips"]

DUPLICATE = "duplicate"
_KEY = "person_id"
_PREFIX = 3
"""Letters that a second identifier shares with the first; it has as many signs."""
_FILES = ("children", "parents_and_carers")
_COLUMNS = ("entry", "file", "line", "authority", "person_id", "field", "true", "written", "kind")


class _Change(NamedTuple):
    """A slip: the row of the clean table, the kind, whether the person is written once more, and the cells changed."""

    row: int
    kind: str
    again: bool
    cells: dict[str, str]


def with_slips(streams: Streams, clean: Casefile, rate: float, year: int) -> dict[str, Form]:
    """Return the tables with slips in about `rate` (0 to 1) of the children, parents and carers, and the answer sheet.

    Slips are drawn for each person and authority: who has one, has it in every year.
    """
    tables = dict(clean.tables)
    answers: list[tuple[str, ...]] = []
    entry = 0
    for file in _FILES:
        form = clean.tables[file]
        changes = list(_changes(streams, clean, file, rate, year))
        tables[file], lines = _written(form, changes)
        for change, line in zip(changes, lines, strict=True):
            if change.kind == DUPLICATE or not change.again:
                entry += 1
            now = {name: column[line] for name, column in tables[file].items()}
            for field, text in change.cells.items():
                true = form[field][change.row]
                where = (str(entry), f"{file}.csv", str(line + 2), now["authority"], now[_KEY])
                answers.append((*where, field, true, text, change.kind))
    columns = list(zip(*answers, strict=True)) if answers else [()] * len(_COLUMNS)
    tables["slips"] = {name: np.array(column, np.str_) for name, column in zip(_COLUMNS, columns, strict=True)}
    return tables


def _changes(streams: Streams, clean: Casefile, file: str, rate: float, year: int) -> Iterator[_Change]:
    """Give the slips in a file in order of its rows; one of a person written twice follows the duplicate."""
    form, plan = clean.tables[file], [row for row in rows_of("slips.csv") if file in row["files"].split()]
    kinds, weights = [row["kind"] for row in plan], np.array([float(row["weight"]) for row in plan])
    who = streams("people: rows").words(clean.who[file], form["authority"].astype(np.int64), _FILES.index(file))
    rows = np.flatnonzero(streams("people: slips").uniform(who) < rate)
    who = who[rows, None]
    # Weighted draws without replacement: of the kinds a person can suffer, the first is taken.
    order = np.argsort(
        -(streams("people: kinds of slip").uniform(who, np.arange(len(kinds))[None, :]) ** (1 / weights))
    )
    draws = streams("people: what a slip makes").uniform(who, np.arange(4)[None, :]).tolist()
    second = _second_identifiers(streams, who[:, 0], rows, form[_KEY]).tolist()
    cells = {name: column[rows].tolist() for name, column in form.items()}
    other = clean.other_name[rows].tolist() if file == "children" else [""] * len(rows)
    last = to_date(last_day(year))
    for n, row in enumerate(rows.tolist()):
        person = Person({name: column[n] for name, column in cells.items()}, other[n], last)
        settles = Draws(*draws[n][:3])
        wishes = [kinds[place] for place in order[n].tolist()]
        again = wishes[0] == DUPLICATE
        if again:
            yield _Change(row, DUPLICATE, again, {_KEY: second[n]})
            if draws[n][3] >= share("duplicate_with_slip"):
                continue
        yield from _first(row, person, settles, [kind for kind in wishes if kind != DUPLICATE], again=again)


def _first(row: int, person: Person, draws: Draws, kinds: Sequence[str], *, again: bool) -> Iterator[_Change]:
    """Give the slip of the first kind that changes anything, if one does."""
    for kind in kinds:
        if found := slipped(kind, person, draws):
            yield _Change(row, kind, again, found)
            return


def _second_identifiers(
    streams: Streams, who: NDArray[np.uint64], rows: NDArray[np.int64], taken: NDArray[np.str_]
) -> NDArray[np.str_]:
    """Return another identifier for each person at some rows, like the ones that are taken and none of them."""
    if not len(rows):
        return taken[rows]
    signs = taken.dtype.itemsize // 4 - _PREFIX
    prefix, found = str(taken[0])[:_PREFIX], np.full(len(rows), "", taken.dtype)
    todo, attempt = np.arange(len(rows)), 0
    while len(todo):
        words = streams("people: second identifiers").words(who[todo], attempt)
        found[todo] = in_signs(prefix, words, signs)
        todo, attempt = todo[np.isin(found[todo], taken)], attempt + 1
    return found


def _written(form: Form, changes: Sequence[_Change]) -> tuple[Form, list[int]]:
    """Return a table with slips, ordered by authority and identifier, and the row of each slip in it."""
    count = len(form[_KEY])
    doubles = [change.row for change in changes if change.kind == DUPLICATE]
    source = np.concatenate((np.arange(count), np.array(doubles, np.int64)))
    columns = {name: column[source].tolist() for name, column in form.items()}
    at: list[int] = []
    double = count - 1
    for change in changes:
        double += change.kind == DUPLICATE
        place = double if change.again else change.row
        at.append(place)
        for field, text in change.cells.items():
            columns[field][place] = text
    new = {name: np.array(column, np.str_) for name, column in columns.items()}
    order = np.lexsort((new[_KEY], new["authority"]))
    place_of = np.empty(len(order), np.int64)
    place_of[order] = np.arange(len(order))
    return {name: column[order] for name, column in new.items()}, place_of[at].tolist()
