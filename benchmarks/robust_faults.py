"""Faults: commands whose disk, folder, memory, clock or surroundings fail them, and commands that are ended midway.

After each, folders must be whole or absent, what stood there before must stand, what the user keeps beside must be
untouched, nothing unfinished may be left, and the message must be one, with the right exit code.
"""

# ruff: noqa: E501, PLW1509  whole commands in a line; limits are set in a process of one thread

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

__all__ = ["AGAIN", "FAULTS", "MAKE", "good_folder", "state_of"]

MAKE = ("generate", "--authorities", "Merthyr Tydfil", "--year", "2017", "--out", "out")
"""A year that is simulated in about a second."""
AGAIN = (
    ("convert", "out/2017", "--format", "csv,xlsx,parquet,sqlite", "--out", "again"),
    ("spoil", "out/2017", "--out", "again"),
    ("tables", "out/2017", "--out", "again"),
    ("report", "out/2017", "--out", "again.html"),
    (
        "generate",
        "--authorities",
        "Merthyr Tydfil",
        "--years",
        "2017-2018",
        "--people",
        "--format",
        "xlsx",
        "--out",
        "again",
    ),
    (
        "generate",
        "--authorities",
        "Merthyr Tydfil",
        "--year",
        "2017",
        "--scale",
        "2",
        "--workers",
        "1",
        "--out",
        "again",
    ),
)
MINE = "my notes.txt"
_PATIENCE = 120


def _begin(place: Path, *what: str, limit: tuple[int, int] | None = None, **surroundings: str) -> subprocess.Popen[str]:
    def limited() -> None:
        if limit:
            resource.setrlimit(limit[0], (limit[1], limit[1]))

    # To the superuser no folder is read-only, unless this is taken away.
    bound = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if surroundings.pop("bound", "") else ()
    return subprocess.Popen(
        (*bound, sys.executable, "-m", "synth", *what), cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        errors="replace", env={**os.environ, **surroundings}, preexec_fn=limited,
    )  # fmt: skip


def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        _, said = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return 0, "Traceback: it did not end"
    return process.returncode, said


def state_of(place: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path there."""
    files = (path for path in sorted(place.rglob("*")) if path.is_file())
    return {path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def good_folder(place: Path, *more: str) -> dict[str, str]:
    """Make a year and something of the user's, and return what stands there, as `state_of` does."""
    place.chmod(0o777)
    (place / MINE).write_text("keep me", "utf-8")
    status, said = _end(_begin(place, *(more or MAKE)))
    if status:
        raise SystemExit(f"the good files could not be made: {said}")
    return state_of(place)


def _told(status: int, said: str, codes: tuple[int, ...]) -> str:
    """Say what is wrong with how a command ended."""
    if "Traceback" in said or "panicked" in said:
        return f"traceback: {said.strip().splitlines()[-1][:150]}"
    if status not in codes:
        return f"exit code {status}: {said.strip()[-150:]!r}"
    return "" if status == 0 or said.strip() else "no message"


def _kept(before: dict[str, str], place: Path, new: str = "again") -> str:
    """Say what is wrong with the files: changed ones, and unfinished ones left."""
    after = state_of(place)
    if lost := [name for name, digest in before.items() if after.get(name) != digest]:
        return f"{lost[0]} was changed or lost"
    left = [name for name in after if name not in before]
    # Of a dataset every world that is finished stays; of all else nothing.
    odd = [name for name in left if not name.startswith(f"{new}/year=") or "/." in name]
    return f"{odd[0]} is left" if odd else ""


def _full(place: Path, rng: Random) -> Iterator[tuple[str, bool]]:
    before = good_folder(place)
    for what in AGAIN:
        limit = rng.choice((0, 1, 1000, 4096, 20_000, 100_000))
        status, said = _end(_begin(place, *what, limit=(resource.RLIMIT_FSIZE, limit)))
        wrong = _told(status, said, (0, 2)) or (_kept(before, place) if status else "")
        yield wrong and f"{what[0]}, files of {limit} bytes: {wrong}", status != 0
        _remove(place)


def _remove(place: Path) -> None:
    import shutil  # noqa: PLC0415

    shutil.rmtree(place / "again", ignore_errors=True)
    (place / "again.html").unlink(missing_ok=True)


def _read_only(place: Path, rng: Random) -> Iterator[tuple[str, bool]]:
    before = good_folder(place)
    place.chmod(0o555)
    for what in (rng.choice(AGAIN), *AGAIN[:3]):
        status, said = _end(_begin(place, *what, bound="yes" if os.geteuid() == 0 else ""))
        wrong = _told(status, said, (2,)) or _kept(before, place)
        yield wrong and f"{what[0]}: {wrong}", True
    place.chmod(0o777)


def _ended(place: Path, rng: Random, sign: signal.Signals, codes: tuple[int, ...]) -> Iterator[tuple[str, bool]]:
    """End commands that replace a good folder at some moment."""
    before = good_folder(place)
    for _ in range(4):
        process = _begin(place, *MAKE, "--seed", "5")
        time.sleep(rng.uniform(0.5, 3))
        process.send_signal(sign)
        status, said = _end(process)
        after = state_of(place)
        whole = after.get("out/2017/manifest.json") == before["out/2017/manifest.json"]
        wrong = _told(status, said, codes) or (_kept(before, place) if whole else "")
        status, said = _end(_begin(place, *MAKE))
        wrong = wrong or _told(status, said, (0,)) or ("other bytes" if state_of(place) != before else "")
        yield wrong and f"{sign.name}: {wrong}", True


def _interrupted(place: Path, rng: Random) -> Iterator[tuple[str, bool]]:
    # Python ends itself by the signal where it came while code was being made (exec): a shell says 130 either way.
    yield from _ended(place, rng, signal.SIGINT, (0, 130, -signal.SIGINT))


def _politely(place: Path, rng: Random) -> Iterator[tuple[str, bool]]:
    yield from _ended(place, rng, signal.SIGTERM, (0, 143, -15))


def _two(place: Path, rng: Random) -> Iterator[tuple[str, bool]]:
    """Let two runs write into one folder: one of the two stands in the end, whole."""
    states = [good_folder(place, *MAKE, "--seed", seed) for seed in ("5", "6")]
    one = _begin(place, *MAKE, "--seed", "5")
    time.sleep(rng.uniform(0, 0.3))
    two = _begin(place, *MAKE, "--seed", "6")
    ends = [_end(one), _end(two)]
    wrong = next((told for status, said in ends if (told := _told(status, said, (0, 2)))), "")
    if not wrong and state_of(place) not in states:
        wrong = "what stands there is neither's"
    yield wrong, any(status for status, _ in ends)


def _surroundings(place: Path, _: Random) -> Iterator[tuple[str, bool]]:
    """Change what no file may depend on."""
    before = good_folder(place)
    clock = place / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(
        "import time\ntime.time = lambda: 4e9\ntime.time_ns = lambda: 4 * 10**18\n", "utf-8"
    )
    before |= {"clock/sitecustomize.py": state_of(place)["clock/sitecustomize.py"]}
    changes: tuple[dict[str, str], ...] = (
        {"TZ": "Pacific/Kiritimati"}, {"TZ": "America/Anchorage"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LC_ALL": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "4294967295"}, {"SOURCE_DATE_EPOCH": "0"}, {"COLUMNS": "20", "TERM": "dumb"},
        {"PYTHONPATH": f"{clock}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", "PYTHONDONTWRITEBYTECODE": "1"},
        {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    for change in changes:
        status, said = _end(_begin(place, *MAKE, **change))
        wrong = _told(status, said, (0,)) or ("other bytes" if state_of(place) != before else "")
        yield wrong and f"{change}: {wrong}", False


def _low_memory(place: Path, rng: Random) -> Iterator[tuple[str, bool]]:
    before = good_folder(place)
    for what in AGAIN:
        room = rng.choice((60, 160, 300, 900, 1200, 1600, 2000)) * 1_000_000
        status, said = _end(_begin(place, *what, limit=(resource.RLIMIT_AS, room), POLARS_MAX_THREADS="1"))
        # Too little is refused at once. Libraries that find none later may end the process; files are as they were.
        wrong = "" if status == 0 else _kept(before, place)
        if status and not said.strip():
            wrong = wrong or f"exit code {status} without a message"
        if status in {0, 1, 2}:
            wrong = wrong or _told(status, said, (0, 2))
        yield wrong and f"{what[0]}, {room / 1e6:.0f} MB: {wrong}", status != 0
        _remove(place)


FAULTS: dict[str, Callable[[Path, Random], Iterator[tuple[str, bool]]]] = {
    "disk full": _full,
    "folder read-only": _read_only,
    "interrupted (Ctrl-C)": _interrupted,
    "ended politely": _politely,
    "two runs at once": _two,
    "clock, place, hash seed": _surroundings,
    "low memory": _low_memory,
}
