"""Fixtures of the generating side; lives are simulated once for each year, seed and set of authorities."""

from __future__ import annotations

import os

# Before numpy and polars: workers that each start threads for small matrices and tables wait for one another most of
# the time.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"

import hashlib
import pickle
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import settings
from keeping import Kept

from synth.dates import day_of_year_start, last_day
from synth.fit.pooled import shared_out
from synth.fit.run import Fit, fit
from synth.geography.authorities import parse_authorities
from synth.guidance import Guidance, load
from synth.lives.behaviour import Behaviour
from synth.lives.draw import within
from synth.lives.histories import lives
from synth.lives.homes import Homes
from synth.lives.legal import legal_path
from synth.lives.people import family_names, members
from synth.lives.periods import DRAWN, Entrants, outcome
from synth.lives.placements import stays
from synth.lives.streams import Streams
from synth.main_job import DEFAULT_SEED, generate, generate_panel
from synth.margins import whole_vector
from synth.profile import Profile, load_profile
from synth.published import profiles_dir
from synth.scale import Folder, Job, Plan, make_dataset
from synth.simulate import simulate_years

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth.files import Generated
    from synth.lives.histories import History

settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=30, database=None)
settings.load_profile("fixed")


@dataclass(frozen=True)
class World:
    """One simulated Wales, or a part of it: the lives and what the returns of its year say about them."""

    profile: Profile
    year: int
    seed: int
    names: str
    world: int
    lives: Callable[[], dict[int, History]]
    returns: Callable[[], dict[tuple[int, int], Generated]]
    """Give the lives by year, and the returns by year and world, of this and of others simulated with it."""

    @cached_property
    def authorities(self):
        return parse_authorities(self.names)

    @cached_property
    def streams(self):
        return Streams(self.seed)

    @cached_property
    def behaviour(self):
        return Behaviour(self.profile)

    @property
    def history(self) -> History:
        """Nothing that ever happened is forgotten in it."""
        return self.lives()[self.year]

    @property
    def made(self) -> Generated:
        return self.returns()[self.year, self.world]

    @cached_property
    def forms(self) -> dict[str, pl.DataFrame]:
        """Forms as text, blanks as empty text."""
        return frames(self.made)


def returns_of(profile: Profile, seed: int, histories: dict[int, History]) -> dict[tuple[int, int], Generated]:
    """Cut the returns of each year and world out of lives that were simulated before."""
    homes = next(iter(histories.values())).homes
    with patch("synth.simulate.lives", lambda *_: iter(histories.values())):
        made = simulate_years(profile, homes.authorities, tuple(histories), seed, worlds=homes.worlds)
        return {(one.year, one.world): one for one in made}


@dataclass(frozen=True)
class Periods:
    """Periods of care of arriving families, unfolded without a history around them."""

    streams: Streams
    behaviour: Behaviour
    guidance: Guidance
    who: Entrants
    destination: np.ndarray
    end: np.ndarray
    year: int

    @cached_property
    def path(self):
        how = (self.streams, self.behaviour, self.guidance)
        return legal_path(*how, self.who, self.destination, self.end, self.year)

    @cached_property
    def stays(self):
        return self.stays_of(slice(None))

    def stays_of(self, rows, secure=False):
        """Fill some of the periods with placements, as if there were no others."""
        inside = np.full(len(self.end[rows]), secure)
        how = (self.streams, self.behaviour, self.guidance)
        return stays(*how, self.who.only(rows), self.destination[rows], self.end[rows], self.path.only(rows), inside)


def frames(made: Generated) -> dict[str, pl.DataFrame]:
    """Return forms as frames of text."""
    return {
        form: pl.DataFrame({name: pl.Series(column.tolist(), dtype=pl.String) for name, column in columns.items()})
        for form, columns in made.forms.items()
    }


@pytest.fixture(scope="session")
def profile():
    return load_profile()


@pytest.fixture(scope="session")
def behaviour(profile):
    return Behaviour(profile)


@pytest.fixture(scope="session")
def guidance():
    return load("cla", 2024)


@pytest.fixture(scope="session")
def changed(profile):
    """Return the built-in behaviour with some parameters replaced, each by one value for all years."""

    def with_values(**values):
        parameters = dict(profile.parameters)
        for name, value in values.items():
            parameters[name.replace("__", ".")] = parameters[name.replace("__", ".")].with_values(value)
        return Behaviour(replace(profile, parameters=parameters))

    return with_values


@pytest.fixture(scope="session")
def aimed(profile):
    """Return a function that copies a book of lives and gives it other targets.

    They are told by table, or by table and year: the one count in every cell, or None for no target at all.
    """

    def with_counts(book, counts):
        targets = []
        for target in profile.targets:
            told = [counts[key] for key in ((target.table, target.year), target.table) if key in counts]
            if not told:
                targets.append(target)
            elif told[0] is not None:
                every = dict.fromkeys(target.counts, (told[0],) * len(target.cells))
                targets.append(replace(target, counts=every))
        copied = deepcopy(book)
        copied.behaviour = Behaviour(replace(profile, targets=tuple(targets)))
        return copied

    return with_counts


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """What is dear to make, made once for all workers; see `keeping`."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "kept"
    place.mkdir(exist_ok=True)
    return Kept(place)


TOGETHER = {(1, "22"): (2017, 2022, 2023, 2024), (3, "Merthyr Tydfil"): (2020, 2021)}
"""Years of a seed and its authorities asked for in many places: together they cost little more than the last."""


SIDE_BY_SIDE = {(DEFAULT_SEED, "22"): (0, 1)}
"""Worlds of a seed and its authorities, lived together."""


@pytest.fixture(scope="session")
def world(profile, kept):
    """Return a simulated world; the same one every time it is asked for.

    A year comes out the same whichever others are simulated with it (test_panel); `beside` names those of a test.
    """

    @cache
    def simulated(years, seed, names):
        key = f"{seed}-{names}-{'-'.join(map(str, years))}"
        homes = Homes(parse_authorities(names), SIDE_BY_SIDE.get((seed, names), (0,)))

        def live():
            return {history.year: history for history in lives(Streams(seed), Behaviour(profile), homes, years)}

        histories = cache(lambda: kept(f"lives-{key}", live))
        return histories, cache(lambda: kept(f"returns-{key}", lambda: returns_of(profile, seed, histories())))

    @cache
    def made(year=2023, seed=1, names="22", beside=(), world=0):
        together = TOGETHER.get((seed, names), ())
        years = together if year in together else tuple(sorted({year, *beside}))
        return World(profile, year, seed, names, world, *simulated(years, seed, names))

    return made


@pytest.fixture(scope="session")
def written(profile, world, kept):
    """Write a world once and return its folder, what was written and the report of its check; for reading only."""

    @cache
    def run(year=2023, seed=1, names="22", beside=()):
        def write():
            lives = world(year, seed, names, beside)
            with patch("synth.simulate.simulate_years", lambda *_: iter([lives.made])):
                out = kept.folder()
                return generate(profile, lives.authorities, year, seed=seed, out=out, command="synth generate")

        return kept(f"written-{seed}-{names}-{year}", write)

    return run


@pytest.fixture(scope="session")
def panel(profile, kept):
    """Return what was written of two authorities in the years 2019 to 2024; for reading only."""
    areas = parse_authorities("Torfaen,Powys")
    return kept("panel", lambda: generate_panel(profile, areas, range(2019, 2025), seed=12, out=kept.folder()))


@pytest.fixture(scope="session")
def ahead(profile, kept):
    """Return what was written of one authority in the last published year and the projected one; for reading only."""
    areas = parse_authorities("Conwy")
    return kept("ahead", lambda: generate_panel(profile, areas, (2024, 2025), seed=6, out=kept.folder()))


@pytest.fixture(scope="session")
def five_worlds(profile, kept):
    """Five worlds of two authorities in 2023 as one process makes them; for reading only."""
    return kept("five worlds", lambda: dataset_of(profile, kept.folder() / "worlds", years=(2023,), worlds=5))


@pytest.fixture(scope="session")
def two_years_of_worlds(profile, kept):
    """Three worlds of two authorities in 2022 and 2023; for reading only."""
    return kept("worlds", lambda: dataset_of(profile, kept.folder() / "worlds", years=(2022, 2023), worlds=3))


def dataset_of(profile, root, **how):
    """Make a dataset of worlds and return its folder."""
    make_dataset(Job(Plan(codes=("520", "534"), seed=4, **how), profile, Folder(root)))
    return root


@pytest.fixture
def simulated_before(monkeypatch):
    """Return a function that lets the main job take these years as simulated, one after another, and do the rest."""

    def given(*made):
        monkeypatch.setattr("synth.simulate.simulate_years", lambda *_: iter(made))

    return given


class Remembered:
    """Does as a function of the fit does, and does not solve the same problem twice: some take seconds."""

    def __init__(self, function) -> None:
        self.function = function
        self.known: dict[str, object] = {}

    def __call__(self, *arguments):
        key = hashlib.sha256(pickle.dumps(arguments)).hexdigest()
        if key not in self.known:
            self.known[key] = self.function(*arguments)
        return self.known[key]


@dataclass(frozen=True)
class WholeFit:
    """The fit of the published tables without the simulation of behaviour, and the steps it told of.

    `solvers` are the functions of the fit, by where they are used, that remember what they have solved.
    """

    fit: Fit
    steps: list[str]
    solvers: dict[str, Remembered]

    def again(self, **how) -> Fit:
        """Fit in another way, and solve nothing that was solved before."""
        return fitted_with(self.solvers, **how)


def fitted_with(solvers: dict[str, Remembered], **how) -> Fit:
    """Fit the published tables without the simulation of behaviour."""
    with ExitStack() as patches:
        for place, solver in solvers.items():
            patches.enter_context(patch(place, solver))
        return fit(profiles_dir() / "published", profiles_dir() / "behaviour.json", simulate=False, **how)


@pytest.fixture(scope="session")
def whole_fit(kept):
    def make():
        solvers = {
            "synth.fit.targets.whole_vector": Remembered(whole_vector),
            "synth.fit.targets.shared_out": Remembered(shared_out),
        }
        steps: list[str] = []
        return WholeFit(fitted_with(solvers, tick=steps.append), steps, solvers)

    return kept("fit", make)


@pytest.fixture(scope="session")
def arrivals(behaviour):
    """Return the streams of a seed, the children of arriving families, and each one's day of entry."""

    def drawn(seed, year=2015, kind="care", families=250):
        streams = Streams(seed)
        number = np.arange(families)
        family = family_names(number % 22, year, kind, number // 22)
        on = within(streams("entry day").uniform(family), day_of_year_start(year), last_day(year))
        return streams, family, on, members(streams, behaviour, kind, family, on, year)

    return drawn


@pytest.fixture(scope="session")
def periods(arrivals, behaviour, guidance):
    """Return periods of care that begin in a year, with their legal statuses and placements."""

    @lru_cache(maxsize=32)
    def drawn(seed, year=2015, kind="care", families=250, behaviour=behaviour):
        streams, family, on, new = arrivals(seed, year, kind, families)
        n = len(new.name)
        columns = {
            "name": new.name,
            "lead": family[new.queue] * np.uint64(8),
            "lead_birth": new.birth[np.searchsorted(new.queue, new.queue)],
            "number": np.zeros(n, np.int32),
            "birth": new.birth,
            "entry": on[new.queue],
            "unaccompanied": np.full(n, kind == "unaccompanied"),
            "under": np.full(n, DRAWN, np.int8),
        }
        who = Entrants(*(columns[name] for name in Entrants.__slots__))
        drawn = outcome(streams, behaviour, who, year)
        return Periods(streams, behaviour, guidance, who, drawn.destination, drawn.end, year)

    return drawn
