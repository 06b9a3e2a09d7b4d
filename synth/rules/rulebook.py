"""The rule book of a year: every rule that holds, from code, from items and from limits, and what is not checked."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from synth.errors import GuidanceError
from synth.guidance import load, years

# Importing these modules enters their checks; one for each part of the returns.
from synth.rules import (  # noqa: F401
    adoption,
    agreement,
    care_and_census,
    census,
    census_codes,
    census_last_year,
    census_needs,
    census_totals,
    children,
    episodes,
    last_year,
    leavers,
    order,
    places,
    plans,
    stays,
    transfers,
    whole_census,
    whole_files,
)
from synth.rules.from_items import item_rules
from synth.rules.from_limits import limit_rules
from synth.rules.registry import Logic, NotHere, Rule, registered, return_of

if TYPE_CHECKING:
    from synth.guidance import Guidance, Statement

__all__ = ["check_registry", "expand", "rules_for"]


@cache
def rules_for(g: Guidance) -> tuple[tuple[Rule, ...], tuple[NotHere, ...]]:
    """Return the rules that hold in a year, in order of id, and those that cannot be checked, with why.

    Raises GuidanceError when a rule in force speaks of a field that is no item of the year.
    """
    logics = _written(g)
    rules = [_bind(logic, g.statements[logic.id], g) for logic in logics if logic.id in g.statements]
    rules += [*item_rules(g), *limit_rules(g)]
    seen: set[tuple[str, str]] = set()
    for made in rules:
        if (made.id, made.form) in seen:
            raise GuidanceError(f"rule {made.id} of {g.return_} {g.year} is made twice for the {made.form} form.")
        seen.add((made.id, made.form))
    checked = {id_ for id_, _ in seen}
    absent = [
        NotHere(id_, s.text, s.unchecked or "stated in the guidance, not checked by this program", s.severity, s.fields)
        for id_, s in g.statements.items()
        if id_ not in checked
    ]
    elsewhere = {logic.id for logic in logics if logic.id not in g.statements}
    absent += [NotHere(id_, "", f"holds in other years, not in {g.year}") for id_ in elsewhere]
    return tuple(sorted(rules, key=lambda r: (r.id, r.form))), tuple(sorted(absent, key=lambda r: r.id))


def check_registry() -> None:
    """Prove that every rule in code has a statement and speaks of items; raises GuidanceError."""
    for return_ in ("cla", "crcs"):
        stated: set[str] = set()
        written: set[str] = set()
        for year in years():
            g = load(return_, year)
            written = {logic.id for logic in _written(g)}
            stated |= set(g.statements)
            rules_for(g)
        lost = sorted(written - stated)
        if lost:
            raise GuidanceError(f"statements.csv has no row in any year for {', '.join(lost)}, which code checks.")


def _written(g: Guidance) -> list[Logic]:
    return [logic for logic in registered() if return_of(logic.id) == g.return_]


def _bind(logic: Logic, statement: Statement, g: Guidance) -> Rule:
    names = {item.name for form in g.forms for item in g.items(form)}
    fields = expand(statement.fields, [item.name for item in g.items(logic.form)] if logic.form in g.forms else [])
    strange = [name for name in fields if name not in names and name.isupper()]
    if strange:
        raise GuidanceError(
            f"statements.csv, rule {logic.id}: field {', '.join(strange)} is no item of {g.return_} in {g.year}."
        )
    return Rule(
        logic.id,
        logic.form,
        fields,
        statement.text,
        statement.severity,
        statement.reference,
        statement.basis,
        logic.check,
        logic.needs,
        logic.break_rows,
        logic.entails,
        logic.per,
        logic.shows,
    )


def expand(fields: tuple[str, ...], names: list[str]) -> tuple[str, ...]:
    """Spell out fields written with a star, such as CPR_*, in the order of the form."""
    spelt: list[str] = []
    for name in fields:
        matches = [n for n in names if n.startswith(name[:-1])] if name.endswith("*") else [name]
        spelt += [n for n in matches if n not in spelt]
    return tuple(spelt)
