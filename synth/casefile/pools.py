"""Names in lists with weights, and draws from them: many people at once, each from a list of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from synth.casefile.data import rows_of
from synth.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.streams import Uniform

__all__ = ["ERAS", "LISTS", "eras", "family_names", "given_names", "plain"]

LISTS = tuple(dict.fromkeys(row["pool"] for row in chain(rows_of("names.csv"), rows_of("names_faker.csv"))))
"""Names of the lists; people's lists are given as indices into it."""
ERAS = tuple(row["era"] for row in rows_of("eras.csv"))
"""Times that lists of given names are of, earliest first; a list without them serves them all."""
_BORN = np.array([float(row["born"]) for row in rows_of("eras.csv")])
_SEXES = 3
"""Codes of sex end before: 1 male, 2 female."""
_WIDTH = 24


@dataclass(frozen=True, slots=True)
class _List:
    """Names and the cumulated weights up to each, the last being 1."""

    names: NDArray[np.str_]
    cumulated: NDArray[np.float64]

    def at(self, u: Uniform) -> NDArray[np.str_]:
        """Return a name for each uniform number."""
        return self.names[np.minimum(np.searchsorted(self.cumulated, u, side="right"), len(self.names) - 1)]


def plain(text: str) -> bool:
    """Say whether text is safe in a cell: it begins with a letter or digit, without commas, quotes or line ends."""
    return text[:1].isalnum() and not any(sign in text for sign in ',"\n\r\t;=+@')


@cache
def _lists() -> dict[tuple[str, ...], _List]:
    """Return the lists by name, part (given or family), sex and era."""
    found: dict[tuple[str, ...], list[tuple[str, float]]] = {}
    for row in chain(rows_of("names.csv"), rows_of("names_faker.csv")):
        name = row["name"]
        if not plain(name) or len(name) > _WIDTH:
            raise InputError(f"names.csv or names_faker.csv: {name!r} is no name that can stand in a cell; correct it.")
        found.setdefault((row["pool"], row["part"], row["sex"], row["era"]), []).append((name, float(row["weight"])))
    return {where: _of(entries) for where, entries in found.items()}


def _of(entries: list[tuple[str, float]]) -> _List:
    weights = np.array([weight for _, weight in entries])
    return _List(np.array([name for name, _ in entries], f"U{_WIDTH}"), np.cumsum(weights) / weights.sum())


def eras(year: NDArray[np.int32], u: Uniform) -> NDArray[np.int64]:
    """Return the index into ERAS of the list a person born in a calendar year is named from.

    Between the years that lists are of, the later one becomes more and more likely.
    """
    along = np.interp(year, _BORN, np.arange(len(_BORN)))
    return np.floor(along + u).astype(np.int64).clip(0, len(ERAS) - 1)


def given_names(
    lists: NDArray[np.int64], sex: NDArray[np.int64], era: NDArray[np.int64], u: Uniform
) -> NDArray[np.str_]:
    """Return a given name for each uniform number, from a list (index into LISTS) of a sex (1, 2) and an era."""
    code = (lists * _SEXES + sex) * len(ERAS) + era
    return _drawn("given", code, u)


def family_names(lists: NDArray[np.int64], u: Uniform) -> NDArray[np.str_]:
    """Return a family name for each uniform number, from a list (index into LISTS)."""
    return _drawn("family", lists * _SEXES * len(ERAS), u)


def _drawn(part: str, code: NDArray[np.int64], u: Uniform) -> NDArray[np.str_]:
    found = np.full(len(code), "", f"U{_WIDTH}")
    for each in np.unique(code).tolist():
        rest, era = divmod(each, len(ERAS))
        name, sex = divmod(rest, _SEXES)
        rows = np.flatnonzero(code == each)
        found[rows] = _list(LISTS[name], part, str(sex) if part == "given" else "", ERAS[era]).at(u[rows])
    return found


@cache
def _list(name: str, part: str, sex: str, era: str) -> _List:
    lists = _lists()
    where = (name, part, sex)
    return lists[*where, era] if (*where, era) in lists else lists[*where, ""]
