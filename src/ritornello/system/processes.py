"""Call a function for many items in several processes, any of which may die, such as for lack of memory.

Each process has a pipe of its own. If a process is killed while it sends a result, only its pipe is closed.
(In concurrent.futures all processes share a pipe and its lock: if one is killed while it sends, all others
and the caller wait without end.)
"""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
CHUNK_ITEMS = 8  # by default items are sent to a process in chunks of this size
SENT_CHUNKS = 2  # a process has so many chunks at once, so that it need not wait for the next


def available_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def child_environment() -> dict[str, str]:
    """Return the environment of a new Python process with this one's modules and a single thread."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109
    return os.environ | ONE_THREAD | {"PYTHONPATH": paths}


def in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    broken: Callable[[Item], Result],
    items_at_once: int = CHUNK_ITEMS,
) -> Generator[Result, None, None]:
    """Yield the results of `function` for `items`, in order; the function and the items are not pickled.

    Each process gets `items_at_once` at a time. If the process of an item ends, the result of the item is
    that of `broken`. If the system cannot fork safely, this process does all items. Ctrl-C ends the processes
    at once. Raises what `function` raises.
    """
    if processes < 2 or sys.platform in ("win32", "darwin"):  # these cannot fork, or not safely with threads
        yield from map(function, items)
        return
    pool = _Pool(lambda index: function(items[index]), len(items), processes, items_at_once)
    try:
        for index, (result, error, is_lost) in enumerate(pool.results()):
            if error is not None:
                raise error
            yield broken(items[index]) if is_lost else result
    finally:
        pool.kill()


class _Pool:
    """Processes that call a function for the numbers below `count`."""

    def __init__(
        self, function: Callable[[int], Any], count: int, processes: int, items_at_once: int
    ) -> None:
        self.function, self.count = function, count
        firsts = range(0, count, items_at_once)
        self.chunks = deque(range(first, min(first + items_at_once, count)) for first in firsts)
        self.workers: list[_Worker] = []
        for _ in range(min(processes, len(self.chunks))):
            self._start_worker()

    def results(self) -> Generator[tuple[Any, Exception | None, bool], None, None]:
        """Yield for each number in order its result, its error or None, and whether its process ended."""
        done: dict[int, tuple[Any, Exception | None, bool]] = {}  # results that wait for an earlier one
        for index in range(self.count):
            while index not in done:
                done |= self._wait()
            yield done.pop(index)

    def kill(self) -> None:
        """End all processes."""
        for worker in self.workers:
            worker.kill()

    def _start_worker(self) -> None:
        worker = _Worker(self.function, self.workers)
        self.workers.append(worker)
        self._send(worker)

    def _send(self, worker: "_Worker") -> None:
        """Send a worker its next chunks; if the worker is gone, reading its answer will show it."""
        while self.chunks and len(worker.chunks) < SENT_CHUNKS:
            chunk = self.chunks.popleft()
            worker.chunks.append(chunk)
            with suppress(OSError):
                worker.pipe.send(chunk)

    def _wait(self) -> dict[int, tuple[Any, Exception | None, bool]]:
        """Wait for answers, and return their results by number."""
        results: dict[int, tuple[Any, Exception | None, bool]] = {}
        ready = set(wait([worker.pipe for worker in self.workers]))
        for worker in [worker for worker in self.workers if worker.pipe in ready]:
            try:
                answer = worker.pipe.recv()
            except (EOFError, OSError):
                results |= self._replace(worker)
                continue
            results |= zip(worker.chunks.popleft(), ((*pair, False) for pair in answer), strict=True)
            self._send(worker)
        return results

    def _replace(self, worker: "_Worker") -> dict[int, tuple[Any, Exception | None, bool]]:
        """Start another process in place of one that ended; its items are tried again one by one."""
        worker.kill()
        self.workers.remove(worker)
        lost = worker.chunks.popleft() if worker.chunks else range(0)
        singles = [range(number, number + 1) for number in lost] if len(lost) > 1 else []
        self.chunks.extendleft(reversed([*singles, *worker.chunks]))
        self._start_worker()
        return {} if singles else dict.fromkeys(lost, (None, None, True))


class _Worker:
    """A process that was forked from this one, its pipe, and the chunks that it has not yet answered."""

    def __init__(self, function: Callable[[int], Any], others: Iterable["_Worker"]) -> None:
        context = multiprocessing.get_context("fork")
        self.chunks: deque[range] = deque()
        self.pipe, child_end = context.Pipe()
        inherited = [self.pipe, *(other.pipe for other in others)]
        self.process = context.Process(target=_serve, args=(child_end, inherited, function), daemon=True)
        self.process.start()
        child_end.close()  # so that the end of the process ends the pipe

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection, inherited: list[Connection], function: Callable[[int], Any]) -> None:
    """Answer chunks of numbers with their results until the pipe is closed; this is the forked process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    for other in inherited:  # the parent's ends of other pipes: closed, so that the pipes end with the parent
        other.close()
    with suppress(EOFError, OSError):
        while True:
            pipe.send([_call(function, index) for index in pipe.recv()])


def _call(function: Callable[[int], Any], index: int) -> tuple[Any, Exception | None]:
    try:
        return function(index), None
    except Exception as error:
        return None, error
