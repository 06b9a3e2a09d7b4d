"""Work spread over processes of this machine: each begun anew, of one thread, and ended with the one that asked."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, TypeVar

from synth.collector import rest
from synth.errors import SynthError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import ProcessPoolExecutor

__all__ = ["in_order", "processes", "processes_for"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_THREADS = "POLARS_MAX_THREADS"
"""Processes side by side are one thread each."""
_AHEAD = 2
"""Items given out for each process: one at work and one that waits, so that none is idle and few results are held."""
_FEW = 12
"""Worlds that one process has done by the time others have begun."""


def processes_for(worlds: int, asked: int | None) -> int:
    """Return how many processes to share worlds out to: as many as asked for, else all cores where that is faster."""
    return asked or ((os.cpu_count() or 1) if worlds >= _FEW else 1)


@contextlib.contextmanager
def processes(number: int, begin: Callable[..., None] | None = None, *told: object) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes, in each of which `begin` is called with what it is `told` before any work.

    They are spawned, since threads of the table library do not survive a fork. At the end what still waits is dropped.
    """
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  slow to import, needed by long jobs only

    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = before or "1"
    pool = ProcessPoolExecutor(number, get_context("spawn"), _begin, (begin, told))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if before is None:
            del os.environ[_THREADS]


def in_order(work: Callable[[_Item], _Result], items: Sequence[_Item], workers: int) -> Iterator[_Result]:
    """Yield what work makes of each item, in the order of the items, whatever the number of processes at work.

    With one worker all is done here; with more, `work`, items and results must be such as can be pickled, and no more
    than a few results wait for their turn. Raises what the work raises, and SynthError where a process dies.
    """
    if workers <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    waiting = iter(items)
    number = min(workers, len(items))
    try:
        with processes(number) as pool:
            given = deque(pool.submit(work, item) for item in islice(waiting, _AHEAD * number))
            while given:
                yield given.popleft().result()
                given.extend(pool.submit(work, item) for item in islice(waiting, 1))
    except BrokenProcessPool:
        raise SynthError(
            "A worker process was ended from outside (out of memory?). Give the command again, with fewer --workers if"
            " memory is short."
        ) from None


def _begin(begin: Callable[..., None] | None, told: tuple[object, ...]) -> None:
    """Prepare a new process, and end it with the one that asked for it."""
    rest()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin(*told)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
