"""What the main job costs, counted and not timed: figures that are the same on a slow machine and on a busy one.

Three authorities are simulated up to 2023, their returns cut and turned to CSV, one world alone and two side by side.
Counted are

    calls of Python    functions and steps of generators; comprehensions not, which later Pythons call no more
    calls of C         functions of Python, numpy and scipy that are called by name; what stands behind + and [] is not
    array bytes        the sizes of all arrays that functions hand back, views too: a measure of the elements worked on
    uniforms           words drawn from all streams
    peak bytes         the most memory held at once above what was held before

The check of what was written is not among them, nor what a process costs to start. What is recorded stands in
tests/golden/cost.json. Versions of Python and numpy make a difference of a few thousandths.
"""

import gc
import json
import os
import platform
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from synth.files import csv_bytes
from synth.geography.authorities import parse_authorities
from synth.lives.streams import Stream, Streams
from synth.simulate import simulate_years

GOLDEN = Path(__file__).parent / "golden" / "cost.json"
MOST = 1.2
"""So many times what is recorded may be needed before the test fails."""

INLINED = {"<listcomp>", "<dictcomp>", "<setcomp>"}
AGAIN = (
    "if the main job was meant to cost more, say why in the commit: SYNTH_REFRESH_GOLDEN=1 pytest tests/test_cost.py"
)


@pytest.fixture(scope="module")
def job(profile):
    """Return what makes the files of some worlds in memory, having made them before: all caches are filled."""
    authorities = parse_authorities("520,534,512")

    def made(*worlds):
        for generated in simulate_years(profile, authorities, (2023,), 1, worlds=worlds):
            for form in generated.forms.values():
                csv_bytes(form)

    made(0, 1)
    return made


@pytest.fixture
def undisturbed():
    """Collect what is unreachable before and not in between: when it is done depends on what other tests left."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def counted(work):
    """Run something and return its calls, the bytes of arrays handed back, and the uniforms drawn."""
    python = c = size = words = 0
    drawing, array = {Stream.words.__code__, Streams.words.__code__}, np.ndarray

    def watch(frame, event, arg):
        nonlocal python, c, size, words
        if event == "call":
            python += frame.f_code.co_name not in INLINED
        elif event == "c_call":
            c += 1
        elif event == "return" and isinstance(arg, array):
            size += arg.nbytes
            if frame.f_code in drawing:
                words += arg.size

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(before)
    return {"calls of Python": python, "calls of C": c, "array bytes": size, "uniforms": words}


def peak(work):
    """Run something and return the bytes it held at most, numpy's arrays included."""
    tracemalloc.start()
    try:
        work()
        return {"peak bytes": tracemalloc.get_traced_memory()[1]}
    finally:
        tracemalloc.stop()


def grown(recorded, found):
    """Return a line for each figure that is more than MOST times what is recorded, or was not recorded at all."""
    lines = []
    for part, figures in found.items():
        for name, figure in figures.items():
            before = recorded.get(part, {}).get(name, 0)
            if figure > MOST * before:
                share = f"{figure / before - 1:+.1%}" if before else "not recorded"
                lines.append(f"{part}, {name}: {figure:,}, recorded {before:,} ({share}; {MOST - 1:.0%} is allowed)")
    return lines


def test_the_main_job_costs_no_more_than_recorded(job, undisturbed):
    found = {
        "one world": counted(lambda: job(0)),
        "two worlds": counted(lambda: job(0, 1)) | peak(lambda: job(0, 1)),
    }
    if os.environ.get("SYNTH_REFRESH_GOLDEN"):
        held_for = {"python": platform.python_version(), "numpy": np.__version__}
        GOLDEN.write_text(json.dumps({"versions": held_for, **found}, indent=2) + "\n", encoding="utf-8")
    recorded = json.loads(GOLDEN.read_text(encoding="utf-8"))
    lines = grown(recorded, found)
    versions = ", ".join(f"{name} {version}" for name, version in recorded["versions"].items())
    assert not lines, "\n".join(["the main job costs more:", *lines, f"recorded with {versions}; {AGAIN}"])


def test_growth_is_seen_from_a_fifth_on():
    recorded = {"one world": {"uniforms": 1000, "calls of C": 1000}}
    assert not grown(recorded, {"one world": {"uniforms": 1200, "calls of C": 10}})
    (line,) = grown(recorded, {"one world": {"uniforms": 1300, "calls of C": 1000}})
    assert line == "one world, uniforms: 1,300, recorded 1,000 (+30.0%; 20% is allowed)"
    assert grown({}, {"one world": {"uniforms": 1}}) == [
        "one world, uniforms: 1, recorded 0 (not recorded; 20% is allowed)"
    ]
