"""Commands with random and near-right options, and hurtful cells in what commands write again, run in one process."""

# ruff: noqa: PLR2004, E501  tables of words; shares and numbers of ways to hurt: they mean nothing else
from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from robust_bytes import CELLS, FORMULAS, NAMES, hurt_csv, hurt_json

if TYPE_CHECKING:
    import random

__all__ = ["COMMANDS", "RefusedError", "run_in"]

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
_NUMBERS = (
    "-1",
    "0",
    "1",
    "2",
    "5",
    "1e3",
    "nan",
    "inf",
    "-inf",
    "0.5",
    "1" * 20,
    "9" * 400,
    "9" * 5000,
    "²",
    "٣",
    "",
    "0x1",
)
_YEARS = ("2023", "2022", "2017", "2025", "2016", "2026", "0", "-1", "9999", "10000", "2O23", "9" * 30)
_SPANS = (
    "2022-2023",
    "2023-2022",
    "2023",
    "1-99999999999",
    "2023-",
    "-",
    "²-³",
    "2017-" + "9" * 5000,
    "0-2023",
    "2023-2023",
)
_PLACES = (
    "in",
    "in/synthetic_crcs.csv",
    "in/synthetic_cla_child.csv",
    "worlds",
    "worlds/year=2023",
    "nowhere",
    ".",
    "",
    "..",
    "out",
    "worlds/year=2023/world=0001",
    "over.json",
    "/dev/null",
    "link",
    "a" * 300,
    "in/../in",
    "\udcff",
    "-",
    "new/deep",
)
_AUTHORITIES = (
    "Merthyr Tydfil",
    "1",
    "0",
    "23",
    "-1",
    "²",
    "merthyr",
    "Caerdydd,",
    ",",
    "W06000024",
    "534",
    "x" * 5000,
    "../in",
    "99",
)
_VALUES = {
    "--year": _YEARS, "--years": _SPANS, "--authorities": _AUTHORITIES, "--seed": _NUMBERS, "--rows": _NUMBERS,
    "--scale": ("-1", "0", "2", "8193", "9" * 20, "x"), "--world": ("0", "1", "8192", "8193", "9" * 20), "--workers": ("0", "-1", "1", "x"),
    "--people-slips": _NUMBERS, "--min-inside": _NUMBERS, "--min-quality": _NUMBERS, "--association": _NUMBERS, "--sample": _NUMBERS,
    "--rate": ("0", "1", "0.5", "-1", "nan", "inf", "1e999", "swapped=1", "=", "CLA053=0.1", "x=y", "9" * 400, "CLA053=nan"),
    "--kinds": (*CELLS[:30], "all", "date_format", ",", "typing"), "--rules": ("all", "cla", "CLA053", "CLA0", "", ",", "child", "²"),
    "--form": ("child", "crcs", "episode", "chil", "", "postcodes"), "--hold-out": ("T16", "T0", ""), "--random": ("1", "3", "0", "9" * 20),
    "--threshold": ("5", "10", "4", "9" * 20), "--min-children": ("1", "10", "0", "9" * 20), "--dask": ("x", "tcp://", "tcp://127.0.0.1:1"),
}  # fmt: skip
_FORMATS = (
    "csv",
    "parquet",
    "xlsx",
    "sqlite",
    "csv,xlsx",
    "csv,csv",
    ",",
    "text",
    "json",
    "html",
    "junit",
    "markdown",
    "CSV",
    "xls",
)
_WRITERS = (
    "spoil",
    "convert",
    "validate csv",
    "validate html",
    "validate text",
    "validate json",
    "show",
    "report",
    "tables",
)
_WORKING = frozenset({"generate", "fit"})


class RefusedError(Exception):
    """A command ended with a message and exit code 2."""


def arguments(good: Path, place: Path, rng: random.Random) -> None:
    """Run one command of the command line with options that are right, nearly right or nonsense."""
    _lay_out(good, place, rng)
    name, command = rng.choice(_commands())
    given: list[str] = []
    for parameter in command.params:
        flag = getattr(parameter, "is_flag", False)
        if parameter.param_type_name == "argument":
            given += [rng.choice(_PLACES if "path" in str(parameter.type).lower() else CELLS[:60])] * rng.choice(
                (0, 1, 1, 1, 1, 2)
            )
        elif rng.random() < (0.9 if parameter.required else 0.3):
            option = rng.choice(parameter.opts)
            given += [option] if flag else [option, _value(option, parameter, rng)]
    if rng.random() < 0.05:
        given.insert(rng.randrange(len(given) + 1), rng.choice((*CELLS, "--", "--nothing", "-h", "--version")))
    if name[-1] == "generate" and not {"--authorities"} & set(given):
        given += ["--authorities", "Merthyr Tydfil", "--out", "new"]
    if name[-1] == "fit":
        given += ["--published", rng.choice(("nowhere", "in", "over.json"))]
    # The system divides arguments by NUL: none can hold one.
    run_in([*name, *(word.replace("\x00", "") for word in given)], place)


def _value(option: str, parameter: object, rng: random.Random) -> str:
    choices = getattr(parameter.type, "choices", None)  # type: ignore[attr-defined]
    if choices and rng.random() < 0.8:
        return str(rng.choice(tuple(choices)))
    if option == "--format":
        return rng.choice(_FORMATS)
    known = _VALUES.get(option)
    if known is not None:
        return rng.choice(known if rng.random() < 0.9 else CELLS)
    return rng.choice((*_PLACES, *(name for name in NAMES if not name.startswith("/"))))


@cache
def _commands() -> tuple[tuple[tuple[str, ...], object], ...]:
    from synth.cli import main  # noqa: PLC0415

    found: list[tuple[tuple[str, ...], object]] = []
    for name, command in main.commands.items():
        inner = getattr(command, "commands", None)
        found += [((name, sub), one) for sub, one in inner.items()] if inner else [((name,), command)]
    return tuple(found)


def _lay_out(good: Path, place: Path, rng: random.Random) -> None:
    shutil.copytree(good / "year", place / "in")
    shutil.copytree(good / "worlds", place / "worlds", copy_function=os.link)
    shutil.copy(good / "small.json", place / "over.json")
    if rng.random() < 0.2:
        (place / "over.json").write_bytes(hurt_json((good / "small.json").read_bytes(), rng))
    (place / "link").symlink_to("/etc")


def written_again(good: Path, place: Path, rng: random.Random) -> None:
    """Put cells that hurt into forms and let a command write or print them again."""
    root = place / "in"
    shutil.copytree(good / "year", root)
    for path in sorted(root.glob("*.csv")):
        if rng.random() < 0.5:
            path.write_bytes(
                _with_cells(path.read_bytes(), rng) if rng.random() < 0.8 else hurt_csv(path.read_bytes(), rng)
            )
    what, _, form = rng.choice(_WRITERS).partition(" ")
    given = {
        "spoil": ["in", "--out", "new", "--rate", "0.5"],
        "convert": ["in", "--out", "new", "--format", rng.choice(("csv", "csv", "xlsx", "csv,parquet", "sqlite"))],
        "validate": ["in", "--format", form, "--rows", "100"],
        "show": ["--random", "20", "--from", "in"],
        "report": ["in", "--out", "new.html"],
        "tables": ["in", "--out", "new"],
    }[what]
    printed = run_in([what, *given], place)
    if form == "csv":
        _no_formulas(printed, "what is printed")
    if form == "html" and "<script>alert" in printed:
        raise AssertionError("a cell is markup in a page")
    for path in sorted((place / "new").rglob("*.csv")) if (place / "new").is_dir() else ():
        text = path.read_text("utf-8")
        # What was spoilt on purpose stays; formulas are none of the mistakes.
        _no_formulas(text, f"{what}: {path.name}")
    if (place / "new.html").is_file() and "<script>alert" in (place / "new.html").read_text("utf-8"):
        raise AssertionError("a cell is markup in the report")


def _with_cells(content: bytes, rng: random.Random) -> bytes:
    rows = list(csv.reader(io.StringIO(content.decode())))
    safe = [cell for cell in CELLS if "\x00" not in cell and len(cell) < 1000 and "\n" not in cell and "\r" not in cell]
    for _ in range(rng.choice((1, 3, 10))):
        line = rng.choice(rows[1:] or rows)
        line[rng.randrange(len(line))] = rng.choice((*FORMULAS, *safe))
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def _no_formulas(text: str, where: str) -> None:
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            if cell.startswith(("=", "@", "\t", "\r")) or (cell[:1] in "+-" and cell[1:] and not _number(cell)):
                raise AssertionError(f"a formula in {where}")


def _number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", cell, re.IGNORECASE) is not None


def _state(place: Path) -> dict[str, str]:
    return {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(place.rglob("*"))
        if not path.is_symlink()
    }


def run_in(given: list[str], place: Path) -> str:
    """Run a command in a folder; AssertionError or what it raised for all a command must not do."""
    from click.testing import CliRunner  # noqa: PLC0415

    from synth.cli import main  # noqa: PLC0415

    before, here = _state(place), Path.cwd()
    os.chdir(place)
    try:
        result = CliRunner().invoke(main, given, prog_name="synth")
    finally:
        os.chdir(here)
    shown = " ".join(repr(word[:40]) if len(word) > 40 or not word.isprintable() else word for word in given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        result.exception.add_note(f"synth {shown}")
        raise result.exception
    after = _state(place)
    if lost := [name for name, digest in before.items() if after.get(name) != digest]:
        raise AssertionError(f"synth {shown}: changed {lost[0]}")
    if found := _CONTROL.search(result.stderr):
        raise AssertionError(f"raw {found.group()!r} in a message: synth {shown}")
    if "--format" not in given and (found := _CONTROL.search(result.stdout)):
        raise AssertionError(f"raw {found.group()!r} in text: synth {shown}")
    if result.exit_code == 2:
        if after.keys() - before.keys():
            raise AssertionError(f"synth {shown}: refused, and wrote {min(after.keys() - before.keys())}")
        if not result.stderr.strip():
            raise AssertionError(f"synth {shown}: refused without a message")
        raise RefusedError(result.stderr)
    if result.exit_code not in {0, 1}:
        raise AssertionError(f"synth {shown}: exit code {result.exit_code}")
    return result.stdout


COMMANDS = {"command line": arguments, "written again": written_again}
