"""A dataset in an object store, or wherever else fsspec reaches; and which store a place names."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from synth.documents import json_of
from synth.errors import InputError, OutputError, SynthError
from synth.files import MANIFEST, METADATA
from synth.scale.store import LEFT, UNFINISHED, Folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from synth.scale.store import Store

__all__ = ["Remote", "is_url", "store_at"]

_YEARS, _WORLDS = "year=", "world="
_GOES_ON = " Worlds finished before stand; the same command goes on from there."


def is_url(out: str) -> bool:
    """Say whether a place is named by a URL, not by a path."""
    return "://" in out


def store_at(out: str) -> Store:
    """Return the store a path or URL names: a folder for a path or a file:// URL, else what fsspec finds there.

    Raises InputError where the URL cannot be understood or nothing is installed that would reach it.
    """
    if not is_url(out):
        # Other processes may stand in other folders.
        return Folder(Path(out).absolute())
    parts = urlsplit(out)
    if parts.scheme == "file":
        path = Path(url2pathname(parts.path))
        if parts.netloc not in {"", "localhost"} or not path.is_absolute():
            raise InputError(f"--out {out}: a file URL has three slashes and a full path, such as file:///data/worlds.")
        return Folder(path)
    if any(sign in out for sign in "*?["):
        raise InputError(
            f"--out {out}: one place is wanted, and *, ? and [ stand for several; give a URL without them."
        )
    store = Remote(out.rstrip("/"))
    store.place()
    return store


@dataclass(frozen=True, slots=True)
class Remote:
    """A dataset behind a URL that fsspec understands, with the credentials its driver finds by itself.

    Object stores have no folders that could be renamed in one go. So the manifest of a partition is written last, and
    a partition is finished when it has one and all files are as it says.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def shared(self) -> bool:
        """Whether other processes see the same files: all but those in the memory of this one."""
        return urlsplit(self.url).scheme != "memory"

    def place(self) -> tuple[Any, str]:
        """Return the file system, connected once in a process, and the root in it.

        Raises InputError where fsspec or the driver is not installed, or the protocol is not known.
        """
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415  an optional extra
        except ImportError:
            raise InputError(
                f'--out {self.url}: needs fsspec, which is not installed; pip install "synth[cloud]", or give a path.'
            ) from None
        try:
            files, root = url_to_fs(self.url)
        except ImportError as error:
            raise InputError(f"--out {self.url}: its driver is not installed ({error}).") from error
        except ValueError as error:
            raise InputError(f"--out {self.url}: {error}; give another URL, or a path.") from error
        except Exception as error:
            raise InputError(f"--out {self.url}: cannot be reached ({_told(error)}).") from error
        return files, root.rstrip("/")

    def prepare(self) -> None:
        """Refuse a place that cannot be written or holds files of somebody else's, and clear up after killed runs."""
        try:
            names = self._names("")
            probe = f"{UNFINISHED}{uuid.uuid4().hex}"
            self.write(probe, b"")
            self.remove(probe)
        except OutputError as error:
            raise InputError(
                f"--out {str(error).removesuffix(_GOES_ON)} See to its name, credentials and rights, or give another."
            ) from error
        left = [name for name in names if LEFT.fullmatch(name)]
        others = sorted(n for n in names if n not in {MANIFEST, METADATA, *left} and not n.startswith(_YEARS))
        if others:
            raise InputError(
                f"{self.url} holds files this program did not write ({', '.join(others[:3])}); move them away or give"
                " another --out."
            )
        for name in left:
            self.remove(name)

    def partitions(self) -> Iterator[str]:
        """Yield the names of all partitions that stand here, finished or not, by year and world."""
        for year in sorted(self._names("")):
            if year.startswith(_YEARS):
                yield from (f"{year}/{n}" for n in sorted(self._names(year)) if n.startswith(_WORLDS))

    def finished(self, partition: str) -> dict[str, Any] | None:
        """Return the manifest of a partition whose files are all there and as they were written, else None."""
        manifest = self.read(f"{partition}/{MANIFEST}")
        try:
            told: dict[str, Any] = json_of(manifest or b"")
            digests = {f"{partition}/{name}": file["sha256"] for name, file in told["files"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        contents = self._contents(digests) if digests else {}
        if any(content is None for content in contents.values()):
            return None
        same = all(hashlib.sha256(content or b"").hexdigest() == digests[name] for name, content in contents.items())
        return told if same else None

    def put(self, partition: str, files: Mapping[str, bytes]) -> None:
        """Write a partition: what stands there and is no part of it goes, the manifest comes last.

        Two workers may write the same partition at once, where an engine took one of them for lost: they write the
        same bytes, so neither undoes what the other did. Raises OutputError where the place refuses.
        """
        there = set(self._within(partition))
        old = None if MANIFEST not in there else self.read(f"{partition}/{MANIFEST}")
        stale = there - files.keys() | ({MANIFEST} if old not in {None, files[MANIFEST]} else set())
        # The manifest of something else must not stand beside any of these files.
        for name in sorted(stale, key=lambda name: name != MANIFEST):
            self.remove(f"{partition}/{name}")
        self._write({f"{partition}/{name}": content for name, content in files.items() if name != MANIFEST})
        self.write(f"{partition}/{MANIFEST}", files[MANIFEST])

    def read(self, name: str) -> bytes | None:
        """Return a file of the dataset, None where it is not there."""
        return self._contents([name])[name]

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the dataset; OutputError where the place refuses."""
        self._write({name: content})

    def remove(self, name: str) -> None:
        """Take a file of the dataset away, if it is there."""
        with self._asked(name, "removed") as (files, root), contextlib.suppress(FileNotFoundError):
            files.rm_file(f"{root}/{name}")

    def _contents(self, names: Collection[str]) -> dict[str, bytes | None]:
        """Read some files, side by side where the file system can; None for one that is not there."""
        found: dict[str, bytes | None] = {}
        with self._asked(", ".join(names), "read") as (files, root):
            contents = files.cat([f"{root}/{name}" for name in names], on_error="return")
            for name in names:
                content = contents.get(f"{root}/{name}")
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
                found[name] = content if isinstance(content, bytes) else None
        return found

    def _write(self, contents: Mapping[str, bytes]) -> None:
        """Write files, side by side where the file system can."""
        with self._asked(next(iter(contents)), "written") as (files, root):
            paths = {f"{root}/{name}": content for name, content in contents.items()}
            try:
                files.pipe(paths)
            except FileNotFoundError:
                # Some places have folders, which are made; what a path begins with, as a bucket, is not.
                if not files.exists(root[: root.index("/", 1)] if "/" in root[1:] else root):
                    raise
                for folder in sorted({path.rpartition("/")[0] for path in paths}):
                    files.makedirs(folder, exist_ok=True)
                files.pipe(paths)

    def _names(self, folder: str) -> list[str]:
        """List what stands directly in a folder; nothing where there is none."""
        found: list[str] = []
        path = ""
        with self._asked(folder, "listed") as (files, root), contextlib.suppress(FileNotFoundError):
            path = f"{root}/{folder}".rstrip("/")
            files.invalidate_cache()  # what others wrote meanwhile counts
            found += (name.rstrip("/") for name in files.ls(path, detail=False))
        # Some stores keep an empty object in a folder's name, which is listed in it.
        return [name.rpartition("/")[2] for name in found if name != path]

    def _within(self, folder: str) -> list[str]:
        """List the files anywhere below a folder, from there."""
        found: list[str] = []
        with self._asked(folder, "listed") as (files, root):
            path = f"{root}/{folder}/"
            files.invalidate_cache()
            found += [name.removeprefix(path) for name in files.find(path) if name.startswith(path)]
        return [name for name in found if name]

    @contextlib.contextmanager
    def _asked(self, name: str, done: str) -> Iterator[tuple[Any, str]]:
        """Give the file system and the root; whatever a driver raises becomes an OutputError that names the file."""
        try:
            yield self.place()
        except (SynthError, GeneratorExit):
            raise
        except Exception as error:  # drivers have errors of their own, of no common kind
            raise OutputError(f"{self.url}: {name or 'it'} cannot be {done} ({_told(error)}).{_GOES_ON}") from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
