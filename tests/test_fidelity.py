"""Files against published cells: how views count, what a cell compared says, and that a spoilt folder is noticed."""

import csv
import datetime as dt
import io
import json
import math
import shutil

import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError, ProfileError
from synth.fidelity.comparison import compare
from synth.fidelity.counting import Counter
from synth.fidelity.folders import read_year, year_before
from synth.fidelity.report import Score
from synth.fidelity.run import fidelity
from synth.fidelity.views import Views
from synth.guidance import load
from synth.profile import digest, load_profile
from synth.published import WALES, load_tables, profiles_dir, published_cells, published_files
from synth.published.counted import VIEWS, counted_as, load_counted, role_of

YEARS = range(2017, 2025)
FEW = "Cardiff,Powys"
LA, CARDIFF, POWYS = "LOCAL_AUTHORITY_CODE", "552", "524"


@pytest.fixture(scope="module")
def tables():
    return load_tables()


@pytest.fixture(scope="module")
def counted(tables):
    return load_counted(tables)


@pytest.fixture
def published(tmp_path):
    for path in published_files(profiles_dir() / "published"):
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


@pytest.fixture(scope="module")
def report(written, profile):
    return fidelity(written(2023, 1)[0], profile)


@pytest.fixture
def copied(written, tmp_path):
    return shutil.copytree(written(2023, 1)[0], tmp_path / "2023")


def day(text):
    return dt.datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=dt.UTC).date() if text else None


def frame(columns, rows):
    """Typed rows of a form: columns that end in DATE or begin with DATE or DOB are dates."""
    dates = [name for name in columns if name.startswith(("DATE", "DOB")) or name.endswith("DATE")]
    made = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return made.with_columns(pl.Series(name, [day(text) for text in made[name]], pl.Date) for name in dates)


CHILDREN = frame(
    [LA, "SYSTEM_ID", "DOB", "GNDR_CD", "ETHNICITY", "DISABILITY_CODE", "ASYLUM"],
    [
        # 18 on the day after the census: still 17
        (CARDIFF, "A", "01/04/2005", "1", "WHTE", "0", "0"),
        # 5 on the census day
        (CARDIFF, "B", "31/03/2018", "2", "MIXD", "0", "0"),
        # the same identifier in another authority is another child
        (POWYS, "A", "10/10/2006", "1", "OOTH", "1", "1"),
        (POWYS, "C", "01/06/2022", "2", "WHTE", "0", "0"),
        (POWYS, "D", "15/05/2010", "2", "WHTE", "1", "0"),
    ],
)
EPISODES = frame(
    [LA, "SYSTEM_ID", "EPISODE_START_DATE", "REASON_EPISODE_STARTED_CODE", "LEGAL_STATUS_CODE",
     "CATEGORY_OF_NEED_CODE", "PLACEMENT_TYPE_CODE", "PLACEMENT_POSTCODE", "EPISODE_END_DATE",
     "REASON_EPISODE_FINISHED_CODE"],
    [
        # in force on 1 April, moved, missing and back, moved again: three placements
        (CARDIFF, "A", "01/01/2020", "S", "C2", "N1", "F5", "SY16 1AB", "01/06/2022", "X1"),
        (CARDIFF, "A", "01/06/2022", "P", "C2", "N1", "P1", "CF10 1AB", "01/08/2022", "X1"),
        (CARDIFF, "A", "01/08/2022", "P", "C2", "N1", "M3", None, "05/08/2022", "X1"),
        (CARDIFF, "A", "05/08/2022", "P", "C2", "N1", "P1", "CF10 1AB", "01/09/2022", "X1"),
        (CARDIFF, "A", "01/09/2022", "B", "V2", "N1", "S1", "BS1 4AB", None, None),
        # came twice in the year and left once: one child who started, one who ceased
        (CARDIFF, "B", "02/04/2022", "S", "L2", "N5", "H21", "CF10 1AB", "10/04/2022", "E4"),
        (CARDIFF, "B", "01/10/2022", "S", "C1", "N5", "F1", None, None, None),
        (POWYS, "A", "31/03/2023", "S", "V2", "N8", "H5", "SY16 1AB", None, None),
        # adopted on the last day of the year: no longer there that day
        (POWYS, "C", "05/06/2022", "S", "E1", "N1", "A6", None, "31/03/2023", "E12"),
        # short breaks only
        (POWYS, "D", "01/04/2021", "S", "V1", "N2", "F2", "SY16 1AB", None, None),
    ],
).with_columns(EPISODE_NUMBER=pl.int_range(1, 11))  # fmt: skip
ADOPTIONS = frame(
    [LA, "SYSTEM_ID", "DATE_LATEST_CARE", "DATE_DECISION", "DATE_PLACED", "DATE_ADOPTED", "NB_ADOPTR"],
    [
        (POWYS, "C", "05/06/2022", "05/07/2022", "04/08/2022", "31/03/2023", "2"),
        (CARDIFF, "E", "05/06/2021", "05/07/2021", "04/10/2021", "31/03/2023", "1"),
    ],
)
CRCS = frame(
    [LA, "CHILD_CODE", "DATE_OF_BIRTH", "LOOKED_AFTER_CHILD", "PLAN_START_DATE", "PLAN_ACTIVE_31_MARCH"],
    [
        (CARDIFF, "A", "01/04/2005", "1", "01/01/2023", "1"),
        (CARDIFF, "B", "31/03/2018", "1", "02/01/2023", "1"),
        (POWYS, "C", "01/06/2022", "0", "05/06/2022", "0"),
    ],
)


@pytest.fixture
def views():
    return Views({"child": CHILDREN, "episode": EPISODES, "adoption": ADOPTIONS, "crcs": CRCS}, 2023)


def taken(view, *columns):
    return sorted(view.select(LA, "SYSTEM_ID", *columns).iter_rows())


def test_the_stock_is_who_is_there_on_the_day(views):
    assert taken(views.looked_after, "age", "location", "placements") == [
        (POWYS, "A", 16, "inside", 1),
        (CARDIFF, "A", 17, "outside_wales", 3),
        (CARDIFF, "B", 5, "inside", 2),
    ]
    assert taken(views.short_breaks, "age") == [(POWYS, "D", 12)]


def test_children_start_and_cease_once_a_year(views):
    assert taken(views.started, "age", "age_days", "location") == [
        (POWYS, "A", 16, 6016, "inside"),
        (POWYS, "C", 0, 4, "unknown"),
        (CARDIFF, "B", 4, 1463, "outside_in_wales"),
    ]
    assert taken(views.ceased, "REASON_EPISODE_FINISHED_CODE", "age") == [
        (POWYS, "C", "E12", 0),
        (CARDIFF, "B", "E4", 4),
    ]
    assert len(views.ended) == 6
    assert taken(views.ever) == [(POWYS, "A"), (POWYS, "C"), (CARDIFF, "A"), (CARDIFF, "B")]


def test_spans_of_adoptions_are_in_days_and_months(views):
    spans = views.adopted.sort("SYSTEM_ID")
    assert spans["days_entry_to_placement"].to_list() == [60, 121]
    assert spans["days_decision_to_adoption"].to_list() == [269, 634]
    assert spans["months_entry_to_placement"].to_list() == pytest.approx([60 / 30.4375, 121 / 30.4375])


def test_a_mean_has_its_own_spread(views, counted):
    row = next(row for row in counted if row.mean == "months_entry_to_placement")
    counter = Counter(views)
    mean, spread, n = counter.mean(row, WALES)
    months = [60 / 30.4375, 121 / 30.4375]
    assert (mean, n) == (pytest.approx(sum(months) / 2), 2)
    assert spread == pytest.approx((months[1] - months[0]) / math.sqrt(2))
    assert counter.mean(row, "W06000015") == (pytest.approx(months[1]), 0.0, 1)
    assert counter.mean(row, "W06000001") == (0.0, 0.0, 0)


def test_an_all_year_file_counts_by_the_three_month_rule(views):
    assert views.care_and_support["CHILD_CODE"].to_list() == ["A"]
    census = Views({"crcs": CRCS.drop("PLAN_START_DATE", "PLAN_ACTIVE_31_MARCH")}, 2023)
    assert census.care_and_support["age"].to_list() == [17, 5, 0]


def test_a_short_breaks_series_is_in_no_other_view(views):
    for view in ("looked_after", "started", "ceased", "ended", "ever"):
        assert "D" not in views[view]["SYSTEM_ID"].to_list()


def test_what_cannot_be_read_is_counted_and_is_nothing_in_particular():
    # A code outside its list is null in a typed form.
    nothing = pl.lit(None, pl.String)
    broken = EPISODES.with_columns(LEGAL_STATUS_CODE=nothing, PLACEMENT_TYPE_CODE=nothing)
    stock = Views({"child": CHILDREN, "episode": broken}, 2023).looked_after
    assert taken(stock, "location") == [
        (POWYS, "A", "inside"),
        (POWYS, "D", "inside"),
        (CARDIFF, "A", "outside_wales"),
        (CARDIFF, "B", "unknown"),
    ]


@pytest.mark.parametrize("year", YEARS)
def test_every_standing_cell_is_counted_or_says_why_not(tables, counted, year):
    for cell in published_cells(tables, year):
        if not cell.superseded:
            row = counted_as(counted, cell)
            assert row.view in VIEWS if row.role != "none" else row.note
            if row.role != "none":
                assert bool(row.population) == (cell.unit == "rate_per_10000")
                assert bool(row.mean) == (cell.unit in ("days", "months"))


def test_no_row_is_idle(tables, counted):
    used = {
        counted_as(counted, cell).place
        for year in YEARS
        for cell in published_cells(tables, year)
        if not cell.superseded
    }
    assert [row.place for row in counted if row.place not in used] == []


@pytest.mark.parametrize("year", [2017, 2020, 2024])
def test_codes_asked_for_are_codes_of_the_item(counted, year):
    values = {}
    for name in ("cla", "crcs"):
        g = load(name, year)
        values |= {item.name: g.values(item.code_set) for form in g.forms for item in g.items(form) if item.code_set}
    conditions = [condition for row in counted for condition in (*row.where, *row.of)]
    assert len(conditions) > 150
    for condition in conditions:
        if condition.column in values:
            assert set(condition.values) <= values[condition.column], condition
        else:
            assert condition.column in ("age", "age_days", "location", "placements")


def test_what_a_profile_holds_out_is_not_fitted(counted):
    by_table = {row.table: row for row in counted if row.role == "fitted"}
    assert role_of(by_table["T16"]) == "fitted"
    assert role_of(by_table["T16"], ("T16",)) == "held_out"
    assert role_of(by_table["T16"], (f"T16 {by_table['T16'].measure}",)) == "held_out"
    assert role_of(by_table["T03"], ("T16",)) == "fitted"
    assert {row.table for row in counted if row.role == "held_out"} == {"T07", "crcs_cpr_sex"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("fitted", "aimed", ("column role", "'aimed'", "held_out")),
        ("looked_after,GNDR_CD=1", "everybody,GNDR_CD=1", ("column view", "'everybody'")),
        ("GNDR_CD=1", "GNDR_CD:1", ("column where", "'GNDR_CD:1' is no condition")),
        ("age=..0", "age=..", ("column where", "'age=..' is no condition")),
    ],
)
def test_a_row_that_cannot_be_read_is_named(published, old, new, said):
    path = published / "counted.csv"
    lines = path.read_text("utf-8").split("\n")
    assert old in lines[1]
    path.write_text("\n".join([lines[0], lines[1].replace(old, new, 1), *lines[2:]]), "utf-8")
    with pytest.raises(ProfileError) as error:
        load_counted(load_tables(published))
    assert all(text in str(error.value) for text in ("counted.csv line 2", *said)), error.value


def test_a_figure_nobody_can_count_is_an_error(tables, counted):
    cell = next(cell for cell in published_cells(tables, 2024) if cell.table == "T07")
    with pytest.raises(ProfileError, match=r"cla_aggregates\.csv line .* counted\.csv does not say how T07"):
        counted_as([row for row in counted if row.table != "T07"], cell)


def test_an_unknown_column_is_named(views, counted):
    row = next(row for row in counted if row.view == "started" and row.where)
    without = Views({"child": CHILDREN, "episode": EPISODES.drop("CATEGORY_OF_NEED_CODE")}, 2023)
    assert Counter(views).rows(row)[WALES] == 1
    with pytest.raises(ProfileError, match="'CATEGORY_OF_NEED_CODE' is no column of the view started in 2023"):
        Counter(without).rows(row)


def test_levels_are_inside_and_a_whole_wales_has_every_kind_of_cell(report):
    by_table = {score.name: score for score in report.by_table()}
    assert by_table["T03"].share_inside == by_table["T09"].share_inside == 1
    assert {"T04", "T05", "T06", "T14", "T15", "T16", "T17", "T22"} <= set(by_table)
    assert [score.name for score in report.by_role()] == ["fitted", "held_out", "compared"]
    assert sum(score.cells for score in report.by_role()) == len(report.comparison.results)


def test_a_result_says_how_far_off_it_is(report):
    for r in report.comparison.results:
        inside = r.cell.low - 1e-6 <= r.generated <= r.cell.high + 1e-6
        assert r.inside == inside == (r.z == 0)
        if not inside:
            assert math.copysign(1, r.z) == (1 if r.generated > r.cell.high else -1)
            assert r.children is None or r.children > 0


def test_shares_are_judged_against_their_own_size(report):
    care = next(r for r in report.comparison.results if r.cell.table == "T04" and r.cell.unit == "percent")
    edge = min(max(care.generated, care.cell.low), care.cell.high)
    error = math.sqrt(edge * (100 - edge) / 7188)
    assert care.z == pytest.approx((care.generated - edge) / error)


def test_some_authorities_give_no_cell_of_wales(written, profile):
    part = fidelity(written(2023, 1, FEW)[0], profile)
    areas = {r.cell.geography for r in part.comparison.results}
    assert areas == {"W06000015", "W06000023"}
    assert any("Wales" in why for cell, why in part.comparison.skipped if cell.geography == WALES)


def test_a_spoilt_folder_is_noticed(copied, profile, report):
    path = copied / "synthetic_cla_episode.csv"
    lines = path.read_text("utf-8").splitlines()
    standing = [line for line in lines[1:] if line.split(",")[1] == "532" and not line.split(",")[10]]
    extra = [line.replace("SYN", "NYS", 1) for line in standing[: len(standing) // 5]]
    path.write_text("\n".join([*lines, *extra, ""]), "utf-8")
    spoilt = fidelity(copied, profile)
    missed = {r.cell.place for r in spoilt.comparison.results if not r.inside}
    before = {r.cell.place for r in report.comparison.results if not r.inside}
    new = [r for r in spoilt.comparison.results if r.cell.place in missed - before]
    assert {"T03", "T09"} <= {r.cell.table for r in new}
    swansea = [r for r in new if r.cell.geography == "W06000011"]
    assert [r.cell.table for r in swansea] == ["T09"]
    # A fifth more children is some five standard errors of a stock of 500.
    assert swansea[0].z > 3
    assert spoilt.by_role()[0].total_absolute_error > report.by_role()[0].total_absolute_error + len(extra)


def test_a_changed_profile_is_noticed_even_where_the_cells_hold(written, profile, tmp_path):
    """Exact mode meets targets whatever a behaviour parameter says, so the profile itself is told apart."""
    share = profile.parameters["disability.share_n2"].value
    overlay = tmp_path / "more.json"
    more = {"disability.share_n2": {"value": share + 0.05}}
    overlay.write_text(json.dumps({"format_version": 1, "overlay": True, "parameters": more}), "utf-8")
    folder = shutil.copytree(written(2023, 1, FEW)[0], tmp_path / "2023")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    changed = load_profile(overlay)
    manifest["profile"] |= {"name": changed.name, "sha256": digest(changed)}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    beside_built_in = fidelity(folder, profile)
    assert not beside_built_in.known
    assert beside_built_in.exit_code(0.0) == 1
    assert "NOT the profile at hand: the files were made with 'wales + overlay'" in beside_built_in.to_text()
    # Named, it is accepted, and the report says in what it differs.
    named = fidelity(folder, changed)
    assert named.known
    assert named.exit_code(0.0) == 0
    assert "is not the built-in profile. Changed: parameter disability.share_n2." in named.to_text()
    assert run(folder, "--profile", overlay, "--min-inside", 0).exit_code == 0
    assert run(folder, "--min-inside", 0).exit_code == 1


def test_figures_of_two_years_need_the_year_before(written, profile, tables, tmp_path):
    both = (2023, 2024)
    for year in both:
        shutil.copytree(written(year, 1, "Cardiff", both)[0], tmp_path / str(year))
    this = read_year(tmp_path / "2024")
    before = year_before(this)
    assert before.year == 2023
    alone = compare(this, None, tables)
    together = compare(this, before, tables)
    assert {"T08", "T09"} <= {cell.table for cell, why in alone.skipped if "2023 of the same seed" in why}
    results = {(r.cell.table, r.cell.dim1): r for r in together.results}
    stocks = [len(year.views.looked_after) for year in (before, this)]
    assert results["T08", "all"].generated == sum(stocks)
    assert results["T09", ""].generated == sum(stocks) / 2
    manifest = json.loads((tmp_path / "2023" / "manifest.json").read_text("utf-8"))
    (tmp_path / "2023" / "manifest.json").write_text(json.dumps(manifest | {"seed": 2}), "utf-8")
    assert year_before(this) is None


def test_errors_add_up():
    assert Score.of("empty", []).share_inside == 1
    assert Score.of("empty", []).standardised == 0


def test_the_text_begins_with_the_summary_and_lists_misses(report):
    text = report.to_text()
    head = text.split("\n\n")[0]
    assert "Year ending 31 March 2023, 22 authorities, seed 1" in head
    misses = [r for r in report.comparison.results if not r.inside]
    assert f"Misses, worst first: {len(misses)}" in text
    assert f"Cells: {len(report.comparison.results)}" in report.to_text(all_cells=True)
    assert "Nothing published to compare with:" in text
    assert "School results are in neither return" in text


def test_csv_and_json_hold_every_standing_cell(report, tables):
    standing = [cell.place for cell in published_cells(tables, 2023) if not cell.superseded]
    rows = list(csv.DictReader(io.StringIO(report.to_csv())))
    assert sorted(f"{row['file']} line {row['line']}" for row in rows) == sorted(standing)
    content = json.loads(report.to_json())
    assert len(content["cells"]) == len(standing)
    assert all((cell["generated"] is None) == bool(cell["not_compared"]) for cell in content["cells"])
    assert content["roles"][0]["name"] == "fitted"


def run(*arguments):
    return CliRunner().invoke(main, ["fidelity", *map(str, arguments)])


def test_the_command_ends_by_the_share_asked_for(written, profile):
    # In 2018 leavers and stocks contradict one another, so a cell is always outside.
    folder = written(2018, 1)[0]
    report = fidelity(folder, profile)
    share = report.by_role()[0].share_inside
    assert 0 < share < 1
    assert run(folder, "--min-inside", share).exit_code == 0
    worse = run(folder, "--min-inside", min(1, share + 0.001), "--format", "csv")
    assert worse.exit_code == 1
    assert worse.stdout == report.to_csv()


def drop_manifest(folder):
    (folder / "manifest.json").unlink()


def damage_manifest(folder):
    (folder / "manifest.json").write_text("{", "utf-8")


def year_as_text(folder):
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"year": "2023"}), "utf-8")


def foreign_authority(folder):
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"authorities": ["999"]}), "utf-8")


def drop_form(folder):
    (folder / "synthetic_cla_adoption.csv").unlink()


def ragged(folder):
    with (folder / "synthetic_cla_episode.csv").open("a", encoding="utf-8") as stream:
        stream.write("x" + "," * 40 + "\n")


def other_heading(folder):
    path = folder / "synthetic_crcs.csv"
    path.write_text(path.read_text("utf-8").replace("LOOKED_AFTER_CHILD", "LAC", 1), "utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop_manifest, "has no manifest.json; expected the folder of a year written by synth generate"),
        (damage_manifest, "manifest.json: cannot be read as JSON"),
        (year_as_text, "manifest.json: year is missing or is no int"),
        (foreign_authority, "manifest.json: authority '999' is not one of 512 to 552"),
        (drop_form, "synthetic_cla_adoption.csv is missing"),
        (ragged, "synthetic_cla_episode.csv"),
        (other_heading, "LAC"),
    ],
)
def test_a_folder_that_cannot_be_read_is_told(written, tmp_path, spoil, said):
    folder = shutil.copytree(written(2023, 1, FEW)[0], tmp_path / "2023")
    spoil(folder)
    with pytest.raises(InputError) as error:
        read_year(folder)
    assert said in str(error.value)
    result = run(folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_place_that_is_no_folder_is_told(tmp_path):
    result = run(tmp_path / "2023")
    assert result.exit_code == 2
    assert "2023 is no folder" in result.stderr
