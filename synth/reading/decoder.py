"""A process that decodes Parquet files for another, so that a damaged file takes down nothing but this.

Run as a script, with nothing of the package: it must start fast. A request is a line of JSON on standard input:
{"path"} for what a file holds, {"path", "columns"} for those columns. An answer on standard output is a line of JSON,
{"rows", "bytes"} or {"error"}, and then that many bytes of an Arrow stream: no rows of it, or the columns.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import IO, Any

import polars as pl

ROOM = 8_000_000_000
"""Bytes of address space: more than the largest form that is read needs, less than would take the machine along."""
FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, MemoryError)


def answer(asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the head of an answer and its Arrow stream; any failure of the library is an error by its first line."""
    try:
        source = _source(asked["path"])
        lazy = pl.scan_parquet(source, glob=False, hive_partitioning=False)
        if "columns" in asked:
            frame = lazy.select(pl.col(asked["columns"])).collect()
            rows = frame.height
        else:
            frame = pl.DataFrame(schema=pl.read_parquet_schema(source))
            rows = int(lazy.select(pl.len()).collect().item())
    except FAILURES as problem:
        return {"error": (str(problem).splitlines() or [type(problem).__name__])[0][:200]}, b""
    stream = io.BytesIO()
    frame.write_ipc_stream(stream)
    return {"rows": rows, "bytes": stream.tell()}, stream.getvalue()


def _source(path: str) -> str | bytes:
    """Return what polars takes for a file: its content, where its name has bytes that are no letters."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return Path(path).read_bytes()
    return path


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        head, stream = answer(json.loads(line))
        answers.write(json.dumps(head).encode() + b"\n" + stream)
        answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows; or the limit is lower already
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):  # who asked is ended too
        serve(sys.stdin.buffer, sys.stdout.buffer)
