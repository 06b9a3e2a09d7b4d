"""What the care and support return says of children and parents, and what each share rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from synth.packaged import rows_in
from synth.report.charts import Chart, axis, colour, specification

if TYPE_CHECKING:
    from synth.report.facts import Facts
    from synth.report.words import Words

__all__ = ["factors"]


def factors(facts: Facts, say: Words) -> Chart:
    """Draw the share of children each factor is recorded of, in the colour of what it rests on.

    A share is published where a figure of this year stands beside it; else it rests on a parameter of the profile and
    has the basis of that.
    """
    one = facts.latest
    frame = one.this.views.care_and_support
    values: list[dict[str, Any]] = []
    for row in rows_in("report", "factors.csv"):
        if row["item"] not in frame.columns:
            continue
        column = pl.col(row["item"]).cast(pl.String)
        asked = frame.filter(column.is_in(row["within"].split("/"))) if row["within"] else frame
        part = asked.filter(column.is_in(row["values"].split("/"))).height
        found = one.wales(row["measure"], row["dim1"], "percent") if row["measure"] else None
        parameter = facts.profile.parameters.get(row["parameter"])
        basis = "published" if found else parameter.basis if parameter else "assumed"
        value: dict[str, Any] = {
            "factor": say(row["key"]),
            "share": round(100 * part / max(asked.height, 1), 1),
            "basis": say(f"basis_{basis}"),
        }
        if found and found.cell.value is not None:
            value["published"] = found.cell.value
        values.append(value)
    names = [say(f"basis_{basis}") for basis in ("published", "research", "assumed")]
    place = {"y": axis("factor", "nominal", sort=[value["factor"] for value in values], axis={"labelLimit": 190})}
    layer = [
        {
            "mark": {"type": "bar"},
            "encoding": {
                **place,
                "x": axis("share", "quantitative", say("per_cent")),
                "color": colour("basis", names),
                "tooltip": [{"field": "factor"}, {"field": "share"}, {"field": "basis"}],
            },
        },
        {
            "transform": [{"filter": "isValid(datum.published)"}],
            "mark": {"type": "tick", "color": "var(--ink)", "thickness": 3, "size": 18},
            "encoding": {**place, "x": axis("published", "quantitative")},
        },
    ]
    rows = [
        [value["factor"], value["share"], value.get("published", say("not_published")), value["basis"]]
        for value in values
    ]
    assumed = sum(value["basis"] == names[-1] for value in values)
    alt = say("factors_alt", assumed=assumed, all=len(values))
    head = [say("factor"), say("per_cent"), say("published"), say("basis")]
    spec = specification(values, 24 * len(values) + 30, layer=layer)
    return Chart("factors", say("factors"), alt, head, rows, spec, say("factors_note"))
