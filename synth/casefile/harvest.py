"""Names taken over from Faker, once: `python -m synth.casefile.harvest > synth/casefile/names_faker.csv`.

What to take stands in harvest.csv: a list of a locale, of which at most so many names are taken, evenly spread over it.
The result is data of this package, so that another release of Faker changes nobody's name; run it again only to take
over other lists, and expect every name drawn from them to change.
"""

from __future__ import annotations

import csv
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, TextIO

from synth.casefile.data import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["harvested", "write_harvest"]

_COLUMNS = ("pool", "part", "sex", "era", "name", "weight", "basis", "source")


def harvested() -> Iterator[tuple[str, ...]]:
    """Give the rows of names_faker.csv; family names of Wales, which are in names.csv, are not among them."""
    kept: set[tuple[str, ...]] = set()
    welsh = {row["name"] for row in rows_of("names.csv") if (row["pool"], row["part"]) == ("wales", "family")}
    for plan in rows_of("harvest.csv"):
        names = getattr(import_module(f"faker.providers.person.{plan['locale']}").Provider, plan["list"])
        # Lists give how often a name occurs, where they know it.
        weights = dict(names) if hasattr(names, "items") else dict.fromkeys(names, 1)
        without = {*plan["without"].split(), *(welsh if plan["part"] == "family" else ())}
        found = [name for name in weights if name not in without]
        most = min(int(plan["most"]), len(found))
        where = (plan["pool"], plan["part"], plan["sex"], plan["era"])
        for name in (found[n * len(found) // most] for n in range(most)):
            if (*where, name) not in kept:
                kept.add((*where, name))
                source = f"Faker {version('faker')} {plan['locale']}"
                yield (*where, name, str(weights[name]), "assumed", source)


def write_harvest(out: TextIO) -> None:
    """Write names_faker.csv."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(harvested())


if __name__ == "__main__":
    write_harvest(sys.stdout)
