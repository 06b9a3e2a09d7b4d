"""Datasets made by a cluster: the bytes of one machine, whoever is lost meanwhile; plain words where it cannot be."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError, OutputError
from synth.scale import Folder, Job, Plan, Remote, make_dataset
from synth.scale.alike import check_alike, versions
from synth.scale.cluster import _closing, cluster_at

if find_spec("distributed") is None:
    pytest.skip("the tests of clusters need distributed", allow_module_level=True)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed as on POSIX")

PLAN = Plan(codes=("520", "534"), years=(2023,), worlds=5, seed=4)
FEW = replace(PLAN, worlds=3)


class Processes:
    """A scheduler and workers, each a process of its own that any test may kill."""

    def __init__(self, folder, workers):
        self.folder, self.file, self.began = folder, folder / "scheduler.json", []
        # Should the tests themselves be killed, an idle scheduler ends, and workers end without one.
        self.scheduler = self._begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--idle-timeout", "60s")
        self.workers = [self.worker() for _ in range(workers)]

    def worker(self):
        alone = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--local-directory", str(self.folder))
        return self._begin("worker", *alone, "--death-timeout", "30s")

    def _begin(self, kind, *how):
        command = [sys.executable, "-m", "dask", kind, "--scheduler-file", str(self.file), "--no-dashboard", *how]
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"POLARS_MAX_THREADS": "1"})
        self.began.append(process)
        return process

    @property
    def address(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                return json.loads(self.file.read_text())["address"]
            except (FileNotFoundError, ValueError):
                time.sleep(0.02)
        pytest.fail((self.folder / "scheduler.log").read_text())

    def ready(self):
        """Return the address once all workers are there."""
        from distributed import Client  # slow to import: by these tests only, not as they are collected

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=60)
        return self.address

    def end(self):
        for process in self.began:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    processes = Processes(tmp_path_factory.mktemp("dask"), workers=2)
    try:
        yield processes
    finally:
        processes.end()


@pytest.fixture(scope="module")
def dataset(five_worlds):
    """The plan's worlds made in one process."""
    return contents(five_worlds)


@pytest.fixture(autouse=True)
def single(monkeypatch):
    """Blocks of one world, so that few worlds are many tasks."""
    monkeypatch.setattr("synth.scale.run._TOGETHER", 1)


def worlds(files, plan):
    """The files of a plan's worlds, without the manifest of the whole."""
    return {name: content for name, content in files.items() if name.rpartition("/")[0] in plan.partitions}


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_cluster_writes_the_bytes_of_one_machine_and_goes_on_past_a_killed_worker(
    cluster, dataset, profile, tmp_path
):
    died = tmp_path / "died"

    class Fatal(Folder):
        def put(self, partition, files):
            if partition.endswith("0004") and not died.exists():
                died.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
            Folder.put(self, partition, files)

    told = []
    with cluster_at(cluster.ready()) as run:
        job = Job(PLAN, profile, Fatal(tmp_path / "worlds"))
        made = make_dataset(job, run=run, tick=lambda *done: told.append(done))
    victim = next(worker for worker in cluster.workers if worker.pid == int(died.read_text()))
    assert victim.wait(timeout=30) == -signal.SIGKILL
    cluster.workers.remove(victim)  # one is enough for all other tests
    assert told == [(done, 5) for done in range(6)]
    assert made.finished_before == 0
    assert contents(tmp_path / "worlds") == dataset


def test_workers_write_behind_a_url(cluster, dataset, profile, tmp_path):
    (tmp_path / "share").mkdir()
    with cluster_at(cluster.address) as run:
        make_dataset(Job(FEW, profile, Remote(f"local://{tmp_path}/share/worlds")), run=run)
    assert worlds(contents(tmp_path / "share/worlds"), FEW) == worlds(dataset, FEW)


def test_a_place_workers_do_not_see_is_refused(cluster, profile):
    job = Job(PLAN, profile, Remote("memory://bucket/worlds"))
    with cluster_at(cluster.address) as run, pytest.raises(InputError, match="does not see what is written there"):
        make_dataset(job, run=run)
    assert not list(job.store.partitions())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("polars", r"Worker tcp://.* has polars .* \(here 0\.1\)"),
        ("program", r"Worker .* has program .* \(here 0\.1\)"),
    ],
)
def test_workers_that_would_write_other_bytes_are_refused(cluster, profile, tmp_path, monkeypatch, name, says):
    here = versions() | {name: "0.1"}
    monkeypatch.setattr("synth.scale.alike.versions", lambda: here)
    with pytest.raises(InputError, match=says), cluster_at(cluster.address) as run:
        make_dataset(Job(PLAN, profile, Folder(tmp_path)), run=run)
    assert not contents(tmp_path)


def test_a_worker_that_comes_later_holds_itself_against_what_is_wanted(profile, tmp_path):
    from synth.scale.cluster import _make

    with pytest.raises(InputError, match=r"numpy 0\.1 \(here"):
        _make(Job(PLAN, profile, Folder(tmp_path)), versions() | {"numpy": "0.1"}, (0,))
    assert not contents(tmp_path)


def test_what_is_not_installed_is_said():
    with pytest.raises(InputError, match=r"Scheduler at A has synth not installed \(here"):
        check_alike({"Scheduler at A": {"synth": None}})
    check_alike({"Scheduler at A": {"synth": versions()["synth"]}, "Worker B": versions()})


@pytest.fixture(scope="module")
def doomed(tmp_path_factory):
    """A scheduler without workers that gives a task to one worker only; the last test that asks for it kills it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
        processes = Processes(tmp_path_factory.mktemp("doomed"), workers=0)
    try:
        yield processes
    finally:
        processes.end()


def test_a_cluster_without_workers_or_whose_workers_do_not_survive_is_told(doomed, monkeypatch, profile, tmp_path):
    class Deadly(Folder):
        def put(self, *_):
            os._exit(1)

    job = Job(replace(PLAN, worlds=1), profile, Deadly(tmp_path / "worlds"))
    with monkeypatch.context() as patch:
        # The scheduler must answer in this time, on a busy machine too.
        patch.setattr("synth.scale.cluster._REACHED", 2.0)
        with pytest.raises(InputError, match=r"has no worker.*dask worker tcp"), cluster_at(doomed.address):
            pass
    doomed.workers.append(doomed.worker())
    lost = "lost one after the other, 1 in all"
    with cluster_at(doomed.ready()) as run, pytest.raises(OutputError, match=lost):
        make_dataset(job, run=run)
    doomed.workers.pop().wait(timeout=30)


def test_a_lost_scheduler_is_told_and_the_same_command_goes_on_from_there(
    cluster, doomed, dataset, profile, tmp_path, monkeypatch
):
    root = tmp_path / "worlds"
    job = Job(FEW, profile, Folder(root))

    def tick(done, _of):
        if done == 1:
            doomed.scheduler.kill()
            doomed.scheduler.wait()

    doomed.workers.append(doomed.worker())
    address = doomed.ready()
    with monkeypatch.context() as patch:
        patch.setattr("synth.scale.cluster._REACHED", 1)  # so long it is called again
        with pytest.raises(OutputError, match=r"scheduler is lost.*goes on from there"), cluster_at(address) as run:
            make_dataset(job, run=run, tick=tick)
    assert not (root / "manifest.json").exists()
    command = "generate --authorities 520,534 --year 2023 --seed 4 --scale 3"
    again = CliRunner().invoke(main, [*command.split(), "--dask", cluster.address, "--out", str(root)])
    assert again.exit_code == 0, again.output
    assert "partitions had been finished before" in again.output
    assert worlds(contents(root), FEW) == worlds(dataset, FEW)


def test_a_connection_that_cannot_be_closed_hides_nothing():
    class Gone:
        closed = 0

        def close(self):
            self.closed += 1
            raise RuntimeError("Cannot change state of expiring Timeout")

    client = Gone()
    with pytest.raises(OutputError, match="the scheduler is lost"), _closing(client):
        raise OutputError("the scheduler is lost")
    with _closing(client):
        pass
    assert client.closed == 2


def test_what_cannot_be_reached_is_said(monkeypatch):
    monkeypatch.setattr("synth.scale.cluster._REACHED", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can meanwhile
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=r"no scheduler answered within 0\.5 seconds"), cluster_at(address):
            pass
    with pytest.raises(InputError, match=r"missing port.*such as tcp://"), cluster_at("nowhere"):
        pass


def test_without_dask_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r'pip install "synth\[dask\]"'), cluster_at("tcp://127.0.0.1:1"):
        pass


@pytest.mark.parametrize(
    ("options", "says"),
    [("--scale 2 --workers 2", "--workers are processes of this machine"), ("", "--dask goes with --scale")],
)
def test_options_that_contradict_are_refused(options, says):
    command = f"generate --year 2023 --dask tcp://127.0.0.1:1 {options}"
    run = CliRunner().invoke(main, command.split())
    assert run.exit_code == 2
    assert says in run.stderr
