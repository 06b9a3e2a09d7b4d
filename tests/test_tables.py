"""Files in and out: text as written, types once, lines as an editor counts them, bytes that repeat."""

import datetime as dt

import polars as pl
import pytest

from synth.errors import InputError, OutputError
from synth.guidance import load
from synth.reading import read_form, read_return
from synth.tables import as_dates, child_column, file_name, form_table, write_form
from synth.worked import good, good_tables, write_good

G = load("cla", 2023)
CRCS = load("crcs", 2023)


@pytest.fixture
def folder(tmp_path):
    write_good(tmp_path, 2023)
    return tmp_path


def child_file(folder):
    return folder / file_name("cla", "child")


def test_names_of_files_and_keys():
    assert file_name("crcs", "crcs") == "synthetic_crcs.csv"
    assert file_name("cla", "care_leaver") == "synthetic_cla_care_leaver.csv"
    assert child_column("crcs") == "CHILD_CODE"
    assert child_column("adoption") == "SYSTEM_ID"


def test_what_was_written_is_read_back(folder):
    for return_, g in (("cla", G), ("crcs", CRCS)):
        tables = read_return(folder, return_, g)
        assert set(tables.forms) == set(g.forms)
        for form in g.forms:
            assert tables.text(form).equals(good(2023)[form])


def test_types(folder):
    table = read_form(child_file(folder), "child", G)
    assert table.typed.schema["DOB"] == pl.Date
    assert table.typed.schema["YEAR_CODE"] == pl.Int64
    assert table.typed["DOB"][0] == dt.date(2014, 6, 14)
    assert table.text["DOB"][0] == "14/06/2014"
    coded = {name for name in table.codes if name != "LOCAL_AUTHORITY_CODE"}
    kept = [pl.Categorical if name in coded else pl.String for name in table.text.columns]
    assert table.text.dtypes == kept
    assert "GNDR_CD" in coded
    assert table.lines.to_list() == list(range(2, 2 + table.height))


def test_unreadable_values_stay_in_the_text():
    raw = good(2023)["child"].with_columns(DOB=pl.lit("31/02/2015"), GNDR_CD=pl.lit("7"), YEAR_CODE=pl.lit("x"))
    table = form_table(raw, "child", G)
    assert table.text["DOB"][0] == "31/02/2015"
    assert table.typed["DOB"].null_count() == table.height
    assert table.typed["GNDR_CD"].null_count() == table.height, "a code outside its list says nothing"
    assert table.typed["YEAR_CODE"].null_count() == table.height


@pytest.mark.parametrize(
    "text", ["1/2/2020", "2020-02-30", "01/02/20", "43862", "30/02/2020", "01.02.2020", " 01/02/2020"]
)
def test_dates_have_one_shape(text):
    assert pl.DataFrame({"D": [text]}).select(as_dates("D")).item() is None


def test_empty_lines_and_line_breaks_in_cells_keep_the_count(tmp_path):
    path = tmp_path / "a.csv"
    names = [item.name for item in G.items("care_leaver")]
    rows = [",".join(names), '552,"A\nB",01/04/2022,,,,,', "", "552,C,01/04/2022,,,,,"]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    table = read_form(path, "care_leaver", G)
    assert table.lines.to_list() == [2, 5]
    assert table.text["SYSTEM_ID"].to_list() == ["A\nB", "C"]


def test_nothing_is_stripped_and_blank_is_null(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('LOCAL_AUTHORITY_CODE,SYSTEM_ID,DATE_CEASED\n552, A ,""\n', encoding="utf-8-sig")
    table = read_form(path, "care_leaver", G)
    assert table.text["SYSTEM_ID"].to_list() == [" A "]
    assert table.text["DATE_CEASED"].to_list() == [None]
    assert table.missing == ("ACCOM", "ACTIV", "CATEGORY_YP", "PATHWAY_PLAN", "PERSONAL_ADVISER")


def test_headings_are_reported_and_refused(folder):
    path = child_file(folder)
    path.write_text(path.read_text(encoding="utf-8").replace("GNDR_CD", "GENDR_CD", 1), encoding="utf-8")
    table = read_form(path, "child", G)
    assert table.unknown == ("GENDR_CD",)
    assert table.missing == ("GNDR_CD",)
    with pytest.raises(InputError, match=r"synthetic_cla_child.csv, line 1: heading 'GENDR_CD'.*GNDR_CD"):
        read_return(folder, "cla", G)


def test_a_missing_item_that_must_be_filled_is_refused(folder):
    write_form(good(2023)["child"].drop("DOB"), child_file(folder))
    with pytest.raises(InputError, match="no column for DOB"):
        read_return(folder, "cla", G)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"A,A\n1,2\n", "more than once"),
        (b"A,B\n1,2,3\n", "cannot be read"),
        (b"\xff\xfe\x00\n", "UTF-8"),
        (b"A,B\n\xe9,1\n", "UTF-8"),
    ],
)
def test_unreadable_files_are_named(tmp_path, content, said):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as problem:
        read_form(path, "child", G)
    assert "bad.csv" in str(problem.value)


def test_same_frame_same_bytes(tmp_path):
    frame = pl.DataFrame({"D": [dt.date(2020, 2, 1), None], "S": ["Siân, 11", ""]})
    write_form(frame, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == 'D,S\n01/02/2020,"Siân, 11"\n,\n'.encode()


def test_an_unwritable_place_is_told(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_form(pl.DataFrame({"A": ["1"]}), tmp_path / "none" / "a.csv")


class TestEpisodes:
    def test_keep_the_order_of_the_file(self):
        tables = good_tables(2023)
        assert tables.episodes["id"].to_list() == tables.text("episode")["SYSTEM_ID"].to_list()

    def test_know_their_neighbours(self):
        ben = good_tables(2023).episodes.filter(pl.col("id") == "C002")
        assert ben["prev_legal"].to_list() == [None, "V2", "C1"]
        assert ben["next_start"].to_list() == [dt.date(2022, 7, 12), dt.date(2022, 11, 1), None]
        assert ben["goes_on"].to_list() == [False, True, True]
        assert ben["first"].to_list() == [True, False, False]
        assert ben["last"].to_list() == [False, False, True]

    def test_do_not_depend_on_the_order_of_rows(self):
        tables = good_tables(2023)
        turned = tables.changed({"episode": tables.text("episode").reverse()})
        assert turned.episodes.drop("row", "period").equals(tables.episodes.reverse().drop("row", "period"))

    def test_count_runs_of_one_status(self):
        mei = good_tables(2023).episodes.filter(pl.col("id") == "C013")
        days = (mei["run_end"] - mei["run_start"]).dt.total_days().to_list()
        assert days == [2, 6, (dt.date(2023, 3, 31) - dt.date(2023, 1, 11)).days]

    def test_say_nothing_when_a_start_is_unreadable(self):
        tables = good_tables(2023)
        text = tables.text("episode").with_columns(
            EPISODE_START_DATE=pl.when(pl.col("EPISODE_NUMBER") == "2")
            .then(pl.lit("soon"))
            .otherwise("EPISODE_START_DATE")
        )
        ben = tables.changed({"episode": text}).episodes.filter(pl.col("id") == "C002")
        assert ben["last"].null_count() == ben["prev_end"].null_count() == ben["period"].null_count() == 3


def test_careers():
    careers = {row["id"]: row for row in good_tables(2023).careers.iter_rows(named=True)}
    assert careers["C001"]["open"]
    assert not careers["C006"]["open"], "short breaks do not count as looked after"
    assert not careers["C004"]["open"]
    assert careers["C001"]["period_start"] is None, "it began in an earlier return"
    assert careers["C003"]["period_start"] == dt.date(2023, 2, 5)
    assert careers["C005"]["first_adoptive"] == dt.date(2022, 9, 20)
    assert careers["C005"]["first_order"] == dt.date(2022, 8, 1)
