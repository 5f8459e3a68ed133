"""A real Dask scheduler and workers on this machine make the same corpus as a pool."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ritornello.corpus import read_files
from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.prepare import prepare
from ritornello.corpus.workers import dask_pool, dask_worker
from ritornello.corpus.workers import pool as pool_module
from ritornello.corpus.workers.dask_pool import DaskPool
from ritornello.corpus.workers.worker import ReadJob
from ritornello.errors import FailedError, InputError
from tests.corpus.folders import content, fill, outcomes, song
from tests.corpus.workers.test_pool import BAD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="dask is not installed"),
    pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them"),
    # a client's own threads and sockets, which it leaves to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
PRELOAD = "tests.corpus.dask_preload"
QUIET = ["--no-dashboard", "--scheduler-file"]


class Machines:
    """A Dask scheduler and its workers, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            "scheduler", *QUIET, str(self.file), "--host", "127.0.0.1", "--port", "0"
        )
        until = time.monotonic() + 60
        while not self.file.exists() or not self.file.read_text().strip():
            assert self.scheduler.poll() is None, "the scheduler did not start"
            assert time.monotonic() < until
            time.sleep(0.1)
        self.address = json.loads(self.file.read_text())["address"]

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=environment)

    def hire(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker with one thread and without a nanny that would restart it."""
        place = ["--local-directory", str(self.folder / f"worker{len(self.workers)}")]
        options = ("--nthreads", "1", "--no-nanny", "--preload", PRELOAD, *place, *options)
        self.workers.append(self._start("worker", *QUIET, str(self.file), *options))
        return self.workers[-1]

    def end(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    monkeypatch.setattr(read_files, "BATCH_FILES", 3)
    monkeypatch.setattr(read_files, "SHARD_SONGS", 40)
    monkeypatch.setattr(dask_pool, "TASK_BATCHES", 2)
    monkeypatch.setattr(pool_module, "COMMAND", BAD)
    machines = Machines(tmp_path)
    yield machines
    machines.end()


def many(folder: Path) -> Path:
    """A folder with songs, duplicates, files that are not songs, files that crash readers, and an archive."""
    fill(folder, 150)
    fill(folder / "sub", 20, first=140)
    for number, poison in enumerate((b"CRASH", b"EXIT", b"MThd", b"")):
        (folder / f"00{number}5-bad.mid").write_bytes(poison)
    (folder / "gone.mid").symlink_to("nothing")
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        for number in range(200, 240):
            archive.writestr(f"{number}.mid", song(number))
    return folder


def test_the_same_corpus_though_a_worker_is_killed(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_pool, "MAX_WAITING_BYTES", 1)  # most is still to be done at the first result
    folder = many(tmp_path / "in")
    prepare(folder, tmp_path / "one", workers=1)
    doomed, _ = machines.hire(), machines.hire()
    events: list[str] = []

    def kill() -> None:
        events.append("killed")
        doomed.kill()

    def progress(done: int, total: int, text: str) -> None:
        if not events:  # what it has under way it keeps until it dies, so the other must do it again
            doomed.send_signal(signal.SIGSTOP)
            threading.Timer(1.0, kill).start()
        events.append(text)

    with DaskPool(machines.address, CheckSettings()) as both:
        until = time.monotonic() + 60
        while both._count_threads() < 2:
            assert time.monotonic() < until
            time.sleep(0.1)
    report = prepare(folder, tmp_path / "many", engine="dask", scheduler=machines.address, progress=progress)
    assert doomed.wait(10) == -signal.SIGKILL
    assert "reading" in events[events.index("killed") :]  # what the dead one had was done after its death
    assert content(tmp_path / "many") == content(tmp_path / "one")
    assert report.outcomes["crashed"] == 2
    assert outcomes(tmp_path / "many")["0005-bad.mid"] == "crashed"
    assert (
        prepare(folder, tmp_path / "many", engine="dask", scheduler=machines.address).new == 1
    )  # gone.mid is tried again


def test_workers_that_cannot_do_the_work(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = fill(tmp_path / "in", 4), tmp_path / "out"
    with pytest.raises(InputError, match=r"has no worker after 0\.5 s: start some with `dask worker tcp:"):
        monkeypatch.setattr(dask_pool, "WORKERS_S", 0.5)
        prepare(folder, out, engine="dask", scheduler=machines.address)
    monkeypatch.setattr(dask_pool, "WORKERS_S", 60.0)
    machines.hire()
    real = dask_worker.versions()
    with monkeypatch.context() as patch:
        patch.setattr(dask_worker, "versions", lambda: real | {"Python": "3.9"})
        with pytest.raises(InputError, match=r"Dask worker tcp:\S+ has Python 3\.\d+: must be 3\.9 as where"):
            prepare(folder, out, engine="dask", scheduler=machines.address)
    absent = [(os.fsencode(tmp_path / "elsewhere" / "0.mid"), 10)]
    problem = r"Dask worker tcp:\S+ cannot read '\S+0\.mid' \(No such file.*\): the folder must be on shared"
    with pytest.raises(InputError, match=problem), DaskPool(machines.address, CheckSettings(), absent):
        pass
    settings = DaskPool(
        machines.address, CheckSettings(), absent
    ).settings  # one that joins later says so in its task
    with DaskPool(machines.address, CheckSettings()) as late:
        monkeypatch.setattr(DaskPool, "settings", settings)
        with pytest.raises(InputError, match=r"a Dask worker on \S+ cannot read"):
            list(late.run([[ReadJob(b"x.mid", song(1))]]))
    assert not out.exists()


def test_a_lost_cluster(machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "in", 60)
    prepare(folder, tmp_path / "one", workers=1)
    worker = machines.hire()

    def kill(process: subprocess.Popen[bytes], after: int) -> Any:
        return lambda done, total, text: process.kill() if done > after else None

    monkeypatch.setattr(dask_pool, "WORKERS_S", 20.0)
    with DaskPool(machines.address, CheckSettings()):  # it is there
        monkeypatch.setattr(dask_pool, "WORKERS_S", 2.0)
    with pytest.raises(FailedError, match=r"has had no worker for 2 s: finished shards are kept"):
        prepare(
            folder, tmp_path / "out", engine="dask", scheduler=machines.address, progress=kill(worker, 42)
        )
    monkeypatch.setattr(dask_pool, "WORKERS_S", 20.0)
    machines.hire()
    with pytest.raises(FailedError, match=r"the Dask scheduler at 'tcp:\S+' is gone: finished"):
        prepare(
            folder,
            tmp_path / "out",
            engine="dask",
            scheduler=machines.address,
            progress=kill(machines.scheduler, 0),
        )
    assert prepare(folder, tmp_path / "out", workers=1).new == 20  # the first shard stayed
    assert content(tmp_path / "out") == content(tmp_path / "one")


@pytest.mark.parametrize("address", ["what ever", "tcp://127.0.0.1:{port}"])
def test_no_scheduler_there(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(dask_pool, "CONNECT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # something that is no scheduler
        given = address.format(port=silent.getsockname()[1])
        with pytest.raises(InputError, match=f"no Dask scheduler answers at '{given}' "):
            prepare(fill(tmp_path / "in", 1), tmp_path / "out", engine="dask", scheduler=given)
    assert not (tmp_path / "out").exists()
