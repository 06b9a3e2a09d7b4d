"""What describes a dataset of worlds: once for all of it, held against the manifest like its partitions."""

import hashlib
import json
import shutil

import polars as pl
import pytest

from synth.errors import InputError
from synth.metadata.writing import beside_worlds
from synth.reading.dataset import open_dataset
from synth.reading.whole import check_whole
from synth.scale import Folder, Job, Plan, make_dataset

PLAN = Plan(("542",), (2023, 2024), 1, 4)
OF_YEAR = ("dictionary.csv", "dictionary.html", "dictionary.xlsx", "sdv.json")
NAMES = {"metadata/dcat.jsonld", *(f"metadata/{year}/{name}" for year in PLAN.years for name in OF_YEAR)}


@pytest.fixture(scope="module")
def whole(profile, tmp_path_factory):
    """Two years of one authority in one world; looked at only."""
    root = tmp_path_factory.mktemp("metadata") / "worlds"
    make_dataset(Job(PLAN, profile, Folder(root)))
    return root


@pytest.fixture
def dataset(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "worlds")


def refused(dataset):
    with pytest.raises(InputError) as told:
        check_whole(open_dataset(dataset))
    return str(told.value)


def test_it_stands_once_for_the_dataset_and_in_its_manifest(whole, profile):
    beside = json.loads((whole / "manifest.json").read_text())["beside"]
    assert set(beside) == NAMES
    found = {p.relative_to(whole).as_posix() for p in whole.rglob("*") if p.is_file() and "world=" not in str(p)}
    assert found == {"manifest.json", *NAMES}
    for name, entry in beside.items():
        assert entry == {"sha256": hashlib.sha256((whole / name).read_bytes()).hexdigest()}
    assert beside_worlds(PLAN, profile) == {name: (whole / name).read_bytes() for name in NAMES}
    check_whole(open_dataset(whole))


def test_tables_are_described_as_the_files_of_each_year_are(whole):
    for year in PLAN.years:
        metadata = json.loads((whole / f"metadata/{year}/sdv.json").read_text())
        for table, described in metadata["tables"].items():
            written = pl.read_csv(whole / f"year={year}/world=0001/{table}.csv", n_rows=0)
            assert list(described["columns"]) == written.columns


def test_the_record_tells_of_all_worlds(profile):
    plan = Plan(("542", "546"), (2022, 2023), 7, 4, form="parquet")
    record = json.loads(beside_worlds(plan, profile)["metadata/dcat.jsonld"])
    assert record["name"][0]["@value"].endswith("Years to 31 March 2022 to 2023, 7 worlds")
    assert record["temporalCoverage"] == "2021-04-01/2023-03-31"
    (files,) = record["distribution"]
    assert files["encodingFormat"] == "application/vnd.apache.parquet"
    assert files["dcat:accessURL"] == {"@id": "../"}
    assert [place["identifier"] for place in record["spatialCoverage"]] == ["W06000024", "W06000020"]
    other = json.loads(beside_worlds(Plan(plan.codes, plan.years, 8, 4), profile)["metadata/dcat.jsonld"])
    assert other["@id"] != record["@id"]


def test_what_was_changed_lost_or_added_is_told_and_made_again(dataset, whole, profile):
    (dataset / "metadata/2023/sdv.json").write_text("{}")
    (dataset / "metadata/2024/dictionary.csv").unlink()
    (dataset / "metadata/2024/thesis.docx").write_text("mine")
    told = refused(dataset)
    assert "metadata/2023/sdv.json is not as it was written" in told
    assert "metadata/2024/dictionary.csv is missing." in told
    assert "metadata/2024/thesis.docx is there, but not named" in told
    (dataset / "metadata/2024/thesis.docx").unlink()
    kept = (dataset / "metadata/dcat.jsonld").stat().st_mtime_ns
    assert make_dataset(Job(PLAN, profile, Folder(dataset))).finished_before == 2
    check_whole(open_dataset(dataset))
    assert (dataset / "metadata/dcat.jsonld").stat().st_mtime_ns == kept
    assert (dataset / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()


def test_a_run_that_was_stopped_before_its_manifest_goes_on(dataset, whole, profile):
    (dataset / "manifest.json").unlink()
    (dataset / "metadata/2023/sdv.json").unlink()
    assert make_dataset(Job(PLAN, profile, Folder(dataset))).finished_before == 2
    assert (dataset / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()


@pytest.mark.parametrize("name", ["../secret.txt", "metadata/../manifest.json", "metadata/a/b.csv"])
def test_nothing_outside_is_opened(dataset, name):
    path = dataset / "manifest.json"
    told = json.loads(path.read_text())
    told["beside"][name] = {"sha256": "0" * 64}
    path.write_text(json.dumps(told))
    assert f"names {name!r}; expected a file such as metadata/dcat.jsonld" in refused(dataset)


def test_datasets_of_earlier_releases_have_none_and_are_whole(dataset):
    path = dataset / "manifest.json"
    told = json.loads(path.read_text())
    del told["beside"]
    path.write_text(json.dumps(told))
    assert "metadata is there, but not named" in refused(dataset)
    shutil.rmtree(dataset / "metadata")
    check_whole(open_dataset(dataset))
