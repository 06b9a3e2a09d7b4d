"""The standard tables: rounding, which figures there are, both kinds of files, published cells as printed."""

import csv
import math
import os
import shutil
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from synth.cli import main
from synth.errors import InputError
from synth.fidelity.folders import read_year
from synth.published import WALES, load_tables
from synth.published.reading import Rounding
from synth.spreadsheets import neutral
from synth.tabulate.figures import Entry, standard_figures
from synth.tabulate.printing import HIDDEN, Convention, convention, printed, rounded
from synth.tabulate.reproduced import reproduced
from synth.tabulate.run import tabulate
from synth.validate import validate

GOLDEN = Path(__file__).parent / "golden" / "tables"
PLACES = "Cardiff,Powys,Gwynedd"
FIVE = Convention("nearest5", 5, 4)
STEPS = st.sampled_from([0.01, 0.1, 1.0, 5.0, 10.0, 100.0])


def read(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def wales(written):
    return written().folder


@pytest.fixture(scope="module")
def some(written):
    return written(names=PLACES).folder


@pytest.fixture(scope="module")
def made(wales, tmp_path_factory):
    return tabulate(wales, tmp_path_factory.mktemp("tables"))[0]


@given(st.floats(-1e6, 1e6), STEPS)
def test_rounding_gives_the_nearest_multiple(value, step):
    found = rounded(value, step)
    assert abs(found - value) <= step / 2 + 1e-6
    assert math.isclose(found / step, round(found / step), abs_tol=1e-6)
    assert rounded(found, step) == found
    assert rounded(-value, step) == -found


@given(st.floats(0, 1e6), st.floats(0, 1e6), STEPS)
def test_rounding_keeps_the_order(one, other, step):
    assert (rounded(min(one, other), step)) <= rounded(max(one, other), step)


@given(st.integers(0, 20_000))
def test_counts_are_printed_to_five_or_hidden(count):
    found = printed([count], FIVE)
    assert (found is None) == (count <= 4)
    assert found is None or (found % 5 == 0 and found >= 5 and abs(found - count) <= 2)


@given(st.integers(0, 500), st.integers(0, 500))
def test_two_years_are_rounded_and_then_added_up(one, other):
    found = printed([one, other], Convention("nearest5 twice", 5, 9, parts=True))
    assert (found is None) == (one + other <= 9)
    assert found is None or found == rounded(one, 5) + rounded(other, 5)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_mean_of_two_years_is_half_of_what_they_add_up_to(one, other):
    halved = convention("nearest5 twice, halved", Rounding(2.5, 0, below=False, hidden_up_to=None))
    found = printed([one, other], halved)
    assert found == (rounded(one, 5) + rounded(other, 5)) / 2
    assert abs(found - (one + other) / 2) <= 2.5
    assert f"{found:.{halved.decimals}f}".endswith((".0", ".5"))
    assert halved.words == "half of the two years' counts, each to the nearest 5, added up"


@pytest.mark.parametrize(
    ("value", "step", "shown"), [(2.5, 5, 5), (2.4, 5, 0), (0.45, 0.1, 0.5), (24.55, 0.1, 24.6), (-2.65, 0.1, -2.7)]
)
def test_half_a_step_goes_away_from_nothing(value, step, shown):
    assert rounded(value, step) == shown


def test_only_what_a_table_prints_is_a_convention():
    known = load_tables().roundings
    printing = {name: convention(name, rounding) for name, rounding in known.items()}
    assert printing["nearest5"] == FIVE
    assert (printing["exact"].step, printing["nearest0.1pct"].step, printing["nearest0.01pct"].decimals) == (1, 0.1, 2)
    assert printing["nearest5 twice"].parts
    for name in ("just under", "less than", "approximate", "within 12.5", "derived_from_rounded_rate"):
        assert printing[name] is None
    assert convention("wide", Rounding(10, 0, below=False, hidden_up_to=None)).step == 20


@pytest.mark.parametrize(("value", "shown"), [(0, 5), (3.83, 5), (4.999, 5), (5, 5), (5.4, 5), (7.6, 8)])
def test_of_a_share_of_which_only_a_bound_is_known_no_more_is_said(value, shown):
    how = convention("less than", load_tables().roundings["less than"], 5.0)
    entry = Entry("T", "share", 2022, WALES, "Wales", "", "", "percent", value, printed([value], how), how)
    assert entry.shown == shown
    assert entry.text == (f"<{shown}" if value < 5 else f"{shown}")
    assert how.words == "to the nearest 1; <5 is all that is said of less"


def test_a_bound_is_printed_in_csv_and_workbook_and_is_what_was_published(written, tmp_path):
    folder = written(2022).folder
    (made,) = tabulate(folder, tmp_path)
    (row,) = [row for row in read(made.folder / "T15.csv") if (row["dim1"], row["unit"]) == ("under 1", "percent")]
    assert (row["printed"], row["rounding"]) == ("<5", "less than")
    sheet = openpyxl.load_workbook(made.folder / "tables.xlsx")["T15"]
    (line,) = [line for line in sheet.iter_rows(values_only=True) if "under 1" in line]
    assert "<5" in line
    assert not [missed for missed in reproduced(folder).missed if missed.cell.table == "T15"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_text_is_a_formula(text):
    assert neutral(text) == f"'{text}"
    assert neutral("boys") == "boys"


def test_settled_cells_are_printed_as_published(wales):
    found = reproduced(wales)
    assert found.cells == 66
    # One cell of a few dozen may lie outside its interval; none that lies inside is printed otherwise.
    assert {missed.cause for missed in found.missed_settled} <= {"outside"}
    assert found.share_settled >= 1 - 2 / found.settled
    assert not {"otherwise", "left out"} & set(found.causes)
    assert found.share >= 0.9


def test_every_place_and_table_is_there(made):
    tables = made.standard.by_table()
    assert {"T01", "T03", "T07", "T10", "crcs_status", "crcs_total"} <= set(tables)
    assert {e.geography for e in tables["crcs_total"]} == {WALES}
    assert len({e.geography for e in tables["T01"]}) == 23
    headline = next(e for e in tables["T03"] if e.national and e.unit == "count")
    assert (headline.text, headline.how.name) == ("7188", "exact")
    # Of the names residential care had in different years, one is used.
    labels = {e.dim1 for e in tables["T05"] if e.unit == "count"}
    assert len([label for label in labels if "hostels" in label]) == 1


def test_csv_holds_what_is_printed(made):
    entries = made.standard.by_table()
    for table, held in entries.items():
        rows = read(made.folder / f"{table}.csv")
        assert [r["printed"] for r in rows] == [e.text for e in held]
        assert {r["note"] for r in rows} == {"synthetic"}
    hidden = [r for r in read(made.folder / "T01.csv") if r["printed"] == HIDDEN]
    assert hidden
    assert {r["rounding"] for r in hidden} == {"nearest5"}


def test_the_workbook_reads_back(made):
    book = openpyxl.load_workbook(made.folder / "tables.xlsx")
    assert book.sheetnames == ["Contents", *made.standard.by_table()]
    for name, held in made.standard.by_table().items():
        sheet = book[name]
        assert sheet.freeze_panes is not None
        assert sheet["A2"].value.startswith("Synthetic")
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert not any(cell.data_type == "f" for cell in cells)
        numbers = sorted(float(cell.value) for cell in cells if cell.data_type == "n")
        assert numbers == sorted(e.shown for e in held if e.shown is not None and not e.bounded)
        assert sum(cell.value == HIDDEN for cell in cells) == sum(e.shown is None for e in held)
    sheet = book["T01"]
    rows = {row[0].value: row for row in sheet.iter_rows()}
    entry = next(
        e for e in made.standard.by_table()["T01"] if e.name == "Cardiff" and (e.dim1, e.dim2) == ("all", "all")
    )
    assert entry.shown in [cell.value for cell in rows["Cardiff"]]


def test_the_same_files_give_the_same_bytes(wales, made, tmp_path):
    again = tabulate(wales, tmp_path)[0].folder
    names = sorted(path.name for path in made.folder.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    assert all((made.folder / name).read_bytes() == (again / name).read_bytes() for name in names)


@pytest.fixture(scope="module")
def part(some, tmp_path_factory):
    return tabulate(some, tmp_path_factory.mktemp("part"), ["csv"])[0]


def test_authorities_alone_have_no_figures_of_wales(part):
    made = part
    assert not any(e.national for e in made.standard.entries)
    assert any("some authorities only" in note for note in made.standard.notes)
    assert not (made.folder / "tables.xlsx").exists()
    about = (made.folder / "about.txt").read_text("utf-8")
    assert "Synthetic" in about
    assert "some authorities only" in about


@pytest.mark.parametrize("table", ["T01", "T02", "T03", "T07", "T10", "T22"])
def test_tables_are_the_golden_copies(table, part):
    found = part.folder / f"{table}.csv"
    if os.environ.get("SYNTH_REFRESH_GOLDEN"):
        GOLDEN.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, GOLDEN / found.name)
    again = "if the tables were meant to change: SYNTH_REFRESH_GOLDEN=1 pytest tests/test_tabulate.py"
    assert found.read_text("utf-8") == (GOLDEN / found.name).read_text("utf-8"), again


def test_figures_of_two_years_need_the_year_before(wales):
    standard = standard_figures(read_year(wales), None, load_tables())
    assert any("started_to_be_looked_after_annual_change: needs 2022" in note for note in standard.notes)


def test_the_command_writes_beside_the_year_and_breaks_no_other(some, tmp_path):
    shutil.copytree(some, tmp_path / "outputs" / "2023")
    run = CliRunner().invoke(main, ["tables", str(tmp_path / "outputs")])
    assert run.exit_code == 0, run.output
    made = tmp_path / "outputs" / "tables" / "2023"
    assert (made / "tables.xlsx").is_file()
    assert str(made) in run.output
    assert validate([tmp_path / "outputs" / "2023"]).exit_code == 0
    again = CliRunner().invoke(main, ["tables", str(tmp_path / "outputs" / "2023"), "--format", "csv", "--quiet"])
    assert (again.exit_code, again.output) == (0, "")
    assert not (made / "tables.xlsx").exists()


def test_nothing_of_others_is_replaced(some, tmp_path):
    shutil.copytree(some, tmp_path / "2023")
    with pytest.raises(InputError, match="holds files this program did not write"):
        tabulate(tmp_path / "2023", tmp_path)
    assert (tmp_path / "2023" / "manifest.json").is_file()


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_a_year_is_refused(make, tmp_path):
    folder = tmp_path / "none"
    if make:
        folder.mkdir()
    run = CliRunner().invoke(main, ["tables", str(folder)])
    assert run.exit_code == 2
    assert "expected the folder of a year" in run.output
    assert list(tmp_path.iterdir()) == ([folder] if make else [])


def test_a_projection_says_so(ahead, tmp_path):
    made = tabulate(shutil.copytree(ahead[1].folder, tmp_path / "2025"))[0]
    assert made.folder == tmp_path / "tables" / "2025"
    assert made.standard.projected
    assert {r["note"] for r in read(made.folder / "T01.csv")} == {"synthetic, projection"}
    book = openpyxl.load_workbook(made.folder / "tables.xlsx")
    assert "Projection" in book["T01"]["A2"].value
    # The last published year's way of printing holds on.
    assert {e.how.name for e in made.standard.by_table()["T07"]} == {"nearest5"}
