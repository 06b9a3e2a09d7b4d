"""Lower bounds are the versions that are tried; what looks for other bytes and for tests that flicker finds them."""

import re
import sys
from pathlib import Path

import pytest

from synth.doctor.requirements import asked_for

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

surroundings = pytest.importorskip("surroundings")
LITTLE = (("generate", "--authorities", "Merthyr Tydfil", "--year", "2017", "--quiet", "--out", "out"),)


def test_every_lower_bound_is_tried():
    """The core, and what extras bring to users; each at the version its bound names, and nothing else."""
    lines = (ROOT / "requirements" / "lowest.txt").read_text("utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    users = ("", "arrow", "cloud", "dask", "formats", "pandas")
    asked = {one.name.lower(): one.versions for extra in users for one in asked_for()[extra] if one.name != "synth"}
    assert pins.keys() == asked.keys()
    for name, bounds in asked.items():
        (lowest,) = re.findall(r">=([\d.]+)", bounds)
        assert re.fullmatch(rf"{re.escape(lowest)}(\.0)*", pins[name]), name


def test_a_surrounding_makes_the_same_bytes_and_leaves_nothing(tmp_path):
    other = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7", "POLARS_MAX_THREADS": "2"}
    here, there = (
        surroundings.made_in(surroundings.Surrounding(name, variables), tmp_path / name, LITTLE)
        for name, variables in (("here", {}), ("there", other))
    )
    assert "out/2017/manifest.json" in here
    assert surroundings.other_files(here, there) == []
    assert not (tmp_path / "there" / "here").exists()


def test_other_bytes_are_found_and_those_of_libraries_told_apart():
    one = {"a/x.csv": "1", "a/y.xlsx": "2", "a/manifest.json": "3", "b.csv": "4"}
    other = {"a/x.csv": "1", "a/y.xlsx": "5", "a/manifest.json": "6", "c.csv": "4"}
    assert surroundings.other_files(one, other) == ["a/manifest.json", "a/y.xlsx", "b.csv", "c.csv"]
    assert surroundings.other_files(one, other, libraries=False) == ["b.csv", "c.csv"]


def test_a_draw_that_follows_the_surroundings_is_told(monkeypatch):
    """A set in its own order is what the hash seed changes."""
    run = "import sys, pathlib; pathlib.Path('out').write_text(''.join(set('abcdefghijklmnop')))"
    monkeypatch.setattr(surroundings, "RUN", run)
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    said = []
    tried, findings = surroundings.look("hash seed", tell=said.append, short=True)
    assert (tried, len(findings)) == (3, 3)
    assert findings[0].startswith("hash seed 0: 1 files, first out")
    assert len(said) == 4


def test_a_command_that_ends_badly_is_a_finding(monkeypatch):
    monkeypatch.setattr(surroundings, "RUN", "import os, sys; sys.exit('no time zone' if 'TZ' in os.environ else 0)")
    monkeypatch.delenv("TZ", raising=False)
    assert surroundings.look("Anchorage", short=True) == (
        1,
        ["America/Anchorage time: ended with: no time zone"],
    )
