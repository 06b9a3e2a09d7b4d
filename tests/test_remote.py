"""Datasets behind URLs: the bytes of a folder, finished or not, and plain words where a place cannot be used."""

import json
import sys

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError, OutputError
from synth.scale import Folder, Job, Plan, Remote, make_dataset, store_at

fsspec = pytest.importorskip("fsspec")
PLAN = Plan(codes=("520", "534"), years=(2023,), worlds=2, seed=4)
FIRST, SECOND = PLAN.partitions


@pytest.fixture
def memory():
    """The object store of this process, empty before and after."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


@pytest.fixture(scope="module")
def dataset(profile, tmp_path_factory):
    """Two worlds in a folder: what a URL must hold too."""
    root = tmp_path_factory.mktemp("remote") / "worlds"
    make_dataset(Job(PLAN, profile, Folder(root)))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def held(files, root="/bucket/worlds"):
    return {name.removeprefix(f"{root}/"): files.cat_file(name) for name in files.find(root)}


def partition(dataset, name):
    return {path.removeprefix(f"{name}/"): content for path, content in dataset.items() if path.startswith(name)}


def test_an_object_store_holds_what_a_folder_holds_and_what_is_finished_stays(dataset, profile, memory):
    job = Job(PLAN, profile, Remote("memory://bucket/worlds"))
    job.store.put(FIRST, partition(dataset, FIRST))
    made = memory.modified(f"/bucket/worlds/{FIRST}/manifest.json")
    memory.pipe_file(f"/bucket/worlds/{SECOND}/synthetic_crcs.csv", b"half of ")
    assert make_dataset(job).finished_before == 1
    assert held(memory) == dataset
    assert memory.modified(f"/bucket/worlds/{FIRST}/manifest.json") == made


def test_what_is_damaged_or_missing_is_not_finished(dataset, memory):
    store = Remote("memory://bucket/worlds")
    store.put(FIRST, partition(dataset, FIRST))
    manifest, crcs = (f"/bucket/worlds/{FIRST}/{name}" for name in ("manifest.json", "synthetic_crcs.csv"))
    for damage in (
        lambda: memory.pipe_file(crcs, b"half of "),
        lambda: memory.rm_file(crcs),
        lambda: memory.rm_file(manifest),
        lambda: memory.pipe_file(manifest, b'{"files": ['),
        lambda: memory.pipe_file(manifest, b'{"files": {"of another.csv": {}}}'),
    ):
        assert store.finished(FIRST) == json.loads(dataset[f"{FIRST}/manifest.json"])
        damage()
        assert store.finished(FIRST) is None
        store.put(FIRST, partition(dataset, FIRST))
        assert held(memory, f"/bucket/worlds/{FIRST}") == partition(dataset, FIRST)


def test_a_partition_is_finished_by_its_manifest_and_holds_nothing_else(dataset, memory):
    store = Remote("memory://bucket/worlds")
    files = partition(dataset, FIRST)
    memory.pipe_file(f"/bucket/worlds/{FIRST}/authority=520/synthetic_crcs.csv", b"of another plan")
    memory.pipe_file(f"/bucket/worlds/{FIRST}/manifest.json", b"{}")
    written = []
    pipe = memory.pipe_file

    def watched(path, content, **how):
        written.append((path.rpartition("/")[2], memory.exists(f"/bucket/worlds/{FIRST}/manifest.json")))
        pipe(path, content, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(memory), "pipe_file", lambda _self, *how, **more: watched(*how, **more))
        store.put(FIRST, files)
    assert [name for name, _ in written][-1] == "manifest.json"
    assert not any(there for _, there in written)
    assert held(memory, f"/bucket/worlds/{FIRST}") == files
    assert store.read(f"{FIRST}/never.csv") is None
    store.remove(f"{FIRST}/never.csv")


def test_a_write_that_fails_leaves_nothing_that_looks_finished(dataset, memory, monkeypatch):
    pipe, left = type(memory).pipe_file, [3]

    def failing(self, path, content, **how):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "quota used up")
        pipe(self, path, content, **how)

    monkeypatch.setattr(type(memory), "pipe_file", failing)
    store = Remote("memory://bucket/worlds")
    with pytest.raises(OutputError, match=r"world=0001.*quota used up.*goes on from there"):
        store.put(FIRST, partition(dataset, FIRST))
    assert list(store.partitions()) == [FIRST]
    assert store.finished(FIRST) is None
    store.put(FIRST, partition(dataset, FIRST))
    assert store.finished(FIRST)


def test_places_with_folders_have_them_made(dataset, tmp_path):
    """fsspec knows the local disk under another name too."""
    store = Remote(f"local://{tmp_path}/share/worlds")
    store.prepare()
    store.put(SECOND, partition(dataset, SECOND))
    root = tmp_path / "share/worlds" / SECOND
    assert {p.relative_to(root).as_posix(): p.read_bytes() for p in root.iterdir()} == partition(dataset, SECOND)
    assert list(store.partitions()) == [SECOND]
    assert store.finished(SECOND)


def test_leftovers_go_and_strange_files_stay(profile, memory):
    memory.pipe_file("/bucket/worlds/.unfinished-123", b"")
    memory.pipe_file("/bucket/worlds/thesis.docx", b"mine")
    with pytest.raises(InputError, match=r"thesis\.docx"):
        make_dataset(Job(PLAN, profile, Remote("memory://bucket/worlds")))
    memory.rm_file("/bucket/worlds/thesis.docx")
    Remote("memory://bucket/worlds").prepare()
    assert not memory.find("/bucket")


def test_other_processes_do_not_see_this_memory(profile, memory):
    with pytest.raises(InputError, match="--workers 1"):
        make_dataset(Job(PLAN, profile, Remote("memory://bucket/worlds")), workers=2)


def test_paths_and_file_urls_are_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store_at("worlds") == Folder(tmp_path / "worlds")
    assert store_at(f"file://{tmp_path}/two%20words") == Folder(tmp_path / "two words")
    assert store_at("memory://bucket/worlds/") == Remote("memory://bucket/worlds")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nowhere://bucket/worlds", "Protocol not known: nowhere"),
        ("undriven://bucket/worlds", "not installed.*pip install undriven"),
        ("memory://bucket/*", "several"),
        ("file://worlds/here", "three slashes"),
        ("local:///no/such/place/worlds", "(?s)cannot be written.*credentials and rights"),
        ("denied://bucket/worlds", "cannot be listed.*PermissionError: no such key.*credentials and rights"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_made(url, says, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem
    from fsspec.registry import known_implementations

    class Denied(MemoryFileSystem):
        def ls(self, path, **_how):
            raise PermissionError("no such key")

    fsspec.register_implementation("denied", Denied, clobber=True)
    undriven = {"class": "no_such_driver.Files", "err": "pip install undriven"}
    monkeypatch.setitem(known_implementations, "undriven", undriven)
    command = ["generate", "--authorities", "520", "--year", "2023", "--scale", "1", "--workers", "1", "--out", url]
    run = CliRunner().invoke(main, command)
    assert run.exit_code == 2
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(run.stderr)


def test_without_fsspec_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InputError, match=r'pip install "synth\[cloud\]"'):
        store_at("s3://bucket/worlds")


def test_a_url_goes_with_scale():
    run = CliRunner().invoke(main, ["generate", "--year", "2023", "--out", "memory://bucket"])
    assert run.exit_code == 2
    assert "goes with --scale" in run.stderr
