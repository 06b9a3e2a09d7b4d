"""Two ways of collecting the care and support return: present on the census date, or at any time in the year."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache

import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.fidelity.run import fidelity
from synth.geography.authorities import parse_authorities
from synth.guidance import ALL_YEAR, CENSUS_DATE, collected_as, load
from synth.main_job import generate_panel
from synth.reading import read_folder
from synth.validate import validate

AREA = "Denbighshire,Torfaen"
SEED = 5
YEARS = range(2017, 2025)
PLAN = ["PLAN_START_DATE", "PLAN_ACTIVE_31_MARCH", "PLAN_CLOSED_DATE", "REASON_FOR_CLOSURE"]
DURING = ["CPR_DURING_YEAR", "LOOKED_AFTER_DURING_YEAR"]


@pytest.fixture(scope="module")
def panels(profile, tmp_path_factory):
    """Return what was written of each year, by year, for each way of collecting; the lives are the same."""
    chosen = parse_authorities(AREA)

    @cache
    def made(mode):
        panel = generate_panel(profile, chosen, YEARS, seed=SEED, out=tmp_path_factory.mktemp(mode), collection=mode)
        return {written.made.year: written for written in panel}

    return made


@pytest.fixture(scope="module")
def both(panels):
    """Return a year's folder for each way of collecting."""
    return lambda year: {mode: panels(mode)[year].folder for mode in (ALL_YEAR, CENSUS_DATE)}


def census(folder):
    return pl.read_csv(folder / "synthetic_crcs.csv", infer_schema=False)


@pytest.mark.parametrize("year", [2018, 2021, 2023, 2024])
def test_the_three_month_rule_makes_the_census_date_file_of_the_all_year_file(both, year):
    whole, snapshot = census(both(year)[ALL_YEAR]), census(both(year)[CENSUS_DATE])
    begun = pl.col("PLAN_START_DATE").str.to_date("%d/%m/%Y") <= dt.date(year, 1, 1)
    kept = whole.filter(begun & (pl.col("PLAN_ACTIVE_31_MARCH") == "1")).drop(*PLAN, *DURING)
    assert kept.equals(snapshot)
    assert 300 < snapshot.height < whole.height


@pytest.mark.parametrize("year", [2018, 2024])
def test_the_other_files_do_not_depend_on_it(both, year):
    for name in ("child", "episode", "adoption", "care_leaver"):
        one, other = (both(year)[mode] / f"synthetic_cla_{name}.csv" for mode in (ALL_YEAR, CENSUS_DATE))
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("year", [2018, 2024])
def test_an_all_year_file_holds_lives_that_the_day_does_not_show(both, year):
    whole = read_folder(both(year)[ALL_YEAR], year).typed("crcs")
    first, last = dt.date(year - 1, 4, 1), dt.date(year, 3, 31)
    active, closed = pl.col("PLAN_ACTIVE_31_MARCH") == "1", pl.col("PLAN_CLOSED_DATE")
    short = (closed - pl.col("PLAN_START_DATE")).dt.total_days() < 91
    found = whole.select(
        closed=(~active).sum(),
        inside=closed.is_between(first, last).all(),
        reasons=pl.col("REASON_FOR_CLOSURE").drop_nulls().n_unique(),
        short=(~active & short).sum(),
        young=(active & (pl.col("PLAN_START_DATE") > dt.date(year, 1, 1))).sum(),
        away=((pl.col("LOOKED_AFTER_DURING_YEAR") == "1") & (pl.col("LOOKED_AFTER_CHILD") == "0")).sum(),
        off=((pl.col("CPR_DURING_YEAR") == "1") & (pl.col("CHILD_PROTECTION_REGISTER") == "0")).sum(),
        without=(
            ~active & ((pl.col("LOOKED_AFTER_CHILD") == "1") | (pl.col("CHILD_PROTECTION_REGISTER") == "1"))
        ).sum(),
    ).row(0, named=True)
    assert found["inside"]
    assert found["without"] == 0
    assert found["reasons"] >= 3
    assert min(found[name] for name in ("closed", "short", "young", "away", "off")) > 10


@pytest.mark.parametrize(
    ("year", "mode", "said"),
    [
        (2018, ALL_YEAR, "has plan items: read as an all-year collection, though that of 201718 was a census-date"),
        (2024, CENSUS_DATE, "has no plan items: read as a census-date collection, though that of 202324 was an all"),
    ],
)
def test_anyones_reader_tells_which_it_is(both, year, mode, said):
    report = validate([both(year)[mode]], strict=True)
    assert report.exit_code == 0
    assert [note for note in report.notes if said in note]
    held = {outcome.rule for outcome in report.outcomes if outcome.status == "passed"}
    assert ("CRCS-102" in held) is (mode == ALL_YEAR)
    assert ("CRCS-026" in held) is (mode == CENSUS_DATE)
    usual = validate([both(year)[CENSUS_DATE if mode == ALL_YEAR else ALL_YEAR]])
    assert not [note for note in usual.notes if "collection" in note]


def test_fidelity_counts_whom_the_census_date_counts(both, profile):
    one, other = (fidelity(both(2018)[mode], profile).comparison.results for mode in (ALL_YEAR, CENSUS_DATE))
    assert [(r.cell.place, r.generated) for r in one] == [(r.cell.place, r.generated) for r in other]
    assert one


def test_guidance_of_either_way():
    usual, other = load("crcs", 2024), load("crcs", 2024, CENSUS_DATE)
    assert (usual.mode, other.mode, other.usual_mode) == (ALL_YEAR, CENSUS_DATE, ALL_YEAR)
    assert load("crcs", 2024, ALL_YEAR) is usual
    assert {i.name for i in usual.items("crcs")} - {i.name for i in other.items("crcs")} == {*PLAN, *DURING}
    assert (usual.quarter_day, other.quarter_day) == (None, dt.date(2024, 1, 1))
    assert collected_as(["UPN", "PLAN_CLOSED_DATE"], 2019) == ALL_YEAR
    assert collected_as(["UPN", "DATE_OF_BIRTH"], 2024) == CENSUS_DATE
    with pytest.raises(InputError, match="the cla return is not collected as 'census_date'; expected all_year"):
        load("cla", 2023, CENSUS_DATE)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("mode", [CENSUS_DATE, ALL_YEAR])
def test_every_year_is_generated_either_way(panels, year, mode):
    made = panels(mode)[year]
    assert made.checked.ok, made.checked.text
    assert json.loads((made.folder / "manifest.json").read_text("utf-8"))["collection"] == mode


def test_a_panel_of_whole_years_passes(tmp_path):
    asked = ["generate", "--authorities", "Wrexham", "--years", "2022-2023", "--collection", "all-year"]
    found = CliRunner().invoke(main, [*asked, "--out", str(tmp_path)])
    assert found.exit_code == 0, found.stderr
    assert "PLAN_START_DATE" in census(tmp_path / "2022").columns
    command = json.loads((tmp_path / "2022" / "manifest.json").read_text("utf-8"))["command"]
    assert command.endswith("--year 2022 --seed 20230331 --collection all-year")


def test_the_listing_says_which_way_it_is():
    ask = ["guidance", "--return", "crcs", "--year", "2019"]
    usual, other = (CliRunner().invoke(main, [*ask, *more]).stdout for more in ((), ("--collection", "all-year")))
    assert "not as the year was collected" not in usual
    assert "not as the year was collected" in " ".join(other.split())
    assert "PLAN_START_DATE" in other
