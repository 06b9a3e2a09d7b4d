"""Postcodes that are well formed and lie where the codes say, made from numbers, not from any address list.

A postcode is a number written with a district and an inward part. Homes use sectors 0 to 4, placements 5 to 9, so a
placement is never at a family's own postcode by chance; two different addresses of one area never share one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.geography.areas import areas, neighbour_table
from synth.lives.admission import begins
from synth.lives.homes import order_of
from synth.lives.placements import ADOPTION, KINDS, LOCATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from synth.lives.streams import Streams

__all__ = ["home_postcodes", "placement_postcodes", "short_break_postcodes", "small_areas"]

_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
"""Letters an inward part may use: C, I, K, M, O and V never occur there."""
_PAIRS = len(_LETTERS) ** 2
_SECTORS = 5
_PER_DISTRICT = _SECTORS * _PAIRS
_STEP = 10_007
"""A prime larger than any authority's number of small areas: by steps of so many every one of them is reached."""
_LETTER = np.zeros(128, np.int64)
_LETTER[[ord(letter) for letter in _LETTERS]] = np.arange(len(_LETTERS))
"""Letters numbered, to spread postcodes over small areas."""
_FEWEST = 10
"""Addresses of a kind in an area, at the least: stays that are a tenth of them apart are then at different ones."""
_OUTSIDE, _BEYOND = LOCATIONS.index("outside_in_wales"), LOCATIONS.index("outside_wales")


def home_postcodes(streams: Streams, order: NDArray[np.int64], family: NDArray[np.uint64]) -> NDArray[np.str_]:
    """Return one postcode for each family, in its authority's own districts (`order` is 0 to 21)."""
    words = streams("home postcode").words(family)
    return _written(words, order, areas().districts, 0)


def placement_postcodes(
    streams: Streams,
    levels: NDArray[np.int64],
    per_100: Mapping[str, float],
    near_share: float,
    order: NDArray[np.int64],
    kind: NDArray[np.int64],
    location: NDArray[np.int64],
    slot: NDArray[np.float64],
    key: NDArray[np.uint64],
    start: NDArray[np.int32],
) -> NDArray[np.str_]:
    """Return the postcode of each stay, in the area its location implies.

    `levels` gives each authority's looked-after level (shape (22,)) that `per_100` addresses of each kind are counted
    by; `slot` picks the address, `key` and `start` the area for stays outside the home authority.
    """
    host = _hosts(streams, near_share, order, key, start)
    host = np.where(location == _OUTSIDE, host, order)
    names = (*KINDS, "adoption")
    counts = np.array([[max(_FEWEST, round(per_100[name] * level / 100)) for name in names] for level in levels])
    offsets = np.cumsum(counts, axis=1) - counts
    kind = np.minimum(kind, ADOPTION)
    number = offsets[host, kind] + np.floor(slot * counts[host, kind]).astype(np.int64)
    # Outside Wales the pools of all home authorities with the same districts would mix: shift each by its own.
    shift = np.where(location == _BEYOND, order * 37, 0)
    districts = [*areas().districts, *areas().english]
    area = np.where(location == _BEYOND, len(areas().districts) + order, host)
    return _spread(number + shift, area, districts)


def small_areas(postcodes: NDArray[np.str_]) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Return the distinct Welsh postcodes, in order, and for each a 2011 LSOA of the right authority."""
    geography, rising = areas(), np.sort(postcodes, kind="stable")
    distinct = rising[begins(rising)]
    districts = sorted((name, n, k) for n, names in enumerate(geography.districts) for k, name in enumerate(names))
    names, place, rank = (np.array(column) for column in zip(*districts, strict=True))
    # Postcodes of a district stand together: behind it comes a blank, and the sign after the blank is no part of any.
    first, last = (np.searchsorted(distinct, np.char.add(names, sign)) for sign in " !")
    size = last - first
    which = np.repeat(np.arange(len(names)), size)
    rows = np.arange(len(which)) - np.repeat(np.cumsum(size) - size - first, size)
    found = np.ascontiguousarray(distinct[rows])
    signs = found.view(np.uint32).reshape(len(found), found.itemsize // 4)
    sector, one, other = (
        signs[np.arange(len(found)), np.char.str_len(names)[which] + place_of_sign] for place_of_sign in (1, 2, 3)
    )
    inward = (sector - ord("0")).astype(np.int64) * _PAIRS + _LETTER[one] * len(_LETTERS) + _LETTER[other]
    count = np.array([len(codes) for codes in geography.small_areas])
    begin = np.cumsum(count) - count
    every = np.array([code for codes in geography.small_areas for code in codes])
    home = place[which]
    return found, every[begin[home] + (inward * _STEP + rank[which] * 13) % count[home]]


def _hosts(
    streams: Streams,
    near_share: float,
    order: NDArray[np.int64],
    key: NDArray[np.uint64],
    start: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Choose another Welsh authority for stays outside the home authority: mostly a neighbour."""
    table, count = neighbour_table()
    u = streams("host authority").uniform(key, start)
    v = streams("which host").uniform(key, start)
    near_by = table[order, np.floor(v * count[order]).astype(np.int64)]
    anywhere = (order + 1 + np.floor(v * (len(table) - 1)).astype(np.int64)) % len(table)
    return np.where(u < near_share, near_by, anywhere)


def _written(
    words: NDArray[np.uint64],
    area: NDArray[np.int64],
    districts: Sequence[tuple[str, ...]],
    first_sector: int,
) -> NDArray[np.str_]:
    sizes = np.array([len(names) * _PER_DISTRICT for names in districts], np.uint64)
    return _text((words % sizes[area]).astype(np.int64), area, districts, first_sector)


def _spread(
    number: NDArray[np.int64], area: NDArray[np.int64], districts: Sequence[tuple[str, ...]]
) -> NDArray[np.str_]:
    """Write numbered addresses of an area, scattered over its districts without two falling on one postcode."""
    sizes = np.array([len(names) * _PER_DISTRICT for names in districts])
    size = sizes[area]
    # Sizes are 2^a 5^b times a number of districts below 30: a larger prime is coprime to all of them.
    return _text((number % size * 104_729 + 4_099) % size, area, districts, _SECTORS)


def _text(
    number: NDArray[np.int64],
    area: NDArray[np.int64],
    districts: Sequence[tuple[str, ...]],
    first_sector: int,
) -> NDArray[np.str_]:
    flat = np.array([name for names in districts for name in names])
    begin = np.concatenate(([0], np.cumsum([len(names) for names in districts])))[:-1]
    inward = np.array(
        [f" {sector + first_sector}{a}{b}" for sector in range(_SECTORS) for a in _LETTERS for b in _LETTERS]
    )
    return np.char.add(flat[begin[area] + number // _PER_DISTRICT], inward[number % _PER_DISTRICT])


def short_break_postcodes(
    streams: Streams, home: NDArray[np.int64], name: NDArray[np.uint64], placement: NDArray[np.str_]
) -> NDArray[np.str_]:
    """Return where short breaks are taken: a carer of one's own, or one of a few homes of the authority."""
    own = np.isin(placement, ["F2", "F3"])
    words = streams("short break address").words(
        np.where(own, name, (home * 64).astype(np.uint64) + name % np.uint64(3))
    )
    return _written(words, order_of(home), areas().districts, _SECTORS)
