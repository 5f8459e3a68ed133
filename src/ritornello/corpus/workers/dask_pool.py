"""A pool with the interface of pool.py whose files are read by the workers of a Dask scheduler.

A task is a message of bytes with some batches of files, and its answer is another (dask_worker.py). Dask
repeats the tasks of a worker that is lost. Answers are put back in order here, so the corpus is the same as
from one machine.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.sources.scan import Source, Sources
from ritornello.corpus.workers import dask_worker
from ritornello.corpus.workers.pool import BatchResult
from ritornello.corpus.workers.worker import ReadJob
from ritornello.errors import FailedError, InputError, RitornelloError

T = TypeVar("T")
CONNECT_S = 10.0  # longest time for the scheduler to answer
WORKERS_S = 60.0  # longest time without any worker
POLL_S = 2.0  # the time between two requests for the list of workers
TASK_BATCHES, TASK_BYTES = 4, 4 << 20  # a task is full at either limit; only files from archives add bytes
TASKS_PER_THREAD = 3  # are submitted at once, so that no thread of a worker waits for its next task
MAX_WAITING_BYTES = 256 << 20  # the most bytes of answers that wait for an earlier answer
RESUME = "finished shards are kept, run the same command to go on"


@dataclass
class DaskPool:
    """The Dask workers of the scheduler at `address`, with the interface and the settings of `Pool`.

    `probe_files` are paths and sizes in bytes of files that every worker must be able to read.
    """

    address: str
    checks: CheckSettings
    probe_files: list[tuple[bytes, int]] = field(default_factory=list)
    deadline_s: float = 10.0
    memory_bytes: int = 1 << 30
    _client: Any = None
    _thread: Any = None  # gathers answers, so that the workers can be counted meanwhile
    _context: ExitStack = field(default_factory=ExitStack)
    _worker_threads: int = 0
    _counted_at: float = float("-inf")

    def __enter__(self) -> DaskPool:
        with ExitStack() as stack:
            stack.enter_context(_without_logging())
            self._thread = stack.enter_context(ThreadPoolExecutor(1))
            self._client = _connect(self.address, stack)
            self._wait_for_workers()
            self._check_workers()
            self._context = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a task, which JSON can hold, except for `probe_files`."""
        pool = {"checks": asdict(self.checks), "deadline_s": self.deadline_s}
        pool["memory_bytes"] = self.memory_bytes
        return {"pool": pool, "versions": dask_worker.versions(), "probe_files": self.probe_files}

    def run(self, batches: Iterable[list[ReadJob]]) -> Iterator[BatchResult]:
        """Read all batches, and yield their results in order; a batch may have several results.

        Raises FailedError if the scheduler is lost, or if there is no worker for WORKERS_S. Raises InputError
        if a worker that joined later cannot read the files.
        """
        settings, messages = self.settings, enumerate(dask_worker.pack(batches, TASK_BATCHES, TASK_BYTES))
        finished: queue.SimpleQueue[int] = queue.SimpleQueue()
        submitted: dict[int, Any] = {}  # futures by task
        answers: dict[int, bytes] = {}  # by task; they wait for an earlier one
        next_task, exhausted = 0, False
        while True:
            while not exhausted and len(submitted) < self._max_tasks() and _size(answers) < MAX_WAITING_BYTES:
                number, message = next(messages, (0, b""))
                if exhausted := not message:
                    break
                future = self._client.submit(dask_worker.run_task, settings, message, pure=False)
                future.add_done_callback(lambda _, number=number: finished.put(number))
                submitted[number] = future
            if not submitted:
                return
            numbers = self._wait(finished)
            answers |= zip(numbers, self._gather([submitted.pop(n) for n in numbers]), strict=True)
            while next_task in answers:
                yield from (BatchResult(*message) for message in dask_worker.unpack(answers.pop(next_task)))
                next_task += 1

    def _max_tasks(self) -> int:
        """How many tasks to submit at once, from the number of workers at most POLL_S ago."""
        if time.monotonic() >= self._counted_at + POLL_S:
            self._count_threads()
        return TASKS_PER_THREAD * max(self._worker_threads, 1)

    def _count_threads(self) -> int:
        """Count the threads of all workers. Raises FailedError if the scheduler is gone."""
        try:
            self._worker_threads = sum(self._client.nthreads().values())
        except Exception as error:  # dask raises many classes for it
            raise FailedError(f"the Dask scheduler at {self.address!r} is gone: {RESUME}") from error
        self._counted_at = time.monotonic()
        return self._worker_threads

    def _wait_for_workers(self) -> None:
        until = time.monotonic() + WORKERS_S
        while not self._count_threads():
            if time.monotonic() > until:
                raise InputError(
                    f"the Dask scheduler at {self.address!r} has no worker after {WORKERS_S:g} s: "
                    f"start some with `dask worker {self.address}`"
                )
            time.sleep(0.2)

    def _check_workers(self) -> None:
        """Ask every worker whether it can read the files. Raises InputError if one cannot."""
        try:
            problems = self._client.run(dask_worker.worker_problem, self.settings, on_error="return")
        except Exception as error:
            text = f"the Dask scheduler at {self.address!r} cannot reach its workers: {_one_line(error)}"
            raise FailedError(text) from error
        bad = {worker: problem for worker, problem in sorted(problems.items()) if problem}
        for worker, problem in bad.items():
            if isinstance(problem, Exception):
                version = self.settings["versions"]["Ritornello"]
                problem = f"cannot run Ritornello {version}: {_one_line(problem)}"
            count = f"{len(bad)} of {len(problems)} workers cannot read the files"
            raise InputError(f"Dask worker {worker} {problem} ({count})")

    def _wait(self, finished: queue.SimpleQueue[int]) -> list[int]:
        """Wait until tasks are done; returns their numbers, at least one."""
        numbers = [self._retry(lambda: finished.get(timeout=POLL_S))]
        while not finished.empty():
            numbers.append(finished.get())
        return numbers

    def _gather(self, futures: list[Any]) -> list[bytes]:
        """The answers of finished tasks; Dask repeats a task whose answer was lost."""
        gathering = self._thread.submit(self._client.gather, futures)
        try:
            return self._retry(lambda: gathering.result(timeout=POLL_S))
        except RitornelloError:
            raise
        except Exception as error:
            if isinstance(error, CancelledError) or type(error).__name__ == "CommClosedError":
                raise FailedError(f"the Dask scheduler at {self.address!r} is gone: {RESUME}") from error
            text = f"a task of the Dask scheduler at {self.address!r} failed: {_one_line(error)}"
            raise FailedError(f"{text}; {RESUME}") from error

    def _retry(self, attempt: Callable[[], T]) -> T:
        """Repeat `attempt` while it times out. Raises FailedError after WORKERS_S without any worker."""
        until = time.monotonic() + WORKERS_S
        while True:
            try:
                return attempt()
            except (queue.Empty, TimeoutError, FutureTimeoutError) as error:
                if self._count_threads():
                    until = time.monotonic() + WORKERS_S
                elif time.monotonic() > until:
                    text = f"the Dask scheduler at {self.address!r} has had no worker for {WORKERS_S:g} s"
                    raise FailedError(f"{text}: {RESUME}") from error


def probe_files(folder: Path, sources: Sources | list[Source]) -> list[tuple[bytes, int]]:
    """Paths and sizes of up to three readable files, spread over the folder.

    Archives are left out: they are opened on this machine, and their songs are sent to the workers.
    """
    count, plain = len(sources), []
    for start in {0, count // 3, 2 * count // 3}:
        following = (sources[place] for place in range(start, min(start + 1000, count)))
        plain += [source for source in following if source.size > 0 and not source.is_archive][:1]
    root = os.fsencode(folder)
    pairs = [(os.path.join(root, source.path), source.size) for source in plain]  # noqa: PTH118
    return [pair for pair in pairs if not dask_worker.read_problem(*pair)]


def _connect(address: str, stack: ExitStack) -> Any:
    """Connect to the scheduler until `stack` closes. Raises InputError without dask or the scheduler."""
    try:
        import dask
        import distributed
    except ImportError as error:
        raise InputError(
            f'the engine dask needs dask: pip install "ritornello[cluster]" ({error})'
        ) from error
    # a task may hold a large file from an archive, of which Dask would warn
    stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GiB"}))
    with ThreadPoolExecutor(1) as thread:  # a notebook already runs an event loop in this thread
        reason = thread.submit(asyncio.run, _connection_problem(address)).result()
    if reason:
        raise InputError(
            f"no Dask scheduler answers at {address!r} ({reason}): give the address that `dask scheduler` "
            "prints, such as tcp://10.0.0.1:8786"
        )
    connect: Any = distributed.Client
    return stack.enter_context(connect(address, timeout=CONNECT_S, set_as_default=False, name="ritornello"))


async def _connection_problem(address: str) -> str:
    """The reason why no scheduler answers at `address`, or "". A Dask client would hang on another server."""
    import distributed

    async def ask() -> str:
        options: Any = distributed.Security().get_connection_args("client")
        async with distributed.rpc(address, timeout=CONNECT_S, connection_args=options) as other:
            kind = str((await other.identity())["type"])
        return "" if kind == "Scheduler" else f"a Dask {kind.lower()} answers there"

    try:
        return await asyncio.wait_for(ask(), CONNECT_S)
    except asyncio.TimeoutError:
        return f"no answer within {CONNECT_S:g} s"
    except (OSError, ValueError, TypeError) as error:
        return str(error)


@contextmanager
def _without_logging() -> Iterator[None]:
    """Suppress Dask's log messages about failures that are handled here."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _size(answers: dict[int, bytes]) -> int:
    return sum(map(len, answers.values()))


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
