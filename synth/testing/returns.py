"""Returns for tests: made once for each set of arguments, written as often as they are asked for."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from synth.api.arguments import in_python, path_of
from synth.api.making import generate_panel
from synth.errors import InputError
from synth.files import FILES, MANIFEST, check_place, folder_in_place
from synth.frames import typed_frame
from synth.guidance import RETURNS, load
from synth.main_job import DEFAULT_SEED
from synth.reading import read_any
from synth.rules.rulebook import rules_for
from synth.spoil import ANSWERS, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from synth.api.year import Year
    from synth.spoil.ledger import Answer

__all__ = ["Good", "Mistakes", "ReturnFiles", "SpoiltFiles", "write_good", "write_spoilt"]

_KEPT = 32
"""So many returns are remembered, of each kind; one of a small authority takes some 2 MB."""
_ONCE = 1e-9
"""A share of the children, however many there are, that comes to one of them."""


class Good(NamedTuple):
    """What a return is made from."""

    year: int
    authority: str
    seed: int | None
    mode: str
    collection: str
    last_year: bool


class Mistakes(NamedTuple):
    """Which mistakes are put into it."""

    rules: tuple[str, ...]
    kinds: tuple[str, ...]
    rate: float | None
    seed: int


@dataclass(frozen=True, eq=False)
class ReturnFiles:
    """Both returns of a year in a folder, as CSV: `files` by form (crcs, child, ...), and as they were made in `good`.

    `last_year` is the folder of the year before, where it was asked for.
    """

    folder: Path
    good: Year = field(repr=False)
    made_from: Good
    last_year: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        """The files of the forms that are there."""
        return {form: self.folder / name for form, name in FILES.items() if (self.folder / name).is_file()}

    @property
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The forms as frames: dates as Date, whole numbers as Int64, all else text."""
        return self.good.frames

    @property
    def queried(self) -> frozenset[tuple[str, str]]:
        """Rules and authorities where a checker may query the good files: so few children may be odd as a whole."""
        return _queried(self.made_from)


@dataclass(frozen=True, eq=False)
class SpoiltFiles(ReturnFiles):
    """The same with mistakes in the files; `good` is without them.

    `answers` says for each mistake file, line, child (authority/identifier), field, true and written value, and the
    rules that find it; answers.csv holds the same.
    """

    answers: tuple[Answer, ...] = field(default=(), repr=False)

    @cached_property
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The spoilt forms as frames: dates and whole numbers that cannot be read are null, codes as written."""
        return {form: typed_frame(table) for form, table in read_any([self.folder], year=self.good.year).forms.items()}

    @property
    def must_find(self) -> frozenset[tuple[str, str]]:
        """Rules with the children (authority/identifier) on which they must fire; no child for a whole file."""
        return frozenset((rule, answer.child) for answer in self.answers for rule in answer.rules)

    @property
    def may_find(self) -> frozenset[tuple[str, str]]:
        """Those, and the rules and children on which others fire with them."""
        return self.must_find | {(rule, answer.child) for answer in self.answers for rule in answer.entailed}

    def missed(self, found: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return what must be found and is not among the rules and children `found`."""
        given = set(found)
        rules = {rule for rule, _ in given}
        return {(rule, child) for rule, child in self.must_find - given if child or rule not in rules}

    def unexpected(self, found: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return the rules and children among `found` that no mistake accounts for, nor that is queried anyway."""
        anywhere = {rule for rule, child in self.may_find if not child}
        return {(rule, child) for rule, child in set(found) - self.may_find - self.queried if rule not in anywhere}


def write_good(folder: Path | str, what: Good) -> ReturnFiles:
    """Write a valid return; as `small_return` says."""
    _check_plain(what)
    return ReturnFiles(*_written(folder, _years(what)[-1].files(), what))


def write_spoilt(folder: Path | str, mistakes: Mistakes, what: Good) -> SpoiltFiles:
    """Write a return with mistakes; as `spoilt_return` says."""
    _check_plain(mistakes, what)
    contents, answers = _spoilt(mistakes, what)
    return SpoiltFiles(*_written(folder, contents, what), answers)


def _check_plain(*given: Good | Mistakes) -> None:
    """Refuse arguments that are not numbers, text or names: what was made once is remembered by them."""
    for name, value in (pair for each in given for pair in each._asdict().items()):
        try:
            hash(value)
        except TypeError:
            raise InputError(f"{name} is a {type(value).__name__}; expected a number or text.") from None


@lru_cache(_KEPT)
def _years(what: Good) -> tuple[Year, ...]:
    """Return the year asked for, behind the year before where that is wanted too."""
    seed = DEFAULT_SEED if what.seed is None else what.seed
    first = what.year - 1 if what.last_year else what.year
    panel = generate_panel(
        first, what.year, what.authority, seed=seed, mode=what.mode, collection=what.collection
    )  # fmt: skip
    return tuple(panel.values())


@lru_cache(_KEPT)
def _spoilt(mistakes: Mistakes, what: Good) -> tuple[dict[str, bytes], tuple[Answer, ...]]:
    """Return the spoilt files by name, and the answer sheet."""
    *before, good = _years(what)
    named = (*mistakes.rules, *mistakes.kinds)
    once = dict.fromkeys((n for n in named if n in _single(what.year)), _ONCE) if mistakes.rate is None else {}
    with tempfile.TemporaryDirectory(prefix="synth-") as place:
        out = Path(place) / "spoilt"
        made = good.spoil(
            out, rules=mistakes.rules, kinds=mistakes.kinds, rate=once or mistakes.rate, seed=mistakes.seed,
            last_year=before[0] if before else None,
        )  # fmt: skip
        if lacking := [name for name in once if name not in made.counts()]:
            raise InputError(
                f"{', '.join(lacking)}: no child of {what.authority} in {what.year} has records in which it can be"
                " made. Take another authority, or several."
            )
        return {path.name: path.read_bytes() for path in sorted(out.iterdir())}, made.lines


@lru_cache(_KEPT)
def _queried(what: Good) -> frozenset[tuple[str, str]]:
    """Return what is found in a good return: queries of whole authorities."""
    *before, good = _years(what)
    found = good.validate(last_year=before[0] if before else None).findings
    return frozenset(found.select("rule", "child").rows())


def _single(year: int) -> frozenset[str]:
    """Return what names one mistake: ids of rules, and kinds."""
    return frozenset(KINDS) | {rule.id for name in RETURNS for rule in rules_for(load(name, year))[0]}


def _own(year: Year) -> Year:
    """Return a year that a test may change without changing that of another."""
    return replace(year, text={form: frame.clone() for form, frame in year.text.items()})


def _written(folder: Path | str, contents: Mapping[str, bytes], what: Good) -> tuple[Path, Year, Good, Path | None]:
    """Write files into the folder of their year, the good year before into its own; return what `ReturnFiles` takes."""
    years = _years(what)
    *before, good = years
    out = path_of("folder", folder)
    known = (*FILES.values(), MANIFEST, ANSWERS)
    with in_python():
        for year in years:
            check_place(out, out / str(year.year), known)
    for year in years:
        with folder_in_place(out, str(year.year)) as building:
            for name, content in (contents if year is good else year.files()).items():
                (building / name).write_bytes(content)
    return out / str(good.year), _own(good), what, out / str(before[0].year) if before else None
