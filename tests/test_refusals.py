"""What users meet seldom: a machine that refuses, archives no spreadsheet writes, options that clash, a bar."""

import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.cli.progress import Partitions, Progress
from synth.doctor import machine
from synth.reading import archive
from synth.reading.archive import check_archive
from synth.reading.kinds import UnreadableError
from synth.scale import Folder
from synth.scale.store import UNFINISHED

BOOK = {"xl/workbook.xml": "<workbook/>"}


def refuses(error):
    def refuse(*_, **__):
        raise error

    return refuse


# -- the doctor on a machine that refuses


def found(findings):
    (one,) = findings
    return one.status, one.found, one.next


def test_a_file_where_the_outputs_should_be_is_a_problem(tmp_path):
    (tmp_path / "out").write_text("")
    first, *_ = machine.folders(tmp_path / "out" / "deeper")
    assert (first.status, first.subject) == ("problem", "outputs")
    assert "out is a file, not a folder" in first.found
    assert "--out" in first.next


def test_a_folder_that_cannot_be_written_and_no_temporary_one_are_problems(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", refuses(OSError(30, "Read-only file system")))
    monkeypatch.setattr(tempfile, "gettempdir", refuses(FileNotFoundError("no usable temporary directory")))
    outputs, temporary = machine.folders(tmp_path)
    assert outputs.status == temporary.status == "problem"
    assert "cannot be written (Read-only file system)" in outputs.found
    assert "no usable temporary directory" in temporary.found
    assert "TMPDIR" in temporary.next


def test_a_system_that_does_not_tell_its_memory_gets_a_note(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_FREE", tmp_path / "nowhere")
    assert "of it free" not in found(machine.memory())[1]
    monkeypatch.setattr(os, "sysconf", refuses(ValueError("unrecognized configuration name")))
    status, told, remedy = found(machine.memory())
    assert (status, told) == ("note", "this system does not tell")
    assert "MB are free" in remedy


def test_processes_that_are_refused_are_problems(monkeypatch):
    @contextmanager
    def no_more(_work):
        raise BlockingIOError(11, "Resource temporarily unavailable")
        yield

    monkeypatch.setattr(machine, "may_split", lambda: True)
    monkeypatch.setattr(machine, "split_off", no_more)
    monkeypatch.setattr(multiprocessing.get_context("spawn"), "Lock", refuses(OSError(38, "Function not implemented")))
    split, side_by_side = machine.splitting()
    assert split.status == side_by_side.status == "problem"
    assert "Resource temporarily unavailable" in split.found
    assert "ulimit -u" in split.next
    assert "Function not implemented" in side_by_side.found
    assert "--workers 1" in side_by_side.next


def test_welsh_names_of_folders_that_cannot_be_written_get_a_note(monkeypatch):
    monkeypatch.setattr(os, "fsencode", refuses(UnicodeEncodeError("ascii", "ô", 0, 1, "not in range")))
    monkeypatch.setattr(machine.sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    status, told, remedy = found(machine.encoding())
    assert status == "note"
    assert "Welsh names of folders cannot be written" in told
    assert "PYTHONUTF8=1" in remedy


# -- archives that no spreadsheet program writes


def refusal(tmp_path, content):
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    with pytest.raises(UnreadableError) as told:
        check_archive(path, "b.xlsx")
    return str(told.value)


def packed(members, packing=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as book:
        for name, content in members:
            book.writestr(name, content)
    return stream.getvalue()


def test_a_password_is_told():
    content = bytearray(packed(BOOK.items()))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    with pytest.raises(UnreadableError, match="protected by a password"):
        archive._check_declared(zipfile.ZipFile(io.BytesIO(content)).infolist(), "b.xlsx")


def test_another_packing_is_told(tmp_path):
    assert "packed in a way spreadsheet programs do not use" in refusal(
        tmp_path, packed(BOOK.items(), zipfile.ZIP_BZIP2)
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_told(tmp_path):
    twice = packed([*BOOK.items(), ("xl/styles.xml", "<a/>"), ("xl/styles.xml", "<b/>")])
    assert "'xl/styles.xml' is in it more than once" in refusal(tmp_path, twice)


def test_contents_of_another_check_sum_are_told(tmp_path):
    content = packed(BOOK.items(), zipfile.ZIP_STORED).replace(b"<workbook/>", b"<workbonk/>")
    assert "not as long or not of the check sum it declares" in refusal(tmp_path, content)


def test_more_elements_or_text_than_any_book_has_are_told(tmp_path, monkeypatch):
    sheet = "xl/worksheets/sheet1.xml"
    monkeypatch.setattr(archive, "MAX_ELEMENTS", 50)
    many = refusal(tmp_path, packed([*BOOK.items(), (sheet, "<a>" + "<b/>" * 60 + "</a>")]))
    assert "more than 50 XML elements" in many
    monkeypatch.setattr(archive, "MAX_TEXT", 1000)
    monkeypatch.setattr(archive, "_PIECE", 400)
    long = refusal(tmp_path, packed([*BOOK.items(), (sheet, "<a>" + "x" * 5000 + "</a>")]))
    assert "single text of more than 1,000 bytes" in long


# -- datasets


def test_workers_of_this_machine_and_of_a_cluster_are_not_both(tmp_path):
    given = ["--scale", "2", "--workers", "2", "--dask", "tcp://127.0.0.1:1", "--out", str(tmp_path / "worlds")]
    told = CliRunner().invoke(main, ["generate", "--authorities", "Merthyr Tydfil", "--year", "2017", *given])
    assert (told.exit_code, told.stdout) == (2, "")
    assert "give one of them" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_cleared_and_what_runs_is_not(tmp_path):
    gone = 2**22 + 1  # above the highest number a process can have
    (tmp_path / f"{UNFINISHED}{gone}-folder").mkdir()
    (tmp_path / f"{UNFINISHED}{gone}-file").write_text("half a manifest")
    (tmp_path / f"{UNFINISHED}{os.getpid()}-mine").mkdir()
    Folder(tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir()] == [f"{UNFINISHED}{os.getpid()}-mine"]


# -- the bar on a terminal


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("begin", "tick"),
    [(lambda quiet: Progress(quiet, 3), (2017,)), (Partitions, (1, 2))],
    ids=["years", "partitions"],
)
@pytest.mark.parametrize(("stream", "quiet", "drawn"), [(Terminal, 0, 1), (Terminal, 1, 0), (io.StringIO, 0, 0)])
def test_a_bar_is_drawn_on_a_terminal_and_not_otherwise(monkeypatch, begin, tick, stream, quiet, drawn):
    monkeypatch.setattr("sys.stderr", stream())
    with begin(bool(quiet)) as told:
        told(*tick)
    assert bool(sys.stderr.getvalue()) is bool(drawn)


def test_an_interrupt_while_commands_are_loaded_is_told_in_one_line():
    source = """
import sys
from synth.__main__ import run

class Interrupted:
    def find_spec(self, name, *_):
        if name == "synth.cli":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
run()
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "synth: interrupted.\n")
