"""The registry: code that checks, tied to the row of the guidance that says what it checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from synth.errors import GuidanceError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from synth.guidance import Guidance
    from synth.tables import Tables

    Check = Callable[[Tables, Guidance], pl.Series | pl.DataFrame]
    Shows = Callable[[Tables, Guidance], pl.DataFrame]
    Breaker = Callable[[Tables, Guidance, NDArray[np.int64], np.random.Generator], dict[str, pl.DataFrame]]

__all__ = ["Condition", "Logic", "NotHere", "Rule", "registered", "return_of", "rule"]

Per = Literal["row", "authority"]
_register: dict[tuple[str, str], Logic] = {}


@dataclass(slots=True)
class Logic:
    """The code of one rule: what it looks at, how it finds wrong rows, and how good rows are made wrong.

    A check returns a Boolean series aligned with the rows of `form`, true where wrong; null counts as "cannot
    say". One that speaks of a whole file (`per` is "authority") returns a frame instead, a row for each authority
    it queries: `la` (three-digit code) and `value`, in words what was found. `needs` names other forms, last year's
    as "last:child". A breaker gets row numbers of `form` and returns new text frames by form; it changes as many of
    those rows as it can and no other child, and may leave out rows on which the rule has no hold. `entails`
    names the other rules that may fire on what it broke. `shows` returns a frame aligned with the rows of `form`, whose
    columns a finding prints under their names beside the fields of the rule.
    """

    id: str
    form: str
    needs: tuple[str, ...]
    check: Check
    break_rows: Breaker | None = None
    entails: tuple[str, ...] = ()
    per: Per = "row"
    shows: Shows | None = None

    def breaker(self, entails: tuple[str, ...] = ()) -> Callable[[Breaker], Breaker]:
        """Attach the function that makes good rows violate this rule."""

        def attach(function: Breaker) -> Breaker:
            self.break_rows = function
            self.entails = entails
            return function

        return attach


@dataclass(frozen=True, slots=True)
class Condition:
    """A check that is an expression over one frame of its form: text and typed side by side, typed, or the episodes."""

    frame: Literal["both", "typed", "episodes"]
    wrong: pl.Expr


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
    per: Per = "row"
    shows: Shows | None = None
    condition: Condition | None = None
    """The check as a condition, where it is one: many of them can be asked at once."""


@dataclass(frozen=True, slots=True)
class NotHere:
    """A rule that cannot speak about this year, and why; reported so that silence never looks like a pass."""

    id: str
    words: str
    why: str
    severity: str = "error"
    fields: tuple[str, ...] = field(default=())


def rule(
    id_: str, *, form: str, needs: tuple[str, ...] = (), per: Per = "row", shows: Shows | None = None
) -> Callable[[Check], Logic]:
    """Register a check under the id of its statement; it speaks about rows of `form`, and reads `needs`.

    With `per="authority"` it speaks about all rows of an authority together.
    """

    def enter(check: Check) -> Logic:
        if (id_, form) in _register:
            raise GuidanceError(f"rule {id_} is written twice for the {form} form; one check a form is enough.")
        logic = Logic(id_, form, needs, check, per=per, shows=shows)
        _register[id_, form] = logic
        return logic

    return enter


def return_of(id_: str) -> str:
    """Return the return a rule id belongs to: CLA059 is cla, CRCS-024 is crcs."""
    return "crcs" if id_.startswith("CRCS") else "cla"


def registered() -> tuple[Logic, ...]:
    """Return every check entered so far, in the order of entry."""
    return tuple(_register.values())
