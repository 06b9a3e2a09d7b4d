"""A year as one database file, SQLite or DuckDB: the same tables, code tables, keys and views in both."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from synth.collector import search_at_end
from synth.formats.columnar import parquet_bytes
from synth.formats.schema import check_keys, code_tables, create_codes, create_table, tables
from synth.formats.unfit import Bounds, check_fits
from synth.formats.views import views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth.formats.content import Content
    from synth.formats.schema import CodeTable, Table

__all__ = ["write_duckdb", "write_sqlite"]

_POSTCODES = "postcodes"
_OF_POSTCODES = "Invented postcodes in Wales and the 2011 small area (LSOA) each was put into"
_CREATE_POSTCODES = (
    f"CREATE TABLE {_POSTCODES} ( -- {_OF_POSTCODES}\n  POSTCODE TEXT NOT NULL PRIMARY KEY,\n  LSOA2011_CD TEXT\n)"
)
_LAYOUT = "STORAGE_VERSION 'v1.0.0', BLOCK_SIZE 16384"
"""Opened by DuckDB 1.1 and newer; in blocks of the usual 262,144 bytes many small tables take three times the room."""


@dataclass(frozen=True, slots=True)
class _Database:
    """What goes into a database: tables, and rows by table, code tables first, then forms after those they need."""

    forms: tuple[Table, ...]
    codes: tuple[CodeTable, ...]
    rows: Mapping[str, pl.DataFrame]
    views: Mapping[str, tuple[str, str]]
    """Name of a view -> words, query."""


def _database(content: Content, what: str) -> _Database:
    frames = check_fits(content, what, Bounds(listed=True))
    forms, codes = tables(content), code_tables(content)
    check_keys(content, forms, frames, what)
    rows = {table.name: pl.DataFrame(_code_rows(table), schema=["CODE", "LABEL"], orient="row") for table in codes}
    rows |= {table.name: frames[table.form] for table in forms}
    if content.postcodes is not None:
        rows[_POSTCODES] = content.postcodes
    columns = {name: frame.columns for name, frame in rows.items()}
    last_day = f"{next(iter(content.guides.values())).last_day}"
    return _Database(forms, codes, rows, {view.name: (view.words, query) for view, query in views(columns, last_day)})


def _code_rows(table: CodeTable) -> list[tuple[str, str]]:
    return [(code.code, code.label) for code in table.codes]


def write_sqlite(content: Content, path: Path) -> None:
    """Write a SQLite database; days are text, yyyy-mm-dd, and remarks in the schema say what columns mean.

    The same records give the same bytes with one release of SQLite. Raises InputError for a date or number that
    cannot be read, a code out of its list, a key that is blank or stands twice, a child that is not on the child form.
    """
    held = _database(content, "sqlite")
    with _as_disk_errors(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(path)) as base, base:
        base.execute("PRAGMA foreign_keys = ON")
        base.execute("BEGIN")
        for table in held.codes:
            base.execute(create_codes(table, remarks=True))
        for form in held.forms:
            base.execute(create_table(form, {"DATE": "TEXT", "BIGINT": "INTEGER"}, remarks=True))
        if _POSTCODES in held.rows:
            base.execute(_CREATE_POSTCODES)
        for name, frame in held.rows.items():
            signs = ", ".join("?" * frame.width)
            rows = frame.with_columns(pl.col(pl.Date).dt.to_string("iso")).iter_rows()
            base.executemany(f"INSERT INTO {name} VALUES ({signs})", rows)  # noqa: S608  names of our own
        for name, (words, query) in held.views.items():
            base.execute(f"CREATE VIEW {name} AS -- {words}\n{query}")


def write_duckdb(content: Content, path: Path) -> None:
    """Write a DuckDB database; days are dates, and what tables, columns and views mean are their comments.

    The rows are the same every time, the bytes are not: DuckDB leaves what was in memory in parts of the file it does
    not use. Raises InputError as `write_sqlite` does.
    """
    import duckdb  # noqa: PLC0415  an optional extra

    search_at_end()
    held = _database(content, "duckdb")
    # Nothing is fetched from anywhere, whatever a release may think it needs.
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": 1,
    }
    refused = (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)
    with _as_disk_errors(*refused), duckdb.connect(config=settings) as base, _as_parquet(held.rows) as files:
        base.execute(f"ATTACH {_quoted(str(path))} AS written ({_LAYOUT})")
        base.execute("USE written")
        for table in held.codes:
            base.execute(create_codes(table, remarks=False))
            base.execute(f"COMMENT ON TABLE {table.name} IS {_quoted(table.words)}")
        for form in held.forms:
            base.execute(create_table(form, {}, remarks=False))
            base.execute(f"COMMENT ON TABLE {form.name} IS {_quoted(form.words)}")
            for column in form.columns:
                base.execute(f"COMMENT ON COLUMN {form.name}.{column.name} IS {_quoted(column.words)}")
        if _POSTCODES in held.rows:
            base.execute(_CREATE_POSTCODES)
            base.execute(f"COMMENT ON TABLE {_POSTCODES} IS {_quoted(_OF_POSTCODES)}")
        for name, file in files.items():
            base.execute(f"INSERT INTO {name} SELECT * FROM read_parquet({_quoted(str(file))})")  # noqa: S608
        for name, (words, query) in held.views.items():
            base.execute(f"CREATE VIEW {name} AS {query}")
            base.execute(f"COMMENT ON VIEW {name} IS {_quoted(words)}")
        base.execute("USE memory")
        base.execute("DETACH written")


@contextlib.contextmanager
def _as_disk_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Have what a database says of a full or broken disk be the OSError other writers raise."""
    try:
        yield
    except kinds as problem:
        raise OSError(errno.EIO, str(problem).splitlines()[0]) from problem


@contextlib.contextmanager
def _as_parquet(rows: Mapping[str, pl.DataFrame]) -> Iterator[Mapping[str, Path]]:
    """Give frames as files for a while: DuckDB takes frames themselves only with one more package."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.parquet" for name in rows}
        for name, file in files.items():
            file.write_bytes(parquet_bytes(rows[name]))
        yield files


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
