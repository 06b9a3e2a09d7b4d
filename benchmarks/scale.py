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
                  more), with bars. Off line: seconds a world above or below those of the first number of worlds that
                  keeps all workers busy. Peak memory is the largest sum of the resident sets of the process and all
                  its descendants, looked up every 20 ms; pages they share count once for each. Only on Linux.
    validating    rows a second of `synth validate` on one world, as a whole process, and on the dataset if it takes it
    SDV           with --sdv, an interpreter that has `sdv` (`pip install sdv` into an environment of its own, a CPU
                  build of torch before it): rows a second of sampling alone, in memory, by GaussianCopulaSynthesizer
                  (20 columns of CRCS, fitted on one world) and by HMASynthesizer (four CLA tables related by child,
                  fitted on --children children of one world, as many sampled), with their default settings; fitting
                  apart. Then the share of the sampled children in whom `synth validate` finds an error. Columns that
                  were left out (identifiers that encode others, postcodes, free text, most needs) stay blank, and
                  rules that these blanks alone break, in synth's own tables, are not counted. Authority and year
                  are put back into tables that would contradict each other, episodes numbered in order of start.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Barrier

WORKERS = os.cpu_count() or 1
SEVERAL = 10
"""So many worlds are made more than once, and held in memory for the floor."""
BLOCK = 4
"""Worlds that a worker lives side by side."""
BAR = 30
LOOK = 0.02
ERRORS = 1
CRCS = (
    "LOCAL_AUTHORITY_CODE CHILD_CODE DATE_OF_BIRTH GENDER ETHNIC_ORIGIN_CODE ASYLUM_SEEKER_CODE"
    " CHILD_PROTECTION_REGISTER CPR_DATE CPR_NEGLECT CPR_PHYSICAL_ABUSE CPR_SEXUAL_ABUSE CPR_FINANCIAL_ABUSE"
    " CPR_EMOTIONAL_ABUSE LOOKED_AFTER_CHILD CATEGORY_OF_NEED_CODE LANGUAGE YOUTH_OFFENDING HEALTH_DENTAL_CHECK"
    " HEALTH_SUBSTANCE_MISUSE HEALTH_MENTAL_HEALTH"
)
CLA = {
    "child": "LOCAL_AUTHORITY_CODE SYSTEM_ID DOB GNDR_CD ETHNICITY DISABILITY_CODE ASYLUM DATE_CEASED_UASC",
    "episode": "SYSTEM_ID EPISODE_START_DATE REASON_EPISODE_STARTED_CODE LEGAL_STATUS_CODE CATEGORY_OF_NEED_CODE"
    " PLACEMENT_TYPE_CODE EPISODE_END_DATE REASON_EPISODE_FINISHED_CODE",
    "adoption": "SYSTEM_ID DATE_LATEST_CARE DATE_DECISION DATE_MATCH DATE_PLACED DATE_ADOPTED FOSTER_CARE NB_ADOPTR"
    " SEX_ADOPTR LS_ADOPTR",
    "care_leaver": "SYSTEM_ID DATE_CEASED ACCOM ACTIV CATEGORY_YP PATHWAY_PLAN PERSONAL_ADVISER",
}
"""Columns that SDV is given; those of the other returns follow from the child's or encode another."""
GIVEN = {"crcs": {"crcs": CRCS.split()}, "cla": {form: columns.split() for form, columns in CLA.items()}}
KEYS = {"crcs": "CHILD_CODE", "cla": "SYSTEM_ID"}
FILE = {"crcs": "synthetic_crcs.csv"} | {form: f"synthetic_cla_{form}.csv" for form in CLA}

Rows = list[dict[str, str]]


class Run(NamedTuple):
    """A finished process: wall seconds, peak memory of its tree in MB (None where unknown), what it printed."""

    seconds: float
    peak: float | None
    status: int
    out: str


def resident(process: int) -> int:
    """Return the resident memory of a process and its descendants in bytes, 0 where the system does not tell."""
    total, waiting = 0, [process]
    while waiting:
        place = Path("/proc", str(waiting.pop()))
        try:
            total += int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for thread in (place / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (OSError, IndexError):  # ended meanwhile, or no such system
            continue
    return total


def run(*command: str, allowed: Iterable[int] = (0,), quiet: bool = True) -> Run:
    """Run a command to its end and watch its memory; any exit status but the allowed ones ends this run too."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        begun, peak = time.perf_counter(), 0
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL if quiet else None)
        while True:
            peak = max(peak, resident(process.pid))
            try:
                status = process.wait(LOOK)
                break
            except subprocess.TimeoutExpired:
                continue
        seconds = time.perf_counter() - begun
        if status not in allowed:
            raise SystemExit(f"{' '.join(command)}: exit status {status}")
        out.seek(0)
        return Run(seconds, peak / 1e6 or None, status, out.read())


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


def writing(worlds: int, runs: int, folder: Path) -> dict[str, list[Run]]:
    """Print what generating costs beside the writing alone, and return the runs of each format."""
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
    return made


def growth(runs: dict[int, list[Run]]) -> None:
    """Print seconds and peak memory by number of worlds, with bars."""
    seconds = {worlds: statistics.median(one.seconds for one in of) for worlds, of in runs.items()}
    each = {worlds: whole / worlds for worlds, whole in seconds.items()}
    peaks = {worlds: max(one.peak or 0 for one in of) for worlds, of in runs.items()}
    base = next((worlds for worlds in sorted(runs) if worlds > BLOCK * (WORKERS - 1)), max(runs))
    print(f"{'worlds':>7}{'seconds':>9}{'a world':>9}{'off line':>10}{'peak MB':>9}")
    for worlds in sorted(runs):
        off = f"{each[worlds] / each[base] - 1:+.0%}" if worlds != base else "0"
        peak = f"{peaks[worlds]:.0f}" if peaks[worlds] else "?"
        print(f"{worlds:>7}{seconds[worlds]:>9.1f}{each[worlds]:>9.2f}{off:>10}{peak:>9}")
    for name, values in (("seconds a world", each), ("peak MB", peaks)):
        print(f"  {name}")
        for worlds in sorted(runs):
            print(f"{worlds:>7} |{'#' * round(BAR * values[worlds] / (max(values.values()) or 1))}")
    sys.stdout.flush()


def validating(dataset: Path, made: float, runs: int) -> None:
    """Print rows a second of the validator on one world and on a dataset made at `made` rows a second."""
    command = (sys.executable, "-m", "synth", "validate", "--rows", "0")
    place = worlds_of(dataset)[0]
    told = json.loads((place / "manifest.json").read_text("utf-8"))["files"]
    rows = sum(file["rows"] for name, file in told.items() if "postcodes" not in name)
    seconds = [run(*command, str(place)).seconds for _ in range(runs)]
    speed = rows / statistics.median(seconds)
    print(f"one world, {rows:,} rows: {speed:,.0f} rows/s in {spread(seconds)} s, {speed / made:.1f} times generate's")
    whole = run(*command, str(dataset), allowed=range(256))
    if whole.status > ERRORS:
        print("the dataset: not measured, synth validate takes no dataset")
        return
    rows = rows_of(dataset)
    speed = rows / whole.seconds
    print(
        f"the dataset, {rows:,} rows: {speed:,.0f} rows/s in {whole.seconds:.1f} s, {speed / made:.1f} times generate's"
        f"; peak {whole.peak or 0:.0f} MB",
        flush=True,
    )


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write(path: Path, headings: Iterable[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(headings), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def sample_by_sdv(folder: str, return_: str, rows: int) -> None:
    """Fit SDV on the tables in a folder, sample, write the tables in their place and print the seconds as JSON."""
    import pandas as pd  # noqa: PLC0415
    from sdv.metadata import Metadata  # noqa: PLC0415
    from sdv.multi_table import HMASynthesizer  # noqa: PLC0415
    from sdv.single_table import GaussianCopulaSynthesizer  # noqa: PLC0415

    given, key = GIVEN[return_], KEYS[return_]
    data = {form: pd.read_csv(Path(folder, FILE[form]), dtype=str, usecols=given[form]) for form in given}

    def kind(name: str) -> dict[str, str]:
        if name == key:
            return {"sdtype": "id", "regex_format": "SYN[0-9A-Z]{7}"}
        if name == "DOB" or "DATE" in name:
            return {"sdtype": "datetime", "datetime_format": "%d/%m/%Y"}
        return {"sdtype": "categorical"}

    tables = {form: {"columns": {name: kind(name) for name in columns}} for form, columns in given.items()}
    main = next(iter(tables))
    tables[main]["primary_key"] = key
    related = [
        {"parent_table_name": main, "child_table_name": form, "parent_primary_key": key, "child_foreign_key": key}
        for form in tables
        if form != main
    ]
    about = {"METADATA_SPEC_VERSION": Metadata.METADATA_SPEC_VERSION, "tables": tables, "relationships": related}
    metadata = Metadata.load_from_dict(about)
    model = HMASynthesizer(metadata, verbose=False) if related else GaussianCopulaSynthesizer(metadata)
    begun = time.perf_counter()
    model.fit(data)
    fitted = time.perf_counter()
    sampled = model.sample(rows, main_table_name=main)
    done = time.perf_counter()
    for form, table in sampled.items():
        table.to_csv(Path(folder, FILE[form]), index=False)
    rows = sum(map(len, sampled.values()))
    print(json.dumps({"fit": fitted - begun, "sample": done - fitted, "rows": rows}))


def broken(folder: Path) -> set[tuple[str, str]]:
    """Return pairs of child and rule in which `synth validate` finds an error."""
    found = run(sys.executable, "-m", "synth", "validate", "--format", "csv", str(folder), allowed=(0, ERRORS))
    return {
        (line["child"], line["rule"])
        for line in csv.DictReader(found.out.splitlines())
        if line["severity"] == "error" and line["line"]
    }


def completed(return_: str, tables: dict[str, Rows]) -> dict[str, Rows]:
    """Put back into sampled tables what follows from the others: year, authority, numbers of episodes."""
    key = KEYS[return_]
    main = next(iter(tables))
    home = {row[key]: row["LOCAL_AUTHORITY_CODE"] for row in tables[main]}
    for rows in tables.values():
        for row in rows:
            row |= {"YEAR_CODE": "202223", "LOCAL_AUTHORITY_CODE": home[row[key]]}
    numbers: dict[str, int] = {}
    episodes = tables.get("episode", [])
    episodes.sort(key=lambda row: (row[key], row["EPISODE_START_DATE"].split("/")[::-1]))
    for row in episodes:
        numbers[row[key]] = numbers.get(row[key], 0) + 1
        row["EPISODE_NUMBER"] = str(numbers[row[key]])
    return tables


def beside_sdv(python: str, world: Path, made: float, rows: int, children: int, folder: Path) -> None:
    """Print how fast SDV samples, and in how many of its children a rule is broken."""
    for return_, name in (("crcs", "Gaussian copula"), ("cla", "HMA")):
        given, key = GIVEN[return_], KEYS[return_]
        own = {form: read(world / FILE[form]) for form in given}
        headings = {form: list(table[0]) for form, table in own.items()}
        main = next(iter(given))
        if return_ == "cla":
            everyone = [row[key] for row in own[main]]
            part = set(random.Random(1).sample(everyone, min(children, len(everyone))))  # noqa: S311
            own = {form: [row for row in table if row[key] in part] for form, table in own.items()}
        cut = {form: [{column: row[column] for column in given[form]} for row in table] for form, table in own.items()}
        place = folder / f"sdv-{return_}"
        place.mkdir()
        for form, table in cut.items():
            write(place / FILE[form], given[form], table)
        wanted = rows if return_ == "crcs" else len(own[main])
        told = run(python, "-W", "ignore", __file__, "--sample", str(place), return_, str(wanted), quiet=False)
        sdv = json.loads(told.out.splitlines()[-1])
        speed = sdv["rows"] / sdv["sample"]
        sampled = completed(return_, {form: read(place / FILE[form]) for form in given})
        fitted = f"{sum(map(len, own.values())):,} rows of {len(own[main]):,} children"
        print(f"{name}: fitted on {fitted} in {sdv['fit']:.1f} s, peak {told.peak or 0:.0f} MB")
        print(f"    samples {sdv['rows']:,} rows in {sdv['sample']:.1f} s: {speed:,.0f} rows/s in memory")
        print(f"    generate, all columns, written: {made:,.0f} rows/s, {made / speed:.1f} times as fast")
        for form, table in completed(return_, cut).items():
            write(place / FILE[form], headings[form], table)
        blanks = {rule for _, rule in broken(place)}
        for form, table in sampled.items():
            write(place / FILE[form], headings[form], table)
        found = [(child, rule) for child, rule in broken(place) if rule not in blanks]
        wrong = len({child for child, _ in found})
        print(
            f"    children in whom a rule is broken: {wrong:,} of {len(sampled[main]):,}"
            f" ({wrong / len(sampled[main]):.1%}), by {len({rule for _, rule in found})} rules",
            flush=True,
        )
    wrong = len({child for child, _ in broken(world)})
    print(f"generate: children of the same world in whom any rule is broken, all columns: {wrong:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, nargs="+", default=[1, 10, 100], metavar="K")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sdv", default=os.environ.get("SDV_PYTHON"), metavar="PYTHON")
    parser.add_argument("--rows", type=int, default=50_000, help="rows that the Gaussian copula samples")
    parser.add_argument("--children", type=int, default=1000, help="children on whom HMA is fitted")
    parser.add_argument("--sample", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.sample:
        folder, return_, rows = chosen.sample
        sample_by_sdv(folder, return_, int(rows))
        return
    several = max((worlds for worlds in chosen.worlds if worlds <= SEVERAL), default=min(chosen.worlds))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("== writing")
        made = writing(several, chosen.runs, folder)
        print("\n== growth")
        runs = {several: made["parquet"]}
        for worlds in sorted(set(chosen.worlds) - {several}):
            place = folder / f"more-{worlds}"
            runs[worlds] = [generate(worlds, "parquet", place) for _ in range(chosen.runs if worlds <= SEVERAL else 1)]
            shutil.rmtree(place)
        growth(runs)
        dataset = folder / f"parquet-{several}"
        speed = rows_of(dataset) / statistics.median(one.seconds for one in made["parquet"])
        print("\n== validating")
        validating(dataset, speed, chosen.runs)
        print("\n== SDV")
        if chosen.sdv is None:
            print("not measured: pip install sdv into an environment of its own and name its interpreter with --sdv")
            return
        beside_sdv(chosen.sdv, worlds_of(folder / f"csv-{several}")[0], speed, chosen.rows, chosen.children, folder)


if __name__ == "__main__":
    main()
