import csv
import shutil

import pytest

from synth.errors import ProfileError
from synth.figures import published_figures
from synth.geography.authorities import all_authorities
from synth.levels import levels, national_total
from synth.published import WALES, load_tables, profiles_dir, published_files

CODES = [a.code for a in all_authorities()]
ONS = {a.code: a.ons_code for a in all_authorities()}


@pytest.fixture(scope="module")
def tables():
    return load_tables()


@pytest.fixture(scope="module")
def cells(tables):
    return {(cell.kind, cell.authority, cell.year): cell for cell in levels(tables)}


@pytest.fixture
def folder(tmp_path):
    for path in published_files(profiles_dir() / "published"):
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


def total(cells, kind, year):
    return sum(cells[kind, code, year].value for code in CODES)


def test_every_cell_is_there_and_inside_its_interval(cells):
    assert len(cells) == 2 * 22 * 27
    for cell in cells.values():
        assert cell.value >= 0
        assert cell.low <= cell.value <= cell.high
        assert cell.source
    assert {cell.basis for cell in cells.values()} == {"published", "bridged", "assumed"}


@pytest.mark.parametrize(
    ("year", "children"),
    [
        (2003, 4195), (2010, 5160), (2011, 5411), (2012, 5719), (2013, 5763), (2014, 5743), (2015, 5609),
        (2016, 5661), (2017, 5961), (2018, 6407), (2019, 6834), (2020, 7150), (2021, 7263), (2022, 7053),
        (2023, 7188), (2024, 7198),
    ],
)  # fmt: skip
def test_looked_after_meets_the_latest_national_total(cells, year, children):
    assert total(cells, "looked_after", year) == children


def test_published_counts_keep_their_rounding(tables, cells):
    for row in tables.rows:
        if row.table == "T01" and row.dim1 == row.dim2 == "all" and row.geography != WALES:
            code = next(code for code, ons in ONS.items() if ons == row.geography)
            assert abs(cells["looked_after", code, row.year].value - row.value) <= 2.5
        if row.table == "T07" and row.dim1 == "CH/039" and row.geography != WALES:
            code = next(code for code, ons in ONS.items() if ons == row.geography)
            assert abs(cells["looked_after", code, 2024].value - row.value) <= 2.5


def test_2023_by_authority(tables, cells):
    yearly = {r.geography: r.value for r in tables.find("T09", "looked_after_at_31_march", 2023)}
    pooled = tables.find("T09", "looked_after_at_31_march_average_2023_2024", 2024)
    means = {r.geography: r.value for r in pooled}
    assert (len(yearly), len(means)) == (14, 8)
    for code in CODES:
        value = cells["looked_after", code, 2023].value
        if ONS[code] in yearly:
            assert abs(value - yearly[ONS[code]]) <= 5
        else:
            assert value == pytest.approx(means[ONS[code]], rel=0.015)


def test_rates_of_2018_to_2020_are_met(tables, cells):
    rows = [
        row
        for year in (2018, 2019, 2020)
        for row in tables.find("T02", "looked_after_at_31_march_rate", year)
        if row.geography != WALES
    ]
    assert len(rows) == 48
    for row in rows:
        code = next(code for code, ons in ONS.items() if ons == row.geography)
        cell = cells["looked_after", code, row.year]
        rate = cell.value / tables.children(row.year - 1)[row.geography] * 10_000
        assert abs(rate - row.value) <= 0.51
        assert cell.basis == "published"
        assert cell.source.startswith("T02 S015 x population mid-")


def test_a_gap_between_figures_is_bridged_smoothly(cells):
    for code in CODES:
        cell = cells["looked_after", code, 2013]
        assert (cell.basis, cell.source) == ("bridged", "between 2012 and 2014")
        ends = [cells["looked_after", code, year].value for year in (2012, 2014)]
        assert min(ends) * 0.95 <= cell.value <= max(ends) * 1.05


@pytest.mark.parametrize(
    ("kind", "years", "source_year"),
    [("looked_after", range(1998, 2003), 2003), ("care_and_support", range(1998, 2017), 2017)],
)
def test_the_past_without_figures_is_flat_and_says_so(cells, kind, years, source_year):
    for code in CODES:
        for year in years:
            cell = cells[kind, code, year]
            assert cell.value == cells[kind, code, source_year].value
            assert (cell.basis, cell.source) == ("assumed", f"as {source_year}")


def test_care_and_support_counts_of_2022_and_2023(tables, cells):
    assert total(cells, "care_and_support", 2022) == 17_189
    assert total(cells, "care_and_support", 2023) == 17_511
    for year, width in ((2022, 1.5), (2023, 1)):
        rows = tables.find("crcs_count_la_derived", "children_receiving_care_and_support_31_march", year, dim1="-")
        derived = {row.geography: row.value for row in rows}
        for code in CODES:
            assert abs(cells["care_and_support", code, year].value - derived[ONS[code]]) <= width


@pytest.mark.parametrize(("year", "rate"), [(2017, 256), (2018, 260), (2019, 266), (2020, 270), (2021, 275)])
def test_revised_rates_replace_the_first_published(tables, cells, year, rate):
    children = total(cells, "care_and_support", year)
    assert abs(children / tables.children(year - 1, rebased=True)[WALES] * 10_000 - rate) <= 0.5
    figure = next(f for f in published_figures(tables, year) if f.name == "crcs_rate")
    assert figure.value == rate


def test_care_and_support_rates_by_authority(tables, cells):
    for year in (2017, 2018, 2020, 2021):
        for row in tables.find("crcs_rate_la", "children_receiving_care_and_support_31_march", year):
            if row.geography != WALES:
                code = next(code for code, ons in ONS.items() if ons == row.geography)
                rate = (
                    cells["care_and_support", code, year].value / tables.children(year - 1, rebased=True)[row.geography]
                )
                assert abs(rate * 10_000 - row.value) <= 0.51
    assert {cells["care_and_support", code, 2019].basis for code in CODES} == {"bridged"}
    assert {cells["care_and_support", code, 2024].basis for code in CODES} == {"assumed"}
    assert total(cells, "care_and_support", 2024) == pytest.approx(17_516, abs=30)


def test_a_looked_after_child_also_has_a_plan(cells):
    for code in CODES:
        for year in range(1998, 2025):
            assert cells["looked_after", code, year].value < 0.8 * cells["care_and_support", code, year].value


def test_national_total_gives_none_before_there_was_one(tables):
    assert national_total(tables, "looked_after", 2002) is None
    assert national_total(tables, "care_and_support", 2024) is None
    assert national_total(tables, "looked_after", 2023) == (7188, 0.0, "T03 S023")


def test_figures_of_2023(tables):
    figures = {figure.name: figure for figure in published_figures(tables, 2023)}
    assert figures["looked_after"].value == 7188
    assert figures["care_and_support"].value == 17_511
    assert figures["legal_care_order"].value == pytest.approx(81.6, abs=0.1)
    assert figures["placement_foster"].value == pytest.approx(68.7, abs=0.1)
    assert figures["placement_parents"].value == pytest.approx(15.1, abs=0.1)
    assert figures["three_or_more_placements"].value == pytest.approx(9.3, abs=0.1)
    assert (figures["inside_home_authority"].low, figures["inside_home_authority"].high) == (65.5, 66.5)
    assert figures["starts"].value == pytest.approx(1949, abs=1)
    assert figures["adoptions"].value == 244


def test_shares_of_one_whole_add_to_a_hundred(tables):
    for year in (2017, 2023):
        for prefix in ("legal_", "placement_"):
            shares = [f.value for f in published_figures(tables, year) if f.name.startswith(prefix)]
            assert sum(shares) == pytest.approx(100, abs=0.1)
    status = {f.name: f.value for f in published_figures(tables, 2022)}
    parts = ("crcs_looked_after", "crcs_register_only", "crcs_neither")
    assert sum(status[name] for name in parts) == pytest.approx(100, abs=0.01)


def test_every_line_of_the_figures_table_is_used(tables):
    with (profiles_dir() / "published" / "figures.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    found = [f for year in range(2017, 2025) for f in published_figures(tables, year)]
    assert len(found) == len(rows) + 8 + 7
    assert len({(f.name, f.year) for f in found}) == len(found)
    assert all(f.low <= f.value <= f.high for f in found)


def test_impossible_totals_are_named(folder):
    path = folder / "cla_aggregates.csv"
    text = path.read_text("utf-8")
    path.write_text(text.replace("2017,W92000004,Wales,,,,,5961,", "2017,W92000004,Wales,,,,,6961,"), "utf-8")
    with pytest.raises(ProfileError, match=r"looked_after 2017: the authorities add up to 5934 .* Wales is 6961"):
        levels(load_tables(folder))


def test_a_wrong_rule_is_named(folder):
    path = folder / "levels.csv"
    text = path.read_text("utf-8")
    path.write_text(text.replace(",national,2003,", ",nation,2003,"), "utf-8")
    with pytest.raises(ProfileError, match=r"levels\.csv line 2, column role: 'nation'; expected one of"):
        levels(load_tables(folder))
    path.write_text(text.replace("looked_after,national,2003,2009,T01", "looked_after,national,2003,2009,T99"), "utf-8")
    with pytest.raises(ProfileError, match=r"levels\.csv line 2: no figure for Wales in T99"):
        levels(load_tables(folder))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("T15|looked_after_uasc_share|-", "T15|looked_after_uasc|-", "fits 0 published cells"),
        ("T15|looked_after_uasc_share|-|", "T15|looked_after_uasc_share|", "5 parts"),
        ("2024,percent,value,T15", "2024,percent,ratio,T15", "column formula: 'ratio'"),
    ],
)
def test_a_wrong_figure_is_named(folder, old, new, said):
    path = folder / "figures.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ProfileError, match=r"figures\.csv line \d+, column") as error:
        published_figures(load_tables(folder), 2024)
    assert said in str(error.value)
