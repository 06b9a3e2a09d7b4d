"""Files of statistical packages, Stata and SPSS: a file a form, with labels of items and codes.

Written with pyreadstat, which takes frames of polars; it stamps the time into the header, where the census date is put
in its place, so that the same records give the same bytes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
from typing import TYPE_CHECKING, Any

import polars as pl

from synth.formats.unfit import Bounds, check_fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from synth.formats.content import Content
    from synth.guidance.rows import Code, Item

__all__ = ["number_codes", "short_names", "write_spss", "write_stata"]

_STATA_END = b"</stata_dta>"
_STATA = Bounds(earliest=dt.date(100, 1, 1), largest=2_147_483_620, listed=True)
"""Days from the year 100 and what its type long holds (help data types); a code is stored as a number."""
_SPSS = Bounds(earliest=dt.date(1582, 10, 15), largest=2**53)
"""Days from the Gregorian reform on, and numbers that a double holds exactly."""
_STATA_RELEASE = 14
"""The oldest Stata that reads the file: the first with text in UTF-8."""
_STATA_NAME = 30
"""Letters of a variable's name, of 32 allowed: sets of labels get the name of their variable and a number behind."""
_STATA_LABEL, _SPSS_TITLE, _SPSS_LABEL = 80, 64, 120
"""Characters of a label in Stata; bytes of the title of an SPSS file and of the label of a value."""
_HEADER = 512
"""Bytes at the beginning of a file among which its time stands."""
_NOTES = (
    "Every record is synthetic: made up from published statistics and stated",
    "assumptions. No row describes a real child.",
)
"""Lines of at most 80 characters."""


def number_codes(codes: Iterable[Code]) -> dict[str, int]:
    """Return a number for each code: itself where it is written as one, else the next from 1 that no code is."""
    names = [code.code for code in codes]
    own = {name: int(name) for name in names if name.isascii() and name.isdigit() and str(int(name)) == name}
    free = (number for number in range(1, 2 * len(names) + 1) if number not in own.values())
    return {name: own[name] if name in own else next(free) for name in names}


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return names of at most 30 letters, each once: the first 30, or fewer and a number where these are taken."""
    found: dict[str, str] = {}
    for name in names:
        short, number = name[:_STATA_NAME].rstrip("_"), 1
        while short in found.values():
            number += 1
            short = f"{name[: _STATA_NAME - 1 - len(str(number))]}_{number}"
        found[name] = short
    return found


@contextlib.contextmanager
def _as_disk_errors(name: str) -> Iterator[None]:
    """Have what the writer says of a full or broken disk be the OSError others raise."""
    import pyreadstat  # noqa: PLC0415  an optional extra

    try:
        yield
    except pyreadstat.ReadstatError as problem:
        if "Unable to write" not in str(problem):
            raise
        raise OSError(errno.EIO, f"{name}: {problem}; is the disk full?") from problem


def write_stata(content: Content, folder: Path) -> None:
    """Write a .dta file of Stata 14 for each form into a folder.

    Columns of codes hold numbers, as Stata labels nothing else: `number_codes`, with labels that begin with the code.
    Other text is text (blank: empty), dates are dates, and names are cut to 30 letters. Raises InputError for a date
    or number that cannot be held and a code out of its list.
    """
    import pyreadstat  # noqa: PLC0415  an optional extra

    for form, frame in check_fits(content, "stata", _STATA).items():
        items = content.items(form)
        coded = {item.name: _codes(content, form, item) for item in items if item.type == "code"}
        numbers = {name: number_codes(codes) for name, codes in coded.items()}
        names = short_names(frame.columns)
        columns = [
            *(pl.col(name).replace_strict(numbers[name], return_dtype=pl.Int32) for name in coded),
            pl.col(pl.Int64).cast(pl.Int32),
        ]
        path = folder / f"{content.name(form)}.dta"
        with _as_disk_errors(path.name):
            pyreadstat.write_dta(
                frame.with_columns(columns).rename(names),
                path,
                version=_STATA_RELEASE,
                file_label=content.title(form)[:_STATA_LABEL],
                column_labels={names[item.name]: item.label[:_STATA_LABEL] for item in items},
                variable_value_labels={
                    names[name]: {numbers[name][code.code]: f"{code.code} {code.label}" for code in codes}
                    for name, codes in coded.items()
                },
            )
        with path.open("rb") as file:
            # A full disk is not told by the writer: it leaves a file without an end.
            file.seek(max(path.stat().st_size - len(_STATA_END), 0))
            if file.read() != _STATA_END:
                raise OSError(errno.EIO, f"{path.name} was cut short; is the disk full?")
            file.seek(0)
            # A tag, the length of what follows as a byte, and 17 characters dd Mon CCYY hh:mm (help dta).
            at = file.read(_HEADER).index(b"<timestamp>\x11") + 12
        _stamp(path, at, f"31 Mar {content.year} 00:00")


def write_spss(content: Content, folder: Path) -> None:
    """Write a .sav file of SPSS for each form into a folder.

    Codes are text with labels, also those out of their list, which have none; other text is text (blank: empty), dates
    are dates. Raises InputError for a date or number that cannot be held.
    """
    import pyreadstat  # noqa: PLC0415  an optional extra

    for form, frame in check_fits(content, "spss", _SPSS).items():
        items = content.items(form)
        path = folder / f"{content.name(form)}.sav"
        labels: dict[str, dict[Any, str]] = {
            item.name: {code.code: _cut(code.label, _SPSS_LABEL) for code in _codes(content, form, item)}
            for item in items
            if item.code_set
        }
        with _as_disk_errors(path.name):
            pyreadstat.write_sav(
                frame,
                path,
                row_compress=True,
                file_label=_cut(content.title(form), _SPSS_TITLE),
                column_labels={item.name: item.label for item in items},
                note=list(_NOTES) if content.synthetic else [],
                variable_value_labels=labels,
                variable_format=dict.fromkeys(frame.select(pl.col(pl.Int64)).columns, "F8.0"),
                variable_measure={item.name: "nominal" if item.code_set else "unknown" for item in items},
            )
        # Nine characters of creation_date and eight of creation_time stand behind rec_type (4 bytes), prod_name (60),
        # five int32 and a flt64 (PSPP Developers Guide, File Header Record).
        _stamp(path, 92, f"31 Mar {content.year % 100:02d}00:00:00")


def _codes(content: Content, form: str, item: Item) -> tuple[Code, ...]:
    return content.guide(form).codes(item.code_set)


def _cut(text: str, most: int) -> str:
    """Return a text cut to so many bytes."""
    return text.encode()[:most].decode(errors="ignore")


def _stamp(path: Path, at: int, when: str) -> None:
    """Write a time over the one that stands in a file from byte `at`."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(when.encode())
