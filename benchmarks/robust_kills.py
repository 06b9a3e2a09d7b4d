"""Commands killed at any moment (SIGKILL), and what stands on the disk the moment after, and after the next run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robust_faults import AGAIN, MAKE, good_folder, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

__all__ = ["COMMANDS", "kills"]

COMMANDS = (MAKE, *AGAIN)


@dataclass(frozen=True, slots=True)
class _Known:
    """How long a command takes and what it writes, found by letting it end."""

    seconds: float
    whole: dict[str, str]


def kills(place: Path, rng: Random, number: int) -> Iterator[str]:
    """Kill commands in turn, `number` times in all; yield what was wrong each time, '' if nothing."""
    good = good_folder(place)
    known: dict[tuple[str, ...], _Known] = {}
    for turn in range(number):
        what = COMMANDS[turn % len(COMMANDS)]
        if what not in known:
            begun = time.monotonic()
            _run(place, what)
            known[what] = _Known(time.monotonic() - begun, state_of(place))
        # What the command wrote before stands there half of the times.
        if rng.random() < 0.5:  # noqa: PLR2004
            _clear(place, what)
        yield _killed(place, what, known[what], good, rng)
        _clear(place, what)


def _killed(place: Path, what: tuple[str, ...], known: _Known, good: dict[str, str], rng: Random) -> str:
    stood = state_of(place)
    process = _begin(place, what)
    time.sleep(rng.uniform(0, 1.05 * known.seconds))
    # With those it started, or alone: they must end by themselves.
    (os.killpg if rng.random() < 0.5 else os.kill)(process.pid, signal.SIGKILL)  # noqa: PLR2004
    process.wait()
    found = _midway(state_of(place), stood, known.whole)
    _run(place, what)
    after = state_of(place)
    if not found and after != known.whole:
        odd = sorted(set(after.items()) ^ set(known.whole.items()))
        found = f"after the next run {odd[0][0]} is not as it should be"
    if not found and (lost := [name for name in good if name not in after]):
        found = f"{lost[0]} is lost"
    return found and f"{' '.join(what[:1])}, killed: {found}"


def _midway(found: dict[str, str], stood: dict[str, str], whole: dict[str, str]) -> str:
    """Say what is wrong the moment after: each unit must be as it stood, or whole, or absent with nothing lost."""
    seen = {name: digest for name, digest in found.items() if not _hidden(name)}
    aside = {digest for name, digest in found.items() if "-old/" in name}
    for unit in sorted({_unit(name) for state in (seen, stood, whole) for name in state}):
        here, before, finished = (_of(unit, state) for state in (seen, stood, whole))
        if here not in (before, finished) and (here or not aside.issuperset(before.values())):
            return f"{unit} is neither as it stood, nor whole, nor absent"
    return ""


def _hidden(name: str) -> bool:
    return name.startswith(".") or "/." in name


_UNIT = re.compile(r"again/year=[0-9]+/world=[0-9]+|again/manifest\.json|again/[0-9]{4}|out/2017|[^/]+")


def _unit(name: str) -> str:
    """Return the file, or the folder, that comes whole: a year, a world of a dataset, or all of what was written."""
    found = _UNIT.match(name)
    return found[0] if found else name


def _of(unit: str, state: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in state.items() if _unit(name) == unit}


def _begin(place: Path, what: tuple[str, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (sys.executable, "-m", "synth", *what), cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def _run(place: Path, what: tuple[str, ...]) -> None:
    process = _begin(place, what)
    if process.wait(300) != 0:
        raise SystemExit(f"{' '.join(what)} ended with {process.returncode}")


def _clear(place: Path, what: tuple[str, ...]) -> None:
    """Take away what a command wrote, but for the good year, which the others read."""
    if what != MAKE:
        shutil.rmtree(place / "again", ignore_errors=True)
        (place / "again.html").unlink(missing_ok=True)
