"""A folder of years checked as one: each year beside the one before, files named with their folder."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.validate import validate_panel, years_of

YEARS = range(2020, 2023)


@pytest.fixture
def years(panel, tmp_path):
    """A folder of three years, to be changed."""
    for written in panel:
        if written.made.year in YEARS:
            shutil.copytree(written.folder, tmp_path / "panel" / written.folder.name)
    return tmp_path / "panel"


def run(*words):
    return CliRunner().invoke(main, ["validate", *map(str, words)])


def test_good_years_pass_and_none_waits_for_another(years):
    report = validate_panel(years_of([years]), strict=True)
    assert report.ok, report.to_text()
    assert (report.first_year, report.year, report.span) == (2020, 2022, "201920 to 202122")
    assert {name.partition("/")[0] for name, _ in report.files} == {"2020", "2021", "2022"}
    assert not [outcome for outcome in report.outcomes if "last year" in outcome.why]
    assert report.to_text().startswith("Year 201920 to 202122: 2020 (")


def test_a_child_who_vanishes_between_years_is_found_in_the_later(years):
    path = years / "2021" / "synthetic_cla_episode.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    before = (years / "2020" / "synthetic_cla_episode.csv").read_text("utf-8").splitlines()[1:]
    stays = next(row.split(",")[2] for row in before if not row.split(",")[10])
    path.write_text("".join(line for line in lines if stays not in line), "utf-8")
    found = validate_panel(years_of([years]), strict=True)
    assert not found.ok
    missing = found.findings.filter(found.findings["rule"] == "CLA070")
    assert missing["file"].unique().to_list() == ["2021/synthetic_cla_episode.csv"]
    assert stays in missing["value"][0]
    assert run(years, "--strict").exit_code == 1


def test_every_format_tells_of_all_years(years):
    told = json.loads(run(years, "--format", "json").stdout)
    assert (told["first_year"], told["year"]) == (2020, 2022)
    assert len(told["files"]) == 15
    assert ET.fromstring(run(years, "--format", "junit").stdout).attrib["name"] == "return 201920 to 202122"
    assert "<h1>Check of the return 201920 to 202122</h1>" in run(years, "--format", "html").stdout


def test_one_year_of_a_panel_is_checked_alone(years):
    assert years_of([years / "2021"]) == {}
    assert years_of([years, years]) == {}
    told = json.loads(run(years / "2021", "--format", "json").stdout)
    assert (told["first_year"], told["year"]) == (2021, 2021)


def test_a_folder_with_files_of_its_own_is_no_panel(years):
    shutil.copy(years / "2021" / "synthetic_crcs.csv", years)
    assert years_of([years]) == {}
    assert json.loads(run(years, "--format", "json").stdout)["files"][0]["file"] == "synthetic_crcs.csv"


def test_an_empty_year_is_refused_by_its_name(years):
    for path in (years / "2021").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="2021"):
        validate_panel(years_of([years]))
