import json
import re
import shutil

import pytest
from click.testing import CliRunner

from synth import __version__
from synth.cli import main
from synth.files import FILES

THREE = "Powys,Cardiff,Merthyr Tydfil"


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def refused(result, *said):
    """One message on standard error, exit code 2, nothing on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("synth: ")
    assert result.stderr.count("synth: ") == 1
    assert len(result.stderr.splitlines()) <= 3
    assert "Traceback" not in result.stderr
    for text in said:
        assert text in result.stderr


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A year of three authorities made on the command line."""
    out = tmp_path_factory.mktemp("cli")
    return run("generate", "--authorities", THREE, "--year", 2023, "--seed", 5, "--out", out), out


def test_generate_writes_a_year_and_says_so(first):
    result, out = first
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    told = {"manifest.json", "datapackage.json", "metadata"}
    assert {path.name for path in (out / "2023").iterdir()} == {*FILES.values(), *told}
    assert str(out / "2023") in result.stdout
    assert "seed 5" in result.stdout
    assert "Wholly synthetic" in result.stdout
    rows = (out / "2023" / FILES["crcs"]).read_text("utf-8").count("\n") - 1
    assert f"{rows:,}" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) < 200


def test_the_manifest_holds_a_command_that_makes_the_same_files_again(first, tmp_path):
    _, out = first
    manifest = json.loads((out / "2023" / "manifest.json").read_text("utf-8"))
    program, *words = manifest["command"].split()
    assert program == "synth"
    again = run(*words, "--out", tmp_path, "--quiet")
    assert again.exit_code == 0
    for path in (out / "2023").rglob("*.*"):
        assert (tmp_path / path.relative_to(out)).read_bytes() == path.read_bytes(), path.name


QUIETLY = ("generate", "--authorities", "Merthyr Tydfil", "--year", 2019, "--quiet", "--out")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A year of one authority made on the command line without a word, and without a seed."""
    out = tmp_path_factory.mktemp("quiet")
    return run(*QUIETLY, out), out


def test_quiet_says_nothing(quiet):
    result, out = quiet
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert (out / "2019" / "manifest.json").exists()


def test_without_a_seed_everyone_gets_the_same_children(quiet, tmp_path):
    from synth.main_job import DEFAULT_SEED

    _, out = quiet
    run(*QUIETLY, tmp_path, "--seed", DEFAULT_SEED)
    for name in [*FILES.values(), "manifest.json"]:
        assert (out / "2019" / name).read_bytes() == (tmp_path / "2019" / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--authorities", "Cardif", "--year", "2023"), ("'Cardif'", "did you mean Cardiff")),
        (("--authorities", "Powys,Ynis Mon", "--year", "2023"), ("'Ynis Mon'", "Isle of Anglesey")),
        (("--authorities", "23", "--year", "2023"), ("Wales has 22 authorities",)),
        (("--authorities", "", "--year", "2023"), ("is empty",)),
        (("--authorities", "3", "--year", "2016"), ("--year 2016", "2017 to 2024")),
        (("--authorities", "3", "--year", "2026"), ("--year 2026", "2017 to 2024", "as a projection, 2025")),
        (("--authorities", "3", "--year", "202223"), ("--year 202223", "2017 to 2024")),
        (("--year", "2023", "--profile", "nowhere.json"), ("nowhere.json", "cannot be read")),
    ],
)
def test_what_cannot_be_done_is_one_message_and_nothing_is_written(tmp_path, words, said):
    refused(run("generate", *words, "--out", tmp_path / "out"), *said)
    assert list(tmp_path.iterdir()) == []


DAMAGED = [
    ('{"format_version": 1,', "not JSON"),
    ("[]", "expected a JSON object"),
    ('{"format_version": 7}', "format_version"),
    ('{"format_version": 1, "overlay": true, "parameters": {"household.twin": {"value": 1}}}', "is not a parameter"),
    ('{"format_version": 1, "overlay": true, "parameters": {"household.twin_share": {"value": 3}}}', "between 0 and 1"),
]


@pytest.mark.parametrize(("text", "said"), DAMAGED)
def test_a_damaged_profile_is_refused(tmp_path, text, said):
    path = tmp_path / "mine.json"
    path.write_text(text, "utf-8")
    result = run("generate", "--authorities", "3", "--year", 2023, "--out", tmp_path / "out", "--profile", path)
    refused(result, "mine.json", said)
    assert not (tmp_path / "out").exists()


def test_an_overlay_changes_what_comes_out(first, tmp_path):
    path = tmp_path / "mine.json"
    overlay = {"levels": [{"kind": "looked_after", "authority": "552", "year": 2023, "value": 1100}]}
    path.write_text(json.dumps({"format_version": 1, "overlay": True, **overlay}), "utf-8")
    common = ("--authorities", "Cardiff", "--year", 2023, "--seed", 5, "--quiet", "--out", tmp_path)
    assert run("generate", *common, "--profile", path).exit_code == 0
    text = (tmp_path / "2023" / FILES["episode"]).read_text("utf-8").splitlines()[1:]
    cells = [line.split(",") for line in text]
    assert sum(row[10] == "" and row[6] != "V1" for row in cells) == 1100


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "taken").write_text("x", "utf-8")
    result = run("generate", "--authorities", "3", "--year", 2023, "--out", tmp_path / "taken")
    refused(result, "--out", "is a file, not a folder")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    "words",
    [
        ("generate", "--year", "x"), ("generate", "--year", "2023", "--seed", "-1"), ("nothing",),
        ("validate",), ("guidance", "--year", "2023"), ("guidance", "--return", "x", "--year", "2023"),
    ],
)  # fmt: skip
def test_words_that_are_not_understood_exit_with_2(words):
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr


def test_help_names_the_commands():
    result = run("--help")
    assert result.exit_code == 0
    for command in ("generate", "validate", "guidance", "profile", "show"):
        assert re.search(rf"^  {command} ", result.stdout, re.MULTILINE), command
    for words in (("generate",), ("validate",), ("guidance",), ("profile",), ("profile", "show"), ("fit",)):
        told = run(*words, "-h")
        assert told.exit_code == 0
        assert "Usage: " in told.stdout
    assert run("--version").stdout.strip().endswith(__version__)


@pytest.mark.parametrize("return_", ["cla", "crcs"])
def test_guidance_is_printed(return_):
    text = run("guidance", "--return", return_, "--year", 2023)
    assert text.exit_code == 0
    assert "LOCAL_AUTHORITY_CODE" in text.stdout
    found = run("guidance", "--return", return_, "--year", 2023, "--format", "json")
    assert isinstance(json.loads(found.stdout), dict)
    refused(run("guidance", "--return", return_, "--year", 1990), "1990")


def test_the_profile_is_shown():
    text = run("profile", "show", "--year", 2023)
    assert text.exit_code == 0
    assert "household.twin_share" in text.stdout
    found = json.loads(run("profile", "show", "--year", 2023, "--format", "json").stdout)
    assert len(found["levels"]) == 44
    refused(run("profile", "show", "--year", 2030), "2017 to 2024")
    refused(run("profile", "show", "--year", 2023, "--profile", "nowhere.json"), "nowhere.json")


def test_validate_passes_what_was_generated(first):
    _, out = first
    result = run("validate", out / "2023")
    assert result.exit_code == 0
    assert "0 found something" in result.stdout
    assert json.loads(run("validate", out / "2023", "--format", "json").stdout)["exit_code"] == 0


def test_validate_finds_an_edited_cell(first, tmp_path):
    _, out = first
    folder = tmp_path / "edited"
    shutil.copytree(out / "2023", folder)
    path = folder / FILES["child"]
    lines = path.read_text("utf-8").split("\n")
    cells = lines[4].split(",")
    cells[lines[0].split(",").index("GNDR_CD")] = "8"
    lines[4] = ",".join(cells)
    path.write_text("\n".join(lines), "utf-8")
    result = run("validate", folder)
    assert result.exit_code == 1
    assert "CLA007" in result.stdout
    assert f"line 5, child {cells[1]}/{cells[2]}" in result.stdout
    found = json.loads(run("validate", folder, "--format", "json").stdout)
    assert found["exit_code"] == 1
    assert any(row["line"] == 5 and "8" in row["value"] for row in found["findings"])


def test_validate_refuses_what_cannot_be_read(tmp_path):
    refused(run("validate", tmp_path), "no file of a return", "is empty")
    refused(run("validate", tmp_path / "nowhere"), "no such file or folder")
    (tmp_path / FILES["crcs"]).write_text("A,B\n1,2\n", "utf-8")
    refused(run("validate", tmp_path), FILES["crcs"])


def test_the_module_runs_as_a_program():
    import subprocess
    import sys
    from pathlib import Path

    done = subprocess.run(
        [sys.executable, "-m", "synth", "generate", "--authorities", "Cardif", "--year", "2023"],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("synth: --authorities: 'Cardif'")
