"""Formats with types - Parquet, databases, files of statistical packages - read by others, held against the CSV."""

import datetime as dt
import shutil
import sqlite3
import subprocess
from dataclasses import replace

import polars as pl
import pytest

from synth.errors import InputError
from synth.files import FILES
from synth.formats.content import content_in
from synth.formats.statistics import number_codes, short_names
from synth.formats.writing import write_formats
from synth.guidance import load
from synth.reading import read_any
from synth.tables import form_table, tables_of
from synth.validate import validate

NAMES = "Merthyr Tydfil"
YEAR = 2024
LA = "LOCAL_AUTHORITY_CODE"
FORMS = {"child": "cla", "episode": "cla", "adoption": "cla", "care_leaver": "cla", "crcs": "crcs"}
TYPED = ("parquet", "sqlite", "duckdb", "stata", "spss")

duckdb = pytest.importorskip("duckdb")
pyreadstat = pytest.importorskip("pyreadstat")


def items(form):
    return load(FORMS[form], YEAR).items(form)


def table_name(form):
    return form if form == "crcs" else f"cla_{form}"


def expected(folder, form):
    """A form of the CSV files, typed as the guidance says."""
    text = pl.read_csv(folder / FILES[form], infer_schema=False)
    kinds = {item.name: item.type for item in items(form)}
    return text.with_columns(
        *(pl.col(name).str.to_date("%d/%m/%Y") for name in text.columns if kinds[name] == "date"),
        *(pl.col(name).cast(pl.Int64) for name in text.columns if kinds[name] == "integer"),
    )


@pytest.fixture(scope="module")
def folder(written):
    return written(YEAR, names=NAMES).folder


@pytest.fixture(scope="module")
def place(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("typed")
    write_formats(content_in(folder, YEAR), TYPED, place)
    return place


@pytest.fixture(scope="module")
def lite(place):
    base = sqlite3.connect(place / "sqlite/synthetic.sqlite")
    yield base
    base.close()


@pytest.fixture(scope="module")
def duck(place):
    with duckdb.connect(place / "duckdb/synthetic.duckdb", read_only=True) as base:
        yield base


@pytest.fixture
def content(folder):
    return content_in(folder, YEAR)


def changed(content, form, **cells):
    """Return what is to be written with cells of the second row of a form replaced."""
    old = content.forms[form]
    row = pl.int_range(pl.len()) == 1
    text = old.text.cast(pl.String).with_columns(
        pl.when(row).then(pl.lit(value, pl.String)).otherwise(name).alias(name) for name, value in cells.items()
    )
    table = form_table(text, form, content.guide(form), file=old.file)
    return replace(content, forms={**content.forms, form: table})


# -- the same values and types as the CSV -----------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_parquet_holds_what_the_csv_holds(folder, place, form):
    found = pl.read_parquet(place / "parquet" / FILES[form].replace(".csv", ".parquet"))
    assert found.equals(expected(folder, form))
    assert set(found.schema.values()) <= {pl.Date, pl.Int64, pl.String}
    assert {n for n, kind in found.schema.items() if kind == pl.Int64} <= {
        "YEAR_CODE",
        "EPISODE_NUMBER",
        "SHORT_BREAKS",
    }


def test_parquet_is_read_back_without_a_finding(folder, place):
    report = validate([place / "parquet"])
    assert report.ok
    assert report.counts() == validate([folder]).counts()


@pytest.mark.parametrize("form", FORMS)
def test_databases_hold_what_the_csv_holds(folder, lite, duck, form):
    rows = expected(folder, form)
    days = rows.with_columns(pl.col(pl.Date).dt.strftime("%Y-%m-%d"))
    name = table_name(form)
    assert lite.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall() == days.rows()
    assert duck.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall() == rows.rows()
    types = {pl.Date: ("TEXT", "DATE"), pl.Int64: ("INTEGER", "BIGINT"), pl.String: ("TEXT", "VARCHAR")}
    wanted = [(column, *types[kind]) for column, kind in rows.schema.items()]
    for base, number in ((lite, 1), (duck, 2)):
        told = base.execute(f"PRAGMA table_info({name})").fetchall()
        assert [(row[1], row[2]) for row in told] == [(row[0], row[number]) for row in wanted]


@pytest.mark.parametrize("form", FORMS)
def test_typed_files_say_in_themselves_that_they_are_synthetic(place, duck, form):
    name = FILES[form].removesuffix(".csv")
    _, sav = pyreadstat.read_sav(place / "spss" / f"{name}.sav", metadataonly=True)
    _, dta = pyreadstat.read_dta(place / "stata" / f"{name}.dta", metadataonly=True)
    asked = "SELECT comment FROM duckdb_tables() WHERE table_name = $1"
    ((comment,),) = duck.execute(asked, [name.removeprefix("synthetic_")]).fetchall()
    for said in (sav.file_label, dta.file_label, comment):
        assert said.endswith("wholly synthetic records")


@pytest.mark.parametrize("form", FORMS)
def test_spss_holds_what_the_csv_holds(folder, place, form):
    path = place / "spss" / FILES[form].replace(".csv", ".sav")
    found, told = pyreadstat.read_sav(path, output_format="polars")
    rows = expected(folder, form).with_columns(pl.col(pl.String).fill_null(""))
    whole = [name for name, kind in rows.schema.items() if kind == pl.Int64]
    found = found.with_columns(
        pl.col(name).cast(rows.schema[name]) for name in [*whole, *rows.select(pl.col(pl.Date)).columns]
    )
    assert found.equals(rows)
    assert told.column_names_to_labels == {item.name: item.label for item in items(form)}
    g = load(FORMS[form], YEAR)
    for item in items(form):
        if item.code_set:
            # Labels have at most 120 bytes.
            assert told.variable_value_labels[item.name] == {c.code: c.label[:120] for c in g.codes(item.code_set)}
    assert str(told.creation_time) == f"{YEAR}-03-31 00:00:00"
    assert told.notes[0].startswith("Every record is synthetic")


@pytest.mark.parametrize("form", FORMS)
def test_stata_labels_begin_with_the_codes_of_the_csv(folder, place, form):
    path = place / "stata" / FILES[form].replace(".csv", ".dta")
    found, told = pyreadstat.read_dta(path, output_format="polars")
    rows = expected(folder, form)
    names = short_names(rows.columns)
    assert found.columns == list(names.values())
    for item in items(form):
        name, column = names[item.name], found[names[item.name]]
        if item.type == "code":
            codes = {number: label.partition(" ")[0] for number, label in told.variable_value_labels[name].items()}
            assert all(not code.isdigit() or str(number) == code for number, code in codes.items())
            column = column.cast(pl.Int64).replace_strict(codes, return_dtype=pl.String)
            words = {c.code: f"{c.code} {c.label}" for c in load(FORMS[form], YEAR).codes(item.code_set)}
            assert sorted(told.variable_value_labels[name].values()) == sorted(words.values())
        elif item.type in {"date", "integer"}:
            column = column.cast(rows.schema[item.name])
        else:
            column = pl.Series(column).replace("", None)
        assert column.to_list() == rows[item.name].to_list(), item.name
    assert told.column_names_to_labels == {names[item.name]: item.label for item in items(form)}
    assert str(told.creation_time) == f"{YEAR}-03-31 00:00:00"


R = """
library(haven)
for (form in c("crcs", "cla_episode")) {
  d <- read_dta(file.path("stata", paste0("synthetic_", form, ".dta")))
  for (n in names(d)) if (is.labelled(d[[n]])) d[[n]] <- sub(" .*", "", as.character(as_factor(d[[n]])))
  s <- zap_labels(read_sav(file.path("spss", paste0("synthetic_", form, ".sav"))))
  names(d) <- names(s)
  for (one in c("d", "s")) write.csv(get(one), paste0(one, form, ".csv"), row.names = FALSE, na = "", quote = FALSE)
}
"""


def test_r_reads_what_the_csv_holds(folder, place, tmp_path):
    rscript = shutil.which("Rscript")
    if not rscript or subprocess.run([rscript, "-e", "library(haven)"], check=False, capture_output=True).returncode:
        pytest.skip("R with haven is not installed")
    for name in ("stata", "spss"):
        shutil.copytree(place / name, tmp_path / name)
    subprocess.run([rscript, "-e", R], check=True, cwd=tmp_path, capture_output=True, timeout=120)
    for form in ("crcs", "episode"):
        rows = expected(folder, form).with_columns(pl.col(pl.Date).dt.strftime("%Y-%m-%d")).cast(pl.String)
        for one in "ds":
            assert pl.read_csv(tmp_path / f"{one}{table_name(form)}.csv", infer_schema=False).equals(rows)


# -- databases --------------------------------------------------------------------------------------------------


def test_databases_have_the_same_keys_and_code_tables(lite, duck):
    names = {row[0] for row in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {row[0] for row in duck.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    coded = {(FORMS[form], item.code_set) for form in FORMS for item in items(form) if item.code_set}
    assert names == {*map(table_name, FORMS), "postcodes", *(f"{return_}_codes_{name}" for return_, name in coded)}
    for return_, name in coded:
        rows = [(code.code, code.label) for code in load(return_, YEAR).codes(name)]
        for base in (lite, duck):
            assert base.execute(f"SELECT * FROM {return_}_codes_{name} ORDER BY rowid").fetchall() == rows
    for form, return_ in FORMS.items():
        told = lite.execute(f"PRAGMA table_info({table_name(form)})").fetchall()
        key = [row[1] for row in sorted(told, key=lambda row: row[5]) if row[5]]
        assert key == [LA, "CHILD_CODE" if form == "crcs" else "SYSTEM_ID", *(["EPISODE_NUMBER"] * (form == "episode"))]
        refers = {(row[3], row[2], row[4]) for row in lite.execute(f"PRAGMA foreign_key_list({table_name(form)})")}
        wanted = {(i.name, f"{return_}_codes_{i.code_set}", "CODE") for i in items(form) if i.type == "code"}
        if form not in {"crcs", "child"}:
            wanted |= {(name, "cla_child", name) for name in (LA, "SYSTEM_ID")}
        assert refers == wanted
        query = "SELECT constraint_type, constraint_column_names, referenced_table FROM duckdb_constraints() "
        kept = duck.execute(f"{query} WHERE table_name = '{table_name(form)}'").fetchall()
        assert [row[1] for row in kept if row[0] == "PRIMARY KEY"] == [key]
        assert {(n, row[2]) for row in kept if row[0] == "FOREIGN KEY" for n in row[1]} == {row[:2] for row in wanted}
    assert not lite.execute("PRAGMA foreign_key_check").fetchall()


def test_databases_say_what_columns_mean(lite, duck):
    text = lite.execute("SELECT sql FROM sqlite_master WHERE name = 'cla_episode'").fetchone()[0]
    assert text.startswith("CREATE TABLE cla_episode ( -- CLA episode 2023-24, wholly synthetic records")
    assert "EPISODE_END_DATE TEXT, -- Date episode ceased" in text
    told = dict(
        duck.execute("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'cla_episode'").fetchall()
    )
    assert told == {item.name: item.label for item in items("episode")}
    comments = duck.execute(
        "SELECT comment FROM duckdb_tables() UNION ALL SELECT comment FROM duckdb_views() WHERE NOT internal"
    )
    assert all(row[0] for row in comments.fetchall())


def test_views_count_as_the_rules_do(folder, lite, duck):
    tables = tables_of(read_any([folder]).forms, load("cla", YEAR))
    episodes = tables.episodes.filter(pl.col("legal") != "V1")
    stock = episodes.filter(pl.col("open")).select("la", "id", "start").sort("la", "id")
    periods = (
        episodes.sort("who", "start", "number")
        .group_by("la", "id", "period")
        .agg(
            started=pl.col("start").filter(pl.col("reason") == "S").min(),
            first=pl.col("start").min(),
            ended=pl.col("end").last(),
            reason=pl.col("finish").last(),
            episodes=pl.len(),
        )
        .sort("la", "id", "first")
        .with_columns(period=pl.int_range(1, pl.len() + 1).over("la", "id"))
    )
    both = expected(folder, "crcs").join(
        expected(folder, "child"), left_on=[LA, "CHILD_CODE"], right_on=[LA, "SYSTEM_ID"]
    )
    assert periods["started"].null_count()
    assert periods["ended"].null_count() == stock.height > 100
    queries = {
        f"SELECT {LA}, SYSTEM_ID, EPISODE_START_DATE FROM looked_after_31_march ORDER BY 1, 2": stock,
        f"SELECT {LA}, SYSTEM_ID, PERIOD, STARTED, FIRST_EPISODE_STARTED, ENDED, REASON_ENDED_CODE, EPISODES"
        " FROM periods_of_care ORDER BY 1, 2, 3": periods,
        "SELECT CHILD_CODE FROM on_both_returns ORDER BY 1": both.select("CHILD_CODE").sort("CHILD_CODE"),
    }
    for query, rows in queries.items():
        assert duck.execute(query).fetchall() == rows.rows()
        assert lite.execute(query).fetchall() == rows.with_columns(pl.col(pl.Date).dt.strftime("%Y-%m-%d")).rows()
    words = "SELECT LEGAL_STATUS, PLACEMENT_TYPE FROM episodes_in_words ORDER BY SYSTEM_ID, EPISODE_NUMBER"
    assert lite.execute(words).fetchall() == duck.execute(words).fetchall()
    assert all(legal and placement for legal, placement in lite.execute(words))


def test_the_same_records_give_the_same_bytes_and_rows(folder, place, duck, tmp_path):
    write_formats(content_in(folder, YEAR), TYPED, tmp_path)
    for path in sorted(tmp_path.rglob("*.*")):
        first = place / path.relative_to(tmp_path)
        if path.suffix != ".duckdb":
            assert path.read_bytes() == first.read_bytes(), path.name
    with duckdb.connect(tmp_path / "duckdb/synthetic.duckdb", read_only=True) as again:
        for name in (*map(table_name, FORMS), "postcodes"):
            query = f"SELECT * FROM {name} ORDER BY rowid"
            assert again.execute(query).fetchall() == duck.execute(query).fetchall()
    assert [path.name for path in (tmp_path / "duckdb").iterdir()] == ["synthetic.duckdb"]


# -- what cannot be held ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    ("form", "cells", "says"),
    [
        ("crcs", {"CHILD_CODE": None}, "line 3, column CHILD_CODE: blank, where .* holds a key, which cannot be blank"),
        ("adoption", {"SYSTEM_ID": "SYN0"}, "line 3, column SYSTEM_ID: 'SYN0' is not on the child form"),
        ("episode", {"EPISODE_NUMBER": "x"}, "line 3, column EPISODE_NUMBER: 'x', where .* holds a whole number"),
    ],
)
def test_databases_refuse_rows_that_break_a_key(content, name, form, cells, says, tmp_path):
    with pytest.raises(InputError, match=says):
        write_formats(changed(content, form, **cells), (name,), tmp_path)


def test_a_key_that_stands_twice_is_told_where_it_does_so_again(content, tmp_path):
    first = content.forms["crcs"].text["CHILD_CODE"][0]
    with pytest.raises(InputError, match=f"line 3, column CHILD_CODE: '{first}' stands a second time"):
        write_formats(changed(content, "crcs", CHILD_CODE=first), ("sqlite",), tmp_path)


def test_part_of_a_return_is_a_database_of_that_part(content, tmp_path):
    part = replace(content, forms={"episode": content.forms["episode"]}, postcodes=None)
    write_formats(part, ("sqlite",), tmp_path)
    base = sqlite3.connect(tmp_path / "sqlite/synthetic.sqlite")
    views = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert views == {"periods_of_care", "episodes_in_words"}
    assert "cla_child" not in base.execute("SELECT sql FROM sqlite_master WHERE name = 'cla_episode'").fetchone()[0]
    base.close()


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("stata", {"SHORT_BREAKS": "2147483621"}),
        ("spss", {"SHORT_BREAKS": "9007199254740993"}),
        ("spss", {"EPISODE_END_DATE": "14/10/1582"}),
        ("stata", {"EPISODE_END_DATE": "31/12/0099"}),
    ],
)
def test_numbers_and_days_beyond_a_format_are_refused(content, name, cells, tmp_path):
    ((column, value),) = cells.items()
    with pytest.raises(InputError, match=f"line 3, column {column}: '{value}', where {name} holds"):
        write_formats(changed(content, "episode", **cells), (name,), tmp_path)


def test_the_first_and_last_that_fit_are_kept(content, tmp_path):
    cells = {"SHORT_BREAKS": "2147483620", "EPISODE_END_DATE": "15/10/1582"}
    write_formats(changed(content, "episode", **cells), ("stata", "spss"), tmp_path)
    for path, read in (
        ("stata/synthetic_cla_episode.dta", pyreadstat.read_dta),
        ("spss/synthetic_cla_episode.sav", pyreadstat.read_sav),
    ):
        row = read(tmp_path / path, output_format="polars")[0].row(1, named=True)
        assert (int(row["SHORT_BREAKS"]), row["EPISODE_END_DATE"]) == (2147483620, dt.date(1582, 10, 15))


# -- numbers and names of Stata ---------------------------------------------------------------------------------


def test_codes_that_are_numbers_keep_them_and_others_get_free_ones():
    assert number_codes(load("crcs", 2023).codes("language")) == {
        "80": 80,
        "ENG": 1,
        "CYM": 2,
        "BSL": 3,
        "OTH": 4,
        "88": 88,
    }
    assert number_codes(load("cla", 2023).codes("local_authority"))["512"] == 512
    for g in (load("cla", 2023), load("crcs", 2024)):
        for codes in g.codes_by_set.values():
            numbers = number_codes(codes)
            assert len(set(numbers.values())) == len(numbers) == len(codes)


def test_names_are_cut_and_stay_apart():
    long = "PARENTING_CAPACITY_SUBSTANCE_ALCOHOL_MISUSE"
    found = short_names(["UPN", long, long + "_2", "A" * 30])
    assert found == {"UPN": "UPN", long: long[:30], long + "_2": long[:28].rstrip() + "_2", "A" * 30: "A" * 30}
    assert max(map(len, found.values())) == 30
