"""What is dear to make, made once in a run of the tests and kept on disk for all of its workers."""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import fcntl
except ImportError:  # there, each worker may make its own
    fcntl = None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Kept:
    """Things by name, in a folder that all workers of one run of the tests share."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __call__(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` gives; who asks first makes it, the others wait for it and get a copy."""
        path = self.place / f"{hashlib.sha256(name.encode()).hexdigest()}.pickle"
        with self._alone(path.with_suffix(".lock")):
            if path.exists():
                return pickle.loads(path.read_bytes())
            made = make()
            part = path.with_suffix(".part")
            part.write_bytes(pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
            part.rename(path)
            return made

    def folder(self) -> Path:
        """Return a new folder for files that are kept."""
        return Path(tempfile.mkdtemp(dir=self.place))

    @contextlib.contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        with path.open("w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
            yield
