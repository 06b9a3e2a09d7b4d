"""A research extract on disk: a folder of tables for all years of a run, whole or not there."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from synth.extract.build import built, identities
from synth.extract.gathered import gathered
from synth.extract.layout import linkage, tables
from synth.extract.links import linked
from synth.extract.quirks import quirked
from synth.files import check_place, folder_in_place
from synth.lives.streams import Streams
from synth.manifest import STATEMENT, file_digest, json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from synth.extract.layout import Table
    from synth.files import Generated

__all__ = ["EXTRACTS", "Extract", "check_extract", "write_extract"]

EXTRACTS = ("sail",)
ABOUT, LOAD, DERIVED, IDENTITIES, LEDGER_FILE = "about.json", "load.sql", "derived.sql", "identities.csv", "quirks.csv"
_SHAPE = (
    "The tables are in the shape in which researchers see the two returns in the SAIL Databank, so that code written"
    " here runs there. They are no copy of anything held there. Table and column names are those of public code where"
    " their basis is confirmed; the others are suggestions."
)


class Extract(NamedTuple):
    """What was written: the folder, the rows of each table, and how many quirks there are (None: none asked for)."""

    folder: Path
    rows: dict[str, int]
    quirks: int | None


def check_extract(out: Path, years: Sequence[int]) -> None:
    """Refuse early what `write_extract` could not write; raises InputError as `check_place` does."""
    check_place(out, out / _folder(years), _names())


def write_extract(
    years: Sequence[Generated], out: Path, seed: int, command: str, *, quirks: bool = False, statement: str = STATEMENT
) -> Extract:
    """Write the extract of generated years, which rise, into the folder `out`/sail_FIRST-LAST; one before is replaced.

    Each table stands there as CSV (days as 2023-03-31) and as Parquet, with all years one under the other. `seed` is
    that of the years: identifiers hidden with it are the same in any extract of the same children. With `quirks` the
    oddities known of the copy are put in, with a ledger. `statement` says what stands behind the years, as
    `statement_of` their profile does. Raises InputError as `check_extract` does, OutputError where
    the disk refuses.
    """
    span, statement = [made.year for made in years], f"{statement} {_SHAPE}"
    check_extract(out, span)
    streams = Streams(seed)
    frames = linked(gathered(years), streams)
    ledger = None
    if quirks:
        frames, ledger = quirked(frames, streams)
    found = built(frames, streams)
    with folder_in_place(out, _folder(span)) as building:
        for table, rows in found.items():
            rows.write_csv(building / f"{table.name}.csv")
            rows.write_parquet(
                building / f"{table.name}.parquet",
                compression="zstd",
                compression_level=1,
                metadata={"statement": statement},  # names and columns are those of real tables: say it inside too
            )
        identities(frames, streams).write_csv(building / IDENTITIES)
        if ledger is not None:
            ledger.write_csv(building / LEDGER_FILE)
        (building / LOAD).write_text(_load(), "utf-8", newline="\n")
        (building / DERIVED).write_bytes((files("synth.extract") / DERIVED).read_bytes())
        about = {"statement": statement, "command": command, "years": span, "linkage": linkage()}
        text = json_text(about | {"tables": _told(found, building)})
        (building / ABOUT).write_text(text, "utf-8", newline="\n")
    counts = {table.name: rows.height for table, rows in found.items()}
    return Extract(out / _folder(span), counts, None if ledger is None else ledger.height)


def _folder(years: Sequence[int]) -> str:
    return f"sail_{years[0]}" if len(years) == 1 else f"sail_{years[0]}-{years[-1]}"


def _names() -> tuple[str, ...]:
    data = [f"{table.name}.{kind}" for table in tables() for kind in ("csv", "parquet")]
    return (*data, IDENTITIES, LEDGER_FILE, LOAD, DERIVED, ABOUT)


def _load() -> str:
    """Write what makes DuckDB know the tables by the names they have in the Databank."""
    lines = [
        "-- Every record is synthetic; about.json says more.",
        "-- For DuckDB, started in this folder: duckdb -init load.sql",
    ]
    lines += [f"CREATE SCHEMA IF NOT EXISTS {schema};" for schema in dict.fromkeys(t.schema for t in tables())]
    view = "CREATE OR REPLACE VIEW {0} AS FROM '{0}.parquet';"
    lines += [view.format(table.name) for table in tables()]
    return "\n".join(lines) + "\n"


def _told(found: Mapping[Table, pl.DataFrame], folder: Path) -> dict[str, Any]:
    """Describe the tables of a folder."""
    return {
        table.name: {
            "rows": rows.height,
            "basis": table.basis,
            "reference": table.reference,
            "note": table.note,
            "assumed_columns": [column.name for column in table.columns if column.basis == "assumed"],
            **file_digest(folder / f"{table.name}.csv"),
        }
        for table, rows in found.items()
    }
