"""Mistakes in whole files: a column left out, columns in another order, a file cut short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.rules.from_items import item_rule_id

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from synth.guidance import Guidance

    Random = np.random.Generator

__all__ = ["FILE_KINDS", "FileKind", "FileMistake"]

_KEYS = ("LOCAL_AUTHORITY_CODE", "SYSTEM_ID", "CHILD_CODE", "YEAR_CODE")
_KEPT = 0.9
"""Share of a file's lines that are kept at least when it is cut short."""


@dataclass(frozen=True, slots=True)
class FileMistake:
    """What went wrong with a file: its new text, where, and what stood and stands there."""

    text: str
    line: int
    field: str
    true: str
    written: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of mistake in a file's text; `make` gets text, form, guidance and chance."""

    name: str
    words: str
    make: Callable[[str, str, Guidance, Random], FileMistake | None]


def _column_missing(text: str, form: str, g: Guidance, rng: Random) -> FileMistake | None:
    rows = [line.split(",") for line in text.splitlines()]
    free = [n for n, name in enumerate(rows[0]) if name not in _KEYS]
    if not free or '"' in text:
        return None
    gone = free[int(rng.integers(len(free)))]
    name = rows[0][gone]
    item = next((i for i in g.items(form) if i.name == name), None)
    filled = item is not None and item.required == "always" and len(rows) > 1
    rules = (item_rule_id(g, form, item, "required"),) if item is not None and filled else ()
    left = "".join(",".join(row[:gone] + row[gone + 1 :]) + "\n" for row in rows)
    return FileMistake(left, 1, name, name, "", rules)


def _columns_moved(text: str, _form: str, _g: Guidance, rng: Random) -> FileMistake | None:
    rows = [line.split(",") for line in text.splitlines()]
    if '"' in text:
        return None
    order = rng.permutation(len(rows[0])).tolist()
    moved = "".join(",".join(row[n] for n in order) + "\n" for row in rows)
    return FileMistake(moved, 1, "", " ".join(rows[0]), " ".join(rows[0][n] for n in order))


def _cut_short(text: str, _form: str, _g: Guidance, rng: Random) -> FileMistake | None:
    lines = text.splitlines()
    if len(lines) < 3 or '"' in text:  # noqa: PLR2004  headings, a row that stays and one that is cut
        return None
    last = int(rng.integers(max(2, int(len(lines) * _KEPT)), len(lines)))
    cut = lines[last][: len(lines[last]) // 2]
    kept = "".join(f"{line}\n" for line in lines[:last]) + cut
    return FileMistake(kept, last + 1, "", f"{len(lines) - last} more lines", cut)


FILE_KINDS = (
    FileKind("column-missing", "a column left out of a file", _column_missing),
    FileKind("columns-moved", "the columns of a file in another order, which is no mistake in itself", _columns_moved),
    FileKind("file-cut-short", "a file that ends in the middle of a line", _cut_short),
)
"""Kinds of mistake in whole files; only made when named."""
