"""A generated year in memory and on disk: its forms, its files, and a folder that is whole or not there."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.documents import content_of, json_of, reason
from synth.errors import InputError, OutputError
from synth.guidance import collected_as
from synth.log import doing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from synth.geography.authorities import Authority
    from synth.returns.columns import Form
    from synth.returns.kin import Kin

__all__ = [
    "BESIDE",
    "DATAPACKAGE",
    "FILES",
    "GENERATOR",
    "MANIFEST",
    "METADATA",
    "REPORT",
    "Generated",
    "check_file",
    "check_place",
    "csv_bytes",
    "folder_in_place",
    "generated",
    "make_folders",
    "resolved",
    "running",
    "write_csv",
    "write_whole",
]

FILES = {
    "crcs": "synthetic_crcs.csv",
    "child": "synthetic_cla_child.csv",
    "episode": "synthetic_cla_episode.csv",
    "adoption": "synthetic_cla_adoption.csv",
    "care_leaver": "synthetic_cla_care_leaver.csv",
    "postcodes": "synthetic_postcodes.csv",
}
"""Form -> file name. The last is no form: it gives every Welsh postcode used a 2011 small area (LSOA)."""

MANIFEST = "manifest.json"
BESIDE = "beside"
"""In a manifest: files that were written beside the forms, by their paths."""
DATAPACKAGE, METADATA = "datapackage.json", "metadata"
"""A file and a folder beside the forms that describe them."""
REPORT = "report.html"
GENERATOR = '<meta name="generator" content="synth">'
"""Stands near the beginning of a report."""
_BEGINNING = 2000
"""Bytes of a page in which it stands."""
_LAST_OF_ASCII = 127
_UNFINISHED, _SET_ASIDE = "unfinished", "-old"
"""In the names of folders that are being filled, and at their end once they are to be replaced."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The returns of one year of one world: each form's columns as text, ready to be written.

    `kin` tells of the families behind the forms with one row a child (crcs, child), row by row.
    """

    year: int
    authorities: tuple[Authority, ...]
    forms: dict[str, Form]
    world: int = 0
    kin: dict[str, Kin] = field(default_factory=dict)

    @property
    def collection(self) -> str:
        """How care and support is collected here: census_date or all_year."""
        return collected_as(self.forms["crcs"], self.year)


def write_csv(form: Form, path: Path) -> None:
    """Write text columns as `csv_bytes` gives them."""
    path.write_bytes(csv_bytes(form))


def csv_bytes(form: Form) -> bytes:
    """Return text columns as they stand: commas between, a line feed after each row, no quoting ever needed."""
    import numpy as np  # noqa: PLC0415  who reads and checks files needs none

    columns = [np.ascontiguousarray(column) for column in form.values()]
    # A column of text is a table of characters, a row of code points for each cell, with zeros behind the last.
    tables = [column.view(np.uint32).reshape(len(column), -1) for column in columns if len(column)]
    head = (",".join(form) + "\n").encode()
    if not tables:
        return head
    # All but names are written in signs of one byte each.
    wide = any(table.max(initial=0) > _LAST_OF_ASCII for table in tables)
    ends = np.cumsum([table.shape[1] + 1 for table in tables])
    lines = np.full((len(tables[0]), ends[-1]), ord(","), np.uint32 if wide else np.uint8)
    for table, end in zip(tables, ends, strict=True):
        lines[:, end - 1 - table.shape[1] : end - 1] = table
    lines[:, -1] = ord("\n")
    signs = lines.ravel()
    text: bytes = signs[signs != 0].tobytes()
    return head + (text.decode("utf-32").encode() if wide else text)


def resolved(out: Path) -> Path:
    """Return the place a path leads to, links followed, whether it is there or not.

    Raises InputError for links that lead in a circle and names the disk does not take.
    """
    try:
        place = out.resolve()
        place.exists()
    except (OSError, RuntimeError) as problem:
        # Older Pythons raise RuntimeError for a circle of links.
        why = getattr(problem, "strerror", None) or "its links lead in a circle"
        raise InputError(f"--out {str(out)[:200]}: there can be no such folder ({why}); give another.") from None
    try:
        str(place).encode()
    except UnicodeEncodeError:
        # Most formats are written by libraries that take no such name.
        raise InputError(f"--out {str(out)[:200]}: the name has bytes that are no letters; give another.") from None
    return place


def check_place(
    out: Path, target: Path, known: Collection[str] = (*FILES.values(), MANIFEST), *, named: Path | None = None
) -> None:
    """Refuse early what could not be written later: no folder, no permission, or files of somebody else's in it.

    `known` names the files and folders that may be replaced, as those may that the manifest there names; `named` is
    what --out was given, where it is not `out`. Nor may `target` stand inside the folder of a year: all of that is
    replaced when the year is made again, and what is not of the year would stand in the way.

    Raises InputError naming the place and what to do.
    """
    named = named or out
    place = resolved(out)
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise InputError(f"--out {named}: {place} is a file, not a folder; give the name of a folder.")
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise InputError(f"--out {named}: cannot write in {place} ({error.strerror}); give another folder.") from error
    if (around := _year_around(place)) is not None:
        raise InputError(
            f"--out {named}: stands in {around}, which is replaced as a whole when it is made again; give a"
            " folder beside it."
        )
    if target.is_symlink():
        # A folder cannot take the place of a link, and what the link leads to is somebody else's.
        raise InputError(f"{target} is a link to {target.readlink()}; remove the link or give another --out.")
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; move it away or give another --out.")
    if target.is_dir():
        ours = {*known, *_beside(target)}
        entries = [entry for entry in target.iterdir() if not _is_report(entry)]
        others = sorted(name for entry in entries for name in _not_ours(entry, target, ours))
        if others:
            raise InputError(
                f"{target} holds files this program did not write ({', '.join(others[:3])}) and would be replaced;"
                " move them away or give another --out."
            )


def _beside(folder: Path) -> Collection[str]:
    """Return the paths that the manifest of a folder names as written beside the forms; none if it cannot be read."""
    beside = _told(folder).get(BESIDE)
    return beside if isinstance(beside, dict) else ()


def _told(folder: Path) -> dict[str, Any]:
    """Return what a folder says of itself; nothing if it has no manifest, or one that cannot be read."""
    try:
        told = json_of(content_of(folder / MANIFEST))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _year_around(place: Path) -> Path | None:
    """Return the folder of a year, or of converted files, that a folder is or stands in; None where it is in none."""
    for folder in (place, *place.parents):
        told = _told(folder)
        # A dataset has partitions, which are looked at when it is read.
        if isinstance(told.get("year"), int) and told.keys() & {"files", "converted"}:
            return folder
    return None


def _not_ours(entry: Path, folder: Path, ours: Collection[str]) -> Iterator[str]:
    """Yield what is not one of `ours`, paths in `folder`: a file or link, an empty folder, or those in a folder."""
    name = entry.relative_to(folder).as_posix()
    if name in ours:
        return
    inside = [] if entry.is_symlink() or not entry.is_dir() else list(entry.iterdir())
    if not inside:
        yield name
    for each in inside:
        yield from _not_ours(each, folder, ours)


def _is_report(path: Path) -> bool:
    """Say whether a file is a report of this program, which goes with the files it tells of."""
    if path.name != REPORT or not path.is_file():
        return False
    with path.open("rb") as file:
        return generated(file.read(_BEGINNING))


def generated(content: bytes) -> bool:
    """Say whether a page is one of this program's, by its beginning."""
    return GENERATOR.encode() in content[:_BEGINNING]


def check_file(out: Path, ours: Callable[[bytes], bool] = lambda _: False) -> None:
    """Refuse early a file that could not be written later, or would take the place of what is not this program's.

    `ours` says of the content of a file that stands there whether this program wrote it: then it may be replaced.

    Raises InputError naming the place and what to do.
    """
    if resolved(out).is_dir():
        raise InputError(f"--out {out}: is a folder; give the name of a file.")
    if out.is_symlink():
        raise InputError(f"--out {out}: is a link to {out.readlink()}; remove the link or give another file.")
    if out.exists():
        try:
            replaceable = ours(content_of(out))
        except OSError as problem:
            raise InputError(f"--out {out}: {reason(problem)}; give another file.") from None
        if not replaceable:
            raise InputError(
                f"--out {out}: stands there already, and is nothing this command wrote; give another name, or move"
                " it away."
            )
    try:
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise InputError(f"--out {out}: cannot write in {out.parent} ({error.strerror}); give another file.") from error


def write_whole(text: str, out: Path) -> None:
    """Write a text file that is whole or not there, lines ending in a line feed; OutputError where the disk refuses."""
    beside: Path | None = None
    try:
        # A name nobody has, and short: that of the file may be as long as names can be.
        handle, name = tempfile.mkstemp(prefix=f".{out.name[:20]}-", dir=out.parent)
        os.close(handle)
        beside = Path(name)
        # Names of files may hold what is no letter; inside JSON, such an escape is one too.
        beside.write_text(text, "utf-8", errors="backslashreplace", newline="\n")
        beside.chmod(out.stat().st_mode & 0o777 if out.is_file() else 0o644)
        beside.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}). Name another file with --out.") from None
    finally:
        if beside is not None:
            # A disk that can only be read refuses to remove even what is not there.
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_in_place(out: Path, name: str) -> Iterator[Path]:
    """Give an empty folder to fill; when the block ends well it becomes `out`/`name`, else nothing remains of it.

    An older folder of that name goes only once the new one stands. Raises OutputError where the disk refuses.
    """
    fresh = [place for place in (out, *out.parents) if not place.exists()]
    building: Path | None = None
    try:
        make_folders(out)
        _sweep(out, name)
        # From the root on: a library that writes may take a folder called ~ for another.
        building = Path(tempfile.mkdtemp(prefix=f".{name}-{_UNFINISHED}-{os.getpid()}-", dir=out.absolute()))
        yield building
        building.chmod(0o755)
        _put_in_place(building, out / name)
        doing("%s put in place", out / name)
    except OSError as error:
        raise OutputError(
            f"{out / name}: the files could not be written ({error.strerror or error}). Nothing was replaced."
        ) from error
    finally:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)
        # Folders made on the way go again if nothing came to stand in them.
        for place in fresh:
            with contextlib.suppress(OSError):
                place.rmdir()


def make_folders(place: Path) -> None:
    """Make a folder and those it stands in where they are not there; one after another, as paths may be deep."""
    for folder in (*reversed(place.parents), place):
        if not folder.exists():
            folder.mkdir(exist_ok=True)


def _put_in_place(building: Path, target: Path) -> None:
    """Swap the finished folder in."""
    if not target.exists():
        building.rename(target)
        return
    old = building.with_name(building.name + _SET_ASIDE)
    target.rename(old)
    try:
        building.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old)


def _sweep(out: Path, name: str) -> None:
    """Clear up after a killed run: an earlier folder it had set aside comes back, unfinished ones go.

    Only names this program gives are looked at: .2023-12-31 may be somebody's.
    """
    ours = re.compile(rf"\.{re.escape(name)}-{_UNFINISHED}-([0-9]{{1,10}})-[a-z0-9_]+({_SET_ASIDE})?")
    for left in sorted(out.glob(f".{glob.escape(name)}-{_UNFINISHED}-*")):
        found = ours.fullmatch(left.name)
        if found is None or left.is_symlink() or not left.is_dir() or running(int(found[1])):
            continue
        if left.name.endswith(_SET_ASIDE) and not (out / name).exists():
            left.rename(out / name)
        else:
            shutil.rmtree(left, ignore_errors=True)


def running(process: int) -> bool:
    """Say whether a process, whose leftovers these would be, is still at work; one that has ended is not."""
    if os.name != "posix":
        # Elsewhere asking is not harmless; a leftover folder is.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    with contextlib.suppress(OSError):
        # The state stands behind the name, which may hold anything (Linux).
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return state not in {b"Z", b"X"}
    return True
