"""One check of one item, the piece a rule about items is made of, and the questions and breakers many share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.rules.common import answer, put, same

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import polars as pl

    from synth.guidance import Item
    from synth.tables import Tables

__all__ = ["Part", "Question", "asks", "name_of", "sets"]


@dataclass(frozen=True, slots=True)
class Part:
    """One check of one item: an expression over the text frame, or over the typed frame, true where wrong."""

    form: str
    item: Item
    kind: str
    words: str
    wrong: Callable[[Tables], pl.Series]
    spoil: Callable[[Tables, list[int], np.random.Generator], dict[str, pl.DataFrame]]
    where: Callable[[Tables], pl.Series]
    beside: tuple[str, ...] = ()
    """Other items the check looks at."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the rows of a form, to be asked of one set of tables or put together with others."""

    form: str
    expression: pl.Expr

    def __call__(self, t: Tables) -> pl.Series:
        """Return the answer for each row of the form (Boolean, false where it cannot be known)."""
        return answer(t[self.form].both, self.expression)


def asks(form: str, expression: pl.Expr) -> Question:
    """Make a question about a form: items by name as written, and as read with `read_` before it."""
    return Question(form, expression)


def sets(form: str, name: str, value: str | None) -> Callable[..., dict[str, pl.DataFrame]]:
    """Make a breaker that gives the item one value."""
    return lambda t, rows, _rng: put(t, form, {name: same(rows, value)})


def name_of(item: Item) -> str:
    """Return the label of an item followed by its name in brackets."""
    return f"{item.label} ({item.name})"
