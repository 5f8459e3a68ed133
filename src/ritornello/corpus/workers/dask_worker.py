"""Run the tasks of dask_pool.py in a Dask worker, on any machine.

A Pool of one process reads the files, and is kept for the next task. So a file that crashes its reader, or
makes it hang, affects neither other files nor the Dask worker.
"""

import io
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.workers.pool import Pool
from ritornello.corpus.workers.worker import ReadJob, pack_jobs, unpack_jobs
from ritornello.errors import InputError
from ritornello.system.ipc import receive, send
from ritornello.system.version import __version__

IDLE_S = 30.0  # a pool ends after this time without a task


def run_task(settings: dict[str, Any], message: bytes) -> bytes:
    """Read the batches in `message`, which `pack` made; return their results as joined messages.

    Raises InputError if this worker cannot read the files of the folder.
    """
    _raise_problem(settings)
    stream, not_opened = io.BytesIO(), False
    with _borrowed_pool(settings["pool"]) as pool:
        for result in pool.run(unpack_jobs(*batch) for batch in unpack(message)):
            not_opened |= any(row["fate"] == "cannot open" for row in result.rows)
            send(stream, result.rows, result.arrays)
    if not_opened:  # either the file cannot be opened, or the shared folder is gone
        _raise_problem(settings)
    return stream.getvalue()


def worker_problem(settings: dict[str, Any]) -> str:
    """The reason why this worker cannot read the files like the calling machine, or ""."""
    installed = versions()
    for name, required in settings["versions"].items():
        if installed.get(name) != required:
            return f"has {name} {installed.get(name)}: must be {required} as where `ritornello prepare` runs"
    for path, size in settings["probe_files"]:
        if reason := read_problem(path, size):
            problem = f"cannot read {os.fsdecode(path)!r} ({reason})"
            return f"{problem}: the folder must be on shared storage, at the same path on all machines"
    return ""


def _raise_problem(settings: dict[str, Any]) -> None:
    if reason := worker_problem(settings):
        raise InputError(f"a Dask worker on {socket.gethostname()} {reason}")


def versions() -> dict[str, str]:
    """The versions that must be equal on all machines, so that all read a file in the same way."""
    installed = {"Python": f"{sys.version_info.major}.{sys.version_info.minor}", "Ritornello": __version__}
    for name in ("symusic", "mido"):
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = "none"
    return installed


def read_problem(path: bytes, size: int) -> str:
    """The reason why a file, of `size` bytes on the calling machine, cannot be read here, or ""."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (names need not be UTF-8)
            file.read(1)
            size_here = os.fstat(file.fileno()).st_size
    except OSError as error:
        return error.strerror or str(error)
    return "" if size_here == size else f"it has {size_here} bytes here, not {size}"


class _IdlePool(NamedTuple):
    """A pool without a task, and the timer that ends it."""

    settings: dict[str, Any]
    pool: Pool
    timer: threading.Timer


_idle_pools: list[_IdlePool] = []
_lock = threading.Lock()  # for `_idle_pools`


@contextmanager
def _borrowed_pool(settings: dict[str, Any]) -> Iterator[Pool]:
    """An idle pool with these settings, or a new one; it becomes idle again unless the task fails."""
    pool = _take_idle(lambda idle: idle.settings == settings)
    if not pool:
        options = settings | {"checks": CheckSettings(**settings["checks"])}
        pool = Pool(1, **options).__enter__()
    try:
        yield pool
    except BaseException:
        pool.__exit__()
        raise
    timer = threading.Timer(IDLE_S, _end, [pool])
    timer.daemon = True
    with _lock:
        _idle_pools.append(_IdlePool(settings, pool, timer))
    timer.start()


def _take_idle(fits: Callable[[_IdlePool], bool]) -> Pool | None:
    """Remove and return the first idle pool that fits, if there is one."""
    with _lock:
        for place, idle in enumerate(_idle_pools):
            if fits(idle):
                del _idle_pools[place]
                idle.timer.cancel()
                return idle.pool
    return None


def _end(pool: Pool) -> None:
    """End the process of a pool if it is still idle."""
    if _take_idle(lambda idle: idle.pool is pool):
        pool.__exit__()


def pack(batches: Iterable[list[ReadJob]], max_batches: int, enough_bytes: int) -> Iterator[bytes]:
    """Join batches into tasks: a task ends with `max_batches` batches, or once it has `enough_bytes`."""
    stream, count = io.BytesIO(), 0
    for jobs in batches:
        send(stream, *pack_jobs(jobs))
        count += 1
        if count == max_batches or stream.tell() >= enough_bytes:
            yield stream.getvalue()
            stream, count = io.BytesIO(), 0
    if count:
        yield stream.getvalue()


def unpack(message: bytes) -> Iterator[tuple[Any, list[bytes]]]:
    """The value and arrays of each of the joined messages (ipc.py) in `message`."""
    stream = io.BytesIO(message)
    while stream.tell() < len(message):
        yield receive(stream)
