"""The year after the last published one: carried forward, and called a projection wherever it shows."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.fidelity.run import fidelity
from synth.geography.authorities import all_authorities, parse_authorities
from synth.guidance import load
from synth.main_job import generate_panel
from synth.profile.projected import projected

AREA = "Conwy"


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_levels_and_targets_are_those_of_the_last_year_and_say_so(profile):
    ahead = projected(profile, 2025)
    assert ahead.years == (2017, 2025)
    assert ahead.name == "wales, projected to 2025"
    for authority in all_authorities():
        for kind in ("looked_after", "care_and_support"):
            assert ahead.level(kind, authority.code, 2025) == profile.level(kind, authority.code, 2024)
        assert ahead.target("stock", authority.code, 2025) == profile.target("stock", authority.code, 2024)
    new = [level for level in ahead.levels if level.year == 2025]
    assert {(level.basis, level.source) for level in new} == {("assumed", "projection: as 2024")}
    assert ahead.levels[: len(profile.levels)] == profile.levels
    assert ahead.figures_of(2025) == ()


@pytest.mark.parametrize("year", [2016, 2024, 2026])
def test_no_other_year_is_projected(profile, year):
    with pytest.raises(ValueError, match=f"{year} is not the year after 2024"):
        projected(profile, year)


def test_a_projection_leaves_the_years_before_it_alone(ahead, profile, tmp_path):
    (alone,) = generate_panel(profile, parse_authorities(AREA), [2024], seed=6, out=tmp_path)
    for path in alone.folder.iterdir():
        assert path.read_bytes() == (ahead[0].folder / path.name).read_bytes(), path.name


def test_the_manifest_says_so_of_the_projected_year_only(ahead):
    published, later = (json.loads((w.folder / "manifest.json").read_text("utf-8")) for w in ahead)
    assert "projection" not in published
    assert published["profile"]["name"] == "wales"
    assert "carried forward" in later["projection"]
    assert later["profile"]["name"] == "wales, projected to 2025"
    assert later["profile"]["sha256"] != published["profile"]["sha256"]


def test_it_is_a_projection_wherever_it_shows(ahead, simulated_before, profile, tmp_path):
    folder = ahead[1].folder
    simulated_before(ahead[1].made)
    one = run("generate", "--authorities", AREA, "--year", "2025", "--out", tmp_path)
    assert one.stdout.startswith("Year ending 31 March 2025, a projection, 1 authority")
    assert "projected" in one.stdout.splitlines()[9]
    simulated_before(*(written.made for written in ahead))
    some = run("generate", "--authorities", AREA, "--years", "2024-2025", "--out", tmp_path)
    assert "\n2025 (projected)" in some.stdout
    assert "No guidance of 202425 was seen" in run("validate", folder).stdout
    assert "A projection: nothing was published" in run("show", "--random", "1", "--from", folder).stdout
    assert "Projection: no guidance" in run("guidance", "--return", "crcs", "--year", "2025").stdout
    assert load("cla", 2025).projected
    assert not load("cla", 2024).projected
    with pytest.raises(InputError, match="2025 is a projection; nothing published is there to hold it against"):
        fidelity(folder, profile)
