"""Songs to judge: those of one side of a corpus, or of the MIDI files below a folder.

They are read as they are needed. A file is checked as `prepare` would, but may be as short as it likes; it is
read in this process, and nothing is kept of it. What cannot be read is remembered in `skipped`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ritornello.corpus.checks.check import CheckSettings, check
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.labels import Labeller, path_text
from ritornello.corpus.sources.archives import ArchiveError, members
from ritornello.corpus.sources.scan import scan
from ritornello.errors import InputError
from ritornello.music.score import Score

CHECKS = CheckSettings(min_notes=1, max_beats=1 << 20)  # days: how long a song may be is said in minutes


class LabelledScore(NamedTuple):
    """A song with its name, as reports show it, and its labels."""

    name: str
    score: Score
    labels: tuple[str, ...] = ()


class CorpusSongs:
    """The kept songs of one side of a corpus. Raises InputError where there are none."""

    def __init__(self, corpus: Corpus, split: str) -> None:
        self.corpus = corpus
        self.split: str | None = split
        self.numbers = corpus.songs(split)
        self.skipped: dict[str, str] = {}
        if not len(self.numbers):
            others = {side: count for side, count in corpus.manifest["splits"].items() if count}
            there = ", ".join(f"{count} in {side}" for side, count in others.items())
            raise InputError(f"{str(corpus.path)!r} has no song in {split} ({there or 'none at all'})")

    @property
    def hash(self) -> str:
        """Of the corpus."""
        return self.corpus.hash

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[LabelledScore]:
        for number in self.numbers.tolist():
            info = self.corpus.info(number)
            yield LabelledScore(info.name, self.corpus.score(number), info.labels)


class FolderSongs:
    """The songs below a folder, also in its archives; labels are the folders' names.

    `hash` is that of all names and bytes, known when all have been read. Raises InputError where none are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.split: str | None = None
        self.sources = scan(folder, skip=folder)
        self.skipped: dict[str, str] = {}
        self._digest = hashlib.sha256()
        if not self.sources:
            raise InputError(f"{str(folder)!r} holds no .mid, .midi, .kar or .rmi file, nor an archive")

    @property
    def hash(self) -> str:
        """Of the files read so far."""
        return self._digest.hexdigest()

    def __len__(self) -> int:
        """Of files; what is in an archive is not known before."""
        return len(self.sources)

    def __iter__(self) -> Iterator[LabelledScore]:
        labeller = Labeller()
        for path, data, reason in self._files():
            name = path_text(path)
            self._digest.update(hashlib.sha256(path).digest() + hashlib.sha256(data).digest())
            found = check(data, CHECKS) if not reason else None
            if found and found.score:
                yield LabelledScore(name, found.score, labeller.labels(path))
            else:
                self.skipped[name] = f"{found.outcome}: {found.reason}" if found else reason

    def _files(self) -> Iterator[tuple[bytes, bytes, str]]:
        """Path, bytes, and why there are none."""
        for source in self.sources:
            path = self.folder / os.fsdecode(source.path)
            if source.size < 0:
                yield source.path, b"", "not a file: a pipe or a device"
            elif source.is_archive:
                try:
                    for member in members(os.fsencode(path), CHECKS.max_file_bytes):
                        reason = f"{member.outcome}: {member.reason}" if member.outcome else ""
                        yield source.path + b"/" + member.name, member.data, reason
                except ArchiveError as error:
                    yield source.path, b"", f"{error.outcome}: {error}"
            elif source.size > CHECKS.max_file_bytes:
                yield source.path, b"", f"too large: {source.size} bytes, at most {CHECKS.max_file_bytes}"
            else:
                try:
                    yield source.path, path.read_bytes(), ""
                except OSError as error:
                    yield source.path, b"", f"cannot open: {error.strerror}"


def open_songs(on: str | Path, split: str | None = None) -> CorpusSongs | FolderSongs:
    """The songs of the corpus or folder `on`; of a corpus, those of `split` (default: valid).

    Raises InputError: nothing there, or a split of a folder.
    """
    on = Path(on)
    if (on / "manifest.json").is_file():
        return CorpusSongs(Corpus.open(on), split or "valid")
    if split is not None:
        raise InputError(f"split {split!r} of {str(on)!r}: only a corpus has sides, this is none")
    return FolderSongs(on)
