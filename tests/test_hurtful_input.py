"""Small files that hurt: each is read or refused in one message that says where, and no command trips over it."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.cli.words import LONGEST, legible
from synth.documents import json_of
from synth.errors import GuidanceError, InputError, ProfileError
from synth.files import check_place
from synth.geography.authorities import parse_authorities
from synth.guidance.read import refuse
from synth.profile import load_profile
from synth.profile.ranges import out_of_range
from synth.profile.text import profile_text
from synth.reading import read_any
from synth.reading.dataset import dataset_among, open_dataset
from synth.show.folder import year_of

CORPUS = Path(__file__).parent / "corpus"

FORMS = {
    "bidi_heading.csv": "4 rows have fewer cells than the 13 headings",
    "bomb.xlsx": "packed 920 times smaller than it is",
    "cut.parquet": "cannot be read as Parquet",
    "cut.xlsx": "not a zip file",
    "ebcdic.csv": "no row of headings of a form",
    "endless_levels.parquet": "cannot be decoded in the memory there is",
    "entities.xlsx": "declares a document type or entities",
    "escape.csv": "escape.csv, line 2: holds byte 0x1b",
    "far_cell.xlsx": "reach row 1,048,576 and column 16,384",
    "formulas.csv": "",
    "good_child.csv": "",
    "heading_twice.csv": "line 1: heading 'YEAR_CODE' stands more than once",
    "last_day.parquet": "out-of-range date",
    "lists.parquet": "column LOCAL_AUTHORITY_CODE: holds values of type List",
    "long_row.csv": "line 6: the row cannot be read: it has 15 cells",
    "macros.xlsx": "holds macros",
    "no_column.xlsx": "reach row 99,999,999,999,999,999,999",
    "not_xml.xlsx": "'xl/workbook.xml' is no XML",
    "nul.csv": "nul.csv, line 6: holds a NUL byte",
    "unclosed_quote.csv": "line 2: the row cannot be read",
    "utf16_cut.csv": "utf16_cut.csv, line 5: byte 0x0a",
    "wrong_number.xlsx": "",
    "zeros.parquet": "cannot be read as Parquet",
}
READ = {"bidi_heading.csv", "formulas.csv", "good_child.csv", "wrong_number.xlsx"}
OVERLAYS = {
    "overlay_deep.json": "nested too deep",
    "overlay_endless_number.json": "99999999999999999999... has 5,000 digits",
    "overlay_huge_number.json": "parameters.household.newborn_share.care: a number of very many digits is not a finite",
    "overlay_key_twice.json": "the key 'overlay' stands twice",
    "overlay_lists_in_bounds.json": "parameters.household.sibling_gap_days: the value has another shape",
    "overlay_nan.json": "nan is not a finite number",
    "overlay_surrogate.json": r"\ud800 is half of a letter",
    "overlay_utf16.json": "byte 0xff at position 0 is no UTF-8",
}
MANIFESTS = {
    "manifest_deep.json": "nested too deep",
    "manifest_infinite.json": "1e999 is not a finite number",
    "manifest_latin.json": "byte 0xe9",
    "manifest_outside.json": "partition 'year=2023/../../etc'",
    "manifest_surrogate.json": r"\ud800 is half of a letter",
}


def synth(*given):
    """Run a command; return its exit code, what it printed and its message."""
    result = CliRunner().invoke(main, [str(word) for word in given], prog_name="synth")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def dataset(folder, manifest):
    (folder / "year=2023" / "world=0001").mkdir(parents=True)
    shutil.copy(CORPUS / manifest, folder / "manifest.json")
    return folder


def test_every_file_of_the_corpus_has_its_test():
    assert {path.name for path in CORPUS.iterdir()} == {*FORMS, *OVERLAYS, *MANIFESTS, "manifest_good.json"}
    assert sum(path.stat().st_size for path in CORPUS.iterdir()) < 200_000


@pytest.mark.parametrize("name", FORMS)
def test_forms(name):
    if name in READ:
        found = read_any([CORPUS / name])
        assert found.forms["child"].height > 0
        assert FORMS[name] in " ".join(found.notes)
    else:
        with pytest.raises(InputError) as problem:
            read_any([CORPUS / name])
        assert name in str(problem.value)
        assert FORMS[name] in str(problem.value)


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlays(name):
    with pytest.raises(ProfileError) as problem:
        load_profile(CORPUS / name)
    assert name in str(problem.value)
    assert OVERLAYS[name] in str(problem.value)
    assert len(str(problem.value)) < 1000


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests_of_datasets(tmp_path, name):
    root = dataset(tmp_path, name)
    assert dataset_among([root]) == root
    with pytest.raises(InputError, match="did not write"):
        check_place(root.parent, root)
    with pytest.raises(InputError) as problem:
        open_dataset(root)
    assert "manifest.json" in str(problem.value)
    assert MANIFESTS[name] in str(problem.value)


def test_the_good_manifest_is_read(tmp_path):
    assert open_dataset(dataset(tmp_path, "manifest_good.json")).years == (2023,)


@pytest.mark.parametrize("content", [b"[" * 5000, b"1e999", b"NaN", b"-Infinity", b"9" * 5000, b"\xff", b"{", b""])
def test_json_is_refused_as_one_kind_of_error(content):
    with pytest.raises(ValueError):
        json_of(content)


def test_json_is_read_as_it_stands():
    assert json_of(b'{"a": [1, 2.5, null, "\\u00e9"]}') == {"a": [1, 2.5, None, "é"]}


def test_what_a_file_holds_is_shown_by_its_sign():
    assert legible("a\x1b[31m\u202eb\x85\ud800\nc é") == "a\\x1b[31m\\u202eb\\x85\\ud800\nc é"
    assert len(legible("x" * 100_000, LONGEST)) < LONGEST + 100
    assert len(legible("x" * 100_000)) == 100_000


@pytest.mark.parametrize("kind", ["csv", "spoil"])
def test_formulas_are_harmless_in_what_is_written_again(tmp_path, kind):
    out = tmp_path / "new"
    what = ("convert", "--format", "csv") if kind == "csv" else ("spoil", "--rate", "0.5")
    code, said, _ = synth(*what, CORPUS / "formulas.csv", "--out", out)
    assert code == 0
    assert "formulas.csv, line 2" in said
    assert "led by an apostrophe" in said
    texts = [pl.read_csv(path, infer_schema=False) for path in out.rglob("*.csv")]
    cells = [cell for text in texts for column in text.iter_columns() for cell in column if cell]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell[0] in "=@\t\r"]


def test_a_form_alone_is_spoilt_without_episodes(tmp_path):
    code, said, _ = synth("spoil", CORPUS / "good_child.csv", "--out", tmp_path / "new", "--kinds", "gap,overlap")
    assert code == 0
    assert "gap: 0 of" in said or "overlap: 0 of" in said


def test_a_life_is_shown_without_obeying_its_cells(tmp_path):
    content = (CORPUS / "good_child.csv").read_text("utf-8").splitlines()
    cells = content[1].split(",")
    cells[content[0].split(",").index("GNDR_CD")] = "\x1b]0;x\u202e"
    content[1] = ",".join(cells)
    (tmp_path / "synthetic_cla_child.csv").write_text("\n".join(content) + "\n", "utf-8")
    code, said, told = synth("show", "--random", "5", "--from", tmp_path)
    assert code in {0, 2}
    assert not set("\x1b\u202e") & {*said, *told}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("generate", "--years", "1-99999999999"), "a year has four digits"),
        (("generate", "--years", "2017-" + "9" * 5000), "a year has four digits"),
        (("generate", "--authorities", "²", "--year", "2023"), "'²'"),
        (("show", "--from", "a" * 300, "X"), "File name too long"),
        (("tables", "a" * 300), "File name too long"),
        (("validate", "nowhere\x1b[2J\u202e.csv"), "nowhere\\x1b[2J\\u202e.csv"),
        (("rules", "x" * 50_000), "letters left out"),
        (("show", "--from", "nowhere", "--random", "\x1b[2J"), "\\x1b[2J"),
    ],
)
def test_arguments_are_refused_in_one_message(given, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, told = synth(*given)
    assert code == 2
    assert says in told
    assert not list(tmp_path.iterdir())


def test_memory_that_runs_out_is_told(monkeypatch):
    def without(*_, **__):
        raise MemoryError

    monkeypatch.setattr("synth.reading.dataset.dataset_among", without)
    code, _, told = synth("validate", CORPUS)
    assert code == 70
    assert "Memory ran out" in told


def test_digits_that_are_none_are_no_numbers(tmp_path):
    with pytest.raises(InputError, match="²"):
        parse_authorities("²")
    with pytest.raises(InputError, match="YEAR_CODE"):
        year_of({"child": pl.DataFrame({"YEAR_CODE": ["²02223"]})}, tmp_path)


def test_bounds_of_another_shape_are_no_reason_to_fail():
    assert out_of_range([[1], 2], "days") is None
    assert "falls" in out_of_range([3, 2], "days")
    assert "not a finite number" in out_of_range(10**400, "days")


def test_levels_no_memory_would_hold_are_refused(tmp_path):
    level = {"kind": "looked_after", "authority": "552", "year": 2023, "value": 10**12}
    path = tmp_path / "overlay.json"
    path.write_text(json.dumps({"format_version": 1, "overlay": True, "levels": [level]}), "utf-8")
    with pytest.raises(
        ProfileError, match=r"levels\[0\]\.value: found 1000000000000; .* less than or equal to 1000000"
    ):
        load_profile(path)
    path.write_text(path.read_text("utf-8").replace(str(10**12), '50, "high": 1e90'), "utf-8")
    assert "assumed" in profile_text(load_profile(path), 2023)


def test_long_cells_of_the_guidance_are_cut():
    with pytest.raises(GuidanceError) as problem:
        refuse("items.csv", 3, "name", repr("x" * 40_000), "a name")
    assert len(str(problem.value)) < 400
    assert "items.csv, line 3, column name" in str(problem.value)


def test_the_corpus_is_json_where_it_says_so():
    assert json.loads((CORPUS / "manifest_good.json").read_bytes())["worlds"] == 2
