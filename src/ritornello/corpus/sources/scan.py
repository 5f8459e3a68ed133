"""List the files of a folder that may be songs or archives of songs, in order of their paths."""

import os
import stat
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ritornello.errors import InputError

MIDI_ENDINGS = (b".mid", b".midi", b".kar", b".rmi")
SCORE_ENDINGS = (b".musicxml", b".mxl", b".xml", b".krn", b".kern")
SONG_ENDINGS = (*MIDI_ENDINGS, *(ending + b".gz" for ending in MIDI_ENDINGS), *SCORE_ENDINGS)
BOOK_ENDINGS = (b".abc",)  # files with one tune or several, which are read as archives
ARCHIVE_ENDINGS = (
    b".zip",
    b".tar",
    b".tar.gz",
    b".tgz",
    b".tar.xz",
    b".txz",
    b".tar.bz2",
    b".tbz2",
    *BOOK_ENDINGS,
)
NOT_A_FILE, NO_PERMISSION = -1, -2  # sizes of sources that are not opened


class Source(NamedTuple):
    """A file of the folder: its path relative to the folder (bytes, with "/"), its size, its time of change.

    A song in an archive has the size and time of the archive, and its `number` in the archive, from 1.
    """

    path: bytes
    size: int
    mtime_ns: int
    number: int = 0

    @property
    def is_archive(self) -> bool:
        """Whether this file is an archive to open."""
        return not self.number and self.path.lower().endswith(ARCHIVE_ENDINGS)


class Sources:
    """A list of sources in 80 bytes each; Python objects would take 300."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._paths = bytearray()
        self._numbers = array("q")  # four per source: end of its path, size, time, number
        for source in sources:
            self._paths += source.path
            self._numbers.extend((len(self._paths), *source[1:]))

    def __len__(self) -> int:
        return len(self._numbers) // 4

    def __iter__(self) -> Iterator[Source]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: int) -> Source:
        start = self._numbers[4 * place - 4] if place else 0
        end, size, mtime_ns, number = self._numbers[4 * place : 4 * place + 4]
        return Source(bytes(self._paths[start:end]), size, mtime_ns, number)

    def bytes_between(self, start: int, stop: int) -> int:
        """The sum of the sizes of the sources from `start` to before `stop`, in bytes."""
        return sum(self._numbers[4 * start + 1 : 4 * stop : 4])


def check_folder(folder: Path) -> None:
    """Raise InputError unless `folder` is a folder."""
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{str(folder)!r} {state}: must be a folder of MIDI files")


def scan(folder: Path, skip: Path | None = None) -> Sources:
    """List the songs and archives below `folder` in order of path, without the folder `skip` inside it.

    Links are followed, each folder once. A pipe or a device is listed with size NOT_A_FILE and never
    opened, a folder that may not be read with size NO_PERMISSION.
    Raises InputError unless `folder` is a folder with at least one song or archive.
    """
    check_folder(folder)
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputError(f"cannot read {str(folder)!r}: {error.strerror}") from error
    skipped = skip is not None and skip.exists() and not skip.samefile(folder)
    visited = {_identity(os.fsencode(skip))} if skip and skipped else set()
    sources = Sources(_walk(os.fsencode(folder), visited))
    if not sources:
        raise InputError(
            f"{str(folder)!r} contains no .mid, .midi, .kar or .rmi file, no score, and no archive"
        )
    return sources


def _identity(path: bytes) -> tuple[int, int]:
    """Device and inode: two paths with the same identity are one folder."""
    status = os.stat(path)  # noqa: PTH116 (paths are bytes: names need not be UTF-8)
    return status.st_dev, status.st_ino


def _walk(root: bytes, visited: set[tuple[int, int]]) -> Iterator[Source]:
    """The files below `root`; `visited` holds the folders that were entered, so that circular links end."""
    pending: list[Iterator[tuple[bytes, os.DirEntry[bytes]]]] = [iter(_entries(root, b"", visited))]
    while pending:
        path, entry = next(pending[-1], (b"", None))
        if entry is None:
            pending.pop()
        elif path.endswith(b"/"):
            try:
                pending.append(iter(_entries(root, path, visited)))
            except PermissionError:
                yield Source(path[:-1], NO_PERMISSION, 0)
        else:
            yield _source(entry, path)


def _entries(
    root: bytes, inside: bytes, visited: set[tuple[int, int]]
) -> list[tuple[bytes, os.DirEntry[bytes]]]:
    """The entries of the folder `root`/`inside` sorted by path; a folder's path ends with "/".

    Because of the "/" the walk gives files in the order of their whole paths. Raises PermissionError if the
    folder may not be read.
    """
    folder = os.path.join(root, inside)  # noqa: PTH118
    try:
        identity = _identity(folder)
        if identity in visited:
            return []
        visited.add(identity)
        with os.scandir(folder) as listed:
            named = [(inside + entry.name + b"/" * _is_folder(entry), entry) for entry in listed]
    except PermissionError:
        raise
    except OSError:  # the folder was just deleted
        return []
    chosen = [pair for pair in named if pair[0].lower().endswith((b"/", *SONG_ENDINGS, *ARCHIVE_ENDINGS))]
    return sorted(chosen, key=lambda pair: pair[0])


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link
        return False


def _source(entry: os.DirEntry[bytes], path: bytes) -> Source:
    try:
        status = entry.stat()
    except OSError:  # a broken link is listed; opening it will fail
        return Source(path, 0, 0)
    return Source(path, status.st_size if stat.S_ISREG(status.st_mode) else NOT_A_FILE, status.st_mtime_ns)
