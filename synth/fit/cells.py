"""The cells of the tables of targets (targets.csv), and which published figures speak of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.errors import ProfileError
from synth.published import number, read_csv
from synth.published.counted import VIEWS, Condition, conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.published import Tables

__all__ = ["LEAD_IN", "TOTALS", "TargetCell", "covers", "load_target_cells"]

TOTALS = (
    "looked_after",
    "care_and_support",
    "starts",
    "leavers",
    "infants",
    "young",
    "grown",
    "turning_18",
    "arriving",
    "adopting",
    "ordered",
    "agreeing",
)
"""Numbers by authority and year: both stocks, the flows of the account; then what others are spread like: infants of
the stock, children under 5 who came in the last three years, those who leave at 16 and over or at 18, the groups
most unaccompanied children belong to, children placed for adoption and those under a placement order (once the table of
placements is fitted), and those in care by agreement (once that of unaccompanied children is)."""

_COLUMNS = ("table", "cell", "views", "where", "share", "of", "within", "totals", "when", "basis", "note")
LEAD_IN = {"always": 0, "figures": 0, "before": 2, "long before": 5}
"""How many years before the profile's first one have targets too, so that no single year has to make up for all."""
_BASES = ("published", "research", "assumed")


@dataclass(frozen=True, slots=True)
class TargetCell:
    """One cell of a table of targets.

    Published figures counted in one of `views` speak of it; `where` says which children are in it. Before anything
    published is looked at it holds `share` of the total `of` (a number, or the parameter that gives it);
    "looked_after/infants" spreads the total of Wales like another. Cells with `within` (a share) may together stray
    from that spread by no more than it, whatever the other cells of the authority do. `totals` name the totals it is a
    part of. `when` is one of LEAD_IN; with "figures" only years with a published figure have a target, the others
    follow the parameters.
    """

    place: str
    table: str
    name: str
    views: tuple[str, ...]
    where: tuple[Condition, ...]
    share: float | str
    of: str
    within: float | None
    totals: tuple[str, ...]
    when: str
    basis: str
    note: str


def load_target_cells(tables: Tables) -> dict[str, tuple[TargetCell, ...]]:
    """Read targets.csv from the folder of the published tables: table -> cells in order.

    Raises ProfileError naming line and column of a wrong cell.
    """
    path = tables.folder / "targets.csv"
    found: dict[str, tuple[TargetCell, ...]] = {}
    for line, cells in read_csv(path, _COLUMNS):
        views, totals = tuple(cells["views"].split()), tuple(cells["totals"].split())
        for column, texts, allowed in (
            ("views", views, tuple(VIEWS)),
            ("of", cells["of"].split("/"), TOTALS),
            ("totals", totals, TOTALS),
            ("when", (cells["when"],), tuple(LEAD_IN)),
            ("basis", (cells["basis"],), _BASES),
        ):
            for text in texts:
                if text not in allowed:
                    raise ProfileError(
                        f"{path} line {line}, column {column}: {text!r}; expected one of {', '.join(allowed)}."
                    )
        share = cells["share"]
        cell = TargetCell(
            place=f"{path.name} line {line}",
            table=cells["table"],
            name=cells["cell"],
            views=views,
            where=conditions(path, line, "where", cells["where"]),
            share=number(path, line, "share", share) if share[:1].isdecimal() else share,
            of=cells["of"],
            within=number(path, line, "within", cells["within"]) if cells["within"] else None,
            totals=totals,
            when=cells["when"],
            basis=cells["basis"],
            note=cells["note"],
        )
        found[cell.table] = (*found.get(cell.table, ()), cell)
    return found


def covers(asked: Sequence[Condition], cell: TargetCell) -> bool | None:
    """Say whether the children of a cell meet all conditions: all of them, none, or (None) that cannot be said."""
    answer: bool | None = True
    for condition in asked:
        own = next((one for one in cell.where if one.column == condition.column), None)
        if own is None:
            answer = None
            continue
        meets = _meets(condition, own)
        if meets is False:
            return False
        answer = answer if meets else None
    return answer


def _meets(asked: Condition, own: Condition) -> bool | None:
    if (asked.low, asked.high, own.low, own.high) != (None,) * 4:
        return True if (asked.low, asked.high) == (own.low, own.high) else None
    inside = [(value in asked.values) != asked.negated for value in own.values]
    return True if all(inside) else None if any(inside) else False
