"""What the page on privacy claims of generated files: labelled, made of published figures, identifiers of nobody."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import synth
from synth.casefile.data import rows_of
from synth.guidance import load
from synth.learn.released import COUNT_STEP, STEP
from synth.manifest import file_digest
from synth.published import profiles_dir, published_files

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "explanation" / "privacy.md"
PACKAGE = Path(synth.__file__).parent
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
POSTCODE = r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}"
PUPIL = r"[A-HJ-NP-RT-Z][0-9]{12}"
RUN = """
import os, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def told(event, given):
    if event == "open" or event.startswith(("socket.", "subprocess.", "os.exec", "os.posix", "os.system", "urllib.")):
        named = event == "open" and isinstance(given[0], (str, bytes))
        path = os.path.abspath(os.fsdecode(given[0])) if named else ""
        os.write(log, f"{event}\\t{path}\\n".encode())
sys.addaudithook(told)
from synth.cli import main
main(sys.argv[2:], standalone_mode=False)
"""
"""Python tells the hook of every file it opens; the second process is split off with it."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a folder into which everything that belongs to one authority and year was written, and what was opened."""
    out = tmp_path_factory.mktemp("privacy")
    options = ["--people", "--extract", "sail", "--format", "parquet,xlsx,sqlite", "--quiet", "--out", str(out / "out")]
    words = ["generate", "--authorities", "Merthyr Tydfil", "--year", "2023", *options]
    (out / "tmp").mkdir()
    env = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(out / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", RUN, str(out / "log"), *words], env=env, check=True, capture_output=True)
    opened = [line.split("\t") for line in (out / "log").read_text("utf-8").splitlines()]
    return out, opened


@pytest.fixture(scope="module")
def year(run):
    return run[0] / "out" / "2023"


def table(path):
    return pl.read_csv(path, infer_schema=False)


# -- labelled ---------------------------------------------------------------------------------------------------------


def test_every_folder_says_that_it_is_synthetic(year):
    """Beside each file that leaves the program stands one that says so, or the folder above it holds one."""
    said = {
        year / "manifest.json": "statement",
        year / "datapackage.json": "description",
        year.parent / "sail_2023" / "about.json": "statement",
    }
    for path, key in said.items():
        assert "synthetic" in json.loads(path.read_bytes())[key], path
    assert "Every person in these files is synthetic" in (year / "people" / "README.md").read_text("utf-8")
    for folder in {path.parent for path in year.parent.rglob("*") if path.is_file()}:
        assert {year, year.parent / "sail_2023"} & {folder, *folder.parents}, folder


def test_files_that_can_say_so_in_themselves_do(year):
    for path in [*year.rglob("*.parquet"), *(year.parent / "sail_2023").glob("*.parquet")]:
        assert re.match("Every record (in this folder )?is synthetic", pl.read_parquet_metadata(path)["statement"]), (
            path
        )
    base = sqlite3.connect(year / "sqlite" / "synthetic.sqlite")
    made = [sql for name, sql in base.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            if "_codes_" not in name]  # fmt: skip
    base.close()
    assert len(made) == 6
    assert all("synthetic" in sql or "Invented" in sql for sql in made)
    for path in (year / "metadata" / "dictionary.html", year / "metadata" / "dcat.jsonld"):
        assert "synthetic" in path.read_text("utf-8"), path
    about = json.loads((year.parent / "sail_2023" / "about.json").read_bytes())["statement"]
    assert about.startswith(json.loads((year / "manifest.json").read_bytes())["statement"])
    assert (year.parent / "sail_2023" / "load.sql").read_text("utf-8").startswith("-- Every record is synthetic")


def test_a_form_alone_is_told_by_its_name_and_its_identifiers(year):
    for path in year.glob("*.csv"):
        assert path.name.startswith("synthetic_")
    for form in ("crcs", "cla_child", "cla_episode", "cla_adoption", "cla_care_leaver"):
        frame = table(year / f"synthetic_{form}.csv")
        assert frame["CHILD_CODE" if form == "crcs" else "SYSTEM_ID"].str.contains("^SYN[0-9A-HJKMNP-TV-Z]{7}$").all()


def test_persons_and_workers_of_the_folder_people_have_made_identifiers(year):
    for path in (year / "people").glob("*.csv"):
        for name in ("person_id", "related_person_id", "worker_id"):
            if path.stem != "slips" and name in (frame := table(path)).columns:
                assert frame[name].str.starts_with("SY").all(), path


def test_a_table_of_the_extract_alone_as_csv_carries_no_label(year):
    """A gap, which the page names: identifiers are encrypted, and columns are those of the real tables."""
    for path in (year.parent / "sail_2023").glob("SAIL*.csv"):
        assert "synthetic" not in path.read_text("utf-8").lower()
        assert "SYN" not in path.read_text("utf-8")


# -- published figures and nothing else -------------------------------------------------------------------------------


def test_the_profile_was_made_from_the_files_that_lie_beside_it(profile):
    files = (*published_files(profiles_dir() / "published"), profiles_dir() / "behaviour.json")
    assert profile.inputs == {path.name: file_digest(path)["sha256"] for path in files}
    assert not profile.learned


def test_every_published_figure_has_a_source_with_an_address():
    folder = profiles_dir() / "published"
    known = {row["source_id"] for row in table(folder / "sources.csv").iter_rows(named=True) if row["address"]}
    for name in ("cla_aggregates.csv", "crcs_aggregates.csv", "population.csv"):
        assert set(table(folder / name)["source_id"]) <= known, name


def test_no_data_file_of_the_package_holds_a_record():
    """No pupil number, full postcode, child's identifier or date as in the returns; dates are those of guidance."""
    records = re.compile(rf"\b({PUPIL}|{POSTCODE}|SYN[0-9A-Z]{{7}}|[0-9]{{2}}/[0-9]{{2}}/[0-9]{{4}})\b")
    files = [
        path
        for folder in (PACKAGE, profiles_dir())
        for path in folder.rglob("*")
        if path.suffix
        in {".csv", ".json", ".sql", ".txt", ".parquet", ".sqlite", ".xlsx", ".zip", ".gz", ".pkl", ".npz"}
    ]
    assert len(files) > 60
    assert {path.suffix for path in files} <= {".csv", ".json", ".sql", ".txt"}, "nothing packed"
    for path in files:
        assert not records.findall(path.read_text("utf-8")), path
    assert records.findall("542,SYN04AXG4F,Y675020610432,29/06/2005,CF47 4UH") != []


def test_generating_opens_nothing_but_the_package_its_libraries_and_its_own_output(run):
    out, opened = run
    own = (PACKAGE, profiles_dir(), out, Path(sys.prefix), Path(sys.base_prefix), Path(os.__file__).parent)
    system = ("/dev/", "/proc/", "/sys/", "/etc/", "/usr/")
    allowed = (*(f"{path.resolve()}/" for path in own), *(f"{path}/" for path in own), *system)
    files = {path for event, path in opened if event == "open" and path}
    assert str(profiles_dir() / "wales.json") in files, "the hook sees files"
    elsewhere = {path for path in files if not f"{path}/".startswith(allowed) and path not in sys.path}
    assert not {path for path in elsewhere if not Path(path).is_dir() and not path.endswith(".zip")}


def test_generating_reaches_no_network_and_starts_no_program(run):
    assert {event for event, _ in run[1]} <= {"open", "socket.__new__"}, "pairs of one process and its second half"


# -- identifiers, addresses, names ------------------------------------------------------------------------------------


def test_pupil_numbers_have_a_right_letter_and_a_school_number_below_1000(year):
    numbers = [text for text in table(year / "synthetic_crcs.csv")["UPN"] if text and re.fullmatch(PUPIL, text)]
    assert len(numbers) > 300
    for number in numbers:
        assert number[0] == LETTERS[sum(n * int(digit) for n, digit in enumerate(number[1:], start=2)) % 23]
        assert int(number[4:8]) < 1000


def test_postcodes_are_well_formed(year):
    for form, item in (
        ("crcs", "HOME_POSTCODE"),
        ("cla_child", "HOME_POSTCODE"),
        ("cla_episode", "PLACEMENT_POSTCODE"),
    ):
        found = table(year / f"synthetic_{form}.csv")[item].drop_nulls()
        assert len(found) > 100
        assert found.str.contains(f"^{POSTCODE}$").all()


def test_the_returns_hold_no_name_and_no_free_text(year):
    """Every cell is a code of its item's list, a number, a date, a postcode or an identifier."""
    for return_ in ("cla", "crcs"):
        guidance = load(return_, 2023)
        for form in guidance.forms:
            frame = table(year / f"synthetic_{form if form == return_ else f'{return_}_{form}'}.csv")
            for item in guidance.items(form):
                assert "NAME" not in item.name
                listed = {code.code for code in guidance.codes_by_set.get(item.code_set, ())}
                plain = rf"^([0-9]+|[0-9]{{2}}/[0-9]{{2}}/[0-9]{{4}}|{POSTCODE}|{PUPIL}|SYN[0-9A-Z]{{7}})$"
                odd = {text for text in frame[item.name].drop_nulls() if not re.match(plain, text)} - listed
                assert not odd, (form, item.name)


def test_names_are_drawn_from_separate_lists(year):
    """No list pairs a given name with a family name, so no pair of the file was taken from anywhere."""
    rows = [row for name in ("names.csv", "names_faker.csv") for row in rows_of(name)]
    listed = {part: {row["name"] for row in rows if row["part"] == part} for part in ("given", "family")}
    assert {row["part"] for row in rows} == set(listed)
    children = table(year / "people" / "children.csv")
    assert children.height > 500
    for names in children["given_names"]:
        assert names in listed["given"] or set(names.split()) <= listed["given"]


# -- uniqueness, as information ---------------------------------------------------------------------------------------


def test_uniqueness_of_records_is_as_the_page_says(world):
    form = world(2023, 1).forms["crcs"]
    born = pl.col("DATE_OF_BIRTH").str.to_date("%d/%m/%Y")
    form = form.with_columns(age=2023 - born.dt.year() - (born.dt.strftime("%m%d") > "0331").cast(pl.Int32))
    few = ["LOCAL_AUTHORITY_CODE", "age", "GENDER", "ETHNIC_ORIGIN_CODE"]
    text = PAGE.read_text("utf-8")
    for words, items in (
        ("authority, age, sex and ethnic group", few),
        ("the same and category of need", [*few, "CATEGORY_OF_NEED_CODE"]),
        ("authority, date of birth and sex", ["LOCAL_AUTHORITY_CODE", "DATE_OF_BIRTH", "GENDER"]),
    ):
        alone = form.group_by(items).len().filter(pl.col("len") == 1).height / form.height
        assert f"| {words} | {100 * alone:.0f} |" in text, (words, alone)


# -- the page ---------------------------------------------------------------------------------------------------------


def test_every_test_the_page_names_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text("utf-8")))
    code = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    files = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert len(named) > 15
    assert not {name for name in named - files if f"def {name}(" not in code}
    mine = set(re.findall(r"^def (test_\w+)\(", Path(__file__).read_text("utf-8"), re.MULTILINE))
    assert mine - named == {"test_every_test_the_page_names_exists", "test_the_page_gives_the_thresholds_of_learn"}


def test_the_page_gives_the_thresholds_of_learn():
    text = " ".join(PAGE.read_text("utf-8").split())
    assert f"counts rounded to {COUNT_STEP} and correlations to {STEP}" in text
