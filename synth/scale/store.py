"""Where a dataset stands: partitions that are finished or not, here in a folder of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from synth.documents import content_of, json_of, opened
from synth.errors import InputError, OutputError
from synth.files import FILES, MANIFEST, METADATA, check_place, make_folders, resolved, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LEFT", "UNFINISHED", "Folder", "Store"]

UNFINISHED = ".unfinished-"
"""Names of what a run needs while it goes on begin so; it is cleared up after, or by the next run."""

_YEARS, _WORLDS = "year=*", "world=*"
LEFT = re.compile(rf"{re.escape(UNFINISHED)}(?:([0-9]{{1,10}})(?:-[a-z0-9_]+)?|[0-9a-f]{{32}})")
"""Such names as runs give, by process or at random; others that begin so may be somebody's."""
_OURS = frozenset(name.removesuffix(".csv") for name in FILES.values())


class Store(Protocol):
    """A place for a dataset. It is sent to other processes, so it holds no connection that could not be.

    Files are named from the root of the dataset, with `/` between folders, partitions as `partition_of` names them.
    Every method raises OutputError, `prepare` InputError, where the place cannot be used.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes that are given this see the same files."""
        ...

    def prepare(self) -> None:
        """Refuse a place that cannot be written or holds files of somebody else's, and clear up after killed runs."""
        ...

    def partitions(self) -> Iterator[str]:
        """Yield the names of all partitions that stand here, finished or not, by year and world."""
        ...

    def finished(self, partition: str) -> dict[str, Any] | None:
        """Return the manifest of a partition whose files are all there and as they were written, else None."""
        ...

    def put(self, partition: str, files: Mapping[str, bytes]) -> None:
        """Write a partition, so that `finished` is told of all of it or of none; the manifest is the last file."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file, None where it is not there."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        ...

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A dataset in a folder of this machine, or one that several machines see at the same path."""

    root: Path
    shared: ClassVar[bool] = True

    def __str__(self) -> str:
        return str(self.root)

    def prepare(self) -> None:
        """Refuse a place that cannot be written or holds files of somebody else's, and clear up after killed runs."""
        years = [path.name for path in self.root.glob(_YEARS)]
        found = (LEFT.fullmatch(path.name) for path in self.root.glob(f"{UNFINISHED}*"))
        left = {name.group(): name.group(1) for name in found if name is not None}
        # Written into, not replaced: it may be a link.
        place = resolved(self.root) if self.root.is_symlink() else self.root
        check_place(self.root.parent, place, (MANIFEST, METADATA, *years, *left))
        for name in (METADATA, *years):
            # What they lead to is somebody else's, and would be written into.
            if (self.root / name).is_symlink():
                to = (self.root / name).readlink()
                raise InputError(f"{self.root / name} is a link to {to}; remove the link or give another --out.")
        for name, process in left.items():
            if process and running(int(process)):
                continue
            if (self.root / name).is_dir():
                shutil.rmtree(self.root / name, ignore_errors=True)
            else:
                self.remove(name)

    def partitions(self) -> Iterator[str]:
        """Yield the names of all partitions that stand here, by year and world."""
        for path in sorted(self.root.glob(f"{_YEARS}/{_WORLDS}")):
            yield path.relative_to(self.root).as_posix()

    def finished(self, partition: str) -> dict[str, Any] | None:
        """Return the manifest of a partition whose files are all there and as they were written, else None."""
        place = self.root / partition
        try:
            told: dict[str, Any] = json_of(content_of(place / MANIFEST))
            for name, file in told["files"].items():
                # What a manifest names is opened: nothing outside the partition may be.
                if name.startswith("/") or ".." in Path(name).parts:
                    return None
                with opened(place / name) as content:
                    if hashlib.file_digest(content, "sha256").hexdigest() != file["sha256"]:
                        return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return told

    def put(self, partition: str, files: Mapping[str, bytes]) -> None:
        """Write a partition: under another name first, so that it appears whole or not at all.

        Raises OutputError where the disk refuses.
        """
        building: Path | None = None
        try:
            make_folders(self.root)
            building = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}{os.getpid()}-", dir=self.root))
            for name, content in files.items():
                path = building / "new" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            target = self.root / partition
            target.parent.mkdir(exist_ok=True)
            if target.parent.is_symlink():
                raise OutputError(f"{target.parent} is a link to {target.parent.readlink()}; remove the link.")
            if others := _others(target):
                raise OutputError(
                    f"{target} holds files this program did not write ({', '.join(others[:3])}) and would be replaced;"
                    " move them away. Worlds finished before stand; the same command goes on from there."
                )
            with contextlib.suppress(FileNotFoundError):
                target.rename(building / "old")
            (building / "new").rename(target)
        except OSError as error:
            raise OutputError(
                f"{self.root / partition}: cannot be written ({error.strerror}). Worlds finished before stand; the same"
                " command goes on from there."
            ) from error
        finally:
            if building is not None:
                shutil.rmtree(building, ignore_errors=True)

    def read(self, name: str) -> bytes | None:
        """Return a file of the dataset, None where it is not there."""
        try:
            return content_of(self.root / name)
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the dataset, whole or not at all; OutputError where the disk refuses."""
        try:
            make_folders(self.root)
            handle, building = tempfile.mkstemp(prefix=f"{UNFINISHED}{os.getpid()}-", dir=self.root)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(building).chmod(0o644)
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                Path(building).replace(self.root / name)
            finally:
                Path(building).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{self.root / name}: cannot be written ({error.strerror}).") from error

    def remove(self, name: str) -> None:
        """Take a file of the dataset away, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            (self.root / name).unlink()


def _others(target: Path) -> list[str]:
    """Return what stands in the place of a partition and is no part of one: its own name where it is no folder."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        return [target.name]
    inside = (path for path in sorted(target.rglob("*")) if path.is_symlink() or not path.is_dir())
    names = (path.relative_to(target).as_posix() for path in inside)
    return [name for name in names if name != MANIFEST and name.rpartition("/")[2].partition(".")[0] not in _OURS]
