"""The doctor finds what is wrong and says what to do; a crash is one message, and --verbose tells what is done."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from polars.exceptions import PanicException

import synth
from synth.cli import main
from synth.doctor import examine, machine, packages, shipped, to_json, to_text
from synth.doctor.finding import Finding
from synth.doctor.requirements import Requirement, asked_for, fits, parse
from synth.errors import GuidanceError

ROOT = Path(__file__).parent.parent


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def only(findings, subject):
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


# -- the doctor -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Every finding as the program tells it in a process of its own, and its exit code."""
    place = tmp_path_factory.mktemp("asked")
    done = subprocess.run(
        [sys.executable, "-m", "synth", "doctor", "--format", "json"],
        cwd=place, env={"PATH": "", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}, capture_output=True, check=False,
    )  # fmt: skip
    assert not done.stderr
    assert not list(place.iterdir()), "looking leaves nothing behind"
    return json.loads(done.stdout), done.returncode


def test_it_looks_at_everything_a_run_needs(asked):
    told, code = asked
    findings = [Finding(**finding) for finding in told["findings"]]
    assert (told["synth"], told["exit_code"], code) == (synth.__version__, 0, 0)
    core = {one.name for one in asked_for()[""]}
    assert {"polars", "numpy", "pydantic"} <= core
    assert core <= {finding.subject for finding in findings if finding.status == "ok"}
    assert {finding.subject for finding in findings if finding.area == "Machine"} == {
        "outputs", "disk, outputs", "temporary folder", "disk, temporary folder", "memory", "cores",
        "process split off", "processes side by side", "encoding",
    }  # fmt: skip
    assert only(findings, "built-in profile").status == "ok"
    assert "2017 to 2024" in only(findings, "guidance, cla").found
    assert {finding.subject for finding in findings if finding.area == "Extras"} >= {"formats", "sdv", "dask"}


@pytest.mark.skipif(sys.platform != "linux", reason="processes are split on Linux alone")
def test_splitting_is_tried_where_it_can_be(asked):
    found = only([Finding(**finding) for finding in asked[0]["findings"]], "process split off")
    assert found.status in {"ok", "note"}
    assert found.status == "note" or re.fullmatch(r"process \d+ answered", found.found)


def test_whatever_is_not_ok_says_what_to_do(asked):
    for finding in asked[0]["findings"]:
        assert bool(finding["next"]) == (finding["status"] != "ok"), finding


def test_problems_end_with_exit_code_1_and_their_remedy(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", "utf-8")
    mine = tmp_path / "mine.json"
    mine.write_text('{"format_version": 1, "overlay": true, "parameters": {}}', "utf-8")
    monkeypatch.setattr("synth.profile.check.check_profile", lambda _profile: ["levels: 3; expected 2."])
    result = run("doctor", "--out", tmp_path / "file", "--profile", tmp_path / "nowhere.json", "--profile", mine)
    assert result.exit_code == 1
    assert result.stderr == ""
    lines = [line.split() for line in result.stdout.splitlines()]
    wrong = [words[1] for words in lines if words[:1] == ["problem"]]
    assert wrong == ["outputs", "built-in", "profile"]
    assert [
        "note",
        "profile",
        str(mine),
        "1",
        "findings,",
        "the",
        "first:",
        *["levels:", "3;", "expected", "2."],
    ] in lines
    assert f"synth profile check --profile {mine}" in result.stdout
    assert "is a file, not a folder" in result.stdout
    assert "-> move it away, or give another folder with --out" in result.stdout
    assert "3 problems" in result.stdout


def test_a_package_that_is_missing_old_or_broken_is_a_problem(monkeypatch):
    needed = {"": [Requirement("polars", versions=">=99"), Requirement("no-such-thing", versions=">=2")]}
    monkeypatch.setattr(packages, "asked_for", lambda: needed)
    old, missing = packages.dependencies()
    assert (old.status, missing.status) == ("problem", "problem")
    assert old.next == 'pip install "polars>=99"'
    assert "not installed; >=2 is needed" in missing.found
    needed[""] = [Requirement("polars")]
    monkeypatch.setitem(sys.modules, "polars", None)
    (broken,) = packages.dependencies()
    assert broken.status == "problem"
    assert "cannot be imported" in broken.found


def test_an_extra_that_is_not_whole_is_a_note_with_the_command(monkeypatch):
    needed = {"": [], "more": [Requirement("polars"), Requirement("no-such-thing")], "dev": [Requirement("no-such")]}
    monkeypatch.setattr(packages, "asked_for", lambda: needed)
    (found,) = packages.extras()
    assert (found.subject, found.status) == ("more", "note")
    assert found.found.endswith("no-such-thing missing")
    assert 'pip install "synth[more]"' in found.next


def test_nothing_is_read_with_packages_that_are_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, "asked_for", lambda: {"": [Requirement("no-such-thing")]})
    monkeypatch.setattr(shipped, "profiles", lambda _named: pytest.fail("read"))
    tables = [finding for finding in examine(tmp_path) if finding.area == "Tables"]
    assert [finding.status for finding in tables] == ["note"]


def test_little_disk_memory_and_cores_are_notes(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "wanted", lambda: dict.fromkeys(("disk", "temporary", "memory", "cores"), 10**12))
    found = [*machine.folders(tmp_path), *machine.memory(), *machine.cores()]
    assert [finding.subject for finding in found if finding.status == "note"] == [
        "disk, outputs", "disk, temporary folder", "memory", "cores",
    ]  # fmt: skip


def test_the_memory_of_a_container_counts_where_it_is_less(monkeypatch, tmp_path):
    (tmp_path / "max").write_text("max\n", "ascii")
    (tmp_path / "limit").write_text("250000000\n", "ascii")
    monkeypatch.setattr(machine, "_LIMITS", (tmp_path / "nowhere", tmp_path / "max"))
    (free,) = machine.memory()
    monkeypatch.setattr(machine, "_LIMITS", (tmp_path / "max", tmp_path / "limit"))
    (found,) = machine.memory()
    assert "250 MB" in found.found
    assert "250 MB" not in free.found
    assert found.status == "note"


@pytest.mark.parametrize(("printed", "status"), [("utf-8", "ok"), ("cp1252", "problem"), ("ascii", "problem")])
def test_welsh_can_be_printed_or_it_is_a_problem(monkeypatch, printed, status):
    class Out:
        encoding = printed

    monkeypatch.setattr(sys, "stdout", Out)
    (found,) = machine.encoding()
    assert found.status == status
    assert status == "ok" or "PYTHONUTF8=1" in found.next


def test_damaged_guidance_is_a_problem_with_its_place(monkeypatch):
    def damaged(*_):
        raise GuidanceError("items.csv, line 4, column type: found 'x'")

    monkeypatch.setattr("synth.guidance.load", damaged)
    (found,) = shipped.guidance_tables()
    assert found.status == "problem"
    assert "items.csv, line 4" in found.found


def test_text_and_json_hold_the_same(asked):
    findings = [Finding(**finding) for finding in asked[0]["findings"]]
    text = to_text(findings)
    assert all(finding.found in text and finding.next in text for finding in findings)
    assert json.loads(to_json(findings))["findings"] == asked[0]["findings"]
    assert to_json([Finding("a", "Tŷ", "ok", "Gŵyr")]).isascii()


def test_requirements_are_read_as_they_are_written():
    assert parse("numpy>=1.26") == (Requirement("numpy", (), ">=1.26"), "")
    assert parse("synth[cloud, arrow]; extra == 'dask'") == (Requirement("synth", ("cloud", "arrow")), "dask")
    assert parse('polars<3,>=1.32; python_version > "3" and extra == "x"') == (
        Requirement("polars", (), "<3,>=1.32"),
        "x",
    )
    with pytest.raises(ValueError, match="no requirement"):
        parse(">=3")
    extras = asked_for()
    assert {one.name for one in extras["cloud"]} < {one.name for one in extras["dask"]}
    assert "synth" not in {one.name for names in extras.values() for one in names}


def test_versions_are_compared_as_numbers():
    assert fits("1.32", ">=1.4,<3")
    assert fits("2.0.0", "==2")
    assert not fits("3.0", ">=1.32,<3")
    assert not fits("1.9.9", ">=1.10")
    assert fits("2.13.0+cpu", ">2,!=2.14")
    assert not fits("2.13.0rc1", "<=2.12")
    assert fits("0.1", "")


# -- crashes and --verbose --------------------------------------------------------------------------------------


@pytest.fixture
def crash():
    """Add a command that fails as it is told to."""

    @main.command("crash")
    @click.argument("kind")
    def command(kind):
        raise {
            "key": KeyError("Tŷ" * 400),
            "disk": OSError(28, "No space left"),
            "memory": MemoryError(),
            "library": ImportError("x.so: failed to map segment from shared object"),
            "panic": PanicException("capacity overflow"),
        }[kind]

    yield
    del main.commands["crash"]


@pytest.mark.usefixtures("crash")
def test_a_crash_is_one_message_and_an_exit_code_of_its_own():
    result = run("crash", "key")
    assert result.exit_code == 70
    assert result.stdout == ""
    assert result.stderr.startswith("synth: unexpected KeyError: ")
    assert "Traceback" not in result.stderr
    assert "synth --verbose" in result.stderr
    assert "mistake in synth" in result.stderr
    assert re.search(r"\(synth/cli/group\.py, line \d+\)", result.stderr)
    assert len(result.stderr) < 700
    assert "synth doctor" in run("crash", "disk").stderr
    assert "No space left" in run("crash", "disk").stderr
    assert "Memory ran out" in run("crash", "memory").stderr
    assert "Memory ran out" in run("crash", "library").stderr
    assert run("crash", "panic").stderr.startswith("synth: unexpected PanicException: capacity overflow")


def test_too_little_memory_is_said_before_libraries_hang_for_want_of_it():
    resource = pytest.importorskip("resource")
    limit = 500_000_000
    process = subprocess.run(
        [sys.executable, "-m", "synth", "doctor"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.startswith("synth: memory is limited to 500 MB of address space here")


@pytest.mark.usefixtures("crash")
@pytest.mark.parametrize("word", ["-v", "--verbose"])
def test_verbose_shows_the_traceback(word):
    result = run(word, "crash", "disk")
    assert result.exit_code == 70
    assert "Traceback (most recent call last)" in result.stderr
    assert "\nsynth: unexpected OSError: [Errno 28] No space left" in result.stderr


def test_other_exit_codes_stay_as_they_are():
    assert run("guidance", "--return", "cla", "--year", 1900).exit_code == 2
    assert run("guidance", "--return", "cla").exit_code == 2
    assert "Usage:" in run("nonsense").stderr
    assert run("--version").exit_code == 0


def test_verbose_tells_steps_with_times_on_standard_error():
    words = ("profile", "show", "--year", 2023)
    told, quiet = run("--verbose", *words), run(*words)
    assert quiet.stderr == ""
    assert told.stdout == quiet.stdout
    assert (quiet.exit_code, told.exit_code) == (0, 0)
    lines = told.stderr.splitlines()
    assert all(re.match(r"synth +\d+\.\d{3} s  \S", line) for line in lines)
    assert lines[1].endswith("begin profile")
    assert any("profile wales read from" in line for line in lines)
    assert lines[-1].endswith("end")
    assert not logging.getLogger("synth").handlers, "the next command in this process is told of nothing"


def test_steps_reach_whoever_configured_logging(caplog):
    from synth.profile import load_profile

    with caplog.at_level(logging.INFO, logger="synth"):
        load_profile()
    assert [record.levelname for record in caplog.records if "profile wales" in record.message] == ["INFO"]


def test_who_does_not_ask_pays_nothing():
    code = (
        "import sys, synth.cli, synth.log as log; log.doing('x'); "
        "print('logging' in sys.modules, 'synth.doctor' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
