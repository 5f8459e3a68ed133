"""Atomic writing of files, which leaves either the old file or the complete new one, and SHA-256 hashes."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ritornello.errors import InputError, OutputError
from ritornello.system.suggest import similar_path


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into an OutputError that names `path` and the system's reason."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {str(path)!r}: {reason}") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; replace `path` by it when the block ends without an error.

    After an error the temporary file is deleted. The data is flushed to the disk before the name changes, so
    a crash leaves the old file or the complete new one. Raises OutputError if the system refuses to write, or
    if `path` is a device or a FIFO, which must not be replaced.
    """
    check_regular(path)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".tmp")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def file_path(path: Any, name: str = "path") -> Path:
    """Return a path that a user gave. Raises InputError if it is empty, or no text and no Path.

    `name` is that of the argument.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise InputError(f"{name} {path!r:.60}: must be a text or a Path")
    if not str(path):
        raise InputError(f"{name} '': the path is empty: must name a file or a folder")
    return Path(path)


def check_regular(path: Path) -> None:
    """Raise OutputError if there is something at `path` that is neither a regular file nor a folder."""
    with output_errors(path):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise OutputError(f"cannot write {str(path)!r}: it is a device or a FIFO, must be a regular file")


def check_writable(path: Path) -> None:
    """Raise OutputError if a file cannot be written at `path`. Call it before long work."""
    if path.is_dir():
        raise OutputError(f"cannot write {str(path)!r}: {os.strerror(errno.EISDIR)}")
    check_regular(path)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()


def _umask() -> int:
    """Return the umask of the process. mkstemp makes private files; ours get the usual permissions."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_bytes(path: str | Path, error: type[InputError]) -> bytes:
    """Return the content of a file. Raises `error` with the path and the reason if it cannot be read."""
    file_path(path)
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise error(f"cannot read {str(path)!r}: {problem.strerror}{similar_path(path)}") from problem


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically. Raises OutputError if the system refuses."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON atomically; the same value always gives the same bytes.

    Raises OutputError if the system refuses to write.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):  # 1 MiB, so that a large file does not fill the memory
            digest.update(piece)
    return digest.hexdigest()
