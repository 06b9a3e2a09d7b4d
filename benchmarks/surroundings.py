"""The same bytes wherever: files made in many surroundings, held against those made in this one.

    python benchmarks/surroundings.py [--only WORDS] [--python PATH ...] [--short]

Each surrounding is a process with other variables, cores, processor features, or (--python) another interpreter with
its own versions of libraries. It makes both returns of all Wales for every year, exact, and of two authorities in
sampled mode in the other collection with people, extract, formats, mistakes, tables and report, and two worlds
(--short: only the last two). Printed is a line for each: the seconds it took, and whether its bytes are the same.
Exit code 1 if any are not. Interpreters are held to the files that no library has a part in: all but Parquet, workbooks
and databases, and what tells of versions or of those files (manifests, the descriptions of a dataset).

Processors are only played: OpenBLAS is told that it has an older one, numpy and the C library that features are
missing. For the mathematics of other systems a few of numpy's logarithms and powers are made to be off by the last
place.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import locale
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Surrounding", "look", "made_in", "other_files", "surroundings"]

TWO = ("--authorities", "Merthyr Tydfil,Powys", "--quiet")
WALES = (("generate", "--years", "2017-2025", "--quiet", "--out", "wales"),)
PARTS = (
    ("generate", "--years", "2022-2023", *TWO, "--mode", "sampled", "--collection", "all-year", "--people",
     "--extract", "sail", "--format", "parquet,xlsx,sqlite", "--out", "two"),
    ("generate", "--year", "2024", *TWO, "--collection", "census-date", "--out", "two"),
    ("spoil", "two/2022", "--out", "spoilt"),
    ("tables", "two/2023", "--out", "tables"),
    ("report", "two", "--out", "report.html"),
    ("generate", "--year", "2023", *TWO, "--scale", "2", "--workers", "{workers}", "--out", "worlds"),
)  # fmt: skip
RUN = """
import json, sys
from synth.cli import main
if __name__ == "__main__":
    for line in json.loads(sys.argv[1]):
        if status := main(line, prog_name="synth", standalone_mode=False):
            sys.exit(f"{line}: exit status {status}")
"""
FEATURES = """
try:
    from numpy._core._multiarray_umath import __cpu_dispatch__ as names
except ImportError:
    from numpy.core._multiarray_umath import __cpu_dispatch__ as names
print(*names)
"""
LAST_PLACE = """
import numpy as np
def off(function):
    def other(*given, **named):
        found = np.asarray(function(*given, **named))
        if found.dtype != np.float64:
            return found[()]
        drawn = np.atleast_1d(found).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        hit = ((drawn >> np.uint64(11)).astype(float) * 2.0**-53 < {share}).reshape(found.shape)
        way = np.where(drawn & np.uint64(1024), np.inf, -np.inf).reshape(found.shape)
        moved = np.where(hit & np.isfinite(found), np.nextafter(found, way), found)
        if (out := named.get("out")) is not None:
            out[...] = moved
            return out
        return moved[()]
    return other
np.log, np.exp = off(np.log), off(np.exp)
"""
LOCALES = ("C", "C.UTF-8", "cy_GB.UTF-8", "tr_TR.UTF-8", "de_DE.UTF-8")
CORES = ("Prescott", "Nehalem", "Haswell", "SkylakeX")
OF_LIBRARIES = (".parquet", ".xlsx", ".sqlite")
OF_VERSIONS = ("manifest.json", "datapackage.json", "dcat.jsonld", "report.html")


class Surrounding(NamedTuple):
    """What is other than here: environment variables, cores (0: all), processes of a dataset, the interpreter.

    `begin` is code that runs before anything else; `folder` is the name of the folder in which files are made.
    """

    name: str
    variables: dict[str, str]
    cores: int = 0
    workers: int = 2
    begin: str = ""
    folder: str = "here"
    python: str = sys.executable


def has_locale(name: str) -> bool:
    """Say whether this machine knows a locale; a process asked for another runs as in locale C."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_ALL, before)
    return True


def surroundings() -> list[Surrounding]:
    """Return all surroundings but other interpreters."""
    asked = subprocess.run([sys.executable, "-c", FEATURES], capture_output=True, check=True, text=True)
    bare = {"NPY_DISABLE_CPU_FEATURES": asked.stdout.strip()}
    plain = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"}
    oldest = bare | plain | {"OPENBLAS_CORETYPE": "Prescott"}
    own = {"PYTHONCOERCECLOCALE": "0"}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")
    each: list[tuple[str, dict[str, str]]] = [
        *((f"{place} time", {"TZ": place}) for place in ("Pacific/Kiritimati", "America/Anchorage")),
        *((f"locale {name}", {"LC_ALL": name}) for name in LOCALES if has_locale(name)),
        ("locale C, no UTF-8", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"} | own),
        *((f"hash seed {seed}", {"PYTHONHASHSEED": seed}) for seed in ("0", "1", "4294967295")),
        *((f"{n} threads", dict.fromkeys(threads, str(n))) for n in (1, 2, 4)),
        *((f"OpenBLAS for {core}", {"OPENBLAS_CORETYPE": core}) for core in CORES),
        ("numpy without vector features", bare),
        ("C library without AVX and FMA", plain),
        ("oldest processor, 4 threads", oldest | dict.fromkeys(threads, "4")),
        ("no assertions, no docstrings", {"PYTHONOPTIMIZE": "2"}),
        ("memory filled before use", {"MALLOC_PERTURB_": "165", "PYTHONMALLOC": "debug"}),
        ("narrow dumb terminal", {"COLUMNS": "20", "TERM": "dumb", "NO_COLOR": "1"}),
    ]  # fmt: skip
    return [
        *(Surrounding(*one) for one in each),
        Surrounding("one core, one worker", {}, cores=1, workers=1),
        Surrounding("another folder", {}, folder="mân ffeiliau 文 " + "x" * 60),
        *(
            Surrounding(f"{share:.1%} of logarithms off in the last place", {}, begin=LAST_PLACE.format(share=share))
            for share in (0.001, 0.01)
        ),
    ]


def made_in(around: Surrounding, place: Path, jobs: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Make files in a surrounding and return the digest of each by its path; `place` is left without them.

    Raises RuntimeError with what was said where a command does not end well.
    """
    place /= around.folder
    place.mkdir(parents=True)
    variables = os.environ | around.variables
    if around.begin:
        code = place.parent / "begin"
        code.mkdir(exist_ok=True)
        (code / "sitecustomize.py").write_text(around.begin, "utf-8")
        variables["PYTHONPATH"] = os.pathsep.join((str(code), variables.get("PYTHONPATH", "")))
    lines = [[word.format(workers=around.workers) for word in line] for line in jobs]
    before: Callable[[], None] | None = None
    if around.cores:
        before = partial(os.sched_setaffinity, 0, sorted(os.sched_getaffinity(0))[: around.cores])
    program = place.parent / "commands.py"
    program.write_text(RUN, "utf-8")
    ended = subprocess.run(
        [around.python, program, json.dumps(lines)], cwd=place, env=variables, preexec_fn=before, check=False,
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    if ended.returncode:
        raise RuntimeError((ended.stderr or ended.stdout).strip()[-300:] or f"exit status {ended.returncode}")
    files = sorted(path for path in place.rglob("*") if path.is_file())
    found = {path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    shutil.rmtree(place)
    return found


def other_files(one: dict[str, str], other: dict[str, str], *, libraries: bool = True) -> list[str]:
    """Return the paths that only one has or whose bytes differ; without `libraries` those that these make left out."""
    paths = (path for path in sorted(one.keys() | other.keys()) if one.get(path) != other.get(path))
    return [path for path in paths if libraries or not path.endswith((*OF_LIBRARIES, *OF_VERSIONS))]


def look(
    only: str = "", pythons: Iterable[str] = (), *, short: bool = False, tell: Callable[[str], None] = lambda _: None
) -> tuple[int, list[str]]:
    """Try the surroundings with some words in their names and return how many, and a line for each with other bytes."""
    jobs = PARTS if short else WALES + PARTS
    around = [one for one in surroundings() if only in one.name]
    around += [Surrounding(path, {}, python=path) for path in pythons]
    with tempfile.TemporaryDirectory() as folder:
        here = made_in(Surrounding("here", {}), Path(folder), jobs)
        tell(f"{len(here)} files made here")
        findings = list(_tried(around, here, Path(folder), jobs, tell))
    return len(around), findings


def _tried(
    around: Iterable[Surrounding],
    here: dict[str, str],
    folder: Path,
    jobs: Iterable[tuple[str, ...]],
    tell: Callable[[str], None],
) -> Iterator[str]:
    """Try surroundings and give a line for each in which something is other than here."""
    for one in around:
        begun, wrong = time.perf_counter(), ""
        try:
            other = other_files(here, made_in(one, folder, jobs), libraries=one.python == sys.executable)
            wrong = f"{len(other)} files, first {other[0]}" if other else ""
        except RuntimeError as problem:
            wrong = f"ended with: {problem}"
            shutil.rmtree(folder / one.folder)
        tell(f"{one.name:<48}{time.perf_counter() - begun:>7.1f} s  {f'NO: {wrong}' if wrong else 'same bytes'}")
        if wrong:
            yield f"{one.name}: {wrong}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only surroundings with these words in their names")
    parser.add_argument("--python", action="append", default=[], help="another interpreter that has the package")
    parser.add_argument("--short", action="store_true", help="two authorities and two worlds, not all Wales")
    asked = parser.parse_args()
    tried, findings = look(asked.only, asked.python, short=asked.short, tell=partial(print, flush=True))
    for name in LOCALES:
        if not has_locale(name):
            print(f"locale {name}: not on this machine")
    print(f"{tried} surroundings, {len(findings)} with other bytes")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
