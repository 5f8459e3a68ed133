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
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.corpus import read_manifest
from ritornello.errors import CorpusError, InputError
from ritornello.files import output_errors, replacing, write_json
from ritornello.lock import locked
from ritornello.preparing.check import Checks
from ritornello.preparing.copies import song_table
from ritornello.preparing.index import empty_manifest
from ritornello.preparing.scan import Source, Sources

Keys = npt.NDArray[np.uint64]
TOUCHED = "touched.npy"


@dataclass
class Journal:
    """The corpus folder `out`, its finished shards, and the files that they cover.

    A file is known by its path, size and time of change, or after reading by its path and content.
    """

    out: Path
    checks: Checks
    settings: dict[str, Any]
    shards: list[dict[str, Any]] = field(default_factory=list)
    _stamps: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))
    _contents: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))
    _touched: list[int] = field(default_factory=list)

    def new(self, sources: Sources) -> Sources:
        """The sources that are not known."""
        return Sources(s for s in sources if not self.knows(s)) if len(self._stamps) else sources

    def knows(self, source: Source) -> bool:
        """Whether a finished shard has the source as it is now."""
        return _contains(self._stamps, _stamp(source))

    def touched(self, sources: list[Source], hashes: list[str]) -> list[bool]:
        """Which sources prove, now that they have been read, to have a row already."""
        if not len(self._contents):
            return [False] * len(sources)
        pairs = zip(sources, hashes, strict=True)
        found = [_contains(self._contents, _content(s, bytes.fromhex(h))) for s, h in pairs]
        known = zip(sources, hashes, found, strict=True)
        self._touched += [_stamp(source) for source, h, old in known if old and (h or source.is_archive)]
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
        covered = [_covered(self.out, shard) for shard in self.shards]
        empty = np.zeros(0, np.uint64)
        self._stamps = np.sort(np.concatenate([_load_touched(self.out), *(stamps for stamps, _ in covered)]))
        self._contents = np.sort(np.concatenate([empty, *(contents for _, contents in covered)]))


@contextmanager
def journal(out: Path, checks: Checks) -> Iterator[Journal]:
    """Open the corpus folder `out` to write into it, alone; make it if there is none.

    A folder that this call made goes again if nothing can be kept in it, or no shard gets finished.
    Raises CorpusError for a folder that is something else or a corpus made otherwise, InputError for one
    that is being written.
    """
    created = not out.exists()
    settings = {"checks": asdict(checks)}
    if out.exists() and not out.is_dir():
        raise CorpusError(f"{str(out)!r} is a file, must be a new folder or a corpus")
    if not created and not (out / "manifest.json").exists() and not _only_ours(out):
        raise CorpusError(f"{str(out)!r} is neither empty nor a corpus, must be a new folder")
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    state = Journal(out, checks, settings)
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
    found = read_manifest(out)[0]["settings"]["checks"]
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


def _covered(out: Path, shard: dict[str, Any]) -> tuple[Keys, Keys]:
    """The keys of the files of a shard, by stamp and by content."""
    stamps = np.load(out / "shards" / shard["name"] / "stamps.npy", allow_pickle=False).tolist()
    columns = song_table(out, shard, ["path", "hash", "fate"]).to_pydict()
    sources = [Source(path, *stamp) for path, stamp in zip(columns["path"], stamps, strict=True)]
    by_content = np.fromiter(map(_content, sources, columns["hash"]), np.uint64, len(sources))
    # what could not be opened may be opened by now, without a trace in its time of change
    tried = np.array([fate != "cannot open" for fate in columns["fate"]], bool)
    return np.fromiter(map(_stamp, sources), np.uint64, len(sources))[tried], by_content


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
