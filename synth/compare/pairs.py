"""A form of two folders made comparable: the same items, rows of as many children, dates of one collection year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from synth.compare.metadata import KEY, UNTOLD
from synth.guidance import RETURNS, load
from synth.tables import LA, child_column, tables_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from synth.guidance.rows import Item
    from synth.reading import Found
    from synth.tables import FormTable

__all__ = ["PARENT", "Pair", "banded", "pairs", "sampled"]

PARENT = "child"
"""The form of CLA that has each child once; the other forms of the return refer to it."""

_WHEN = {"YEAR_CODE": "says of which year the file is", "DATE_OF_DATA_COLLECTION": "says when the file was collected"}
_FEWEST = 10
"""Rows an item must be filled on, on either side: scores of fewer tell of single children, or of nothing but chance."""
_BANDS = 10
"""Bands a date or number is put into: tenths of A's rows, as far as its values allow."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One form of A and of B: columns KEY and those of `items`, codes as written, dates and numbers typed.

    `rows` are those of the whole files. `left_out` says of items why they are not compared.
    """

    return_: str
    form: str
    a: pl.DataFrame
    b: pl.DataFrame
    rows: tuple[int, int]
    items: tuple[Item, ...]
    left_out: Mapping[str, str]


def pairs(a: Found, b: Found, forms: Collection[str] = ()) -> Iterator[Pair]:
    """Give the forms that both hold, those of `forms` only where it names any, in the order of the guidance.

    Dates of B are moved by whole years so that both collection years end on one 31 March: what differs is then the
    children, not the calendar.
    """
    mine, theirs = (tables_of(found.forms, load("cla", found.year)) for found in (a, b))
    for return_ in RETURNS:
        g = mine.guidance(return_)
        for form in g.forms:
            if form in mine and form in theirs and (not forms or form in forms):
                # The child form says where a child belongs, once.
                below = return_ == "cla" and form != PARENT and PARENT in mine and PARENT in theirs
                below = below and (not forms or PARENT in forms)
                yield _pair(return_, g.items(form), mine[form], theirs[form], b.year - a.year, below=below)


def sampled(pair: Pair, children: int, chosen: tuple[pl.Series, pl.Series] | None = None) -> Pair:
    """Return the pair with the rows of at most so many children of each side, 0 for all.

    Children are taken at even distances in the order of their keys, or those in `chosen` (keys of A and of B).
    """
    if not children:
        return pair
    keys = chosen or (_spread(pair.a[KEY], children), _spread(pair.b[KEY], children))
    a, b = (frame.filter(pl.col(KEY).is_in(key.implode())) for frame, key in zip((pair.a, pair.b), keys, strict=True))
    return Pair(pair.return_, pair.form, a, b, pair.rows, pair.items, pair.left_out)


def banded(pair: Pair) -> Pair:
    """Return the pair with dates and numbers put into bands of which A has a tenth of its rows each."""
    a, b = pair.a, pair.b
    for name in (item.name for item in pair.items if item.type in {"date", "integer"}):
        edges = a[name].drop_nulls().sort()
        cuts = edges.gather([edges.len() * n // _BANDS for n in range(1, _BANDS)]).unique().sort()
        a, b = (frame.with_columns(_in_bands(frame[name], cuts)) for frame in (a, b))
    return Pair(pair.return_, pair.form, a, b, pair.rows, pair.items, pair.left_out)


def _pair(return_: str, items: tuple[Item, ...], a: FormTable, b: FormTable, years: int, *, below: bool) -> Pair:
    frames = _columns(a, 0), _columns(b, -years)
    left_out: dict[str, str] = {}
    kept: list[Item] = []
    for item in items:
        why = _why_not(item, a, b, frames, below=below)
        if why:
            left_out[item.name] = why
        else:
            kept.append(item)
    here = {item.name for item in items}
    left_out |= {name: "no item of A's year" for name in b.text.columns if name not in here}
    names = [KEY, *(item.name for item in kept)]
    one, other = (frame.select(names) for frame in frames)
    return Pair(return_, a.form, one, other, (a.height, b.height), tuple(kept), left_out)


def _columns(table: FormTable, years: int) -> pl.DataFrame:
    key = pl.concat_str(pl.col(LA, child_column(table.form)).cast(pl.String).fill_null(""), separator="/").alias(KEY)
    typed = table.typed.select(pl.col(*table.kinds))
    moved = typed.with_columns(pl.col(pl.Date).dt.offset_by(f"{years}y")) if years else typed
    return table.text.select(key, pl.exclude(*table.kinds).cast(pl.String)).hstack(moved)


def _why_not(item: Item, a: FormTable, b: FormTable, frames: tuple[pl.DataFrame, pl.DataFrame], *, below: bool) -> str:
    """Return why an item is not compared; nothing where it is."""
    name = item.name
    if why := UNTOLD.get(item.type) or _WHEN.get(name):
        return why
    if name == LA and below:
        return f"stands on the form {PARENT}"
    lacking = [side for side, table in (("A", a), ("B", b)) if name in table.missing or name not in table.text.columns]
    return f"no column in {' and '.join(lacking)}" if lacking else _too_little(*(frame[name] for frame in frames))


def _too_little(a: pl.Series, b: pl.Series) -> str:
    filled = {side: column.len() - column.null_count() for side, column in (("A", a), ("B", b))}
    if blank := [side for side, rows in filled.items() if not rows]:
        return f"blank on every row of {' and '.join(blank)}"
    if few := [side for side, rows in filled.items() if rows < _FEWEST]:
        return f"filled on fewer than {_FEWEST} rows of {' and '.join(few)}"
    return "the same on every row of both" if pl.concat([a, b]).n_unique() == 1 else ""


def _spread(keys: pl.Series, children: int) -> pl.Series:
    every = keys.unique().sort()
    if every.len() <= children:
        return every
    return every.gather([every.len() * n // children for n in range(children)])


def _in_bands(column: pl.Series, cuts: pl.Series) -> pl.Series:
    number = cuts.search_sorted(column, side="right").cast(pl.String)
    return pl.select(pl.when(column.is_not_null()).then(number)).to_series().alias(column.name)
