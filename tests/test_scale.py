"""Datasets of many worlds: the same bytes however they are made, whole or resumable, and never mixed up."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from synth.cli import main
from synth.errors import InputError, OutputError
from synth.files import FILES, running
from synth.lives.homes import MOST_WORLDS
from synth.main_job import generate_panel
from synth.report.facts import gather
from synth.scale import Folder, Job, Plan, make_dataset
from synth.scale.run import _blocks
from synth.show.folder import pick
from synth.show.timeline import timelines
from synth.validate import validate

TWO = ("520", "534")


def plan(**how):
    return Plan(**({"codes": TWO, "years": (2023,), "worlds": 5, "seed": 4} | how))


def digests(root):
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def dataset(five_worlds):
    """Five worlds made in one process."""
    return five_worlds


def test_the_first_world_is_the_unscaled_output(dataset, profile, tmp_path):
    authorities = plan().authorities
    command = plan().command(2023, 0)
    generate_panel(profile, authorities, (2023,), seed=4, out=tmp_path, command=command)
    assert digests(tmp_path / "2023") == digests(dataset / "year=2023/world=0001")


def test_any_world_can_be_made_alone_by_the_command_in_its_manifest(dataset, tmp_path):
    place = dataset / "year=2023/world=0004"
    command = json.loads((place / "manifest.json").read_text())["command"]
    assert command.startswith("synth generate ")
    assert command.endswith("--world 4")
    done = CliRunner().invoke(main, [*command.split()[1:], "--out", str(tmp_path), "--quiet"])
    assert (done.exit_code, done.output) == (0, "")
    alone, here = digests(tmp_path / "2023"), digests(place)
    assert {name: alone[name] for name in FILES.values()} == {name: here[name] for name in FILES.values()}
    told = json.loads((tmp_path / "2023/manifest.json").read_text())
    # A dataset is described once, a year made alone in its own folder.
    assert told.pop("beside")
    assert told == json.loads((place / "manifest.json").read_text())


def test_bytes_do_not_depend_on_the_number_of_workers(dataset, profile, tmp_path):
    make_dataset(Job(plan(), profile, Folder(tmp_path / "w")), workers=2)
    assert digests(tmp_path / "w") == digests(dataset)


def test_a_dataset_tells_what_is_in_it(dataset):
    told = json.loads((dataset / "manifest.json").read_text())
    assert told["worlds"] == 5
    assert list(told["partitions"]) == [f"year=2023/world=000{n}" for n in range(1, 6)]
    for name, partition in told["partitions"].items():
        manifest = (dataset / name / "manifest.json").read_bytes()
        assert partition["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    for form, file in FILES.items():
        lines = sum(path.read_text().count("\n") - 1 for path in dataset.glob(f"*/*/{file}"))
        assert told["rows"][form] == lines


def test_a_dataset_grows_without_being_made_again(dataset, profile, tmp_path):
    root = shutil.copytree(dataset, tmp_path / "copy")
    kept = {path: path.stat().st_mtime_ns for path in root.rglob("*.csv")}
    made = make_dataset(Job(plan(worlds=6), profile, Folder(root)))
    assert made.finished_before == 5
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(root.glob("*/world=*/manifest.json"))) == 6


def test_damaged_and_missing_files_are_made_again_and_only_those(dataset, profile, tmp_path):
    root = tmp_path / "copy"
    job = Job(plan(), profile, Folder(root))
    shutil.copytree(dataset, root)
    with (root / "year=2023/world=0002/synthetic_crcs.csv").open("a") as file:
        file.write("one row more\n")
    (root / "year=2023/world=0003/synthetic_postcodes.csv").unlink()
    (root / "year=2023/world=0005/manifest.json").write_text("{")
    kept = {n: (root / f"year=2023/world=000{n}/manifest.json").stat().st_mtime_ns for n in (1, 4)}
    assert make_dataset(job).finished_before == 2
    assert digests(root) == digests(dataset)
    assert {n: (root / f"year=2023/world=000{n}/manifest.json").stat().st_mtime_ns for n in (1, 4)} == kept


def test_parquet_holds_what_csv_holds_and_is_read_back_the_same(dataset, profile, tmp_path):
    make_dataset(Job(plan(worlds=2, form="parquet"), profile, Folder(tmp_path)))
    for csv in sorted(dataset.glob("*/world=000[12]/*.csv")):
        text = pl.read_csv(csv, infer_schema=False)
        typed = pl.read_parquet(tmp_path / csv.relative_to(dataset).with_suffix(".parquet"), hive_partitioning=False)
        days = [name for name, kind in typed.schema.items() if kind == pl.Date]
        assert bool(days) == any("DATE" in name or name == "DOB" for name in text.columns)
        whole = {name for name, kind in typed.schema.items() if kind == pl.Int64}
        assert whole == {"YEAR_CODE", "EPISODE_NUMBER", "SHORT_BREAKS"} & set(text.columns)
        assert typed.with_columns(pl.col(days).dt.strftime("%d/%m/%Y")).cast(pl.String).equals(text)
    report = validate([tmp_path / "year=2023/world=0002"])
    assert report.ok
    assert report.counts()["passed"] > 200
    world = "year=2023/world=0002"
    ids = pick(dataset / world, 12, 1, looked_after=False)
    assert timelines(tmp_path / world, ids) == timelines(dataset / world, ids)
    here, there = (gather(root / world, profile).years[-1] for root in (tmp_path, dataset))
    assert here.comparison.results == there.comparison.results
    crcs = pl.scan_parquet(tmp_path / "**/synthetic_crcs.parquet", hive_partitioning=True)
    assert crcs.select("year", "world").unique().collect().sort("world").rows() == [(2023, 1), (2023, 2)]


def test_files_of_an_authority_can_stand_by_themselves(dataset, profile, tmp_path):
    make_dataset(Job(plan(worlds=1, by_authority=True), profile, Folder(tmp_path)))
    place = tmp_path / "year=2023/world=0001"
    for form, name in FILES.items():
        whole = (dataset / "year=2023/world=0001" / name).read_text().splitlines()
        if form == "postcodes":
            assert (place / name).read_text().splitlines() == whole
            continue
        parts = [(place / f"authority={code}" / name).read_text().splitlines() for code in TWO]
        assert [part[0] for part in parts] == [whole[0]] * 2
        assert [line for part in parts for line in part[1:]] == whole[1:]


def test_years_of_a_panel_are_the_same_children(two_years_of_worlds):
    for world in ("world=0001", "world=0002"):
        before, now = (two_years_of_worlds / f"year={year}" / world for year in (2022, 2023))
        assert validate([now], last_year=[before]).ok


def test_sampled_worlds_are_years_that_might_have_been_each_its_own(profile, tmp_path):
    make_dataset(Job(plan(worlds=2, mode="sampled"), profile, Folder(tmp_path)))
    rows = [
        json.loads((tmp_path / f"year=2023/world=000{n}/manifest.json").read_text())["files"]["synthetic_crcs.csv"]
        for n in (1, 2)
    ]
    assert len({one["rows"] for one in rows}) == 2
    generate_panel(profile, plan().authorities, (2023,), seed=4, mode="sampled", out=tmp_path / "alone", world=1)
    alone = (tmp_path / "alone/2023/synthetic_crcs.csv").read_bytes()
    assert alone == (tmp_path / "year=2023/world=0002/synthetic_crcs.csv").read_bytes()


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({"seed": 5}, OutputError, "differs in command, seed"),
        ({"worlds": 3}, InputError, "world=0004, which is not part"),
        ({"years": (2022,)}, InputError, "year=2023/world=0001, which is not part"),
        ({"form": "parquet"}, OutputError, "differs in files"),
        ({"by_authority": True}, OutputError, "differs in files by authority"),
    ],
)
def test_datasets_are_not_mixed_up(dataset, profile, how, error, says):
    before = digests(dataset)
    with pytest.raises(error, match=says):
        make_dataset(Job(plan(**how), profile, Folder(dataset)))
    assert digests(dataset) == before


def test_a_folder_of_somebody_else_is_left_alone(profile, tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match=r"thesis\.docx"):
        make_dataset(Job(plan(), profile, Folder(tmp_path)))
    assert digests(tmp_path).keys() == {"thesis.docx"}


@pytest.mark.parametrize(
    ("how", "says"), [({"worlds": MOST_WORLDS + 1}, "8,192"), ({"years": (2003,)}, "2017 to 2024")]
)
def test_what_cannot_be_planned_is_refused(profile, how, says):
    with pytest.raises(InputError, match=says):
        plan(**how).checked(profile)


@pytest.mark.skipif(os.name != "posix", reason="processes are killed as on POSIX")
def test_a_killed_run_goes_on_to_the_same_bytes(dataset, profile, tmp_path):
    root = tmp_path / "killed"
    asked = [
        "generate",
        *["--year", "2023", "--seed", "4", "--scale", "5", "--quiet", "--authorities"],
        ",".join(TWO),
        "--out",
        str(root),
    ]
    for wanted, workers in ((0, "1"), (4, "2")):
        command = [sys.executable, "-m", "synth", *asked, "--workers", workers]
        run = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + 60
        while run.poll() is None and time.monotonic() < deadline:
            if len(list(root.glob("year=*/world=*/manifest.json"))) >= wanted and root.exists():
                break
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        # The workers are not ours to wait for.
        while time.monotonic() < deadline and any(running(int(p.name.split("-")[1])) for p in root.glob(".unf*")):
            time.sleep(0.01)
    assert not (root / "manifest.json").exists() or digests(root) == digests(dataset)
    done = CliRunner().invoke(main, [*asked, "--workers", "1"])
    assert (done.exit_code, done.output) == (0, "")
    assert digests(root) == digests(dataset)
    assert not list(Path(root).glob(".*"))


@given(st.integers(0, 200), st.integers(1, 16))
def test_blocks_share_worlds_out_evenly(worlds, workers):
    blocks = _blocks(list(range(worlds)), workers)
    assert [world for block in blocks for world in block] == list(range(worlds))
    sizes = [len(block) for block in blocks]
    assert all(1 <= size <= 4 for size in sizes)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert len(blocks) % workers == 0 or all(size == 1 for size in sizes)
