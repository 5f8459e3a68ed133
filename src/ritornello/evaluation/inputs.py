"""Read the songs for `measure` and `judge`, from a corpus or from the MIDI files in a folder.

Songs are read one at a time, in this process, and nothing is written. A file is checked as `prepare` checks
it, except that it may have a single note. Files that cannot be read are listed in `skipped`.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from ritornello.corpus.checks.check import CheckSettings, check
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.labels import Labeller, path_text
from ritornello.corpus.read_files import refuse_by_size
from ritornello.corpus.sources.archives import ArchiveError, members
from ritornello.corpus.sources.scan import scan
from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.system.files import file_path

Song = TypeVar("Song")
CHECKS = CheckSettings(min_notes=1)


class LabelledScore(NamedTuple):
    """A song with its name, as reports show it, and its labels."""

    name: str
    score: Score
    labels: tuple[str, ...] = ()


class CorpusSongs:
    """The kept songs of one split of a corpus. Raises InputError if there are none."""

    def __init__(self, corpus: Corpus, split: str) -> None:
        self.corpus = corpus
        self.split: str | None = split
        self.numbers = corpus.songs(split)
        self.hash = corpus.hash
        self.skipped: dict[str, str] = {}
        if not len(self.numbers):
            counts = [f"{count} in {name}" for name, count in corpus.manifest["splits"].items() if count]
            available = ", ".join(counts) or "none at all"
            raise InputError(f"{str(corpus.path)!r} has no song in {split} ({available})")

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[LabelledScore]:
        for number in self.numbers.tolist():
            info = self.corpus.info(number)
            yield LabelledScore(info.name, self.corpus.score(number), info.labels)


class FolderSongs:
    """The songs in a folder, its subfolders and its archives; their labels are the names of the subfolders.

    Raises InputError if no file may be a song or an archive.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.split: str | None = None
        self.sources = scan(folder)
        self.skipped: dict[str, str] = {}
        self._digest = hashlib.sha256()

    @property
    def hash(self) -> str:
        """The hash of the names and bytes of all files that have been read so far."""
        return self._digest.hexdigest()

    def __len__(self) -> int:
        """The number of files; how many songs an archive has is not known before it is read."""
        return len(self.sources)

    def __iter__(self) -> Iterator[LabelledScore]:
        labeller = Labeller()
        for path, data, reason in self._files():
            name = path_text(path)
            self._digest.update(hashlib.sha256(path).digest() + hashlib.sha256(data).digest())
            checked = check(data, CHECKS, name) if not reason else None
            if checked and checked.score:
                yield LabelledScore(name, checked.score, labeller.labels(path))
            else:
                self.skipped[name] = f"{checked.outcome}: {checked.reason}" if checked else reason

    def _files(self) -> Iterator[tuple[bytes, bytes, str]]:
        """Yield the path and the bytes of each file, and the reason if it has none."""
        for source in self.sources:
            path = self.folder / os.fsdecode(source.path)
            if source.size < 0:
                yield source.path, b"", ": ".join(refuse_by_size(source.size))
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


def in_blocks(songs: Iterable[Song], size: Callable[[Song], int], most: int) -> Iterator[list[Song]]:
    """Yield lists of successive songs; a list is full once the sizes of its songs add up to `most`."""
    block: list[Song] = []
    total = 0
    for song in songs:
        block.append(song)
        total += size(song)
        if total >= most:
            yield block
            block, total = [], 0
    if block:
        yield block


def open_songs(on: str | Path, split: str | None = None) -> CorpusSongs | FolderSongs:
    """Return the songs of the corpus or folder `on`; of a corpus, those of `split` (default: valid).

    Raises InputError if there are none, or if `split` is given for a folder.
    """
    on = file_path(on, "folder")
    if (on / "manifest.json").is_file():
        return CorpusSongs(Corpus.open(on), split or "valid")
    if split is not None:
        raise InputError(f"split {split!r} of {str(on)!r}: leave it out, because only a corpus has splits")
    return FolderSongs(on)
