"""Named random streams: a draw depends on who it is for and why, never on how many draws came before.

Every uniform number is a hash of (seed, purpose) and of the identities handed in, so the same child gets
the same draw whichever authorities, years or workers a run is made of.
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
def _moment(number: int) -> NDArray[np.uint64]:
    """Return what a moment that is the same for all is combined with words by."""
    return _constant(number * int(_ODD))


@dataclass(frozen=True, slots=True)
class Stream:
    """The draws of one purpose."""

    key: NDArray[np.uint64]

    def words(self, who: ArrayLike, *when: ArrayLike) -> NDArray[np.uint64]:
        """Return one 64-bit word for each identity in `who`, combined with the whole numbers in `when`."""
        x = _as_words(who) * _GOLDEN
        x += self.key
        x = _mix(x)
        for moment in when:
            x += _GOLDEN
            if isinstance(moment, int):
                x ^= _moment(moment)
            else:
                further = _as_words(moment) * _ODD
                # Moments may be more than identities: one of each for every combination.
                x = x ^ further
            x = _mix(x)
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
