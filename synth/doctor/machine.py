"""The machine: folders, disk, memory, cores, processes and encodings."""

from __future__ import annotations

import locale
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from synth.doctor.finding import Finding, note, ok, problem, wanted
from synth.split import may_split, split_off

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

__all__ = ["cores", "encoding", "folders", "memory", "splitting"]

_MACHINE = "Machine"
_MB = 10**6
_WELSH = "Ynys Môn, Tŷ Gŵyr"
"""Words of Welsh with letters that are not in every character set: \u0175 and \u0177 are not in Windows-1252."""
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says what a container may have, in its second and first version (cgroups)."""
_FREE = Path("/proc/meminfo")


def folders(out: Path) -> Iterator[Finding]:
    """Say whether the folder of outputs and the temporary one can be written, and how much room is on their disks."""
    needs = wanted()
    yield from _folder("outputs", out, needs["disk"], "give another folder with --out")
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError as error:
        yield problem(_MACHINE, "temporary folder", str(error), "set TMPDIR to a folder that can be written")
        return
    yield from _folder("temporary folder", temporary, needs["temporary"], "set TMPDIR to another folder")


def _folder(subject: str, folder: Path, least: int, otherwise: str) -> Iterator[Finding]:
    """Say whether a folder, or that in which it would be made, can be written, and has room for `least` MB."""
    place = folder.resolve()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        yield problem(_MACHINE, subject, f"{place} is a file, not a folder", f"move it away, or {otherwise}")
        return
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"synth")
            file.flush()
    except OSError as error:
        yield problem(_MACHINE, subject, f"{place} cannot be written ({error.strerror})", otherwise)
        return
    made = "can be written" if place == folder.resolve() else f"can be made in {place}"
    yield ok(_MACHINE, subject, f"{folder} {made}")
    free = shutil.disk_usage(place).free // _MB
    if free < least:
        yield note(_MACHINE, f"disk, {subject}", f"{free:,} MB free", f"make room for {least:,} MB, or {otherwise}")
    else:
        yield ok(_MACHINE, f"disk, {subject}", f"{free:,} MB free")


def memory() -> Iterator[Finding]:
    """Say how much memory there is, or a container may have, and how much of it is free."""
    least, total = wanted()["memory"], _total()
    if total is None:
        yield note(_MACHINE, "memory", "this system does not tell", f"see that {least:,} MB are free")
        return
    free = _free()
    left = total if free is None else min(total, free)
    told = f"{total // _MB:,} MB" + ("" if free is None else f", {left // _MB:,} MB of it free")
    if left < least * _MB:
        yield note(_MACHINE, "memory", told, f"free {least:,} MB, or ask for fewer authorities at a time")
    else:
        yield ok(_MACHINE, "memory", told)


def _total() -> int | None:
    """Return the bytes of memory of the machine, or of the container if that is less; None if nobody tells."""
    try:
        known = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return None
    for path in _LIMITS:
        try:
            known.append(int(path.read_text("ascii")))
        except (OSError, ValueError):
            # No container, or one without a limit ("max").
            continue
    return min(known)


def _free() -> int | None:
    """Return the bytes of memory that can be had without swapping; None if nobody tells."""
    try:
        lines = _FREE.read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def cores() -> Iterator[Finding]:
    """Say how many cores this process may use."""
    there = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    told = f"{usable} of {there} may be used"
    if usable < wanted()["cores"]:
        yield note(_MACHINE, "cores", told, "nothing must be done; with two, files are checked beside the simulation")
    else:
        yield ok(_MACHINE, "cores", told)


def splitting() -> list[Finding]:
    """Say whether processes can be split off and begun; each is tried as far as it can be without cost."""
    return [*_split(), *_locks()]


def _split() -> Iterator[Finding]:
    subject = "process split off"
    if not may_split():
        yield note(
            _MACHINE, subject, "not here: another system than Linux, one core, or threads at work",
            "nothing must be done; a thread checks the files instead, which takes longer",
        )  # fmt: skip
        return
    try:
        with split_off(_answering) as there:
            answered = there.recv()
    except (OSError, EOFError) as error:
        yield problem(
            _MACHINE, subject, f"refused ({error or type(error).__name__})",
            "see whether a limit on processes (ulimit -u, a container's) stands in the way",
        )  # fmt: skip
        return
    yield ok(_MACHINE, subject, f"process {answered} answered")


def _answering(there: Connection) -> None:
    there.send(os.getpid())


def _locks() -> Iterator[Finding]:
    """Try what processes at work side by side share: some containers have none of it (no /dev/shm)."""
    subject = "processes side by side"
    try:
        multiprocessing.get_context("spawn").Lock()
    except (OSError, ImportError) as error:
        yield problem(
            _MACHINE, subject, f"refused ({error})", "give --workers 1, or the container a /dev/shm that can be written"
        )
        return
    yield ok(_MACHINE, subject, "may be begun")


def encoding() -> Iterator[Finding]:
    """Say which character sets are in use, and whether Welsh can be printed. Files are always written in UTF-8."""
    printed = getattr(sys.stdout, "encoding", None) or "utf-8"
    told = (
        f"{printed} on standard output, {sys.getfilesystemencoding()} in file names, {locale.getencoding()} by locale"
    )
    then = "set PYTHONUTF8=1, or a locale in UTF-8 (LC_ALL=C.UTF-8)"
    try:
        _WELSH.encode(printed)
    except UnicodeEncodeError as error:
        lost = _WELSH[error.start]
        yield problem(_MACHINE, "encoding", f"{told}; {lost!a} cannot be printed", then)
        return
    try:
        os.fsencode(_WELSH)
    except UnicodeEncodeError:
        yield note(_MACHINE, "encoding", f"{told}; Welsh names of folders cannot be written", then)
        return
    yield ok(_MACHINE, "encoding", told)
