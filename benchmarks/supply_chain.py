"""Under which licences stands what this package brings with it: the core, and each extra.

    python benchmarks/supply_chain.py [--all]

Each package of the tree is looked up in the metadata of the environment this runs in, and its licence in
requirements/licences.csv (what is taken, and whether in the core too), licence_names.csv (how packages write it) and
licence_exceptions.csv (single packages that are taken for a reason). Exit code 1 where a licence is not taken or not
known. Packages that are not installed are named and not looked at. `--all` lists every package.
"""

from __future__ import annotations

import csv
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from synth.doctor.requirements import asked_for

FOLDER = Path(__file__).parent.parent / "requirements"
_LONGEST = 60
"""Characters of a licence field that is a name; longer ones are whole texts."""
_JOINED = re.compile(r"\s+(AND|OR)\s+")


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of the folder requirements."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _names() -> dict[str, str]:
    return {row["stated"]: row["licence"] for row in rows("licence_names.csv")}


def tree(needed: list[tuple[str, tuple[str, ...]]]) -> tuple[set[str], set[str]]:
    """Return the names of all packages that some packages, each with extras, bring; and of those not installed."""
    found: set[str] = set()
    missing: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), extra) for name, extras in needed for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            missing.add(name)
            continue
        found.add(name)
        for line in map(Requirement, lines):
            if line.marker is None or line.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(line.name), other) for other in ("", *line.extras)]
    return found, missing


def licence_of(told: metadata.PackageMetadata) -> str:
    """Return the licence a package states, as SPDX writes it where that can be told; "" where it states none."""
    if expression := told.get("License-Expression"):
        return expression
    field = (told.get("License") or "").strip()
    classifiers = [line.split(" :: ")[-1] for line in told.get_all("Classifier") or [] if line.startswith("License ::")]
    stated = [name for name in classifiers if name != "OSI Approved"]
    short = field if len(field) <= _LONGEST and "\n" not in field else ""
    if short and (len(stated) <= 1 or short in _names()):
        return _names().get(short, short)
    return " AND ".join(_names().get(name, name) for name in stated)


def is_taken(expression: str, taken: set[str]) -> bool:
    """Say whether an expression of SPDX, parentheses left out of account, can be met with the licences taken.

    AND binds more closely than OR; in "A AND (B OR C)" a licence more is asked for than need be, never one less.
    """
    inside = expression.replace("(", " ").replace(")", " ").strip()
    if "(" in expression:
        return all(name in taken for name in _JOINED.split(inside)[::2])
    return any(all(name in taken for name in part.split(" AND ")) for part in re.split(r"\s+OR\s+", inside))


def check(part: str, names: set[str]) -> list[str]:
    """Return the packages of a part ("": the core, or an extra) whose licence is not taken, with what it is."""
    places = {"core", "extras"} if part else {"core"}
    taken = {row["licence"] for row in rows("licences.csv") if row["where"] in places}
    excepted = {
        row["package"]: row["licence"] for row in rows("licence_exceptions.csv") if part in row["extra"].split()
    }
    wrong = []
    for name in sorted(names):
        licence = licence_of(metadata.metadata(name))
        # An exception holds for the licence it was made for, and no longer than the package states that one.
        if not is_taken(licence, taken) and excepted.get(name) != licence:
            wrong.append(f"{name}: {licence or 'states no licence'}")
    return wrong


def main() -> None:
    failed = False
    for extra, needed in asked_for().items():
        names, missing = tree([(one.name, one.extras) for one in needed])
        wrong = check(extra, names)
        failed = failed or bool(wrong)
        print(f"{extra or 'core':<8} {len(names):>3} packages, {len(missing)} not installed, {len(wrong)} not taken")
        for name in sorted(names) if "--all" in sys.argv else ():
            print(f"         {name}: {licence_of(metadata.metadata(name))}")
        if missing:
            print(f"         not looked at: {', '.join(sorted(missing))}")
        for line in wrong:
            print(f"         not taken: {line}")
    raise SystemExit(int(failed))


if __name__ == "__main__":
    main()
