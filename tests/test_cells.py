"""What published figures leave open: intervals, revisions, and which of several printed figures stands."""

import shutil

import pytest

from synth.errors import ProfileError
from synth.published import WALES, load_tables, profiles_dir, published_cells, published_files

YEARS = range(2003, 2025)


@pytest.fixture(scope="module")
def tables():
    return load_tables()


@pytest.fixture
def folder(tmp_path):
    for path in published_files(profiles_dir() / "published"):
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


def cells(tables, year, table, measure, **wanted):
    wanted = {"geography": WALES} | wanted
    return [
        cell
        for cell in published_cells(tables, year)
        if (cell.table, cell.measure) == (table, measure)
        and all(getattr(cell, name) == value for name, value in wanted.items())
    ]


def standing(tables, year, table, measure, **wanted):
    found = [cell for cell in cells(tables, year, table, measure, **wanted) if not cell.superseded]
    assert len(found) == 1, found
    return found[0]


STOCK, PLACEMENT = "looked_after_at_31_march", "looked_after_at_31_march_by_placement"


@pytest.mark.parametrize(
    ("year", "table", "measure", "wanted", "low", "high"),
    [
        # rounded to 5, no revision known
        (2016, "T01", STOCK, {"dim1": "boys", "dim2": "5-9", "geography": "W06000001"}, 12.5, 17.5),
        # 137.5 to 142.5 before the total went from 5,945 to 5,961; a revised count is a whole number again
        (2017, "T01", STOCK, {"dim1": "all", "geography": "W06000001"}, 137, 143),
        (2017, "T01", STOCK, {"dim1": "boys", "dim2": "18 and over", "geography": "W06000001"}, 0, 4),
        # printed exactly, the total then fell from 7,172 to 7,150: 4,973.7 outwards
        (2020, "T05", PLACEMENT, {"dim1": "foster care", "unit": "count"}, 4973, 4989),
        (2020, "T05", PLACEMENT, {"dim1": "foster care", "unit": "percent"}, 69.5, 70.5),
        (2024, "T15", "looked_after_uasc_share", {}, 4.65, 4.75),
        # fewer than 1 in 20
        (2022, "T15", "looked_after_share_by_age", {"dim1": "under 1"}, 0, 5),
        (2024, "T13", "started_to_be_looked_after", {}, 1980, 2000),
        (2020, "crcs_status", "children_receiving_care_and_support_31_march",
         {"dim1": "Neither looked after nor on the register", "unit": "count"}, 7335, 7408),
        (2021, "T03", "looked_after_at_31_march_rate", {}, 115.25, 115.35),
        (2024, "T08", "looked_after_at_31_march_by_ethnicity_pooled_2023_and_2024", {"dim1": "Unknown"}, 0, 9),
        (2024, "T08", "looked_after_at_31_march_by_ethnicity_pooled_2023_and_2024", {"dim1": "all"}, 14385, 14395),
        (2024, "T07", "s76_short_breaks_at_31_march", {"geography": "W06000001"}, 0, 4),
    ],
)  # fmt: skip
def test_an_interval_holds_what_the_printed_figure_allows(tables, year, table, measure, wanted, low, high):
    cell = standing(tables, year, table, measure, **wanted)
    assert (cell.low, cell.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("year", "value"),
    [(2017, 5961), (2018, 6407), (2019, 6834), (2020, 7150), (2021, 7263), (2022, 7053), (2023, 7188)],
)
def test_the_latest_total_stands(tables, year, value):
    cell = standing(tables, year, "T03", STOCK)
    assert (cell.value, cell.low, cell.high) == (value, value, value)
    for other in cells(tables, year, "T03", STOCK):
        assert other is cell or other == cell or other.superseded.startswith(f"{cell.place}: ")


def test_a_page_that_contradicts_itself_gives_the_remainder(tables):
    own = "with own parents or other person with parental responsibility"
    cell = standing(tables, 2023, "T05", PLACEMENT, dim1=own)
    assert (cell.value, cell.basis) == (1090, "derived")
    assert cell.low < 1090 - 12
    assert {c.value for c in cells(tables, 2023, "T05", PLACEMENT, dim1=own) if c.superseded} == {1200}


def test_tables_that_repeat_others_do_not_count_twice(tables):
    for year in range(2017, 2025):
        of_year = published_cells(tables, year)
        assert all(cell.superseded for cell in of_year if cell.table in ("crcs_rate_la", "crcs_count_la_derived"))
        left = [cell for cell in of_year if cell.table == "cla_context" and not cell.superseded]
        assert all(cell.dim1 in ("lowest local authority", "highest local authority") for cell in left)


@pytest.mark.parametrize("year", YEARS)
def test_every_figure_of_a_year_is_a_cell_inside_its_own_interval(tables, year):
    found = published_cells(tables, year)
    rows = [row for row in tables.rows if row.year == year and row.file != "population.csv"]
    assert [(c.file, c.line, c.value) for c in found] == [(r.file, r.line, r.value) for r in rows]
    lines = {cell.place for cell in found if not cell.superseded}
    for cell in found:
        assert 0 <= cell.low <= cell.high
        assert cell.value is None or cell.low <= cell.value <= cell.high
        assert not cell.superseded or cell.superseded.partition(":")[0] in lines


def edit(path, line, old, new):
    lines = path.read_text("utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), "utf-8")


@pytest.mark.parametrize(
    ("name", "line", "old", "new", "said"),
    [
        ("replaced.csv", 2, "T03,", "T3,", ("line 2", "no figure of")),
        ("replaced.csv", 2, "S018", "S099", ("line 2", "no figure of")),
        ("revisions.csv", 2, "S014", "S099", ("line 2", "touches no published count")),
        ("revisions.csv", 2, "5945", "0", ("line 2",)),
        ("revisions.csv", 2, "5961", "many", ("line 2", "column revised", "'many'")),
        ("roundings.csv", 2, "exact,0,0,,", "exact,0,0,above,", ("line 2", "column side", "'above'")),
        ("roundings.csv", 7, ",4,", ",,", ("column suppressed", "hidden_up_to")),
    ],
)  # fmt: skip
def test_a_line_that_cannot_hold_is_named(folder, name, line, old, new, said):
    edit(folder / name, line, old, new)
    with pytest.raises(ProfileError) as error:
        published_cells(load_tables(folder), 2018)
    assert all(text in str(error.value) for text in said), error.value


def test_two_figures_for_one_thing_are_named(folder):
    lines = (folder / "replaced.csv").read_text("utf-8").split("\n")
    others = [line for line in lines if not line.startswith("T03,looked_after_at_31_march,2018")]
    (folder / "replaced.csv").write_text("\n".join(others), "utf-8")
    with pytest.raises(ProfileError, match="both give looked_after_at_31_march 2018"):
        published_cells(load_tables(folder), 2018)


def test_replacing_each_other_is_refused(folder):
    with (folder / "replaced.csv").open("a", encoding="utf-8") as stream:
        stream.write("T03,looked_after_at_31_march,2018,,,S018,,T03,looked_after_at_31_march,,,S019,,turned round\n")
    with pytest.raises(ProfileError, match=r"replaced\.csv: .* replaces itself"):
        published_cells(load_tables(folder), 2018)
