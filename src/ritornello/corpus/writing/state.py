"""The state of a corpus while it is written, so that a run continues an earlier one that was stopped.

A shard gets its name only when it is complete, and then never changes: the finished shards are the state on
disk.
"""

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

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.corpus import read_manifest
from ritornello.corpus.duplicates.corpus_duplicates import song_table
from ritornello.corpus.duplicates.sketch import VERSION as SKETCH_VERSION
from ritornello.corpus.outcomes import RETRYABLE
from ritornello.corpus.sources.scan import Source, Sources
from ritornello.corpus.writing.index import empty_manifest
from ritornello.errors import CorpusError, InputError
from ritornello.system.files import output_errors, replacing, write_json
from ritornello.system.lock import locked

Keys = npt.NDArray[np.uint64]  # (K,) hashes of files
TOUCHED = "touched.npy"


@dataclass
class CorpusState:
    """The finished shards of the corpus folder `out`, and the files that they contain.

    A file counts as read if a shard has its path, size and time of change (its stamp key); or if it was read
    again, its path and content (its content key). With `retry`, a file with a RETRYABLE outcome does not
    count as read; it gets a second row if its outcome has changed.
    """

    out: Path
    checks: CheckSettings
    settings: dict[str, Any]
    retry: bool = False
    shards: list[dict[str, Any]] = field(default_factory=list)
    _stamp_keys: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))
    _content_keys: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))
    _retryable_keys: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))  # of `_content_keys`
    _touched: list[int] = field(default_factory=list)  # stamp keys

    def unread(self, sources: Sources) -> Sources:
        """The sources that have not been read as they are now."""
        return Sources(s for s in sources if not self.is_known(s)) if len(self._stamp_keys) else sources

    def count_gone(self, sources: Sources) -> int:
        """How many files of the finished shards are not in `sources`; songs in archives are not counted."""
        if not self.shards:
            return 0
        present = np.sort(np.fromiter((_digest(s.path) for s in sources), np.uint64, len(sources)))
        gone: set[int] = set()
        for shard in self.shards:
            stamps = np.load(self.out / "shards" / shard["name"] / "stamps.npy", allow_pickle=False).tolist()
            paths = song_table(self.out, shard, ["path"]).to_pydict()["path"]
            keys = (_digest(path) for path, stamp in zip(paths, stamps, strict=True) if not stamp[-1])
            gone.update(key for key in keys if not _contains(present, key))
        return len(gone)

    def is_known(self, source: Source) -> bool:
        """Whether a finished shard has the source as it is now."""
        return _contains(self._stamp_keys, _stamp_key(source))

    def find_repeated(self, sources: list[Source], rows: list[dict[str, Any]]) -> list[bool]:
        """Whether each source, now read into its row, has a row with the same content in a finished shard."""
        if not len(self._content_keys):
            return [False] * len(sources)
        repeated = []
        for source, row in zip(sources, rows, strict=True):
            key = _content_key(source, bytes.fromhex(row["hash"]))
            improved = row["fate"] not in RETRYABLE and _contains(self._retryable_keys, key)
            repeated.append(_contains(self._content_keys, key) and not improved)
            if repeated[-1] and (row["hash"] or source.is_archive):
                self._touched.append(_stamp_key(source))
        return repeated

    def save_touched(self) -> None:
        """Store the stamps of files that were read again and found unchanged, so that they count as read."""
        if self._touched:
            keys = np.unique(np.concatenate([_load_touched(self.out), np.array(self._touched, np.uint64)]))
            with replacing(self.out / TOUCHED) as temporary, temporary.open("wb") as file:
                np.save(file, keys)

    def load(self) -> None:
        """Find the finished shards and what they contain; remove unfinished ones."""
        self.shards = _finished_shards(self.out)
        shard_keys = [_shard_keys(self.out, shard, self.retry) for shard in self.shards]
        columns = zip(*(keys[:3] for keys in shard_keys), strict=True) if shard_keys else ((), (), ())
        stamps, contents, retryable = (np.concatenate([np.zeros(0, np.uint64), *each]) for each in columns)
        if self.retry:
            inside = [path for keys in shard_keys for path in keys.retryable_in_archives]
            archives = [archive for keys in shard_keys for archive in keys.archives]
            reopened = [a for a in archives if any(path.startswith(a.path + b"/") for path in inside)]
            stamps = np.setdiff1d(stamps, np.array([_stamp_key(archive) for archive in reopened], np.uint64))
        else:  # with `retry` a touched archive may be one that has to be opened again
            stamps = np.concatenate([stamps, _load_touched(self.out)])
        self._stamp_keys, self._content_keys = np.sort(stamps), np.sort(contents)
        self._retryable_keys = np.sort(retryable)


@contextmanager
def open_for_writing(out: Path, checks: CheckSettings, retry: bool = False) -> Iterator[CorpusState]:
    """Lock the corpus folder `out` and open it for writing; make it if it does not exist.

    A folder that this call made is deleted again if no song can be kept or no shard is finished.
    Raises CorpusError if `out` is something else or a corpus made with other settings, InputError if another
    process is writing it.
    """
    created = not out.exists()
    settings = {"checks": asdict(checks), "sketch": SKETCH_VERSION}
    if out.exists() and not out.is_dir():
        raise CorpusError(f"{str(out)!r} is a file: must be a new folder or a corpus")
    if not created and not (out / "manifest.json").exists() and not _was_just_begun(out):
        raise CorpusError(f"{str(out)!r} is neither empty nor a corpus: must be a new folder")
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    state = CorpusState(out, checks, settings, retry)
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
    """Write the first manifest, or raise CorpusError if the present one was made with other settings."""
    if not (out / "manifest.json").exists():
        write_json(out / "manifest.json", empty_manifest(settings))
    earlier = read_manifest(out)[0]["settings"]
    if (version := earlier.get("sketch", 1)) != SKETCH_VERSION:
        raise CorpusError(
            f"{str(out)!r} has sketches of version {version}: must be version {SKETCH_VERSION} to grow; "
            "it can be trained on, but to add songs prepare all of them in another --out"
        )
    for name, value in settings["checks"].items():
        if (before := earlier["checks"].get(name)) != value:
            raise CorpusError(
                f"{str(out)!r} was made with {name} {before!r}, not {value!r}: "
                "all songs of a corpus must be read with the same settings; choose another --out"
            )


def _was_just_begun(out: Path) -> bool:
    """Whether a folder without a manifest has only the files of a run that was killed at its start."""
    return all(path.name == "lock" or path.name.endswith(".tmp") for path in out.iterdir())


def _finished_shards(out: Path) -> list[dict[str, Any]]:
    """The entries of the finished shards, in order; unfinished ones are deleted."""
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


class ShardKeys(NamedTuple):
    """The keys of the files of one shard, in arrays (N,)."""

    stamps: Keys  # of files that need not be read again
    contents: Keys
    retryable: Keys  # those of `contents` with a RETRYABLE outcome
    retryable_in_archives: list[bytes]  # paths of songs in archives with a RETRYABLE outcome
    archives: list[Source]


def _shard_keys(out: Path, shard: dict[str, Any], retry: bool) -> ShardKeys:
    """The keys of a shard; with `retry` files with a RETRYABLE outcome have to be read again."""
    stamps = np.load(out / "shards" / shard["name"] / "stamps.npy", allow_pickle=False).tolist()
    columns = song_table(out, shard, ["path", "hash", "fate"]).to_pydict()
    sources = [Source(path, *stamp) for path, stamp in zip(columns["path"], stamps, strict=True)]
    contents = np.fromiter(map(_content_key, sources, columns["hash"]), np.uint64, len(sources))
    retryable = np.array([outcome in RETRYABLE for outcome in columns["fate"]], bool)
    # a change of permissions, after which a file can be opened, does not change its stamp
    not_opened = np.array([outcome == "cannot open" for outcome in columns["fate"]], bool)
    read_again = not_opened | (retryable & retry)
    stamp_keys = np.fromiter(map(_stamp_key, sources), np.uint64, len(sources))
    inside = [sources[row].path for row in np.flatnonzero(retryable) if sources[row].number]
    archives = [source for source in sources if source.is_archive]
    return ShardKeys(stamp_keys[~read_again], contents, contents[retryable], inside, archives)


def _stamp_key(source: Source) -> int:
    """A 64-bit hash of a source's path, size, time of change and place in its archive."""
    return _digest(b"%d %d %d " % source[1:] + source.path)


def _content_key(source: Source, content_hash: bytes) -> int:
    """A 64-bit hash of a source's path, place in its archive and content; no hash if it could not be read."""
    return _digest(b"%d " % source.number + content_hash.ljust(32, b"\0") + source.path)


def _digest(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def _contains(keys: Keys, key: int) -> bool:
    place = int(np.searchsorted(keys, np.uint64(key)))
    return place < len(keys) and int(keys[place]) == key


def _load_touched(out: Path) -> Keys:
    """The stamp keys that `save_touched` stored; none if the file is missing or damaged."""
    try:
        return np.asarray(np.load(out / TOUCHED, allow_pickle=False), np.uint64)
    except (OSError, ValueError):  # it only saves reading
        return np.zeros(0, np.uint64)
