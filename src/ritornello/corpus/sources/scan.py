"""Scan: the files of a folder that may be songs, in order of their paths."""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, overload

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


class Sources(Sequence[Source]):
    """A list of sources in 80 bytes each, beside which Python's own objects take 300."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._paths = bytearray()
        self._numbers = array("q")  # four a source: where its path ends, size, time, number
        for source in sources:
            self._paths += source.path
            self._numbers.extend((len(self._paths), *source[1:]))

    def __len__(self) -> int:
        return len(self._numbers) // 4

    @overload
    def __getitem__(self, place: int) -> Source: ...
    @overload
    def __getitem__(self, place: slice) -> list[Source]: ...
    def __getitem__(self, place: int | slice) -> Source | list[Source]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        start = self._numbers[4 * place - 4] if place else 0
        end, size, mtime_ns, number = self._numbers[4 * place : 4 * place + 4]
        return Source(bytes(self._paths[start:end]), size, mtime_ns, number)

    def bytes_between(self, start: int, stop: int) -> int:
        """The sizes of the sources `start` to `stop`, added up."""
        return sum(self._numbers[4 * start + 1 : 4 * stop : 4])


def scan(folder: Path, skip: Path) -> Sources:
    """The songs and archives under `folder` in order of path; the corpus `skip` inside it is left out.

    Links are followed, each folder once. A pipe or a device is listed with size -1 and never opened.
    Raises InputError where `folder` is none.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{str(folder)!r} {found}, must be a folder of MIDI files")
    seen = {_identity(os.fsencode(skip))} if skip.exists() and not skip.samefile(folder) else set()
    return Sources(_walk(os.fsencode(folder), b"", seen))


def _identity(path: bytes) -> tuple[int, int]:
    found = os.stat(path)  # noqa: PTH116 (paths are bytes: names need not be UTF-8)
    return found.st_dev, found.st_ino


def _walk(root: bytes, inside: bytes, seen: set[tuple[int, int]]) -> Iterator[Source]:
    """The files under `root`/`inside`; `seen` holds the folders that were entered, so that loops end."""
    pending: list[Iterator[tuple[bytes, os.DirEntry[bytes]]]] = [iter(_entries(root, inside, seen))]
    while pending:
        path, entry = next(pending[-1], (b"", None))
        if entry is None:
            pending.pop()
        elif path.endswith(b"/"):
            pending.append(iter(_entries(root, path, seen)))
        else:
            yield _source(entry, path)


def _entries(
    root: bytes, inside: bytes, seen: set[tuple[int, int]]
) -> list[tuple[bytes, os.DirEntry[bytes]]]:
    """What lies in a folder, sorted by path; as folders end with "/", this is the order of all paths."""
    folder = os.path.join(root, inside)  # noqa: PTH118
    try:
        identity = _identity(folder)
        if identity in seen:
            return []
        seen.add(identity)
        with os.scandir(folder) as found:
            named = [(inside + entry.name + b"/" * _is_folder(entry), entry) for entry in found]
    except OSError:  # a folder that is closed to us, or has just gone
        return []
    wanted = [pair for pair in named if pair[0].lower().endswith((b"/", *ENDINGS, *ARCHIVES))]
    return sorted(wanted, key=lambda pair: pair[0])


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
