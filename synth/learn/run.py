"""A return read, its figures released, the profile's numbers moved to them, and an overlay made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth import __version__
from synth.errors import InputError
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.learn.census import factors
from synth.learn.copula import check_installed, fitted
from synth.learn.fitting import fit
from synth.learn.measures import read_measures
from synth.learn.overlay import overlay_text, statement
from synth.learn.released import release
from synth.profile import load_profile
from synth.profile.projected import check_covered, reaching
from synth.reading import read_any
from synth.tables import LA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from synth.geography.authorities import Authority
    from synth.learn.fitting import Fitted
    from synth.learn.released import Released

__all__ = ["COPULAS", "FEWEST_AUTHORITIES", "MIN_CHILDREN", "THRESHOLD", "Learned", "learn"]

COPULAS = ("sdv", "counts")
"""Where correlations come from: SDV's Gaussian copula, or the joint counts themselves."""
THRESHOLD = 10
"""Children below which a count is hidden, unless told otherwise."""
MIN_CHILDREN = 500
"""Children a return must have, unless told otherwise."""
FEWEST_AUTHORITIES = 3
"""With fewer, figures are those of an authority, or one authority can take its own from those of two."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was released, what follows from it, and what the overlay says of itself."""

    released: Released
    fitted: Fitted
    statement: dict[str, Any]
    text: str
    notes: tuple[str, ...]


def learn(
    paths: Sequence[Path],
    *,
    threshold: int = THRESHOLD,
    min_children: int = MIN_CHILDREN,
    authority_level: bool = False,
    copula: str = COPULAS[0],
    authorities: Sequence[Authority] | None = None,
    worlds: Sequence[int] = (0, 1, 2, 3),
    tick: Callable[[str], None] = lambda _: None,
) -> Learned:
    """Learn from a care and support return, and return it with an overlay on the built-in profile as text.

    `threshold` is the smallest count that is released, `authority_level` allows a return of fewer than three
    authorities, `copula` is one of COPULAS. What is learned is fitted on children simulated in `authorities` (all) of
    `worlds`; `tick` is called with the step done. Raises InputError where SDV is missing, the return cannot be read, or
    it holds no care and support form, or too few children or authorities.
    """
    with_sdv = copula == "sdv"
    learned_with = f"the Gaussian copula of SDV {check_installed()}" if with_sdv else "joint counts"
    found = read_any(paths)
    form = found.forms.get("crcs")
    if form is None:
        raise InputError(
            f"{_named(paths)}: holds {', '.join(found.forms)}, but no care and support form (crcs), from which factors "
            "are learned. Name its folder or file."
        )
    built_in = load_profile()
    check_covered(built_in, found.year)
    held = form.typed[LA].drop_nulls().n_unique()
    if held < FEWEST_AUTHORITIES and not authority_level:
        raise InputError(
            f"{form.file}: holds children of {held} {'authority' if held == 1 else 'authorities'}; with fewer than "
            f"{FEWEST_AUTHORITIES} what is learned is a figure of single authorities. Give --authority-level if those "
            "who hold the return allow such figures."
        )
    frame = factors(form.typed, load("crcs", found.year).last_day)
    if frame.height < min_children:
        raise InputError(
            f"{form.file}: {frame.height:,} children have a plan on 31 March {found.year}; at least {min_children:,} "
            "are wanted: of fewer, nearly every figure would be hidden or tell of chance. Learn from more authorities, "
            "or give --min-children."
        )
    measures = read_measures(built_in.parameters, found.year)
    released = release(frame, measures, threshold, fitted if with_sdv else None)
    tick("counted and released")
    moved = fit(
        reaching(built_in, found.year), released, measures, found.year, authorities or all_authorities(),
        worlds=worlds, tick=tick,
    )  # fmt: skip
    told = {"made_by": f"synth {__version__}"} | statement(released, found.year, held, learned_with)
    text = overlay_text(moved, told, built_in.parameters, measures, found.year)
    return Learned(released, moved, told, text, found.notes)


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths[:3])
