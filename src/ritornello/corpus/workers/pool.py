"""Pool: worker processes under supervision. One that dies, hangs or eats memory costs its one file.

The standard pools lose or hang the whole batch when a worker dies. Here each worker (worker.py) holds one
batch of files; a batch that a worker dies of is done again file by file, so that the one to blame is known,
gets its fate, and the others come out as if nothing had happened.
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

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.workers.ipc import receive, send
from ritornello.corpus.workers.worker import ARRAYS, OUT_OF_MEMORY, Job, pack_jobs
from ritornello.errors import FailedError
from ritornello.system.files import sha256

ROOT = str(Path(__file__).parents[3])
COMMAND = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {ROOT!r}); from ritornello.corpus.workers.worker import main; main()",
]
MAX_WAITING_BYTES = 64 << 20  # results that wait for an earlier one
START_S = 60.0  # for a worker to start
DYING_S = 0.5  # from the end of a worker's answers to its own end
MAX_FAILED_STARTS = 3  # in a row


class Result(NamedTuple):
    """What became of some files: a row each, and the joined arrays of the kept songs (worker.ARRAYS)."""

    rows: list[dict[str, Any]]
    arrays: list[bytes]

    @property
    def size(self) -> int:
        """Bytes that it takes, but for the rows."""
        return sum(map(len, self.arrays))


@dataclass(eq=False)
class _Task:
    """A batch, or one file of a batch that a worker died of."""

    batch: int
    place: int  # of its first file in the batch
    jobs: list[Job]


@dataclass(eq=False)
class _Worker:
    """A process, what it is at, and until when."""

    process: subprocess.Popen[bytes]
    task: _Task | None = None
    until: float = 0.0
    ready: bool = False
    late: bool = False


@dataclass
class Pool:
    """`workers` processes that apply `checks`; a file gets `deadline_s` seconds and `memory_bytes`.

    With `diagnose` the results are what the doctor asks, without the notes (worker.examine).
    Use it as a context manager: when it closes, its processes are gone.
    """

    workers: int
    checks: Checks
    deadline_s: float = 10.0
    memory_bytes: int = 1 << 30
    diagnose: bool = False
    _crew: list[_Worker] = field(default_factory=list)
    _failed_starts: int = 0
    _answers: queue.SimpleQueue[tuple[_Worker, Result | None]] = field(default_factory=queue.SimpleQueue)

    def __enter__(self) -> Pool:
        self._crew = [self._hire() for _ in range(self.workers)]
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._crew:
            worker.process.kill()
        for worker in self._crew:
            _bury(worker.process)

    def run(self, batches: Iterable[list[Job]]) -> Iterator[Result]:
        """The results of all batches in their order; a batch may come in several results, also in order."""
        work = _Work(iter(batches))
        while True:
            for worker in self._crew:
                if worker.ready and not worker.task and (task := work.next()):
                    self._give(worker, task)
            if work.is_done:
                return
            worker, answer = self._next_answer()
            task, worker.task = worker.task, None
            if not task:
                continue
            if answer:
                work.finish(task, answer)
            elif len(task.jobs) == 1:
                work.finish(task, _lost(worker, task.jobs[0], self.deadline_s))
            else:
                work.split(task)
            yield from work.in_order()

    def _hire(self) -> _Worker:
        """Start a worker and a thread that listens to it."""
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(COMMAND, **pipes, stderr=subprocess.DEVNULL, env=os.environ | threads)
        worker = _Worker(process, until=time.monotonic() + START_S)
        settings: dict[str, Any] = {"checks": asdict(self.checks), "deadline_s": self.deadline_s}
        settings |= {"memory_bytes": self.memory_bytes, "diagnose": self.diagnose}
        with suppress(OSError):  # a worker that is dead already is noticed by its listener
            send(process.stdin, settings)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        """Put all that a worker answers into the queue, None when it is gone."""
        try:
            while True:
                rows, arrays = receive(worker.process.stdout)
                self._answers.put((worker, Result(rows, arrays)))
        except (EOFError, OSError, ValueError):
            self._answers.put((worker, None))

    def _give(self, worker: _Worker, task: _Task) -> None:
        worker.task, worker.until = task, time.monotonic() + self.deadline_s
        with suppress(OSError):
            send(worker.process.stdin, *pack_jobs(task.jobs))

    def _next_answer(self) -> tuple[_Worker, Result | None]:
        """The next worker to be free, with its result or None if it died; the dead are replaced."""
        while True:
            busy = [worker for worker in self._crew if worker.task or not worker.ready]
            wait_s = max(0.0, min(worker.until for worker in busy) - time.monotonic())
            try:
                worker, answer = self._answers.get(timeout=wait_s)
            except queue.Empty:
                for worker in busy:
                    if worker.until <= time.monotonic():
                        worker.late = True
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
        """Put a new worker in the place of a dead one. Raises FailedError if they die at birth."""
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(DYING_S)  # so that its own exit code is told, and not that we killed it
        worker.process.kill()
        _bury(worker.process)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise FailedError(f"a worker cannot start: it {_ending(worker.process)}")
        self._crew[self._crew.index(worker)] = self._hire()


class _Work:
    """The batches that are given out and the results that come back, put in order again."""

    def __init__(self, source: Iterator[list[Job]]) -> None:
        self.source = enumerate(source)
        self.exhausted = False
        self.again: deque[_Task] = deque()  # single files of broken batches: they come first
        self.done: dict[int, list[Result | None]] = {}  # by batch; None is still to come
        self.told = 0
        self.waiting_bytes = 0

    @property
    def is_done(self) -> bool:
        return self.exhausted and not self.done

    def next(self) -> _Task | None:
        """Something to do, if there is anything and the results that wait for their turn are not too many."""
        if self.again:
            return self.again.popleft()
        if self.exhausted or self.waiting_bytes >= MAX_WAITING_BYTES:
            return None
        number, jobs = next(self.source, (0, []))
        if not jobs:
            self.exhausted = True
            return None
        self.done[number] = [None]
        return _Task(number, 0, jobs)

    def finish(self, task: _Task, result: Result) -> None:
        """Note the result of a task."""
        self.done[task.batch][task.place] = result
        self.waiting_bytes += result.size

    def split(self, task: _Task) -> None:
        """Do a task again, each of its files by itself."""
        self.done[task.batch] = [None] * len(task.jobs)
        self.again.extend(_Task(task.batch, place, [job]) for place, job in enumerate(task.jobs))

    def in_order(self) -> Iterator[Result]:
        """The results whose turn it is."""
        while self.told in self.done and all(self.done[self.told]):
            for result in self.done.pop(self.told):
                assert result
                self.waiting_bytes -= result.size
                yield result
            self.told += 1


def _bury(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()


def _lost(worker: _Worker, job: Job, deadline_s: float) -> Result:
    """The result of a file that its worker died of."""
    if worker.late:
        fate, reason = "timed out", f"reading it took over {deadline_s:g} s"
    elif worker.process.returncode == OUT_OF_MEMORY:
        fate, reason = "out of memory", "reading it took more memory than allowed"
    else:
        fate, reason = "crashed", f"its reader {_ending(worker.process)}"
    known = sha256(job.data) if job.data is not None else ""
    row = {"fate": fate, "reason": reason, "hash": known, "dropped": {}, "notes": 0}
    return Result([row], [b""] * len(ARRAYS))


def _ending(process: subprocess.Popen[bytes]) -> str:
    """How a process ended, in words."""
    code = process.returncode
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"died of {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
