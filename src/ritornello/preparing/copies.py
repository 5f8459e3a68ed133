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

from ritornello.corpus import Corpus, arrow
from ritornello.files import output_errors
from ritornello.preparing.duplicates import KINDS, SKETCH, decide
from ritornello.preparing.fates import COPIES, KEPT

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


def find_copies(folder: Path, shards: list[dict[str, Any]], tables: list[Any], old: Corpus | None) -> Found:
    """Decide in order: the songs that `old` keeps stay, then by the file's hash, each unless a copy.

    `tables` has the columns hash and fate of each shard. What `old` decided stays as it is.
    """
    hashes = np.concatenate([hash_column(table) for table in tables])  # (N, 4) of 8 bytes
    readable = np.concatenate([_equal(table["fate"], KEPT) for table in tables])
    known = len(old) if old else 0
    duplicate_of = np.full(len(hashes), -1, np.int64)
    kind = np.zeros(len(hashes), np.uint8)
    likeness = np.zeros(len(hashes), np.float32)
    kept = np.zeros(len(hashes), bool)
    if old:
        kept[old.songs()] = True
        index = old.index
        duplicate_of[:known] = index["duplicate_of"].to_numpy()
        likeness[:known] = index["likeness"].to_numpy()
        for number, name in enumerate(COPIES):
            kind[:known][_equal(index["fate"], name)] = number
    songs = np.flatnonzero(readable)
    songs = songs[np.lexsort((songs, *hashes[songs].T[::-1]))]
    first = np.ones(len(songs), bool)
    first[1:] = (hashes[songs[1:]] != hashes[songs[:-1]]).any(axis=1)
    leader = songs[np.maximum.accumulate(np.where(first, np.arange(len(songs)), 0))]
    fixed = np.flatnonzero(kept)
    order = np.concatenate([fixed, songs[first & (songs >= known)]])  # by hash
    with _gathered(folder, shards, readable, order) as (sketches, places):
        decided = decide(sketches, places, len(fixed))
    rows = np.sort(order)
    new = ~np.isin(rows, fixed)
    repeats = decided.duplicate_of[new]
    duplicate_of[rows[new]] = np.where(repeats >= 0, rows[repeats], -1)
    kind[rows[new]] = OF_KIND[decided.kind[new]]
    likeness[rows[new]] = decided.likeness[new]
    kept[rows[new]] = repeats < 0
    later, leader = songs[~first & (songs >= known)], leader[~first & (songs >= known)]
    duplicate_of[later] = np.where(kept[leader], leader, duplicate_of[leader])
    kind[later] = np.where(kept[leader], SAME_FILE, kind[leader])
    likeness[later] = np.where(kept[leader], 1, likeness[leader])
    return Found(kept, duplicate_of, kind, likeness)


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


def hash_column(table: Any) -> npt.NDArray[np.uint64]:
    """The column of hashes as (N, 4) numbers that sort as the bytes do."""
    column = b"".join(table["hash"].to_pylist())
    return np.frombuffer(column, ">u8").reshape(-1, 4)


def _equal(column: Any, value: str) -> npt.NDArray[np.bool_]:
    return np.asarray(arrow().compute.equal(column, value).to_numpy(), dtype=bool)
