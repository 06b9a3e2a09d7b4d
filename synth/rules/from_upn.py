"""Rules that follow from a pupil number: its length, its parts and the check letter it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from synth.rules.common import put
from synth.rules.item_part import Part, asks, name_of
from synth.rules.pupil_number import LETTERS, UPN, UPN_LENGTH, lettered, upn_letter, with_letter
from synth.rules.stated import STATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from synth.guidance import Guidance, Item
    from synth.tables import Tables

__all__ = ["upn_parts"]


def upn_parts(form: str, item: Item, g: Guidance) -> Iterator[Part]:
    """Yield the checks of a pupil number, or of the code that stands for a missing one."""
    upn = pl.col(item.name)
    reasons = sorted(g.values(item.code_set)) if item.code_set else []
    shaped = upn.str.contains(UPN)
    divided = (form, item.name, "length") in STATED
    if divided:
        yield from _upn_by_parts(form, item, g, reasons)
    else:
        words = (
            f"{name_of(item)} must be a letter, 11 digits and a digit or letter, or {' or '.join(reasons) or 'blank'}"
        )
        wrong = asks(form, ~(shaped | upn.is_in(reasons)))
        yield Part(form, item, "upn", words, wrong, _shorter(form, item), asks(form, shaped))

    def another_letter(t: Tables, rows: list[int], _rng: np.random.Generator) -> dict[str, pl.DataFrame]:
        text = t.text(form)[item.name]
        turned = {r: LETTERS[(LETTERS.index(text[r][0]) + 1) % len(LETTERS)] + text[r][1:] for r in rows}
        return put(t, form, {item.name: turned})

    yield Part(
        form,
        item,
        "letter",
        f"{name_of(item)} must begin with the check letter of its other characters",
        asks(form, upn.str.slice(0, 1) != upn_letter(lettered(upn) if divided else upn)),
        another_letter,
        asks(form, shaped),
    )


def _shorter(form: str, item: Item) -> Callable[..., dict[str, pl.DataFrame]]:
    """Make a breaker that takes the last character away."""

    def shorten(t: Tables, rows: list[int], _rng: np.random.Generator) -> dict[str, pl.DataFrame]:
        text = t.text(form)[item.name]
        return put(t, form, {item.name: {r: text[r][:-1] for r in rows}})

    return shorten


def _upn_by_parts(form: str, item: Item, g: Guidance, reasons: list[str]) -> Iterator[Part]:
    """Yield what is said of each part of a pupil number: one fault is told once, by the part it is in."""
    upn, label = pl.col(item.name), name_of(item)
    whole = upn.str.len_chars() == UPN_LENGTH
    shaped = asks(form, upn.str.contains(UPN))
    words = f"{label} must have {UPN_LENGTH} characters, or be one of {', '.join(reasons)}"
    yield Part(form, item, "length", words, asks(form, ~(whole | upn.is_in(reasons))), _shorter(form, item), shaped)

    def change(place: int, text: str) -> Callable[..., dict[str, pl.DataFrame]]:
        """Make a breaker that writes over some characters, with the check letter that then is right, if there is."""

        def write(t: Tables, rows: list[int], _rng: np.random.Generator) -> dict[str, pl.DataFrame]:
            held = t.text(form)[item.name]
            over = pl.Series("upn", [held[r][:place] + text + held[r][place + len(text) :] for r in rows], pl.String)
            right = pl.DataFrame(over).select(pl.coalesce(with_letter(pl.col("upn")), "upn")).to_series()
            return put(t, form, {item.name: dict(zip(rows, right.to_list(), strict=True))})

        return write

    known, bad_end = sorted(g.values("education_authority")), ~upn.str.contains(rf"[0-9{LETTERS}]$")
    for kind, says, bad, spoil in (
        (
            "authority",
            "name an education authority in characters 2 to 4",
            ~upn.str.slice(1, 3).is_in(known),
            change(1, "000"),
        ),
        ("digits", "have digits in places 5 to 12", ~upn.str.slice(4, 8).str.contains(r"^[0-9]{8}$"), change(7, "X")),
        ("last", "end in a digit, or a letter other than I, O and S", bad_end, change(UPN_LENGTH - 1, "O")),
    ):
        yield Part(form, item, kind, f"{label} must {says}", asks(form, whole & bad), spoil, shaped)
