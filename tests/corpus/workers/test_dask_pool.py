"""The parts of the Dask engine that can be tested without Dask: order, limits, tasks, wrong input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.prepare import prepare
from ritornello.corpus.sources.scan import scan
from ritornello.corpus.workers import dask_pool, dask_worker
from ritornello.corpus.workers.dask_pool import DaskPool, probe_files
from ritornello.corpus.workers.pool import BatchResult
from ritornello.corpus.workers.worker import ReadJob
from ritornello.errors import InputError
from tests.corpus.folders import fill, song
from tests.corpus.workers.test_pool import run as by_pool


@pytest.fixture(autouse=True)
def _no_pool_is_left() -> Iterator[None]:
    yield
    while dask_worker._idle_pools:
        dask_worker._end(dask_worker._idle_pools[0].pool)


class Task:
    """A future of the client below, done when `finish` is called."""

    def __init__(self, work: Callable[[], bytes]) -> None:
        self.work, self.callbacks = work, list[Callable[[Any], None]]()

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        self.callbacks.append(call)


class LastFirst:
    """A stand-in for the Dask client that runs the last submitted task first and counts the waiting ones."""

    def __init__(self, threads: int) -> None:
        self.threads, self.waiting, self.most = threads, list[Task](), 0

    def nthreads(self) -> dict[str, int]:
        return {"tcp://one": self.threads}

    def submit(self, work: Callable[..., bytes], *args: Any, pure: bool) -> Task:
        assert not pure  # the same files may have other content by now
        self.waiting.append(Task(lambda: work(*args)))
        self.most = max(self.most, len(self.waiting))
        return self.waiting[-1]

    def gather(self, tasks: list[Task]) -> list[bytes]:
        return [task.work() for task in tasks]

    def finish(self) -> None:
        task = self.waiting.pop()
        for call in task.callbacks:
            call(task)


def through(
    client: LastFirst, batches: list[list[ReadJob]], monkeypatch: pytest.MonkeyPatch
) -> list[BatchResult]:
    """The results of a DaskPool with a stand-in for the client of Dask."""
    from concurrent.futures import ThreadPoolExecutor

    wait = DaskPool._wait

    def finish_and_wait(self: DaskPool, finished: Any) -> list[int]:
        client.finish()
        return wait(self, finished)

    monkeypatch.setattr(DaskPool, "_wait", finish_and_wait)
    with ThreadPoolExecutor(1) as thread:
        return list(DaskPool("tcp://here", CheckSettings(), _client=client, _thread=thread).run(batches))


def test_results_are_those_of_a_pool_and_few_tasks_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dask_pool, "TASK_BATCHES", 2)
    batches = [[ReadJob(b"%d" % b, song(10 * b + i, 16 + b)) for i in range(1 + b % 3)] for b in range(21)]
    batches[4][0] = ReadJob(b"bad", b"<html>")
    client = LastFirst(threads=2)
    results = through(client, batches, monkeypatch)
    rows, arrays = by_pool(batches, workers=1)
    assert [row for result in results for row in result.rows] == rows
    assert [b"".join(part) for part in zip(*(result.arrays for result in results), strict=True)] == arrays
    assert client.most == 2 * dask_pool.TASKS_PER_THREAD


def test_answers_that_wait_for_an_earlier_one_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_pool, "TASK_BATCHES", 1)
    monkeypatch.setattr(dask_pool, "MAX_WAITING_BYTES", 1)
    client = LastFirst(threads=1)
    results = through(client, [[ReadJob(b"%d" % n, song(n))] for n in range(9)], monkeypatch)
    assert [result.rows[0]["fate"] for result in results] == ["kept"] * 9
    assert client.most == dask_pool.TASKS_PER_THREAD


def test_a_message_holds_some_batches_or_enough_bytes() -> None:
    small, large = [ReadJob(b"a")], [ReadJob(b"b", bytes(1000))]
    messages = list(dask_worker.pack([small, small, small, large, small, large], 2, 900))
    counts = [len(list(dask_worker.unpack(message))) for message in messages]
    assert counts == [2, 2, 2]
    assert [len(list(dask_worker.unpack(m))) for m in dask_worker.pack([large, large, small], 2, 900)] == [
        1,
        1,
        1,
    ]
    assert list(dask_worker.pack([], 2, 900)) == []


def settings(*seen: tuple[bytes, int], **versions: str) -> dict[str, Any]:
    defaults = DaskPool("tcp://here", CheckSettings(), list(seen)).settings
    return defaults | {"versions": defaults["versions"] | versions}


def test_a_process_is_kept_for_the_next_task_and_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    message = next(dask_worker.pack([[ReadJob(b"x.mid", song(1))]], 1, 1))
    first = dask_worker.run_task(settings(), message)
    (idle,) = dask_worker._idle_pools
    process = idle.pool._workers[0].process
    assert dask_worker.run_task(settings(), message) == first
    assert [each.pool._workers[0].process for each in dask_worker._idle_pools] == [process]
    other = DaskPool("tcp://here", CheckSettings(min_notes=4)).settings
    dask_worker.run_task(other, message)
    assert len(dask_worker._idle_pools) == 2  # other checks, another process
    monkeypatch.setattr(dask_worker, "IDLE_S", 0.01)
    dask_worker.run_task(settings(), message)
    assert process.wait(10) != 0


def test_worker_problem(tmp_path: Path) -> None:
    path = fill(tmp_path, 1) / "0000.mid"
    name, size = os.fsencode(path), path.stat().st_size
    assert dask_worker.worker_problem(settings((name, size))) == ""
    here = dask_worker.versions()["Python"]
    assert dask_worker.worker_problem(settings(Python="2.7")) == (
        f"has Python {here}: must be 2.7 as where `ritornello prepare` runs"
    )
    assert dask_worker.worker_problem(settings(Ritornello="9")).startswith("has Ritornello 0.")
    assert f"it has {size} bytes here, not 3)" in dask_worker.worker_problem(settings((name, 3)))
    path.unlink()
    with pytest.raises(InputError, match=r"a Dask worker on \S+ cannot read .*0000\.mid' \(No such file"):
        dask_worker.run_task(settings((name, size)), b"")


def test_files_that_vanish_during_a_task_are_a_worker_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = iter(["", "cannot read the folder"])
    monkeypatch.setattr(dask_worker, "worker_problem", lambda _: next(problems))
    message = next(dask_worker.pack([[ReadJob(os.fsencode(tmp_path / "gone.mid"))]], 1, 1))
    with pytest.raises(InputError, match="cannot read the folder"):
        dask_worker.run_task(settings(), message)


def test_probe_files_can_be_read_here(tmp_path: Path) -> None:
    fill(tmp_path, 9)
    (tmp_path / "0000.mid").unlink()
    (tmp_path / "0000.mid").symlink_to("nothing")
    (tmp_path / "0000.zip").write_bytes(b"an archive, read here alone")
    found = probe_files(tmp_path, scan(tmp_path, skip=tmp_path / "out"))
    assert sorted(os.path.basename(path) for path, _ in found) == [b"0001.mid", b"0002.mid", b"0005.mid"]  # noqa: PTH119
    assert all(os.stat(path).st_size == size for path, size in found)  # noqa: PTH116
    assert probe_files(tmp_path, []) == []


def test_engine_and_scheduler_must_be_given_together(tmp_path: Path) -> None:
    folder, out = fill(tmp_path / "in", 1), tmp_path / "out"
    wrongs: list[dict[str, Any]] = [{"engine": "dask"}, {"scheduler": "tcp://x:1"}]
    for wrong in wrongs:
        with pytest.raises(InputError, match="--engine dask and --scheduler ADDRESS must be given together"):
            prepare(folder, out, **wrong)
    with pytest.raises(InputError, match="workers 2: --engine dask uses all workers"):
        prepare(folder, out, engine="dask", scheduler="tcp://x:1", workers=2)
    assert not out.exists()


def test_a_missing_dask_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(InputError, match=r'pip install "ritornello\[cluster\]"'):
        prepare(fill(tmp_path / "in", 1), tmp_path / "out", engine="dask", scheduler="tcp://127.0.0.1:1")
    assert not (tmp_path / "out").exists()
