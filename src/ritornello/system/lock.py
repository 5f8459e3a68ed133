"""A lock on a folder: only one process at a time writes a corpus or a model."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ritornello.errors import InputError
from ritornello.system.files import output_errors


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    The system releases the lock when the process ends, also when it is killed. Raises InputError at once if
    another process holds the lock, and names that process. Raises OutputError if the file cannot be opened.
    """
    with output_errors(path), path.open("a+b") as file:
        if not _try_lock(file):
            file.seek(1)  # Windows lets nobody else read byte 0, which is the locked one
            holder = file.read(200).decode("utf-8", "replace").strip() or "another process"
            raise InputError(f"{str(path.parent)!r} is being written by {holder}: wait for it, or stop it")
        file.truncate(0)
        file.write(f"\nprocess {os.getpid()} on {socket.gethostname()}\n".encode())
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            _unlock(file)


def _try_lock(file: IO[bytes]) -> bool:
    """Lock a file without waiting. Return False if another process holds the lock."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(file: IO[bytes]) -> None:
    """Release a lock that this process holds."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
