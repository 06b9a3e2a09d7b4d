"""Locked versions are those asked for, with hashes; every licence of the core and its extras is one that is taken."""

import re
import sys
from email.message import Message
from pathlib import Path

import pytest

from synth.doctor.requirements import asked_for, fits

pytest.importorskip("packaging")
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from supply_chain import check, is_taken, licence_of, rows, tree  # noqa: E402

LOCKS = ("core.lock", "test.lock")


def locked(name):
    """The text of a lock file, and its packages: name, version, where it is for, and how many hashes it has.

    A package may stand twice, with a version for each Python.
    """
    text = (ROOT / "requirements" / name).read_text("utf-8")
    pins = re.findall(r"^([a-z\d.-]+)==(\S+)(.*?)((?:\\\n +--hash=sha256:[\da-f]{64} ?)+)$", text, re.MULTILINE)
    found = {(pin[0], pin[1], pin[2].strip()): pin[3].count("sha256:") for pin in pins}
    assert len(found) == len(re.findall(r"^[a-z]", text, re.MULTILINE)), "a line without version or hash"
    return text, found


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_what_is_asked_for_with_hashes_and_no_address(name):
    text, found = locked(name)
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    assert all(found.values())
    extras = asked_for()
    needed = extras[""] + (extras["test"] if name == "test.lock" else [])
    for one in needed:
        versions = [version for package, version, _ in found if package == one.name.lower()]
        assert versions, one
        assert all(fits(version, one.versions) for version in versions), one


def test_both_locks_agree():
    # What the tests need besides may need a package in more places.
    core, test = ({(name, version) for name, version, _ in locked(lock)[1]} for lock in LOCKS)
    assert core <= test


@pytest.mark.parametrize("extra", ["", "dask", "formats", "pandas", "docs", "test"])
def test_every_licence_is_one_that_is_taken(extra):
    names, missing = tree([(one.name, one.extras) for one in asked_for()[extra]])
    assert check(extra, names) == []
    assert extra or (len(names) >= len(asked_for()[""]) and not missing)


def test_the_business_source_licence_is_an_exception_of_extras_alone():
    excepted = [row for row in rows("licence_exceptions.csv") if row["licence"].startswith("BUSL")]
    assert {"sdv", "copulas"} <= {row["package"] for row in excepted}
    assert {extra for row in excepted for extra in row["extra"].split()} == {"sdv", "compare"}
    assert all(row["why"] for row in rows("licence_exceptions.csv"))
    assert not any(row["licence"].startswith(("BUSL", "GPL", "AGPL")) for row in rows("licences.csv"))


def test_expressions_are_taken_only_where_they_can_be_met():
    taken = {"MIT", "0BSD"}
    assert is_taken("MIT AND 0BSD", taken)
    assert is_taken("GPL-3.0-only OR MIT", taken)
    assert not is_taken("GPL-3.0-only AND MIT", taken)
    assert not is_taken("MIT AND (GPL-3.0-only OR 0BSD)", taken)
    assert is_taken("(MIT)", taken)
    assert not is_taken("", taken)


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT OR 0BSD"), ("License", "x")], "MIT OR 0BSD"),
        (
            [("License", "Apache 2.0"), ("Classifier", "License :: OSI Approved :: Apache Software License")],
            "Apache-2.0",
        ),
        ([("License", "a text " * 20), ("Classifier", "License :: OSI Approved :: BSD License")], "LicenseRef-BSD"),
        ([("License", "W3C-20150513"), ("Classifier", "License :: OSI Approved")], "W3C-20150513"),
        (
            [("Classifier", "License :: OSI Approved :: MIT License"), ("Classifier", "License :: Other")],
            "MIT AND Other",
        ),
        ([("Name", "x")], ""),
    ],
)
def test_a_licence_is_what_the_package_states(fields, licence):
    told = Message()
    for name, value in fields:
        told[name] = value
    assert licence_of(told) == licence


def test_a_licence_nobody_took_is_found(monkeypatch):
    told = Message()
    told["License-Expression"] = "BUSL-1.1"
    monkeypatch.setattr("supply_chain.metadata.metadata", lambda _name: told)
    assert check("", {"copulas"}) == ["copulas: BUSL-1.1"]
    assert check("sdv", {"copulas"}) == []
    assert check("sdv", {"another"}) == ["another: BUSL-1.1"]
