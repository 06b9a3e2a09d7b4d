"""A return as tables of a database: columns with types, keys, code tables, and the words that describe them.

Rendered as SQL that both databases understand; they differ in the type of a day alone, and in how comments are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.errors import InputError
from synth.formats.unfit import place_of
from synth.tables import LA, child_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from synth.formats.content import Content
    from synth.guidance.rows import Code

__all__ = [
    "CodeTable",
    "Column",
    "Parent",
    "Table",
    "check_keys",
    "code_tables",
    "create_codes",
    "create_table",
    "tables",
]

_TYPES = {"date": "DATE", "integer": "BIGINT"}
_MORE_KEY = {"episode": ("EPISODE_NUMBER",)}
"""Items that with authority and identifier tell the rows of a form apart, where these two do not."""
_CHILDREN = "child"
"""The form on which every child of the return stands."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: DATE, BIGINT or TEXT; `codes` names the table its values stand in, if any; `words` say what it is."""

    name: str
    kind: str
    codes: str
    words: str


@dataclass(frozen=True, slots=True)
class Parent:
    """A reference: `columns` of a table are a row's `theirs` in another one, that of `form`."""

    columns: tuple[str, ...]
    form: str
    table: str
    theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A form as a table; the key is empty where not all of its columns are there."""

    form: str
    name: str
    words: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    parents: tuple[Parent, ...]


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A code set as a table of codes and labels."""

    name: str
    words: str
    codes: tuple[Code, ...]


def tables(content: Content) -> tuple[Table, ...]:
    """Return the forms as tables: cla_child, cla_episode, crcs. The child form comes before those that refer to it."""
    found = []
    for form in content.forms:
        return_ = content.return_of(form)
        columns = tuple(
            Column(
                item.name,
                _TYPES.get(item.type, "TEXT"),
                _code_table(return_, item.code_set) if item.type == "code" else "",
                item.label,
            )
            for item in content.items(form)
        )
        key = _there((LA, child_column(form), *_MORE_KEY.get(form, ())), columns)
        parents = _parents(content, form, columns)
        found.append(Table(form, _name(return_, form), content.title(form), columns, key, parents))
    return tuple(sorted(found, key=lambda table: bool(table.parents)))


def code_tables(content: Content) -> tuple[CodeTable, ...]:
    """Return the code sets of the items of all forms as tables, each return with its own: cla_codes_gender."""
    sets = {
        (content.return_of(form), item.code_set): item
        for form in content.forms
        for item in content.items(form)
        if item.code_set
    }
    return tuple(
        CodeTable(
            _code_table(return_, name), f"Codes of {return_.upper()}: {name}", content.guides[return_].codes(name)
        )
        for return_, name in sets
    )


def _name(return_: str, form: str) -> str:
    return form if form == return_ else f"{return_}_{form}"


def _code_table(return_: str, code_set: str) -> str:
    return f"{return_}_codes_{code_set}"


def _there(names: tuple[str, ...], columns: Iterable[Column]) -> tuple[str, ...]:
    """Return some columns if all are there, else none."""
    return names if {column.name for column in columns}.issuperset(names) else ()


def _parents(content: Content, form: str, columns: Sequence[Column]) -> tuple[Parent, ...]:
    """Return what a form refers to: the other forms of looked-after children to the child form, where it is there."""
    if _CHILDREN not in content.forms or form == _CHILDREN or content.return_of(form) != content.return_of(_CHILDREN):
        return ()
    mine, theirs = (LA, child_column(form)), (LA, child_column(_CHILDREN))
    if not _there(mine, columns) or any(name in content.forms[_CHILDREN].missing for name in theirs):
        return ()
    return (Parent(mine, _CHILDREN, _name(content.return_of(form), _CHILDREN), theirs),)


def create_codes(table: CodeTable, *, remarks: bool) -> str:
    """Return the statement that makes a code table; with `remarks` the words stand in it."""
    return _create(
        table.name, table.words if remarks else "", ["CODE TEXT NOT NULL PRIMARY KEY,", "LABEL TEXT NOT NULL"]
    )


def create_table(table: Table, types: Mapping[str, str], *, remarks: bool) -> str:
    """Return the statement that makes the table of a form.

    `types` gives a database's own types for some of DATE, BIGINT and TEXT. With `remarks` the words stand in the
    statement itself.
    """
    lines: list[tuple[str, str]] = []
    for column in table.columns:
        line = f"{column.name} {types.get(column.kind, column.kind)}"
        line += " NOT NULL" if column.name in table.key else ""
        line += f" REFERENCES {column.codes} (CODE)" if column.codes else ""
        lines.append((line, column.words))
    if table.key:
        lines.append((f"PRIMARY KEY ({', '.join(table.key)})", ""))
    lines += [
        (f"FOREIGN KEY ({', '.join(one.columns)}) REFERENCES {one.table} ({', '.join(one.theirs)})", "")
        for one in table.parents
    ]
    written = [
        f"{line}{',' if n < len(lines) else ''}" + (f" -- {words}" if remarks and words else "")
        for n, (line, words) in enumerate(lines, start=1)
    ]
    return _create(table.name, table.words if remarks else "", written)


def _create(name: str, words: str, lines: Sequence[str]) -> str:
    # A remark behind the last bracket would not be kept.
    head = f"CREATE TABLE {name} (" + (f" -- {words}" if words else "")
    return "\n".join([head, *(f"  {line}" for line in lines), ")"])


def check_keys(content: Content, found: Iterable[Table], frames: Mapping[str, pl.DataFrame], what: str) -> None:
    """Refuse rows that a database of these tables cannot hold: a key that is blank or stands twice, a child unknown.

    Raises InputError, naming file, line, column and value of the first; `what` names the format.
    """
    advice = "Correct it, or write csv, xlsx or parquet, which have no keys."
    for table in found:
        frame, form = frames[table.form], content.forms[table.form]
        for name in table.key:
            if len(rows := frame[name].is_null().arg_true()):
                shown = place_of(form, int(rows[0]), name)
                raise InputError(f"{shown}, where {what} holds a key, which cannot be blank. {advice}")
        keys = frame.select(pl.struct(table.key)).to_series() if table.key else pl.Series([True])
        again = keys.is_first_distinct().not_()
        if again.any():
            shown = place_of(form, int(again.arg_true()[0]), table.key[-1])
            raise InputError(
                f"{shown} stands a second time, and {', '.join(table.key)} are the key in {what}. {advice}"
            )
        for one in table.parents:
            parents = frames[one.form].select(one.theirs).unique()
            rows = frame.with_row_index("_row").join(
                parents, left_on=one.columns, right_on=one.theirs, how="anti", maintain_order="left"
            )["_row"]
            if len(rows):
                shown = place_of(form, int(rows[0]), one.columns[-1])
                raise InputError(f"{shown} is not on the {one.form} form, to which {what} refers. {advice}")
