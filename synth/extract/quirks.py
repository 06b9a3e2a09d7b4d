"""What is known to be odd in the copy, put in on request, with a ledger of every oddity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.extract.gathered import BORN, week
from synth.extract.layout import quirk_rates, tables
from synth.extract.pseudonyms import hidden, uniform
from synth.lives.draw import within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth.lives.streams import Streams

__all__ = ["LEDGER", "Quirked", "quirked"]

LEDGER = {
    "quirk": pl.String,
    "table": pl.String,
    "year": pl.Int64,
    "authority": pl.String,
    "identifier": pl.String,
    "episode": pl.String,
    "column": pl.String,
    "true": pl.String,
    "written": pl.String,
}
"""Columns of the ledger: the quirk, where it is (the child by the local identifier of the returns, the episode by its
start), and what would have stood there without it."""

_CODES = (
    "REASON_EPISODE_STARTED_CODE",
    "LEGAL_STATUS_CODE",
    "CATEGORY_OF_NEED_CODE",
    "PLACEMENT_TYPE_CODE",
    "REASON_EPISODE_FINISHED_CODE",
)
_WHO = ("year", "la", "id")
Quirked = tuple[dict[str, pl.DataFrame], pl.DataFrame]


def quirked(frames: Mapping[str, pl.DataFrame], streams: Streams) -> Quirked:
    """Return the frames with quirks, and the ledger (columns as LEDGER), at the rates of the table beside this module.

    Each depends on the child, the year and the episode only, so that the same child is odd in any set of authorities.
    """
    rates = quirk_rates()
    found, entries = dict(frames), [pl.DataFrame(schema=LEDGER)]
    for quirk in (_renumbered, _other_weeks, _second_links, _no_pupil_numbers, _small_letters, _twice):
        found, told = quirk(found, streams, rates)
        entries.append(told)
    ledger = pl.concat(entries).sort("table", "year", "authority", "identifier", "episode", "column", "quirk")
    return found, ledger


def _renumbered(frames: Mapping[str, pl.DataFrame], streams: Streams, rates: Mapping[str, float]) -> Quirked:
    """Give children another identifier from some year on: most of an authority with a new system, or one alone."""
    seen = pl.concat([frame.select(*_WHO) for frame in frames.values()]).unique().sort("la", "id", "year")
    seen = seen.with_columns(
        system=uniform(streams, "new system", seen, "la", "year") < rates["new_system"],
        taken=uniform(streams, "new with it", seen, *_WHO) < rates["new_system_share"],
        alone=uniform(streams, "new identifier", seen, *_WHO) < rates["new_identifier"],
    ).with_columns(
        # Nobody is renumbered on arrival.
        new=(pl.col("system") & pl.col("taken") | pl.col("alone")) & pl.col("id").is_duplicated()
        & (pl.col("year") > pl.col("year").min().over("la", "id")),
    )  # fmt: skip
    seen = seen.with_columns(times=pl.col("new").cast(pl.Int64).cum_sum().over("la", "id", order_by="year"))
    key = pl.when(pl.col("times") > 0).then(pl.format("{}~{}", "id", "times")).otherwise("id")
    seen = seen.with_columns(key=key).with_columns(before=pl.col("key").shift(1).over("la", "id", order_by="year"))
    found = {
        form: frame.drop("key").join(seen.select(*_WHO, "key"), on=_WHO, how="left", maintain_order="left")
        for form, frame in frames.items()
    }
    new = seen.filter("new")
    told = new.with_columns(
        true=hidden(streams, "identifier", new["before"]), written=hidden(streams, "identifier", new["key"])
    )
    return found, _entries(told, "new_identifier", "", "SYSTEM_ID_E, CHILD_CODE_E")


def _other_weeks(frames: Mapping[str, pl.DataFrame], streams: Streams, rates: Mapping[str, float]) -> Quirked:
    """Take the birth date of some children in a year from another week."""
    found, entries = dict(frames), []
    for form, item in BORN.items():
        frame = frames[form]
        drawn = {name: uniform(streams, f"{name} {form}", frame, *_WHO) for name in ("week", "kind", "weeks", "sign")}
        weeks = pl.Series(within(drawn["weeks"].to_numpy(), 1, rates["most_weeks"]), dtype=pl.Int64)
        # Earlier as often as later.
        off = weeks * ((drawn["sign"] < 0.5).cast(pl.Int64) * 2 - 1)  # noqa: PLR2004
        middle = pl.date(pl.col(item).dt.year(), pl.col(item).dt.month(), 15)
        other = (
            pl.when(drawn["kind"] < rates["fifteenth"])
            .then(middle)
            .otherwise(pl.col(item) + pl.duration(weeks=pl.lit(off)))
        )
        moved = frame.with_columns(
            other=pl.when(drawn["week"] < rates["other_week"]).then(other).otherwise(item)
        ).with_columns(true=week(item), written=week("other"))
        changed = moved.filter(pl.col("true") != pl.col("written"))
        entries.append(_entries(changed, "other_week", _table(form, person=True), "WOB"))
        found[form] = moved.with_columns(pl.col("other").alias(item)).drop("other", "true", "written")
    return found, pl.concat(entries)


def _second_links(frames: Mapping[str, pl.DataFrame], streams: Streams, rates: Mapping[str, float]) -> Quirked:
    """Link some children in a year to somebody else."""
    found, entries = dict(frames), []
    for form in BORN:
        frame = frames[form]
        wrong = uniform(streams, f"second link {form}", frame, *_WHO) < rates["second_link"]
        other = hidden(streams, "linking field of another", frame.select(pl.concat_str("la", "id", "year")).to_series())
        chosen = pl.Series(wrong) & frame["link"].is_not_null()
        told = frame.with_columns(true=pl.col("link"), written=other).filter(chosen)
        entries.append(_entries(told, "second_link", _table(form, person=True), "ALF_E"))
        found[form] = frame.with_columns(link=pl.when(chosen).then(other).otherwise("link"))
    return found, pl.concat(entries)


def _no_pupil_numbers(frames: Mapping[str, pl.DataFrame], streams: Streams, rates: Mapping[str, float]) -> Quirked:
    """Leave out the pupil number of some looked-after children in a year."""
    frame = frames["child"]
    gone = (uniform(streams, "no pupil number", frame, *_WHO) < rates["no_pupil_number"]) & frame["pupil"].is_not_null()
    told = frame.with_columns(true=pl.col("pupil"), written=pl.lit("")).filter(gone)
    entries = _entries(told, "no_pupil_number", _table("child", person=False), "IRN_E")
    return {**frames, "child": frame.with_columns(pupil=pl.when(~gone).then("pupil"))}, entries


def _small_letters(frames: Mapping[str, pl.DataFrame], streams: Streams, rates: Mapping[str, float]) -> Quirked:
    """Write the codes of some episodes in small letters."""
    frame = frames["episode"]
    named = frame.with_columns(begun=pl.col("EPISODE_START_DATE").cast(pl.String))
    small = uniform(streams, "small letters", named, *_WHO, "begun") < rates["small_letters"]
    chosen = named.filter(small)
    entries = [
        _entries(
            chosen.with_columns(true=pl.col(code), written=pl.col(code).str.to_lowercase()).drop_nulls("true"),
            "small_letters", _table("episode", person=False), code,
        )
        for code in _CODES
    ]  # fmt: skip
    written = [pl.when(small).then(pl.col(code).str.to_lowercase()).otherwise(code).alias(code) for code in _CODES]
    return {**frames, "episode": frame.with_columns(written)}, pl.concat(entries)


def _twice(frames: Mapping[str, pl.DataFrame], streams: Streams, rates: Mapping[str, float]) -> Quirked:
    """Put some episodes in twice, one row under the other."""
    frame = frames["episode"]
    named = frame.with_columns(begun=pl.col("EPISODE_START_DATE").cast(pl.String))
    again = uniform(streams, "twice", named, *_WHO, "begun") < rates["twice"]
    chosen = named.filter(again)
    entries = _entries(
        chosen.with_columns(true=pl.lit("one row"), written=pl.lit("two rows")),
        "twice", _table("episode", person=False), "",
    )  # fmt: skip
    rows = pl.int_range(frame.height, eager=True)
    both = pl.concat([rows, rows.filter(again)]).sort()
    return {**frames, "episode": frame[both]}, entries


def _table(form: str, *, person: bool) -> str:
    return next(table.name for table in tables() if table.form == form and table.person is person)


def _entries(chosen: pl.DataFrame, quirk: str, table: str, column: str) -> pl.DataFrame:
    """Return ledger lines for the rows of a frame with the columns `true` and `written`."""
    begun = pl.col("EPISODE_START_DATE").cast(pl.String) if "EPISODE_START_DATE" in chosen.columns else pl.lit("")
    return chosen.select(
        quirk=pl.lit(quirk),
        table=pl.lit(table),
        year=pl.col("year").cast(pl.Int64),
        authority=pl.col("la"),
        identifier=pl.col("id"),
        episode=begun,
        column=pl.lit(column),
        true=pl.col("true").cast(pl.String),
        written=pl.col("written").cast(pl.String),
    )
