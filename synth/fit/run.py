"""The whole fit: published tables and behaviour parameters in, a profile and what it misses out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth.build import build
from synth.errors import InputError
from synth.fit.account import fit_account
from synth.fit.cells import LEAD_IN, load_target_cells
from synth.fit.targets import fit_targets
from synth.geography.authorities import all_authorities
from synth.profile import Target
from synth.published import load_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from synth.fit.account import Account
    from synth.fit.moments import Residual
    from synth.fit.targets import Miss
    from synth.profile import Parameter, Profile
    from synth.published import Tables

__all__ = ["SEEDS", "Fit", "fit"]

SEEDS = (1, 2, 3, 4)
"""Seeds every round of simulation uses, the same each time (common random numbers)."""

_SEXES, _AGES = ("boys", "girls"), 18
_ETHNIC = "ethnicity.by_authority"
_NOT_OBTAINED = "ethnicity.not_obtained_share"
_RARE_CHILDREN, _HALF = 0.3, 0.5
_YOUNG, _GROWN = 5, 16
"""Ages under the first and from the second on, by which adoptions and leaving at 16 and over are spread."""
_ARRIVING = ("ASAB", "BBAC", "OOTH")


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted profile, the account behind it, the figures its targets miss, and how near behaviour came."""

    profile: Profile
    account: Account
    misses: tuple[Miss, ...]
    residuals: tuple[Residual, ...]


def fit(
    published: Path,
    behaviour: Path,
    *,
    hold_out: Sequence[str] = (),
    simulate: bool = True,
    tick: Callable[[str], None] = lambda _: None,
) -> Fit:
    """Fit a profile: levels, the account by sex and single age, targets by authority, behaviour by simulation.

    `published` is the folder of tables, `behaviour` the file of parameters to start from. `hold_out` names tables
    (`T16`) or measures (`T16 measure`) that are not looked at. Without `simulate` the parameters stay as they are.
    `tick` is told each step in words. The same files give the same profile, byte for byte. Raises ProfileError naming
    file and line of what is wrong, InputError for a table nobody published.
    """
    tables = load_tables(published)
    _check_tables(tables, hold_out)
    load_target_cells(tables)  # a wrong line is told before the account is solved
    tick("levels")
    profile = replace(build(published, behaviour), held_out=tuple(sorted(hold_out)))
    account = fit_account(
        tables,
        profile.levels,
        hold_out=[name.split()[0] for name in hold_out],
        tick=lambda step: tick(f"account: {step}"),
    )
    tick("targets")
    years = range(profile.years[0] - max(LEAD_IN.values()), profile.years[1] + 1)
    totals = _totals(profile, account, years)
    targets, misses = fit_targets(tables, profile, totals, years, hold_out)
    profile = replace(profile, targets=(*_stocks(account), *targets))
    profile = replace(profile, parameters=profile.parameters | {_ETHNIC: _without_unaccompanied(profile)})
    profile = replace(profile, targets=(*profile.targets, *_earlier_ethnicity(profile)))
    residuals: tuple[Residual, ...] = ()
    if simulate:
        from synth.fit.moments import fit_behaviour  # noqa: PLC0415  starts processes of its own

        parameters, residuals = fit_behaviour(
            profile, seeds=SEEDS, tick=lambda round_: tick(f"behaviour: round {round_}")
        )
        profile = replace(profile, parameters=parameters)
    return Fit(profile, account, misses, residuals)


def _check_tables(tables: Tables, hold_out: Sequence[str]) -> None:
    known = {row.table for row in tables.rows} | {f"{row.table} {row.measure}" for row in tables.rows}
    for name in hold_out:
        if name not in known:
            names = ", ".join(sorted({row.table for row in tables.rows}))
            raise InputError(
                f"--hold-out {name}: no published table has that name; tables are {names}. Give one of them, or table "
                "and measure in quotes."
            )


def _totals(profile: Profile, account: Account, years: Sequence[int]) -> dict[str, dict[int, NDArray[np.int64]]]:
    """Return both stocks and both flows of the account by authority, for the years of the profile."""
    codes = [area.code for area in all_authorities()]
    totals = {
        kind: {year: np.array([profile.level(kind, code, year) for code in codes]) for year in years}
        for kind in ("looked_after", "care_and_support")
    }
    for kind, flow in (("starts", account.starts), ("leavers", account.leavers)):
        totals[kind] = {year: flow[..., year - account.first_year].sum(axis=(1, 2)) for year in years}
    for year in years:
        n = year - account.first_year
        totals.setdefault("infants", {})[year] = account.stock[:, :, 0, n].sum(axis=1)
        totals.setdefault("young", {})[year] = account.starts[:, :, :_YOUNG, n - 2 : n + 1].sum(axis=(1, 2, 3))
        totals.setdefault("grown", {})[year] = account.leavers[:, :, _GROWN:, n].sum(axis=(1, 2))
        groups = [profile.at(_ETHNIC, profile.warm_up_from)[code] for code in codes]
        arriving = np.array([sum(share for group, share in one.items() if group in _ARRIVING) for one in groups])
        # Between these groups' and an even spread: they say where such children live, not how many a year can take in.
        weight = np.sqrt(arriving * arriving.mean())
        totals.setdefault("arriving", {})[year] = np.ceil(weight * totals["looked_after"][year]).astype(np.int64)
        totals.setdefault("turning_18", {})[year] = account.leavers[:, :, _AGES, n].sum(axis=1)
    return totals


def _without_unaccompanied(profile: Profile) -> Parameter:
    """Return the ethnic mix of each authority's other children: its stock less the unaccompanied, by their own mix."""
    old, mix = profile.parameters[_ETHNIC], profile.at("ethnicity.unaccompanied", profile.warm_up_from)
    years = [target.year for target in profile.targets if target.table == "ethnicity"]
    shares: dict[str, dict[str, float]] = {}
    table: dict[str, dict[str, float]] = profile.at(_ETHNIC, profile.warm_up_from)
    for code, before in table.items():
        left = dict.fromkeys(before, 0.0)
        for year in years:
            counts = profile.target("ethnicity", code, year) or ()
            (alone,) = profile.target("unaccompanied", code, year) or (0,)
            for group, count in zip(profile.cells_of("ethnicity", year), counts, strict=True):
                if group in left:
                    left[group] += count - alone * mix[group]
        # A group that only unaccompanied children are counted in is rare among the others, not unknown.
        positive = {group: max(count, _RARE_CHILDREN) for group, count in left.items()}
        whole = sum(positive.values())
        shares[code] = {group: round(count / whole, 4) for group, count in positive.items()} if years else before
    source = f"{old.source}; less unaccompanied children, whose mix is assumed"
    return replace(old, value=shares, source=source)


def _earlier_ethnicity(profile: Profile) -> list[Target]:
    """Return targets of ethnic groups for the profile's years before any was published: each authority's two mixes.

    No small group has more children than in the first published year: most of them will still be there then.
    """
    known = [target for target in profile.targets if target.table == "ethnicity"]
    found: list[Target] = []
    for year in range(profile.years[0], min((target.year for target in known), default=profile.years[0])):
        counts: dict[str, tuple[int, ...]] = {}
        for code, mix in profile.at(_ETHNIC, year).items():
            (alone,) = profile.target("unaccompanied", code, year) or (0,)
            theirs = profile.at("ethnicity.unaccompanied", year)
            stock = profile.level("looked_after", code, year)
            unknown = stock * profile.at(_NOT_OBTAINED, year)
            expected = np.array(
                [
                    (stock - alone) * mix[group] + alone * theirs[group] if group in mix else unknown
                    for group in known[0].cells
                ]
            )
            edges = np.floor(np.cumsum(expected) * stock / expected.sum() + _HALF).astype(int)
            drawn = np.diff(np.concatenate(([0], edges)))
            least = np.minimum(drawn, known[0].counts[code])
            least[drawn.argmax()] += drawn.sum() - least.sum()
            counts[code] = tuple(int(n) for n in least)
        found.append(Target(table="ethnicity", year=year, cells=known[0].cells, counts=counts))
    return found


def _stocks(account: Account) -> list[Target]:
    """Return the account's stock by sex and age, and its starts, as targets of every year it covers."""
    codes = [area.code for area in all_authorities()]
    cells = tuple(f"{sex} {age}" for sex in _SEXES for age in range(_AGES))
    found: list[Target] = []
    for n in range(account.stock.shape[-1]):
        year = account.first_year + n
        stock = account.stock[..., n].reshape(len(codes), -1)
        counts = {code: tuple(int(x) for x in row) for code, row in zip(codes, stock, strict=True)}
        found.append(Target(table="stock", year=year, cells=cells, counts=counts))
        if n:
            starts = account.starts[..., n].reshape(len(codes), -1).sum(axis=1)
            ones: dict[str, tuple[int, ...]] = {code: (int(x),) for code, x in zip(codes, starts, strict=True)}
            found.append(Target(table="starts", year=year, cells=("starts",), counts=ones))
    return found
