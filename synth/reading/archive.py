"""A workbook's archive looked through before its reader is let at it: sizes, members, XML, and how far cells reach."""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

from synth.reading.kinds import UnreadableError
from synth.reading.strings import letters_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Book", "check_archive"]

MAX_TOTAL = 200_000_000
"""Bytes all members together may unpack to; a workbook of all of Wales has a fifth of it."""
MAX_RATIO = 200
"""How often smaller a member of more than 1 MB may be packed; spreadsheets reach 10 to 30."""
MAX_DIRECTORY = 1_000_000
"""Bytes of the list of members."""
MAX_ELEMENTS = 3_000_000
"""XML elements of the whole book, two or three a filled cell: the census of all of Wales has half as many."""
MAX_TEXT = 1_000_000
"""Bytes without any new element; a cell holds 32,767 letters at most."""
MAX_CELLS = 4_000_000
"""Cells of the rectangles the sheets' filled cells span: their reader takes room for all of a sheet."""
MAX_LETTERS = 200_000_000
"""Letters of all cells together: a text that is written once may stand in a million cells."""

_LARGE = 1_000_000
_PIECE = 1 << 18
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
_AGAIN = "Open it in the spreadsheet program and save it once more as .xlsx."
_OTHERS = (
    ("word/document.xml", "a text document (DOCX)"),
    ("ppt/presentation.xml", "a presentation (PPTX)"),
)


@dataclass(slots=True)
class Book:
    """What was seen in passing: `errors` cells that hold an error such as #N/A.

    `cells` are those all sheets span, `shared` those with a text that is written once, `lengths` the letters of these
    texts. `sheets` are the sheets by what the book calls them, `parts` the members that are so called.
    """

    errors: int = 0
    elements: int = 0
    cells: int = 0
    shared: int = 0
    lengths: list[int] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)


class _Bounded:
    """A file whose every single read is bounded: the list of members is read in one go, however long it claims."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(MAX_DIRECTORY + 1 if size < 0 else min(size, MAX_DIRECTORY + 1))
        if len(content) > MAX_DIRECTORY:
            raise zipfile.BadZipFile(f"its list of members has more than {MAX_DIRECTORY:,} bytes")
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


def check_archive(path: Path, shown: str) -> Book:
    """Look through the archive of a .xlsx workbook without ever holding more than a piece of it.

    Raises UnreadableError (an InputError) for an archive that is damaged, encrypted or no .xlsx workbook, for one
    with macros, for members that unpack to too much or to other sizes than they declare, for XML with a
    document type or entities, for sheets whose cells reach too far or stand in the book more than once, and for
    more text in its cells than a return has.
    """
    try:
        with path.open("rb") as stream:
            bounded = _Bounded(stream)
            with zipfile.ZipFile(bounded) as archive:
                members = archive.infolist()
            _check_names(members, shown)
            _check_declared(members, shown)
            book = Book()
            for member in members:
                _check_member(stream, member, book, shown)
            _check_sheets(book, shown)
            _check_letters(stream, members, book, shown)
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
    ) as problem:
        raise UnreadableError(f"{shown}: the workbook is damaged or cut short ({problem}). {_AGAIN}") from problem
    return book


def _check_names(members: list[zipfile.ZipInfo], shown: str) -> None:
    names = [member.filename.replace("\\", "/").lower() for member in members]
    if any(name.endswith("vbaproject.bin") for name in names):
        raise UnreadableError(
            f"{shown}: the workbook holds macros, which are not read. Save it as .xlsx without macros."
        )
    for name, what in _OTHERS:
        if name in names:
            raise UnreadableError(
                f"{shown}: is {what}, no workbook. Expected a form of the return as CSV, XLSX or Parquet."
            )
    if "xl/workbook.bin" in names:
        raise UnreadableError(f"{shown}: is a binary workbook (.xlsb). Save it as .xlsx.")
    if "mimetype" in names:
        raise UnreadableError(f"{shown}: is an OpenDocument file. Save it as .xlsx.")
    if "xl/workbook.xml" not in names:
        held = ", ".join(sorted(names)[:3]) or "nothing"
        raise UnreadableError(
            f"{shown}: is a ZIP archive but no .xlsx workbook (it holds {held}). "
            f"Unpack it, or save the workbook as .xlsx."
        )
    repeated = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if repeated:
        raise UnreadableError(f"{shown}: the workbook is damaged: {repeated!r} is in it more than once. {_AGAIN}")


def _check_declared(members: list[zipfile.ZipInfo], shown: str) -> None:
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL:
        raise UnreadableError(_too_much(shown, f"would unpack to {total / 1e6:,.0f} MB"))
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise UnreadableError(f"{shown}: is protected by a password. Save it as .xlsx without a password.")
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UnreadableError(f"{shown}: is packed in a way spreadsheet programs do not use. {_AGAIN}")
        if member.file_size > max(_LARGE, MAX_RATIO * member.compress_size):
            times = member.file_size // max(member.compress_size, 1)
            raise UnreadableError(
                _too_much(shown, f"holds {member.filename!r}, packed {times:,} times smaller than it is")
            )


def _too_much(shown: str, what: str) -> str:
    return (
        f"{shown}: {what}; refused, as no return looks like this and reading it could fill the memory. "
        f"If it is a return, save it as CSV UTF-8."
    )


def _check_member(stream: IO[bytes], member: zipfile.ZipInfo, book: Book, shown: str) -> None:
    """Unpack a member in pieces: its size and check sum must be as declared, its XML harmless."""
    size, check, sheet = 0, 0, None
    for piece in _pieces(stream, member):
        if size == 0 and piece.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<":
            sheet = _Xml(member.filename, book, shown)
        size += len(piece)
        check = zlib.crc32(piece, check)
        if size > member.file_size:
            raise UnreadableError(_too_much(shown, f"holds {member.filename!r}, which is larger than it declares"))
        if sheet is not None:
            sheet.feed(piece, final=False)
    if size != member.file_size or check != member.CRC:
        raise zipfile.BadZipFile(f"{member.filename!r} is not as long or not of the check sum it declares")
    if sheet is not None:
        sheet.feed(b"", final=True)


def _check_sheets(book: Book, shown: str) -> None:
    """Refuse sheets that are the same member: each would be read again."""
    found = [book.parts[name] for name in book.sheets if name in book.parts]
    if len(found) > len(set(found)):
        twice = next(part for part in found if found.count(part) > 1)
        raise UnreadableError(
            f"{shown}: the workbook is damaged: {len(found):,} sheets, and {twice!r} is more than one of them. {_AGAIN}"
        )


def _check_letters(stream: IO[bytes], members: list[zipfile.ZipInfo], book: Book, shown: str) -> None:
    """Refuse too much text; what it comes to is counted only where it could be so much."""
    if max(book.lengths, default=0) * book.shared <= MAX_LETTERS:
        return
    letters = 0
    for member in members:
        if "sheet" in member.filename.lower() and member.filename.lower().endswith(".xml"):
            letters += letters_of(_pieces(stream, member), book.lengths, MAX_LETTERS)
        if letters > MAX_LETTERS:
            raise UnreadableError(_too_much(shown, f"holds more than {MAX_LETTERS:,} letters in its cells"))


def _pieces(stream: IO[bytes], member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Give the unpacked bytes of a member. Works on the raw bytes, as zipfile would stop at the declared size."""
    stream.seek(member.header_offset)
    header = stream.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"{member.filename!r} is not where the list of members says")
    name, extra = struct.unpack("<HH", header[26:30])
    stream.seek(member.header_offset + _LOCAL_HEADER + name + extra)
    left = member.compress_size
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)
    while left:
        packed = stream.read(min(left, _PIECE))
        if not packed:
            raise EOFError(f"{member.filename!r} is cut short")
        left -= len(packed)
        if member.compress_type == zipfile.ZIP_STORED:
            yield packed
            continue
        while packed:
            if piece := unpack.decompress(packed, _PIECE):
                yield piece
            packed = unpack.unconsumed_tail
    while member.compress_type == zipfile.ZIP_DEFLATED and (piece := unpack.decompress(b"", _PIECE)):
        yield piece


class _Xml:
    """Passes over one XML member: no document type, no endless text, and how far a sheet's cells reach.

    What a sheet holds is asked of the XML parser, not of a search for letters: only it reads the content as the
    workbook's reader will.
    """

    def __init__(self, name: str, book: Book, shown: str) -> None:
        self._name = name
        self._book = book
        self._shown = shown
        self._elements = 0
        self._text = 0
        self._cells = 0
        self._row = self._column = self._last_row = self._last_column = 0
        self._pending = False
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._doctype
        self._parser.StartElementHandler = self._root

    def feed(self, piece: bytes, *, final: bool) -> None:
        before = self._elements
        try:
            self._parser.Parse(piece, final)
        except expat.ExpatError as problem:
            raise zipfile.BadZipFile(f"{self._name!r} is no XML: {problem}") from problem
        self._book.elements += self._elements - before
        self._text = self._text + len(piece) if self._elements == before else 0
        if self._book.elements > MAX_ELEMENTS:
            raise UnreadableError(_too_much(self._shown, f"holds more than {MAX_ELEMENTS:,} XML elements"))
        if self._text > MAX_TEXT:
            raise UnreadableError(_too_much(self._shown, f"holds a single text of more than {MAX_TEXT:,} bytes"))
        cells = self._last_row * self._last_column
        self._book.cells += cells - self._cells
        self._cells = cells
        if self._book.cells > max(cells, MAX_CELLS):
            raise UnreadableError(_too_much(self._shown, f"has sheets of more than {MAX_CELLS:,} cells together"))
        if cells > MAX_CELLS:
            raise UnreadableError(
                f"{self._shown}: in {self._name!r} the filled cells reach row {self._last_row:,} and column "
                f"{self._last_column:,}; at most {MAX_CELLS:,} cells are read. Delete what stands far below or "
                f"beside the form, or save it as CSV UTF-8."
            )

    def _doctype(self, *_: object) -> None:
        raise UnreadableError(
            f"{self._shown}: {self._name!r} declares a document type or entities, which no spreadsheet program writes; "
            f"refused. {_AGAIN}"
        )

    def _root(self, name: str, _: dict[str, str]) -> None:
        self._elements += 1
        begins = {"worksheet": self._cell, "sst": self._string, "workbook": self._sheet, "Relationships": self._part}
        self._parser.StartElementHandler = begins.get(name.rpartition(":")[2], self._other)
        if self._parser.StartElementHandler == self._string:
            self._parser.buffer_text = True
            self._parser.CharacterDataHandler = self._letters

    def _other(self, _: str, __: dict[str, str]) -> None:
        self._elements += 1

    def _string(self, name: str, _: dict[str, str]) -> None:
        self._elements += 1
        if name.rpartition(":")[2] == "si":
            self._book.lengths.append(0)

    def _letters(self, data: str) -> None:
        if self._book.lengths:
            self._book.lengths[-1] += len(data)

    def _sheet(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if name.rpartition(":")[2] == "sheet":
            self._book.sheets += [value for key, value in attributes.items() if key.endswith(":id")]

    def _part(self, _: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._name.lower().endswith("workbook.xml.rels"):
            place = posixpath.normpath(attributes.get("Target", "").lower()).removeprefix("/")
            self._book.parts[attributes.get("Id", "")] = place.removeprefix("xl/")

    def _cell(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        local = name if name in {"c", "v"} else name.rpartition(":")[2]
        if local == "c":
            if place := attributes.get("r"):
                letters = place.rstrip("0123456789")
                self._column, self._row = _column(letters), int(place[len(letters) :])
            else:
                self._column += 1
            self._pending = True
            kind = attributes.get("t")
            if kind == "s":
                self._book.shared += 1
            elif kind == "e":
                self._book.errors += 1
        elif self._pending and local in {"v", "is"}:
            # Only cells with a value take room; programs also write empty ones for their colour.
            self._pending = False
            # Compared by hand: this runs for every cell, and a call of max takes longer than all the rest.
            if self._row > self._last_row:  # noqa: PLR1730
                self._last_row = self._row
            if self._column > self._last_column:  # noqa: PLR1730
                self._last_column = self._column
        elif local == "row":
            number = attributes.get("r")
            self._row = int(number) if number else self._row + 1
            self._column = 0


@cache
def _column(letters: str) -> int:
    """Return the number of the column named by letters, from 1; ValueError where it is no column."""
    if not 1 <= len(letters) <= 3 or not letters.isascii() or not letters.isalpha():  # noqa: PLR2004  the last is XFD
        raise ValueError(f"a cell is placed in column {letters[:20]!r}")
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number
