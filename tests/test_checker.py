"""Checks beside the simulation: a process split off and a thread say the same, and neither outlives its block."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth.checker import checker
from synth.errors import InputError

# Run by itself: pytest has threads and tables loaded, and is not to be split.
SPLIT = """
import json, os, signal, sys
from multiprocessing import active_children
from pathlib import Path
from synth import checker as module

assert module.may_split() == (len(os.sched_getaffinity(0)) > 1)
module.may_split = lambda: True
told = {}
for mode, folder in zip(("whole", "empty", "killed"), map(Path, sys.argv[1:]), strict=True):
    with module.checker(2021) as check:
        (child,) = active_children()
        if mode == "killed":
            os.kill(child.pid, signal.SIGKILL)
        try:
            for year in (2021, 2022):
                check.check(folder / str(year), year)
            told[mode] = "".join(checked.text for checked in check.checked())
        except Exception as problem:
            told[mode] = f"{type(problem).__name__} {problem}"
    assert not active_children()
print(json.dumps(told))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the process is split on Linux only")


@pytest.fixture(scope="module")
def years(panel):
    """A folder of years, of which two are checked, the later one beside the earlier."""
    return panel[0].folder.parent


@pytest.fixture(scope="module")
def apart(years, tmp_path_factory):
    """What checks of two years say in processes split off from a fresh one: all is well, nothing there, or killed."""
    done = subprocess.run(
        [sys.executable, "-c", SPLIT, str(years), str(tmp_path_factory.mktemp("empty")), str(years)],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)


def test_a_process_split_off_and_a_thread_report_the_same(years, apart):
    with checker(2021) as check:
        for year in (2021, 2022):
            check.check(years / str(year), year)
        told = "".join(checked.text for checked in check.checked())
    assert "no child form of last year at hand" in told
    assert apart["whole"] == told


def test_what_a_check_raises_is_raised_where_its_report_is_asked_for(tmp_path, apart):
    with checker(2021) as check:
        check.check(tmp_path / "2021", 2021)
        with pytest.raises(InputError, match="no file of a return"):
            check.checked()
    assert apart["empty"].startswith("InputError")


def test_a_process_that_was_killed_is_told(apart):
    assert apart["killed"].startswith("OutputError The process that checks what was written ended")
