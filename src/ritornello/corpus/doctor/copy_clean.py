"""Copy clean: the songs that would be kept, in a new folder with the same folders inside."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ritornello.corpus.doctor.diagnosis import Diagnosis, File
from ritornello.corpus.read_files import Progress
from ritornello.corpus.sources.archives import ArchiveError, members
from ritornello.errors import InputError
from ritornello.system.files import output_errors, sha256

# What a strange name in an archive may bring about; such a song is left out.
NAME_ERRORS = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)


def check_target(target: Path) -> None:
    """Raise InputError unless `target` is new or empty, OutputError where no folder can be made."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        found = "is not empty" if target.is_dir() else "is a file"
        raise InputError(f"{str(target)!r} {found}, must be a new folder for the copies")
    half = _half(target)
    with output_errors(target):
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        half.rmdir()


def copy_songs(
    diagnosis: Diagnosis, target: Path, max_file_bytes: int, progress: Progress | None = None
) -> int:
    """Copy the songs that would be kept into the new folder `target`; returns how many.

    A song of the archive `x.zip` comes into a folder `x.zip`. The copies are made in a folder beside the
    target, which gets its name when all are there. What has changed since it was looked at is left out.
    Raises InputError, OutputError.
    """
    check_target(target)
    half, copied, kept = _half(target), 0, diagnosis.kept
    try:
        with output_errors(target):
            half.mkdir()
            for number, (file, data) in enumerate(_contents(diagnosis, kept, max_file_bytes), start=1):
                if sha256(data) == file.row["hash"]:
                    copied += _write(half, file, data)
                if progress:
                    progress(number, len(kept), "copying")
            if target.exists():
                target.rmdir()
            half.rename(target)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return copied


def _contents(diagnosis: Diagnosis, kept: list[File], max_file_bytes: int) -> Iterator[tuple[File, bytes]]:
    """The songs and their bytes; each archive is gone through once."""
    root = os.fsencode(diagnosis.folder)
    archives: dict[bytes, dict[int, File]] = {
        f.source.path: {} for f in diagnosis.files if f.source.is_archive
    }
    for file in kept:
        path = file.source.path
        if file.source.number:
            ends = [place for place, byte in enumerate(path) if byte == ord("/")]
            archives[next(path[:end] for end in ends if path[:end] in archives)][file.source.number] = file
            continue
        with suppress(OSError), open(os.path.join(root, path), "rb") as source:  # noqa: PTH118, PTH123
            yield file, source.read(max_file_bytes + 1)
    for path, songs in archives.items():
        with suppress(ArchiveError):
            for number, member in enumerate(members(os.path.join(root, path), max_file_bytes), start=1):  # noqa: PTH118
                if number in songs:
                    yield songs[number], member.data


def _write(folder: Path, file: File, data: bytes) -> bool:
    """Write a song into `folder` with its time of change; whether its name allows that."""
    path = os.path.join(os.fsencode(folder), file.source.path)  # noqa: PTH118 (names need not be UTF-8)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "xb") as copy:  # noqa: PTH123
            copy.write(data)
        os.utime(path, ns=(file.source.mtime_ns, file.source.mtime_ns))
    except OSError as error:
        if error.errno in NAME_ERRORS:
            return False
        raise
    return True


def _half(target: Path) -> Path:
    """Where copies lie until all are there."""
    return target.absolute().with_name(f".{target.absolute().name}.tmp")
