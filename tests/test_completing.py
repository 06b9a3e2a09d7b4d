"""Completion: what a shell is offered, quickly, and that a real shell takes it."""

import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete, get_completion_class
from click.testing import CliRunner

from synth.cli import main
from synth.geography.authorities import all_authorities, parse_authorities
from synth.guidance import load
from synth.rules.named import rule_names
from synth.rules.rulebook import rules_for

ROOT = Path(__file__).parent.parent
SHELLS = ("bash", "zsh", "fish")


def offered(*words):
    """Return what may stand for the last word, by name and type."""
    complete = ShellComplete(main, {}, "synth", "_SYNTH_COMPLETE")
    return complete.get_completions(list(words[:-1]), words[-1])


def values(*words):
    return [item.value for item in offered(*words)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with a program called synth, as an installed one is, and some files."""
    folder = tmp_path_factory.mktemp("home")
    program = folder / "bin" / "synth"
    program.parent.mkdir()
    run = "import sys; sys.argv[0] = 'synth'; from synth.__main__ import run; run()"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{run}" "$@"\n', "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    (folder / "outputs" / "2023").mkdir(parents=True)
    (folder / "mine.json").write_text("{}", "utf-8")
    return folder


def environment(home, **more):
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(home), "TERM": "dumb"} | more


def test_authorities_by_any_of_their_names():
    assert values("generate", "--authorities", "Mer") == ["Merthyr Tydfil"]
    assert values("generate", "--authorities", "caer") == ["Caerphilly", "Caerdydd"]
    assert values("generate", "--authorities", "ynys m") == ["Ynys Môn"]
    assert values("generate", "--authorities", "55") == ["550", "552"]
    assert values("generate", "--authorities", "W0600002") == [
        a.ons_code for a in all_authorities() if a.ons_code.startswith("W0600002")
    ]
    assert values("generate", "--authorities", "") == [a.name for a in all_authorities()]


def test_a_list_goes_on_after_a_comma_without_those_it_has():
    assert values("generate", "--authorities", "Caerdydd,Po") == ["Caerdydd,Powys"]
    rest = values("generate", "--authorities", "552,Powys,")
    assert len(rest) == 20
    assert {len(parse_authorities(names)) for names in rest} == {3}
    assert values("spoil", "x", "--rules", "CLA053,cla05")[:2] == ["CLA053,CLA050", "CLA053,CLA051"]
    assert "CLA053,CLA053" not in values("spoil", "x", "--rules", "CLA053,CLA05")


def test_years_are_those_with_guidance():
    years = values("generate", "--year", "")
    assert years == [str(year) for year in range(2017, 2026)]
    assert values("rules", "--year", "201") == ["2017", "2018", "2019"]
    assert values("generate", "--years", "2023") == ["2023-"]
    assert values("generate", "--years", "2023-") == ["2023-2023", "2023-2024", "2023-2025"]
    assert [item.help for item in offered("generate", "--year", "202")][-2:] == ["2023-24", "projection"]


def test_forms_of_the_return_that_is_named():
    assert values("validate", "x", "--return", "cla", "--form", "") == ["child", "episode", "adoption", "care_leaver"]
    assert values("validate", "x", "--form", "c") == ["child", "care_leaver", "crcs"]
    assert values("spoil", "x", "--rules", "c") == ["cla", "crcs", "child", "care_leaver", *values("rules", "c")]


def test_ids_are_those_of_the_rules_of_every_year():
    made, stated = set(), set()
    for year in range(2017, 2026):
        for return_ in ("cla", "crcs"):
            g = load(return_, year)
            made |= {rule.id for rule in rules_for(g)[0]}
            stated |= set(g.statements)
    assert set(rule_names()) >= made
    assert set(rule_names()) - made <= stated | set(load("crcs", 2023, "all_year").statements)
    assert values("rules", "cla-adoption-date_m") == ["CLA-adoption-DATE_MATCH-date"]


def test_profiles_are_json_files_and_folders_folders(home, monkeypatch):
    monkeypatch.chdir(home)
    assert values("generate", "--profile", "") == ["mine.json"]
    assert values("generate", "--profile", "./m") == ["./mine.json"]
    for words in (
        ("generate", "--profile", "outputs/"),
        ("generate", "--out", "out"),
        ("fidelity", "out"),
        ("show", "--from", ""),
    ):
        (item,) = offered(*words)
        assert (item.value, item.type) == (words[-1], "file" if "--profile" in words else "dir")


def test_every_option_that_names_such_a_thing_is_completed():
    """So that a command added later does not forget it."""
    wanted = {"--authorities", "--year", "--years", "--from"}

    def walk(group):
        for command in group.commands.values():
            if isinstance(command, click.Group):
                yield from walk(command)
            else:
                yield from ((command, p) for p in command.params)

    lacking = [
        (command.name, p.opts[0])
        for command, p in walk(main)
        if wanted & set(p.opts) and not p.shell_complete(click.Context(command), "")
    ]
    assert lacking == [], "synth.cli.values has a function for each of these: shell_complete=values.years"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_says_how_to_install_it(shell):
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert sum("synth completion" in line and line.startswith("# ") for line in done.output.splitlines()[:3]) == 2
    assert "_SYNTH_COMPLETE" in done.output
    assert done.output.startswith("#compdef synth\n") == (shell == "zsh")
    ours = shell != "zsh"
    assert (get_completion_class(shell).__module__ == "synth.cli.values") == ours
    if which := shutil.which(shell):
        checked = subprocess.run([which, "-n"], input=done.output, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_completing_imports_no_table_library_and_is_quick(home):
    seconds = []
    asked = {"_SYNTH_COMPLETE": "bash_complete", "COMP_WORDS": "synth\nrules\nCLA05", "COMP_CWORD": "2"}
    told = environment(home, PYTHONPROFILEIMPORTTIME="1", **asked)
    for _ in range(3):
        before = time.perf_counter()
        done = subprocess.run(["synth"], env=told, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - before)
    assert "plain,CLA053" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "synth.cli" in imported
    assert imported.isdisjoint({"polars", "numpy", "scipy", "pydantic", "faker"})
    # A quarter of a second on an idle machine, with room for one that is not.
    assert min(seconds) < 0.75


def taken(home, shell, prepare, typed):
    """Type a line on a terminal of a shell, press the tab key and return; return the words the program would get."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(home)
        os.execvpe(shell[0], shell, environment(home, PS1="> ", INPUTRC="/dev/null"))
    said = ""

    def until(mark):
        nonlocal said
        end = time.monotonic() + 20
        while mark not in said and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                said += os.read(terminal, 65536).decode("utf-8", "replace")
        assert mark in said, said
        said = said.rpartition(mark)[2]

    try:
        # The function is what a typed line runs; completion runs the program of that name.
        show = """synth() { printf '<%s>' "$@"; echo done; }"""
        os.write(terminal, f"""{prepare}; eval "$(synth completion {shell[0]})"; {show}; echo rea''dy\n""".encode())
        until("ready")
        os.write(terminal, typed.encode() + b"\t")
        until("Tydfil")
        os.write(terminal, b"\n")
        until("<--authorities><")
        return said.partition(">")[0]
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


@pytest.mark.parametrize(
    ("shell", "prepare"),
    [
        (("bash", "--norc", "--noprofile", "-i"), "set +o history"),
        (("zsh", "-f", "-i"), "autoload -U compinit && compinit -D"),
    ],
    ids=["bash", "zsh"],
)
def test_a_shell_takes_a_name_of_two_words_as_one(home, shell, prepare):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} on this machine")
    assert taken(home, shell, prepare, "synth generate --authorities Caerdydd,mer") == "Caerdydd,Merthyr Tydfil"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("synth generate --authorities Cardiff,pow", "Cardiff,Powys"),
        ("synth rules cla05", "CLA050 CLA051 CLA052 CLA053 CLA054 CLA055 CLA056 CLA057 CLA058 CLA059"),
    ],
)
def test_bash_is_offered_the_same(home, typed, becomes):
    script = (
        f'eval "$(synth completion bash)"; COMP_WORDS=({typed}); COMP_CWORD={typed.count(" ")}; '
        '_synth_completion synth; echo "${COMPREPLY[*]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment(home), cwd=home, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == becomes


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on this machine")
def test_fish_is_offered_lists_whole(home):
    script = "synth completion fish | source; complete -C 'synth generate --authorities Cardiff,pow'"
    done = subprocess.run(
        ["fish", "-N", "-c", script], env=environment(home), cwd=home, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\t") == ["Cardiff,Powys", "524\n"]
