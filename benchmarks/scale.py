"""What many worlds cost: beside the mere writing of them, with more of them, to check them, and beside SDV.

    python benchmarks/scale.py [--worlds 1 10 100] [--runs 3] [--rows 50000] [--sdv PYTHON] [--children 1000]

Everything is measured in one run and set in proportion: the ratios hold when the machine's speed drifts, the seconds
do not. `synth generate --authorities 22 --year 2023 --scale K` runs as a whole process with a worker for each core.
Rows are those of the five forms. Printed are

    writing       rows a second of generate, as Parquet and as CSV, at up to 10 worlds, beside the floor: the finished
                  tables, in memory as polars frames, written by as many processes as there are workers, one thread
                  each, with the same settings. Runs of both take turns. Starting, reading and the manifests are not
                  part of the floor; nothing is forced onto the disk in either.
    growth        seconds and peak memory for each number of worlds (as Parquet; `--runs` runs of up to 10, one of
                  more), with bars. Off line: a world's seconds above or below those of the first number of worlds
                  that keeps all workers busy, which is run before and after each. Peak memory is the largest sum of
                  the resident sets of the process and all its descendants, looked up every 20 ms; pages they share
                  count once for each. Only on Linux.
    validating    rows a second of `synth validate` on one world, as a whole process, and on the dataset if it takes it
    SDV           with --sdv, an interpreter that has it: see beside_sdv.py
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from beside_sdv import beside_sdv
from processes import Run, run

if TYPE_CHECKING:
    from threading import Barrier

WORKERS = os.cpu_count() or 1
SEVERAL = 10
"""So many worlds are made more than once, and held in memory for the floor."""
BLOCK = 4
"""Worlds that a worker lives side by side."""
BAR = 30


def generate(worlds: int, form: str, out: Path) -> Run:
    """Make a dataset where there is none."""
    shutil.rmtree(out, ignore_errors=True)
    scale = ("--scale", str(worlds), "--format", form, "--workers", str(WORKERS))
    what = ("--authorities", "22", "--year", "2023", *scale, "--quiet", "--out", str(out))
    return run(sys.executable, "-m", "synth", "generate", *what, quiet=False)


def rows_of(dataset: Path) -> int:
    """Return the rows of a dataset's forms, as its manifest tells."""
    rows: dict[str, int] = json.loads((dataset / "manifest.json").read_text("utf-8"))["rows"]
    return sum(count for form, count in rows.items() if form != "postcodes")


def worlds_of(dataset: Path) -> list[Path]:
    return sorted(dataset.glob("year=*/world=*"))


def write_again(worlds: list[Path], form: str, out: Path, together: Barrier) -> None:
    """Read the tables of some worlds, wait for the other writers, write them, and wait for the others again."""
    import polars as pl  # noqa: PLC0415

    frames = {
        out / place.name / file.name: pl.read_parquet(file, hive_partitioning=False)
        if form == "parquet"
        else pl.read_csv(file, infer_schema=False)
        for place in worlds
        for file in sorted(place.glob(f"*.{form}"))
    }
    together.wait()
    for path, frame in frames.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "parquet":
            frame.write_parquet(path, compression="zstd", compression_level=1)
        else:
            frame.write_csv(path)
    together.wait()


def floor(dataset: Path, form: str, out: Path) -> float:
    """Return the seconds in which the tables of a dataset are written from memory."""
    context = get_context("spawn")
    together = context.Barrier(WORKERS + 1)
    places = worlds_of(dataset)
    writers = [
        context.Process(target=write_again, args=(places[first::WORKERS], form, out, together), daemon=True)
        for first in range(WORKERS)
    ]
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    for writer in writers:
        writer.start()
    together.wait(600)
    begun = time.perf_counter()
    together.wait(600)
    seconds = time.perf_counter() - begun
    for writer in writers:
        writer.join()
    if before is None:
        del os.environ["POLARS_MAX_THREADS"]
    else:
        os.environ["POLARS_MAX_THREADS"] = before
    shutil.rmtree(out)
    return seconds


def spread(values: list[float], digits: int = 1) -> str:
    """Return the median, with the lowest and highest where there are several."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def writing(worlds: int, runs: int, folder: Path) -> None:
    """Print what generating costs beside the writing alone; the datasets stay in the folder."""
    made: dict[str, list[Run]] = {}
    for form in ("parquet", "csv"):
        dataset = folder / f"{form}-{worlds}"
        made[form], floors = [], []
        for _ in range(runs):
            made[form].append(generate(worlds, form, dataset))
            floors.append(floor(dataset, form, folder / "floor"))
        rows = rows_of(dataset)
        seconds = [one.seconds for one in made[form]]
        ratios = [whole / alone for whole, alone in zip(seconds, floors, strict=True)]
        print(
            f"{form}, {worlds} worlds, {rows:,} rows, {WORKERS} workers:"
            f" generate {rows / statistics.median(seconds):,.0f} rows/s in {spread(seconds)} s;"
            f" the writing alone {rows / statistics.median(floors):,.0f} rows/s in {spread(floors, 2)} s"
        )
        print(f"    generating and writing costs {spread(ratios)} times the writing alone", flush=True)
    parquet, plain = (statistics.median(one.seconds for one in made[form]) for form in ("parquet", "csv"))
    print(f"    generate as CSV takes {plain / parquet:.2f} times as long as as Parquet")


def growth(numbers: list[int], runs: int, folder: Path) -> None:
    """Print seconds and peak memory by number of worlds, with bars."""
    base = next((worlds for worlds in numbers if worlds > BLOCK * (WORKERS - 1)), numbers[-1])

    def made(worlds: int) -> Run:
        return generate(worlds, "parquet", folder / "more")

    print(f"{'worlds':>7}{'seconds':>9}{'a world':>9}{'off line':>10}{'CPU a world':>13}{'off line':>10}{'peak MB':>9}")
    each, peaks = {}, {}
    for worlds in numbers:
        found, walls, cpus = [], [], []
        for _ in range(runs if worlds <= SEVERAL else 1):
            before, now, after = made(base), made(worlds), made(base)
            found.append(now)
            walls.append(now.seconds / worlds / (before.seconds + after.seconds) * 2 * base - 1)
            cpus.append(now.cpu / worlds / (before.cpu + after.cpu) * 2 * base - 1)
        seconds, cpu = (statistics.median(getattr(one, what) for one in found) for what in ("seconds", "cpu"))
        each[worlds], peaks[worlds] = seconds / worlds, max(one.peak or 0 for one in found)
        off, off_cpu = (f"{statistics.median(values):+.0%}" for values in (walls, cpus))
        line = f"{worlds:>7}{seconds:>9.1f}{each[worlds]:>9.2f}{off:>10}{cpu / worlds:>13.2f}{off_cpu:>10}"
        print(line + (f"{peaks[worlds]:>9.0f}" if peaks[worlds] else f"{'?':>9}"), flush=True)
    for name, values in (("seconds a world", each), ("peak MB", peaks)):
        print(f"  {name}")
        for worlds in numbers:
            print(f"{worlds:>7} |{'#' * round(BAR * values[worlds] / (max(values.values()) or 1))}")
    sys.stdout.flush()


def speed_of(dataset: Path) -> float:
    """Return the rows a second at which a dataset in Parquet is made again."""
    return rows_of(dataset) / generate(len(worlds_of(dataset)), "parquet", dataset).seconds


def validating(dataset: Path, runs: int) -> None:
    """Print rows a second of the validator on one world and on a dataset."""
    command = (sys.executable, "-m", "synth", "validate", "--rows", "0")
    place = worlds_of(dataset)[0]
    told = json.loads((place / "manifest.json").read_text("utf-8"))["files"]
    rows = sum(file["rows"] for name, file in told.items() if "postcodes" not in name)
    made = speed_of(dataset)
    seconds = [run(*command, str(place)).seconds for _ in range(runs)]
    speed = rows / statistics.median(seconds)
    print(f"one world, {rows:,} rows: {speed:,.0f} rows/s in {spread(seconds)} s, {speed / made:.1f} times generate's")
    whole = run(*command, str(dataset), allowed=range(256))
    if whole.status not in (0, 1):
        print("the dataset: not measured, synth validate takes no dataset")
        return
    rows = rows_of(dataset)
    speed = rows / whole.seconds
    print(
        f"the dataset, {rows:,} rows: {speed:,.0f} rows/s in {whole.seconds:.1f} s, {speed / made:.1f} times generate's"
        f"; peak {whole.peak or 0:.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, nargs="+", default=[1, 10, 100], metavar="K")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sdv", default=os.environ.get("SDV_PYTHON"), metavar="PYTHON")
    parser.add_argument("--rows", type=int, default=50_000, help="rows that the Gaussian copula samples")
    parser.add_argument("--children", type=int, default=1000, help="children on whom HMA is fitted")
    chosen = parser.parse_args()
    several = max((worlds for worlds in chosen.worlds if worlds <= SEVERAL), default=min(chosen.worlds))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("== writing")
        writing(several, chosen.runs, folder)
        print("\n== growth")
        growth(sorted(set(chosen.worlds)), chosen.runs, folder)
        dataset = folder / f"parquet-{several}"
        print("\n== validating")
        validating(dataset, chosen.runs)
        print("\n== SDV")
        if chosen.sdv is None:
            print("not measured: pip install sdv into an environment of its own and name its interpreter with --sdv")
            return
        world = worlds_of(folder / f"csv-{several}")[0]
        beside_sdv(chosen.sdv, world, chosen.rows, chosen.children, folder, lambda: speed_of(dataset))


if __name__ == "__main__":
    main()
