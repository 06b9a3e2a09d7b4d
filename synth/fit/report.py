"""What a fit prints: figures its targets miss, figures behaviour does not reach, and how tables left out fare."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synth.fidelity.comparison import Result
    from synth.fit.run import Fit
    from synth.profile import Profile

__all__ = ["fit_text", "prediction_text"]

_WIDE = 2.0
"""Standard deviations of sampling an interval is widened by, to judge a prediction."""
_SHOWN = 20


def fit_text(found: Fit) -> str:
    """Return what the fit could not reach, in plain text."""
    from synth.fit.moments import residuals_text  # noqa: PLC0415  it draws in the simulation
    from synth.profile.check import counts_text  # noqa: PLC0415

    account = found.account
    last = account.first_year + account.stock.shape[-1] - 1
    left = int(abs(account.residual()).max(initial=0))
    lines = [f"Account {account.first_year} to {last}: {left} children left over in any authority, sex, age and year."]
    lines += _listed("Published cells that quarrel with others", [str(quarrel) for quarrel in account.quarrels])
    lines += _listed(
        "Figures the targets miss",
        [
            f"{miss.table} {miss.year}: {miss.figure}, {miss.low:g} to {miss.high:g}, reached {miss.reached:g}"
            for miss in found.misses
        ],
    )
    if found.residuals:
        lines += ["", "Behaviour, before alignment, against the published figures:", residuals_text(found.residuals)]
    lines += [counts_text(found.profile)]
    return "\n".join(lines)


def _listed(title: str, rows: Sequence[str]) -> list[str]:
    more = [f"  and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
    return [f"{title}: {len(rows) or 'none'}", *(f"  {row}" for row in rows[:_SHOWN]), *more]


def prediction_text(
    profile: Profile, published: Path, hold_out: Sequence[str], year: int | None, tick: Callable[[str], None]
) -> str:
    """Generate the years in which the tables left out were published and say how many of their cells are met.

    `published` is the folder of tables, `hold_out` the tables or measures left out of `profile`, `year` the only
    year to look at (None: all of the profile's). `tick` is told each step in words.
    """
    results = _predicted(profile, published, hold_out, year, tick)
    if not results:
        return "Nothing of the tables left out speaks of these years."
    inside = sum(result.inside for result in results)
    near = sum(result.inside or abs(result.z) <= _WIDE for result in results)
    worst = sorted((result for result in results if not result.inside), key=lambda result: -abs(result.z))[:_SHOWN]
    share, wide = inside / len(results), near / len(results)
    lines = [
        f"Left out: {', '.join(hold_out)}. Of {len(results)} cells predicted {inside} are inside ({share:.1%})",
        f"and {near} inside or within two standard deviations of sampling ({wide:.1%}).",
    ]
    lines += [
        f"  {result.cell.table} {result.cell.year} {result.cell.geography} {result.cell.dim1} {result.cell.dim2}: "
        f"{result.cell.low:g} to {result.cell.high:g}, predicted {result.generated:g}, z {result.z:+.1f}"
        for result in worst
    ]
    return "\n".join(lines)


def _predicted(
    profile: Profile, published: Path, hold_out: Sequence[str], year: int | None, tick: Callable[[str], None]
) -> list[Result]:
    from synth.fidelity.comparison import compare  # noqa: PLC0415
    from synth.fidelity.folders import read_year, year_before  # noqa: PLC0415
    from synth.geography.authorities import all_authorities  # noqa: PLC0415
    from synth.main_job import DEFAULT_SEED, generate  # noqa: PLC0415
    from synth.published import load_tables  # noqa: PLC0415

    tables = load_tables(published)
    names = {name.split()[0] for name in hold_out}
    years = sorted({row.year for row in tables.rows if row.table in names and row.year})
    first, last = profile.years
    wanted = [one for one in years if first <= one <= last and year in (None, one)]
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for one in wanted:
            for made in (one - 1, one):
                if made >= first and not (Path(folder) / str(made)).exists():
                    tick(f"generating {made}")
                    generate(profile, all_authorities(), made, seed=DEFAULT_SEED, out=Path(folder))
            this = read_year(Path(folder) / str(one))
            compared = compare(this, year_before(this), tables, profile.held_out)
            found += [
                result
                for result in compared.results
                if result.role == "held_out"
                and (result.cell.table in hold_out or f"{result.cell.table} {result.cell.measure}" in hold_out)
            ]
    return found
