"""Several years of the same children: each folder as if alone, and from one year to the next as lives go on."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.files import FILES
from synth.geography.authorities import parse_authorities
from synth.lives.people import NOT_OBTAINED
from synth.main_job import generate, generate_panel
from synth.reading import read_folder

AREA = "Torfaen,Powys"
YEARS = range(2019, 2025)
SEED = 12
WHO = ["LOCAL_AUTHORITY_CODE", "SYSTEM_ID"]


@pytest.fixture(scope="module")
def tables(panel):
    return {w.made.year: read_folder(w.folder, w.made.year) for w in panel}


def own_care(tables):
    """Episodes of a year, short breaks left out."""
    return tables.typed("episode").filter(pl.col("LEGAL_STATUS_CODE") != "V1")


def count(frame):
    return dict(frame.group_by("LOCAL_AUTHORITY_CODE").len().rows())


@pytest.mark.parametrize("year", [2019, 2022, 2024])
def test_a_year_alone_has_the_same_bytes(panel, profile, tmp_path, year):
    alone = generate(profile, parse_authorities(AREA), year, seed=SEED, out=tmp_path).folder
    beside = next(w.folder for w in panel if w.made.year == year)
    assert {p.name for p in beside.iterdir()} == {*FILES.values(), "manifest.json"}
    for path in beside.iterdir():
        assert path.read_bytes() == (alone / path.name).read_bytes(), path.name


def test_opening_and_starts_less_leavers_is_closing(tables):
    """Counted from the written files, by authority: every start and every end of a period, not every child."""
    for year in YEARS[1:]:
        now = own_care(tables[year])
        begins = pl.col("EPISODE_START_DATE").is_between(dt.date(year - 1, 4, 1), dt.date(year, 3, 31))
        starts = count(now.filter((pl.col("REASON_EPISODE_STARTED_CODE") == "S") & begins))
        leavers = count(now.filter(pl.col("REASON_EPISODE_FINISHED_CODE") != "X1"))
        opening = count(own_care(tables[year - 1]).filter(pl.col("EPISODE_END_DATE").is_null()))
        closing = count(now.filter(pl.col("EPISODE_END_DATE").is_null()))
        assert set(closing) == {a.code for a in parse_authorities(AREA)}
        for la, stock in closing.items():
            assert opening[la] + starts[la] - leavers[la] == stock, (year, la)


def test_open_episodes_are_carried_on_as_they_were(tables):
    kept = ["EPISODE_START_DATE", "REASON_EPISODE_STARTED_CODE", "LEGAL_STATUS_CODE", "CATEGORY_OF_NEED_CODE"]
    kept += ["PLACEMENT_TYPE_CODE", "PLACEMENT_POSTCODE"]
    for earlier, later in pairwise(YEARS):
        left_open = own_care(tables[earlier]).filter(pl.col("EPISODE_END_DATE").is_null()).select(*WHO, *kept)
        assert left_open.height > 400
        found = own_care(tables[later]).select(*WHO, *kept)
        gone = left_open.join(found, on=[*WHO, *kept], how="anti", nulls_equal=True)
        assert gone.is_empty(), gone


@pytest.mark.parametrize(
    ("form", "who", "stable"),
    [("child", "SYSTEM_ID", ["DOB", "GNDR_CD", "ETHNICITY"]), ("crcs", "CHILD_CODE", ["DATE_OF_BIRTH", "GENDER"])],
)
def test_a_child_stays_who_it_was(tables, form, who, stable):
    keys = ["LOCAL_AUTHORITY_CODE", who]
    for earlier, later in pairwise(YEARS):
        both = tables[earlier].typed(form).join(tables[later].typed(form), on=keys, suffix="_later")
        assert both.height > 400
        for name in stable:
            learnt = (both[name] == NOT_OBTAINED) if name == "ETHNICITY" else pl.repeat(False, both.height, eager=True)
            assert (learnt | (both[name] == both[f"{name}_later"])).all(), (form, name, later)


def test_every_year_is_checked_beside_the_one_before(panel):
    for written in panel:
        assert written.checked.ok, written.checked.text
        assert ("no child form of last year at hand" in written.checked.text) is (written.made.year == YEARS[0])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "Name one year (--year 2023) or several (--years 2018-2023)."),
        (["--year", "2020", "--years", "2020-2021"], "Name one year (--year 2023) or several (--years 2018-2023)."),
        (["--years", "2018"], "--years 2018: expected the first and the last year, such as 2018-2023."),
        (["--years", "2020-2018"], "--years 2020-2018: the first year is later than the last; write 2018-2020."),
        (
            ["--years", "2016-2018"],
            "--year 2016: profile 'wales' covers the years 2017 to 2024, and, as a projection, 2025; choose one.",
        ),
    ],
)
def test_wrong_years_are_refused(tmp_path, asked, said):
    found = CliRunner().invoke(main, ["generate", *asked, "--out", str(tmp_path / "out")])
    assert found.exit_code == 2
    assert found.stderr == f"synth: {said}\n"
    assert not (tmp_path / "out").exists()


def test_nothing_is_put_in_place_where_a_later_year_cannot_be(profile, tmp_path):
    (tmp_path / "2021").mkdir()
    (tmp_path / "2021" / "thesis.docx").touch()
    with pytest.raises(InputError, match=r"2021 holds files this program did not write \(thesis.docx\)"):
        generate_panel(profile, parse_authorities("Powys"), range(2020, 2022), out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["2021"]


def test_the_command_tells_stock_and_flow_of_every_year(tmp_path):
    asked = ["generate", "--authorities", "Powys", "--years", "2022-2023", "--out", str(tmp_path)]
    found = CliRunner().invoke(main, asked)
    assert found.exit_code == 0, found.stderr
    assert found.stdout.startswith("Years ending 31 March 2022 to 2023, 1 authority, the same children\n")
    years = [line.split()[0] for line in found.stdout.splitlines() if line.startswith("202")]
    assert years == ["2022", "2023"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2022", "2023"]
