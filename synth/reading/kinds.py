"""What a file is, told from its first bytes: text, workbook or Parquet; anything else is refused by name."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Literal

from synth.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DATA_ENDINGS", "MAX_BYTES", "Kind", "UnreadableError", "kind_of", "literal"]

Kind = Literal["text", "workbook", "parquet"]

MAX_BYTES = 500_000_000
"""No return of all of Wales comes near this size, whatever it is saved as."""

DATA_ENDINGS = frozenset({".csv", ".tsv", ".txt", ".tab", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet"})
"""Endings under which people keep tables, in lower case."""

_HEAD = 512
_EXPECTED = "Expected a form of the return as CSV, XLSX or Parquet."
_XLSX = "Open it in the spreadsheet program and save it as .xlsx"

_REFUSED = (
    (b"\xff\xd8\xff", "a photograph (JPEG)", _EXPECTED),
    (b"\x89PNG", "a picture (PNG)", _EXPECTED),
    (b"GIF8", "a picture (GIF)", _EXPECTED),
    (b"BM", "a picture (BMP)", _EXPECTED),
    (b"II*\x00", "a picture (TIFF)", _EXPECTED),
    (b"MM\x00*", "a picture (TIFF)", _EXPECTED),
    (b"%PDF", "a PDF document", _EXPECTED),
    (b"{\\rtf", "a text document (RTF)", _EXPECTED),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a workbook protected by a password or an old .xls workbook",
        f"{_XLSX}, without a password.",
    ),
    (b"\x1f\x8b", "a compressed file (gzip)", "Unpack it first."),
    (b"(\xb5/\xfd", "a compressed file (zstd)", "Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "a compressed file (7z)", "Unpack it first."),
    (b"Rar!", "a compressed file (RAR)", "Unpack it first."),
    (b"BZh", "a compressed file (bzip2)", "Unpack it first."),
    (b"\xfd7zXZ", "a compressed file (xz)", "Unpack it first."),
    (b"\x7fELF", "a program", _EXPECTED),
    (b"SQLite format 3", "a database (SQLite)", _EXPECTED),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


class UnreadableError(InputError):
    """A file that cannot be a form at all: a picture, a damaged workbook, something that is no file."""


def kind_of(path: Path, shown: str) -> Kind:
    """Tell what a file is from what stands in it; its name has no say. `shown` names it in messages.

    Only a regular file is ever opened: a pipe would be waited for without end. Raises UnreadableError (an
    InputError) for a missing path, a folder, a pipe or device, an empty file, one of more than 500 MB, one
    that may not be read, and for every kind that is known and is no table.
    """
    size = _size(path, shown)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as problem:
        raise UnreadableError(
            f"{shown}: cannot be opened ({problem.strerror or problem}). Check who may read it."
        ) from problem
    if size == 0 or not head:
        raise UnreadableError(f"{shown}: the file is empty. {_EXPECTED} Save or export it once more.")
    if size > MAX_BYTES:
        raise UnreadableError(
            f"{shown}: the file has {size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} MB are read. "
            f"Give one file for each form or authority."
        )
    for magic, what, remedy in _REFUSED:
        # Two letters may begin a heading: a picture of that kind goes on with bytes no text has.
        if head.startswith(magic) and (len(magic) > 2 or not _texty(head)):  # noqa: PLR2004
            raise UnreadableError(f"{shown}: is {what}, no table. {remedy}")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "workbook"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        raise UnreadableError(f"{shown}: is a web page or XML, whatever its name says. {_XLSX} or as CSV UTF-8.")
    return "text"


def literal(path: Path) -> Path | None:
    """Return a path that every reader takes as it stands; None where its name has bytes that are no letters.

    A folder may be called ~, which polars would take for that of the user.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return None
    return path.absolute() if str(path).startswith("~") else path


def _size(path: Path, shown: str) -> int:
    try:
        state = path.stat()
    except FileNotFoundError as problem:
        raise UnreadableError(f"{path}: there is no such file or folder. Check the path.") from problem
    except (OSError, ValueError) as problem:
        raise UnreadableError(f"{shown}: cannot be looked at ({problem}). Check the path.") from problem
    if stat.S_ISDIR(state.st_mode):
        raise UnreadableError(f"{shown}: is a folder where a file was expected. Name the folder itself or its files.")
    if not stat.S_ISREG(state.st_mode):
        raise UnreadableError(f"{shown}: is a pipe, socket or device, no file. Save the form to a file first.")
    return state.st_size


def _texty(head: bytes) -> bool:
    return not any(byte < 9 for byte in head)  # noqa: PLR2004  9 is the tab, the first control byte of text
