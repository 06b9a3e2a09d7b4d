"""Two folders read, paired form by form and scored return by return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.compare.metadata import KEY
from synth.compare.pairs import PARENT, pairs, sampled
from synth.compare.scores import ASSOCIATION, Comparison, check_installed, score
from synth.errors import InputError, nearest
from synth.guidance import RETURNS
from synth.reading import read_any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from synth.compare.pairs import Pair
    from synth.compare.scores import ReturnScores

__all__ = ["SAMPLE", "compare"]

SAMPLE = 50_000
"""Children of a return that are compared at most, unless told otherwise; all Wales in a year are fewer."""


def compare(
    a: Path,
    b: Path,
    *,
    forms: Collection[str] = (),
    sample: int = SAMPLE,
    association: float = ASSOCIATION,
) -> Comparison:
    """Compare folder (or file) B with A: two seeds, years or releases, or a return against a synthetic one.

    `forms` names the forms to compare, all that both hold without it; `sample` is the most children of a return (0:
    all), `association` that of a pair of columns in A from which on it counts (0: every pair). Raises InputError where
    SDMetrics is missing, a side cannot be read, or no form is in both with an item to compare.
    """
    version = check_installed()
    one, other = read_any([a]), read_any([b])
    _check_forms(forms, one.forms, other.forms)
    notes = [f"{side}: {note}" for side, found in (("A", one), ("B", other)) for note in found.notes]
    for side, here, there in (("A", one, other), ("B", other, one)):
        only = [form for form in here.forms if form not in there.forms]
        if only and not forms:
            notes.append(f"Only {side} holds {', '.join(only)}.")
    if one.year != other.year:
        notes.append(f"Dates of B are moved by {one.year - other.year:+} years, to the collection year of A.")
    together = list(pairs(one, other, forms))
    notes += [f"{pair.form}: nothing to compare, {_reasons(pair)}." for pair in together if not pair.items]
    returns = tuple(
        _scored(return_, mine, sample, association)
        for return_ in RETURNS
        if (mine := [pair for pair in together if pair.return_ == return_ and pair.items])
    )
    if not returns:
        raise InputError(
            f"{a} holds {', '.join(one.forms)}, {b} holds {', '.join(other.forms)}: no form is in both with rows and "
            "items to compare. Name two folders of the same return."
        )
    return Comparison(str(a), str(b), (one.year, other.year), returns, sample, association, version, tuple(notes))


def _scored(return_: str, mine: Sequence[Pair], sample: int, association: float) -> ReturnScores:
    children = next((sampled(pair, sample) for pair in mine if pair.form == PARENT), None)
    chosen = None if children is None else (children.a[KEY], children.b[KEY])
    return score(return_, [sampled(pair, sample, chosen) for pair in mine], association)


def _check_forms(forms: Collection[str], a: Collection[str], b: Collection[str]) -> None:
    for form in forms:
        for side, held in (("A", a), ("B", b)):
            if form not in held:
                raise InputError(
                    f"--form {form}: {side} holds no such form{nearest(form, held)} It holds {', '.join(held)}."
                )


def _reasons(pair: Pair) -> str:
    return ", ".join(f"{name}: {why}" for name, why in pair.left_out.items())
