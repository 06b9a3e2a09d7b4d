"""What a finding shows beside the cells it is about: the episode before or after, or what the other return says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import with_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth.guidance import Guidance
    from synth.tables import Tables

__all__ = ["NEIGHBOURING_DATES", "WHAT_CHANGED", "around", "beside_career"]

_LABELS = {
    "prev_start": "the episode before began",
    "prev_end": "the episode before ended",
    "prev_finish": "with",
    "prev_legal": "before: legal status",
    "prev_need": "need",
    "prev_placement": "placement",
    "prev_postcode": "at",
    "start": "this one began",
    "end": "this one ended",
    "next_start": "the next began",
    "home": "home postcode",
}


def around(*columns: str) -> Callable[[Tables, Guidance], pl.DataFrame]:
    """Show columns of the view of episodes under names that can be read."""
    return lambda t, _g: t.episodes.select(pl.col(name).alias(_LABELS[name]) for name in columns)


def beside_career(form: str, column: str, label: str) -> Callable[[Tables, Guidance], pl.DataFrame]:
    """Show what the episodes of the child on each row of a form come to: a column of the careers under a name."""
    return lambda t, _g: with_child(t, form, t.careers).select(pl.col(column).alias(label))


NEIGHBOURING_DATES = around("prev_start", "prev_end", "next_start")
WHAT_CHANGED = around("prev_legal", "prev_need", "prev_placement", "prev_postcode")
