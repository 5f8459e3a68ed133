"""Call a function for many items in several processes of which one may end, such as for want of memory."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK_ITEMS = 8  # that are sent to a process at a time
_function: Callable[[Any], Any] | None = None  # what the forked processes call


def available_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    broken: Callable[[Item], Result],
) -> Generator[Result, None, None]:
    """Yield the results of `function` for `items`, in order; the function and the items are not pickled.

    For an item whose process ends, the result is that of `broken`. Where the system cannot fork safely, this
    process does all of it. Ctrl-C ends the processes at once.
    """
    if processes < 2 or sys.platform in ("win32", "darwin"):  # no fork, or none that is safe with threads
        yield from map(function, items)
        return
    global _function
    _function, done = lambda index: function(items[index]), 0
    while done < len(items):
        try:
            for result in _of_pool(range(done, len(items)), processes):
                done += 1
                yield result
        except BrokenProcessPool:  # by one of the items in work; the first one gets a process of its own
            try:
                results = list(_of_pool([done], 1))
            except BrokenProcessPool:
                results = [broken(items[done])]
            done += 1
            yield from results


def _of_pool(indices: Sequence[int], processes: int) -> Generator[Any, None, None]:
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(processes, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        yield from pool.map(_call, indices, chunksize=CHUNK_ITEMS)
    except BaseException:  # such as Ctrl-C, perhaps twice: nothing waits for a process that is alive
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _call(index: int) -> Any:
    assert _function is not None
    return _function(index)
