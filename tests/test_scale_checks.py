"""Datasets of many worlds checked and held against published figures, partition by partition."""

import csv
import gc
import hashlib
import io
import json
import math
import shutil
import weakref
import xml.etree.ElementTree as ET
from dataclasses import replace

import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.fidelity.folders import read_year, year_before
from synth.fidelity.run import fidelity
from synth.fidelity.worlds import fidelity_of_worlds
from synth.reading.dataset import open_dataset
from synth.reading.whole import check_whole
from synth.scale import Folder, Job, Plan, make_dataset
from synth.validate import Report, formats, panel, validate, validate_dataset
from synth.validate.joining import Joining, first_findings

LATER = "year=2023/world=0002"
YEARS = (2022, 2023)


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def whole(two_years_of_worlds):
    """Two years of three worlds as CSV; looked at only."""
    return two_years_of_worlds


@pytest.fixture(scope="module")
def split(profile, tmp_path_factory):
    """The first two worlds of the later year as Parquet, a folder for each authority."""
    root = tmp_path_factory.mktemp("checks") / "split"
    plan = Plan(codes=("520", "534"), years=(2023,), worlds=2, seed=4, form="parquet", by_authority=True)
    make_dataset(Job(plan, profile, Folder(root)))
    return root


@pytest.fixture
def dataset(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "worlds")


def sign(root, partition):
    """Write the hashes of a partition and of its manifest anew."""
    path = root / partition / "manifest.json"
    told = json.loads(path.read_text("utf-8"))
    for name, file in told["files"].items():
        file["sha256"] = hashlib.sha256((root / partition / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(told), "utf-8")
    whole = json.loads((root / "manifest.json").read_text("utf-8"))
    whole["partitions"][partition]["manifest_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (root / "manifest.json").write_text(json.dumps(whole), "utf-8")


def plant(root, partition, file, **cells):
    """Write other cells into the first row of a file."""
    path = root / partition / file
    parquet = path.suffix == ".parquet"
    form = pl.read_parquet(path, hive_partitioning=False) if parquet else pl.read_csv(path, infer_schema=False)
    row = pl.int_range(pl.len()) == 0
    form = form.with_columns(
        pl.when(row).then(pl.lit(text)).otherwise(name).alias(name) for name, text in cells.items()
    )
    if parquet:
        form.write_parquet(path)
    else:
        form.write_csv(path, line_terminator="\n")
    sign(root, partition)


def test_good_worlds_pass_with_no_more_than_two_years_in_memory(whole, monkeypatch):
    held, most = [], 0
    read = panel.read_any

    def spy(paths, **how):
        nonlocal most
        found = read(paths, **how)
        held.extend(weakref.ref(table.typed) for table in found.forms.values())
        gc.collect()
        most = max(most, sum(form() is not None for form in held))
        return found

    monkeypatch.setattr(panel, "read_any", spy)
    report = validate_dataset(whole, strict=True)
    assert len(held) == 6 * 5
    assert most <= 2 * 5
    assert report.ok, report.to_text()
    assert (report.worlds, report.span) == (3, "202122 to 202223")
    rows = json.loads((whole / "manifest.json").read_text())["rows"]
    assert sum(count for _, count in report.files) == sum(rows.values()) - rows["postcodes"]
    # Each year stands beside the one before.
    assert not [outcome for outcome in report.outcomes if "last year" in outcome.why]
    assert report.to_text().startswith("Year 202122 to 202223, 3 worlds: synthetic_cla_child.csv (")


@pytest.fixture(scope="module")
def spoilt(whole, tmp_path_factory):
    """A mistake in one row of one year of one world, and one in every world of the year before."""
    root = shutil.copytree(whole, tmp_path_factory.mktemp("checks") / "spoilt")
    plant(root, LATER, "synthetic_cla_child.csv", GNDR_CD="7")
    for world in (1, 2, 3):
        plant(root, f"year=2022/world=000{world}", "synthetic_crcs.csv", GENDER="7")
    return root


@pytest.fixture(scope="module")
def found(spoilt):
    return validate_dataset(spoilt, strict=True)


def test_mistakes_are_found_and_located(spoilt, found):
    assert found.exit_code == 1
    text = found.to_text()
    assert "in 1 of 3 worlds, 2023; most in world=0002 (1)" in text
    assert f"  {LATER}/synthetic_cla_child.csv line 2, child 520/" in text
    assert "in 3 of 3 worlds, 2022; most in world=0001 (" in text
    alone = validate([spoilt / LATER], last_year=[spoilt / "year=2022/world=0002"], strict=True)
    here = found.findings.filter(pl.col("file").str.starts_with(LATER))
    assert here["file"].str.strip_prefix(f"{LATER}/").to_list() == alone.findings["file"].to_list()
    assert here.drop("file").rows() == alone.findings.drop("file").rows()


def test_years_of_a_world_stand_beside_each_other(dataset):
    path = dataset / LATER / "synthetic_cla_episode.csv"
    before = (dataset / "year=2022/world=0002/synthetic_cla_episode.csv").read_text("utf-8").splitlines()[1:]
    stays = next(row.split(",")[2] for row in before if not row.split(",")[10])
    path.write_text("".join(x for x in path.read_text("utf-8").splitlines(keepends=True) if stays not in x), "utf-8")
    sign(dataset, LATER)
    report = validate_dataset(dataset, strict=True)
    missing = report.findings.filter(pl.col("rule") == "CLA070")
    assert missing["file"].to_list() == [f"{LATER}/synthetic_cla_episode.csv"]
    assert stays in missing["value"][0]


def test_what_is_found_does_not_depend_on_processes(spoilt, found):
    assert formats.to_json(validate_dataset(spoilt, strict=True, workers=2)) == formats.to_json(found)
    everywhere = next(spread.rule for spread in found.spreads if spread.worlds == 3)
    files = found.findings.filter(pl.col("rule") == everywhere)["file"].unique(maintain_order=True)
    assert files.to_list() == [f"year=2022/world=000{world}/synthetic_crcs.csv" for world in (1, 2, 3)]


def test_parquet_by_authority_gives_what_csv_gives(dataset, split, tmp_path):
    root = shutil.copytree(split, tmp_path / "parquet")
    plant(dataset, LATER, "synthetic_crcs.csv", GENDER="7")
    plant(root, LATER, "authority=520/synthetic_crcs.parquet", GENDER="7")
    text, typed = validate([dataset / LATER]), validate([root / LATER])
    assert text.outcomes == typed.outcomes
    assert text.findings.height
    assert text.findings.drop("file", "line").rows() == typed.findings.drop("file", "line").rows()
    assert typed.findings["file"][0] == "authority=520/synthetic_crcs.parquet"
    assert typed.files[-1][0] == "authority=*/synthetic_crcs.parquet"
    assert not typed.notes
    worlds = validate_dataset(root)
    here = worlds.findings.filter(pl.col("file").str.starts_with(LATER))
    assert here.with_columns(pl.col("file").str.strip_prefix(f"{LATER}/")).rows() == typed.findings.rows()


def test_every_format_tells_of_all_worlds(spoilt, found):
    result = run("validate", spoilt, "--strict", "--format", "csv", "--workers", 1)
    assert result.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert sorted((row["file"], row["rule"]) for row in rows) == sorted(found.findings.select("file", "rule").rows())
    few = first_findings(found, 1)
    told = json.loads(formats.to_json(few))
    assert (told["worlds"], told["first_year"], told["year"], told["exit_code"]) == (3, 2022, 2023, 1)
    assert {spread["worlds"] for spread in told["spreads"]} == {1, 3}
    assert sum(outcome["count"] for outcome in told["outcomes"]) == len(rows) > len(told["findings"])
    assert "The first 1 findings of each rule are listed; --format csv lists them all." in told["notes"]
    assert few.headline()[1] == found.headline()[1]
    suite = ET.fromstring(formats.to_junit(few))
    assert [
        case for case in suite.iter("failure") if "(in 3 of 3 worlds, 2022; most in world=" in case.attrib["message"]
    ]
    assert "<p>Found in 1 of 3 worlds, 2023; most in world=0002 (1).</p>" in formats.to_html(few)
    assert "  and 2 more" in few.to_text()
    assert few.to_text(0).count("line 2, child") == 0


def spoil_hash(root):
    told = json.loads((root / "manifest.json").read_text())
    told["partitions"][LATER]["manifest_sha256"] = "0" * 64
    (root / "manifest.json").write_text(json.dumps(told))


def drop(key):
    def dropped(root):
        told = json.loads((root / "manifest.json").read_text())
        del told[key]
        (root / "manifest.json").write_text(json.dumps(told))

    return dropped


def outside(root):
    told = json.loads((root / "manifest.json").read_text())
    told["partitions"]["../world=0009"] = {"rows": 1, "manifest_sha256": ""}
    (root / "manifest.json").write_text(json.dumps(told))


def rename(root):
    manifest = json.loads((root / LATER / "manifest.json").read_text())
    manifest["files"]["../../../secret.csv"] = manifest["files"].pop("synthetic_crcs.csv")
    (root / "secret.csv").write_text("")
    (root / LATER / "manifest.json").write_text(json.dumps(manifest))
    told = json.loads((root / "manifest.json").read_text())
    told["partitions"][LATER]["manifest_sha256"] = hashlib.sha256(
        (root / LATER / "manifest.json").read_bytes()
    ).hexdigest()
    (root / "manifest.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda root: shutil.rmtree(root / LATER), f"{LATER} is missing; expected "),
        (lambda root: (root / LATER / "manifest.json").unlink(), f"{LATER}/manifest.json is missing."),
        (
            lambda root: (root / LATER / "manifest.json").write_text("{"),
            f"{LATER}/manifest.json is not as it was written",
        ),
        (spoil_hash, "expected 000000000000..."),
        (lambda root: (root / LATER / "synthetic_crcs.csv").unlink(), f"{LATER}/synthetic_crcs.csv is missing."),
        (
            lambda root: (root / LATER / "synthetic_crcs.csv").write_text("LOCAL_AUTHORITY_CODE\n"),
            f"{LATER}/synthetic_crcs.csv is not as it was written: SHA-256 ",
        ),
        (lambda root: (root / LATER / "notes.txt").touch(), f"{LATER}/notes.txt is there, but not named"),
        (lambda root: (root / "year=2023/world=0004").mkdir(), "year=2023/world=0004 is there, but not named"),
        (lambda root: (root / "thesis.docx").touch(), "thesis.docx is there, but not named"),
        (rename, f"{LATER}/manifest.json names '../../../secret.csv'; expected a form such as synthetic_crcs.csv"),
        (outside, "partition '../world=0009'; expected a name such as year=2023/world=0001"),
        (drop("worlds"), "manifest.json: worlds is missing or is no int"),
        (lambda root: (root / "manifest.json").write_text("{"), "cannot be read as JSON"),
        (lambda root: (root / "manifest.json").unlink(), "has no manifest.json: the dataset was not finished"),
    ],
)
def test_what_is_not_whole_is_named_and_nothing_else_is_said(dataset, profile, harm, said):
    harm(dataset)
    result = run("validate", dataset, "--format", "csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert str(dataset) in result.stderr
    with pytest.raises(InputError) as told:
        fidelity_of_worlds(dataset, profile)
    assert result.stderr == f"synth: {told.value}\n"


def test_a_file_that_cannot_be_read_is_named_with_its_partition(dataset, profile):
    with (dataset / LATER / "synthetic_crcs.csv").open("a") as file:
        file.write("520" + 50 * ",a cell too many" + "\n")
    sign(dataset, LATER)
    for check in (validate_dataset, lambda root: fidelity_of_worlds(root, profile)):
        with pytest.raises(InputError, match=rf"^{LATER}: synthetic_crcs\.csv, line"):
            check(dataset)


def test_a_note_on_one_world_names_it_and_one_on_all_is_said_once():
    joining = Joining()
    for world, said in (("world=0001", ()), ("world=0002", ("a short row",)), ("world=0003", ())):
        notes = tuple(f"year=2023/{world}: {note}" for note in ("a projection", *said))
        joining.add(Report(2023, (), (), pl.DataFrame(), notes), world)
    assert joining.report().notes == (
        "year=2023: a projection",
        "year=2023: a short row (in 1 of 3 worlds, first world=0002)",
    )


def test_hidden_files_may_stand_anywhere(dataset):
    for place in ("", "year=2023", LATER):
        (dataset / place / ".DS_Store").touch()
    check_whole(open_dataset(dataset))


def test_many_mistakes_are_told_in_part_with_what_to_do(dataset):
    for path in dataset.glob("year=*/**/*.csv"):
        path.unlink()
    with pytest.raises(InputError) as told:
        check_whole(open_dataset(dataset))
    lines = str(told.value).splitlines()
    assert len(lines) == 8
    assert lines[-2] == "  and 31 more"
    assert f"--years 2022-2023 --seed 4 --scale 3 --format csv --out {dataset}." in lines[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("validate", "{}", "--year", "2023"), "--year goes with files of one year"),
        (("validate", "{}", "--last-year", "{}"), "--last-year goes with files of one year"),
        (("validate", "{}", "{}"), "is a dataset of worlds; name it alone"),
        (("validate", "{}/year=2023"), "/year=2023 is one year of a dataset; name all of it, {},"),
        (("fidelity", "{}/year=2023"), "or one world, such as {}/year=2022/world=0001."),
        (("validate", "{}/" + LATER, "--workers", "2"), "--workers goes with a dataset"),
        (("fidelity", "{}/" + LATER, "--workers", "2"), "--workers goes with a dataset"),
        (("tables", "{}"), "is a dataset of worlds, no folder of a year; name one of its partitions, such as {}/year="),
        (("spoil", "{}", "--out", "{}/spoilt"), "is a dataset of worlds, no folder of a year"),
        (("validate", "{}/.."), "no file of a return"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(whole, words, said):
    result = run(*(word.format(whole) for word in words))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said.format(whole) in result.stderr


@pytest.fixture(scope="module")
def singles(whole, profile):
    """The later year of each world held against published cells by itself."""
    return [fidelity(whole / f"year=2023/world=000{n}", profile) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def over(whole, profile):
    return fidelity_of_worlds(whole, profile)


def test_each_cell_is_taken_over_all_worlds(over, singles):
    cells = {(c.cell.file, c.cell.line): c for c in over.cells if c.cell.year == 2023}
    results = [{(r.cell.file, r.cell.line): r for r in report.comparison.results} for report in singles]
    assert cells.keys() == results[0].keys()
    assert cells
    for place, found in cells.items():
        values = [of[place].generated for of in results]
        mean = sum(values) / 3
        assert found.mean == pytest.approx(mean)
        assert found.error == pytest.approx(math.sqrt(sum((value - mean) ** 2 for value in values) / 2 / 3), abs=1e-9)
        assert (found.lowest, found.highest) == (min(values), max(values))
        assert found.inside == sum(of[place].inside for of in results)
    shares = {(share.role, share.year): share for share in over.shares()}
    assert shares["fitted", 2023].inside == sum(report.by_role()[0].inside for report in singles)
    assert shares["fitted", None].cells == shares["fitted", 2022].cells + shares["fitted", 2023].cells
    assert {(cell.file, cell.line, why) for cell, why in over.skipped if cell.year == 2023} == {
        (cell.file, cell.line, why) for cell, why in singles[0].comparison.skipped
    }


def test_the_year_before_is_that_of_the_same_world(whole):
    assert year_before(read_year(whole / LATER)).folder == (whole / "year=2022/world=0002").resolve()
    assert year_before(read_year(whole / "year=2022/world=0002")) is None


def test_a_world_that_is_off_is_named(dataset, profile):
    path = dataset / LATER / "synthetic_cla_episode.csv"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:40]), "utf-8")
    told = json.loads((dataset / "manifest.json").read_text("utf-8"))
    # Were the last year a projection, the dataset would name another profile than its other years were made with.
    (dataset / "manifest.json").write_text(json.dumps(told | {"profile": {"name": "projected", "sha256": ""}}), "utf-8")
    sign(dataset, LATER)
    report = fidelity_of_worlds(dataset, profile)
    assert report.known
    assert [world.world for world in report.worst_worlds()] == ["world=0002"]
    assert report.exit_code(0.99) == 1
    assert report.exit_code(0.5) == 0
    text = report.to_text()
    assert "Every fitted cell lies inside in 2 of 3 worlds; fewest in:\n  world=0002: " in text
    assert "66.7%" in text
    rows = list(csv.DictReader(io.StringIO(report.to_csv())))
    assert {row["share_inside"] for row in rows if row["role"] == "fitted" and row["inside"] == "2"} == {"0.6667"}
    told = json.loads(report.to_json())
    assert len(told["worlds"]) == 3
    assert len(told["cells"]) == len(rows)


def test_fidelity_depends_neither_on_processes_nor_on_the_kind_of_files(whole, split, profile):
    parquet = fidelity_of_worlds(split, profile)
    assert fidelity_of_worlds(split, profile, workers=2).to_json() == parquet.to_json()
    assert len(parquet.worlds) == 2
    alone = fidelity(split / LATER, profile).comparison.results
    same = {(r.cell.file, r.cell.line): r.generated for r in fidelity(whole / LATER, profile).comparison.results}
    assert alone
    assert all(same[r.cell.file, r.cell.line] == r.generated for r in alone)


def test_the_command_says_what_the_worlds_came_to(whole):
    result = run("fidelity", whole, "--workers", 1)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(
        "Years ending 31 March 2022 to 2023, 3 worlds of 2 authorities, seed 4, profile wales"
    )


def test_a_projection_is_left_out_or_refused(whole, profile):
    earlier = replace(profile, years=(2017, 2022))
    report = fidelity_of_worlds(whole, earlier)
    assert report.years == (2022,)
    assert report.remarks[-1] == "2023 is a projection: nothing published is there to hold it against."
    with pytest.raises(InputError, match="2022 is a projection"):
        fidelity_of_worlds(whole, replace(profile, years=(2017, 2021)))
