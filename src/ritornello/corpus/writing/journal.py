"""Journal: what is already in the output folder, so that a run goes on where an earlier one was stopped.

A shard has its name only once it is whole, and then never changes: the list of shards is the journal.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.corpus import read_manifest
from ritornello.corpus.duplicates.in_corpus import song_table
from ritornello.corpus.duplicates.sketch import VERSION as SKETCH_VERSION
from ritornello.corpus.outcomes import UNSURE
from ritornello.corpus.sources.scan import Source, Sources
from ritornello.corpus.writing.index import empty_manifest
from ritornello.errors import CorpusError, InputError
from ritornello.system.files import output_errors, replacing, write_json
from ritornello.system.lock import locked

Keys = npt.NDArray[np.uint64]
TOUCHED = "touched.npy"


@dataclass
class Journal:
    """The corpus folder `out`, its finished shards, and the files that they cover.

    A file is known by its path, size and time of change, or after reading by its path and content. With
    `retry`, one whose fate may have been the machine's doing is not: it gets a second row if it fares better.
    """

    out: Path
    checks: Checks
    settings: dict[str, Any]
    retry: bool = False
    shards: list[dict[str, Any]] = field(default_factory=list)
    _stamps: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))
    _contents: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))
    _unsure: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))  # contents with such a fate
    _touched: list[int] = field(default_factory=list)

    def new(self, sources: Sources) -> Sources:
        """The sources that are not known."""
        return Sources(s for s in sources if not self.knows(s)) if len(self._stamps) else sources

    def knows(self, source: Source) -> bool:
        """Whether a finished shard has the source as it is now."""
        return _contains(self._stamps, _stamp(source))

    def touched(self, sources: list[Source], rows: list[dict[str, Any]]) -> list[bool]:
        """Which sources prove, now that they have been read into `rows`, to have a row already."""
        if not len(self._contents):
            return [False] * len(sources)
        found = []
        for source, row in zip(sources, rows, strict=True):
            key = _content(source, bytes.fromhex(row["hash"]))
            better = row["fate"] not in UNSURE and _contains(self._unsure, key)
            found.append(_contains(self._contents, key) and not better)
            if found[-1] and (row["hash"] or source.is_archive):
                self._touched.append(_stamp(source))
        return found

    def remember(self) -> None:
        """Keep the new times of change of files whose content is known."""
        if self._touched:
            keys = np.unique(np.concatenate([_load_touched(self.out), np.array(self._touched, np.uint64)]))
            with replacing(self.out / TOUCHED) as temporary, temporary.open("wb") as file:
                np.save(file, keys)

    def load(self) -> None:
        """Find the finished shards and what they cover; remove what is unfinished."""
        self.shards = _finished_shards(self.out)
        covered = [_covered(self.out, shard, self.retry) for shard in self.shards]
        columns = zip(*(each[:3] for each in covered), strict=True) if covered else ((), (), ())
        stamps, contents, unsure = (np.concatenate([np.zeros(0, np.uint64), *each]) for each in columns)
        if self.retry:
            inside = [path for each in covered for path in each.unsure_inside]
            holding = [s for each in covered for s in each.archives if _holds(s, inside)]
            stamps = np.setdiff1d(stamps, np.array([_stamp(source) for source in holding], np.uint64))
        else:  # with `retry` these say nothing: such an archive may be among them
            stamps = np.concatenate([stamps, _load_touched(self.out)])
        self._stamps, self._contents, self._unsure = np.sort(stamps), np.sort(contents), np.sort(unsure)


@contextmanager
def journal(out: Path, checks: Checks, retry: bool = False) -> Iterator[Journal]:
    """Open the corpus folder `out` to write into it, alone; make it if there is none.

    A folder that this call made goes again if nothing can be kept in it, or no shard gets finished.
    Raises CorpusError for a folder that is something else or a corpus made otherwise, InputError for one
    that is being written.
    """
    created = not out.exists()
    settings = {"checks": asdict(checks), "sketch": SKETCH_VERSION}
    if out.exists() and not out.is_dir():
        raise CorpusError(f"{str(out)!r} is a file, must be a new folder or a corpus")
    if not created and not (out / "manifest.json").exists() and not _only_ours(out):
        raise CorpusError(f"{str(out)!r} is neither empty nor a corpus, must be a new folder")
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    state = Journal(out, checks, settings, retry)
    keep = not created
    try:
        with locked(out / "lock"):
            _check_settings(out, settings)
            state.load()
            try:
                yield state
                keep = True
            except InputError:
                raise
            except BaseException:
                keep = keep or bool(state.shards)
                raise
    finally:
        if not keep:
            shutil.rmtree(out, ignore_errors=True)


def _check_settings(out: Path, settings: dict[str, Any]) -> None:
    """Write the first manifest, or see that the one there was made with the same settings."""
    if not (out / "manifest.json").exists():
        write_json(out / "manifest.json", empty_manifest(settings))
    earlier = read_manifest(out)[0]["settings"]
    if (version := earlier.get("sketch", 1)) != SKETCH_VERSION:
        raise CorpusError(
            f"{str(out)!r} finds copies by sketches of version {version}, this Ritornello makes version "
            f"{SKETCH_VERSION}: it can be learnt from but not grow, prepare anew into another --out"
        )
    found = earlier["checks"]
    for name, value in settings["checks"].items():
        if found.get(name) != value:
            raise CorpusError(
                f"{str(out)!r} was made with {name} {found.get(name)!r}, not {value!r}: "
                "a corpus is made one way, give another --out"
            )


def _only_ours(out: Path) -> bool:
    """Whether a folder without manifest holds only what a run leaves that is killed at its start."""
    return all(path.name == "lock" or path.name.endswith(".tmp") for path in out.iterdir())


def _finished_shards(out: Path) -> list[dict[str, Any]]:
    """The entries of the finished shards, in order; what is unfinished is removed."""
    with output_errors(out):
        for stale in [*out.glob(".*.tmp"), *(out / "shards").glob(".*.tmp")]:
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    entries = []
    for path in sorted((out / "shards").glob("*")):
        try:
            entries.append(json.loads((path / "shard.json").read_bytes()))
        except (OSError, ValueError) as error:
            raise CorpusError(f"shard {path.name} of {str(out)!r} is damaged: shard.json: {error}") from error
    return entries


class Covered(NamedTuple):
    """The files of a shard, as keys."""

    stamps: Keys  # of those that are not to be read again
    contents: Keys
    unsure: Keys  # of `contents` those whose fate may have been the machine's doing
    unsure_inside: list[bytes]  # paths of the unsure songs in archives
    archives: list[Source]


def _covered(out: Path, shard: dict[str, Any], retry: bool) -> Covered:
    """What a shard covers; with `retry` the unsure are to be read again."""
    stamps = np.load(out / "shards" / shard["name"] / "stamps.npy", allow_pickle=False).tolist()
    columns = song_table(out, shard, ["path", "hash", "fate"]).to_pydict()
    sources = [Source(path, *stamp) for path, stamp in zip(columns["path"], stamps, strict=True)]
    contents = np.fromiter(map(_content, sources, columns["hash"]), np.uint64, len(sources))
    unsure = np.array([fate in UNSURE for fate in columns["fate"]], bool)
    # what could not be opened may be opened by now, without a trace in its time of change
    again = np.array([fate == "cannot open" for fate in columns["fate"]], bool) | (unsure & retry)
    by_stamp = np.fromiter(map(_stamp, sources), np.uint64, len(sources))
    inside = [sources[row].path for row in np.flatnonzero(unsure) if sources[row].number]
    archives = [source for source in sources if source.is_archive]
    return Covered(by_stamp[~again], contents, contents[unsure], inside, archives)


def _holds(archive: Source, paths: list[bytes]) -> bool:
    """Whether one of the paths leads into the archive."""
    return any(path.startswith(archive.path + b"/") for path in paths)


def _stamp(source: Source) -> int:
    """Eight bytes that stand for a source as it was when it was read."""
    return _digest(b"%d %d %d " % source[1:] + source.path)


def _content(source: Source, content: bytes) -> int:
    """Eight bytes that stand for a path and what was in it; nothing was where reading failed."""
    return _digest(b"%d " % source.number + content.ljust(32, b"\0") + source.path)


def _digest(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def _contains(keys: Keys, key: int) -> bool:
    place = int(np.searchsorted(keys, np.uint64(key)))
    return place < len(keys) and int(keys[place]) == key


def _load_touched(out: Path) -> Keys:
    """The stamps of files that were read again and found unchanged."""
    try:
        return np.asarray(np.load(out / TOUCHED, allow_pickle=False), np.uint64)
    except (OSError, ValueError):  # it only saves reading
        return np.zeros(0, np.uint64)
