"""Journal: what is already in the output folder, so that a run goes on where an earlier one was stopped.

A shard has its name only once it is whole, and then never changes: the list of shards is the journal.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.corpus import read_manifest
from ritornello.errors import CorpusError
from ritornello.files import output_errors, write_json
from ritornello.preparing.index import empty_manifest, song_table
from ritornello.preparing.lock import locked
from ritornello.preparing.scan import Source


@dataclass
class Journal:
    """The corpus folder `out`, its finished shards, and the files that they cover."""

    out: Path
    settings: dict[str, Any]
    shards: list[dict[str, Any]] = field(default_factory=list)
    _known: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))

    def new(self, sources: list[Source]) -> list[Source]:
        """The sources that no finished shard has, by path, size and time of change."""
        if not len(self._known):
            return sources
        keys = np.fromiter(map(_key, sources), np.uint64, len(sources))
        return [sources[place] for place in np.flatnonzero(~np.isin(keys, self._known))]


@contextmanager
def journal(out: Path, settings: dict[str, Any]) -> Iterator[Journal]:
    """Open the corpus folder `out` to write into it, alone; make it if there is none.

    Raises CorpusError for a folder that is something else, a corpus made otherwise, or one being written.
    """
    created = not out.exists()
    if out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").exists():
        if not _only_ours(out):
            raise CorpusError(f"{str(out)!r} is neither empty nor a corpus, must be a new folder")
    elif out.exists() and not out.is_dir():
        raise CorpusError(f"{str(out)!r} is a file, must be a new folder or a corpus")
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    with locked(out / "lock"):
        if not (out / "manifest.json").exists():
            write_json(out / "manifest.json", empty_manifest(settings))
        manifest, _ = read_manifest(out)
        for name, value in settings.items():
            if manifest["settings"].get(name) != value:
                raise CorpusError(
                    f"{str(out)!r} was made with {name} {manifest['settings'].get(name)!r}, not {value!r}: "
                    "a corpus is made one way, give another --out"
                )
        state = Journal(out, settings, _finished_shards(out))
        state._known = np.concatenate(
            [np.zeros(0, np.uint64), *(_keys(out, shard) for shard in state.shards)]
        )
        try:
            yield state
        finally:
            if created and not state.shards:
                _clear(out)


def _only_ours(out: Path) -> bool:
    """Whether a folder without manifest holds only what a run leaves that is killed at its start."""
    return all(path.name == "lock" or path.name.endswith(".tmp") for path in out.iterdir())


def _finished_shards(out: Path) -> list[dict[str, Any]]:
    """The entries of the finished shards, in order; what is unfinished is removed."""
    entries = []
    for path in sorted((out / "shards").glob("*")):
        if path.name.startswith("."):
            shutil.rmtree(path)
            continue
        try:
            entries.append(json.loads((path / "shard.json").read_bytes()))
        except (OSError, ValueError) as error:
            raise CorpusError(f"shard {path.name} of {str(out)!r} is damaged: shard.json: {error}") from error
    return entries


def _key(source: Source) -> int:
    """Eight bytes that stand for a source as it was when it was read."""
    text = b"%d %d " % (source.size, source.mtime_ns) + source.path
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def _keys(out: Path, shard: dict[str, Any]) -> npt.NDArray[np.uint64]:
    """The keys of the files of a shard."""
    stamps = np.load(out / "shards" / shard["name"] / "stamps.npy", allow_pickle=False)
    paths = song_table(out, shard, ["path"])["path"].to_pylist()
    sources = (Source(path, *stamp) for path, stamp in zip(paths, stamps.tolist(), strict=True))
    return np.fromiter(map(_key, sources), np.uint64, len(paths))


def _clear(out: Path) -> None:
    """Remove a folder that this run made and left without a shard."""
    with output_errors(out):
        shutil.rmtree(out)
