"""Every published cell as a dot inside or outside its interval, the misses, and what the profile rests on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from synth.profile.check import basis_counts
from synth.report.charts import Chart, axis, colour, number, share, specification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.fidelity.comparison import Result
    from synth.report.facts import Facts
    from synth.report.words import Words

__all__ = ["basis", "dots", "misses"]

_EDGE = 3.0
"""Dots farther out stand at the edge; the interval is from -1 to 1."""
_MOST = 60
"""Misses listed."""
_ROLES = ("fitted", "held_out", "compared")


def _every(facts: Facts) -> list[tuple[int, Result]]:
    return [(one.year, result) for one in facts.years for result in one.results]


def dots(facts: Facts, say: Words) -> Chart:
    """Draw a dot for each published cell: where in its interval the generated figure lies, by table."""
    every = _every(facts)
    values: list[dict[str, Any]] = []
    for place, (year, result) in enumerate(every):
        cell = result.cell
        printed = "*" if cell.value is None else number(cell.value, 0 if cell.value == int(cell.value) else 1)
        values.append(
            {
                "table": cell.table,
                "at": round(_place(result), 3),
                "lane": place % 7,
                "role": say(f"role_{result.role}"),
                "inside": say("inside") if result.inside else say("outside"),
                "told": f"{cell.table} {year} {_about(result, say)}: {result.generated:.6g} ({printed})",
            }
        )
    tables = sorted({value["table"] for value in values}, key=lambda name: (name.startswith("crcs"), name))
    names = [say("inside"), say("outside")]
    encoding = {
        "y": axis("table", "nominal", sort=tables),
        "x": axis(
            "at", "quantitative", say("in_interval"), scale={"domain": [-_EDGE, _EDGE]}, axis={"values": [-1, 0, 1]}
        ),
        "yOffset": {"field": "lane", "type": "ordinal"},
        "color": {**colour("inside", names), "scale": {"domain": names, "range": ["var(--c0)", "var(--bad)"]}},
        "shape": {
            "field": "role",
            "type": "nominal",
            "scale": {"domain": [say(f"role_{role}") for role in _ROLES], "range": ["circle", "square", "triangle"]},
            "legend": {"title": None, "orient": "top"},
        },
        "tooltip": {"field": "told"},
    }
    layer = [
        {
            "data": {"values": [{"low": -1, "high": 1}]},
            "mark": {"type": "rect", "color": "var(--c2)", "opacity": 0.14},
            "encoding": {"x": axis("low", "quantitative"), "x2": {"field": "high"}},
        },
        {"mark": {"type": "point", "filled": True, "size": 26, "opacity": 0.75}, "encoding": encoding},
    ]
    fitted = [result for _, result in every if result.role == "fitted"]
    inside = sum(result.inside for result in fitted)
    rows: list[Sequence[str | int | float]] = []
    for table in tables:
        for role in _ROLES:
            some = [result for _, result in every if (result.cell.table, result.role) == (table, role)]
            if some:
                good = sum(result.inside for result in some)
                rows.append([table, say(f"role_{role}"), len(some), good, share(good, len(some))])
    alt = say("dots_alt", inside=number(inside), fitted=number(len(fitted)), share=share(inside, len(fitted)))
    head = [say("table"), say("role"), say("cells"), say("inside"), say("per_cent")]
    spec = specification(values, {"step": 26, "for": "position"}, layer=layer)
    return Chart("dots", say("dots"), alt, head, rows, spec, say("dots_note"))


def _place(result: Result) -> float:
    """Return where a figure lies in its interval, whose ends are -1 and 1; exact cells that are met lie at 0."""
    cell = result.cell
    half = (cell.high - cell.low) / 2
    if result.inside:
        return (result.generated - (cell.low + cell.high) / 2) / half if half else 0.0
    return math.copysign(min(1 + abs(result.z) / 2, _EDGE) if math.isfinite(result.z) else _EDGE, result.z)


def _about(result: Result, say: Words) -> str:
    """Say what a cell is about: the place, and the rest as printed in its table."""
    cell = result.cell
    dims = ", ".join(part for part in (cell.dim1, cell.dim2) if part)
    return f"{say.place(cell.geography)}, {cell.measure.replace('_', ' ')}" + (f", {dims}" if dims else "")


def misses(facts: Facts, say: Words) -> list[Chart]:
    """List the fitted and held out cells that are not met, the farthest off first; no list where all are."""
    off = [(year, result) for year, result in _every(facts) if not result.inside and result.role != "compared"]
    off.sort(key=lambda item: -abs(item[1].z))
    rows: list[Sequence[str | int | float]] = [
        [
            result.cell.table,
            year,
            _about(result, say),
            say(f"role_{result.role}"),
            f"{result.cell.low:,.6g}-{result.cell.high:,.6g}",
            f"{result.generated:,.6g}",
            f"{result.z:+.1f}",
        ]
        for year, result in off[:_MOST]
    ]
    head = [say("table"), say("year"), say("cell"), say("role"), say("published"), say("generated"), "z"]
    alt = say("misses_alt", shown=len(rows), all=len(off))
    return [Chart("misses", say("misses"), alt, head, rows, None, say("misses_note"))] if rows else []


def basis(facts: Facts, say: Words) -> Chart:
    """Draw how many parameters of the profile are published, from research, or assumed."""
    counts = basis_counts(facts.profile)
    kinds = ("published", "research", "assumed")
    values: list[dict[str, Any]] = [{"basis": say(f"basis_{kind}"), "n": counts[kind]} for kind in kinds]
    encoding = {
        "y": axis("basis", "nominal", sort=[value["basis"] for value in values]),
        "x": axis("n", "quantitative", say("parameters")),
        "tooltip": [{"field": "basis"}, {"field": "n"}],
    }
    spec = specification(values, 110, mark={"type": "bar", "color": "var(--c0)"}, encoding=encoding)
    total = sum(value["n"] for value in values)
    alt = say(
        "basis_alt", all=total, published=counts["published"], research=counts["research"], assumed=counts["assumed"]
    )
    head = [say("basis"), say("parameters")]
    return Chart(
        "basis", say("basis_title"), alt, head, [[v["basis"], v["n"]] for v in values], spec,
        say("basis_note", fitted=counts["fitted"]),
    )  # fmt: skip
