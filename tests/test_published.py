import shutil

import pytest

from synth.errors import ProfileError
from synth.published import WALES, load_tables, profiles_dir, published_files


@pytest.fixture(scope="module")
def tables():
    return load_tables()


@pytest.fixture
def folder(tmp_path):
    for path in published_files(profiles_dir() / "published"):
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


def damage(path, line, old, new):
    lines = path.read_text("utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), "utf-8")


def test_every_table_is_read(tables):
    assert {row.file for row in tables.rows} == {
        "cla_aggregates.csv",
        "crcs_aggregates.csv",
        "population.csv",
    }
    assert len(tables.rows) == 5949 + 430 + 6557
    assert all(row.value is not None for row in tables.rows if row.file != "cla_aggregates.csv")


def test_a_row_knows_its_line(tables):
    row = tables.find("T01", "looked_after_at_31_march", 2003, geography=WALES, dim1="boys", dim2="1-4")[0]
    assert (row.value, row.place) == (425.0, "cla_aggregates.csv line 3")


def test_dash_takes_undivided_rows_only(tables):
    every = tables.find("T03", "looked_after_at_31_march", 2023, geography=WALES)
    assert len(tables.find("T03", "looked_after_at_31_march", 2023, geography=WALES, dim1="-")) == len(every)
    assert not tables.find("T01", "looked_after_at_31_march", 2017, geography=WALES, dim1="-")


def test_half_width_follows_the_rounding(tables):
    row = tables.find("T15", "looked_after_uasc_share", 2024)[0]
    assert tables.half_width(row) == pytest.approx(0.05)


def test_children_at_a_mid_year(tables):
    assert tables.children(2022)[WALES] == 619_629
    assert tables.children(2019)["W06000015"] == 74_890
    both = [tables.children(year)["W06000015"] for year in (2017, 2019)]
    assert tables.children(2018)["W06000015"] == sum(both) / 2
    assert tables.children(2016) == tables.children(2017)
    assert tables.children_source(2016) == "mid-2016 taken as mid-2017"
    assert tables.children_source(2018) == "mid-2018 between mid-2017 and mid-2019"


def test_rebased_children_agree_with_published_counts_and_rates(tables):
    # 16,745 children at 270 per 10,000 in 2020 and 17,010 at 275 in 2021 imply these populations
    for mid_year, count, rate in ((2019, 16_745, 270), (2020, 17_010, 275)):
        implied = count / rate * 10_000
        assert tables.children(mid_year, rebased=True)[WALES] == pytest.approx(implied, rel=0.003)
        assert tables.children(mid_year)[WALES] > implied * 1.01
    assert tables.children(2021, rebased=True) == tables.children(2021)


@pytest.mark.parametrize("mid_year", [2017, 2018, 2020, 2023])
def test_national_ages_add_up(tables, mid_year):
    ages = tables.national_ages(mid_year)
    assert [len(ages[sex]) for sex in ("male", "female")] == [18, 18]
    total = sum(ages["male"]) + sum(ages["female"])
    assert total == pytest.approx(tables.children(mid_year)[WALES])
    assert 0.505 < sum(ages["male"]) / total < 0.52


@pytest.mark.parametrize(
    ("name", "line", "old", "new", "said"),
    [
        ("cla_aggregates.csv", 3, ",425,", ",many,", ("line 3", "column value", "'many'")),
        ("cla_aggregates.csv", 3, ",425,", ",-425,", ("line 3", "column value")),
        ("cla_aggregates.csv", 3, ",425,", ",nan,", ("line 3", "column value")),
        ("cla_aggregates.csv", 3, "W92000004", "W06000007", ("line 3", "column geography_code", "W06000007")),
        ("cla_aggregates.csv", 3, "S001", "S999", ("line 3", "column source_id", "sources.csv")),
        ("cla_aggregates.csv", 3, "confirmed", "sure", ("line 3", "column basis", "confirmed, derived")),
        ("cla_aggregates.csv", 3, "nearest5", "nearest7", ("line 3", "column rounding")),
        ("cla_aggregates.csv", 3, ",2003,", ",03,", ("line 3", "column year_ending")),
        ("cla_aggregates.csv", 3, ",425,count,nearest5,0", ",425,count,nearest5,1", ("line 3", "suppressed")),
        ("crcs_aggregates.csv", 1, "value", "number", ("line 1", "columns")),
        ("population.csv", 4, ",S107", "", ("line 4", "12 cells", "expected 13")),
        ("crcs_aggregates.csv", 2, "16080", '"16080', ("crcs_aggregates.csv line",)),
    ],
)
def test_a_damaged_table_is_named(folder, name, line, old, new, said):
    damage(folder / name, line, old, new)
    with pytest.raises(ProfileError) as error:
        load_tables(folder)
    assert name in str(error.value)
    assert all(text in str(error.value) for text in said), error.value


def test_a_missing_or_foreign_file_is_named(folder):
    (folder / "population.csv").write_bytes(b"table_id\xff")
    with pytest.raises(ProfileError, match=r"population\.csv: byte 8 is not UTF-8"):
        load_tables(folder)
    (folder / "population.csv").unlink()
    with pytest.raises(ProfileError, match=r"population\.csv.*cannot be read"):
        load_tables(folder)


def test_profiles_are_found():
    assert (profiles_dir() / "published" / "cla_aggregates.csv").is_file()
