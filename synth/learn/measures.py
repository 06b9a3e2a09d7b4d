"""What is counted in a return and which numbers of the profile it says: a row of learned.csv each, or several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import product
from typing import TYPE_CHECKING, Any

from synth.errors import ProfileError
from synth.fit.levers import Lever
from synth.published import read_csv
from synth.published.counted import conditions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth.profile import Parameter
    from synth.published.counted import Condition

__all__ = ["STEPS", "Measure", "read_measures"]

STEPS = ("log-weight", "log", "probit", "shift")
"""How numbers follow a share that is off: see `fit.levers`."""

_COLUMNS = ("parameter", "stage", "step", "items", "where", "note")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Measure:
    """The share of children in `where` with the one item set, or how far several items go together among them.

    The lever names the numbers of the profile that follow it. Measures of one `stage` hardly disturb each other; those
    of a later one are moved after those of an earlier one.
    """

    lever: Lever
    stage: int
    items: tuple[str, ...]
    where: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """The numbers of the profile, as learned.csv names them."""
        return self.lever.name

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of items whose going together is measured; none for a share."""
        return tuple((a, b) for n, a in enumerate(self.items) for b in self.items[n + 1 :])


def read_measures(parameters: Mapping[str, Parameter], year: int) -> tuple[Measure, ...]:
    """Read learned.csv; a part of a path in braces stands for each key the parameter has there in the year.

    What stands in the braces is put into items and conditions as well. Raises ProfileError naming the line where a
    parameter is not the profile's, or stage, step or condition are none.
    """
    with as_file(files("synth.learn").joinpath("learned.csv")) as path:
        rows = list(read_csv(path, _COLUMNS))
        found: list[Measure] = []
        for line, cells in rows:
            place = f"{path.name} line {line}"
            name, *parts = cells["parameter"].split("/")
            if name not in parameters:
                raise ProfileError(f"{place}, column parameter: the profile has no parameter {name!r}.")
            if cells["step"] not in STEPS or not cells["stage"].isdecimal():
                raise ProfileError(f"{place}: expected a stage such as 1, and a step of {', '.join(STEPS)}.")
            for filled, slots in _filled(parts, parameters[name].at(year)):
                lever = Lever(name, filled, None, cells["step"], 1.0, place)
                items = tuple(cells["items"].format(**slots).split("|"))
                where = conditions(path, line, "where", cells["where"].format(**slots))
                found.append(Measure(lever, int(cells["stage"]), items, where))
    return tuple(found)


def _filled(parts: list[str], value: Any) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:  # noqa: ANN401  nested
    """Give each way to fill a path's slots with the keys of a value, and what each slot then holds."""
    keys: list[list[str]] = []
    for part in parts:
        slot = _SLOT.fullmatch(part)
        keys.append(list(value) if slot else [part])
        value = next(iter(value.values())) if isinstance(value, dict) else None
    for chosen in product(*keys):
        slots = {slot[1]: key for part, key in zip(parts, chosen, strict=True) if (slot := _SLOT.fullmatch(part))}
        yield chosen, slots
