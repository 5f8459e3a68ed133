"""Find the duplicates in a corpus: which songs are kept, and which kept song each other song repeats."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import Corpus, import_pyarrow
from ritornello.corpus.duplicates.decide import KINDS, decide
from ritornello.corpus.duplicates.sketch import SKETCH
from ritornello.corpus.outcomes import DUPLICATES, KEPT
from ritornello.system.files import output_errors

# Of each of KINDS its index in DUPLICATES; the index of "kept" is not used
INDEX_OF_KIND = np.array([DUPLICATES.index(kind) if kind in DUPLICATES else 0 for kind in KINDS], np.uint8)
SAME_FILE = DUPLICATES.index("same file")


@dataclass(frozen=True)
class FoundDuplicates:
    """Which of N files are kept, and for each duplicate the kept song that it repeats; arrays of (N,)."""

    kept: npt.NDArray[np.bool_]
    duplicate_of: npt.NDArray[np.int64]  # -1 for a file that is not a duplicate
    kind: npt.NDArray[np.uint8]  # index into DUPLICATES, valid only for a duplicate
    similarity: npt.NDArray[np.float32]  # estimated Jaccard similarity to that song, 0 to 1

    def outcomes(self, read: list[str], songs: slice) -> list[str]:
        """The outcomes of the files `songs`; `read` are their outcomes before duplicates were found."""
        pairs = zip(read, self.duplicate_of[songs].tolist(), self.kind[songs].tolist(), strict=True)
        return [DUPLICATES[kind] if song >= 0 else outcome for outcome, song, kind in pairs]

    def reasons(self, read: list[str], songs: slice) -> list[str]:
        """The reasons of the files `songs`; `read` are their reasons before duplicates were found."""
        columns = [c[songs].tolist() for c in (self.duplicate_of, self.kind, self.similarity)]
        return [
            reason
            if song < 0
            else f"song {song}" + (f", similarity {similarity:.2f}" if DUPLICATES[kind] == "near" else "")
            for reason, song, kind, similarity in zip(read, *columns, strict=True)
        ]


def find_duplicates(folder: Path, shards: list[dict[str, Any]], old: Corpus | None) -> FoundDuplicates:
    """Decide for each song whether it is kept: first those of the corpus `old`, then new ones by file hash.

    The decisions of `old` stay as they are; a new song is kept unless it duplicates a song kept before it.
    """
    hashes, readable = _hashes_and_readable(folder, shards)
    duplicates, old_count = _earlier_decisions(old, len(hashes)), len(old) if old else 0
    songs = np.flatnonzero(readable)
    songs = songs[np.lexsort((songs, *hashes[songs].T[::-1]))]  # by hash, then by number
    first = np.ones(len(songs), bool)
    first[1:] = (hashes[songs[1:]] != hashes[songs[:-1]]).any(axis=1)
    leader = songs[np.maximum.accumulate(np.where(first, np.arange(len(songs)), 0))]
    _compare(duplicates, folder, shards, readable, songs[first & (songs >= old_count)])
    later = ~first & (songs >= old_count)  # they equal their leader, which is kept or a duplicate
    songs, leader = songs[later], leader[later]
    is_kept = duplicates.kept[leader]
    duplicates.duplicate_of[songs] = np.where(is_kept, leader, duplicates.duplicate_of[leader])
    duplicates.kind[songs] = np.where(is_kept, SAME_FILE, duplicates.kind[leader])
    duplicates.similarity[songs] = np.where(is_kept, 1, duplicates.similarity[leader])
    return duplicates


def _earlier_decisions(old: Corpus | None, count: int) -> FoundDuplicates:
    """The decisions of the corpus `old` for the first of `count` files."""
    duplicates = FoundDuplicates(
        kept=np.zeros(count, bool),
        duplicate_of=np.full(count, -1, np.int64),
        kind=np.zeros(count, np.uint8),
        similarity=np.zeros(count, np.float32),
    )
    if old:
        duplicates.kept[old.songs()] = True
        duplicates.duplicate_of[: len(old)] = old.index["duplicate_of"].to_numpy()
        duplicates.similarity[: len(old)] = old.index["likeness"].to_numpy()
        for number, name in enumerate(DUPLICATES):
            duplicates.kind[: len(old)][_equal(old.index["fate"], name)] = number
    return duplicates


def _compare(
    duplicates: FoundDuplicates,
    folder: Path,
    shards: list[dict[str, Any]],
    readable: npt.NDArray[np.bool_],
    new: npt.NDArray[np.int64],
) -> None:
    """Decide on the songs `new`, in this order, and write the decisions into `duplicates`."""
    fixed = np.flatnonzero(duplicates.kept)
    order = np.concatenate([fixed, new])
    with _gathered_sketches(folder, shards, readable, order) as (sketches, rows):
        decisions = decide(sketches, rows, len(fixed))
    songs, new_rows = np.sort(order), rows[len(fixed) :]
    repeated_row = decisions.duplicate_of[new_rows]
    duplicates.kept[new] = repeated_row < 0
    duplicates.duplicate_of[new] = np.where(repeated_row >= 0, songs[repeated_row], -1)
    duplicates.kind[new] = INDEX_OF_KIND[decisions.kind[new_rows]]
    duplicates.similarity[new] = decisions.similarity[new_rows]


@contextmanager
def _gathered_sketches(
    folder: Path, shards: list[dict[str, Any]], readable: npt.NDArray[np.bool_], order: npt.NDArray[np.int64]
) -> Iterator[tuple[Any, npt.NDArray[np.int64]]]:
    """The sketches of the songs `order`, sorted by song in one mapped file, and the row of each song."""
    temporary = folder / ".sketches.tmp"
    songs = np.sort(order)
    with output_errors(temporary), temporary.open("wb") as file:
        start = 0
        for shard in shards:
            inside = songs[(songs >= start) & (songs < start + shard["rows"])] - start
            sketch_row = np.cumsum(readable[start : start + shard["rows"]]) - 1  # of readable songs
            path = folder / "shards" / shard["name"] / "sketches.npy"
            sketches = np.load(path, mmap_mode="r", allow_pickle=False)
            file.write(sketches[sketch_row[inside]].tobytes())
            start += shard["rows"]
    try:
        rows = np.searchsorted(songs, order)
        yield (np.memmap(temporary, SKETCH, "r") if len(songs) else np.zeros(0, SKETCH)), rows
    finally:
        os.unlink(temporary)  # noqa: PTH108


def _hashes_and_readable(
    folder: Path, shards: list[dict[str, Any]]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """The SHA-256 of every file, (N, 4) uint64, and whether it is a song that can be kept, (N,) bool."""
    count = sum(shard["rows"] for shard in shards)
    hashes, readable, start = np.zeros((count, 4), np.uint64), np.zeros(count, bool), 0
    for shard in shards:
        table = song_table(folder, shard, ["hash", "fate"])
        rows = slice(start, start + shard["rows"])
        hashes[rows], readable[rows] = hash_column(table), _equal(table["fate"], KEPT)
        start += shard["rows"]
    return hashes, readable


def song_table(folder: Path, shard: dict[str, Any], columns: list[str]) -> Any:
    """Read some columns of the songs.parquet of a shard."""
    file = folder / "shards" / shard["name"] / "songs.parquet"
    return import_pyarrow().parquet.read_table(file, columns=columns)


def hash_column(table: Any) -> npt.NDArray[np.uint64]:
    """The column of SHA-256 as (N, 4) uint64, which sort as the bytes do."""
    column = b"".join(table["hash"].to_pylist())
    return np.frombuffer(column, ">u8").reshape(-1, 4)


def _equal(column: Any, value: str) -> npt.NDArray[np.bool_]:
    """Whether each entry of a column is `value`."""
    return np.asarray(import_pyarrow().compute.equal(column, value).to_numpy(), dtype=bool)
