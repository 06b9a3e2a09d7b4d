"""The registry: code that checks, tied to the row of the guidance that says what it checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from synth.errors import GuidanceError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from synth.guidance import Guidance, Statement
    from synth.tables import Tables

    Check = Callable[[Tables, Guidance], pl.Series]
    Breaker = Callable[[Tables, Guidance, NDArray[np.int64], np.random.Generator], dict[str, pl.DataFrame]]

__all__ = ["Logic", "NotHere", "Rule", "check_registry", "rule", "rules_for"]

_MODULES = (
    "episodes",
    "order",
    "places",
    "adoption",
    "leavers",
    "census",
    "plans",
    "agreement",
)
"""Modules of this package whose import fills the register; one for each part of the returns."""

_register: dict[tuple[str, str], Logic] = {}


@dataclass(slots=True)
class Logic:
    """The code of one rule: what it looks at, how it finds wrong rows, and how good rows are made wrong.

    A check returns a Boolean series aligned with the rows of `form`, true where wrong; null counts as "cannot
    say". A breaker gets row numbers of `form` and returns new text frames by form; it changes as many of
    those rows as it can and no other child, and may leave out rows on which the rule has no hold. `entails`
    names the other rules that may fire on what it broke.
    """

    id: str
    form: str
    needs: tuple[str, ...]
    check: Check
    break_rows: Breaker | None = None
    entails: tuple[str, ...] = ()

    def breaker(self, entails: tuple[str, ...] = ()) -> Callable[[Breaker], Breaker]:
        """Attach the function that makes good rows violate this rule."""

        def attach(function: Breaker) -> Breaker:
            self.break_rows = function
            self.entails = entails
            return function

        return attach


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it holds in one year: the words of the guidance and the code that checks them."""

    id: str
    form: str
    fields: tuple[str, ...]
    words: str
    severity: str
    reference: str
    basis: str
    check: Check
    needs: tuple[str, ...] = ()
    break_rows: Breaker | None = None
    entails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotHere:
    """A rule that cannot speak about this year, and why; reported so that silence never looks like a pass."""

    id: str
    words: str
    why: str
    severity: str = "error"
    fields: tuple[str, ...] = field(default=())


def rule(id_: str, *, form: str, needs: tuple[str, ...] = ()) -> Callable[[Check], Logic]:
    """Register a check under the id of its statement; it speaks about rows of `form`, and reads `needs`."""

    def enter(check: Check) -> Logic:
        if (id_, form) in _register:
            raise GuidanceError(f"rule {id_} is written twice for the {form} form; one check a form is enough.")
        logic = Logic(id_, form, needs, check)
        _register[id_, form] = logic
        return logic

    return enter


def return_of(id_: str) -> str:
    """Return the return a rule id belongs to: CLA059 is cla, CRCS-024 is crcs."""
    return "crcs" if id_.startswith("CRCS") else "cla"


def rules_for(g: Guidance) -> tuple[tuple[Rule, ...], tuple[NotHere, ...]]:
    """Return the rules that hold in a year, in order of id, and those that cannot be checked, with why.

    Raises GuidanceError when a rule in force speaks of a field that is no item of the year.
    """
    from synth.rules.from_items import item_rules  # noqa: PLC0415  it imports this module
    from synth.rules.from_limits import limit_rules  # noqa: PLC0415

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
        NotHere(id_, s.text, "stated in the guidance, not checked by this program", s.severity, s.fields)
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
        for g in _years(return_):
            written = {logic.id for logic in _written(g)}
            stated |= set(g.statements)
            rules_for(g)
        lost = sorted(written - stated)
        if lost:
            raise GuidanceError(f"statements.csv has no row in any year for {', '.join(lost)}, which code checks.")


def _years(return_: str) -> Iterator[Guidance]:
    """Every year the guidance knows, found by asking outward from 2017 until it refuses."""
    from synth.guidance import load  # noqa: PLC0415  loading reads files

    year = 2017
    while True:
        try:
            yield load(return_, year)
        except InputError:
            return
        year += 1


def _written(g: Guidance) -> list[Logic]:
    for module in _MODULES:
        import_module(f"synth.rules.{module}")
    return [logic for logic in _register.values() if return_of(logic.id) == g.return_]


def _bind(logic: Logic, statement: Statement, g: Guidance) -> Rule:
    names = {item.name for form in g.forms for item in g.items(form)}
    fields = expand(statement.fields, [item.name for item in g.items(logic.form)] if logic.form in g.forms else [])
    strange = [name for name in fields if name not in names and name.isupper()]
    if strange:
        raise GuidanceError(
            f"statements.csv, rule {logic.id}: field {strange[0]!r} is no item of {g.return_} in {g.year}."
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
    )


def expand(fields: tuple[str, ...], names: list[str]) -> tuple[str, ...]:
    """Spell out fields written with a star, such as CPR_*, in the order of the form."""
    spelt: list[str] = []
    for name in fields:
        matches = [n for n in names if n.startswith(name[:-1])] if name.endswith("*") else [name]
        spelt += [n for n in matches if n not in spelt]
    return tuple(spelt)
