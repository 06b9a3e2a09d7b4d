"""The formats a return can be written in: their names, what the user typed, and what must be installed for them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from synth.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["FORMATS", "check_installed", "check_scale", "parse_formats"]

FORMATS = ("csv", "parquet", "xlsx", "sqlite", "duckdb", "stata", "spss")
"""Every format, in the order in which they are written; each but CSV stands in a folder of its name."""

_PACKAGES = {"duckdb": "duckdb", "stata": "pyreadstat", "spss": "pyreadstat"}
_OF_DATASETS = ("csv", "parquet")


def parse_formats(given: Sequence[str]) -> tuple[str, ...]:
    """Read what the user typed, names with commas between, in the order of FORMATS without repeats.

    Raises InputError for a name that is none, with the one most like it.
    """
    names = [part.strip().lower() for text in given for part in text.split(",") if part.strip()]
    if given and not names:
        raise InputError(f"--format is empty; give one or more of {', '.join(FORMATS)}.")
    for name in names:
        if name not in FORMATS:
            raise InputError(
                f"--format {name}: there is no such format{nearest(name, FORMATS)} "
                f"The formats are {', '.join(FORMATS)}; several are given with commas between."
            )
    return tuple(name for name in FORMATS if name in names)


def check_scale(formats: Sequence[str]) -> None:
    """Refuse what a dataset of worlds cannot be: anything but CSV or Parquet, or both at once. Raises InputError."""
    other = [name for name in formats if name not in _OF_DATASETS]
    if other:
        raise InputError(
            f"--format {other[0]}: a dataset of worlds is csv or parquet. Convert single partitions of it afterwards: "
            f"synth convert DIR/year=2023/world=0001 --format {','.join(other)} --out OTHER."
        )
    if len(formats) > 1:
        raise InputError(
            f"--format {','.join(formats)}: a dataset of worlds is one of them; give csv or parquet with --scale."
        )


def check_installed(formats: Collection[str]) -> None:
    """Raise InputError, with the command that installs it, for a format whose package is not there."""
    for name in FORMATS:
        package = _PACKAGES.get(name)
        if name in formats and package is not None and find_spec(package) is None:
            raise InputError(
                f'--format {name} needs {package}, which is not installed; pip install "synth[formats]", or leave '
                f"{name} out."
            )
