"""Fixtures of the generating side; lives are simulated once for each year, seed and set of authorities."""

from __future__ import annotations

import os

# Before numpy: workers that each start threads for small matrices wait for one another most of the time.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

from synth.dates import day_of_year_start, last_day
from synth.geography.authorities import parse_authorities
from synth.guidance import Guidance, load
from synth.lives.behaviour import Behaviour
from synth.lives.draw import within
from synth.lives.histories import live
from synth.lives.homes import Homes
from synth.lives.legal import legal_path
from synth.lives.people import family_names, members
from synth.lives.periods import DRAWN, Entrants, outcome
from synth.lives.placements import stays
from synth.lives.streams import Streams
from synth.lives.unfolding import unfold
from synth.main_job import generate
from synth.profile import Profile, load_profile
from synth.simulate import simulate

if TYPE_CHECKING:
    from synth.files import Generated

settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=30, database=None)
settings.load_profile("fixed")


@dataclass(frozen=True)
class World:
    """One simulated Wales, or a part of it: the lives and what the returns of its year say about them."""

    profile: Profile
    year: int
    seed: int
    names: str

    @cached_property
    def authorities(self):
        return parse_authorities(self.names)

    @cached_property
    def streams(self):
        return Streams(self.seed)

    @cached_property
    def behaviour(self):
        return Behaviour(self.profile)

    @cached_property
    def history(self):
        return live(self.streams, self.behaviour, Homes(self.authorities), self.year)

    @cached_property
    def care(self):
        return unfold(self.streams, self.behaviour, self.history, self.year)

    @cached_property
    def made(self) -> Generated:
        with patch("synth.simulate.lives", lambda *_: iter([self.history])):
            return simulate(self.profile, self.authorities, self.year, self.seed)

    @cached_property
    def forms(self) -> dict[str, pl.DataFrame]:
        """Forms as text, blanks as empty text."""
        return frames(self.made)


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
    document = profile.model_dump(mode="json", exclude_none=True)

    def with_values(**values):
        found = json.loads(json.dumps(document))
        for name, value in values.items():
            parameter = found["parameters"][name.replace("__", ".")]
            parameter.pop("by_year", None)
            parameter["value"] = value
        return Behaviour(Profile.model_validate(found))

    return with_values


@pytest.fixture(scope="session")
def world(profile):
    """Return a simulated world; the same one every time it is asked for."""

    @cache
    def made(year=2023, seed=1, names="22"):
        return World(profile, year, seed, names)

    return made


@pytest.fixture(scope="session")
def written(profile, world, tmp_path_factory):
    """Write a world once and return its folder, what was written and the report of its check."""

    @cache
    def run(year=2023, seed=1, names="22"):
        lives = world(year, seed, names)
        made = lives.made
        with patch("synth.simulate.simulate_years", lambda *_: iter([made])):
            out = tmp_path_factory.mktemp("written")
            return generate(profile, lives.authorities, year, seed=seed, out=out, command="synth generate")

    return run


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
