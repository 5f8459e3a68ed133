"""Cluster: the workers of a Dask scheduler in the place of one machine's processes (pool.py).

A task is some batches of files as one message of bytes, and so is its answer (remote.py). What a Dask worker
had under way when it was lost, Dask does again elsewhere. The answers are put in order here, so that the
corpus is the one that a single machine makes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.sources.scan import Source
from ritornello.corpus.workers import dask_worker
from ritornello.corpus.workers.pool import Result
from ritornello.corpus.workers.worker import Job
from ritornello.errors import FailedError, InputError, RitornelloError

T = TypeVar("T")
CONNECT_S = 10.0  # for the scheduler to answer
WORKERS_S = 60.0  # for the first worker to join, or for another one after the last has gone
LOOK_S = 2.0  # between two looks at which workers there are
TASK_BATCHES, TASK_BYTES = 4, 4 << 20  # what a task holds; bytes count where they come out of archives
TASKS_PER_THREAD = 3  # under way, so that no thread of a worker waits for its next one
MAX_WAITING_BYTES = 256 << 20  # answers that wait for an earlier one
AGAIN = "the finished shards stay, the same command goes on from there"


@dataclass
class Cluster:
    """The Dask workers of the scheduler at `address`, with the interface and the settings of a Pool.

    `witnesses` are files with their sizes that each worker must find as they are here.
    """

    address: str
    checks: Checks
    witnesses: list[tuple[bytes, int]] = field(default_factory=list)
    deadline_s: float = 10.0
    memory_bytes: int = 1 << 30
    _client: Any = None
    _thread: Any = None  # gathers, so that there is a look at the workers meanwhile
    _open: ExitStack = field(default_factory=ExitStack)
    _threads: int = 0
    _looked_at: float = float("-inf")

    def __enter__(self) -> Cluster:
        with ExitStack() as stack:
            stack.enter_context(_quiet())
            self._thread = stack.enter_context(ThreadPoolExecutor(1))
            self._client = _connect(self.address, stack)
            self._wait_for_workers()
            self._inspect()
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def settings(self) -> dict[str, Any]:
        """What a task needs to know beside its files."""
        pool = {"checks": asdict(self.checks), "deadline_s": self.deadline_s}
        pool["memory_bytes"] = self.memory_bytes
        return {"pool": pool, "versions": dask_worker.versions(), "witnesses": self.witnesses}

    def run(self, batches: Iterable[list[Job]]) -> Iterator[Result]:
        """The results of all batches in their order; a batch may come in several results, also in order.

        Raises FailedError where the scheduler or all workers are lost for good, InputError where a worker
        that joined later cannot do the work.
        """
        settings, messages = self.settings, enumerate(dask_worker.pack(batches, TASK_BATCHES, TASK_BYTES))
        finished: queue.SimpleQueue[int] = queue.SimpleQueue()
        under_way: dict[int, Any] = {}
        answers: dict[int, bytes] = {}  # that wait for an earlier one
        told, exhausted = 0, False
        while True:
            while not exhausted and len(under_way) < self._most() and _size(answers) < MAX_WAITING_BYTES:
                number, message = next(messages, (0, b""))
                if exhausted := not message:
                    break
                future = self._client.submit(dask_worker.answer, settings, message, pure=False)
                future.add_done_callback(lambda _, number=number: finished.put(number))
                under_way[number] = future
            if not under_way:
                return
            numbers = self._wait(finished)
            answers |= zip(numbers, self._gather([under_way.pop(n) for n in numbers]), strict=True)
            while told in answers:
                yield from (Result(*part) for part in dask_worker.parts(answers.pop(told)))
                told += 1

    def _most(self) -> int:
        """How many tasks are to be under way, by the workers that there were lately."""
        if time.monotonic() >= self._looked_at + LOOK_S:
            self._look()
        return TASKS_PER_THREAD * max(self._threads, 1)

    def _look(self) -> int:
        """Count the threads of all workers. Raises FailedError where the scheduler is gone."""
        try:
            self._threads = sum(self._client.nthreads().values())
        except Exception as error:  # dask has many kinds for it
            raise FailedError(f"the Dask scheduler at {self.address!r} is gone: {AGAIN}") from error
        self._looked_at = time.monotonic()
        return self._threads

    def _wait_for_workers(self) -> None:
        until = time.monotonic() + WORKERS_S
        while not self._look():
            if time.monotonic() > until:
                raise InputError(
                    f"the Dask scheduler at {self.address!r} has no worker after {WORKERS_S:g} s: "
                    f"start some with `dask worker {self.address}`"
                )
            time.sleep(0.2)

    def _inspect(self) -> None:
        """Ask every worker whether it can do the work. Raises InputError that names the first that cannot."""
        try:
            found = self._client.run(dask_worker.problem, self.settings, on_error="return")
        except Exception as error:
            text = f"the Dask scheduler at {self.address!r} cannot ask its workers: {_line(error)}"
            raise FailedError(text) from error
        bad = {worker: said for worker, said in sorted(found.items()) if said}
        for worker, said in bad.items():
            if isinstance(said, Exception):
                said = f"cannot run Ritornello {self.settings['versions']['Ritornello']}: {_line(said)}"
            raise InputError(f"Dask worker {worker} {said} ({len(bad)} of {len(found)} workers cannot work)")

    def _wait(self, finished: queue.SimpleQueue[int]) -> list[int]:
        """The numbers of the tasks that are done, at least one."""
        numbers = [self._patiently(lambda: finished.get(timeout=LOOK_S))]
        while not finished.empty():
            numbers.append(finished.get())
        return numbers

    def _gather(self, futures: list[Any]) -> list[bytes]:
        """The answers of tasks that are done; what was lost since then Dask does again."""
        gathering = self._thread.submit(self._client.gather, futures)
        try:
            return self._patiently(lambda: gathering.result(timeout=LOOK_S))
        except RitornelloError:
            raise
        except Exception as error:
            if isinstance(error, CancelledError) or type(error).__name__ == "CommClosedError":
                raise FailedError(f"the Dask scheduler at {self.address!r} is gone: {AGAIN}") from error
            text = f"the Dask scheduler at {self.address!r} could not have a task done: {_line(error)}"
            raise FailedError(f"{text}; {AGAIN}") from error

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Attempt again and again what is not there yet, as long as there are workers to wait for."""
        until = time.monotonic() + WORKERS_S
        while True:
            try:
                return attempt()
            except (queue.Empty, TimeoutError, FutureTimeoutError) as error:
                if self._look():
                    until = time.monotonic() + WORKERS_S
                elif time.monotonic() > until:
                    text = f"the Dask scheduler at {self.address!r} has had no worker for {WORKERS_S:g} s"
                    raise FailedError(f"{text}: {AGAIN}") from error


def witnesses(folder: Path, sources: Sequence[Source]) -> list[tuple[bytes, int]]:
    """Up to three of the files that can be read here, spread over the folder: their paths and sizes.

    An archive is none: it is read here, and its songs are sent.
    """
    count, plain = len(sources), []
    for start in {0, count // 3, 2 * count // 3}:
        near = (sources[place] for place in range(start, min(start + 1000, count)))
        plain += [source for source in near if source.size > 0 and not source.is_archive][:1]
    root = os.fsencode(folder)
    pairs = [(os.path.join(root, source.path), source.size) for source in plain]  # noqa: PTH118
    return [pair for pair in pairs if not dask_worker.unseen(*pair)]


def _connect(address: str, stack: ExitStack) -> Any:
    """A client of the scheduler, closed with `stack`. Raises InputError without dask or scheduler."""
    try:
        import dask
        import distributed
    except ImportError as error:
        raise InputError(
            f'the engine dask needs dask: pip install "ritornello[cluster]" ({error})'
        ) from error
    # a task may hold a large file out of an archive: no warning for that
    stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GiB"}))
    with ThreadPoolExecutor(1) as thread:  # in a thread: a notebook has a loop of its own in this one
        reason = thread.submit(asyncio.run, _answers(address)).result()
    if reason:
        raise InputError(
            f"no Dask scheduler answers at {address!r} ({reason}): give the address that `dask scheduler` "
            "prints, such as tcp://10.0.0.1:8786"
        )
    connect: Any = distributed.Client
    return stack.enter_context(connect(address, timeout=CONNECT_S, set_as_default=False, name="ritornello"))


async def _answers(address: str) -> str:
    """Why no scheduler answers at an address, or "". A Client would hang where something else answers."""
    import distributed

    async def ask() -> str:
        how: Any = distributed.Security().get_connection_args("client")
        async with distributed.rpc(address, timeout=CONNECT_S, connection_args=how) as other:
            kind = str((await other.identity())["type"])
        return "" if kind == "Scheduler" else f"a Dask {kind.lower()} does"

    try:
        return await asyncio.wait_for(ask(), CONNECT_S)
    except asyncio.TimeoutError:
        return f"waited {CONNECT_S:g} s"
    except (OSError, ValueError, TypeError) as error:
        return str(error)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from logging what is dealt with here, in pages, on standard error."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _size(answers: dict[int, bytes]) -> int:
    return sum(map(len, answers.values()))


def _line(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
