"""Where a dataset stands: partitions that are whole or not there, and what has been finished before."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.errors import OutputError
from synth.files import MANIFEST, check_place, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Folder"]

_YEARS, _WORLDS = "year=*", "world=*"
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Folder:
    """A dataset in a folder of this machine."""

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    def prepare(self) -> None:
        """Refuse a place that cannot be written or holds files of somebody else's, and clear up after killed runs."""
        years = [path.name for path in self.root.glob(_YEARS)]
        left = [path.name for path in self.root.glob(f"{_UNFINISHED}*")]
        check_place(self.root.parent, self.root, (MANIFEST, *years, *left))
        for name in left:
            process = name.removeprefix(_UNFINISHED).split("-")[0]
            if not process.isdigit() or not running(int(process)):
                shutil.rmtree(self.root / name, ignore_errors=True)

    def partitions(self) -> Iterator[str]:
        """Yield the names of all partitions that stand here, by year and world."""
        for path in sorted(self.root.glob(f"{_YEARS}/{_WORLDS}")):
            yield path.relative_to(self.root).as_posix()

    def finished(self, partition: str) -> dict[str, Any] | None:
        """Return the manifest of a partition whose files are all there and as they were written, else None."""
        place = self.root / partition
        try:
            told: dict[str, Any] = json.loads((place / MANIFEST).read_bytes())
            for name, file in told["files"].items():
                with (place / name).open("rb") as content:
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
            self.root.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=self.root))
            for name, content in files.items():
                path = building / "new" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            target = self.root / partition
            target.parent.mkdir(exist_ok=True)
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
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the dataset, whole or not at all; OutputError where the disk refuses."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle, building = tempfile.mkstemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=self.root)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(building).chmod(0o644)
                Path(building).replace(self.root / name)
            finally:
                Path(building).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{self.root / name}: cannot be written ({error.strerror}).") from error

    def remove(self, name: str) -> None:
        """Take a file of the dataset away, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            (self.root / name).unlink()
