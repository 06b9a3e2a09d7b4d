"""Kinds of hurtful surroundings: files that are none, files in the way of what is written, workbooks that unfold."""

# ruff: noqa: PLR2004  shares and numbers of ways to hurt: they mean nothing else
from __future__ import annotations

import os
import shutil
import socket
import zipfile
from typing import TYPE_CHECKING

from robust_commands import run_in

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["PLACES"]

_MADE = ("manifest.json", "synthetic_crcs.csv", "synthetic_cla_child.csv", "synthetic_cla_episode.csv")
_COMMANDS = (
    ("validate", "in"), ("fidelity", "in"), ("report", "in", "--out", "@"), ("tables", "in", "--out", "@"),
    ("show", "--random", "2", "--from", "in"), ("spoil", "in", "--out", "@"),
    ("convert", "in", "--format", "csv", "--out", "@"),
    ("generate", "--authorities", "Merthyr Tydfil", "--year", "2017", "--out", "@"),
    ("generate", "--authorities", "Merthyr Tydfil", "--year", "2017", "--scale", "1", "--workers", "1", "--out", "@"),
)  # fmt: skip
_WRITERS = tuple(command for command in _COMMANDS if "@" in command)
_OUTS = (
    *("new", ".", "in", "in/new", "dir", "link", "mine.txt", "mine.txt/x", "loop", "broken", "pipe"),
    *("-", "~", "a*b", "a[b]", "a\nb", "\x1b[2J", "\u202ex", "é" * 127, "a" * 255, "a" * 256, "x.html"),
    *("s3://bucket/x", "\udcff", "2017"),
)  # fmt: skip
_MINE = (
    ".2017-12-31/n",
    ".2017-unfinished-notes/n",
    ".new-1-old/n",
    "x.html.part",
    ".unfinished-notes",
    "dir/n",
    "mine.txt",
)
"""What the user keeps there: names that are nearly those of what this program leaves unfinished."""
_NAMESPACE = "http://schemas.openxmlformats.org"


def _lay_out(good: Path, place: Path) -> None:
    shutil.copytree(good / "made" / "2023", place / "in")
    for name in _MINE:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("mine", "utf-8")
    for name, target in (("link", "dir"), ("loop", "loop"), ("broken", "nowhere/x")):
        (place / name).symlink_to(target)
    os.mkfifo(place / "pipe")


def _special(good: Path, place: Path, rng: random.Random) -> None:
    """Put what is no file in the place of one that is read; devices would be read without end, pipes waited for."""
    _lay_out(good, place)
    path = place / "in" / rng.choice(_MADE)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    what = rng.randrange(6)
    if what == 0:
        os.mkfifo(path)
    elif what == 1:
        path.symlink_to(rng.choice(("/dev/zero", "/dev/full", "/dev/stdin", "/proc/self/mem")))
    elif what == 2:
        path.mkdir()
    elif what == 3:
        path.symlink_to(rng.choice((path.name, "nowhere", "..")))
    elif what == 4:
        path.touch()
        os.truncate(path, rng.choice((0, 1_000_000, 60_000_000)))
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    run_in([word.replace("@", "new") for word in rng.choice(_COMMANDS)], place)


def _in_the_way(good: Path, place: Path, rng: random.Random) -> None:
    """Write to a place that is taken, odd, or beside what the user keeps."""
    _lay_out(good, place)
    run_in([word.replace("@", rng.choice(_OUTS)) for word in rng.choice(_WRITERS)], place)


def _unfolding(_: Path, place: Path, rng: random.Random) -> None:
    """Read a small workbook whose cells or sheets come to very much."""
    from synth.reading import read_any  # noqa: PLC0415

    sheets, rows = rng.choice(((1, 20_000), (5000, 2), (100, 20_000))), rng.choice(("s", "far"))
    names = range(sheets[0])
    listed = "".join(f'<sheet name="s{n}" sheetId="{n + 1}" r:id="r{n}"/>' for n in names)
    apart = rng.random() < 0.5 and sheets[0] <= 100
    row = '<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>'
    cells = row * sheets[1] if rows == "s" else '<row r="2000"><c r="BXX2000"><v>1</v></c></row>'
    book = f"{_NAMESPACE}/spreadsheetml/2006/main"
    links = f"{_NAMESPACE}/officeDocument/2006/relationships"
    related = f'<Relationships xmlns="{_NAMESPACE}/package/2006/relationships">%s</Relationships>'
    with zipfile.ZipFile(place / "x.xlsx", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(
            "_rels/.rels", related % f'<Relationship Id="a" Type="{links}/officeDocument" Target="xl/workbook.xml"/>'
        )
        out.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{book}" xmlns:r="{links}"><sheets>{listed}</sheets></workbook>'
        )
        parts = [
            f'<Relationship Id="r{n}" Type="{links}/worksheet" Target="worksheets/sheet{n if apart else 0}.xml"/>'
            for n in names
        ]
        out.writestr("xl/_rels/workbook.xml.rels", related % "".join(parts))
        for n in names if apart else (0,):
            sheet = f'<worksheet xmlns="{book}"><sheetData>{cells}</sheetData></worksheet>'
            out.writestr(f"xl/worksheets/sheet{n}.xml", sheet)
        text = rng.randbytes(rng.choice((10, 100_000))).hex()
        out.writestr("xl/sharedStrings.xml", f'<sst xmlns="{book}"><si><t>{text}</t></si></sst>')
    read_any([place / "x.xlsx"])


PLACES: dict[str, Callable[[Path, Path, random.Random], None]] = {
    "files that are none": _special,
    "places that are taken": _in_the_way,
    "XLSX, unfolding": _unfolding,
}
