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


_GOLDEN = _constant(0x9E3779B97F4A7C15)
_ODD = _constant(0xD1B54A32D192ED03)
_FIRST_SHIFT, _FIRST_FACTOR = _constant(30), _constant(0xBF58476D1CE4E5B9)
_SECOND_SHIFT, _SECOND_FACTOR = _constant(27), _constant(0x94D049BB133111EB)
_LAST_SHIFT = _constant(31)
_SPARE_BITS = _constant(12)
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
    found = np.array([key], _WORD)
    for moment in moments:
        found = _mix((found + _GOLDEN) ^ _constant(int(moment) * int(_ODD)))
    return _constant(int(found[0]))


@dataclass(frozen=True, slots=True)
class Stream:
    """The draws of one purpose."""

    key: NDArray[np.uint64]

    def words(self, who: ArrayLike, *when: ArrayLike) -> NDArray[np.uint64]:
        """Return one 64-bit word for each identity in `who`, combined with the whole numbers in `when`.

        What the same purpose is drawn at is the same for all each time, one number, or each one's own, an array: a
        number and an array of that number give other words.
        """
        same = tuple([moment for moment in when if isinstance(moment, _WHOLE)])
        x = _as_words(who) * _GOLDEN
        if not x.size and len(same) == len(when):
            # Nobody: many a draw is for the few of a year who are on some way, and in a small place there may be none.
            return x
        x += _at(self.key.item(), same) if same else self.key
        x = _mix(x)
        if len(same) < len(when):
            for moment in when:
                if not isinstance(moment, _WHOLE):
                    x += _GOLDEN
                    # Moments may be more than identities: one of each for every combination.
                    x = _mix(x ^ (_as_words(moment) * _ODD))
        return x

    def uniform(self, who: ArrayLike, *when: ArrayLike) -> Uniform:
        """Return uniforms in the open interval (0, 1), one for each identity."""
        # 52 bits and a half: the largest value is still representable below one.
        words = self.words(who, *when)
        words >>= _SPARE_BITS
        found = np.add(words, 0.5, dtype=np.float64)
        found *= 2.0**-52
        return found


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams of one seed. Worlds share them: who is drawn for is named by world too."""

    seed: int

    def __call__(self, purpose: str) -> Stream:
        """Return the stream named `purpose`; the same name gives the same stream."""
        return _stream(self.seed, purpose)


@cache
def _stream(seed: int, purpose: str) -> Stream:
    digest = hashlib.blake2b(f"{seed}/0/{purpose}".encode(), digest_size=8).digest()
    return Stream(_constant(int.from_bytes(digest, "little")))
