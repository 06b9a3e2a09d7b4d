"""Small returns for other people's tests, and the fixtures that pytest finds by itself."""

import doctest
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

import synth
import synth.api.reading
from synth.errors import InputError
from synth.files import FILES
from synth.spoil import ANSWERS
from synth.testing import returns, small_return, spoilt_return
from synth.validate import validate

ROOT = Path(__file__).parents[1]

pytest_plugins = ["pytester"]


def found(folder, last_year=()):
    return set(validate([folder], last_year=last_year).findings.select("rule", "child").rows())


# -- plain functions --------------------------------------------------------------------------------------------


def test_a_small_return_is_valid_and_whole(tmp_path):
    made = small_return(tmp_path)
    assert made.folder == tmp_path / "2023"
    assert made.last_year is None
    assert set(made.files) == set(FILES)
    assert {path.name: path.read_bytes() for path in made.folder.iterdir()} == made.good.files()
    assert synth.load(made.folder).command == "synth generate --authorities 542 --year 2023 --seed 20230331"
    assert found(made.folder) == made.queried == set()
    assert made.frames["episode"].schema["EPISODE_START_DATE"] == pl.Date


def test_each_call_gets_files_and_frames_of_its_own(tmp_path, monkeypatch):
    one = small_return(tmp_path / "one")
    monkeypatch.setattr(returns, "generate_panel", None)
    one.files["child"].write_text("gone")
    one.good.text["child"].insert_column(0, pl.Series("MINE", [""] * one.good.text["child"].height))
    two = small_return(str(tmp_path / "two"))
    assert two.files["child"].read_bytes() == two.good.files()[FILES["child"]]
    assert "MINE" not in two.frames["child"].columns


def test_files_of_somebody_else_are_left_alone(tmp_path):
    (tmp_path / "2023").mkdir()
    (tmp_path / "2023" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"mine\.txt"):
        small_return(tmp_path)
    with pytest.raises(InputError, match="Cardif"):
        small_return(tmp_path / "other", authority="Cardif")
    assert not (tmp_path / "other").exists()


def test_each_rule_and_kind_named_is_broken_once(tmp_path):
    made = spoilt_return(tmp_path, rules=["CLA053", "CRCS-024"], kinds="gap")
    assert {answer.kind for answer in made.answers if answer.kind != "follows"} == {"CLA053", "CRCS-024", "gap"}
    assert len({answer.entry for answer in made.answers if answer.entry}) == 3
    assert (made.folder / ANSWERS).is_file()
    assert {rule for rule, _ in made.must_find} >= {"CLA053", "CRCS-024"}
    seen = found(made.folder)
    assert made.must_find <= seen <= made.may_find
    assert made.missed(seen) == made.unexpected(seen) == set()
    assert made.missed(set()) == made.must_find
    one = next(iter(made.must_find))
    assert made.missed(seen - {one}) == {one}
    assert made.unexpected({*seen, ("CLA001", "542/SYN")}) == {("CLA001", "542/SYN")}
    # The frames are those of the files.
    (change,) = [a for a in made.answers if a.kind == "CRCS-024" and a.field]
    assert made.frames["crcs"].row(change.line - 2, named=True)[change.field].strftime("%d/%m/%Y") == change.written
    assert made.good.text["crcs"].row(change.line - 2, named=True)[change.field] == change.true


def test_a_mistake_in_a_whole_file_is_found_on_any_child(tmp_path):
    made = spoilt_return(tmp_path, kinds=["column-missing"], mistakes=5)
    assert made.must_find == {("CLA-episode-CATEGORY_OF_NEED_CODE-required", "")}
    seen = found(made.folder)
    assert len(seen) > 100
    assert made.unexpected(seen) == made.missed(seen) == set()
    assert made.missed(set()) == made.must_find


def test_rates_are_shares_of_the_children(tmp_path):
    # rules that any child's record can break
    made = spoilt_return(tmp_path, rules=["CRCS-014", "CRCS-YOUTH_OFFENDING-required"], rate=0.02)
    children = pl.concat(
        [
            made.good.crcs.select("LOCAL_AUTHORITY_CODE", id="CHILD_CODE"),
            made.good.child.select("LOCAL_AUTHORITY_CODE", id="SYSTEM_ID"),
        ]
    ).n_unique()
    assert len({answer.entry for answer in made.answers if answer.entry}) == round(0.02 * children)
    assert not made.missed(found(made.folder))


def test_rules_that_compare_years_have_the_year_before(tmp_path):
    made = spoilt_return(tmp_path, rules=["CLA006"], year=2018, last_year=True)
    assert made.last_year == tmp_path / "2017"
    assert found(made.last_year) == set()
    seen = found(made.folder, [made.last_year])
    assert {rule for rule, _ in made.must_find} == {"CLA006"}
    # So few children are odd as a whole, with and without mistakes.
    assert made.queried == {("CLA146", "542")} < seen
    assert made.missed(seen) == made.unexpected(seen) == set()


def test_what_cannot_be_made_is_told(tmp_path):
    with pytest.raises(InputError, match="last_year"):
        spoilt_return(tmp_path, rules=["CLA006"])
    with pytest.raises(InputError, match="CLA999"):
        spoilt_return(tmp_path, rules=["CLA999"])


def test_examples_of_docstrings_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = doctest.testmod(synth.testing)
    assert done.attempted > 4
    assert not done.failed


# -- fixtures ---------------------------------------------------------------------------------------------------

PORTAL = """
from synth.api.reading import check


def findings(folder):
    return set(check(folder).findings.select("rule", "child").rows())
"""

UNUSED = """
import sys


def test_nothing_is_imported_before_it_is_asked_for():
    assert "synth.testing.fixtures" in sys.modules
    assert not {"numpy", "polars", "scipy", "pydantic"} & set(sys.modules)
"""


def session(folder, *words):
    """Run pytest in a folder where synth is installed, as far as its entry points go, and return what it says."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["pytest11"]
    installed = folder / "installed" / "synth_here-0.dist-info"
    installed.mkdir(parents=True, exist_ok=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: synth-here\nVersion: 0\n")
    listed = "".join(f"{name} = {place}\n" for name, place in points.items())
    (installed / "entry_points.txt").write_text(f"[pytest11]\n{listed}")
    paths = os.pathsep.join([str(installed.parent), str(ROOT)])
    tests = folder / "tests"
    tests.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error", *words],
        cwd=tests,
        env=os.environ | {"PYTHONPATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_session_that_does_not_use_them_is_left_alone(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_nothing.py").write_text(UNUSED)
    said = session(tmp_path)
    assert "1 passed" in said, said
    assert {path.name for path in (tmp_path / "tests").iterdir()} <= {"test_nothing.py", "__pycache__"}


def test_the_tests_of_the_readme_pass(pytester, monkeypatch):
    section = (ROOT / "README.md").read_text("utf-8").partition("\n## From Python\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    pytester.makeconftest("from synth.testing.fixtures import *")
    pytester.makepyfile(portal=PORTAL, test_portal=block)
    monkeypatch.syspath_prepend(pytester.path)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=4)


def test_fixtures_tell_what_they_are(tmp_path):
    said = session(tmp_path, "--fixtures")
    names = ("synth_return", "synth_spoilt_return", "make_synth_return", "make_synth_spoilt_return")
    for name in names:
        assert re.search(rf"^{name}( \[session scope\])? -- .*fixtures\.py:\d+$", said, re.MULTILINE), said
    assert "no docstring" not in said.partition("fixtures defined from synth")[2]
