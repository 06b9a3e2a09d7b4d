"""The container file: what it copies is there and enough for a wheel, and nothing runs as root.

No engine is needed: the file is read, and its steps are taken in a folder.
"""

import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def instructions():
    """Return instruction and what follows it, line by line, continuations joined and comments left out."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def stages():
    """Return the instructions of each stage by its name; the last is the image."""
    found, name = {}, None
    for instruction, rest in instructions():
        if instruction == "FROM":
            name = rest.partition(" AS ")[2] or "image"
            found[name] = []
        if name:
            found[name].append((instruction, rest))
    return found


def copied():
    return [name for what, rest in stages()["build"] if what == "COPY" for name in rest.split()[:-1]]


def test_it_is_one_of_the_known_instructions():
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    assert {what for what, _ in instructions()} == known
    assert list(stages()) == ["build", "image"]


def test_the_base_is_pinned_and_supported():
    (given,) = [rest for what, rest in instructions() if what == "ARG"]
    version = re.fullmatch(r"PYTHON=(3\.\d+)(?:\.\d+)?-slim-\w+", given)
    assert version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]
    assert all(rest.startswith("python:${PYTHON}") for what, rest in instructions() if what == "FROM")


def test_the_image_runs_synth_and_not_as_root():
    image = stages()["image"]
    order = [what for what, _ in image]
    said = dict(image)
    user, _, group = said["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert f"--uid {user} " in said["RUN"]
    assert order.index("RUN") < order.index("USER") < order.index("ENTRYPOINT")
    assert said["ENTRYPOINT"] == '["synth"]'
    assert said["VOLUME"] == f'["{said["WORKDIR"]}"]'
    assert f" {said['WORKDIR']}" in said["RUN"]
    assert said["COPY"] == "--from=build /opt/synth /opt/synth"
    assert said["ENV"] == "PATH=/opt/synth/bin:$PATH"


def test_its_commands_are_sound_shell():
    for what, rest in instructions():
        if what == "RUN":
            done = subprocess.run(["sh", "-n"], input=rest, text=True, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr


def test_nothing_that_is_copied_is_ignored():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    for name in copied():
        kept = True
        for rule in rules:
            if fnmatch.fnmatch(name, rule.removeprefix("!")):
                kept = rule.startswith("!")
        assert kept, name


def test_what_is_copied_makes_a_wheel_that_works(tmp_path):
    pytest.importorskip("hatchling")
    source, wheels, site = (tmp_path / name for name in ("source", "wheel", "site"))
    source.mkdir()
    for name in copied():
        place = ROOT / name
        assert place.exists(), name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, source / name)
    build = f"from hatchling.build import build_wheel; build_wheel({str(wheels)!r})"
    wheels.mkdir()
    subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, check=True)
    (wheel,) = wheels.glob("synth-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    run = "import sys; sys.argv[0] = 'synth'; from synth.__main__ import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", run, "profile", "check"],
        cwd=tmp_path, env={"PYTHONPATH": str(site), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Profile wales: ")
