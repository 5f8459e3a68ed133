"""Record which files the commands wrote: a command replaces only these, unless --overwrite is given.

The SHA-256 of each written file is stored in the user's cache folder. A file that was changed since has
another hash, and counts as the user's. Without the cache folder (deleted, another machine) all files do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ritornello.errors import InputError
from ritornello.system.files import check_regular, sha256_file, write_bytes

FILE = "written"  # in the cache folder: hashes of 32 bytes, one after another
HASH_BYTES = 32
MAX_HASHES = 1 << 17  # if there are more, the older half is deleted


def cache_folder() -> Path:
    """The folder of caches: that of the environment variable RITORNELLO_CACHE, or the user's cache folder."""
    if folder := os.environ.get("RITORNELLO_CACHE"):
        return Path(folder)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "ritornello"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ritornello"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ritornello"


@contextmanager
def writing(paths: Iterable[str | Path | None], overwrite: bool) -> Iterator[None]:
    """Guard a block that writes the files `paths` (None is ignored), and record the files it has written.

    Raises InputError before the block if a file exists that no command wrote, unless `overwrite`, and
    OutputError if a path is that of a device or a FIFO.
    """
    files = [Path(path) for path in paths if path is not None]
    for file in files:
        check_regular(file)
    if not overwrite:
        check_may_replace(files)
    try:
        yield
    finally:
        remember(files)


def check_may_replace(files: Iterable[Path]) -> None:
    """Raise InputError if one of the files exists, is not empty, and was not written by a command."""
    written: set[bytes] | None = None
    for file in files:
        if not file.is_file() or not file.stat().st_size:
            continue
        written = _known_hashes() if written is None else written
        if bytes.fromhex(sha256_file(file)) not in written:
            raise InputError(
                f"{str(file)!r} exists, and Ritornello did not write its content: choose a new name, "
                "or add --overwrite"
            )


def remember(files: Iterable[Path]) -> None:
    """Store the hashes of files that a command wrote; without a cache folder do nothing."""
    path = cache_folder() / FILE
    with suppress(OSError, RuntimeError):  # Path.home() may be unknown
        new = b"".join(bytes.fromhex(sha256_file(file)) for file in files if file.is_file())
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.write(new)
        if path.stat().st_size > HASH_BYTES * MAX_HASHES:
            write_bytes(path, path.read_bytes()[-HASH_BYTES * (MAX_HASHES // 2) :])


def _known_hashes() -> set[bytes]:
    """The hashes of the files that commands wrote."""
    try:
        data = (cache_folder() / FILE).read_bytes()
    except (OSError, RuntimeError):
        return set()
    return {data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)}
