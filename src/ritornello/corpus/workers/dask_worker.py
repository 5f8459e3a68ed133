"""Remote: the far end of cluster.py, in a Dask worker on some machine: files in, what became of them out.

The files go through a Pool of one process, which then rests for the next task. So a parser that dies, hangs
or eats memory costs its own file there too, and never the Dask worker.
"""

from __future__ import annotations

import io
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.workers.ipc import receive, send
from ritornello.corpus.workers.pool import Pool
from ritornello.corpus.workers.worker import Job, pack_jobs, unpack_jobs
from ritornello.errors import InputError
from ritornello.system.version import __version__

REST_S = 30.0  # that a process waits for its next task


def answer(settings: dict[str, Any], message: bytes) -> bytes:
    """Do a task: batches of files as a message of `pack`, answered with their results as another message.

    Raises InputError where this worker has a `problem`, also when a file cannot be opened because of it.
    """
    _refuse(settings)
    stream, shut = io.BytesIO(), False
    with _pool(settings["pool"]) as pool:
        for result in pool.run(unpack_jobs(*part) for part in parts(message)):
            shut |= any(row["fate"] == "cannot open" for row in result.rows)
            send(stream, result.rows, result.arrays)
    if shut:  # because of the file, or has the shared folder gone?
        _refuse(settings)
    return stream.getvalue()


def problem(settings: dict[str, Any]) -> str:
    """Why the worker that this runs on cannot do the work, in words, or "" if it can."""
    here = versions()
    for name, wanted in settings["versions"].items():
        if here.get(name) != wanted:
            return f"has {name} {here.get(name)}, must be {wanted} as where `ritornello prepare` runs"
    for path, size in settings["witnesses"]:
        if reason := unseen(path, size):
            shown = f"cannot read {os.fsdecode(path)!r} ({reason})"
            return f"{shown}: the folder must be on shared storage, at the same path on all machines"
    return ""


def _refuse(settings: dict[str, Any]) -> None:
    if reason := problem(settings):
        raise InputError(f"a Dask worker on {socket.gethostname()} {reason}")


def versions() -> dict[str, str]:
    """What must be the same on all machines, so that they make of a file the same: Python and the readers."""
    found = {"Python": f"{sys.version_info.major}.{sys.version_info.minor}", "Ritornello": __version__}
    for name in ("symusic", "mido"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def unseen(path: bytes, size: int) -> str:
    """Why a file of `size` bytes cannot be read here, or ""."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (names need not be UTF-8)
            file.read(1)
            found = os.fstat(file.fileno()).st_size
    except OSError as error:
        return error.strerror or str(error)
    return "" if found == size else f"it has {found} bytes here, not {size}"


class _Resting(NamedTuple):
    """A pool between two tasks, and the timer that ends it."""

    settings: dict[str, Any]
    pool: Pool
    timer: threading.Timer


_resting: list[_Resting] = []
_lock = threading.Lock()


@contextmanager
def _pool(settings: dict[str, Any]) -> Iterator[Pool]:
    """A pool of one process for one task, alone; it rests afterwards if all went well."""
    pool = _take(lambda resting: resting.settings == settings)
    if not pool:
        known = settings | {"checks": Checks(**settings["checks"])}
        pool = Pool(1, **known).__enter__()
    try:
        yield pool
    except BaseException:
        pool.__exit__()
        raise
    timer = threading.Timer(REST_S, _dismiss, [pool])
    timer.daemon = True
    with _lock:
        _resting.append(_Resting(settings, pool, timer))
    timer.start()


def _take(fits: Callable[[_Resting], bool]) -> Pool | None:
    """A resting pool that fits, if there is one; it rests no longer."""
    with _lock:
        for place, resting in enumerate(_resting):
            if fits(resting):
                del _resting[place]
                resting.timer.cancel()
                return resting.pool
    return None


def _dismiss(pool: Pool) -> None:
    """End the process of a pool that has rested too long."""
    if _take(lambda resting: resting.pool is pool):
        pool.__exit__()


def pack(batches: Iterable[list[Job]], most_batches: int, enough_bytes: int) -> Iterator[bytes]:
    """The batches as messages, up to `most_batches` in each, fewer where they come to `enough_bytes`."""
    stream, count = io.BytesIO(), 0
    for jobs in batches:
        send(stream, *pack_jobs(jobs))
        count += 1
        if count == most_batches or stream.tell() >= enough_bytes:
            yield stream.getvalue()
            stream, count = io.BytesIO(), 0
    if count:
        yield stream.getvalue()


def parts(message: bytes) -> Iterator[tuple[Any, list[bytes]]]:
    """The messages of `wire` that are one after the other in `message`."""
    stream = io.BytesIO(message)
    while stream.tell() < len(message):
        yield receive(stream)
