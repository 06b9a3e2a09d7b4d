"""Rules that follow from one item: filled, in its list, a real date, well formed, unique, right for the age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.collection_year import year_code
from synth.rules.common import ENDS, age_on, answer, birthday, day_text, put, take
from synth.rules.from_upn import upn_parts
from synth.rules.item_part import Part, Question, asks, name_of, sets
from synth.rules.registry import Condition, Rule
from synth.rules.stated import STATED
from synth.tables import LA, POSTCODE, READ

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from synth.guidance import Guidance, Item
    from synth.tables import Tables

__all__ = ["item_rule_id", "item_rules"]

BIRTH_ITEMS = ("DOB", "DATE_OF_BIRTH")
CLOSED = "PLAN_CLOSED_DATE"
NOT_A_DAY = "31/02/2020"
NOT_A_POSTCODE = "NOT KNOWN"
NOT_A_CODE = "?"

KEYS = ("LOCAL_AUTHORITY_CODE", "SYSTEM_ID", "CHILD_CODE")
ENTAILED: dict[str, tuple[str, ...]] = {
    "child": ("CLA027", "CLA028", "CRCS-052", "CRCS-054"),
    "episode": ("CLA027", "CLA071", "CRCS-052", *ENDS),
    "adoption": ("CLA124", "CLA125"),
    "care_leaver": ("CLA141",),
    "crcs": ("CRCS-018", "CRCS-050", "CRCS-051", "CRCS-052", "CRCS-054", "CRCS-105"),
    "UPN": ("CLA025", "CRCS-009", "CRCS-012", "CRCS-064"),
    "PLAN_CLOSED_DATE": ("CRCS-025", "CRCS-102", "CRCS-103"),
    "REASON_EPISODE_FINISHED_CODE": ENDS,
    "EPISODE_END_DATE": ("CRCS-105",),
}
"""Other rules that may fire on what a made breaker broke, by item, and by form where the key was broken."""


def item_rules(g: Guidance) -> list[Rule]:
    """Return the rules that follow from items in force; a statement that says the same lends id and words."""
    grouped: dict[tuple[str, str], list[Part]] = {}
    for form in g.forms:
        for item in g.items(form):
            for part in _parts(form, item, g):
                id_ = item_rule_id(g, form, item, part.kind)
                grouped.setdefault((id_, form), []).append(part)
    return [_rule(id_, parts, g) for (id_, _), parts in grouped.items()]


def item_rule_id(g: Guidance, form: str, item: Item, kind: str) -> str:
    """Return the id of the rule one check of an item belongs to: of the statement that says it, or made from names."""
    stated = STATED.get((form, item.name, kind), "").split()
    return next((id_ for id_ in stated if id_ in g.statements), _made_id(g, form, item, kind))


def _made_id(g: Guidance, form: str, item: Item, kind: str) -> str:
    prefix = g.return_.upper() if form == g.return_ else f"{g.return_.upper()}-{form}"
    return f"{prefix}-{item.name}-{kind}"


def _rule(id_: str, parts: list[Part], g: Guidance) -> Rule:
    first = parts[0]

    def check(t: Tables, _: Guidance) -> pl.Series:
        wrong = first.wrong(t)
        for part in parts[1:]:
            wrong = wrong | part.wrong(t)
        return wrong

    def break_rows(
        t: Tables, _: Guidance, rows: NDArray[np.int64], rng: np.random.Generator
    ) -> dict[str, pl.DataFrame]:
        part = parts[int(rng.integers(len(parts)))]
        return part.spoil(t, take(t.text(part.form), pl.lit(part.where(t)), rows), rng)

    keys = {first.form if part.item.name in KEYS else part.item.name for part in parts}
    entails = {id_ for key in keys for id_ in ENTAILED.get(key, ())}
    stated = g.statements.get(id_)
    return Rule(
        id_,
        first.form,
        tuple(dict.fromkeys(name for part in parts for name in (part.item.name, *part.beside))),
        stated.text if stated else first.words,
        stated.severity if stated else "error",
        stated.reference if stated else first.item.reference,
        stated.basis if stated else first.item.basis,
        check,
        (),
        break_rows,
        tuple(sorted(entails)),
        condition=_condition(parts),
    )


def _condition(parts: list[Part]) -> Condition | None:
    """Return the check of a rule as one condition over its form; None where it looks at more."""
    asked = [part.wrong.expression for part in parts if isinstance(part.wrong, Question)]
    return Condition("both", pl.any_horizontal(asked)) if len(asked) == len(parts) else None


def _parts(form: str, item: Item, g: Guidance) -> Iterator[Part]:
    """Yield the checks an item calls for in this year."""
    if item.required == "always":
        yield _filled(form, item)
    if item.condition:
        yield from _conditional(form, item, g)
    if item.name == "YEAR_CODE":
        yield _year(form, item, g)
    if item.type == "code":
        yield _listed(form, item, g)
    if item.type in {"date", "integer"} and item.name != "YEAR_CODE":
        yield _readable(form, item)
    if item.type == "postcode":
        yield _postcode(form, item)
    if item.type == "upn":
        yield from upn_parts(form, item, g)
    if item.unique:
        yield _unique(form, item, g)
    if item.outside_age_code:
        yield from _aged(form, item, g)


def _present(name: str) -> pl.Expr:
    return pl.col(name).is_not_null()


def _filled(form: str, item: Item) -> Part:
    words = f"{name_of(item)} must be filled in on every row"
    blank = pl.col(item.name).is_null()
    return Part(form, item, "required", words, asks(form, blank), sets(form, item.name, None), asks(form, ~blank))


def _conditional(form: str, item: Item, g: Guidance) -> Iterator[Part]:
    """Yield both halves of a condition: filled where it holds, blank where it does not, nothing if unknown."""
    other, _, values = item.condition.partition("=")
    name, codes = item.name, values.split("|")
    if other.endswith("!"):
        other = other[:-1]
        when = f"{other} is filled in"
    else:
        when = f"{other} is {' or '.join(codes)}"

    due = pl.col(READ + other).is_in(codes) if values else _present(other)
    there = _present(name)
    yield Part(
        form,
        item,
        "filled",
        f"{name_of(item)} must be filled in where {when}",
        asks(form, due & ~there),
        sets(form, name, None),
        asks(form, due & there),
    )
    yield Part(
        form,
        item,
        "blank",
        f"{name_of(item)} must be left blank unless {when}",
        asks(form, ~due & there),
        sets(form, name, _some_value(item, g)),
        asks(form, ~due & ~there),
    )


def _some_value(item: Item, g: Guidance) -> str:
    """Return a value the item may have that no limit and no combination speaks of."""
    if item.type == "date":
        return day_text(g.last_day)
    if item.type != "code":
        return "1"
    bound = {x.code for x in g.limits if x.item == item.name} | {a.code for a in g.allowed_rows if a.item == item.name}
    codes = [c.code for c in g.codes(item.code_set)]
    return next((c for c in codes[::-1] if c not in bound), codes[-1])


def _year(form: str, item: Item, g: Guidance) -> Part:
    code = year_code(g.year)
    words = f"{name_of(item)} must be {code}, the year of the file, on every row"
    other = pl.col(item.name) != code
    return Part(
        form,
        item,
        "year",
        words,
        asks(form, other),
        sets(form, item.name, year_code(g.year - 1)),
        asks(form, ~other),
    )


def _listed(form: str, item: Item, g: Guidance) -> Part:
    codes = [c.code for c in g.codes(item.code_set)]
    most = 16
    shown = ", ".join(codes[:most]) + (f" and {len(codes) - most} more" if len(codes) > most else "")
    words = f"{name_of(item)} must be one of the codes in force: {shown}"
    read = pl.col(READ + item.name)
    wrong = _present(item.name) & read.is_null()
    spoil = sets(form, item.name, NOT_A_CODE)
    return Part(form, item, "list", words, asks(form, wrong), spoil, asks(form, read.is_not_null()))


def _readable(form: str, item: Item) -> Part:
    name = item.name
    date = item.type == "date"
    kind, shape = ("date", "a real date written dd/mm/yyyy") if date else ("number", "a whole number, 0 or more")

    read = pl.col(READ + name)
    unread = _present(name) & read.is_null()
    wrong = unread if date else unread | (read < 0).fill_null(value=False)
    return Part(
        form,
        item,
        kind,
        f"{name_of(item)} must be {shape}",
        asks(form, wrong),
        sets(form, name, NOT_A_DAY if date else NOT_A_CODE),
        asks(form, _present(name)),
    )


def _postcode(form: str, item: Item) -> Part:
    words = f"{name_of(item)} must be a full postcode in capitals, such as CF10 3NQ"
    wrong = ~pl.col(item.name).str.contains(POSTCODE)
    return Part(
        form,
        item,
        "postcode",
        words,
        asks(form, wrong),
        sets(form, item.name, NOT_A_POSTCODE),
        asks(form, _present(item.name)),
    )


def _unique(form: str, item: Item, g: Guidance) -> Part:
    """Twice the same value within one authority; codes that stand for a missing pupil number may repeat.

    A submission is one authority's: a row without a code belongs to the only authority there is, or, where no row has
    a code, to one with all others. Among several authorities it may be anyone's.
    """
    name = item.name
    reasons = sorted(g.values(item.code_set)) if item.code_set else []
    real = pl.col(name).is_not_null() & ~pl.col(name).is_in(reasons)
    la = pl.col(LA)
    whose = la.fill_null(pl.when(la.min() == la.max()).then(la.min()))
    wrong = real & (pl.len().over(whose, name) > 1) & (whose.is_not_null() | la.is_null().all())

    def twins(t: Tables, rows: list[int], _rng: np.random.Generator) -> dict[str, pl.DataFrame]:
        text = t.text(form)
        if item.type == "upn":
            las = text[LA].to_list()
            pairs: dict[int, str | None] = {}
            for la in sorted({las[r] for r in rows}):
                mates = [r for r in rows if las[r] == la]
                pairs |= {b: text[name][a] for a, b in zip(mates[::2], mates[1::2], strict=False)}
            return put(t, form, {name: pairs})
        others = [i.name for i in g.items(form) if i.unique and i.name != name]
        copies = text[rows].with_columns(pl.lit(None, dtype=pl.String).alias(o) for o in others)
        return {form: pl.concat([text, copies], how="vertical_relaxed")}

    words = f"{name_of(item)} must not stand on two rows of one authority"
    return Part(form, item, "unique", words, asks(form, wrong), twins, asks(form, real))


def _aged(form: str, item: Item, g: Guidance) -> Iterator[Part]:
    birth = next((i.name for i in g.items(form) if i.name in BIRTH_ITEMS), None)
    if birth is None:
        return
    age = age_on(birth, g.last_day)
    # A plan closed in the year may have been told of by the age the child had then.
    closed = next((pl.col(i.name) for i in g.items(form) if i.name == CLOSED), pl.lit(None, dtype=pl.Date))
    inside = then = pl.lit(value=True)
    if item.min_age is not None:
        inside, then = inside & (age >= item.min_age), then & (birthday(birth, item.min_age) <= closed)
    if item.max_age is not None:
        inside, then = inside & (age <= item.max_age), then & (birthday(birth, item.max_age + 1) > closed)
    outside_code = item.outside_age_code
    ages = " or ".join(f"{w} {n}" for w, n in (("under", item.min_age), ("over", item.max_age)) if n is not None)
    words = f"{name_of(item)} must be {outside_code} for a child {ages} on 31 March, and for no other child"

    def wrong(t: Tables) -> pl.Series:
        frame = t.typed(form)
        outside = pl.col(item.name) == outside_code
        return answer(frame, (inside == outside) & (then == outside).fill_null(value=True))

    def swap(t: Tables, rows: list[int], _rng: np.random.Generator) -> dict[str, pl.DataFrame]:
        taken = next(c.code for c in g.codes(item.code_set) if c.code != outside_code)
        within = answer(t.typed(form), inside)
        return put(t, form, {item.name: {r: outside_code if within[r] else taken for r in rows}})

    def known(t: Tables) -> pl.Series:
        sure = inside.is_not_null() & (then == inside).fill_null(value=True)
        return answer(t.typed(form), pl.col(birth).is_not_null() & pl.col(item.name).is_not_null() & sure)

    yield Part(form, item, "age", words, wrong, swap, known, (birth,))
