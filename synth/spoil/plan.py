"""How many mistakes of which kind: from rates, kinds and rules asked for to numbers that can be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from synth.errors import InputError, nearest
from synth.rules.registry import return_of
from synth.spoil.cells import CELL_KINDS
from synth.spoil.records import RECORD_KINDS
from synth.spoil.whole import FILE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from synth.rules.registry import Rule

__all__ = ["DEFAULT_KINDS", "DEFAULT_RATE", "KINDS", "Wanted", "plan"]

KINDS = {kind.name: kind.words for kind in (*CELL_KINDS, *RECORD_KINDS, *FILE_KINDS)}
"""Kinds of mistake people make, and what they are."""
DEFAULT_KINDS = tuple(kind.name for kind in (*CELL_KINDS, *RECORD_KINDS))
DEFAULT_RATE = 0.02
_HALF = 2
_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Mistakes to be made: how many by kind, and how many through the breaker of each rule (id and form)."""

    kinds: Mapping[str, int]
    rules: Mapping[tuple[str, str], int]


def plan(
    rates: Sequence[str], kinds: Iterable[str], rules: Iterable[str], book: Sequence[Rule], children: int,
    rng: np.random.Generator,
) -> Wanted:  # fmt: skip
    """Return how many mistakes of each kind are wanted among so many children.

    A rate is a share of the children: `0.02` of all kinds together, `gap=0.001` of one kind or rule. Without kinds
    and rules half the mistakes are those people make, half break rules drawn from `book`; rules are named by id, form
    or return, or "all". Raises InputError for a name nobody knows or a rate outside 0 to 1.
    """
    whole, single = _rates(rates)
    chosen = _rules([*rules, *(name for name in single if name not in KINDS)], book)
    by_name = _kinds([*kinds, *(name for name in single if name in KINDS)])
    free_rules = [r for r in chosen if r.id not in single]
    free_kinds = [name for name in by_name if name not in single]
    if not by_name and not chosen:
        free_rules, free_kinds = [r for r in book if r.per == "row"], list(DEFAULT_KINDS)
    total = round(whole * children) if free_rules or free_kinds else 0
    if total == 0 and whole > 0 and (free_rules or free_kinds):
        total = 1
    through = total if not free_kinds else total // _HALF if free_rules else 0
    wanted_rules = _spread(through, [(r.id, r.form) for r in free_rules], rng)
    wanted_kinds = _spread(total - through, free_kinds, rng)
    for name, rate in single.items():
        number = max(1, round(rate * children)) if rate > 0 else 0
        if name in KINDS:
            wanted_kinds[name] = number
        else:
            wanted_rules |= dict.fromkeys(((r.id, r.form) for r in chosen if r.id == name), number)
    return Wanted(
        {name: 1 if name in {k.name for k in FILE_KINDS} else n for name, n in wanted_kinds.items() if n},
        {key: n for key, n in wanted_rules.items() if n},
    )


def _spread(total: int, names: Sequence[_K], rng: np.random.Generator) -> dict[_K, int]:
    """Return total spread evenly over names; what is left over goes to some drawn by chance."""
    if not names:
        return {}
    each, rest = divmod(total, len(names))
    more = set(rng.permutation(len(names))[:rest].tolist())
    return {name: each + (n in more) for n, name in enumerate(names)}


def _rates(rates: Sequence[str]) -> tuple[float, dict[str, float]]:
    whole, single = DEFAULT_RATE, {}
    for given in rates:
        name, _, number = given.rpartition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1:
            raise InputError(
                f"--rate {given}: found {number!r}; expected a share of children between 0 and 1, such as 0.02, or "
                "kind=0.01."
            )
        if name:
            single[name] = rate
        else:
            whole = rate
    return whole, single


def _kinds(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        if name == "all":
            found += [kind for kind in KINDS if kind not in found]
        elif name in KINDS:
            found += [name] if name not in found else []
        else:
            raise InputError(
                f"{name!r} is no kind of mistake{nearest(name, KINDS)} `synth spoil --list` shows them all."
            )
    return found


def _rules(names: Iterable[str], book: Sequence[Rule]) -> list[Rule]:
    found: list[Rule] = []
    for name in names:
        more = [r for r in book if r.per == "row" and name in ("all", r.form, return_of(r.id))]
        more = more or [r for r in book if r.id == name]
        if not more:
            raise InputError(
                f"{name}: no rule that can be broken in these files has that id, and no kind of mistake that name"
                f"{nearest(name, {*KINDS, *(r.id for r in book)})} `synth rules` lists the rules; those "
                "that compare with last year need --last-year."
            )
        found += [r for r in more if r not in found]
    return found
