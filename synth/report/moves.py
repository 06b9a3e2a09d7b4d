"""How children move: who came in, where they were and are, how they left, and some lives day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from synth.report.charts import Chart, axis, colour, number, share, specification
from synth.report.stock import LEGAL, PLACEMENTS, groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.report.facts import Facts
    from synth.report.words import Words

__all__ = ["entered", "flows", "left", "timelines", "turnover"]

_LEFT = {
    "home": ("E4",),
    "adopted": ("E11", "E12"),
    "guardian": ("E43", "E44"),
    "grown": ("E5", "E6", "E7", "E10"),
    "otherwise": (),
}
"""Ways of leaving care, by reason."""
_ROUTES = {**{key: LEGAL[key] for key in ("agreement", "care_order", "held")}, "elsewhere": ()}
"""Ways of coming, by the first legal status: the groups of the stock, without that nobody comes under."""
_AGES = {"under_1": (0, 0), "ages_1_4": (1, 4), "ages_5_9": (5, 9), "ages_10_15": (10, 15), "ages_16_17": (16, 17)}
_KEY = ["LOCAL_AUTHORITY_CODE", "SYSTEM_ID"]
_LIVES = 6
_MANY = 3
"""A life worth showing has so many episodes at least."""


def entered(facts: Facts, say: Words) -> Chart:
    """Draw the children who started to be looked after, by age and by how they came."""
    frame = facts.latest.this.views.started.with_columns(route=groups("LEGAL_STATUS_CODE", _ROUTES))
    counts = {
        (route, key): n
        for key, (low, high) in _AGES.items()
        for route, n in frame.filter(pl.col("age").is_between(low, high)).group_by("route").len().iter_rows()
    }
    names = {route: say(f"came_{route}") for route in _ROUTES}
    ages = [say(key) for key in _AGES]
    values = [
        {"age": say(key), "route": names[route], "n": counts.get((route, key), 0)} for key in _AGES for route in _ROUTES
    ]
    rows = [[say(key), *(counts.get((route, key), 0) for route in _ROUTES)] for key in _AGES]
    encoding = {
        "y": axis("age", "nominal", sort=ages),
        "x": axis("n", "quantitative", say("children")),
        "color": colour("route", list(names.values()), columns=2),
        "tooltip": [{"field": "age"}, {"field": "route"}, {"field": "n"}],
    }
    agreed = sum(n for (route, _), n in counts.items() if route == "agreement")
    alt = say("entered_alt", starts=number(frame.height), agreed=share(agreed, frame.height))
    spec = specification(values, 200, mark="bar", encoding=encoding)
    return Chart("entered", say("entered"), alt, [say("age"), *names.values()], rows, spec)


def left(facts: Facts, say: Words) -> Chart:
    """Draw the children who ceased to be looked after, by how they left."""
    frame = facts.latest.this.views.ceased
    counts = dict(frame.group_by(groups("REASON_EPISODE_FINISHED_CODE", _LEFT)).len().iter_rows())
    names = {key: say(key) for key in _LEFT}
    values = [{"how": names[key], "n": counts.get(key, 0)} for key in _LEFT]
    encoding = {
        "y": axis("how", "nominal", sort=list(names.values()), axis={"labelLimit": 170}),
        "x": axis("n", "quantitative", say("children")),
        "tooltip": [{"field": "how"}, {"field": "n"}],
    }
    spec = specification(values, 180, mark={"type": "bar", "color": "var(--c2)"}, encoding=encoding)
    alt = say("left_alt", leavers=number(frame.height), home=share(counts.get("home", 0), frame.height))
    return Chart("left", say("left"), alt, [say("how"), say("children")], [[v["how"], v["n"]] for v in values], spec)


def flows(facts: Facts, say: Words) -> Chart:
    """Draw from where to where: placement a year before, or new, against placement now, or the way of leaving."""
    one = facts.latest
    frame = one.tables.typed("episode").filter(pl.col("LEGAL_STATUS_CODE").ne_missing("V1")).sort(
        *_KEY, "EPISODE_START_DATE"
    )  # fmt: skip
    first = one.this.views.first
    here = pl.col("EPISODE_END_DATE").is_null()
    before = frame.filter(pl.col("EPISODE_START_DATE") < first).select(
        *_KEY, came=groups("PLACEMENT_TYPE_CODE", PLACEMENTS)
    )
    now = frame.unique(_KEY, keep="last", maintain_order=True).select(
        *_KEY,
        went=pl.when(here).then(groups("PLACEMENT_TYPE_CODE", PLACEMENTS)).otherwise(
            pl.concat_str(pl.lit("left_"), groups("REASON_EPISODE_FINISHED_CODE", _LEFT))
        ),
    )  # fmt: skip
    both = now.join(before.unique(_KEY, keep="first"), on=_KEY, how="left").with_columns(
        pl.col("came").fill_null("new")
    )
    counts = {(came, went): n for came, went, n in both.group_by("came", "went").len().iter_rows()}
    sources = {**{key: say(key) for key in PLACEMENTS}, "new": say("new_here")}
    targets = {**{key: say(key) for key in PLACEMENTS}, **{f"left_{key}": say(f"left_{key}") for key in _LEFT}}
    values = []
    for came, source in sources.items():
        total = max(sum(counts.get((came, went), 0) for went in targets), 1)
        values += [
            {
                "from": source,
                "to": target,
                "n": counts.get((came, went), 0),
                "share": counts.get((came, went), 0) / total,
            }
            for went, target in targets.items()
        ]
    encoding = {
        "y": axis("from", "nominal", say("before"), sort=list(sources.values()), axis={"labelLimit": 230}),
        "x": axis(
            "to", "nominal", say("after"), sort=list(targets.values()), axis={"labelAngle": -55, "labelLimit": 230}
        ),
    }
    layer = [
        {
            "mark": {"type": "rect", "color": "var(--c0)"},
            "encoding": {
                "opacity": {"field": "share", "type": "quantitative", "legend": None, "scale": {"range": [0.04, 0.75]}},
                "tooltip": [{"field": "from"}, {"field": "to"}, {"field": "n"}],
            },
        },
        {
            "transform": [{"filter": "datum.n > 0"}],
            "mark": {"type": "text", "fontSize": 11, "color": "var(--ink)"},
            "encoding": {"text": {"field": "n", "format": ","}},
        },
    ]
    stay = sum(counts.get((key, key), 0) for key in PLACEMENTS)
    there = sum(n for (came, _), n in counts.items() if came != "new")
    alt = say("flows_alt", there=number(there), stay=share(stay, there))
    head = [f"{say('before')} / {say('after')}", *targets.values()]
    rows: list[Sequence[str | int | float]] = [
        [source, *(counts.get((came, went), 0) for went in targets)] for came, source in sources.items()
    ]
    return Chart(
        "flows",
        say("flows"),
        alt,
        head,
        rows,
        specification(values, 300, encoding=encoding, layer=layer),
        say("flows_note"),
    )


def turnover(facts: Facts, say: Words) -> Chart:
    """Draw starts and leavers over the years of a panel, with the published counts."""
    kinds = {
        "starts": ("started", "started_to_be_looked_after"),
        "leavers": ("ceased", "ceased_to_be_looked_after"),
        "adoptions": ("adopted", "adoptions_from_care"),
    }
    values: list[dict[str, Any]] = []
    for one in facts.years:
        for key, (view, measure) in kinds.items():
            found = one.wales(measure)
            printed = {"published": found.cell.value} if found and found.cell.value is not None else {}
            values.append({"year": str(one.year), "kind": say(key), "n": one.this.views[view].height, **printed})
    across = {"x": axis("year", "ordinal", axis={"labelAngle": 0})}
    layer = [
        {
            "mark": {"type": "line", "point": True},
            "encoding": {
                **across,
                "y": axis("n", "quantitative", say("children")),
                "color": colour("kind", [say(key) for key in kinds]),
            },
        },
        {
            "transform": [{"filter": "isValid(datum.published)"}],
            "mark": {"type": "point", "shape": "diamond", "size": 130, "color": "var(--ink)", "filled": False},
            "encoding": {**across, "y": axis("published", "quantitative")},
        },
    ]
    rows = [
        [v["year"], v["kind"], v["n"], number(v["published"]) if "published" in v else say("not_published")]
        for v in values
    ]
    head = [say("year"), say("flow"), say("children"), say("published")]
    starts = [v["n"] for v in values if v["kind"] == say("starts")]
    alt = say("turnover_alt", low=number(min(starts)), high=number(max(starts)))
    return Chart(
        "turnover", say("turnover"), alt, head, rows, specification(values, 300, layer=layer), say("status_note")
    )


def timelines(facts: Facts, say: Words) -> Chart:
    """Draw the placements of a few children day by day, with the changes of legal status above them.

    Episodes that cannot be read are left out.
    """
    frames = [
        one.tables.typed("episode")
        .filter(pl.col("LEGAL_STATUS_CODE") != "V1")
        .drop_nulls([*_KEY, "EPISODE_START_DATE", "PLACEMENT_TYPE_CODE"])
        .with_columns(told=pl.lit(one.year))
        for one in facts.years
    ]
    # Episodes open on 31 March stand in two files: the later one knows how they ended.
    every = pl.concat(frames, how="diagonal_relaxed").sort("told").unique(
        [*_KEY, "EPISODE_START_DATE"], keep="last", maintain_order=True
    )  # fmt: skip
    many = every.group_by(_KEY).len().filter(pl.col("len") >= _MANY).sort(_KEY)
    some = many.sample(min(_LIVES, many.height), seed=facts.latest.this.seed % 2**32).sort(_KEY)
    first, last = facts.years[0].this.views.first, facts.latest.this.views.last
    values: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    rows: list[list[str | int | float]] = []
    names = [say(key) for key in PLACEMENTS]
    lives: list[str] = []
    for place, (authority, child, _) in enumerate(some.iter_rows(), 1):
        life = say("child_number", n=place)
        lives.append(life)
        own = every.filter((pl.col(_KEY[0]) == authority) & (pl.col(_KEY[1]) == child)).sort("EPISODE_START_DATE")
        own = own.with_columns(group=groups("PLACEMENT_TYPE_CODE", PLACEMENTS))
        before = ""
        for row in own.iter_rows(named=True):
            start, end = max(row["EPISODE_START_DATE"], first), row["EPISODE_END_DATE"] or last
            legal, code = str(row["LEGAL_STATUS_CODE"]), str(row["PLACEMENT_TYPE_CODE"])
            ended = str(row["REASON_EPISODE_FINISHED_CODE"] or "")
            told = f"{start:%Y-%m-%d} - {end:%Y-%m-%d}: {say(row['group'])} ({code}), {legal}"
            values.append({"life": life, "from": f"{start}", "to": f"{end}", "group": say(row["group"]), "told": told})
            if legal != before:
                marks.append({"life": life, "at": f"{start}", "code": legal})
            if ended not in ("", "X1"):
                marks.append({"life": life, "at": f"{end}", "code": ended})
            before = legal
            rows.append([life, f"{start}", f"{end}", say(row["group"]), code, legal, ended])
    lane = {"y": axis("life", "nominal", sort=lives)}
    layer = [
        {
            "mark": {"type": "bar", "height": 16},
            "encoding": {
                **lane,
                "x": axis("from", "temporal", axis={"format": "%b %Y", "labelOverlap": True}),
                "x2": {"field": "to"},
                "color": colour("group", names, columns=2),
                "tooltip": {"field": "told"},
            },
        },
        {
            "data": {"values": marks},
            "mark": {"type": "text", "dy": -15, "align": "left", "fontSize": 10, "color": "var(--ink)"},
            "encoding": {**lane, "x": axis("at", "temporal"), "text": {"field": "code"}},
        },
    ]
    head = [say("child"), say("from"), say("to"), say("placement"), say("code"), say("legal"), say("ended")]
    alt = say("timelines_alt", lives=len(lives), episodes=len(values))
    spec = specification(values, 46 * max(len(lives), 1) + 30, layer=layer)
    return Chart("timelines", say("timelines"), alt, head, rows, spec, say("timelines_note"))
