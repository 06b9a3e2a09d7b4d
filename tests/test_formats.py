"""Other formats than CSV: what may be asked for, workbooks as users and spreadsheets see them, files of others."""

import csv
import datetime as dt
import json
import shutil
import subprocess
from unittest.mock import patch

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.files import FILES
from synth.formats import FORMATS, check_installed, check_scale, parse_formats
from synth.formats.content import content_in
from synth.formats.converting import convert
from synth.formats.workbooks import write_workbooks
from synth.guidance import load
from synth.main_job import generate
from synth.reading import read_any
from synth.reading.workbook import NO_FORM
from synth.tables import file_name
from synth.validate import validate

NAMES = "Merthyr Tydfil,Blaenau Gwent"
LA = "LOCAL_AUTHORITY_CODE"
FORMS = {"child": "cla", "episode": "cla", "adoption": "cla", "care_leaver": "cla", "crcs": "crcs"}
HEADING_ROW, FIRST_ROW = 3, 4


def run(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def typed(text, kind):
    """A cell of a CSV file as a workbook should hold it."""
    if text == "":
        return None
    if kind == "date":
        return dt.datetime.strptime(text, "%d/%m/%Y")  # noqa: DTZ007  a day
    return int(text) if kind == "integer" else text


def texts(paths, year=2023):
    """Forms as read back, as frames of text in order of authority and child."""
    found = read_any(paths, year=year)
    return {form: table.text.cast(pl.String) for form, table in found.forms.items()}


def same(one, other):
    return one.keys() == other.keys() and all(one[form].equals(other[form]) for form in one)


@pytest.fixture(scope="module")
def folder(written):
    return written(names=NAMES).folder


@pytest.fixture(scope="module")
def books(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("xlsx")
    write_workbooks(content_in(folder, 2023), place)
    return place


@pytest.fixture(scope="module")
def opened(books):
    return {path.name: openpyxl.load_workbook(path) for path in sorted(books.iterdir())}


@pytest.fixture
def other(folder, tmp_path):
    """A file of somebody else: crcs with the identifiers of no program, a few rows, cells to be changed."""

    def made(**changed):
        rows = read_csv(folder / FILES["crcs"])[:4]
        for row in rows:
            row["CHILD_CODE"] = row["CHILD_CODE"].replace("SYN", "A")
        for name, value in changed.items():
            rows[1][name] = value
        path = tmp_path / "mine.csv"
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return made


# -- what may be asked for --------------------------------------------------------------------------------------


def test_names_are_read_in_any_order_and_case_with_commas_or_repeated():
    assert parse_formats(("spss, XLSX", "csv,xlsx")) == ("csv", "xlsx", "spss")
    assert parse_formats(()) == ()
    assert parse_formats((",".join(reversed(FORMATS)),)) == FORMATS


@pytest.mark.parametrize(
    ("given", "says"),
    [("xslx", "did you mean 'xlsx'"), ("csv,excel", "--format excel: there is no such"), (" ,", "--format is empty")],
)
def test_wrong_names_are_refused_before_anything_is_made(given, says, tmp_path):
    result = run("generate", "--year", 2023, "--format", given, "--out", tmp_path)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "csv, parquet, xlsx, sqlite, duckdb, stata, spss" in result.stderr
    assert not list(tmp_path.iterdir())


def test_datasets_are_csv_or_parquet_and_the_rest_is_converted(tmp_path):
    check_scale(("parquet",))
    result = run("generate", "--year", 2023, "--scale", 2, "--format", "csv,stata", "--out", tmp_path)
    assert result.exit_code == 2
    assert "synth convert DIR/year=2023/world=0001 --format stata --out OTHER" in result.stderr
    with pytest.raises(InputError, match="is one of them"):
        check_scale(("csv", "parquet"))


def test_a_missing_package_is_named_with_what_installs_it():
    with patch("synth.formats.names.find_spec", lambda _name: None):
        check_installed(("csv", "parquet", "xlsx", "sqlite"))
        with pytest.raises(InputError, match=r'--format duckdb needs duckdb.*pip install "synth\[formats\]"'):
            check_installed(("csv", "duckdb"))
        with pytest.raises(InputError, match="needs pyreadstat"):
            check_installed(("spss",))


def test_generate_writes_formats_beside_the_csv_and_names_them_in_the_manifest(folder, written, tmp_path):
    made = written(names=NAMES).made
    command = ["generate", "--authorities", NAMES, "--year", 2023, "--seed", 1, "--out", tmp_path]
    with patch("synth.simulate.simulate_years", lambda *_: iter([made])):
        result = run(*command, "--format", "sqlite,csv", "--format", "duckdb,parquet")
        assert result.exit_code == 0, result.stderr
        assert "parquet, sqlite, duckdb" in result.stdout
        place = tmp_path / "2023"
        manifest = json.loads((place / "manifest.json").read_text())
        assert manifest["command"].endswith("--year 2023 --seed 1 --format parquet,sqlite,duckdb")
        beside = {name: told for name, told in manifest["beside"].items() if name.partition("/")[0] in FORMATS}
        parquet = [f"parquet/{name.replace('.csv', '.parquet')}" for name in FILES.values()]
        assert list(beside) == sorted(["duckdb/synthetic.duckdb", "sqlite/synthetic.sqlite", *parquet])
        assert [name for name, told in beside.items() if "sha256" not in told] == ["duckdb/synthetic.duckdb"]
        for name in FILES.values():
            assert (place / name).read_bytes() == (folder / name).read_bytes()
        before = (place / "manifest.json").read_bytes()
        assert run(*command, "--format", "parquet,duckdb,sqlite", "--quiet").exit_code == 0
        assert (place / "manifest.json").read_bytes() == before


# -- workbooks --------------------------------------------------------------------------------------------------


def test_there_is_a_workbook_for_each_authority_and_return(opened):
    expected = {
        f"{code}_{name}_{return_}_2023.xlsx"
        for code, name in (("542", "Merthyr-Tydfil"), ("545", "Blaenau-Gwent"))
        for return_ in ("cla", "crcs")
    }
    assert opened.keys() == expected
    for name, book in opened.items():
        forms = [form for form, return_ in FORMS.items() if f"_{return_}_" in name]
        assert book.sheetnames == [*forms, "Codes", "Notes"]


def test_cells_hold_the_values_and_types_of_the_csv(folder, opened):
    for form, return_ in FORMS.items():
        items = {item.name: item.type for item in load(return_, 2023).items(form)}
        found = []
        for code, name in (("542", "Merthyr-Tydfil"), ("545", "Blaenau-Gwent")):
            sheet = opened[f"{code}_{name}_{return_}_2023.xlsx"][form]
            assert [cell.value for cell in sheet[HEADING_ROW]] == list(items)
            found += [list(row) for row in sheet.iter_rows(min_row=FIRST_ROW, values_only=True)]
            for cell, kind in zip(sheet[FIRST_ROW], items.values(), strict=True):
                formats = {"date": "dd/mm/yyyy", "integer": "0"}
                assert cell.value is None or cell.number_format == formats.get(kind, "@")
        rows = read_csv(folder / file_name(return_, form))
        assert found == [[typed(row[name], kind) for name, kind in items.items()] for row in rows]
        assert all(isinstance(row[0], int) == (items[next(iter(items))] == "integer") for row in found)


def test_a_sheet_has_a_banner_words_frozen_headings_and_drop_down_lists(opened):
    book = opened["542_Merthyr-Tydfil_cla_2023.xlsx"]
    sheet = book["episode"]
    assert sheet["A1"].value.startswith("Synthetic: every record is made up")
    assert sheet["D2"].value == "Episode number"
    assert sheet.freeze_panes == "D4"
    assert sheet.auto_filter.ref == f"A3:M{sheet.max_row}"
    lists = {str(each.sqref).split(":")[0]: each for each in sheet.data_validations.dataValidation}
    g = load("cla", 2023)
    for column, item in enumerate(g.items("episode"), start=1):
        place = f"{openpyxl.utils.get_column_letter(column)}{FIRST_ROW}"
        assert (place in lists) == (item.type == "code")
        if item.type == "code":
            assert lists[place].type == "list"
            assert bool(lists[place].allow_blank) == (item.required != "always")
            first, last = (int(part.rpartition("$")[2]) for part in lists[place].formula1.split(":"))
            told = [tuple(c.value for c in row[1:3]) for row in book["Codes"].iter_rows(min_row=first, max_row=last)]
            assert told == [(code.code, code.label) for code in g.codes(item.code_set)]
    assert book["Codes"]["A1"].value.startswith(NO_FORM)
    assert book["Notes"]["A1"].value.startswith(NO_FORM)
    assert ("episode", "SHORT_BREAKS") in {row[:2] for row in book["Notes"].iter_rows(values_only=True)}


def test_workbooks_are_read_back_without_a_finding_and_hold_what_the_csv_holds(folder, books):
    report = validate([books])
    assert report.ok
    assert not report.found()
    assert not [note for note in report.notes if "sheet is left out" in note]
    assert report.counts() == validate([folder]).counts()
    assert same(texts([books]), texts([folder]))


def test_a_sheet_of_codes_or_notes_is_no_form_even_where_the_form_is_named(books):
    book = books / "542_Merthyr-Tydfil_crcs_2023.xlsx"
    (found,) = read_any([book], form="crcs").forms.values()
    assert found.file == f"{book.name} [crcs]"


def test_the_same_records_give_the_same_bytes(folder, books, tmp_path):
    write_workbooks(content_in(folder, 2023), tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {p.name: p.read_bytes() for p in books.iterdir()}


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_and_saves_a_workbook_without_a_change(books, tmp_path):
    book = books / "542_Merthyr-Tydfil_cla_2023.xlsx"
    place = f"-env:UserInstallation={(tmp_path / 'user').as_uri()}"
    saving = ["soffice", place, "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path), str(book)]
    subprocess.run(saving, check=True, capture_output=True, timeout=120)
    saved = tmp_path / book.name
    assert saved.read_bytes() != book.read_bytes()
    assert same(texts([saved]), texts([book]))
    assert validate([saved]).ok
    sheet = openpyxl.load_workbook(saved)["episode"]
    assert {each.type for each in sheet.data_validations.dataValidation} == {"list"}


# -- files of others --------------------------------------------------------------------------------------------


def test_mistakes_stay_what_they_are_in_csv_and_workbooks(folder, tmp_path):
    assert run("spoil", folder, "--out", tmp_path / "spoilt").exit_code == 0
    result = run("convert", tmp_path / "spoilt", "--format", "xlsx,csv", "--out", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    assert "csv (5 files), xlsx (4 files)" in result.stdout
    spoilt = texts([tmp_path / "spoilt"])
    assert same(texts([tmp_path / "new/csv"]), spoilt)
    again = texts([tmp_path / "new/xlsx"])
    # Workbooks go by authority; rows of each stay in their order.
    assert {form: frame.height for form, frame in again.items()} == {form: f.height for form, f in spoilt.items()}
    columns = ["rule", "child", "value"]
    findings = [
        validate([tmp_path / name]).findings.select(columns).sort(columns) for name in ("spoilt", "new/csv", "new/xlsx")
    ]
    assert len(findings[0]) > 20
    assert findings[0].equals(findings[1])
    assert findings[0].equals(findings[2])


@pytest.mark.parametrize("name", ["parquet", "sqlite", "duckdb", "stata", "spss"])
def test_typed_formats_refuse_a_cell_they_cannot_hold_and_say_which(other, name, tmp_path):
    path = other(DATE_OF_BIRTH="31/02/2020")
    result = run("convert", path, "--format", name, "--out", tmp_path / "new")
    assert result.exit_code == 2
    assert "mine.csv, line 3, column DATE_OF_BIRTH: '31/02/2020', where" in result.stderr
    assert "write csv or xlsx" in result.stderr
    assert not (tmp_path / "new").exists()


def test_codes_out_of_their_list_are_text_where_text_is_held(other, tmp_path):
    path = other(GENDER="7")
    for name in ("parquet", "spss", "csv", "xlsx"):
        convert([path], (name,), tmp_path / name)
    assert pl.read_parquet(tmp_path / "parquet/parquet/crcs.parquet")["GENDER"][1] == "7"
    for name in ("sqlite", "duckdb", "stata"):
        with pytest.raises(InputError, match=f"line 3, column GENDER: '7', where {name} holds a code of gender"):
            convert([path], (name,), tmp_path / name)


def test_what_no_spreadsheet_can_hold_as_a_date_or_number_stays_text(other, tmp_path):
    convert([other(DATE_OF_BIRTH="13/04/1066", YEAR_CODE="12345678901234567")], ("xlsx",), tmp_path / "new", year=2023)
    (path,) = (tmp_path / "new/xlsx").iterdir()
    row = openpyxl.load_workbook(path)["crcs"][FIRST_ROW + 1]
    assert (row[0].value, row[4].value) == ("12345678901234567", "13/04/1066")
    with pytest.raises(InputError, match="'13/04/1066', where spss holds a date"):
        convert([other(DATE_OF_BIRTH="13/04/1066")], ("spss",), tmp_path / "other")


def test_records_of_others_are_not_called_synthetic(other, tmp_path):
    convert([other()], ("csv", "xlsx", "sqlite"), tmp_path / "new")
    names = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*.*")}
    assert names == {"csv/crcs.csv", "xlsx/542_Merthyr-Tydfil_crcs_2023.xlsx", "sqlite/returns.sqlite", "manifest.json"}
    (path,) = (tmp_path / "new/xlsx").iterdir()
    assert openpyxl.load_workbook(path)["crcs"]["A1"].value.startswith("Converted by synth, which does not know")
    assert b"ynthetic" not in (tmp_path / "new/sqlite/returns.sqlite").read_bytes()


def test_what_begins_like_a_formula_is_text_in_workbooks_and_led_by_an_apostrophe_in_csv(other, tmp_path):
    formula = '=HYPERLINK("http://example.org","x")'
    result = run("convert", other(CHILD_CODE=formula, UPN="@SUM(1)"), "--format", "csv,xlsx", "--out", tmp_path / "new")
    assert "column CHILD_CODE: '=HYPERLINK" in result.stdout
    assert "led by an apostrophe" in result.stdout
    row = read_csv(tmp_path / "new/csv/crcs.csv")[1]
    assert (row["CHILD_CODE"], row["UPN"]) == (f"'{formula}", "'@SUM(1)")
    (path,) = (tmp_path / "new/xlsx").iterdir()
    cell = openpyxl.load_workbook(path)["crcs"].cell(FIRST_ROW + 1, 3)
    assert (cell.value, cell.data_type, cell.quotePrefix) == (formula, "s", True)
    assert read_any([path]).forms["crcs"].text["CHILD_CODE"][1] == formula


def test_numbers_below_nought_are_no_formulas(other, tmp_path):
    convert([other(YEAR_CODE="-5")], ("csv",), tmp_path / "new", year=2023)
    assert read_csv(tmp_path / "new/csv/crcs.csv")[1]["YEAR_CODE"] == "-5"


def test_a_row_without_an_authority_goes_with_the_row_above_it(folder, tmp_path):
    rows = read_csv(folder / FILES["crcs"])
    first = next(n for n, row in enumerate(rows) if row[LA] == "545")
    for n, code in ((0, ""), (first + 1, "999")):
        rows[n][LA] = code
    with (tmp_path / "crcs.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    convert([tmp_path / "crcs.csv"], ("xlsx",), tmp_path / "new")
    found = texts([tmp_path / "new/xlsx"])["crcs"]
    assert found[LA].to_list() == [row[LA] or None for row in rows]


def test_headings_without_a_row_are_a_return_too(other, tmp_path):
    path = other()
    path.write_text(path.read_text().partition("\n")[0] + "\n")
    made = convert([path], tuple(name for name in FORMATS if name != "duckdb"), tmp_path / "new", year=2023)
    assert made.files == {"csv": 1, "parquet": 1, "xlsx": 1, "sqlite": 1, "stata": 1, "spss": 1}
    for name in ("csv", "parquet", "xlsx"):
        (found,) = read_any([tmp_path / "new" / name], year=2023).forms.values()
        assert (found.height, found.missing) == (0, ())


def test_columns_that_are_no_items_are_left_out_with_a_word(other, tmp_path):
    path = other()
    path.write_text(path.read_text().replace("\n", ",note\n", 1).replace("\n", ",x\n").replace("note,x", "Note"))
    made = convert([path], ("csv",), tmp_path / "new")
    assert "Left out: column Note of mine.csv, which is no item of 2023." in made.notes
    assert "Note" not in (tmp_path / "new/csv/crcs.csv").read_text()


def test_a_folder_is_replaced_only_where_this_program_wrote_it(other, tmp_path):
    path, place = other(), tmp_path / "new"
    convert([path], ("csv", "xlsx"), place)
    convert([path], ("parquet",), place)
    assert sorted(each.name for each in place.iterdir()) == ["manifest.json", "parquet"]
    (place / "parquet/mine.txt").write_text("mine")
    with pytest.raises(InputError, match="did not write"):
        convert([path], ("csv",), place)
    with pytest.raises(InputError, match="stand there"):
        convert([path], ("csv",), path.parent)


def test_generate_leaves_no_folder_where_a_format_fails(profile, written, tmp_path):
    made = written(names=NAMES).made

    def fails(_made, place):
        (place / "xlsx").mkdir()
        raise InputError("no")

    with patch("synth.simulate.simulate_years", lambda *_: iter([made])), pytest.raises(InputError, match="no"):
        generate(profile, made.authorities, 2023, seed=1, out=tmp_path / "new", beside=fails)
    assert not (tmp_path / "new").exists()
