"""How fast SDV samples tables like ours, and how many of the sampled children break a rule; a part of scale.py.

    python benchmarks/scale.py --sdv PYTHON [--rows 50000] [--children 1000]

PYTHON is an interpreter that has `sdv` 2 (`pip install sdv` into an environment of its own, a CPU build of torch
before it). Printed are rows a second of sampling alone, in memory, by GaussianCopulaSynthesizer (20 columns of CRCS,
fitted on one world) and by HMASynthesizer (four CLA tables related by child, fitted on --children children of one
world, as many sampled), with their default settings; fitting apart. After each, generate makes its dataset once more.
Then the share of the sampled children in whom `synth validate` finds an error. Columns that were left out
(identifiers that encode others, postcodes, free text, most needs) stay blank, and rules that these blanks alone break,
in synth's own tables, are not counted. Authority and year are put back into tables that would contradict each other,
and episodes are numbered in order of start.
"""

from __future__ import annotations

import csv
import json
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from processes import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["beside_sdv"]

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


def beside_sdv(python: str, world: Path, rows: int, children: int, folder: Path, speed_of: Callable[[], float]) -> None:
    """Print how fast SDV samples, and in how many of its children a rule is broken.

    `world` is one as CSV, `speed_of` says how many rows a second generate makes now.
    """
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
        told = run(python, "-W", "ignore", __file__, str(place), return_, str(wanted), quiet=False)
        sdv = json.loads(told.out.splitlines()[-1])
        made = speed_of()
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


if __name__ == "__main__":
    _folder, _return, _rows = sys.argv[1:]
    sample_by_sdv(_folder, _return, int(_rows))
