"""The Python interface: the children and bytes of the command line, as frames."""

import ast
import datetime as dt
import doctest
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

import synth
from synth.api import arguments
from synth.cli import main
from synth.errors import InputError, OutputError
from synth.fidelity.comparison import compare
from synth.fidelity.run import fidelity
from synth.files import FILES
from synth.geography.authorities import parse_authorities
from synth.guidance import RETURNS, load
from synth.main_job import DEFAULT_SEED
from synth.profile import load_profile
from synth.simulate import simulate_years
from synth.tables import write_form
from synth.validate import validate

ROOT = Path(__file__).parents[1]
SMALL = "Merthyr Tydfil"


def run(*words):
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(call, *said):
    """The call is refused in words of Python: no option of the command line is named."""
    with pytest.raises(InputError) as caught:
        call()
    assert not re.search(r"--[a-z]", str(caught.value))
    for text in said:
        assert text in str(caught.value)


@pytest.fixture(scope="module")
def made():
    """What makes years and panels, by name, and remembers them: examples ask for the same again and again."""
    found = {(2022, 2023, SMALL): (panel := synth.generate_panel(2022, 2023, SMALL)), (2023, SMALL): panel[2023]}

    def once(make):
        return lambda *given: found[given] if given in found else found.setdefault(given, make(*given))

    return {name: once(getattr(synth, name)) for name in ("generate", "generate_panel")}


@pytest.fixture
def made_once(made, monkeypatch):
    for name, make in made.items():
        monkeypatch.setattr(synth, name, make)


@pytest.fixture(scope="module")
def panel(made):
    return made["generate_panel"](2022, 2023, SMALL)


@pytest.fixture(scope="module")
def year(panel):
    return panel[2023]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The panel as the command line writes it."""
    out = tmp_path_factory.mktemp("cli")
    run("generate", "--authorities", SMALL, "--years", "2022-2023", "--out", out, "--quiet")
    return out


@pytest.fixture(scope="module")
def odd(year):
    """The year with some cells that rules find, and one that cannot be read."""
    episode = year.text["episode"].with_columns(
        pl.when(pl.int_range(pl.len()) < 3)
        .then(pl.lit("X9"))
        .otherwise("LEGAL_STATUS_CODE")
        .alias("LEGAL_STATUS_CODE"),
        pl.when(pl.int_range(pl.len()) == 5)
        .then(pl.lit("31/02/2020"))
        .otherwise("EPISODE_START_DATE")
        .alias("EPISODE_START_DATE"),
    )
    return replace(year, text={**year.text, "episode": episode})


# -- the names of the package -----------------------------------------------------------------------------------


def test_importing_synth_imports_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); import synth; "
        "new = {name for name in set(sys.modules) - before if not name.startswith('_')}; assert new == {'synth'}, new; "
        "assert set(synth.__all__) <= set(dir(synth)); assert 'polars' not in sys.modules; "
        "from synth import testing, errors, InputError; "
        "assert not {'polars', 'numpy', 'scipy', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_public_name_is_that_of_a_module():
    modules = {module.name for module in pkgutil.iter_modules(synth.__path__)}
    assert {"validate", "spoil", "fidelity"} <= modules
    assert modules & set(synth.__all__) == {"errors", "testing"}
    for name in modules - {"__main__"}:
        importlib.import_module(f"synth.{name}")
    assert callable(synth.generate)
    assert callable(synth.check)
    assert synth.errors.InputError is synth.InputError
    with pytest.raises(AttributeError, match="no attribute 'generat'"):
        _ = synth.generat


def test_type_checkers_see_what_is_imported_when_asked_for():
    tree = ast.parse(Path(synth.__file__).read_text("utf-8"))
    (split,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        name.name: node.module.removeprefix("synth.")
        for node in split.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if node.module != "synth"
    }
    assert seen == synth._HOMES
    assert {*seen, *synth._MODULES} == set(synth.__all__)


# -- the same children and bytes as the command line ------------------------------------------------------------


def test_written_bytes_are_those_of_the_command_line(panel, folders, tmp_path):
    assert panel.write(tmp_path) == [tmp_path / "2022", tmp_path / "2023"]
    for name in ("2022", "2023"):
        assert contents(tmp_path / name) == contents(folders / name)
    assert panel[2023].contents() == contents(folders / "2023")
    assert panel[2023].seed == DEFAULT_SEED
    assert panel[2023].manifest == json.loads((folders / "2023" / "manifest.json").read_text("utf-8"))


def test_every_argument_is_that_of_the_command_line(tmp_path):
    overlay = tmp_path / "overlay.json"
    name, parameter = next(
        (n, p) for n, p in load_profile().parameters.items() if p.value is not None and p.by_year is None
    )
    overlay.write_text(
        json.dumps({"format_version": 1, "overlay": True, "parameters": {name: {"value": parameter.value}}}), "utf-8"
    )
    run(
        "generate", "--authorities", SMALL, "--year", 2017, "--seed", 5, "--mode", "sampled", "--collection",
        "all-year", "--world", 3, "--profile", overlay, "--out", tmp_path / "cli", "--quiet",
    )  # fmt: skip
    made = synth.generate(2017, [SMALL], seed=5, mode="sampled", collection="all_year", world=3, profile=str(overlay))
    assert made.contents() == contents(tmp_path / "cli" / "2017")
    assert (made.seed, made.world, made.collection) == (5, 3, "all_year")
    assert synth.load(tmp_path / "cli" / "2017", profile=overlay).profile.name == made.profile.name == "wales + overlay"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (3, "3"),
        ("Caerdydd", "Cardiff"),
        (552, "Cardiff"),
        ("W06000015, Powys", "Cardiff,Powys"),
        (["Powys", "Cardiff"], "Cardiff,Powys"),
        ((512, "Ynys Mon", "552"), "512,552"),
        ({"Torfaen"}, "Torfaen"),
    ],
)
def test_authorities_may_be_named_in_many_ways(given, names):
    assert arguments.authorities_of(given) == parse_authorities(names)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"authorities": "Cardif"}, ["authorities: 'Cardif'", "did you mean Cardiff?"]),
        ({"authorities": 23}, ["authorities 23", "22 authorities"]),
        ({"authorities": []}, ["authorities is empty"]),
        ({"authorities": None}, ["authorities None", "a list of these"]),
        ({"year": 2031}, ["year 2031", "2017 to 2024"]),
        ({"year": "2023"}, ["year '2023'", "whole number"]),
        ({"seed": -1}, ["seed -1"]),
        ({"seed": 1.5}, ["seed 1.5", "whole number"]),
        ({"world": 0}, ["world 0"]),
        ({"world": 8193}, ["world 8193", "1 to 8,192"]),
        ({"mode": "exactly"}, ["mode 'exactly'", "'exact' or 'sampled'"]),
        ({"collection": "monthly"}, ["collection 'monthly'", "'census-date'"]),
    ],
)
def test_arguments_that_cannot_be_are_told_by_their_names(given, said):
    refused(lambda: synth.generate(**given), *said)


def test_a_panel_goes_forward():
    refused(lambda: synth.generate_panel(2023, 2022, SMALL), "first 2023, last 2022")
    refused(lambda: synth.generate_panel(2016, 2023, SMALL), "year 2016")
    refused(lambda: synth.Panel([]), "found none")


# -- frames -----------------------------------------------------------------------------------------------------


def test_frames_are_typed_as_the_guidance_says(year):
    kinds = {"date": pl.Date, "integer": pl.Int64}
    for return_ in RETURNS:
        g = load(return_, 2023)
        for form in g.forms:
            expected = {item.name: kinds.get(item.type, pl.String) for item in g.items(form)}
            assert dict(year.frames[form].schema) == expected
            assert getattr(year, form) is year.frames[form]
            assert year.frames[form].null_count().equals(year.text[form].null_count()), "everything could be read"
    assert list(year.frames) == list(FILES)
    assert year.postcodes.equals(year.text["postcodes"])
    starts = year.episode["EPISODE_START_DATE"]
    assert starts.dt.strftime("%d/%m/%Y").equals(year.text["episode"]["EPISODE_START_DATE"])
    assert starts.max() <= dt.date(2023, 3, 31)


def test_a_panel_stacks_its_years(panel):
    for form in FILES:
        if form != "postcodes":
            for number, year in panel.items():
                rows = panel.frames[form].filter(pl.col("year") == number).drop("year")
                assert_frame_equal(rows, year.frames[form])
    assert panel.postcodes["POSTCODE"].is_unique().all()
    assert set(panel.postcodes["POSTCODE"]) == {code for year in panel.values() for code in year.postcodes["POSTCODE"]}
    assert list(panel) == [2022, 2023]
    assert 2021 not in panel


def test_other_table_libraries_get_the_same_values(year):
    pandas, arrow = year.to_pandas(), year.to_arrow()
    assert list(pandas) == list(arrow) == list(FILES)
    for form, frame in year.frames.items():
        assert_frame_equal(pl.from_arrow(arrow[form]), frame)
        for column in frame:
            other = pandas[form][column.name]
            assert other.isna().tolist() == column.is_null().to_list()
            values = other.dropna().tolist()
            expected = column.drop_nulls().to_list()
            assert [v.date() for v in values] == expected if column.dtype == pl.Date else values == expected
    episode = pandas["episode"].dtypes.astype(str)
    assert episode["EPISODE_START_DATE"].startswith("datetime64")
    assert episode[["EPISODE_NUMBER", "LEGAL_STATUS_CODE"]].tolist() == ["Int64", "string"]


@pytest.mark.parametrize(("library", "extra"), [("pandas", "pandas"), ("pyarrow", "arrow")])
def test_a_missing_library_is_told_with_its_extra(year, monkeypatch, library, extra):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=rf'pip install "synth\[{extra}\]"'):
        getattr(year, f"to_{extra}")()


# -- what is asked of a year ------------------------------------------------------------------------------------


def same_report(one, other):
    assert one.outcomes == other.outcomes
    assert_frame_equal(one.findings, other.findings)
    assert sorted(one.files) == sorted(other.files)
    assert (one.year, one.first_year, one.exit_code, one.notes) == (
        other.year, other.first_year, other.exit_code, other.notes,
    )  # fmt: skip


def test_a_year_in_memory_is_checked_as_its_files_are(odd, panel, folders, tmp_path):
    for form in FILES:
        write_form(odd.text[form], tmp_path / FILES[form])
    report = odd.validate(last_year=panel[2022], strict=True)
    same_report(report, validate([tmp_path], last_year=[folders / "2022"], strict=True))
    assert report.findings.height >= 4
    same_report(odd.validate(), validate([tmp_path]))


def test_a_panel_in_memory_is_checked_as_its_folders_are(panel, folders):
    report = panel.validate(strict=True)
    same_report(report, synth.check(folders, strict=True))
    assert any(name.startswith("2023/") for name, _ in report.files)


def test_only_the_year_before_is_last_year(panel):
    refused(lambda: panel[2022].validate(last_year=panel[2023]), "last_year is 2023", "expected 2021")


def test_fidelity_is_that_of_the_folder(panel, folders, monkeypatch):
    beside = []

    def seen(this, before, *others):
        beside.append((this.year, before and before.year))
        return compare(this, before, *others)

    monkeypatch.setattr("synth.fidelity.run.compare", seen)
    report = panel.fidelity()[2023]
    of_folder = fidelity(folders / "2023", load_profile())
    assert report == replace(of_folder, folder="2023")
    assert report.known
    assert report.comparison.results
    assert beside == [(2022, None), (2023, 2022), (2023, 2022)]


def test_mistakes_are_those_of_the_command_line(year, folders, tmp_path):
    made = year.spoil(tmp_path / "mine", rules=["CLA053"], kinds=["gap"], rate={"CLA053": 0.005, "gap": 0.002}, seed=3)
    run(
        "spoil", folders / "2023", "--out", tmp_path / "cli", "--rules", "CLA053", "--kinds", "gap", "--rate",
        "CLA053=0.005", "--rate", "gap=0.002", "--seed", 3,
    )  # fmt: skip
    assert contents(tmp_path / "mine") == contents(tmp_path / "cli")
    assert made.counts().keys() == {"CLA053", "gap"}
    refused(lambda: year.spoil(tmp_path / "mine", rate=2), "rate 2", "between 0 and 1")
    refused(lambda: year.spoil(tmp_path / "mine", rules=["CLA999"]), "CLA999")


def test_a_year_shows_itself_in_a_few_words(panel, year):
    for shown in (repr(panel), repr(year)):
        assert len(shown) < 200
        assert SMALL in shown
        assert "synthetic" in shown
    assert f"{year.child.height} child" in repr(year)
    for page in (panel._repr_html_(), year._repr_html_()):
        assert len(page) < 3000
        assert f">{year.crcs.height}</td>" in page
        assert not any(child in page for child in year.child["SYSTEM_ID"])


# -- to disk and back -------------------------------------------------------------------------------------------


def test_what_was_written_can_be_loaded(panel, folders):
    year = synth.load(folders / "2023")
    assert year.contents() == panel[2023].contents()
    assert [area.name for area in year.authorities] == [SMALL]
    again = synth.load_panel(str(folders))
    assert {number: year.contents() for number, year in again.items()} == {n: y.contents() for n, y in panel.items()}
    assert_frame_equal(again.episode, panel.episode)


def test_a_partition_of_a_dataset_can_be_loaded(tmp_path, monkeypatch):
    lived = list(simulate_years(load_profile(), parse_authorities("Merthyr Tydfil,Ceredigion"), (2017,), DEFAULT_SEED))
    for place in ("synth.simulate", "synth.api.making"):
        monkeypatch.setattr(f"{place}.simulate_years", lambda *_, **__: iter(lived))
    run(
        "generate", "--authorities", "Merthyr Tydfil,Ceredigion", "--year", 2017, "--scale", 1, "--workers", 1,
        "--format", "parquet", "--by-authority", "--out", tmp_path / "worlds", "--quiet",
    )  # fmt: skip
    loaded = synth.load(tmp_path / "worlds" / "year=2017" / "world=0001")
    made = synth.generate(2017, ["Ceredigion", SMALL])
    assert loaded.contents() == made.contents()
    for name, frame in made.frames.items():
        assert_frame_equal(loaded.frames[name], frame)


def test_files_that_are_not_as_they_were_written_are_not_loaded(year, tmp_path):
    place = year.write(tmp_path)
    path = place / FILES["episode"]
    good = path.read_bytes()
    path.write_bytes(good.replace(b"C2", b"E1", 1))
    refused(lambda: synth.load(place), "synthetic_cla_episode.csv is not as it was written", "synth.check")
    path.unlink()
    refused(lambda: synth.load(place), "synthetic_cla_episode.csv: cannot be read")
    path.write_bytes(good)
    manifest = year.manifest
    del manifest["files"][FILES["adoption"]]
    (place / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    refused(lambda: synth.load(place), "names no synthetic_cla_adoption.csv")
    refused(lambda: synth.load(tmp_path), "has no manifest.json", "2023")
    refused(lambda: synth.load_panel(place), "holds no folder of a generated year")


def test_a_panel_is_of_the_same_children(panel, tmp_path):
    for number, seed in ((2022, 1), (2023, DEFAULT_SEED)):
        (tmp_path / str(number)).mkdir()
        for name, content in replace(panel[number], about={**panel[number].about, "seed": seed}).files().items():
            (tmp_path / str(number) / name).write_bytes(content)
    refused(lambda: synth.load_panel(tmp_path), "2022 and 2023 are not the same children", "seed")


def test_nothing_is_written_over_or_left_behind(year, odd, tmp_path):
    (tmp_path / "2023").mkdir()
    (tmp_path / "2023" / "mine.txt").write_text("mine")
    refused(lambda: year.write(tmp_path), "mine.txt", "another out")
    with pytest.raises(OutputError, match="does not pass its own check"):
        odd.write(tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["2023", "mine.txt"]


def test_anyones_files_are_checked(folders, tmp_path, odd):
    write_form(odd.text["episode"], tmp_path / "theirs.csv")
    report = synth.check(str(tmp_path / "theirs.csv"), last_year=[folders / "2022"], strict=True)
    assert report.exit_code == 1
    assert set(report.findings["file"]) == {"theirs.csv"}
    assert synth.check([tmp_path / "theirs.csv"], year=2022).year == 2022
    refused(lambda: synth.check(tmp_path / "nothing.csv"), "no such file")


# -- examples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["synth", *(f"synth.api.{n}" for n in ("forms", "year", "panel", "making", "reading"))],
)
def test_examples_of_docstrings_hold(name, made_once, panel, year, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"synth": synth, "year": year, "panel": panel}
    done = doctest.testmod(importlib.import_module(name), extraglobs=given)
    assert done.attempted
    assert not done.failed


def test_examples_of_the_readme_hold(made_once, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    section = (ROOT / "README.md").read_text("utf-8").partition("\n## From Python\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```pycon\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    example = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
    assert len(example.examples) > 8
    assert not doctest.DocTestRunner().run(example).failed
