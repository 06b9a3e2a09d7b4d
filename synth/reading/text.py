"""Text files as bytes in UTF-8: their encoding, their first lines, and one bounded pass over the rest."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.errors import InputError
from synth.reading.kinds import UnreadableError, literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MAX_LINE", "Scan", "Text", "open_text", "scan"]

MAX_LINE = 1_000_000
"""Bytes a line may have: a row of the census has some 300."""
_CHUNK = 1 << 20

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# Control characters that no table holds; the tab, line ends, form feed and the old end of file (26) may occur.
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26})
_REMEDY = "Save it as CSV UTF-8."


@dataclass(frozen=True, slots=True)
class Text:
    """A text file: `source` is the path where its bytes can be read as they stand, else all of it as UTF-8.

    `head` is its beginning, whole lines only unless it is the whole file, at most 1 MB, without a byte order
    mark. `encoding` is utf-8, utf-16-le, utf-16-be or windows-1252.
    """

    shown: str
    source: Path | bytes
    head: str
    encoding: str

    def bytes(self) -> bytes:
        """Return the whole file as UTF-8, without a byte order mark."""
        content = self.source if isinstance(self.source, bytes) else self.source.read_bytes()
        return content.removeprefix(codecs.BOM_UTF8)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a pass over the lines below the headings counted.

    `lines` counts line feeds and an unfinished last line, `delimiters` those inside quotes too, `quotes` every quote;
    `wrong_byte` is the line of the first byte that is not UTF-8, None where all is.
    """

    lines: int
    delimiters: int
    quotes: int
    wrong_byte: int | None


def open_text(path: Path, shown: str) -> Text:
    """Look at the beginning of a text file and find its encoding; `shown` names it in messages.

    UTF-16 needs its byte order mark. What is not UTF-8 is taken for Windows-1252. Raises UnreadableError (an
    InputError) for NUL bytes and other control characters, for a line of more than 1 MB, and for a file that
    cannot be read.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(MAX_LINE + 1)
    except OSError as problem:
        raise UnreadableError(f"{shown}: cannot be read ({problem.strerror or problem}).") from problem
    for mark, encoding in _UTF16.items():
        if start.startswith(mark):
            return _in_memory(path, shown, encoding)
    start = start.removeprefix(codecs.BOM_UTF8)
    _check_controls(start, shown)
    if b"\r" in start and b"\n" not in start:
        # Lines that end with carriage returns alone, as old Macintosh programs write them.
        return _in_memory(path, shown, "utf-8" if _utf8(start) else "windows-1252", returns=True)
    encoding = "utf-8" if _utf8(start) else "windows-1252"
    if len(start) > MAX_LINE - len(codecs.BOM_UTF8):
        start = _whole_lines(start, shown)
    place = literal(path)
    if encoding == "utf-8" and place is not None:
        return Text(shown, place, start.decode(), encoding)
    return _in_memory(path, shown, encoding)


def scan(text: Text, offset: int, first_line: int, delimiter: str) -> Scan:
    """Pass once over the bytes from `offset` (of the UTF-8, byte order mark included) in pieces of 1 MB.

    `first_line` is the line that begins there. Raises InputError, naming the line, for NUL bytes and for a
    line of more than 1 MB.
    """
    lines, delimiters, quotes, wrong = 0, 0, 0, None
    since_feed, last = 0, b"\n"
    decoder = codecs.getincrementaldecoder("utf-8")()
    separator = delimiter.encode()
    for chunk in _chunks(text.source, offset):
        at = chunk.find(b"\0")
        if at >= 0:
            line = first_line + lines + chunk.count(b"\n", 0, at)
            raise InputError(
                f"{text.shown}, line {line}: holds a NUL byte; expected text. The file is damaged. {_REMEDY}"
            )
        feed = chunk.find(b"\n")
        if since_feed + (len(chunk) if feed < 0 else feed) > MAX_LINE:
            raise InputError(_too_long(text.shown, first_line + lines))
        since_feed = since_feed + len(chunk) if feed < 0 else len(chunk) - chunk.rfind(b"\n") - 1
        if wrong is None and (not chunk.isascii() or decoder.getstate()[0]):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as problem:
                wrong = first_line + lines + chunk.count(b"\n", 0, max(problem.start, 0))
        lines += chunk.count(b"\n")
        delimiters += chunk.count(separator)
        quotes += chunk.count(b'"')
        last = chunk[-1:]
    if wrong is None and decoder.getstate()[0]:
        wrong = first_line + lines
    return Scan(lines + (last != b"\n"), delimiters, quotes, wrong)


def _chunks(source: Path | bytes, offset: int) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for start in range(offset, len(source), _CHUNK):
            yield source[start : start + _CHUNK]
        return
    with source.open("rb") as stream:
        stream.seek(offset)
        while chunk := stream.read(_CHUNK):
            yield chunk


def _in_memory(path: Path, shown: str, encoding: str, *, returns: bool = False) -> Text:
    """Read the whole file and turn it into UTF-8; damage is told by its place."""
    try:
        content = path.read_bytes()
        decoded = content.decode("cp1252" if encoding == "windows-1252" else encoding)
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        name = "UTF-16" if encoding.startswith("utf-16") else "UTF-8 or Windows-1252"
        raise UnreadableError(
            f"{shown}, line {line}: byte {content[problem.start]:#04x} cannot be read as {name}. {_REMEDY}"
        ) from problem
    except OSError as problem:
        raise UnreadableError(f"{shown}: cannot be read ({problem.strerror or problem}).") from problem
    del content
    decoded = decoded.removeprefix("\ufeff")
    if returns:
        decoded = decoded.replace("\r", "\n")
    source = decoded.encode()
    del decoded
    start = source[: MAX_LINE + 1]
    _check_controls(start, shown)
    if len(source) > MAX_LINE:
        start = _whole_lines(start, shown)
    return Text(shown, source, start.decode(), encoding)


def _check_controls(start: bytes, shown: str) -> None:
    if start == start.translate(None, _CONTROLS):
        return
    at = next(n for n, byte in enumerate(start) if byte in _CONTROLS)
    line = start.count(b"\n", 0, at) + 1
    what = "a NUL byte" if start[at] == 0 else f"byte {start[at]:#04x}"
    raise UnreadableError(f"{shown}, line {line}: holds {what}; it is no text or is damaged. {_REMEDY}")


def _whole_lines(start: bytes, shown: str) -> bytes:
    end = start.rfind(b"\n") + 1
    if end == 0:
        raise UnreadableError(_too_long(shown, 1))
    return start[:end]


def _too_long(shown: str, line: int) -> str:
    return (
        f"{shown}, line {line}: the line has more than {MAX_LINE:,} bytes; a row of a form has a few hundred. "
        f"Check that every row ends with a line feed."
    )


def _utf8(start: bytes) -> bool:
    """Tell whether a beginning is UTF-8; one that was cut may end within a letter."""
    whole = len(start) <= MAX_LINE - len(codecs.BOM_UTF8)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=whole)
    except UnicodeDecodeError:
        return False
    return True
