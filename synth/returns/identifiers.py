"""Identifiers that belong to nobody: local child identifiers and unique pupil numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth.dates import Days, birthday
from synth.lives.draw import within
from synth.lives.homes import order_of, world_of
from synth.lives.people import queued

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.lives.streams import Streams

__all__ = ["PREFIX", "brought_along", "first_school_day", "in_signs", "local_ids", "pupil_numbers"]

PREFIX = "SYN"
"""Every local identifier starts with these letters: no authority's system numbers children so."""

_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", np.uint8)
"""Crockford's 32 signs: no I, L, O or U to misread."""
_SIGNS, _BITS = 7, 35
_SERIAL_BITS, _LOW_WORLDS, _ORDER_AT, _HIGH_WORLDS_AT = 17, 7, 20, 22
"""What an identifier is a number of, from the lowest bit: the child's serial, three bits of its world, its authority
(from bit 20), the world's other bits (the lowest of them at 25)."""
_LAST_SERIAL, _BROUGHT_A_YEAR = 999_999, 997
_CHECK_LETTERS = np.frombuffer(b"ABCDEFGHJKLMNPQRTUVWXYZ", np.uint8)
"""Check letters of a pupil number in order of the remainder, without I, O and S (UPN standard 2.0)."""


def local_ids(streams: Streams, home: NDArray[np.int64], serial: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return ten-character identifiers, unique in Wales, and in all worlds, and never re-used.

    `home` names the authority and its world (see `homes`), `serial` is the child's number there. Raises ValueError past
    131,072 children of one authority.
    """
    if len(serial) and serial.max() >> _SERIAL_BITS:
        raise ValueError(f"local identifiers are exhausted: an authority has {1 << _SERIAL_BITS} of them")
    low, high = world_of(home) & _LOW_WORLDS, world_of(home) & ~_LOW_WORLDS
    packed = serial | low << _SERIAL_BITS | order_of(home) << _ORDER_AT | high << _HIGH_WORLDS_AT
    number = packed.astype(np.uint64)
    mask = np.uint64((1 << _BITS) - 1)
    keys = streams("local identifiers").words(np.arange(3)) | np.uint64(1)
    number = (number + streams("local identifiers").words(3)) & mask
    # A product with an odd number and a shifted exclusive-or can each be undone, so no two children collide.
    for key in keys:
        number = (number * key) & mask
        number ^= number >> np.uint64(17)
    return in_signs(PREFIX, number, _SIGNS)


def in_signs(prefix: str, number: NDArray[np.uint64], count: int) -> NDArray[np.str_]:
    """Return numbers written with a prefix and the last `count` signs of the alphabet, five bits a sign."""
    signs = [(number >> np.uint64(5 * place)) & np.uint64(31) for place in reversed(range(count))]
    letters = [np.full(len(number), ord(letter), np.uint8) for letter in prefix]
    return _text([*letters, *(_ALPHABET[sign.astype(np.int64)] for sign in signs)])


def brought_along(family: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return serials for the pupil numbers of children whose care passes from one authority to another.

    They are the same in both, unique in the authority a number comes from, and far above the serials of the children
    counted there.
    """
    year, place = queued(family)
    return _LAST_SERIAL - year % 100 * _BROUGHT_A_YEAR - place


def first_school_day(
    streams: Streams,
    name: NDArray[np.uint64],
    birth: Days,
    unaccompanied: NDArray[np.bool_],
    known: Days,
    leaves: int,
) -> Days:
    """Return the day a child is given a pupil number: between the third and the fifth birthday, at nursery or school.

    Unaccompanied children get one on arrival (`known`) if still of school age, under `leaves` years; older ones
    never do (a day far in the future stands for never).
    """
    third, fifth = birthday(birth, 3), birthday(birth, 5) - 1
    u = streams("first school day").uniform(name)
    enrolled = within(u, third + 60, fifth)
    arrives = np.where(birthday(birth, leaves) > known, known, np.int32(10**8))
    return np.where(unaccompanied, arrives, enrolled).astype(np.int32)


def pupil_numbers(
    education_number: NDArray[np.str_], serial: NDArray[np.int64], issued_year: NDArray[np.int64]
) -> NDArray[np.str_]:
    """Return pupil numbers with a right check letter and a school number below 1000, as far as is known no school's.

    `education_number` is the authority's three-digit number, `serial` a number below a million, unique within the
    authority, `issued_year` the calendar year of issue. Raises ValueError past a million children.
    """
    if len(serial) and serial.max() >= 1_000_000:  # noqa: PLR2004
        raise ValueError("pupil numbers are exhausted: an authority has a million of them")
    scattered = (serial * 387_423 + 77_003) % 1_000_000
    school, last = scattered // 1000, scattered % 1000
    digits = [
        *_digits(education_number.astype(np.int64), 3),
        *_digits(school, 4),
        *_digits(issued_year % 100, 2),
        *_digits(last, 3),
    ]
    check = sum(weight * digit for weight, digit in enumerate(digits, start=2)) % 23
    return _text([_CHECK_LETTERS[check], *((digit + ord("0")).astype(np.uint8) for digit in digits)])


def _digits(number: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    return [number // 10**place % 10 for place in reversed(range(count))]


def _text(letters: list[NDArray[np.uint8]]) -> NDArray[np.str_]:
    """Join columns of ASCII letters into one column of text."""
    table = np.ascontiguousarray(np.stack(letters, axis=1))
    return table.view(f"S{len(letters)}").ravel().astype(f"U{len(letters)}")
