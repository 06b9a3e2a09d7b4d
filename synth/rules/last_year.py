"""Rules against last year's return: who a child is does not change, and care goes on where it stood open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import (
    CENSUS_AGES,
    CHANGES,
    ENDS,
    TOO_OLD,
    TOO_YOUNG,
    answer,
    at_rows,
    keyed,
    lone,
    other_code,
    put,
    rows_of,
    same,
    shifted,
    take,
    with_child,
    without_children,
)
from synth.rules.pupil_number import other_upn
from synth.rules.registry import rule
from synth.tables import LA

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Rows = NDArray[np.int64]

OLD_CHILD, OLD_EPISODES = "last:child", "last:episode"
FULL_UPN = r"^[A-Z][0-9]{12}$"
"""A pupil number for good; one that ends in a letter is temporary."""
CARRIED_OVER = ("reason", "legal", "need", "placement")
NAMED = 5
"""How many children a finding on a whole file names."""


@rule("CLA004", form="child", needs=("episode", OLD_CHILD, OLD_EPISODES))
def renamed(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child unknown last year is like one who stood open then and is gone.

    Alike are birth date, gender and start of the first episode, or the pupil number.
    """
    assert t.last is not None
    old = t.last.typed("child").select("DOB", "GNDR_CD", "UPN", la=LA, id="SYSTEM_ID")
    lost = t.gone.join(old, on=["la", "id"])
    begun = t.episodes.filter(pl.col("first")).select("la", "id", "start").unique(["la", "id"])
    alike, numbered = ["la", "DOB", "GNDR_CD", "start"], ["la", "UPN"]
    numbers = lost.filter(pl.col("UPN").str.contains(FULL_UPN)).select(numbered).unique()
    new = t.child_then.with_row_index("row").filter(pl.col("known").is_null())
    started = new.join(begun, on=["la", "id"]).join(lost.select(alike).unique(), on=alike, how="semi")
    rows = pl.concat([started["row"], new.join(numbers, on=numbered, how="semi")["row"]]).unique()
    return at_rows(t.child_then.height, rows)


@renamed.breaker(entails=("CLA071", "CRCS-050", "CRCS-052", "CRCS-054", "CRCS-105"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    stood = t.before.filter(pl.col("first") & pl.col("was_open")).select("la", "id", stood=pl.lit(value=True))
    frame = with_child(t, "child", stood)
    chosen = take(frame, pl.col("stood") & pl.col("DOB").is_not_null(), rows)
    keys = set(frame[chosen].select("la", "id").rows())
    forms = [form for form in ("child", "episode", "adoption", "care_leaver") if form in t]
    changed: dict[str, pl.DataFrame] = {}
    for form in forms:
        ids = keyed(t, form).select("la", "id").rows()
        again = {n: f"{key[1]}-NEW" for n, key in enumerate(ids) if key in keys}
        changed |= put(t, form, {"SYSTEM_ID": again})
    return changed


@rule("CLA006", form="child", needs=(OLD_CHILD,))
def birth_changes(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the birth date is not last year's."""
    return answer(t.child_then, pl.col("DOB") != pl.col("was_DOB"))


@birth_changes.breaker(entails=("CLA031", "CRCS-058", *CENSUS_AGES, *TOO_OLD, *TOO_YOUNG))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.child_then
    return put(t, "child", {"DOB": shifted(frame, "was_DOB", (int(row) for row in rows), 1)})


@rule("CLA008", form="child", needs=(OLD_CHILD,))
def gender_changes(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where gender is not last year's."""
    return answer(t.child_then, pl.col("GNDR_CD") != pl.col("was_GNDR_CD"))


@gender_changes.breaker(entails=("CRCS-059",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _other(t, g, rows, "GNDR_CD")


def _other(t: Tables, g: Guidance, rows: Rows, name: str) -> dict[str, pl.DataFrame]:
    """Give children known last year another code of an item."""
    frame = t.child_then
    old = frame[f"was_{name}"]
    codes = sorted(g.values(g.item("child", name).code_set))
    chosen = take(frame, pl.col(f"was_{name}").is_not_null(), rows)
    return put(t, "child", {name: {row: other_code(old[row], codes) for row in chosen}})


@rule("CLA010", form="child", needs=(OLD_CHILD,))
def ethnicity_changes(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the ethnic group is not last year's, which was known."""
    known = ~pl.col("was_ETHNICITY").is_in(sorted(g.allowed("value_not_known")))
    return answer(t.child_then, known & (pl.col("ETHNICITY") != pl.col("was_ETHNICITY")))


@ethnicity_changes.breaker(entails=("CRCS-060",))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    return _other(t, g, rows, "ETHNICITY")


@rule("CLA016", form="child", needs=(OLD_CHILD,))
def asylum_forgotten(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child who was seeking asylum alone last year, with no end to it, is not flagged."""
    goes_on = (pl.col("was_ASYLUM") == "1") & pl.col("was_DATE_CEASED_UASC").is_null()
    return answer(t.child_then, goes_on & (pl.col("ASYLUM") == "0"))


@asylum_forgotten.breaker(entails=("CRCS-062", "CLA014", "CLA020"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    goes_on = (pl.col("was_ASYLUM") == "1") & pl.col("was_DATE_CEASED_UASC").is_null()
    return put(t, "child", {"ASYLUM": same(take(t.child_then, goes_on, rows), "0")})


@rule("CLA025", form="child", needs=(OLD_CHILD,))
def upn_changes(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the pupil number is not last year's, both given and last year's for good."""
    lasting = pl.col("was_UPN").str.contains(FULL_UPN) & pl.col("UPN").str.contains(r"^[A-Z][0-9]{11}")
    return answer(t.child_then, lasting & (pl.col("UPN") != pl.col("was_UPN")))


@upn_changes.breaker(entails=("CRCS-064",))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    frame = t.child_then
    both = take(frame, pl.col("UPN") == pl.col("was_UPN"), rows)
    numbers = frame[both].select(other_upn(pl.col("UPN"))).to_series()
    return put(t, "child", {"UPN": dict(zip(both, numbers.to_list(), strict=True))})


@rule("CLA067", form="episode", needs=(OLD_EPISODES,))
def adopted_comes_back(t: Tables, g: Guidance) -> pl.Series:
    """Flag where the first episode is under the identifier of a child who was adopted last year."""
    adopted = sorted(g.allowed("reason_ceased_needs_adoption_record"))
    return answer(t.before, pl.col("first") & pl.col("was_finish").is_in(adopted))


@adopted_comes_back.breaker(entails=("CLA006", "CLA008", "CLA010", "CLA025", "CRCS-050", "CRCS-052", "CRCS-054"))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    adopted = sorted(g.allowed("reason_ceased_needs_adoption_record"))
    old = t.episodes.clear() if t.last is None else t.last.episodes
    free = old.filter(pl.col("last") & pl.col("finish").is_in(adopted)).group_by("la", maintain_order=True).agg("id")
    ids = {la: list(there) for la, there in free.rows()}
    episodes, children = t.episodes, keyed(t, "child").select("la", "id").rows()
    names: dict[tuple[str, str], str] = {}
    begun = set(take(t.before, pl.col("was_start").is_null() & (pl.col("reason") == "S"), rows))
    chosen = [row for row in lone(t, rows) if row in begun and ids.get(episodes["la"][row])]
    for row in chosen:
        if ids[episodes["la"][row]]:
            names[episodes["la"][row], episodes["id"][row]] = ids[episodes["la"][row]].pop()
    again = {row: names[key] for row in chosen if (key := (episodes["la"][row], episodes["id"][row])) in names}
    renamed_children = {n: names[key] for n, key in enumerate(children) if key in names}
    return put(t, "episode", {"SYSTEM_ID": again}) | put(t, "child", {"SYSTEM_ID": renamed_children})


@rule("CLA068", form="episode", needs=(OLD_EPISODES,))
def open_episode_moves(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the first episode does not start when the one open a year ago did."""
    return answer(t.before, pl.col("first") & pl.col("was_open") & (pl.col("start") != pl.col("was_start")))


@open_episode_moves.breaker(entails=("CLA071", "CLA080", *TOO_OLD, *TOO_YOUNG))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    first = take(t.before, pl.col("first") & pl.col("was_open"), rows)
    return put(t, "episode", {"EPISODE_START_DATE": shifted(t.before, "was_start", first, -1)})


def _same_episode() -> pl.Expr:
    return pl.col("first") & pl.col("was_open") & (pl.col("start") == pl.col("was_start"))


@rule("CLA069", form="episode", needs=(OLD_EPISODES,))
def open_episode_changes(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where the episode open a year ago has another reason, legal status, need or placement type now."""
    other = pl.any_horizontal((pl.col(name) != pl.col(f"was_{name}")).fill_null(value=False) for name in CARRIED_OVER)
    return answer(t.before, _same_episode() & other)


@open_episode_changes.breaker(entails=("CLA052", "CLA121", *CHANGES))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    first, reasons = take(t.before, _same_episode(), rows), t.episodes["reason"]
    other = {row: other_code(reasons[row], ("P", "S")) for row in first}
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": other})


@rule("CLA070", form="episode", needs=(OLD_EPISODES,), per="authority")
def open_child_missing(t: Tables, _g: Guidance) -> pl.DataFrame:
    """Flag authorities where children open a year ago have no episode; authorities absent this year are left out."""
    here = t.episodes["la"].drop_nulls().unique().implode()
    lost = t.gone.filter(pl.col("la").is_in(here)).sort("la", "id").group_by("la").agg(n=pl.len(), ids="id")
    named = pl.col("ids").list.head(NAMED).list.join(", ") + pl.when(pl.col("n") > NAMED).then(
        pl.lit(" and others")
    ).otherwise(pl.lit(""))
    one = pl.when(pl.col("n") == 1).then(pl.lit(" child")).otherwise(pl.lit(" children"))
    return lost.select(
        "la", value=pl.format("{}{} with an episode open last 31 March, none this year: {}", "n", one, named)
    )


@open_child_missing.breaker(entails=ENDS)
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    stood = take(t.before, pl.col("first") & pl.col("was_open"), rows)[: NAMED + 1]
    forms = [form for form in ("child", "episode", "adoption", "care_leaver") if form in t]
    changed: dict[str, pl.DataFrame] = {}
    for form in forms:
        changed |= without_children(t, form, t.episodes, stood)
    return changed


@rule("CLA071", form="episode", needs=(OLD_EPISODES,))
def not_there_last_year(t: Tables, g: Guidance) -> pl.Series:
    """Flag where an episode began before the year and last year's return has none of that start for the child.

    Authorities that are not in last year's return are left out, and children one of whose starts there is unreadable.
    """
    early = pl.col("held") & (pl.col("start") < g.first_day)
    # Most stood open a year ago and are found at once; the others are looked for.
    other = (pl.col("start") != pl.col("was_start")).fill_null(value=True)
    assert t.last is not None
    old, keys = t.last.episodes, ["la", "id"]
    unsure = old.filter(pl.col("start").is_null()).select(keys)
    lost = t.before.filter(early & other).join(old, on=[*keys, "start"], how="anti").join(unsure, on=keys, how="anti")
    return at_rows(t.before.height, lost["row"])


@not_there_last_year.breaker(entails=("CLA080", "CRCS-052", "CLA057", *TOO_OLD, *TOO_YOUNG))
def _(t: Tables, g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    begun = rows_of(answer(t.before, pl.col("was_start").is_null() & (pl.col("start") >= g.first_day)), rows)
    early = set(begun)
    day = t.episodes.with_columns(day=pl.lit(g.first_day))
    return put(t, "episode", {"EPISODE_START_DATE": shifted(day, "day", [n for n in lone(t, rows) if n in early], -1)})


@rule("CLA072", form="episode", needs=(OLD_EPISODES,))
def comes_back_without_start(t: Tables, _g: Guidance) -> pl.Series:
    """Flag where a child who had left care by last 31 March is back and the first episode is no start."""
    left = ~pl.col("was_open") & (pl.col("was_finish") != "X1")
    return answer(t.before, pl.col("first") & left & (pl.col("reason") != "S"))


@comes_back_without_start.breaker(entails=("CLA057", "CRCS-052"))
def _(t: Tables, _g: Guidance, rows: Rows, _rng: Generator) -> dict[str, pl.DataFrame]:
    left = ~pl.col("was_open") & (pl.col("was_finish") != "X1")
    back = take(t.before, pl.col("first") & left & (pl.col("reason") == "S"), rows)
    return put(t, "episode", {"REASON_EPISODE_STARTED_CODE": same(back, "P")})
