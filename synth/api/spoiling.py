"""A year with known mistakes, as `synth spoil` puts them into its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from synth.api.arguments import in_python, names_of, path_of, whole_number
from synth.api.writing import on_disk
from synth.spoil import spoil

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from synth.api.year import Year
    from synth.spoil import Spoilt

__all__ = ["spoilt"]


def spoilt(
    year: Year,
    out: Path | str,
    *,
    rules: Iterable[str],
    kinds: Iterable[str],
    rate: float | Mapping[str, float] | None,
    seed: int,
    last_year: Year | None,
) -> Spoilt:
    """Write the files of a year with mistakes into the folder `out`; as `Year.spoil` says."""
    rates: list[str] = []
    if isinstance(rate, Mapping):
        rates = [f"{name}={share!r}" for name, share in rate.items()]
    elif rate is not None:
        rates = [repr(rate)]
    place, broken, made = path_of("out", out), names_of("rules", rules), names_of("kinds", kinds)
    with in_python(), on_disk([year]) as good, on_disk([] if last_year is None else [last_year]) as before:
        return spoil(
            good, place, rates=rates, kinds=made, rules=broken, seed=whole_number("seed", seed), last_year=before,
            year=year.year,
        )  # fmt: skip
