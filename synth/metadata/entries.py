"""The rows of the data dictionary: every item and every code of a year, with where it was seen and its Welsh label."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from synth.metadata.described import described
from synth.metadata.words import welsh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth.guidance import Code, Guidance, Item

__all__ = ["CODE", "ITEM", "Entry", "entries"]

ITEM, CODE = "item", "code"


class Entry(NamedTuple):
    """One row, all text: an item of a form, or a code of a set; what does not apply is blank."""

    kind: str
    return_: str
    form: str
    code_set: str
    name: str
    label_en: str
    label_cy: str
    type: str
    required: str
    condition: str
    min_age: str
    max_age: str
    outside_age_code: str
    unique: str
    basis: str
    confidence: str
    source: str
    note: str
    welsh_basis: str
    welsh_source: str


@lru_cache(maxsize=8)
def entries(year: int, collection: str) -> tuple[Entry, ...]:
    """Return the items of all forms, form by form, and then the codes of all sets, return by return."""
    forms = described(year, collection)
    items = [_item(item) for form in forms for item in form.items]
    returns = {form.return_: form.guidance for form in forms if form.guidance is not None}
    return (*items, *(code for guidance in returns.values() for code in _codes(guidance)))


def _item(item: Item) -> Entry:
    label = welsh(item.label)
    return Entry(
        ITEM,
        item.return_,
        item.form,
        item.code_set,
        item.name,
        item.label,
        label.label,
        item.type,
        item.required,
        item.condition,
        "" if item.min_age is None else str(item.min_age),
        "" if item.max_age is None else str(item.max_age),
        item.outside_age_code,
        "yes" if item.unique else "no",
        item.basis,
        item.confidence,
        item.reference,
        item.note,
        label.basis,
        label.source,
    )


def _codes(guidance: Guidance) -> Iterator[Entry]:
    for name, codes in guidance.codes_by_set.items():
        for code in codes:
            yield _code(name, code)


def _code(code_set: str, code: Code) -> Entry:
    label = welsh(code.label)
    return Entry(
        CODE,
        code.return_,
        "",
        code_set,
        code.code,
        code.label,
        label.label,
        *("",) * 7,
        code.basis,
        code.confidence,
        code.reference,
        "",
        label.basis,
        label.source,
    )
