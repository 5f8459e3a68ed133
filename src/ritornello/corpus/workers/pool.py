"""A pool of supervised worker processes: a file that crashes or hangs its worker does not affect other files.

The pools of the standard library lose a whole batch when a worker dies. Here each worker (worker.py) holds
one batch of files. If it dies, the files of the batch are read again one by one: the file that kills its
worker gets its outcome, and the others are read as usual.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.workers.worker import ARRAYS, OUT_OF_MEMORY, ReadJob, pack_jobs
from ritornello.errors import FailedError
from ritornello.system.files import sha256
from ritornello.system.ipc import receive, send

ROOT = str(Path(__file__).parents[3])
COMMAND = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {ROOT!r}); from ritornello.corpus.workers.worker import main; main()",
]
MAX_WAITING_BYTES = 64 << 20  # the most bytes of results that wait for an earlier result
START_S = 60.0  # longest time for a worker to start, or to end after it is killed
EXIT_S = 0.5  # longest time from the end of a worker's output to its exit
MAX_FAILED_STARTS = 3  # the most in a row


class BatchResult(NamedTuple):
    """The rows of some files and the joined arrays of their kept songs (worker.read_batch)."""

    rows: list[dict[str, Any]]
    arrays: list[bytes]

    @property
    def size(self) -> int:
        """The bytes of the arrays."""
        return sum(map(len, self.arrays))


@dataclass(eq=False)
class _Task:
    """A batch, or one file of a batch whose worker died."""

    batch: int
    place: int  # of its first file in the batch
    jobs: list[ReadJob]


@dataclass(eq=False)
class _Worker:
    """A worker process, its task, and the time by which it must answer (`time.monotonic`)."""

    process: subprocess.Popen[bytes]
    task: _Task | None = None
    until: float = 0.0
    ready: bool = False
    timed_out: bool = False


@dataclass
class Pool:
    """Worker processes (default: one per core) that read files; a batch gets `deadline_s` seconds.

    A process may use `memory_bytes`. With `diagnose` the results are those for the doctor, without notes
    (worker.read_batch). Use a pool as a context manager: its processes end with the context.
    """

    workers: int | None
    checks: CheckSettings
    deadline_s: float = 10.0
    memory_bytes: int = 1 << 30
    diagnose: bool = False
    _workers: list[_Worker] = field(default_factory=list)
    _failed_starts: int = 0
    _answers: queue.SimpleQueue[tuple[_Worker, BatchResult | None]] = field(default_factory=queue.SimpleQueue)

    def __enter__(self) -> Pool:
        self._workers = [self._start_worker() for _ in range(self.workers or os.cpu_count() or 1)]
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            _close(worker.process)

    def run(self, batches: Iterable[list[ReadJob]]) -> Iterator[BatchResult]:
        """Read all batches, and yield their results in order; a batch may have several results.

        Raises FailedError if workers cannot start.
        """
        tasks = _Tasks(iter(batches))
        while True:
            for worker in self._workers:
                if worker.ready and not worker.task and (task := tasks.next()):
                    self._send_task(worker, task)
            if tasks.is_done:
                return
            worker, answer = self._next_answer()
            task, worker.task = worker.task, None
            if not task:
                continue
            if answer:
                tasks.finish(task, answer)
            elif len(task.jobs) == 1:
                tasks.finish(task, _failed_result(worker, task.jobs[0], self.deadline_s))
            else:
                tasks.split(task)
            yield from tasks.in_order()

    def _start_worker(self) -> _Worker:
        """Start a worker, and a thread that receives its answers."""
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(COMMAND, **pipes, stderr=subprocess.DEVNULL, env=os.environ | threads)
        worker = _Worker(process, until=time.monotonic() + START_S)
        settings: dict[str, Any] = {"checks": asdict(self.checks), "deadline_s": self.deadline_s}
        settings |= {"memory_bytes": self.memory_bytes, "diagnose": self.diagnose}
        with suppress(OSError):  # if the worker is dead already, the thread notices
            send(process.stdin, settings)
        threading.Thread(target=self._receive_answers, args=(worker,), daemon=True).start()
        return worker

    def _receive_answers(self, worker: _Worker) -> None:
        """Put each answer of a worker into the queue, and None when the worker has ended."""
        try:
            while True:
                rows, arrays = receive(worker.process.stdout)
                self._answers.put((worker, BatchResult(rows, arrays)))
        except (EOFError, OSError, ValueError):
            self._answers.put((worker, None))

    def _send_task(self, worker: _Worker, task: _Task) -> None:
        worker.task, worker.until = task, time.monotonic() + self.deadline_s
        with suppress(OSError):
            send(worker.process.stdin, *pack_jobs(task.jobs))

    def _next_answer(self) -> tuple[_Worker, BatchResult | None]:
        """The next worker that answers, and its result; None if it has started, or died and was replaced."""
        while True:
            busy = [worker for worker in self._workers if worker.task or not worker.ready]
            wait_s = max(0.0, min(worker.until for worker in busy) - time.monotonic())
            try:
                worker, answer = self._answers.get(timeout=wait_s)
            except queue.Empty:
                for worker in busy:
                    if worker.until <= time.monotonic():
                        worker.timed_out = True
                        worker.process.kill()
                        worker.until += START_S
                continue
            if answer is None:
                self._replace(worker)
            elif not worker.ready:
                worker.ready, answer = True, None
                self._failed_starts = 0
            return worker, answer

    def _replace(self, worker: _Worker) -> None:
        """Start a worker in place of a dead one. Raises FailedError if several in a row cannot start."""
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(EXIT_S)  # so that the exit code is its own, not that of `kill`
        worker.process.kill()
        _close(worker.process)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise FailedError(f"a worker cannot start: it {_describe_exit(worker.process)}")
        self._workers[self._workers.index(worker)] = self._start_worker()


class _Tasks:
    """Hands out batches as tasks, and puts their results in the order of the batches."""

    def __init__(self, batches: Iterator[list[ReadJob]]) -> None:
        self._batches = enumerate(batches)
        self._exhausted = False
        self._single_files: deque[_Task] = deque()  # of batches whose worker died; these come first
        self._results: dict[int, list[BatchResult | None]] = {}  # by batch; None where one is missing
        self._next_batch = 0  # whose results are due
        self._waiting_bytes = 0

    @property
    def is_done(self) -> bool:
        return self._exhausted and not self._results

    def next(self) -> _Task | None:
        """The next task; None if there is none, or while too many results wait for an earlier one."""
        if self._single_files:
            return self._single_files.popleft()
        if self._exhausted or self._waiting_bytes >= MAX_WAITING_BYTES:
            return None
        number, jobs = next(self._batches, (0, []))
        if not jobs:
            self._exhausted = True
            return None
        self._results[number] = [None]
        return _Task(number, 0, jobs)

    def finish(self, task: _Task, result: BatchResult) -> None:
        """Store the result of a task."""
        self._results[task.batch][task.place] = result
        self._waiting_bytes += result.size

    def split(self, task: _Task) -> None:
        """Replace a task by one for each of its files."""
        self._results[task.batch] = [None] * len(task.jobs)
        self._single_files.extend(_Task(task.batch, place, [job]) for place, job in enumerate(task.jobs))

    def in_order(self) -> Iterator[BatchResult]:
        """Remove and yield the results of the next batches that are complete."""
        while self._next_batch in self._results and all(self._results[self._next_batch]):
            for result in self._results.pop(self._next_batch):
                assert result
                self._waiting_bytes -= result.size
                yield result
            self._next_batch += 1


def _close(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process to end and close its pipes."""
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()


def _failed_result(worker: _Worker, job: ReadJob, deadline_s: float) -> BatchResult:
    """The result of a file that killed its worker."""
    if worker.timed_out:
        outcome, reason = "timed out", f"reading it took over {deadline_s:g} s"
    elif worker.process.returncode == OUT_OF_MEMORY:
        outcome, reason = "out of memory", "reading it took more memory than allowed"
    else:
        outcome, reason = "crashed", f"its reader {_describe_exit(worker.process)}"
    digest = sha256(job.data) if job.data is not None else ""
    row = {"fate": outcome, "reason": reason, "hash": digest, "dropped": {}, "notes": 0}
    return BatchResult([row], [b""] * len(ARRAYS))


def _describe_exit(process: subprocess.Popen[bytes]) -> str:
    """How a process ended, as the end of a sentence."""
    code = process.returncode
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"died of {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
