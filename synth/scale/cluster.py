"""Blocks of worlds made by a dask.distributed cluster that is there already: workers may come and go meanwhile."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections import deque
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from synth.errors import InputError, OutputError
from synth.scale.alike import PACKAGES, check_alike, versions
from synth.scale.store import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from synth.scale.store import Store
    from synth.scale.work import Job, Partition

__all__ = ["cluster_at"]

_REACHED = 10
"""Seconds in which a scheduler must answer and have a worker."""
_NO_WORKER = 120
"""Seconds without any worker after which a run that had some ends: clusters replace lost ones within these."""
_AHEAD = 2
"""Blocks asked for at once for each worker: one it makes and one that waits, so that none has nothing to do."""
_RETRIES = 2
"""So often is a block made again that ended in an error, as where an object store did not answer. Lost workers are not
counted among these: how many of them one block may cost, the scheduler says (its `allowed-failures`, as a rule three).
"""
_SUCH_AS = "such as tcp://10.0.0.5:8786"
_GOES_ON = "Worlds finished before stand; the same command goes on from there."
_LOST = f"The scheduler is lost, or was told to give the work up. {_GOES_ON}"

_one = threading.Lock()
"""A process makes one block at a time, however many threads a worker has: more would only take more memory."""


@contextlib.contextmanager
def cluster_at(address: str) -> Iterator[Callable[[Job, Sequence[tuple[int, ...]], int], Iterator[list[Partition]]]]:
    """Connect to the scheduler at an address and give what `make_dataset` takes as `run`, until the block ends.

    Raises InputError where dask.distributed is not installed, nobody answers in time, no worker is there, or workers
    would write other bytes than this process.
    """
    try:
        import distributed  # noqa: PLC0415  an optional extra
    except ImportError:
        raise InputError(
            '--dask needs dask.distributed, which is not installed; pip install "synth[dask]", or use --workers.'
        ) from None
    try:
        with _quiet():
            client = distributed.Client(address, timeout=_REACHED, set_as_default=False)
    except ValueError as error:
        raise InputError(f"--dask {address}: {error}; give the address a scheduler prints, {_SUCH_AS}.") from error
    except OSError as error:
        raise InputError(
            f"--dask {address}: no scheduler answered within {_REACHED} seconds ({error}); start one (dask scheduler),"
            f" or give the address it prints, {_SUCH_AS}."
        ) from error
    with _quiet(), _closing(client):
        try:
            client.wait_for_workers(1, timeout=_REACHED)
        except TimeoutError:
            raise InputError(
                f"--dask {address}: the scheduler has no worker, and none came within {_REACHED} seconds; start some"
                f" (dask worker {address})."
            ) from None
        # Told by dask itself, so also where this package is missing.
        packages = ["synth", *PACKAGES]
        told = client.get_versions(packages=packages)
        # The scheduler makes nothing, but has to understand what it hands on.
        check_alike({f"Scheduler {address}": {"synth": told["scheduler"]["packages"].get("synth")}})
        for worker, of in told["workers"].items():
            check_alike({f"Worker {worker}": {name: of["packages"].get(name) for name in packages}})
        yield lambda job, blocks, _workers: _run(client, job, blocks)


def _run(client: Any, job: Job, blocks: Sequence[tuple[int, ...]]) -> Iterator[list[Partition]]:  # noqa: ANN401
    """Make blocks of worlds and give what was made as it is finished.

    Raises what a block raises, and OutputError where the cluster is lost or one block ends worker after worker.
    """
    import distributed  # noqa: PLC0415

    waiting = deque(blocks)
    running: set[Any] = set()
    try:
        if waiting:
            _check_workers(client, job.store)
            # A task of its own: sent once, handed from worker to worker, made again where all that had it are lost.
            sent = client.submit(_told, job, pure=False)
        while waiting or running:
            while waiting and len(running) < _AHEAD * max(1, _workers(client)):
                block = waiting.popleft()
                running.add(client.submit(_make, sent, versions(), block, pure=False, retries=_RETRIES))
            done, running = _first_of(client, running)
            for future in done:
                yield future.result()
    except distributed.KilledWorker as error:
        raise OutputError(
            f"Workers were lost one after the other, {error.allowed_failures + 1} in all, with the same worlds (out of"
            f" memory? Each needs some 1 GB). {_GOES_ON}"
        ) from None
    except CancelledError as error:
        raise OutputError(_LOST) from error
    finally:
        for future in running:
            future.release()


def _first_of(client: Any, running: set[Any]) -> tuple[set[Any], set[Any]]:  # noqa: ANN401
    """Wait until some tasks are done, and part these from the others; OutputError where no worker comes back."""
    import distributed  # noqa: PLC0415

    while True:
        try:
            with client.as_current():
                done, others = distributed.wait(running, timeout=_NO_WORKER, return_when="FIRST_COMPLETED")
        except TimeoutError:
            if not _workers(client):
                raise OutputError(
                    f"All workers are lost, and none came back within {_NO_WORKER} seconds. {_GOES_ON}"
                ) from None
        else:
            return done, others


def _workers(client: Any) -> int:  # noqa: ANN401
    """Count the workers there are now; OutputError where the scheduler does not say."""
    try:
        return len(client.nthreads())
    except OSError as error:
        raise OutputError(_LOST) from error


@contextlib.contextmanager
def _closing(client: Any) -> Iterator[None]:  # noqa: ANN401
    """Close a client at the end; where its scheduler is gone that may fail, and has been told before."""
    try:
        yield
    finally:
        # Of a connection lost in this moment asyncio says that a timeout cannot be changed: a RuntimeError.
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            client.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the engine's own log off the screen for a while: what is lost is told once, in words of this program."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_workers(client: Any, store: Store) -> None:  # noqa: ANN401
    """See that every worker runs the same program and finds in the store what this process puts there."""
    mark = f"{UNFINISHED}{uuid.uuid4().hex}"
    store.write(mark, b"")
    try:
        answers = client.run(_answer, store, mark)
    finally:
        store.remove(mark)
    check_alike({f"Worker {worker}": answer for worker, (answer, _) in answers.items()})
    blind = sorted(worker for worker, (_, seen) in answers.items() if not seen)
    if blind:
        raise InputError(
            f"--out {store}: worker {blind[0]} does not see what is written there; give a place all workers see, as a"
            " folder they share under the same path or a URL such as s3://bucket/worlds."
        )


def _answer(store: Store, mark: str) -> tuple[dict[str, str], bool]:
    return versions(), store.read(mark) is not None


def _told(job: Job) -> Job:
    return job


def _make(job: Job, wanted: Mapping[str, str], worlds: tuple[int, ...]) -> list[Partition]:
    """Make a block on a worker; one that joined later is held against the versions wanted here."""
    if versions() != wanted:
        check_alike({"The process that asked a worker": wanted})
    with _one:
        return job.make(worlds)
