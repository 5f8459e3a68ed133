"""Copies: which of the readable songs are kept, and which one each other song repeats."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import Corpus, arrow
from ritornello.corpus.duplicates.decide import KINDS, SKETCH, decide
from ritornello.corpus.outcomes import COPIES, KEPT
from ritornello.system.files import output_errors

OF_KIND = np.array([COPIES.index(kind) if kind in COPIES else 0 for kind in KINDS], np.uint8)
SAME_FILE = COPIES.index("same file")


@dataclass(frozen=True)
class Found:
    """What became of each of N files; `kind` counts only where `duplicate_of` is not -1."""

    kept: npt.NDArray[np.bool_]
    duplicate_of: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]  # place in COPIES
    likeness: npt.NDArray[np.float32]

    def fates(self, read: list[str], songs: slice) -> list[str]:
        """The fates of some files, from what reading them gave."""
        pairs = zip(read, self.duplicate_of[songs].tolist(), self.kind[songs].tolist(), strict=True)
        return [COPIES[kind] if song >= 0 else fate for fate, song, kind in pairs]

    def reasons(self, read: list[str], songs: slice) -> list[str]:
        """The reasons of some files: of a copy, which song it repeats."""
        columns = [c[songs].tolist() for c in (self.duplicate_of, self.kind, self.likeness)]
        return [
            reason
            if song < 0
            else f"song {song}" + (f", likeness {likeness:.2f}" if COPIES[kind] == "near" else "")
            for reason, song, kind, likeness in zip(read, *columns, strict=True)
        ]


def find_copies(folder: Path, shards: list[dict[str, Any]], old: Corpus | None) -> Found:
    """Decide in order: the songs that `old` keeps stay, then by the file's hash, each unless a copy.

    What `old` decided stays as it is.
    """
    hashes, readable = _hashes_and_readable(folder, shards)
    found, known = _as_before(old, len(hashes)), len(old) if old else 0
    songs = np.flatnonzero(readable)
    songs = songs[np.lexsort((songs, *hashes[songs].T[::-1]))]  # by hash, of equal ones the oldest first
    first = np.ones(len(songs), bool)
    first[1:] = (hashes[songs[1:]] != hashes[songs[:-1]]).any(axis=1)
    leader = songs[np.maximum.accumulate(np.where(first, np.arange(len(songs)), 0))]
    _compare(found, folder, shards, readable, songs[first & (songs >= known)])
    later = ~first & (songs >= known)  # the same bytes as their leader, whatever became of that
    songs, leader = songs[later], leader[later]
    found.duplicate_of[songs] = np.where(found.kept[leader], leader, found.duplicate_of[leader])
    found.kind[songs] = np.where(found.kept[leader], SAME_FILE, found.kind[leader])
    found.likeness[songs] = np.where(found.kept[leader], 1, found.likeness[leader])
    return found


def _as_before(old: Corpus | None, count: int) -> Found:
    """What an earlier run decided on the first of `count` files."""
    found = Found(
        kept=np.zeros(count, bool),
        duplicate_of=np.full(count, -1, np.int64),
        kind=np.zeros(count, np.uint8),
        likeness=np.zeros(count, np.float32),
    )
    if old:
        found.kept[old.songs()] = True
        found.duplicate_of[: len(old)] = old.index["duplicate_of"].to_numpy()
        found.likeness[: len(old)] = old.index["likeness"].to_numpy()
        for number, name in enumerate(COPIES):
            found.kind[: len(old)][_equal(old.index["fate"], name)] = number
    return found


def _compare(
    found: Found,
    folder: Path,
    shards: list[dict[str, Any]],
    readable: npt.NDArray[np.bool_],
    new: npt.NDArray[np.int64],
) -> None:
    """Decide on the songs `new`, in this order, against each other and those kept already."""
    fixed = np.flatnonzero(found.kept)
    order = np.concatenate([fixed, new])
    with _gathered(folder, shards, readable, order) as (sketches, places):
        decided = decide(sketches, places, len(fixed))
    songs, new_places = np.sort(order), places[len(fixed) :]  # a place is a row of the sketches
    repeats = decided.duplicate_of[new_places]
    found.kept[new] = repeats < 0
    found.duplicate_of[new] = np.where(repeats >= 0, songs[repeats], -1)
    found.kind[new] = OF_KIND[decided.kind[new_places]]
    found.likeness[new] = decided.likeness[new_places]


@contextmanager
def _gathered(
    folder: Path, shards: list[dict[str, Any]], readable: npt.NDArray[np.bool_], order: npt.NDArray[np.int64]
) -> Iterator[tuple[Any, npt.NDArray[np.int64]]]:
    """The sketches of the songs of `order` in one mapped file, by song, and the place there of each."""
    temporary = folder / ".sketches.tmp"
    rows = np.sort(order)
    with output_errors(temporary), temporary.open("wb") as file:
        start = 0
        for shard in shards:
            inside = rows[(rows >= start) & (rows < start + shard["rows"])] - start
            number = np.cumsum(readable[start : start + shard["rows"]]) - 1  # of a readable song in the shard
            path = folder / "shards" / shard["name"] / "sketches.npy"
            sketches = np.load(path, mmap_mode="r", allow_pickle=False)
            file.write(sketches[number[inside]].tobytes())
            start += shard["rows"]
    try:
        place = np.searchsorted(rows, order)
        yield (np.memmap(temporary, SKETCH, "r") if len(rows) else np.zeros(0, SKETCH)), place
    finally:
        os.unlink(temporary)  # noqa: PTH108


def _hashes_and_readable(
    folder: Path, shards: list[dict[str, Any]]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """The hash of every file, (N, 4) numbers, and whether it could be read as a song, (N,)."""
    count = sum(shard["rows"] for shard in shards)
    hashes, readable, start = np.zeros((count, 4), np.uint64), np.zeros(count, bool), 0
    for shard in shards:
        table = song_table(folder, shard, ["hash", "fate"])
        rows = slice(start, start + shard["rows"])
        hashes[rows], readable[rows] = hash_column(table), _equal(table["fate"], KEPT)
        start += shard["rows"]
    return hashes, readable


def song_table(folder: Path, shard: dict[str, Any], columns: list[str]) -> Any:
    """Some columns of a shard's songs.parquet."""
    return arrow().parquet.read_table(folder / "shards" / shard["name"] / "songs.parquet", columns=columns)


def hash_column(table: Any) -> npt.NDArray[np.uint64]:
    """The column of hashes as (N, 4) numbers that sort as the bytes do."""
    column = b"".join(table["hash"].to_pylist())
    return np.frombuffer(column, ">u8").reshape(-1, 4)


def _equal(column: Any, value: str) -> npt.NDArray[np.bool_]:
    return np.asarray(arrow().compute.equal(column, value).to_numpy(), dtype=bool)
