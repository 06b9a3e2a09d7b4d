"""Named random streams: a draw depends on who it is for and why, never on how many draws came before.

Every uniform number is a hash of (seed, purpose) and of the identities handed in, so the same child gets
the same draw whichever authorities, years or workers a run is made of. What is the same for all who draw, mostly the
year, is part of the why: it is mixed once, not for each of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Stream", "Streams", "Uniform"]

Uniform = NDArray[np.float64]

_WORD = np.dtype(np.uint64)
_ALL_BITS = (1 << 64) - 1


def _constant(number: int) -> NDArray[np.uint64]:
    """Return a whole number as an array of no axis: most draws are for a few children, and numpy takes it soonest."""
    found = np.array(number & _ALL_BITS, _WORD)
    found.flags.writeable = False
    return found


_STEP, _FACTOR = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
_GOLDEN, _ODD = _constant(_STEP), _constant(_FACTOR)
_SHIFTS, _FACTORS = (30, 27, 31), (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_FIRST_SHIFT, _SECOND_SHIFT, _LAST_SHIFT = map(_constant, _SHIFTS)
_FIRST_FACTOR, _SECOND_FACTOR = map(_constant, _FACTORS)
_SPARE_BITS = _constant(12)
_HALF, _UNIT = np.array(0.5), np.array(2.0**-52)
_WHOLE = (int, np.integer)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finaliser of SplitMix64, in place: every input bit reaches every output bit."""
    shifted = np.right_shift(x, _FIRST_SHIFT)
    np.bitwise_xor(x, shifted, x)
    np.multiply(x, _FIRST_FACTOR, x)
    np.right_shift(x, _SECOND_SHIFT, shifted)
    np.bitwise_xor(x, shifted, x)
    np.multiply(x, _SECOND_FACTOR, x)
    np.right_shift(x, _LAST_SHIFT, shifted)
    return np.bitwise_xor(x, shifted, x)


def _as_words(values: ArrayLike) -> NDArray[np.uint64]:
    array = np.asarray(values)
    if not array.ndim:
        array = array.reshape(1)
    return array if array.dtype is _WORD else array.astype(np.int64, copy=False).view(np.uint64)


@cache
def _at(key: int, moments: tuple[int, ...]) -> NDArray[np.uint64]:
    """Return the key of the stream with this key at some moments."""
    for moment in moments:
        key = ((key + _STEP) ^ (int(moment) * _FACTOR)) & _ALL_BITS
        # As `_mix` does, for one number: arrays take several times as long.
        for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
            key = (key ^ key >> shift) * factor & _ALL_BITS
        key ^= key >> _SHIFTS[-1]
    return _constant(key)


@dataclass(frozen=True, slots=True)
class Stream:
    """The draws of one purpose."""

    key: NDArray[np.uint64]

    def words(self, who: ArrayLike, *when: ArrayLike) -> NDArray[np.uint64]:
        """Return one 64-bit word for each identity in `who`, combined with the whole numbers in `when`.

        What the same purpose is drawn at is the same for all each time, one number, or each one's own, an array: a
        number and an array of that number give other words.
        """
        x = _as_words(who) * _GOLDEN
        if not when:
            x += self.key
            return _mix(x) if x.size else x
        same = tuple([moment for moment in when if isinstance(moment, _WHOLE)])
        if not x.size and len(same) == len(when):
            # Nobody: many a draw is for the few of a year who are on some way, and in a small place there may be none.
            return x
        x += _at(self.key.item(), same) if same else self.key
        x = _mix(x)
        return x if len(same) == len(when) else _at_each(x, when)

    def uniform(self, who: ArrayLike, *when: ArrayLike) -> Uniform:
        """Return uniforms in the open interval (0, 1), one for each identity."""
        return _between(self.words(who, *when))


def _at_each(x: NDArray[np.uint64], when: tuple[ArrayLike, ...]) -> NDArray[np.uint64]:
    """Mix into words what is each one's own of the moments."""
    for moment in when:
        if not isinstance(moment, _WHOLE):
            x += _GOLDEN
            # Moments may be more than identities: one of each for every combination.
            x = _mix(x ^ (_as_words(moment) * _ODD))
    return x


def _between(words: NDArray[np.uint64]) -> Uniform:
    """Turn words, in place, into numbers between 0 and 1."""
    # 52 bits and a half: the largest value is still representable below one.
    words >>= _SPARE_BITS
    found = words.astype(np.float64)
    found += _HALF
    found *= _UNIT
    return found


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams of one seed. Worlds share them: who is drawn for is named by world too."""

    seed: int

    def __call__(self, purpose: str) -> Stream:
        """Return the stream named `purpose`; the same name gives the same stream."""
        return _stream(self.seed, purpose)

    def each(self, purposes: tuple[str, ...], who: ArrayLike, *when: ArrayLike) -> Uniform:
        """Return a row of uniforms for each of some purposes, as its own stream gives them: quicker for a few."""
        return _between(self.words(purposes, who, *when))

    def words(self, purposes: tuple[str, ...], who: ArrayLike, *when: ArrayLike) -> NDArray[np.uint64]:
        """Return a row of words for each of some purposes, as its own stream gives them."""
        same = tuple([moment for moment in when if isinstance(moment, _WHOLE)])
        return _at_each(_mix(_as_words(who) * _GOLDEN + _keys(self.seed, purposes, same)), when)


@cache
def _stream(seed: int, purpose: str) -> Stream:
    digest = hashlib.blake2b(f"{seed}/0/{purpose}".encode(), digest_size=8).digest()
    return Stream(_constant(int.from_bytes(digest, "little")))


@cache
def _keys(seed: int, purposes: tuple[str, ...], moments: tuple[int, ...]) -> NDArray[np.uint64]:
    """Return the keys of some streams at some moments, one a row."""
    keys = [_at(_stream(seed, purpose).key.item(), moments) for purpose in purposes]
    return np.array(keys, _WORD)[:, None]
