"""Files that crash or hang a worker, or use up its memory, do not affect the other files."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.workers import pool as module
from ritornello.corpus.workers.pool import Pool
from ritornello.corpus.workers.worker import ReadJob
from ritornello.errors import FailedError
from tests.corpus.folders import song

BAD = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; "
       "import runpy; runpy.run_module('tests.corpus.bad_worker', run_name='__main__')"]  # fmt: skip
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and memory limits as POSIX has them")


@pytest.fixture(autouse=True)
def _bad_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMAND", BAD)


def jobs(*contents: bytes) -> list[ReadJob]:
    return [ReadJob(b"%d.mid" % number, data) for number, data in enumerate(contents)]


def run(
    batches: list[list[ReadJob]], workers: int = 2, **settings: Any
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """All rows, and the arrays of all results joined."""
    with Pool(workers, CheckSettings(), **settings) as pool:
        results = list(pool.run(batches))
    rows = [row for result in results for row in result.rows]
    return rows, [b"".join(arrays) for arrays in zip(*(result.arrays for result in results), strict=True)]


def test_results_come_in_order(tmp_path: Path) -> None:
    batches = [jobs(*(song(10 * b + i, 16 + b) for i in range(1 + b % 4))) for b in range(20)]
    rows, _ = run(batches)
    assert [row["notes"] for row in rows] == [16 + b for b in range(20) for _ in range(1 + b % 4)]


def test_a_missing_file_and_an_outcome_that_is_known_before(tmp_path: Path) -> None:
    gone = ReadJob(os.fsencode(tmp_path / "gone.mid"))
    rows, _ = run([[gone, ReadJob(b"x", outcome="unsafe name", reason="why"), *jobs(song(1))]], workers=1)
    assert [row["fate"] for row in rows] == ["cannot open", "unsafe name", "kept"]
    assert [bool(row["hash"]) for row in rows] == [False, False, True]


POISONS = [
    (b"CRASH", "crashed", "its reader died of SIGSEGV"),
    (b"ABORT", "crashed", "its reader died of SIGABRT"),
    (b"EXIT", "crashed", "its reader ended with exit code 3"),
    (b"NOISE", "crashed", "its reader died of SIGKILL"),  # by us: it made no sense
    (b"RAISE", "crashed", "its reader failed: OverflowError: number too large"),
    (b"HANG", "timed out", "reading it took over 1 s"),
    (b"MEMORY", "out of memory", "reading it took more memory than allowed"),
]


@POSIX
def test_bad_files_do_not_affect_others() -> None:
    songs = [song(number) for number in range(12)]
    clean_rows, clean_arrays = run([jobs(*songs[:6]), jobs(*songs[6:])], workers=1)
    poisons = [poison for poison, _, _ in POISONS]
    batches = [jobs(*songs[:5], *poisons[:2], *songs[5:7]), jobs(poisons[2]), jobs(*poisons[3:6], *songs[7:])]
    rows, arrays = run([*batches, jobs(poisons[6])], deadline_s=1.0)
    bad = [row for row in rows if row["fate"] != "kept"]
    assert [row["fate"] for row in bad] == [outcome for _, outcome, _ in POISONS]
    for row, (_, _, reason) in zip(bad, POISONS, strict=True):
        assert row["reason"].startswith(reason)
        assert len(row["hash"]) == 64
    assert [row for row in rows if row["fate"] == "kept"] == clean_rows
    assert arrays == clean_arrays


def test_what_a_library_prints_does_not_get_into_the_answers() -> None:
    rows, _ = run([jobs(b"PRINT", song(1))], workers=1)
    assert [row["fate"] for row in rows] == ["not MIDI", "kept"]


@POSIX
def test_a_worker_killed_from_outside(tmp_path: Path) -> None:
    import signal

    batches = [jobs(song(number)) for number in range(40)]
    with Pool(2, CheckSettings()) as pool:
        results = pool.run(batches)
        first = next(results)
        os.kill(pool._workers[0].process.pid, signal.SIGKILL)
        rows = [row for result in [first, *results] for row in result.rows]
    assert len(rows) == 40
    # the one that it was at is lost, if it was at one
    assert sum(row["fate"] == "kept" for row in rows) >= 39


def test_a_slow_source_does_not_time_out_the_workers() -> None:
    def batches() -> Iterator[list[ReadJob]]:
        yield jobs(song(1))
        time.sleep(1.0)
        yield jobs(song(2))

    with Pool(2, CheckSettings(), deadline_s=0.6) as pool:
        rows = [row for result in pool.run(batches()) for row in result.rows]
    assert [row["fate"] for row in rows] == ["kept", "kept"]


def test_workers_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMAND", [sys.executable, "-c", "import sys; sys.exit(9)"])
    with (
        pytest.raises(FailedError, match="a worker cannot start: it ended with exit code 9"),
        Pool(1, CheckSettings()) as pool,
    ):
        list(pool.run([jobs(song(1))]))


def test_no_batches() -> None:
    assert run([]) == ([], [])


def test_no_process_is_left() -> None:
    with Pool(2, CheckSettings()) as pool:
        processes = [worker.process for worker in pool._workers]
        next(pool.run([jobs(b"HANG", song(1)), jobs(song(2))][1:]))
    assert all(process.poll() is not None for process in processes)


@POSIX
def test_a_worker_goes_when_its_supervisor_is_gone() -> None:
    with Pool(1, CheckSettings()) as pool:
        process = pool._workers[0].process
        list(pool.run([jobs(song(1))]))
        assert process.stdin
        process.stdin.close()
        assert process.wait(5) == 0


def test_the_memory_limit_leaves_ordinary_work_alone() -> None:
    rows, _ = run([jobs(*[song(1, 4000)] * 30)], workers=1)  # 120,000 notes in one batch
    assert {row["fate"] for row in rows} == {"kept"}
