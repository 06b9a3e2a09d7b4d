"""A second process, split off from this one: where it costs next to nothing, it runs beside it on a core of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from synth.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from typing import Concatenate, ParamSpec

    _Given = ParamSpec("_Given")

__all__ = ["answer", "ended", "may_split", "split_off"]


def may_split() -> bool:
    """Say whether this process can be split: the other half runs at once, with all modules, on a core of its own.

    Simulating holds Python's lock nearly all the time: a thread would wait for it, and the simulation for the thread.
    Other threads, such as the tables' own, would be missing in the other half, their locks held for ever.
    """
    return (
        sys.platform == "linux"
        and len(os.sched_getaffinity(0)) > 1
        and threading.active_count() == 1
        and "polars" not in sys.modules
    )


@contextlib.contextmanager
def split_off(
    work: Callable[Concatenate[Connection, _Given], None], *given: _Given.args, **named: _Given.kwargs
) -> Iterator[Connection]:
    """Run `work` in a process split off from this one, and give the connection to it for as long as the block lasts.

    The other process gets the other end of the connection; it ends where its work does, at the latest with the block.
    Interrupts are this process's affair.
    """
    split = multiprocessing.get_context("fork")
    ours, theirs = split.Pipe()

    def run() -> None:
        ours.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with contextlib.suppress(EOFError, OSError):
            work(theirs, *given, **named)

    process = split.Process(target=run, daemon=True)
    try:
        process.start()
        theirs.close()
        yield ours
    finally:
        ours.close()
        if process.pid is not None:
            process.terminate()
            process.join()


def answer(there: Connection, does: str) -> Any:  # noqa: ANN401  whatever the other process sends
    """Return what the process that `does` something sends next; raises what it was sent instead, or as `ended`."""
    try:
        found = there.recv()
    except (EOFError, OSError) as problem:
        raise ended(does) from problem
    if isinstance(found, Exception):
        raise found
    return found


def ended(does: str) -> OutputError:
    """Return the error that says that the process that `does` something is gone."""
    return OutputError(
        f"The process that {does} ended before it was done, perhaps for want of memory. Nothing was replaced; run it"
        " again."
    )
