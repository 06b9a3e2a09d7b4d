"""Rules of the adoption form: one record for each adoption, and its dates against the child's episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import (
    ENDS,
    answer,
    any_of,
    at_rows,
    bound,
    keyed,
    put,
    same,
    shifted,
    take,
    with_child,
    without_children,
)
from synth.rules.registry import rule
from synth.rules.shown import beside_career

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]


@rule("CLA124", form="episode", needs=("adoption",))
def adoption_record_missing(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode ended in adoption and the child has no adoption record."""
    due = sorted(g.allowed("reason_ceased_needs_adoption_record"))
    adopted = t.episodes.filter(pl.col("finish").is_in(due)).select("row", "who")
    return at_rows(t.episodes.height, adopted.filter(~pl.col("who").is_in(t.numbers["adoption"].implode()))["row"])


@adoption_record_missing.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    due = sorted(g.allowed("reason_ceased_needs_adoption_record"))
    adopted = take(t.episodes, pl.col("finish").is_in(due), rows)
    return without_children(t, "adoption", t.episodes, adopted)


@rule("CLA125", form="adoption", needs=("episode",))
def adoption_episode_missing(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an adoption record has no episode that ended in adoption."""
    due = sorted(g.allowed("reason_ceased_needs_adoption_record"))
    ended = t.episodes.filter(pl.col("finish").is_in(due))["who"]
    return answer(t.numbers["adoption"].to_frame("who"), ~pl.col("who").is_in(ended.implode()))


@adoption_episode_missing.breaker(entails=ENDS)
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    records = keyed(t, "adoption")
    keys = {(records["la"][int(row)], records["id"][int(row)]) for row in rows}
    due = g.allowed("reason_ceased_needs_adoption_record")
    view = t.episodes.select("la", "id", "finish").rows()
    ended = [n for n, (la, who, finish) in enumerate(view) if (la, who) in keys and finish in due]
    return put(t, "episode", {"REASON_EPISODE_FINISHED_CODE": same(ended, "E8")})


@rule(
    "CLA128",
    form="adoption",
    needs=("episode",),
    shows=beside_career("adoption", "period_start", "the period of care began"),
)
def care_start_differs(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the latest care start is not the child's last S, when that stands in this file."""
    return answer(with_child(t, "adoption", t.careers), pl.col("DATE_LATEST_CARE") != pl.col("period_start"))


@care_start_differs.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = with_child(t, "adoption", t.careers)
    known = take(frame, pl.col("period_start").is_not_null(), rows)
    return put(t, "adoption", {"DATE_LATEST_CARE": shifted(frame, "period_start", known, -1)})


@rule("CLA129", form="adoption")
def decision_before_care(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the decision was made before the period of care began."""
    return answer(t.typed("adoption"), pl.col("DATE_LATEST_CARE") > pl.col("DATE_DECISION"))


@decision_before_care.breaker(entails=("CLA130",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    changed = shifted(t.typed("adoption"), "DATE_LATEST_CARE", (int(r) for r in rows), -1)
    return put(t, "adoption", {"DATE_DECISION": changed})


@rule("CLA130", form="adoption", needs=("child",))
def decision_before_birth(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the decision was made before the child was born."""
    return answer(with_child(t, "adoption", t.births), pl.col("DATE_DECISION") < pl.col("dob"))


@decision_before_birth.breaker(entails=("CLA129",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = with_child(t, "adoption", t.births)
    return put(t, "adoption", {"DATE_DECISION": shifted(frame, "dob", (int(r) for r in rows), -1)})


@rule("CLA131", form="adoption")
def match_before_decision(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the match came before the decision."""
    return answer(t.typed("adoption"), pl.col("DATE_DECISION") > pl.col("DATE_MATCH"))


@match_before_decision.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    changed = shifted(t.typed("adoption"), "DATE_DECISION", (int(r) for r in rows), -1)
    return put(t, "adoption", {"DATE_MATCH": changed})


@rule("CLA132", form="adoption")
def placed_before_match(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the child was placed before the match."""
    return answer(t.typed("adoption"), pl.col("DATE_MATCH") > pl.col("DATE_PLACED"))


@placed_before_match.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    changed = shifted(t.typed("adoption"), "DATE_PLACED", (int(r) for r in rows), 1)
    return put(t, "adoption", {"DATE_MATCH": changed})


@rule(
    "CLA133",
    form="adoption",
    needs=("episode",),
    shows=beside_career("adoption", "first_adoptive", "the first adoptive placement began"),
)
def placed_on_another_day(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the placing is not the start of the period's first adoptive placement."""
    return answer(with_child(t, "adoption", t.careers), pl.col("DATE_PLACED") != pl.col("first_adoptive"))


@placed_on_another_day.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = with_child(t, "adoption", t.careers)
    return put(t, "adoption", {"DATE_PLACED": shifted(frame, "first_adoptive", (int(r) for r in rows), 1)})


@rule(
    "CLA134",
    form="adoption",
    needs=("episode",),
    shows=beside_career("adoption", "first_order", "the placement order was made"),
)
def order_before_decision(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a placement order was made before the decision."""
    return answer(with_child(t, "adoption", t.careers), pl.col("DATE_DECISION") > pl.col("first_order"))


@order_before_decision.breaker(entails=("CLA131",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = with_child(t, "adoption", t.careers)
    return put(t, "adoption", {"DATE_DECISION": shifted(frame, "first_order", (int(r) for r in rows), 1)})


@rule(
    "CLA137",
    form="adoption",
    needs=("episode",),
    shows=beside_career("adoption", "last_placement", "the last placement was"),
)
def foster_care_flag(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the flag for former foster carers does not fit the last placement."""
    wrong = any_of(
        (pl.col("last_placement") == code) & ~pl.col("FOSTER_CARE").is_in(sorted(flags))
        for code, flags in g.allowed("placement_decides_foster_care").items()
    )
    return answer(with_child(t, "adoption", t.careers), wrong)


@foster_care_flag.breaker()
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    flags = t.typed("adoption")["FOSTER_CARE"]
    return put(t, "adoption", {"FOSTER_CARE": {int(r): "0" if flags[int(r)] == "1" else "1" for r in rows}})


def ordered(t: Tables, g: Guidance) -> pl.DataFrame:
    """Return the records with `order`, the day the child's last episode ended in adoption."""
    due = sorted(g.allowed("reason_ceased_needs_adoption_record"))
    ended = pl.when(pl.col("last_finish").is_in(due)).then("last_end")
    return with_child(t, "adoption", t.careers).with_columns(order=ended)


@rule(
    "CLA135",
    form="adoption",
    needs=("episode",),
    shows=beside_career("adoption", "last_end", "the last episode ended"),
)
def order_on_another_day(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the order is not made on the day the last episode ended, or too soon after the placing."""
    weeks = int(bound(g, "DATE_ADOPTED", "", "min_weeks_after_placed"))
    soon = pl.col("DATE_ADOPTED") < pl.col("DATE_PLACED") + pl.duration(weeks=weeks)
    elsewhere = (pl.col("DATE_ADOPTED") != pl.col("order")).fill_null(value=False)
    return answer(ordered(t, g), elsewhere | soon)


@order_on_another_day.breaker()
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "adoption", {"DATE_ADOPTED": shifted(ordered(t, g), "order", (int(r) for r in rows), -1)})


@rule("CLA136", form="adoption", needs=("episode",))
def match_after_order(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the match does not come before the order."""
    return answer(ordered(t, g), pl.col("DATE_MATCH") >= pl.coalesce("order", "DATE_ADOPTED"))


@match_after_order.breaker(entails=("CLA132",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return put(t, "adoption", {"DATE_MATCH": shifted(ordered(t, g), "order", (int(r) for r in rows), 0)})
