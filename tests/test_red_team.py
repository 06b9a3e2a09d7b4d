"""What others may lay before a command: pipes, odd names, files in its way, workbooks that unfold, wrong arguments."""

import contextlib
import errno
import inspect
import json
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from click.testing import CliRunner

import synth
from synth.build import is_profile
from synth.cli import main
from synth.cli.comparing import _learned
from synth.cli.unexpected import of_a_path
from synth.compare.printing import SILENT
from synth.compare.printing import ours as compared
from synth.documents import content_of, opened
from synth.errors import InputError, OutputError
from synth.fidelity.folders import read_manifest
from synth.files import GENERATOR, check_file, check_place, folder_in_place, generated, make_folders, write_whole
from synth.profile import load_profile
from synth.published import profiles_dir
from synth.reading import read_any
from synth.report.page import _made
from synth.scale.store import Folder
from synth.testing import small_return
from synth.worked import write_good

CORPUS = Path(__file__).parent / "corpus"
GOOD = CORPUS / "good_child.csv"
PART = "year=2023/world=0001"
SPACES = "http://schemas.openxmlformats.org"
MAIN = f"{SPACES}/spreadsheetml/2006/main"
LINKS = f"{SPACES}/officeDocument/2006/relationships"

pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes here")
byte_names = pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="names are letters here")


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    return small_return(tmp_path_factory.mktemp("red")).folder


def run(*given):
    """Run a command; return its exit code, what it printed and its message."""
    result = CliRunner().invoke(main, [str(word) for word in given], prog_name="synth")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def refused(given, *says):
    code, _, told = run(*given)
    assert code == 2
    for words in says:
        assert words in told
    return told


# Files that are none, and files without end.


@pipes
def test_a_pipe_called_manifest_is_not_waited_for(tmp_path):
    shutil.copy(GOOD, tmp_path)
    os.mkfifo(tmp_path / "manifest.json")
    assert run("validate", tmp_path)[0] in {0, 1}
    with pytest.raises(InputError, match=r"has no manifest.json"):
        read_manifest(tmp_path)
    with pytest.raises(InputError, match=r"did not write \(good_child.csv"):
        check_place(tmp_path.parent, tmp_path)
    for read in (opened, content_of):
        with pytest.raises(OSError, match="a pipe, socket or device"):
            read(tmp_path / "manifest.json")


def test_of_a_file_without_end_only_so_much_is_read(tmp_path):
    with (tmp_path / "manifest.json").open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(OSError, match="has more than 50 MB"):
        content_of(tmp_path / "manifest.json")


@pipes
def test_a_dataset_opens_only_files_of_its_own(tmp_path):
    place = tmp_path / PART
    place.mkdir(parents=True)
    for name in ("../../../x", "/dev/zero", "x"):
        (place / "manifest.json").write_text(json.dumps({"files": {name: {"sha256": "", "rows": 1}}}))
        assert Folder(tmp_path).finished(PART) is None
    os.mkfifo(place / "x")
    assert Folder(tmp_path).finished(PART) is None


def test_a_manifest_of_other_things_is_told(year, tmp_path):
    told = json.loads((year / "manifest.json").read_text("utf-8"))
    (tmp_path / "manifest.json").write_text(json.dumps(told | {"authorities": [[1]]}))
    with pytest.raises(InputError, match=r"authority \[1\] is not one of"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("versions", [None, [], {}, {"synth": [1]}])
def test_a_report_says_what_the_manifest_says_and_no_more(versions):
    manifest = {"command": "synth", "versions": versions, "guidance_sha256": ["x"]}
    this = SimpleNamespace(profile="{}", profile_digest="[1, 2]")
    told = _made(SimpleNamespace(manifest=manifest, this=this))
    assert {type(words) for words in told.values()} == {str}
    assert told["command"] == "synth"


# What stands in the way.


def test_a_folder_with_a_date_for_a_name_is_nobodys_leftover(tmp_path):
    mine = [tmp_path / ".2023-12-31", tmp_path / ".2023-unfinished-business"]
    for place in mine:
        place.mkdir()
    with folder_in_place(tmp_path, "2023"):
        pass
    assert all(place.is_dir() for place in mine)


def test_a_file_beside_keeps_its_name_and_content(tmp_path):
    long = tmp_path / ("a" * 250 + ".json")
    for out in (tmp_path / "x.html", long):
        write_whole("new", out)
        assert out.read_text() == "new"
    (tmp_path / "x.html.part").write_text("mine")
    (tmp_path / "x.html").chmod(0o600)
    write_whole("newer \udcff", tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text() == "newer \\udcff"
    assert (tmp_path / "x.html").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "x.html.part").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_replaces_only_its_own_kind(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for ours in (generated, compared, _learned, is_profile):
        with pytest.raises(InputError, match="stands there already, and is nothing this command wrote"):
            check_file(tmp_path / "mine", ours)
    (tmp_path / "link").symlink_to("mine")
    with pytest.raises(InputError, match="is a link to mine"):
        check_file(tmp_path / "link", lambda _: True)
    check_file(tmp_path / "new")
    assert generated(f"<!doctype html><head>{GENERATOR}".encode())
    assert compared(b"A  x\nB held against A with SDMetrics 0.2")
    assert compared(json.dumps({"a": 1, "not_said": SILENT}).encode())
    assert _learned(b'{"overlay": true, "statement": {"made_by": "synth 0.1"}}')
    assert not _learned(b'{"overlay": true, "parameters": {}}')
    assert is_profile((profiles_dir() / "wales.json").read_bytes())
    assert not is_profile(b'{"format_version": 1, "overlay": true}')


@pipes
def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "null")
    with pytest.raises(InputError, match="is a pipe, socket or device"):
        check_file(tmp_path / "null", lambda _: True)


@pytest.mark.parametrize("command", ["report", "fit"])
def test_somebody_elses_file_is_refused_before_the_work(command, year, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    refused((command, *([year] if command == "report" else []), "--out", mine), str(mine), "stands there already")
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("inside", ["xlsx", "a/b"])
def test_nothing_is_put_into_the_folder_of_a_year(inside, year):
    out = year / inside
    for given in (
        ("convert", year, "--format", "csv", "--out", out),
        ("spoil", year, "--out", out),
        ("generate", "--authorities", "Merthyr Tydfil", "--year", 2023, "--out", out),
    ):
        refused(given, f"--out {out}: stands in {year}, which is replaced as a whole")
    assert not out.exists()


def test_what_is_not_of_a_partition_is_not_lost_with_it(tmp_path):
    store = Folder(tmp_path / "worlds")
    store.put(PART, {"synthetic_crcs.csv": b"a", "manifest.json": b"{}"})
    store.put(PART, {"synthetic_crcs.csv": b"b", "manifest.json": b"{}"})
    mine = store.root / PART / "thesis.docx"
    mine.write_text("mine")
    with pytest.raises(OutputError, match=r"did not write \(thesis.docx\)"):
        store.put(PART, {"synthetic_crcs.csv": b"c", "manifest.json": b"{}"})
    assert mine.read_text() == "mine"
    assert (store.root / PART / "synthetic_crcs.csv").read_bytes() == b"b"
    (store.root / ".unfinished-notes").write_text("mine")
    (store.root / ".unfinished-4194999-abc").write_text("a killed run's")
    with pytest.raises(InputError, match=r"\.unfinished-notes"):
        store.prepare()
    (store.root / ".unfinished-notes").unlink()
    store.prepare()
    assert sorted(path.name for path in store.root.iterdir()) == ["year=2023"]


@pytest.mark.parametrize("name", ["year=2023", "metadata"])
def test_links_in_a_dataset_are_not_written_through(name, tmp_path):
    store = Folder(tmp_path / "worlds")
    (tmp_path / "theirs").mkdir()
    store.root.mkdir()
    (store.root / name).symlink_to("../theirs")
    with pytest.raises(InputError, match=f"{name} is a link to ../theirs"):
        store.prepare()
    if name.startswith("year"):
        with pytest.raises(OutputError, match="is a link to"):
            store.put(PART, {"synthetic_crcs.csv": b"a", "manifest.json": b"{}"})
    assert not list((tmp_path / "theirs").iterdir())


def test_what_a_command_makes_in_its_own_memory_alone_is_refused():
    out = "memory://bucket/worlds"
    refused(("generate", "--year", 2023, "--scale", 2, "--out", out), f"--out {out}: what is there ends with")


# Names.


@pytest.mark.parametrize("given", [("convert", GOOD, "--format", "csv"), ("spoil", GOOD)])
def test_the_place_that_was_asked_for_is_named(given, tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "new"
    refused((*given, "--out", out), f"--out {out}: {tmp_path / 'file'} is a file")
    refused((*given, "--out", "s3://bucket/new"), "is a URL; give a file or folder of this machine")


def test_a_folder_may_be_called_anything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said, _ = run("convert", GOOD, "--format", "csv", "--out", "new\x1b[2J")
    assert (code, "\x1b" in said) == (0, False)
    shutil.copytree("new\x1b[2J", "~")
    assert run("validate", "~/csv")[0] in {0, 1}
    assert run("convert", "~/csv", "--format", "csv,parquet", "--out", "~/../c")[0] == 0
    assert (tmp_path / "c" / "parquet").is_dir()


def test_folders_are_made_however_deep(tmp_path):
    deep = tmp_path.joinpath(*"a" * 150)
    allowed = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        make_folders(deep)
    finally:
        sys.setrecursionlimit(allowed)
    assert deep.is_dir()


def test_a_name_with_a_star_is_one_folder(tmp_path):
    for name, child in (("x*", "SYN"), ("xy", "OTHER")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "synthetic_cla_child.csv").write_text(GOOD.read_text("utf-8").replace("SYN", child), "utf-8")
    code, said, told = run("show", "--random", 1000, "--from", tmp_path / "x*")
    assert (code, told) == (0, "")
    assert "SYN" in said
    assert "OTHER" not in said


@byte_names
def test_names_that_are_no_letters(tmp_path):
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    place.mkdir()
    shutil.copy(GOOD, place)
    assert read_any([place]).forms["child"].height == read_any([GOOD]).forms["child"].height
    shutil.copy(CORPUS / "wrong_number.xlsx", place)
    refused(("validate", place / "wrong_number.xlsx"), "its path has bytes that are no letters")
    refused(("convert", GOOD, "--format", "csv", "--out", place / "new"), "the name has bytes that are no letters")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("generate", "--year", 2023, "--world", 9000), "--world 9000: there are the worlds 1 to 8,192"),
        (("validate", "https://x/y"), "is a URL"),
        (("report", "nowhere"), "nowhere is no folder"),
    ],
)
def test_arguments_are_refused(given, says):
    refused(given, says)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
@pytest.mark.parametrize("given", ["--help", "completion bash", "rules"])
def test_a_full_disk_under_what_is_printed_is_no_crash(given, monkeypatch, capsys):
    # What could not be printed fails once more where the file is closed.
    with (
        contextlib.suppress(OSError),
        Path("/dev/full").open("w", encoding="utf-8") as full,
        monkeypatch.context() as own,
    ):
        own.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            main(given.split())
    assert ended.value.code == 2
    words = f"synth: what is printed cannot be written: {os.strerror(errno.ENOSPC)}. Free some room"
    assert capsys.readouterr().err.startswith(words)


def test_a_panic_of_a_library_ends_in_one_message(monkeypatch):
    def panic(*_):
        raise type("PanicException", (BaseException,), {})("poisoned")

    monkeypatch.setattr("synth.reading.dataset.dataset_among", panic)
    code, _, told = run("validate", GOOD)
    assert code == 70
    assert told.startswith("synth: unexpected PanicException: poisoned")


@pytest.mark.parametrize("given", ["0", "-1", "x", ""])
def test_threads_polars_cannot_have_are_told_before_it_panics(given, monkeypatch):
    monkeypatch.setenv("POLARS_MAX_THREADS", given)
    refused(("rules",), f"POLARS_MAX_THREADS is {given!r}; expected a whole number from 1")
    monkeypatch.delenv("POLARS_MAX_THREADS")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "x")
    refused(("rules",), "SOURCE_DATE_EPOCH is 'x'; expected a whole number from 0")


def test_a_folder_that_is_gone_is_told():
    assert of_a_path(FileNotFoundError(errno.ENOENT, "x")).startswith("synth: the folder this command was started in")
    assert of_a_path(OSError("x")) == ""


# Texts.


@pytest.mark.parametrize("number", ["\N{SUPERSCRIPT TWO}", "9" * 5000, "\N{ARABIC-INDIC DIGIT TWO}"])
def test_a_child_is_shown_whatever_its_episodes_are_numbered(number, tmp_path):
    write_good(tmp_path, 2023)
    path = tmp_path / "synthetic_cla_episode.csv"
    pl.read_csv(path, infer_schema=False).with_columns(EPISODE_NUMBER=pl.lit(number)).write_csv(path)
    shown = CliRunner().invoke(main, ["show", "--random", "2", "--from", str(tmp_path)])
    assert shown.exit_code == 0
    assert shown.stdout.count("(a name made up for reading") == 2


def test_a_file_too_wide_is_not_shown(tmp_path):
    lines = GOOD.read_text("utf-8").splitlines()
    wide = "".join(f",x{n}" for n in range(2000))
    (tmp_path / "synthetic_cla_child.csv").write_text("\n".join([lines[0] + wide, *lines[1:]]), "utf-8")
    refused(
        ("show", "--random", 1, "--from", tmp_path), "synthetic_cla_child.csv, line 1: 2,0", "at most 2,000 are read"
    )


def test_a_quote_that_never_closes_is_told_before_all_is_one_cell(monkeypatch, tmp_path):
    monkeypatch.setattr("synth.reading.delimited._in_bulk", lambda *_: pytest.fail("read in bulk"))
    with pytest.raises(InputError, match=r"unclosed_quote.csv, line 2: the row cannot be read"):
        read_any([CORPUS / "unclosed_quote.csv"])
    shutil.copy(CORPUS / "unclosed_quote.csv", tmp_path / "synthetic_cla_child.csv")
    refused(("show", "--random", 1, "--from", tmp_path), "synthetic_cla_child.csv, line 2: the row cannot be read")


def test_births_in_the_last_year_there_is_break_no_breaker(tmp_path):
    lines = [line.split(",") for line in GOOD.read_text("utf-8").splitlines()]
    for cells in lines[1:]:
        cells[lines[0].index("DOB")] = "31/12/9999"
    (tmp_path / "x.csv").write_text("\n".join(map(",".join, lines)) + "\n", "utf-8")
    code, said, _ = run("spoil", tmp_path / "x.csv", "--out", tmp_path / "new", "--rules", "child", "--rate", 0.9)
    assert code == 0
    assert "no more children whose records allow it" in said


# Workbooks that unfold.


def workbook(path, rows, strings=(), sheets=1):
    """Write a workbook of one sheet's rows, which stands under several names, with shared strings."""
    named = "".join(f'<sheet name="s{n}" sheetId="{n + 1}" r:id="r{n}"/>' for n in range(sheets))
    links = "".join(
        f'<Relationship Id="r{n}" Type="{LINKS}/worksheet" Target="{"/xl/" * (n % 2)}worksheets/sheet1.xml"/>'
        for n in range(sheets)
    )
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    root = f'<Relationship Id="a" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    packed = f"{SPACES}/package/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as book:
        book.writestr("_rels/.rels", f'<Relationships xmlns="{packed}">{root}</Relationships>')
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{named}</sheets></workbook>'
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{packed}">{links}</Relationships>',
        )
        book.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
        if strings:
            book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{shared}</sst>')
    return path


def test_a_text_in_very_many_cells_is_not_unfolded(tmp_path):
    row = "<row>" + '<c t="s"><v>1</v></c>' * 13 + "</row>"
    with pytest.raises(InputError, match="more than 200,000,000 letters in its cells"):
        read_any([workbook(tmp_path / "x.xlsx", row * 100, ("a", "x" * 200_000))])
    # Where the long text stands in no cell, it is no matter.
    with pytest.raises(InputError, match="no row of headings"):
        read_any([workbook(tmp_path / "y.xlsx", row * 100, ("x" * 200_000, "a"))])


def test_one_sheet_under_many_names_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"3 sheets, and 'worksheets/sheet1.xml' is more than one of them"):
        read_any([workbook(tmp_path / "x.xlsx", "<row><c><v>1</v></c></row>", sheets=3)])


def test_what_a_reader_says_when_it_gives_up_is_not_printed(tmp_path, capfd):
    assert run("convert", GOOD, "--format", "xlsx", "--out", tmp_path / "c")[0] == 0
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(next((tmp_path / "c").rglob("*.xlsx"))) as good, zipfile.ZipFile(path, "w") as book:
        for name in good.namelist():
            # Of every cell with a style, as dates have, none a day that is.
            book.writestr(name, re.sub(rb'( s="[0-9]+"><v>)[^<]+', rb"\1-1e308", good.read(name)))
    with pytest.raises(InputError, match=r"x\.xlsx: the workbook cannot be read"):
        read_any([path])
    assert capfd.readouterr().err == ""


# From Python.

WRONG = (None, 1.5, [None], {1: 2}, b"x", "\0", "x" * 5000)


@pytest.mark.parametrize("given", WRONG, ids=lambda given: repr(given)[:12])
def test_what_is_no_path_is_refused_in_python(given):
    for name, call in (
        ("folder", synth.load),
        ("folder", synth.load_panel),
        ("path", synth.check),
        ("folder", small_return),
        ("profile", lambda path: synth.generate(2023, "Powys", profile=path or 0)),
    ):
        with pytest.raises(InputError, match=rf"{name}|path of a folder") as problem:
            call(given)
        assert len(str(problem.value)) < 400


@pytest.mark.parametrize(
    "asked",
    [
        {"year": []},
        {"year": "2023"},
        {"seed": {}},
        {"authority": ["Powys"]},
        {"mode": None},
        {"collection": None},
        {"collection": 5},
    ],
)
def test_fixtures_refuse_what_they_cannot_make(asked, tmp_path):
    with pytest.raises(InputError, match=f"first|{next(iter(asked))}"):
        small_return(tmp_path, **asked)
    with pytest.raises(InputError, match=f"first|{next(iter(asked))}"):
        synth.testing.spoilt_return(tmp_path, **asked)
    assert not list(tmp_path.iterdir())


def test_a_year_takes_only_years_and_names(year, tmp_path):
    made = synth.load(year)
    for other in (5, "2022", made):
        for call in (made.validate, made.fidelity):
            with pytest.raises(InputError, match="last_year is"):
                call(last_year=other)
        with pytest.raises(InputError, match="last_year is"):
            made.spoil(tmp_path / "s", last_year=other)
    for name in ("rules", "kinds"):
        with pytest.raises(InputError, match=f"{name} 5: expected a name"):
            made.spoil(tmp_path / "s", **{name: 5})
    for out in (None, 5, "\0"):
        with pytest.raises(InputError, match="out"):
            made.write(out)
    assert made.spoil(tmp_path / "s", rules="CLA053").counts()["CLA053"] >= 1
    assert load_profile(None).name == made.profile.name
