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

from ritornello.errors import FailedError
from ritornello.files import sha256
from ritornello.preparing.check import Checks
from ritornello.preparing.wire import receive, send
from ritornello.preparing.worker import ARRAYS, OUT_OF_MEMORY, Job, pack_jobs

ROOT = str(Path(__file__).parents[2])
COMMAND = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {ROOT!r}); from ritornello.preparing.worker import main; main()",
]
MAX_WAITING_BYTES = 64 << 20  # results that wait for an earlier one
START_S = 60.0  # for a worker to start


class Result(NamedTuple):
    """What became of some files: a row each, and the joined arrays of the kept songs (worker.ARRAYS)."""

    rows: list[dict[str, Any]]
    arrays: list[bytes]


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

    Use it as a context manager: when it closes, its processes are gone.
    """

    workers: int
    checks: Checks
    deadline_s: float = 10.0
    memory_bytes: int = 1 << 30
    _crew: list[_Worker] = field(default_factory=list)
    _answers: queue.SimpleQueue[tuple[_Worker, Any]] = field(default_factory=queue.SimpleQueue)

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
        source = enumerate(batches)
        again: deque[_Task] = deque()  # single files of broken batches: they come first
        done: dict[int, list[Result | None]] = {}
        asked, told, waiting_bytes = 0, 0, 0
        exhausted = False
        while True:
            for worker in self._crew:
                if worker.task or not worker.ready:
                    continue
                if not again and not exhausted and waiting_bytes < MAX_WAITING_BYTES:
                    number, jobs = next(source, (0, []))
                    exhausted = not jobs
                    if jobs:
                        done[number] = [None]
                        asked = number + 1
                        again.append(_Task(number, 0, jobs))
                if again:
                    self._give(worker, again.popleft())
            if exhausted and told == asked:
                return
            worker, answer = self._next_answer()
            task, worker.task = worker.task, None
            if isinstance(answer, Result) and task:
                done[task.batch][task.place] = answer
                waiting_bytes += sum(map(len, answer.arrays))
            elif task and len(task.jobs) > 1:
                done[task.batch] = [None] * len(task.jobs)
                again.extend(_Task(task.batch, place, [job]) for place, job in enumerate(task.jobs))
            elif task:
                done[task.batch][task.place] = _lost(worker, task.jobs[0], self.deadline_s)
            while told in done and None not in done[told]:
                for result in done.pop(told):
                    assert result is not None
                    waiting_bytes -= sum(map(len, result.arrays))
                    yield result
                told += 1

    def _hire(self) -> _Worker:
        """Start a worker and a thread that listens to it."""
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(COMMAND, **pipes, stderr=subprocess.DEVNULL, env=os.environ | threads)
        worker = _Worker(process, until=time.monotonic() + START_S)
        settings: dict[str, Any] = {"checks": asdict(self.checks), "deadline_s": self.deadline_s}
        settings["memory_bytes"] = self.memory_bytes
        with suppress(OSError):  # a worker that is dead already is noticed by its listener
            send(process.stdin, settings)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        """Put all that a worker answers into the queue, None when it is gone."""
        try:
            while True:
                rows, arrays = receive(worker.process.stdout)
                self._answers.put((worker, rows if rows == "ready" else Result(rows, arrays)))
        except (EOFError, OSError, ValueError):
            self._answers.put((worker, None))

    def _give(self, worker: _Worker, task: _Task) -> None:
        worker.task, worker.until = task, time.monotonic() + self.deadline_s
        with suppress(OSError):
            send(worker.process.stdin, *pack_jobs(task.jobs))

    def _next_answer(self) -> tuple[_Worker, Any]:
        """The next result or death of a worker that had something to do; the dead are replaced."""
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
            if answer == "ready":
                worker.ready = True
                return worker, answer
            if answer is None:
                worker.process.kill()
                _bury(worker.process)
                if not worker.ready:
                    raise FailedError(f"a worker cannot start: it {_ending(worker.process)}")
                self._crew[self._crew.index(worker)] = self._hire()
            if worker.task:
                return worker, answer


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
