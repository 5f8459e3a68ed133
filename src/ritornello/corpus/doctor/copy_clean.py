"""Copy the songs that would be kept into a new folder, with the same folders inside."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ritornello.corpus.doctor.diagnosis import Diagnosis, FileDiagnosis
from ritornello.corpus.sources.archives import ArchiveError, members
from ritornello.errors import InputError
from ritornello.system.files import output_errors, sha256
from ritornello.system.progress import Progress

# Errors that a strange name in an archive can cause; the song is then left out
NAME_ERRORS = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)


def check_target(target: Path) -> None:
    """Raise InputError unless `target` is new or an empty folder, OutputError if it cannot be made."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        state = "is not empty" if target.is_dir() else "is a file"
        raise InputError(f"{str(target)!r} {state}: must be a new folder for the copies")
    temporary = _temporary_folder(target)
    with output_errors(target):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        temporary.rmdir()


def copy_songs(
    diagnosis: Diagnosis, target: Path, max_file_bytes: int, progress: Progress | None = None
) -> int:
    """Copy the songs that would be kept into the new folder `target`; return how many were copied.

    A song of the archive `x.zip` is copied into a folder `x.zip`. The copies are made in a temporary folder,
    which is renamed when all are made. Files that changed since the diagnosis are left out.
    Raises InputError if `target` is not empty, OutputError if a copy cannot be written.
    """
    check_target(target)
    temporary, copied, kept = _temporary_folder(target), 0, diagnosis.kept
    try:
        with output_errors(target):
            temporary.mkdir()
            for number, (file, data) in enumerate(_read_songs(diagnosis, kept, max_file_bytes), start=1):
                if sha256(data) == file.row["hash"]:
                    copied += _write(temporary, file, data)
                if progress:
                    progress(number, len(kept), "copying")
            if target.exists():
                target.rmdir()
            temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return copied


def _read_songs(
    diagnosis: Diagnosis, kept: list[FileDiagnosis], max_file_bytes: int
) -> Iterator[tuple[FileDiagnosis, bytes]]:
    """Read the kept songs again, opening each archive once; songs that cannot be read are left out."""
    root = os.fsencode(diagnosis.folder)
    sources = [file.source for file in diagnosis.files]
    archives: dict[bytes, dict[int, FileDiagnosis]] = {s.path: {} for s in sources if s.is_archive}
    for file in kept:
        path = file.source.path
        if file.source.number:
            ends = [place for place, byte in enumerate(path) if byte == ord("/")]
            archive = next(path[:end] for end in ends if path[:end] in archives)
            archives[archive][file.source.number] = file
            continue
        with suppress(OSError), open(os.path.join(root, path), "rb") as source:  # noqa: PTH118, PTH123
            yield file, source.read(max_file_bytes + 1)
    for path, songs in archives.items():
        with suppress(ArchiveError):
            for number, member in enumerate(members(os.path.join(root, path), max_file_bytes), start=1):  # noqa: PTH118
                if number in songs:
                    yield songs[number], member.data


def _write(folder: Path, file: FileDiagnosis, data: bytes) -> bool:
    """Write a song into `folder` with its time of change; return False if its name is not possible."""
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


def _temporary_folder(target: Path) -> Path:
    """The folder beside `target` that holds the copies until all are made."""
    return target.absolute().with_name(f".{target.absolute().name}.tmp")
