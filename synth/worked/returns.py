"""The worked children as the returns of a year, of the year before, and many times over."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from synth.guidance import ALL_YEAR, collected_as, load, years
from synth.rules.pupil_number import UPN
from synth.tables import FormTable, Tables, child_column, file_name, form_table, tables_of, write_form
from synth.worked.book import Book, code, day, upn
from synth.worked.children import CHILDREN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["crowd", "good", "good_tables", "last_year", "tables", "write_good"]

Frames = dict[str, pl.DataFrame]


def good(year: int, mode: str = "") -> Frames:
    """Return a good return of both kinds: text frames by form; care and support collected as `mode` or as it was."""
    book = Book(year, mode)
    for write in CHILDREN:
        write(book, book.guides["crcs"].mode == ALL_YEAR)
    return book.frames()


def last_year(frames: Mapping[str, pl.DataFrame], year: int) -> Frames:
    """Return what last year's return held of the children of `year`: whoever was known before 1 April, as they were.

    Episodes and plans begun by then stand open; what happened since is blank. It is there to be compared with, not to
    be checked itself: items that change with age are as they are in `year`. Two more had left by then (`_gone`); last
    year's adoptions and care leavers are not written down, so those forms are empty.
    """
    known: Frames = {}
    first = load("cla", year).first_day
    for form, frame in frames.items():
        return_ = "crcs" if form == "crcs" else "cla"
        names = [item.name for item in load(return_, year - 1).items(form)]
        begun = {"episode": "EPISODE_START_DATE", "crcs": "PLAN_START_DATE"}.get(form)
        if begun is None or begun not in frame.columns:
            rows = frame
        else:
            rows = frame.filter(pl.col(begun).str.to_date("%d/%m/%Y") < first)
        blank = ("EPISODE_END_DATE", "REASON_EPISODE_FINISHED_CODE", "PLAN_CLOSED_DATE", "REASON_FOR_CLOSURE")
        rows = rows.with_columns(
            *(pl.lit(code(year - 1)).alias(name) for name in ("YEAR_CODE",) if name in frame.columns),
            *(pl.lit(None, dtype=pl.String).alias(name) for name in blank if name in frame.columns),
        )
        known[form] = rows.select(
            pl.col(name) if name in rows.columns else pl.lit(None, dtype=pl.String).alias(name) for name in names
        )
    gone = _gone(frames, year)
    for form in ("child", "episode"):
        known[form] = pl.concat([known[form], gone[form].select(known[form].columns)])
    there = known["episode"]["SYSTEM_ID"]
    known["child"] = known["child"].filter(pl.col("SYSTEM_ID").is_in(there.implode()))
    for form in ("adoption", "care_leaver"):
        known[form] = known[form].clear()
    if "PLAN_START_DATE" not in frames["crcs"].columns:
        # Without plan dates: whoever was born by then. Only Hadi, Peg and Mei are new, and have other numbers.
        born = pl.col("DATE_OF_BIRTH").str.to_date("%d/%m/%Y") < first
        known["crcs"] = known["crcs"].filter(born)
    return known


def _gone(frames: Mapping[str, pl.DataFrame], year: int) -> Frames:
    """Return two who had left care by last 31 March: Cai went home from a first stay, and a child like Dee was adopted.

    The adopted child, whose number ends in Z, has left for good; Cai, whose row of the child form stands already,
    came back.
    """
    stays = {
        "C003": ("S", day(year - 1, 6, 1), day(year - 1, 9, 1), "E4"),
        "C004": ("P", day(year - 1, 5, 1), day(year - 1, 2, 20), "E12"),
    }
    parts = []
    for who, (reason, begun, ended, finish) in stays.items():
        found = frames["episode"].filter(pl.col("SYSTEM_ID").str.starts_with(who)).group_by("SYSTEM_ID").last()
        parts.append(
            found.select(frames["episode"].columns).with_columns(
                EPISODE_NUMBER=pl.lit("1"),
                REASON_EPISODE_STARTED_CODE=pl.lit(reason),
                EPISODE_START_DATE=pl.lit(begun),
                EPISODE_END_DATE=pl.lit(ended),
                REASON_EPISODE_FINISHED_CODE=pl.lit(finish),
            )
        )
    adopted = (
        pl.when(pl.col("SYSTEM_ID").str.starts_with("C004")).then(pl.col("SYSTEM_ID") + "Z").otherwise("SYSTEM_ID")
    )
    child = frames["child"].filter(pl.col("SYSTEM_ID").str.starts_with("C004"))
    rows = {"child": child, "episode": pl.concat(parts)}
    return {
        form: frame.with_columns(adopted.alias("SYSTEM_ID"), pl.lit(code(year - 1)).alias("YEAR_CODE")).sort(
            "SYSTEM_ID"
        )
        for form, frame in rows.items()
    }


def crowd(frames: Mapping[str, pl.DataFrame], copies: int) -> Frames:
    """Return every child that many times, each copy with identifiers and a pupil number of its own.

    Whole-file rules speak of shares; a dozen children are too few for them.
    """
    found: dict[str, list[pl.DataFrame]] = {form: [] for form in frames}
    for n in range(copies):
        for form, frame in frames.items():
            key = child_column(form)
            own = frame.with_columns(pl.concat_str(pl.col(key), pl.lit(f"-{n}" if n else "")).alias(key))
            if "UPN" in frame.columns and n:
                numbers = [_again(number, n) for number in frame["UPN"].to_list()]
                own = own.with_columns(pl.Series("UPN", numbers, dtype=pl.String))
            found[form].append(own)
    return {form: pl.concat(parts) for form, parts in found.items()}


def _again(number: str | None, copy: int) -> str | None:
    """Return the pupil number of a child's copy; codes for a missing number stay."""
    if number is None or not re.match(UPN, number):
        return number
    return upn(int(number[7:]) + 100 * copy)


def tables(frames: Mapping[str, pl.DataFrame], year: int) -> Tables:
    """Type frames of text as if they had been read from files."""
    forms: dict[str, FormTable] = {}
    collected = collected_as(frames["crcs"].columns, year) if "crcs" in frames else ""
    for g in (load("cla", year), load("crcs", year, collected)):
        forms |= {form: form_table(frames[form], form, g) for form in g.forms if form in frames}
    return tables_of(forms, load("cla", year))


def good_tables(year: int, copies: int = 1, mode: str = "") -> Tables:
    """Return the good return typed, every child so many times, last year's beside it where there is guidance for it."""
    frames = crowd(good(year, mode), copies)
    made = tables(frames, year)
    return replace(made, last=tables(last_year(frames, year), year - 1)) if year - 1 in years() else made


def write_good(folder: Path, year: int, *, returns: Iterable[str] = ("cla", "crcs")) -> None:
    """Write the good return into a folder under the names of generated files."""
    frames = good(year)
    for return_ in returns:
        for form in load(return_, year).forms:
            write_form(frames[form], folder / file_name(return_, form))
