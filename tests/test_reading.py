"""Reading anyone's files: whatever delimiter, encoding, kind or spelling, the same tables; damage is named."""

import datetime as dt
import io
import os
import struct
import time
import zipfile
import zlib
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.cli import main
from synth.errors import InputError
from synth.guidance import load
from synth.reading import apart, read_any
from synth.reading.apart import columns_of, shape_of
from synth.reading.archive import MAX_CELLS
from synth.reading.headings import recognise, wanted_shapes
from synth.reading.kinds import MAX_BYTES
from synth.reading.text import MAX_LINE
from synth.tables import as_dates
from synth.worked import good, write_good

CORPUS = Path(__file__).parent / "corpus"
FORMS = ("child", "episode", "adoption", "care_leaver", "crcs")
CHILD = good(2023)["child"]
LEAVER = "LOCAL_AUTHORITY_CODE,SYSTEM_ID,DATE_CEASED,ACCOM,ACTIV"


def as_csv(frame, delimiter=",", **options):
    return frame.write_csv(None, separator=delimiter, **options)


def said(path, **options):
    """The one message a path is refused with, within the time anybody waits for it."""
    began = time.perf_counter()
    with pytest.raises(InputError) as problem:
        read_any([path], **options)
    assert time.perf_counter() - began < 5
    message = str(problem.value)
    assert len(message) < 900
    return message


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestFolders:
    def test_generated_files_are_read_back(self, tmp_path):
        write_good(tmp_path, 2023)
        found = read_any([tmp_path])
        assert (found.year, found.notes) == (2023, ())
        assert set(found.forms) == set(FORMS)
        for form, table in found.forms.items():
            assert table.text.equals(good(2023)[form])
            assert table.files is None
            assert (table.unknown, table.missing) == ((), ())
            assert table.lines.to_list() == list(range(2, table.height + 2))

    @pytest.mark.parametrize("year", [2017, 2021, 2024])
    def test_every_year_is_known_by_its_own_code(self, tmp_path, year):
        write_good(tmp_path, year)
        found = read_any([tmp_path])
        assert found.year == year
        assert not any(table.missing or table.unknown for table in found.forms.values())

    def test_what_is_no_form_is_left_out(self, tmp_path):
        write_good(tmp_path, 2023)
        for name in ("manifest.json", "README.md", "synthetic_postcodes.csv", "answers.csv", ".hidden.csv", "x.png"):
            put(tmp_path, name, "A,B\n1,2\n")
        put(tmp_path, "report.csv", "A,B\n1,2\n")
        put(tmp_path, "spending.csv", "Month,Amount\nMay,2\n")
        put(tmp_path, "photo.csv", b"\xff\xd8\xff\xe0 picture")
        (tmp_path / "more").mkdir()
        write_good(tmp_path / "more", 2022)
        found = read_any([tmp_path])
        assert found.year == 2023
        assert [note.split(":")[1].strip() for note in found.notes] == ["photo.csv", "spending.csv"]

    def test_links_that_lead_out_are_not_followed(self, tmp_path):
        inside, outside = tmp_path / "a", tmp_path / "b"
        inside.mkdir()
        outside.mkdir()
        write_good(inside, 2023, returns=("crcs",))
        write_good(outside, 2023, returns=("cla",))
        (inside / "child.csv").symlink_to(outside / "synthetic_cla_child.csv")
        found = read_any([inside])
        assert set(found.forms) == {"crcs"}
        assert "leads out of a" in found.notes[0]

    def test_damage_in_a_form_is_never_passed_over(self, tmp_path):
        write_good(tmp_path, 2023)
        with (tmp_path / "synthetic_cla_child.csv").open("a") as stream:
            stream.write(",".join("x" * 20) + "\n")
        assert "synthetic_cla_child.csv, line" in said(tmp_path)

    def test_a_folder_of_something_else(self, tmp_path):
        assert "is empty" in said(tmp_path)
        put(tmp_path, "notes.txt", "hello")
        message = said(tmp_path)
        assert "holds notes.txt" in message
        assert "Left out: notes.txt" in message


class TestPuttingTogether:
    def test_rows_keep_their_file_and_line(self, tmp_path):
        for la, rows in CHILD.group_by("LOCAL_AUTHORITY_CODE", maintain_order=True):
            put(tmp_path, f"child_{la[0]}.csv", as_csv(rows))
        found = read_any(sorted(tmp_path.iterdir(), reverse=True))
        table = found.forms["child"]
        expected = CHILD.sort("LOCAL_AUTHORITY_CODE", descending=True, maintain_order=True)
        assert table.text.equals(expected)
        assert table.files.to_list() == [f"child_{la}.csv" for la in expected["LOCAL_AUTHORITY_CODE"]]
        for file in set(table.files):
            assert table.lines.filter(table.files == file).to_list() == list(range(2, 2 + (table.files == file).sum()))
        assert found.notes == ("The form child is put together from 2 files or sheets: child_552.csv, child_524.csv.",)

    def test_files_of_one_name_are_told_apart_by_their_folder(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            put(tmp_path / name, "child.csv", as_csv(CHILD))
        table = read_any([tmp_path / "a", tmp_path / "b" / "child.csv"]).forms["child"]
        assert table.files.unique().sort().to_list() == [str(tmp_path / n / "child.csv") for n in "ab"]

    def test_a_file_named_twice_is_read_once(self, tmp_path):
        path = put(tmp_path, "child.csv", as_csv(CHILD))
        found = read_any([tmp_path, path])
        assert found.forms["child"].height == CHILD.height
        assert "read once" in found.notes[0]

    def test_a_column_that_one_file_lacks_is_told(self, tmp_path):
        put(tmp_path, "a.csv", as_csv(CHILD))
        put(tmp_path, "b.csv", as_csv(CHILD.drop("UPN")))
        found = read_any([tmp_path])
        assert found.forms["child"].missing == ()
        assert "b.csv has no column UPN; read as blank." in found.notes


class TestHeadings:
    def test_unknown_and_missing_are_only_reported(self, tmp_path):
        frame = CHILD.drop("UPN").with_columns(pl.lit("x").alias("Team Name"), pl.lit("y").alias("upn?"))
        table = read_any([put(tmp_path, "a.csv", as_csv(frame))]).forms["child"]
        assert table.unknown == ("Team Name", "upn?")
        assert table.missing == ("UPN",)
        assert table.text["UPN"].null_count() == table.height

    def test_items_of_another_year_are_unknown(self, tmp_path):
        later = set(good(2023)["crcs"].columns) ^ set(good(2017)["crcs"].columns)
        path = put(tmp_path, "a.csv", as_csv(good(2023)["crcs"]))
        table = read_any([path], year=2017).forms["crcs"]
        assert set(table.unknown) | set(table.missing) == later

    @pytest.mark.parametrize("heading", ["dob", " DOB ", "DOB.", "Dob"])
    def test_a_heading_that_occurs_twice_is_refused(self, tmp_path, heading):
        path = put(tmp_path, "a.csv", as_csv(CHILD.with_columns(pl.lit("x").alias(f"{heading}!"))).replace("!", "", 1))
        assert "more than once (columns 5 and 13)" in said(path)

    def test_columns_without_heading_count_only_when_they_hold_something(self, tmp_path):
        body = f"{LEAVER},,\n552,A,01/04/2022,,,,\n"
        table = read_any([put(tmp_path, "a.csv", body)], year=2023).forms["care_leaver"]
        assert table.unknown == ()
        table = read_any([put(tmp_path, "a.csv", body + "552,B,01/04/2022,,,,x\n")], year=2023).forms["care_leaver"]
        assert table.unknown == ("column 7 without a heading",)

    def test_forms_that_fit_alike_need_a_name(self, tmp_path):
        other = good(2023)["episode"].drop(*CHILD.columns, strict=False).head(CHILD.height)
        both = as_csv(pl.concat([CHILD.head(other.height), other], how="horizontal"))
        path = put(tmp_path, "a.csv", both)
        assert "as well as" in said(path)
        assert set(read_any([path], form="episode").forms) == {"episode"}

    def test_a_form_may_be_named_where_little_is_there(self, tmp_path):
        path = put(tmp_path, "a.csv", "SYSTEM_ID;DOB\nC1;01/02/2010\n")
        message = said(path)
        assert "the nearest form, child, would need" in message
        table = read_any([path], form="child", year=2023).forms["child"]
        assert table.typed["DOB"].to_list() == [dt.date(2010, 2, 1)]

    def test_names_there_are_not(self, tmp_path):
        path = put(tmp_path, "a.csv", as_csv(CHILD))
        assert "the returns are cla, crcs" in said(path, return_="cin")
        assert "the forms are" in said(path, form="sheet")
        assert "no form 'child'" in said(path, return_="crcs", form="child")
        assert "no row of headings" in said(path, return_="crcs")

    def test_each_form_of_each_year_fits_itself_best(self):
        wanted = wanted_shapes(None, None)
        for return_ in ("cla", "crcs"):
            for year in range(2017, 2025):
                g = load(return_, year)
                for form in g.forms:
                    every = [item.name for item in g.items(form)]
                    always = [item.name for item in g.items(form) if item.required == "always"]
                    assert recognise(every, wanted, "x").form == recognise(always, wanted, "x").form == form


class TestYears:
    def test_the_most_common_code_of_all_files_wins(self, tmp_path):
        put(tmp_path, "a.csv", as_csv(CHILD.with_columns(YEAR_CODE=pl.lit("202122")).head(2)))
        put(tmp_path, "b.csv", as_csv(CHILD))
        assert read_any([tmp_path]).year == 2023
        assert read_any([tmp_path], year=2022).year == 2022

    def test_without_a_code_the_year_must_be_named(self, tmp_path):
        path = put(tmp_path, "a.csv", as_csv(good(2023)["care_leaver"]))
        assert "--year" in said(path)
        assert read_any([path], year=2023).year == 2023

    def test_codes_that_name_no_year(self, tmp_path):
        path = put(tmp_path, "a.csv", as_csv(CHILD.with_columns(YEAR_CODE=pl.lit("2023"))))
        assert "YEAR_CODE '2023' names no year" in said(path)
        path = put(tmp_path, "a.csv", as_csv(CHILD.with_columns(YEAR_CODE=pl.lit("203031"))))
        assert "2017 to 2024" in said(path)


cells = st.text(st.sampled_from('aB1 é"ŵ;,|\t\n/-'), max_size=6)


class TestText:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_any_delimiter_encoding_order_and_case_give_the_same(self, tmp_path, data):
        names = [item.name for item in load("cla", 2023).items("care_leaver")]
        rows = data.draw(st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), max_size=6))
        encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
        if encoding == "cp1252":
            rows = [[cell.replace("ŵ", "é") for cell in row] for row in rows]
        order = data.draw(st.permutations(range(len(names))))
        spell = data.draw(st.sampled_from([str.lower, str.title, lambda n: f" {n.replace('_', ' ')} ", str]))
        delimiter = data.draw(st.sampled_from(",;\t|"))
        feed = data.draw(st.sampled_from(["\n", "\r\n"]))
        banner = data.draw(st.sampled_from(["", "\n", "Return of the year\n\n"]))
        written = pl.DataFrame(
            [[row[n] for n in order] for row in rows],
            schema={spell(names[n]): pl.String for n in order},
            orient="row",
        )
        body = written.write_csv(None, separator=delimiter, line_terminator=feed)
        if data.draw(st.booleans()):
            body = body.removesuffix(feed)
        path = tmp_path / "form.data"
        path.write_bytes((banner + body).encode(encoding))
        table = read_any([path], year=2023).forms["care_leaver"]
        kept = [[cell or None for cell in row] for row in rows if any(row)]
        assert table.text.rows() == [tuple(row) for row in kept]
        lines, at = [], 2 + banner.count("\n")
        for row in rows:
            lines += [at] if any(row) else []
            at += 1 + sum(cell.count("\n") for cell in row)
        assert table.lines.to_list() == lines

    def test_lines_are_those_of_an_editor(self, tmp_path):
        body = f'{LEAVER}\r\n552,"A\r\nB",01/04/2022,,\r\n\r\n552,"C,D",01/04/2022,,\r\n,,,,\r\n552,E,,,'
        table = read_any([put(tmp_path, "a.csv", body)], year=2023).forms["care_leaver"]
        assert table.lines.to_list() == [2, 5, 7]
        assert table.text["SYSTEM_ID"].to_list() == ["A\r\nB", "C,D", "E"]

    def test_nothing_is_stripped_or_capitalised(self, tmp_path):
        path = put(tmp_path, "a.csv", f'{LEAVER}\n552, a ,"", k1,\n')
        table = read_any([path], year=2023).forms["care_leaver"]
        assert table.text.row(0)[1:4] == (" a ", None, " k1")

    def test_short_rows_are_blank_at_the_end_and_told(self, tmp_path):
        path = put(tmp_path, "a.csv", f"{LEAVER}\n552,A,01/04/2022,,\n552,B,01/04/2022\n552,C,01/0")
        found = read_any([path], year=2023)
        assert found.forms["care_leaver"].text["ACCOM"].null_count() == 3
        assert found.forms["care_leaver"].lines.to_list() == [2, 3, 4]
        assert "a.csv: 2 rows have fewer cells than the 5 headings, the first on line 3" in found.notes[0]

    def test_short_rows_are_not_hidden_by_blank_ones(self, tmp_path):
        path = put(tmp_path, "a.csv", f"{LEAVER}\n552,A,01/04/2022\n,,\n552,B,01/04/2022,,\n,,,,\n")
        assert (
            "one row has fewer cells than the 5 headings, the first on line 2" in read_any([path], year=2023).notes[0]
        )

    def test_what_a_short_row_lacks_is_not_made_up_for_by_a_blank_one(self, tmp_path):
        path = put(tmp_path, "a.csv", f'{LEAVER}\n\n\n552,"A,B",01/04/2022\n552,"C",,,\n"","",""\n')
        found = read_any([path], year=2023)
        assert "one row has fewer cells than the 5 headings, the first on line 4" in found.notes[0]
        assert found.forms["care_leaver"].lines.to_list() == [4, 5]

    def test_long_rows_are_refused_with_their_line(self, tmp_path):
        path = put(tmp_path, "a.csv", f'{LEAVER}\n552,"A\nB",01/04/2022,,\n552,C,01/04/2022,,,x\n')
        assert "a.csv, line 4: the row cannot be read: it has 6 cells, the headings are 5" in said(path, year=2023)

    def test_quotes_that_never_close_are_refused_with_their_line(self, tmp_path):
        rows = "552,C,01/04/2022,,\n" * 20_000
        for tail in ("", rows):
            path = put(tmp_path, "a.csv", f'{LEAVER}\n552,A,01/04/2022,,\n552,"B,01/04/2022,,\n552,C,,,\n{tail}')
            assert "a.csv, line 3" in said(path, year=2023)

    def test_quotes_inside_cells_are_letters(self, tmp_path):
        path = put(tmp_path, "a.csv", f'{LEAVER}\n552,5" A,01/04/2022,,\n552,x"y"z,01/04/2022,,\n')
        table = read_any([path], year=2023).forms["care_leaver"]
        assert table.text["SYSTEM_ID"].to_list() == ['5" A', 'x"y"z']

    def test_windows_text_is_told(self, tmp_path):
        late = "552,A,01/04/2022,,\n" * 60_000 + "552,Siân,01/04/2022,,\n"
        path = put(tmp_path, "a.csv", f"{LEAVER}\n{late}".encode("cp1252"))
        found = read_any([path], year=2023)
        assert found.forms["care_leaver"].text["SYSTEM_ID"][-1] == "Siân"
        assert "not UTF-8 (line 60002); read as Windows-1252" in found.notes[0]

    def test_old_line_ends_and_spreadsheet_hints(self, tmp_path):
        rows = f"{LEAVER}\n552,A,01/04/2022,,\n".replace(",", ";")
        for body in (rows.replace("\n", "\r"), f"sep=;\n{rows}"):
            table = read_any([put(tmp_path, "a.csv", body)], year=2023).forms["care_leaver"]
            assert table.text["SYSTEM_ID"].to_list() == ["A"]

    def test_names_with_brackets_are_names(self, tmp_path):
        path = put(tmp_path, "child [1]*.csv", as_csv(CHILD))
        assert read_any([path]).forms["child"].file == "child [1]*.csv"

    def test_headings_alone_are_a_form_without_rows(self, tmp_path):
        found = read_any([put(tmp_path, "a.csv", LEAVER)], year=2023)
        assert found.forms["care_leaver"].height == 0


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/02/2020", dt.date(2020, 2, 1)),
        ("2020-02-01", dt.date(2020, 2, 1)),
        ("2020-02-01 00:00:00", dt.date(2020, 2, 1)),
        ("2020-02-01T00:00:00.000", dt.date(2020, 2, 1)),
        ("2020-02-30", None),
        ("2020-02-01 10:00:00", None),
        ("43862", None),
        ("1/2/2020", None),
        (" 2020-02-01", None),
    ],
)
def test_dates(text, day):
    assert pl.DataFrame({"D": [text]}).select(as_dates("D")).item() == day


class TestWorkbooks:
    def book(self, path, sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(path)
        return path

    def typed_rows(self, form):
        """The rows of the good return as a spreadsheet holds them: real dates and numbers."""
        kinds = {item.name: item.type for item in load("crcs" if form == "crcs" else "cla", 2023).items(form)}
        frame = good(2023)[form]

        def cell(name, value):
            if value is None:
                return None
            if kinds[name] == "date":
                return dt.date(*(int(part) for part in reversed(value.split("/"))))
            return float(value) if value.isdigit() and not value.startswith("0") else value

        rows = [[cell(n, v) for n, v in zip(frame.columns, row, strict=True)] for row in frame.iter_rows()]
        return [frame.columns, *rows]

    def test_sheets_with_typed_cells_give_the_same_text(self, tmp_path):
        sheets = {form: self.typed_rows(form) for form in FORMS}
        sheets["Notes"] = [["Made by", "the team"], ["in", 2023]]
        found = read_any([self.book(tmp_path / "cla.data", sheets)])
        for form in FORMS:
            assert found.forms[form].text.equals(good(2023)[form]), form
            assert (
                found.forms[form]
                .typed.null_count()
                .equals(
                    read_any([self.book(tmp_path / "b.xlsx", {form: sheets[form]})], year=2023)
                    .forms[form]
                    .typed.null_count()
                )
            )
            assert found.forms[form].file == f"cla.data [{form}]"
            assert found.forms[form].lines[0] == 2
        assert len(found.notes) == 1
        assert "cla.data [Notes]: no row of headings" in found.notes[0]

    def test_rows_are_numbered_as_on_the_sheet(self, tmp_path):
        rows = [[], ["Return 2022-23"], [], [None, *LEAVER.lower().split(",")], [None, 552, "A", dt.date(2022, 4, 1)]]
        rows += [[], [None, "552", True, "2022-04-01", 1.5, 12]]
        table = read_any([self.book(tmp_path / "b.xlsx", {"S": rows})], year=2023).forms["care_leaver"]
        assert table.lines.to_list() == [5, 7]
        assert table.text.rows()[0][:3] == ("552", "A", "01/04/2022")
        assert table.text.rows()[1][:5] == ("552", "1", "2022-04-01", "1.5", "12")
        assert table.typed["DATE_CEASED"].to_list() == [dt.date(2022, 4, 1)] * 2
        assert table.unknown == ()

    def test_sheets_of_one_form_are_put_together(self, tmp_path):
        rows = self.typed_rows("child")
        path = self.book(tmp_path / "b.xlsx", {"Cardiff": rows, "Powys": rows[:2]})
        table = read_any([path]).forms["child"]
        assert table.height == CHILD.height + 1
        assert table.files[-1] == "b.xlsx [Powys]"

    def test_serial_numbers_and_times_are_no_dates(self, tmp_path):
        rows = [
            LEAVER.split(","),
            [552, "A", 44927],
            [552, "B", dt.datetime.combine(dt.date(2022, 4, 1), dt.time(12, 30))],
        ]
        table = read_any([self.book(tmp_path / "b.xlsx", {"S": rows})], year=2023).forms["care_leaver"]
        assert table.text["DATE_CEASED"].to_list() == ["44927", "01/04/2022 12:30:00"]
        assert table.typed["DATE_CEASED"].null_count() == 2

    def test_cells_with_errors_are_told(self, tmp_path):
        rows = [LEAVER.split(","), [552, "A", "#N/A"]]
        found = read_any([self.book(tmp_path / "b.xlsx", {"S": rows})], year=2023)
        assert found.forms["care_leaver"].text["DATE_CEASED"].to_list() == [None]
        assert "one cell holds an error" in found.notes[0]

    def test_headings_twice_or_none(self, tmp_path):
        rows = [[*LEAVER.split(","), "system id"], [552, "A"]]
        assert "b.xlsx [S], line 1" in said(self.book(tmp_path / "b.xlsx", {"S": rows}), year=2023)
        assert "the sheet is empty" in said(self.book(tmp_path / "b.xlsx", {"S": []}), year=2023)


class TestParquet:
    def test_text_and_typed_columns_give_the_same(self, tmp_path):
        frame = good(2023)["episode"]
        whole = frame.with_columns(
            pl.col("YEAR_CODE", "EPISODE_NUMBER").cast(pl.Int32),
            pl.col("LOCAL_AUTHORITY_CODE").cast(pl.Float64),
            as_dates("EPISODE_START_DATE").cast(pl.Datetime),
            as_dates("EPISODE_END_DATE"),
            pl.col("LEGAL_STATUS_CODE").cast(pl.Categorical),
        )
        for n, kind in enumerate((frame, whole)):
            kind.write_parquet(tmp_path / f"{n}.bin")
            table = read_any([tmp_path / f"{n}.bin"]).forms["episode"]
            assert table.text.equals(frame)
            assert table.lines.to_list() == list(range(1, frame.height + 1))

    def test_odd_columns(self, tmp_path):
        frame = good(2023)["crcs"].with_columns(LOOKED_AFTER_CHILD=pl.lit(value=True), Extra=pl.lit([1, 2]))
        frame.write_parquet(tmp_path / "a.parquet")
        table = read_any([tmp_path / "a.parquet"]).forms["crcs"]
        assert table.text["LOOKED_AFTER_CHILD"].unique().to_list() == ["1"]
        assert table.unknown == ("Extra",)
        frame.with_columns(GENDER=pl.lit([1, 2])).write_parquet(tmp_path / "a.parquet")
        assert "column GENDER: holds values of type List" in said(tmp_path / "a.parquet")

    def test_damage(self, tmp_path):
        CHILD.write_parquet(tmp_path / "a.parquet")
        content = (tmp_path / "a.parquet").read_bytes()
        for bad in (content[:-20], content[:40] + content[80:], b"PAR1" + bytes(100) + b"PAR1"):
            assert "cannot be read as Parquet" in said(put(tmp_path, "b.parquet", bad))

    def test_a_file_the_library_ends_its_process_over_is_told_and_the_next_is_read(self, tmp_path):
        CHILD.write_parquet(tmp_path / "a.parquet")
        assert "decoded in the memory there is" in said(CORPUS / "endless_levels.parquet")
        assert read_any([tmp_path / "a.parquet"]).forms["child"].text.height == CHILD.height

    def test_where_the_reading_process_was_ended_another_is_started(self, tmp_path):
        CHILD.write_parquet(tmp_path / "a.parquet")
        columns, rows = shape_of(tmp_path / "a.parquet")
        assert (list(columns), rows) == (CHILD.columns, CHILD.height)
        (process,) = apart._running
        process.process.kill()
        process.process.wait()
        assert columns_of(tmp_path / "a.parquet", ["YEAR_CODE"]).equals(CHILD.select("YEAR_CODE"))


def packed(members, **options):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture(scope="session")
def members():
    """What a workbook with the good children is made of, by member name."""
    stream = io.BytesIO()
    book = openpyxl.Workbook()
    for row in [CHILD.columns, *CHILD.rows()]:
        book.active.append(row)
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


SHEET = "xl/worksheets/sheet1.xml"
HEADER = as_csv(CHILD.clear())


class TestHostile:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "the file is empty"),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", "is a photograph (JPEG), no table"),
            (b"\x89PNG\r\n\x1a\n", "is a picture (PNG)"),
            (b"%PDF-1.7\n", "is a PDF document"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password or an old .xls"),
            (b"\x1f\x8b\x08\x00data", "gzip"),
            (b"<html><table><tr><td>A", "is a web page"),
            (b"PK\x03\x04 not a zip", "the workbook is damaged"),
            (b"PAR1", "cannot be read as Parquet"),
            (bytes(range(256)) * 10, "holds a NUL byte"),
            (b"\x01\x02binary" * 40, "holds byte 0x01"),
            (HEADER.encode() + b"202223,552\x00\n", "line 2: holds a NUL byte"),
            (HEADER.encode() + b"202223,552," + b"x" * MAX_LINE * 2, "line 2: the line has more than 1,000,000 bytes"),
            (HEADER.encode() + (b"2," * 11 + b"2\n") * 60_000 + b"\x00", "line 60002: holds a NUL byte"),
            (HEADER.encode() + b"202223,5\x8152\n", "cannot be read as UTF-8 or Windows-1252"),
            (HEADER.encode("utf-16") + b"\xd8", "cannot be read as UTF-16"),
            (b"\n\n\n", "holds no row of headings"),
            (b"hello", "no row of headings of a form"),
            (b'"' * 1000, "no row of headings"),
        ],
    )
    def test_files_are_refused_by_what_they_hold(self, tmp_path, content, expected):
        for name in ("child.csv", "child.xlsx"):
            message = said(put(tmp_path, name, content))
            assert expected in message
            assert name in message

    def test_a_file_that_is_one_line(self, tmp_path):
        path = tmp_path / "a.csv"
        with path.open("wb") as stream:
            for _ in range(200):
                stream.write(b"1,2,3,4,5," * 100_000)
        assert "line 1: the line has more than" in said(path)

    def test_a_file_of_many_gigabytes(self, tmp_path):
        path = put(tmp_path, "a.csv", HEADER)
        os.truncate(path, MAX_BYTES + 1)
        assert "at most 500 MB are read" in said(path)

    def test_paths_that_are_no_files(self, tmp_path):
        assert "there is no such file" in said(tmp_path / "nowhere.csv")
        os.mkfifo(tmp_path / "pipe.csv")
        assert "is a pipe, socket or device" in said(tmp_path / "pipe.csv")
        assert "no file of a return" in said(tmp_path)
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        assert "loop" in said(tmp_path / "loop")
        with pytest.raises(InputError, match="no file or folder"):
            read_any([])

    def test_a_file_that_may_not_be_read(self, tmp_path, monkeypatch):
        path = put(tmp_path, "a.csv", as_csv(CHILD))

        def refuse(self, *_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(path), "open", refuse)
        assert "cannot be opened (Permission denied)" in said(path)

    def test_the_good_workbook_is_read(self, tmp_path, members):
        assert read_any([put(tmp_path, "a.xlsx", packed(members))]).forms["child"].text.equals(CHILD)

    def test_archives_that_are_no_workbook(self, tmp_path, members):
        for names, expected in (
            ({"a.csv": "A"}, "is a ZIP archive but no .xlsx workbook (it holds a.csv)"),
            ({"word/document.xml": "<a/>"}, "is a text document (DOCX)"),
            ({"xl/workbook.bin": ""}, "binary workbook"),
            ({"mimetype": "", "content.xml": ""}, "OpenDocument"),
            (members | {"xl/vbaProject.bin": b"x"}, "holds macros"),
            ({"xl/workbook.xml": "<workbook/>"}, "the workbook cannot be read"),
            (members | {SHEET: b"<worksheet>"}, "is no XML"),
        ):
            assert expected in said(put(tmp_path, "a.xlsx", packed(names)))

    def test_damaged_archives(self, tmp_path, members):
        content = packed(members)
        assert "damaged or cut short" in said(put(tmp_path, "a.xlsx", content[:-30]))
        broken = bytearray(content)
        broken[len(content) // 3] ^= 0xFF
        assert "a.xlsx" in said(put(tmp_path, "a.xlsx", bytes(broken)))

    def test_bombs_that_tell_their_size(self, tmp_path, members):
        bomb = packed(members | {SHEET: bytes(60_000_000)}, compresslevel=9)
        assert "packed 1,0" in said(put(tmp_path, "a.xlsx", bomb))
        many = packed(members | {f"xl/{n}.xml": bytes(900_000) for n in range(500)}, compresslevel=1)
        assert "would unpack to 450 MB" in said(put(tmp_path, "a.xlsx", many))
        long_list = packed(members | {f"xl/{n:06d}.xml": b"" for n in range(20_000)})
        assert "its list of members has more than" in said(put(tmp_path, "a.xlsx", long_list))

    def test_bombs_that_lie_about_their_size(self, tmp_path, members):
        real, claimed = b"<a>" + b" " * 50_000_000, 5_000
        content = packed(members | {"xl/big.xml": real})
        packed_size = struct.unpack("<L", content[content.index(b"xl/big.xml") - 12 :][:4])[0]
        entry = struct.pack("<LLL", zlib.crc32(real), packed_size, len(real))
        lie = struct.pack("<LLL", zlib.crc32(real[:claimed]), packed_size, claimed)
        assert content.count(entry) == 2
        assert "larger than it declares" in said(put(tmp_path, "a.xlsx", content.replace(entry, lie)))

    def test_xml_with_entities(self, tmp_path, members):
        evil = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><worksheet>&b;</worksheet>'
        assert "declares a document type" in said(put(tmp_path, "a.xlsx", packed(members | {SHEET: evil})))
        wide = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16")
        assert "declares a document type" in said(put(tmp_path, "a.xlsx", packed(members | {SHEET: wide})))

    @pytest.mark.parametrize("cell", ['<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', None])
    def test_a_cell_that_lies_far_out(self, tmp_path, members, cell):
        if cell is None:
            cell = "<row>" + "<c><v>1</v></c>" * 5_000 + "</row>" + "<row/>" * 2_000 + "<row><c><v>1</v></c></row>"
        sheet = members[SHEET].replace(b"</sheetData>", f"{cell}</sheetData>".encode())
        message = said(put(tmp_path, "a.xlsx", packed(members | {SHEET: sheet})))
        assert f"at most {MAX_CELLS:,} cells are read" in message

    def test_empty_cells_far_out_do_no_harm(self, tmp_path, members):
        cell = b'<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
        sheet = members[SHEET].replace(b"</sheetData>", cell)
        found = read_any([put(tmp_path, "a.xlsx", packed(members | {SHEET: sheet}))])
        assert found.forms["child"].text.equals(CHILD)

    def test_the_command_line_tells_it_in_one_message(self, tmp_path):
        path = put(tmp_path, "photo.csv", b"\xff\xd8\xff\xe0")
        outcome = CliRunner().invoke(main, ["validate", str(path)])
        assert outcome.exit_code == 2
        assert "photo.csv" in outcome.output
        assert "Traceback" not in outcome.output
