"""Half of the authorities in a second process: the same bytes, and a clear end where that process dies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth.geography.authorities import parse_authorities
from synth.simulate import _halves

# Run by itself: pytest has threads and tables loaded, and is not to be split.
SPLIT = """
import os, signal, sys
from multiprocessing import active_children
from synth import simulate as module
from synth.files import csv_bytes
from synth.geography.authorities import parse_authorities
from synth.profile import load_profile

assert module.may_split() == (len(os.sched_getaffinity(0)) > 1)
areas, years = parse_authorities("9"), (2018, 2019)

def lived(how, split):
    module.may_split = lambda: split
    profile = load_profile()
    if how == "damaged":
        del profile.parameters["care.stay.short"]
    with module.simulated(profile, areas, years, 5, lambda _: None, "", 2) as found:
        assert len(active_children()) == split
        if how == "killed":
            os.kill(active_children()[0].pid, signal.SIGKILL)
        found = list(found)
    assert not active_children()
    assert [made.authorities for made in found] == [areas] * 2
    return [(made.year, made.world, {name: csv_bytes(form) for name, form in made.forms.items()}) for made in found]

for how in sys.argv[1:]:
    try:
        together = lived(how, True)
    except Exception as problem:
        told = f"{type(problem).__name__} {problem}"
    else:
        assert together == lived(how, False)
        told = "the same"
    print(how, told.replace("\\n", " "))
"""


@pytest.fixture(scope="module")
def told():
    """What the process says of each way to go about it, one after another."""
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", SPLIT, "killed", "damaged", "whole"], cwd=root, capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.skipif(sys.platform != "linux", reason="the process is split on Linux only")
@pytest.mark.parametrize(
    ("how", "says"),
    [("whole", "the same"), ("killed", "OutputError The process that simulates half"), ("damaged", "ProfileError")],
)
def test_two_processes_are_one(told, how, says):
    assert told[how].startswith(says)


@pytest.mark.parametrize("names", ["22", "8", "9", "512,514", "1"])
def test_halves_hold_every_authority_once(profile, names):
    areas = parse_authorities(names)
    here, there = _halves(profile, areas, 2023)
    assert (*here, *there) == tuple(areas)
    assert bool(there) == (len(areas) >= 8)
    if there:
        sizes = [sum(profile.level("care_and_support", a.code, 2023) for a in half) for half in (here, there)]
        assert 0.5 < sizes[0] / sizes[1] < 2
