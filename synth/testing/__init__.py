"""Small returns for the tests of census software: valid ones, and ones with known mistakes.

With pytest, fixtures are there once synth is installed (see `synth.testing.fixtures`). The functions here do the same
anywhere else:

>>> import synth
>>> files = synth.testing.small_return("good")
>>> files.files["episode"].as_posix()
'good/2023/synthetic_cla_episode.csv'
>>> spoilt = synth.testing.spoilt_return("spoilt", rules=["CLA053"])
>>> sorted(spoilt.must_find)
[('CLA053', '542/SYN428S1JV')]

What was made once is remembered by this process: a second test with the same arguments only writes the files. Nothing
heavy is imported before the first return is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from synth.testing.returns import ReturnFiles, SpoiltFiles

__all__ = ["AUTHORITY", "YEAR", "small_return", "spoilt_return"]

AUTHORITY = "Merthyr Tydfil"
"""The smallest authority, made most quickly."""
YEAR = 2023


def small_return(
    folder: Path | str,
    *,
    year: int = YEAR,
    authority: str = AUTHORITY,
    seed: int | None = None,
    mode: str = "exact",
    collection: str = "",
    last_year: bool = False,
) -> ReturnFiles:
    """Write both returns of a year of one small authority, valid by the guidance, into `folder`/`year`.

    `authority` may be a comma list; `seed`, `mode` and `collection` are those of `synth.generate`. With `last_year` the
    year before of the same children stands beside it. What is only queried of whole authorities, as real returns are,
    may stand in it: `queried` on what is returned names it. Raises InputError as `synth.generate` does, and for a
    folder that holds other files or cannot be written.
    """
    from synth.testing.returns import Good, write_good  # noqa: PLC0415  only where it is asked for

    return write_good(folder, Good(year, authority, seed, mode, collection, last_year))


def spoilt_return(
    folder: Path | str,
    *,
    rules: Iterable[str] | str = (),
    kinds: Iterable[str] | str = (),
    rate: float | None = None,
    mistakes: int = 1,
    year: int = YEAR,
    authority: str = AUTHORITY,
    seed: int | None = None,
    mode: str = "exact",
    collection: str = "",
    last_year: bool = False,
) -> SpoiltFiles:
    """Write the files of `small_return` with known mistakes into `folder`/`year`, and the answer sheet beside them.

    Each of `rules` (ids, such as CLA053) is broken once, and each of `kinds` of mistake (`synth spoil --list`) made
    once. With `rate` there are mistakes in that share of the children instead, and rules may be named by form or
    return. Without any of these it is 2 per cent of the children, half with mistakes as people make them, half with
    broken rules. `mistakes` chooses others and other children for them. With `last_year` the year before stands beside
    it, without mistakes, and rules that compare can be broken. Raises InputError as `small_return` does, for unknown
    names, and where a rule or kind named finds no child it could be made in.
    """
    from synth.api.arguments import names_of  # noqa: PLC0415  only where it is asked for
    from synth.testing.returns import Good, Mistakes, write_spoilt  # noqa: PLC0415  only where it is asked for

    wanted = Mistakes(names_of("rules", rules), names_of("kinds", kinds), rate, mistakes)
    return write_spoilt(folder, wanted, Good(year, authority, seed, mode, collection, last_year))
