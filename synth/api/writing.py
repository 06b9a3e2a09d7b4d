"""Years put on disk: into folders that are whole or not there, or into one that is gone again after use."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from synth.api.arguments import in_python, path_of
from synth.errors import OutputError
from synth.files import check_place, folder_in_place
from synth.reading import read_folder
from synth.validate.run import validate_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from synth.api.year import Year
    from synth.tables import Tables

__all__ = ["filled", "on_disk", "written"]


def written(years: Sequence[Year], out: Path | str) -> list[Path]:
    """Write years, which rise, into a folder each in `out`, and return the folders.

    As in the main job all are read back and checked, each beside the year before, and only then take their places.
    Raises InputError for a place that cannot be used, OutputError where the disk refuses or the check finds something.
    """
    out = path_of("out", out)
    names = [str(year.year) for year in years]
    with in_python():
        for name in names:
            check_place(out, out / name)
    with contextlib.ExitStack() as places:
        last: Tables | None = None
        for year, name in zip(years, names, strict=True):
            building = filled(places.enter_context(folder_in_place(out, name)), year.contents())
            tables = read_folder(building, year.year)
            before = last if last is not None and last.last_day.year == year.year - 1 else None
            report = validate_tables(replace(tables, last=before), year.year)
            if not report.ok:
                raise OutputError(
                    f"What was written for {name} does not pass its own check; nothing was replaced.\n"
                    f"{report.to_text()}"
                )
            last = tables
    return [out / name for name in names]


@contextlib.contextmanager
def on_disk(years: Sequence[Year]) -> Iterator[list[Path]]:
    """Give folders with the files of some years, beside each other, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="synth-") as place:
        folders = [Path(place) / str(year.year) for year in years]
        for year, folder in zip(years, folders, strict=True):
            folder.mkdir()
            filled(folder, year.files())
        yield folders


def filled(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder that is there, by their paths, and return it."""
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
