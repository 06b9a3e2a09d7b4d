"""Who is looked after on 31 March: the authorities as tiles, age and sex, legal status and placement over the years."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from synth.packaged import rows_in
from synth.published import WALES
from synth.report.charts import Chart, axis, colour, number, share, specification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.report.facts import Facts, YearFacts
    from synth.report.words import Words

__all__ = ["LEGAL", "PLACEMENTS", "groups", "pyramid", "status", "tiles"]

LEGAL = {
    "care_order": ("C1", "C2"),
    "agreement": ("V2",),
    "placement_order": ("E1",),
    "held": ("J1", "J2", "J3", "L1", "L2", "L3"),
}
"""Groups of legal status as they are published, under the key of their words."""
PLACEMENTS = {
    "kin": ("F1", "F4"),
    "foster": ("F2", "F3", "F5", "F6", "A8"),
    "parents": ("P1",),
    "residential": ("H1", "H21", "H22", "H3", "H4", "H5"),
    "adoption": ("A3", "A4", "A5", "A6"),
    "elsewhere": (),
}
"""Groups of placement; all other codes are elsewhere."""
_PUBLISHED = {
    "care_order": ("looked_after_at_31_march_by_legal_status", "care order (interim or full)"),
    "agreement": ("looked_after_at_31_march_by_legal_status", "single period of accommodation (s20/s76)"),
    "placement_order": ("looked_after_at_31_march_by_legal_status", "other legal status (incl. placement orders)"),
    "held": ("looked_after_at_31_march_by_legal_status", "remand, detained or other compulsory order"),
    "kin": ("looked_after_at_31_march_by_placement", "foster care with relatives or friends"),
    "parents": (
        "looked_after_at_31_march_by_placement",
        "with own parents or other person with parental responsibility",
    ),
    "adoption": ("looked_after_at_31_march_by_placement", "placed for adoption"),
}
_CLASSES = (70, 100, 130, 160)
"""Children looked after per 10,000: bounds between the shades of a tile."""
_AGES = 18
_BANDS = {"under 1": (0, 0), "1-4": (1, 4), "5-9": (5, 9), "10-15": (10, 15), "16-17": (16, 17)}


def tiles(facts: Facts, say: Words) -> Chart:
    """Draw the authorities as tiles where they lie, shaded by rate; those whose stock is off have a thick border."""
    places = {row["authority_ons"]: row for row in rows_in("geography", "tiles.csv")}
    welsh = say.language == "cy"
    values: list[dict[str, Any]] = []
    rows: list[list[str | int | float]] = []
    for stock in facts.latest.stocks:
        place = places[stock.authority.ons_code]
        name = say.place(stock.authority.ons_code)
        shown = (
            say("published_between", low=number(stock.interval[0]), high=number(stock.interval[1]))
            if stock.interval
            else say("aimed_at", level=number(stock.level))
        )
        told = say("fits") if stock.fits else say("off_by", share=f"{100 * stock.off:+.0f}")
        values.append(
            {
                "x": int(place["column"]),
                "y": int(place["row"]),
                "name": place["welsh_short" if welsh else "short"],
                "rate": f"{stock.rate:.0f}" if stock.fits else f"{stock.rate:.0f} ({100 * stock.off:+.0f}%)",
                "shade": sum(stock.rate >= bound for bound in _CLASSES),
                "fits": stock.fits,
                "told": f"{name}: {number(stock.generated)} ({shown}); {told}",
            }
        )
        rows.append([name, stock.generated, shown, round(stock.rate, 1), told])
    shades = list(range(len(_CLASSES) + 1))
    names = [
        f"< {_CLASSES[0]}",
        *(f"{low}-{high - 1}" for low, high in pairwise(_CLASSES)),
        f"{_CLASSES[-1]}+",
    ]
    position = {
        "x": axis("x", "ordinal", axis=None, scale={"paddingInner": 0.06}),
        "y": axis("y", "ordinal", axis=None, scale={"paddingInner": 0.06}),
    }
    labels = "[" + ",".join(f"'{name}'" for name in names) + "][datum.value]"
    layer = [
        {
            "mark": {"type": "rect", "cornerRadius": 4, "strokeWidth": 4},
            "encoding": {
                "color": {
                    "field": "shade",
                    "type": "ordinal",
                    "scale": {"domain": shades, "range": [f"var(--s{n})" for n in shades]},
                    "legend": {
                        "title": say("per_10000"),
                        "orient": "top",
                        "labelExpr": labels,
                        "columns": 5,
                        "symbolStrokeWidth": 0,
                    },
                },
                "stroke": {"condition": {"test": "!datum.fits", "value": "var(--bad)"}, "value": None},
                "tooltip": {"field": "told"},
            },
        },
        *(
            {
                "mark": {"type": "text", "dy": dy, "fontSize": size, "fontWeight": weight},
                "encoding": {
                    "text": {"field": field},
                    "color": {
                        "field": "shade",
                        "type": "ordinal",
                        "scale": {"domain": shades, "range": [f"var(--t{n})" for n in shades]},
                        "legend": None,
                    },
                },
            }
            for field, dy, size, weight in (("name", -7, 11, "normal"), ("rate", 9, 13, "bold"))
        ),
    ]
    spec = specification(
        values, 360, encoding=position, layer=layer, resolve={"scale": {"color": "independent"}}, view={"stroke": None}
    )
    off = [row[0] for row, stock in zip(rows, facts.latest.stocks, strict=True) if not stock.fits]
    first, last = (pick(facts.latest.stocks, key=lambda stock: stock.rate) for pick in (min, max))
    alt = say(
        "tiles_alt",
        low=say.place(first.authority.ons_code),
        low_rate=f"{first.rate:.0f}",
        high=say.place(last.authority.ons_code),
        high_rate=f"{last.rate:.0f}",
        off=", ".join(map(str, off)) or say("none"),
    )
    head = [say("authority"), say("looked_after"), say("published"), say("per_10000"), say("verdict")]
    return Chart("tiles", say("tiles"), alt, head, rows, spec, say("tiles_note"))


def pyramid(facts: Facts, say: Words) -> Chart:
    """Draw children by single year of age, boys to the left, with the published age groups where there are any."""
    # Who has no readable age or sex stands in no bar.
    frame = facts.latest.this.views.looked_after.drop_nulls(["age", "GNDR_CD"])
    counts = {(sex, age): n for sex, age, n in frame.group_by("GNDR_CD", "age").len().iter_rows()}
    sexes = {"1": say("boys"), "2": say("girls")}
    values: list[dict[str, Any]] = []
    rows: list[list[str | int | float]] = []
    for age in range(_AGES):
        for code, name in sexes.items():
            count = counts.get((code, age), 0)
            values.append({"age": age, "sex": name, "n": -count if code == "1" else count, "count": count})
        rows.append([age, *(counts.get((code, age), 0) for code in sexes)])
    published = [
        {"age": age, "n": sign * (result.cell.value or 0) / (high - low + 1), "sex": sexes[code]}
        for code, printed, sign in (("1", "boys", -1), ("2", "girls", 1))
        for group, (low, high) in _BANDS.items()
        for result in facts.latest.results
        if (result.cell.table, result.cell.geography) == ("T01", WALES)
        and (result.cell.dim1, result.cell.dim2) == (printed, group)
        for age in range(low, high + 1)
    ]
    layer: list[dict[str, Any]] = [
        {
            "mark": "bar",
            "encoding": {
                "x": axis(
                    "n",
                    "quantitative",
                    say("children"),
                    axis={"labelExpr": "format(abs(datum.value), ',')", "tickCount": 6},
                ),
                "color": colour("sex", list(sexes.values())),
                "tooltip": [{"field": "sex"}, {"field": "age"}, {"field": "count"}],
            },
        }
    ]
    if published:
        layer.append(
            {
                "data": {"values": published},
                "mark": {"type": "tick", "color": "var(--ink)", "thickness": 2},
                "encoding": {"x": axis("n", "quantitative")},
            }
        )
    place = {"y": axis("age", "ordinal", say("age"), sort="descending")}
    boys = sum(counts.get(("1", age), 0) for age in range(_AGES))
    total = max(frame.height, 1)
    teens = sum(n for (_, age), n in counts.items() if age >= 10)  # noqa: PLR2004  as published
    alt = say("pyramid_alt", boys=share(boys, total), teens=share(teens, total))
    note = say("pyramid_published") if published else say("pyramid_unpublished")
    return Chart(
        "pyramid", say("pyramid"), alt, [say("age"), *sexes.values()], rows,
        specification(values, 340, encoding=place, layer=layer), note,
    )  # fmt: skip


def groups(column: str, of: Mapping[str, Sequence[str]]) -> pl.Expr:
    """Return the key of the group each code of a column belongs to; that without codes takes all others.

    What cannot be read belongs to none.
    """
    rest = next((key for key, codes in of.items() if not codes), None)
    known = {code: key for key, codes in of.items() for code in codes}
    return pl.col(column).cast(pl.String).replace_strict(known, default=rest, return_dtype=pl.String)


def status(facts: Facts, say: Words, which: str) -> Chart:
    """Draw the stock by legal status or by placement, a bar a group, or in a panel a line a group over the years."""
    of, column = (LEGAL, "LEGAL_STATUS_CODE") if which == "legal" else (PLACEMENTS, "PLACEMENT_TYPE_CODE")
    values: list[dict[str, Any]] = []
    for one in facts.years:
        counts = dict(one.this.views.looked_after.group_by(groups(column, of)).len().iter_rows())
        values += [
            {"year": str(one.year), "group": say(key), "n": counts.get(key, 0), **_interval(one, key)} for key in of
        ]
    names = [say(key) for key in of]
    layer = _over_years(names, say) if facts.panel else _in_one_year(names, say)
    published = [value for value in values if "low" in value]
    last = [value for value in values if value["year"] == str(facts.latest.year)]
    largest = max(last, key=lambda value: value["n"])
    total = max(sum(value["n"] for value in last), 1)
    alt = say(
        "status_alt", year=facts.latest.year, group=largest["group"], share=share(largest["n"], total),
        published=len(published), all=len(values), inside=sum(v["low"] <= v["n"] <= v["high"] for v in published),
    )  # fmt: skip
    rows = [
        [value["year"], value["group"], value["n"],
         f"{number(value['low'])}-{number(value['high'])}" if "low" in value else say("not_published")]
        for value in values
    ]  # fmt: skip
    head = [say("year"), say(which), say("children"), say("published")]
    height = 320 if facts.panel else 38 * len(names) + 30
    return Chart(which, say(which), alt, head, rows, specification(values, height, layer=layer), say("status_note"))


def _interval(one: YearFacts, key: str) -> dict[str, float]:
    """Return the published interval of a group of the stock, where a count of it was published for Wales."""
    if key not in _PUBLISHED:
        return {}
    found = one.wales(*_PUBLISHED[key])
    if found is None:
        return {}
    low, high = found.cell.low, found.cell.high
    return {"low": low, "high": high, "middle": (low + high) / 2}


def _in_one_year(names: Sequence[str], say: Words) -> list[dict[str, Any]]:
    place = {"y": axis("group", "nominal", sort=list(names), axis={"labelLimit": 230})}
    return [
        {
            "mark": {"type": "bar", "color": "var(--c0)"},
            "encoding": {
                **place,
                "x": axis("n", "quantitative", say("children")),
                "tooltip": [{"field": "group"}, {"field": "n"}],
            },
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "bar", "color": "var(--ink)", "height": 24, "minBandSize": 3},
            "encoding": {**place, "x": axis("low", "quantitative"), "x2": {"field": "high"}},
        },
    ]


def _over_years(names: Sequence[str], say: Words) -> list[dict[str, Any]]:
    across = {"x": axis("year", "ordinal", axis={"labelAngle": 0})}
    return [
        {
            "mark": {"type": "line", "point": True},
            "encoding": {
                **across,
                "y": axis("n", "quantitative", say("children")),
                "color": colour("group", names, columns=2),
                "tooltip": [{"field": "year"}, {"field": "group"}, {"field": "n"}],
            },
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "point", "shape": "diamond", "size": 130, "color": "var(--ink)", "filled": False},
            "encoding": {**across, "y": axis("middle", "quantitative")},
        },
    ]
