"""Parquet files decoded in a process apart: the library may end its process over a damaged file, never ours."""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import polars as pl

from synth.errors import InputError
from synth.log import doing

__all__ = ["DamagedError", "columns_of", "shape_of"]

PATIENCE = 120
"""Seconds a file may take. The largest that is read takes some two."""


class DamagedError(InputError):
    """A file that cannot be decoded: the reason alone, for a message of its own."""


def shape_of(path: Path) -> tuple[pl.Schema, int]:
    """Return the columns of a Parquet file with their types, and its number of rows, as it declares them.

    Raises DamagedError (an InputError) where it cannot be read.
    """
    rows, frame = _asked({"path": os.path.realpath(path)})
    return frame.schema, rows


def columns_of(path: Path, columns: list[str]) -> pl.DataFrame:
    """Return columns of a Parquet file, in the order asked for. Raises DamagedError as `shape_of` does."""
    return _asked({"path": os.path.realpath(path), "columns": columns})[1]


class _Decoder:
    """The other process, started when it is first wanted and ended with this one."""

    def __init__(self) -> None:
        import subprocess  # noqa: PLC0415  most runs read no Parquet

        script = Path(__file__).with_name("decoder.py")
        # It finds the libraries where they were found here; nothing it prints reaches the terminal.
        self.process = subprocess.Popen(  # noqa: S603  this interpreter, a file of ours
            [sys.executable, "-P", str(script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        self.owner = os.getpid()

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return what it answers; EOFError where it ends over that."""
        sent, got = self.process.stdin, self.process.stdout
        assert sent is not None and got is not None  # noqa: PT018  both are pipes
        late = threading.Timer(PATIENCE, self.process.kill)
        late.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it has ended: nothing will be answered
                sent.write(json.dumps(request).encode() + b"\n")
                sent.flush()
            line = got.readline()
            head = json.loads(line) if line.endswith(b"\n") else {}
            stream = got.read(head.get("bytes", 0))
            if not head or len(stream) < head.get("bytes", 0):
                raise EOFError
            return head, stream
        finally:
            late.cancel()

    def end(self) -> None:
        """End it; nothing waits for an answer."""
        if os.getpid() != self.owner:  # it is somebody else's after a fork
            return
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


_one_at_a_time = threading.Lock()
_running: list[_Decoder] = []


def _asked(request: dict[str, Any]) -> tuple[int, pl.DataFrame]:
    with _one_at_a_time:
        decoder = _decoder()
        try:
            head, stream = decoder.ask(request)
        except BaseException as problem:
            # Whatever happened midway, what it would say next is not what will be asked next.
            decoder.end()
            _running.clear()
            if isinstance(problem, EOFError):
                code = decoder.process.returncode
                doing("the process that decodes %s ended with %s", request["path"], code)
                raise DamagedError("what is in it cannot be decoded in the memory there is") from None
            raise
    if "error" in head:
        raise DamagedError(head["error"])
    return head["rows"], pl.read_ipc_stream(io.BytesIO(stream))


def _decoder() -> _Decoder:
    if _running and (_running[0].owner != os.getpid() or _running[0].process.poll() is not None):
        _running.clear()
    if not _running:
        try:
            _running.append(_Decoder())
        except OSError as problem:
            raise InputError(
                f"the process that reads Parquet files cannot be started ({problem}). End other programs, or give CSV."
            ) from None
    return _running[0]


@atexit.register
def _end() -> None:
    for decoder in _running:
        decoder.end()
