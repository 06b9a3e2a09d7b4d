"""The short table at the end of a run: rows of each file, and published figures beside the generated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.files import FILES
from synth.geography.authorities import all_authorities
from synth.measures import measures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.files import Generated
    from synth.profile import Profile

__all__ = ["panel_text", "summary_text"]

_LEVELS = (
    ("care_and_support", "Care and support, three months or more"),
    ("looked_after", "Looked after on 31 March"),
)


def summary_text(made: Generated, profile: Profile) -> str:
    """Write the table; national shares stand beside published ones only where all of Wales was generated."""
    found = measures(made)
    rows = [("", "projected" if made.year > profile.years[1] else "published", "generated")]
    for kind, label in _LEVELS:
        level = sum(_level(profile, kind, authority.code, made.year) for authority in made.authorities)
        rows.append((label, f"{level:,}", f"{_census_date(made, kind, found):,}"))
    if len(made.authorities) == len(all_authorities()):
        for figure in profile.figures_of(made.year):
            if figure.name in found and figure.name not in dict(_LEVELS):
                percent = figure.unit == "percent"
                unit, places = ("%", 1) if percent else ("", 0)
                rows.append(
                    (
                        figure.label,
                        f"{figure.value:,.{places}f}{unit}",
                        f"{found[figure.name]:,.{places}f}{unit}",
                    )
                )
    width = max(len(row[0]) for row in rows)
    lines = [f"{label:<{width}}  {published:>10}  {generated:>10}" for label, published, generated in rows]
    children = len(set(made.forms["crcs"]["CHILD_CODE"]) | set(made.forms["child"]["SYSTEM_ID"]))
    told = ", a projection" if made.year > profile.years[1] else ""
    head = [
        f"Year ending 31 March {made.year}{told}, {_places(made)}, {children:,} children",
        "",
        *(f"{name:<32}{len(next(iter(made.forms[form].values()))):>8,} rows" for form, name in FILES.items()),
        "",
    ]
    return "\n".join([*head, *lines, ""])


def panel_text(panel: Sequence[Generated], profile: Profile) -> str:
    """Write a row for each year of a panel: stock and flow of children looked after, and the census."""
    head = ("Year", "looked after", "published", "started", "ceased", "ever in year", "care and support", "published")
    rows: list[tuple[str, ...]] = [head]
    for made in panel:
        found = measures(made)
        looked_after, support = (
            sum(_level(profile, kind, authority.code, made.year) for authority in made.authorities)
            for kind in ("looked_after", "care_and_support")
        )
        counts = (
            found["looked_after"], looked_after, found["starts"], found["leavers"], found["ever_looked_after"],
            _census_date(made, "care_and_support", found), support,
        )  # fmt: skip
        year = f"{made.year} (projected)" if made.year > profile.years[1] else str(made.year)
        rows.append((year, *(f"{round(count):,}" for count in counts)))
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    first, last = panel[0].year, panel[-1].year
    return "\n".join(
        [f"Years ending 31 March {first} to {last}, {_places(panel[0])}, the same children", "", *lines, ""]
    )


def _places(made: Generated) -> str:
    count = len(made.authorities)
    return "1 authority" if count == 1 else f"{count} authorities"


def _level(profile: Profile, kind: str, code: str, year: int) -> int:
    """Return the level a year was aimed at: past the last published year that of the last."""
    return profile.level(kind, code, min(year, profile.years[1]))


def _census_date(made: Generated, kind: str, found: dict[str, float]) -> int:
    """Count what the level counts: in an all-year file the plans that meet the three-month rule on 31 March."""
    crcs = made.forms["crcs"]
    if kind != "care_and_support" or "PLAN_START_DATE" not in crcs:
        return round(found[kind])
    iso = [f"{text[6:]}{text[3:5]}{text[:2]}" for text in crcs["PLAN_START_DATE"]]
    started = [text <= f"{made.year}0101" for text in iso]
    return int(sum(flag and active == "1" for flag, active in zip(started, crcs["PLAN_ACTIVE_31_MARCH"], strict=True)))
