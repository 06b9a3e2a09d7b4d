"""Checks beside the simulation: a process split off and a thread say the same, and neither outlives its block."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth.checker import checker
from synth.errors import InputError
from synth.geography.authorities import parse_authorities
from synth.main_job import generate

# Run by itself: pytest has threads and tables loaded, and is not to be split.
SPLIT = """
import os, signal, sys
from multiprocessing import active_children
from pathlib import Path
from synth import checker as module

assert module.may_split() == (len(os.sched_getaffinity(0)) > 1)
module.may_split = lambda: True
mode, folder = sys.argv[1], Path(sys.argv[2])
with module.checker(2021) as check:
    (child,) = active_children()
    if mode == "killed":
        os.kill(child.pid, signal.SIGKILL)
    try:
        for year in (2021, 2022):
            check.check(folder / str(year), year)
        print("".join(report.to_text() for report in check.reports()))
    except Exception as problem:
        print(type(problem).__name__, problem)
assert not active_children()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the process is split on Linux only")


@pytest.fixture(scope="module")
def years(profile, tmp_path_factory):
    """Two years of one authority, the later one checked beside the earlier."""
    out = tmp_path_factory.mktemp("years")
    for year in (2021, 2022):
        generate(profile, parse_authorities("Cardiff"), year, out=out)
    return out


def split(mode, folder):
    """Check two years in a process split off from a fresh one."""
    done = subprocess.run(
        [sys.executable, "-c", SPLIT, mode, str(folder)], cwd=Path(__file__).parents[1],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_a_process_split_off_and_a_thread_report_the_same(years):
    with checker(2021) as check:
        for year in (2021, 2022):
            check.check(years / str(year), year)
        told = "".join(report.to_text() for report in check.reports())
    assert "no child form of last year at hand" in told
    assert split("whole", years).rstrip("\n") == told.rstrip("\n")


def test_what_a_check_raises_is_raised_where_its_report_is_asked_for(tmp_path):
    with checker(2021) as check:
        check.check(tmp_path / "2021", 2021)
        with pytest.raises(InputError, match="no file of a return"):
            check.reports()
    assert split("whole", tmp_path).startswith("InputError")


def test_a_process_that_was_killed_is_told(years):
    assert split("killed", years).startswith("OutputError The process that checks what was written ended")
