"""What is typed wrong, disks that refuse and folders that are somebody else's: one message, nothing lost."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

import synth
from synth.cli import main
from synth.errors import InputError, OutputError
from synth.files import FILES, check_file, check_place, folder_in_place, write_whole


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def refused(result, *said):
    """Exit code 2 and a message that says so, nothing on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    for text in said:
        assert text in result.stderr


@pytest.fixture(scope="module")
def years(tmp_path_factory):
    """Two years of a small authority."""
    out = tmp_path_factory.mktemp("wrong")
    synth.generate_panel(2022, 2023, "Merthyr Tydfil").write(out)
    return out


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("generate", "--year", 2023, "--people-slips", "nan"), "--people-slips"),
        (("fidelity", "there", "--min-inside", "nan"), "--min-inside"),
        (("compare", "a", "b", "--min-quality", "NaN"), "--min-quality"),
        (("compare", "a", "b", "--association", "nan"), "--association"),
    ],
)
def test_what_is_no_number_is_no_share(words, option):
    refused(run(*words), option, "is no number; give one from 0 to 1")


@pytest.mark.parametrize(
    "words",
    [
        ("generate", "--year", 2023, "--out", ""),
        ("convert", "in", "--format", "csv", "--out", ""),
        ("convert", "", "--format", "csv", "--out", "c"),
        ("validate", ""),
        ("generate", "--year", 2023, "--profile", ""),
    ],
)
def test_an_empty_name_is_not_the_folder_one_is_in(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(run(*words), "it is empty; give the name of a file or folder")
    assert not list(tmp_path.iterdir())


def test_a_link_in_the_place_of_a_folder_stays(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "2023"
    link.symlink_to("real")
    with pytest.raises(InputError, match="is a link to real; remove the link or give another --out"):
        check_place(tmp_path, link)
    (tmp_path / "real").rmdir()
    with pytest.raises(InputError, match="is a link to real"):
        check_place(tmp_path, link)
    assert link.is_symlink()


def test_a_dataset_may_be_a_link(tmp_path):
    from synth.scale.store import Folder

    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    Folder(tmp_path / "link").prepare()
    assert (tmp_path / "link").is_symlink()


def test_places_that_cannot_be_are_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for out in (tmp_path / ("a" * 300), tmp_path / "loop" / "x"):
        result = run("generate", "--authorities", "Merthyr Tydfil", "--year", 2023, "--out", out)
        refused(result, "synth: ")
        assert len(result.stderr) < 500
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_the_file_that_would_be_lost_is_named_not_our_folder_around_it(tmp_path):
    folder = tmp_path / "2023"
    (folder / "people").mkdir(parents=True)
    (folder / "people" / "children.csv").touch()
    (folder / "people" / "mine.txt").touch()
    (folder / "manifest.json").write_text(json.dumps({"beside": {"people/children.csv": {}}}))
    with pytest.raises(InputError, match=r"did not write \(people/mine.txt\)"):
        check_place(tmp_path, folder)


def test_a_file_that_cannot_be_written_is_refused_before_the_work(years, tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        check_file(tmp_path)
    learn = ("learn", years / "2023", "--authority-level", "--copula", "counts", "--out")
    refused(run(*learn, tmp_path / "no" / "overlay.json"), "cannot write in", "give another file")


def test_a_disk_that_can_only_be_read_gets_one_message(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(OutputError, match="Read-only file system"):
        write_whole("text", tmp_path / "out.json")


def test_a_full_disk_under_a_database_is_said_and_nothing_stays(years, tmp_path, monkeypatch):
    opened = sqlite3.connect

    def full(path):
        base = opened(path)
        base.execute("PRAGMA max_page_count = 3")
        return base

    monkeypatch.setattr(sqlite3, "connect", full)
    result = run("convert", years / "2023", "--format", "sqlite", "--out", tmp_path / "c")
    refused(result, "could not be written (database or disk is full). Nothing was replaced.")
    assert not list(tmp_path.iterdir())


def test_an_error_without_a_number_tells_its_words(tmp_path):
    with pytest.raises(OutputError, match="could not be written \\(out of room\\)"), folder_in_place(tmp_path, "x"):
        raise OSError("out of room")


def test_years_put_together_are_said_to_be(years, tmp_path):
    result = run("convert", years / "2022", years / "2023", "--format", "csv", "--out", tmp_path / "c")
    assert result.exit_code == 0, result.output
    for form in ("child", "crcs"):
        assert f"rows of the form {form} have another YEAR_CODE (20" in result.stdout
    alone = run("convert", years / "2022", "--format", "csv", "--out", tmp_path / "d")
    assert "another YEAR_CODE" not in alone.stdout


def test_cells_are_told_in_short_and_blank_ones_as_blank(years, tmp_path):
    head, first, *others = (years / "2023" / FILES["crcs"]).read_text("utf-8").splitlines()
    cells = first.split(",")
    for at, value, said in (
        (head.split(",").index("ASYLUM_SEEKER_CODE"), "9" * 400, "'" + "9" * 100 + "...', where"),
        (head.split(",").index("CHILD_CODE"), "", "CHILD_CODE: blank, where sqlite holds a key"),
    ):
        changed = ",".join([*cells[:at], value, *cells[at + 1 :]])
        (tmp_path / "crcs.csv").write_text("\n".join([head, changed, *others, ""]), "utf-8")
        refused(run("convert", tmp_path / "crcs.csv", "--format", "sqlite", "--out", tmp_path / "c"), said)


@pytest.mark.parametrize("given", [None, 5, [None]])
def test_what_is_no_path_is_refused_in_python(given):
    with pytest.raises(InputError, match="expected the path of a folder or file"):
        synth.check(given)


@pytest.mark.parametrize("name", ["stata", "spss", "xlsx"])
def test_a_full_disk_under_other_formats_is_said_and_nothing_stays(name, years, tmp_path, monkeypatch):
    if name == "xlsx":
        exceptions = pytest.importorskip("xlsxwriter.exceptions")

        def full(*_args):
            raise exceptions.FileCreateError(OSError(28, "No space left on device"))

        monkeypatch.setattr("xlsxwriter.Workbook._store_workbook", full)
    else:
        pyreadstat = pytest.importorskip("pyreadstat")
        written = pyreadstat.write_dta

        def cut(frame, path, **options):
            written(frame, path, **options)
            path.write_bytes(path.read_bytes()[:-100])

        def unable(*_args, **_options):
            raise pyreadstat.ReadstatError("Unable to write data")

        monkeypatch.setattr(pyreadstat, "write_dta", cut)
        monkeypatch.setattr(pyreadstat, "write_sav", unable)
    result = run("convert", years / "2023", "--format", name, "--out", tmp_path / "c")
    refused(result, "could not be written", "Nothing was replaced.")
    assert not list(tmp_path.iterdir())
