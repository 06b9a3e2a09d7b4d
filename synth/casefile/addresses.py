"""Where people live: streets of invented names, made from the postcode, and a house of one's own in them.

All who live at a postcode live in one street, whatever the year or the world; the house is that of the family, the
foster carer or the home.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth.casefile.data import rows_of, share
from synth.casefile.naming import speakers
from synth.geography.areas import areas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth.lives.streams import Streams

__all__ = ["Lines", "addresses", "host_authority", "postcode_words"]

_BORDER = -1
"""Stands for the authority of a district in England."""


class Lines(NamedTuple):
    """Addresses; columns of text of one length, all blank where there is no postcode."""

    line_1: NDArray[np.str_]
    line_2: NDArray[np.str_]
    post_town: NDArray[np.str_]
    postcode: NDArray[np.str_]

    def only(self, rows: NDArray[np.int64]) -> Lines:
        """Return some of them, in that order."""
        return Lines(*(column[rows] for column in self))

    @classmethod
    def joined(cls, parts: Sequence[Lines]) -> Lines:
        """Return several groups, one after another."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    @classmethod
    def where(cls, here: NDArray[np.bool_], some: Lines, others: Lines) -> Lines:
        """Return some addresses where a flag is set, others elsewhere."""
        return cls(*(np.where(here, one, other) for one, other in zip(some, others, strict=True)))


@cache
def _districts() -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.str_]]:
    """Return the postcode districts in order of text, the authority of each (by order) and the post town."""
    host = {name: order for order, names in enumerate(areas().districts) for name in names}
    rows = sorted((row["district"], row["post_town"]) for row in rows_of("post_towns.csv"))
    names = np.array([district for district, _ in rows])
    return names, np.array([host.get(name, _BORDER) for name in names]), np.array([town for _, town in rows])


def _district(postcode: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the index into `_districts` of postcodes, none of them blank."""
    outward = np.array([text.partition(" ")[0] for text in postcode.tolist()], "U4")
    return np.searchsorted(_districts()[0], outward)


def host_authority(postcode: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the place in official order of the authority that postcodes lie in, -1 for one in England."""
    return _districts()[1][_district(postcode)]


def postcode_words(postcode: NDArray[np.str_]) -> NDArray[np.uint64]:
    """Return a number for each postcode: its characters."""
    return np.ascontiguousarray(postcode.astype("S8")).view(np.uint64).astype(np.uint64)


@cache
def _words(language: str, part: str) -> NDArray[np.str_]:
    return np.array(
        [row["words"] for row in rows_of("streets.csv") if (row["language"], row["part"]) == (language, part)]
    )


def addresses(
    streams: Streams, postcode: NDArray[np.str_], who: NDArray[np.uint64], *, homes: NDArray[np.bool_] | None = None
) -> Lines:
    """Return the addresses of those at postcodes; `who` names the household, `homes` marks homes and establishments."""
    at = np.flatnonzero(postcode != "")
    blank = np.full(len(postcode), "", "U40")
    lines = Lines(blank, blank.copy(), blank.copy(), postcode)
    if not len(at):
        return lines
    there, place = np.unique(postcode[at], return_inverse=True)
    word, district = postcode_words(there), _district(there)
    host = _districts()[1][district]
    spoken = np.where(host == _BORDER, 0.0, speakers(np.maximum(host, 0)))
    street, welsh = _streets(streams, word, np.where(host == _BORDER, 0.0, 1.0), spoken)
    lowest = 1 + np.floor(streams("people: street number").uniform(word) * share("lowest_number_to")).astype(np.int64)

    who = who[at]
    along = np.floor(streams("people: house").uniform(who) * share("houses_of_postcode"))
    number = lowest[place] + 2 * along.astype(np.int64)
    numbered = np.char.add(np.char.add(number.astype("U3"), " "), street[place])
    kind = streams("people: kind of home").uniform(who)
    named = 1 - kind < share("named_house") * (1 + share("named_house_more_of_speakers") * spoken[place])
    home = np.zeros(len(at), bool) if homes is None else homes[at]
    flat = (kind < share("flat")) & ~home
    u = streams("people: door").uniform(who)
    door = np.char.add("Flat ", (1 + np.floor(u * share("doors_of_flats"))).astype(np.int64).astype("U2"))
    house = np.where(
        welsh[place],
        np.where(home, _pick(_words("welsh", "home"), u), _pick(_words("welsh", "house"), u)),
        np.where(home, _pick(_words("english", "home"), u), _pick(_words("english", "house"), u)),
    )
    two = flat | named | home
    lines.line_1[at] = np.where(flat, door, np.where(two, house, numbered))
    lines.line_2[at] = np.where(flat | home, numbered, np.where(two, street[place], ""))
    lines.post_town[at] = _districts()[2][district][place]
    return lines


def _pick(words: NDArray[np.str_], u: NDArray[np.float64]) -> NDArray[np.str_]:
    return words[np.floor(u * len(words)).astype(np.int64)]


def _streets(
    streams: Streams, word: NDArray[np.uint64], in_wales: NDArray[np.float64], spoken: NDArray[np.float64]
) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """Return the street of each postcode and whether its name is Welsh: never in England."""
    likely = in_wales * (share("welsh_street") + share("welsh_street_more") * spoken)
    welsh = streams("people: street in Welsh").uniform(word) < likely
    first, last = (streams(f"people: {part} word of street").uniform(word) for part in ("first", "last"))
    both = [
        np.char.add(np.char.add(_pick(_words(language, "first"), first), " "), _pick(_words(language, "last"), last))
        for language in ("welsh", "english")
    ]
    return np.where(welsh, *both), welsh
