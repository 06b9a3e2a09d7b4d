"""Lives simulated and both returns cut out of them: in this process, or half of the authorities in a second one."""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from synth.files import Generated
from synth.geography.areas import areas
from synth.lives.behaviour import Behaviour
from synth.lives.histories import lives
from synth.lives.homes import Homes
from synth.lives.quantiles import normal_quantiles
from synth.lives.streams import Streams
from synth.lives.unfolding import Unfolding
from synth.profile.projected import reaching
from synth.returns.addresses import small_areas
from synth.returns.cla import cla_forms
from synth.returns.crcs import crcs_form
from synth.returns.kin import Kin, kin_of
from synth.split import answer, may_split, split_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from synth.geography.authorities import Authority
    from synth.profile import Profile
    from synth.returns.columns import Form

__all__ = ["drawn_with", "simulate", "simulate_years", "simulated"]

_DOES = "simulates half of the authorities"
_LARGE = 31 << 20
"""Bytes, more than most columns have."""
_WORTH_SPLITTING = 8
"""Authorities from which on two processes are quicker than one: each goes through all the years of the warm-up."""


def drawn_with(profile: Profile, last: int, mode: str, seed: int, world: int) -> Profile:
    """Return the profile that lives up to the year `last` are drawn with, a projection if the profile ends before.

    In mode "exact" it is that of the targets, in "sampled" one of a year that might have been, another in each `world`
    (counted from 0).
    """
    profile = reaching(profile, last)
    if mode != "sampled":
        return profile
    from synth.sampled import sampled  # noqa: PLC0415

    return sampled(profile, seed, world)


def simulate(
    profile: Profile,
    authorities: Sequence[Authority],
    year: int,
    seed: int,
    tick: Callable[[int], None] = lambda _: None,
) -> Generated:
    """Simulate lives up to 31 March of `year` and cut both returns out of them; `tick` is called after each year."""
    return next(simulate_years(profile, authorities, (year,), seed, tick))


def simulate_years(
    profile: Profile,
    authorities: Sequence[Authority],
    years: Sequence[int],
    seed: int,
    tick: Callable[[int], None] = lambda _: None,
    collection: str = "",
    worlds: Sequence[int] = (0,),
    *,
    kin: bool = True,
) -> Iterator[Generated]:
    """Simulate lives once and give the returns of each of `years`, which rise; each as if it were the only one.

    Each year comes once for each of `worlds`, which rise and are counted from 0; the first is what there is without any
    other.
    `collection` is how care and support is collected, census_date or all_year; by default as it was in each year.
    Without `kin` nothing is told of the families behind the forms.
    """
    _keep_memory()
    streams, behaviour = Streams(seed), Behaviour(profile)
    unfolding = Unfolding(streams, behaviour)
    homes = Homes(tuple(sorted(authorities, key=lambda area: area.order)), tuple(worlds))
    for history in lives(streams, behaviour, homes, years, tick, unfolding.seen_from(min(years))):
        care = unfolding.through(history, history.year)
        sheets = {"crcs": crcs_form(streams, behaviour, history, care, collection)}
        sheets |= cla_forms(streams, behaviour, history, care)
        for world in worlds:
            forms = {name: sheet.of_world(world) for name, sheet in sheets.items()}
            forms["postcodes"] = _postcodes(forms)
            families = {
                name: kin_of(history, sheet.child[sheet.rows_of(world)])
                for name, sheet in sheets.items()
                if kin and sheet.child is not None
            }
            yield Generated(history.year, tuple(authorities), forms, world, families)


@cache
def _keep_memory() -> None:
    """Let this process keep memory that columns give back for the next ones: new pages of the system take their time.

    The C library (of GNU) learns it from one large piece that is given back, though nothing was ever written into it.
    """
    np.empty(_LARGE, np.uint8)


@contextlib.contextmanager
def simulated(
    profile: Profile,
    authorities: Sequence[Authority],
    years: Sequence[int],
    seed: int,
    tick: Callable[[int], None],
    collection: str,
    world: int,
) -> Iterator[Iterator[Generated]]:
    """Give the returns of each year of one world as `simulate_years` does, from two processes where that is quicker.

    Authorities do not depend on each other, so it makes no difference but in time. Raises OutputError where the second
    process ends before it is done.
    """
    here, there = _halves(profile, authorities, max(years))
    if not there or not may_split():
        yield simulate_years(profile, authorities, years, seed, tick, collection, (world,))
        return
    # Both processes need them: what is loaded now is loaded once.
    normal_quantiles()
    areas()
    with split_off(_serve, profile, there, years, seed, collection, world) as other:
        mine = simulate_years(profile, here, years, seed, tick, collection, (world,))
        yield (_together(made, answer(other, _DOES)) for made in mine)


def _halves(
    profile: Profile, authorities: Sequence[Authority], year: int
) -> tuple[Sequence[Authority], Sequence[Authority]]:
    """Cut authorities in two parts of about as many children; the second is empty where it is not worth it."""
    if len(authorities) < _WORTH_SPLITTING:
        return authorities, ()
    authorities = sorted(authorities, key=lambda area: area.order)
    children = np.cumsum([profile.level("care_and_support", area.code, year) for area in authorities])
    cut = int(np.searchsorted(children, children[-1] / 2)) + 1
    return authorities[:cut], authorities[cut:]


def _serve(
    here: Connection,
    profile: Profile,
    authorities: Sequence[Authority],
    years: Sequence[int],
    seed: int,
    collection: str,
    world: int,
) -> None:
    """Simulate in the second process, and send each year, or what was raised instead."""
    try:
        for made in simulate_years(profile, authorities, years, seed, collection=collection, worlds=(world,)):
            here.send(made)
    except Exception as problem:  # noqa: BLE001  raised again where it was asked
        here.send(problem)


def _together(one: Generated, other: Generated) -> Generated:
    """Put the second half of the authorities behind the first."""
    forms = {
        name: {item: np.concatenate((column, other.forms[name][item])) for item, column in form.items()}
        for name, form in one.forms.items()
        if name != "postcodes"
    }
    # Those of each half are told apart already.
    forms["postcodes"] = _with_areas([half.forms["postcodes"]["POSTCODE"] for half in (one, other)])
    kin = {name: Kin.joined((found, other.kin[name])) for name, found in one.kin.items()}
    return Generated(one.year, (*one.authorities, *other.authorities), forms, one.world, kin)


def _postcodes(forms: dict[str, Form]) -> Form:
    """Give a small area to every Welsh postcode in the files, since invented postcodes are in no directory."""
    return _with_areas(
        [
            forms["crcs"]["HOME_POSTCODE"],
            forms["child"]["HOME_POSTCODE"],
            forms["episode"]["PLACEMENT_POSTCODE"],
        ]
    )


def _with_areas(used: Sequence[NDArray[np.str_]]) -> Form:
    postcode, area = small_areas(np.concatenate(used))
    return {"POSTCODE": postcode, "LSOA2011_CD": area}
