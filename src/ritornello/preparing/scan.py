"""Scan: the files of a folder that may be songs, in order of their paths."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ritornello.errors import InputError

ENDINGS = (b".mid", b".midi", b".kar", b".rmi")
ARCHIVES = (b".zip", b".tar", b".tar.gz", b".tgz", b".tar.xz", b".txz", b".tar.bz2", b".tbz2")


class Source(NamedTuple):
    """A file of the folder: its path from there (bytes, with "/"), and what tells whether it has changed.

    A song in an archive has the archive's size and time; `number` is its place there, from 1.
    """

    path: bytes
    size: int
    mtime_ns: int
    number: int = 0

    @property
    def is_archive(self) -> bool:
        """Whether it is opened for the songs in it."""
        return not self.number and self.path.lower().endswith(ARCHIVES)


def scan(folder: Path, skip: Path) -> list[Source]:
    """The songs and archives under `folder` in order of path; the corpus `skip` inside it is left out.

    Links are followed, each folder once. A pipe or a device is listed with size -1 and never opened.
    Raises InputError where `folder` is none.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{str(folder)!r} {found}, must be a folder of MIDI files")
    root = os.fsencode(folder)
    seen = {_identity(os.fsencode(skip))} if skip.exists() and not skip.samefile(folder) else set()
    return sorted(_walk(root, b"", seen))


def _identity(path: bytes) -> tuple[int, int]:
    found = os.stat(path)  # noqa: PTH116 (paths are bytes: names need not be UTF-8)
    return found.st_dev, found.st_ino


def _walk(root: bytes, inside: bytes, seen: set[tuple[int, int]]) -> Iterator[Source]:
    """The files under `root`/`inside`; `seen` holds the folders that were entered, so that loops end."""
    pending = [inside]
    while pending:
        inside = pending.pop()
        try:
            identity = _identity(os.path.join(root, inside))  # noqa: PTH118
            if identity in seen:
                continue
            seen.add(identity)
            entries = sorted(os.scandir(os.path.join(root, inside)), key=lambda e: e.name)  # noqa: PTH118
        except OSError:
            continue
        folders = []
        for entry in entries:
            path = inside + entry.name
            if _is_folder(entry):
                folders.append(path + b"/")
            elif path.lower().endswith(ENDINGS + ARCHIVES):
                yield _source(entry, path)
        pending += reversed(folders)


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


def _source(entry: os.DirEntry[bytes], path: bytes) -> Source:
    try:
        found = entry.stat()
    except OSError:  # a link to nothing: it is listed, and cannot be opened
        return Source(path, 0, 0)
    return Source(path, found.st_size if stat.S_ISREG(found.st_mode) else -1, found.st_mtime_ns)
