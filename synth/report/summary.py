"""The first screen: whether all is well, what is not, headline counts; and what the validator found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.report.charts import Chart, number, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.report.facts import Facts, YearFacts
    from synth.report.words import Words

__all__ = ["Verdict", "findings", "headlines", "outcomes", "verdict"]

_HEADLINES = {
    "looked_after": ("looked_after", "looked_after_at_31_march"),
    "starts": ("started", "started_to_be_looked_after"),
    "leavers": ("ceased", "ceased_to_be_looked_after"),
    "ever": ("ever", "looked_after_at_any_time_in_year"),
    "adoptions": ("adopted", "adoptions_from_care"),
    "care_and_support": ("care_and_support", "children_receiving_care_and_support_31_march"),
}
"""What is counted: under the key of its words the view, and the measure it is published as."""
_SHOWN = 8
"""Things that are off named on the first screen."""
_ENOUGH = 0.98
"""Share of the cells aimed at that lie inside in a year without fault; below it the tile is marked."""
_FAR = 0.02
"""A headline outside its interval by more than this share is named."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all is well: tiles of (figure, words, is it well), what to look at first, and remarks on the whole."""

    tiles: Sequence[tuple[str, str, bool]]
    faults: Sequence[str]
    remarks: Sequence[str]


def verdict(facts: Facts, say: Words) -> Verdict:
    """Sum up: cells inside, stocks as they should be, rules broken, children; and name what is off."""
    results = [result for one in facts.years for result in one.results if result.role == "fitted"]
    inside = sum(result.inside for result in results)
    stocks = [(one, stock) for one in facts.years for stock in one.stocks]
    fit = sum(stock.fits for _, stock in stocks)
    checked = facts.latest.validation.counts()
    broken = {o.rule for one in facts.years for o in one.validation.found() if o.severity == "error"}
    faults = [*_stocks_off(facts, say), *_headlines_off(facts, say), *_rules_broken(facts, say)]
    shown = [*faults[:_SHOWN], *([say("more_off", n=len(faults) - _SHOWN)] if len(faults) > _SHOWN else [])]
    tiles = [
        (number(facts.latest.this.views.looked_after.height), say("children_care", year=facts.latest.year), True),
        (f"{fit} / {len(stocks)}", say("stocks_fit"), fit == len(stocks)),
    ]
    if results:
        told = f"{share(inside, len(results))}% ({number(inside)} / {number(len(results))})"
        tiles.append((told, say("cells_inside"), inside >= _ENOUGH * len(results)))
    rules = checked["passed"] + checked["found"]
    tiles.append((str(len(broken)), say("rules_passed", rules=rules), not broken))
    remarks = [say("projection", year=one.year) for one in facts.years if one.comparison is None]
    if any(one.manifest.get("mode") == "sampled" for one in facts.years):
        remarks.append(say("sampled"))
    if not facts.same_profile:
        remarks.append(say("other_profile"))
    return Verdict(tiles, shown, remarks)


def _stocks_off(facts: Facts, say: Words) -> list[str]:
    off = [(one.year, stock) for one in facts.years for stock in one.stocks if not stock.fits]
    off.sort(key=lambda item: -abs(item[1].off))
    return [
        say(
            "stock_off",
            name=say.place(stock.authority.ons_code),
            year=year,
            generated=number(stock.generated),
            expected="-".join(number(end) for end in stock.interval or (stock.level,)),
            off=f"{100 * stock.off:+.0f}%",
        )
        for year, stock in off
    ]


def _headlines_off(facts: Facts, say: Words) -> list[str]:
    found = []
    for one in facts.years:
        for key, (_, measure) in _HEADLINES.items():
            result = one.wales(measure)
            if result is None or result.inside or result.cell.value is None:
                continue
            if abs(result.generated - result.cell.value) > _FAR * result.cell.value:
                found.append(
                    say("wales_off", year=one.year, what=say(key), generated=number(result.generated),
                        expected=number(result.cell.value))
                )  # fmt: skip
    return found


def _rules_broken(facts: Facts, say: Words) -> list[str]:
    broken = [o for one in facts.years for o in one.validation.found() if o.severity == "error"]
    return [say("rule_broken", rule=o.rule, words=o.words, count=number(o.count)) for o in broken]


def headlines(facts: Facts, say: Words) -> Chart:
    """List the headline counts of each year, as published in brackets."""
    rows: list[Sequence[str | int | float]] = [
        [say(key), *(_headline(one, *told) for one in facts.years)] for key, told in _HEADLINES.items()
    ]
    head = [say("measure"), *(str(one.year) for one in facts.years)]
    return Chart("headlines", f"{say('headlines')}: {say('headlines_note')}", "", head, rows)


def _headline(one: YearFacts, view: str, measure: str) -> str:
    result = one.wales(measure)
    printed = f" ({number(result.cell.value)})" if result and result.cell.value is not None else ""
    return f"{number(one.this.views[view].height)}{printed}"


def outcomes(facts: Facts, say: Words) -> Chart:
    """Say how the rules ended, each year for itself."""
    kinds = ("passed", "found", "not applicable", "crashed")
    rows: list[Sequence[str | int | float]] = [
        [one.year, *(one.validation.counts()[kind] for kind in kinds)] for one in facts.years
    ]
    head = [say("year"), *(say(f"outcome_{kind.replace(' ', '_')}") for kind in kinds)]
    return Chart("outcomes", say("rules_title"), say("rules_alt"), head, rows, None, say("rules_note"))


def findings(facts: Facts, say: Words) -> Chart:
    """List what was found, by rule."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in facts.years:
        for found in one.validation.found():
            counts[found.rule, found.severity, found.words] += found.count
    rows: list[Sequence[str | int | float]] = [
        [rule, severity, words, count] for (rule, severity, words), count in sorted(counts.items())
    ]
    head = [say("rule"), say("severity"), say("words"), say("count")]
    return Chart("findings", say("findings"), say("findings_alt"), head, rows or [[say("none"), "", "", 0]])
