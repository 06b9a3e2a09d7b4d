"""Who can be linked: the pupil number the copy holds of a child, and the linking field found through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from synth.extract.layout import linkage
from synth.extract.pseudonyms import hidden, uniform
from synth.lives.draw import choose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth.lives.streams import Streams

__all__ = ["linked"]

_MATCHED = ("4", "39", "35")
"""Statuses of those who are linked: exactly, and by likelihood."""


def linked(frames: Mapping[str, pl.DataFrame], streams: Streams) -> dict[str, pl.DataFrame]:
    """Return the frames with what links the children of the two child forms; both lose their pupil numbers.

    `pupil`: the encrypted pupil number, null where the copy holds none in that year; `link`, `status`, `match`: the
    linking field, null without one, the same for a person on both forms and in every authority; how it was found; the
    likelihood of a match, null for one found exactly. Of care and support only children with a pupil number are held.
    """
    persons = _persons(frames, streams)
    found = dict(frames)
    for form, share, purpose in (("child", "cla_held", "pupil number held"), ("crcs", "crcs_linked", "linked")):
        ours = persons.with_columns((uniform(streams, purpose, persons, "person") < linkage()[share]).alias("ours"))
        frame = frames[form].join(ours, on=["la", "id"], how="left", maintain_order="left")
        known = pl.col("ours").fill_null(value=False)
        status = pl.when(known).then("status").otherwise(int(linkage()["status_unmatched"]))
        # A looked-after child's number is not held where it is not linked; of care and support all held have one.
        pupil = pl.when(known).then("UPN") if form == "child" else pl.col("UPN")
        frame = frame.with_columns(
            pupil=pupil,
            link=pl.when(known).then("link"),
            status=status,
            match=pl.when(known).then("match"),
        )
        if form == "crcs":
            frame = frame.filter(pl.col("UPN").is_not_null())
        frame = frame.with_columns(pupil=hidden(streams, "pupil number", frame["pupil"]))
        found[form] = frame.drop("UPN", "person", "ours")
    return found


def _persons(frames: Mapping[str, pl.DataFrame], streams: Streams) -> pl.DataFrame:
    """Return children with a pupil number in some year (la, id): who they are, their linking field, how found."""
    both = [frames[form].select("la", "id", "year", person="UPN") for form in ("child", "crcs")]
    known = pl.concat(both).drop_nulls("person").sort("la", "id", "year").unique(["la", "id"], keep="first")
    known = known.drop("year").sort("la", "id")
    weights = np.array([linkage()[f"status_{status}"] for status in _MATCHED])
    status = np.array(_MATCHED, np.int64)[choose(uniform(streams, "status", known, "person").to_numpy(), weights)]
    u = uniform(streams, "likelihood", known, "person")
    surely, likely = linkage()["least_39"], linkage()["least_35"]
    return known.with_columns(
        link=hidden(streams, "linking field", known["person"]),
        status=pl.Series(status, dtype=pl.Int64),
        match=pl.when(pl.Series(status == 39)).then(surely + (1 - surely) * u)  # noqa: PLR2004  as public code has it
        .when(pl.Series(status == 35)).then(likely + (surely - likely) * u).round(4),  # noqa: PLR2004
    )  # fmt: skip
