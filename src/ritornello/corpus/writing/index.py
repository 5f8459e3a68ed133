"""Write the index of a corpus and its manifest: the outcome, labels and split of every file."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import (
    FORMAT,
    SPLITS,
    VERSION,
    Corpus,
    import_pyarrow,
    index_schema,
    read_manifest,
)
from ritornello.corpus.duplicates.corpus_duplicates import (
    FoundDuplicates,
    find_duplicates,
    hash_column,
    song_table,
)
from ritornello.corpus.labels import MIN_SONGS, Labeller
from ritornello.corpus.outcomes import KEPT, OUTCOMES, READ_AGAIN, RETRYABLE
from ritornello.system.files import output_errors, sha256_file, write_json

SPLIT_OF_REMAINDER = np.array(["train"] * 8 + ["valid", "test"])  # by the hash modulo 10
READ_COLUMNS = ["path", "hash", "fate", "reason", "offset", "notes"]


def write_index(
    folder: Path, shards: list[dict[str, Any]], settings: dict[str, Any], labeller: Labeller
) -> dict[str, Any]:
    """Decide which songs are kept, and write the index and the manifest of a corpus; return the manifest.

    Songs that an earlier index kept stay kept.
    """
    earlier, _ = read_manifest(folder)
    duplicates = find_duplicates(folder, shards, Corpus.open(folder) if earlier["index"] else None)
    labels = _label_sets((song_table(folder, shard, ["path"]) for shard in shards), duplicates, labeller)
    frequent, labeller.rare = _frequent(labels)
    counted: dict[str, Counter[str]] = {"fate": Counter(), "split": Counter()}
    temporary = folder / ".index.tmp"
    with output_errors(folder):
        with import_pyarrow().parquet.ParquetWriter(temporary, index_schema(), compression="zstd") as file:
            labels = labels._replace(sets=[tuple(x for x in each if x in frequent) for each in labels.sets])
            read = (song_table(folder, shard, READ_COLUMNS) for shard in shards)
            for table in _index_tables(read, duplicates, labels, _read_again(folder, shards)):
                for column, counter in counted.items():
                    counter.update(table[column].to_pylist())
                file.write_table(table)
        digest = sha256_file(temporary)
        name = f"index-{digest[:16]}.parquet"
        entry = {name: [temporary.stat().st_size, digest]}
        temporary.replace(folder / name)
    manifest = empty_manifest(settings) | {
        "files": sum(shard["rows"] for shard in shards),
        "kept": counted["fate"][KEPT],
        "fates": {outcome: counted["fate"][outcome] for outcome in OUTCOMES if counted["fate"][outcome]},
        "splits": {split: counted["split"][split] for split in SPLITS},
        "labels": frequent,
        "index": entry,
        "shards": shards,
    }
    write_json(folder / "manifest.json", manifest)
    for stale in folder.glob("index-*.parquet"):
        if stale.name != name:
            stale.unlink()
    return manifest


def empty_manifest(settings: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a corpus that has no index yet."""
    head = {"format": FORMAT, "version": VERSION, "settings": settings}
    return head | {"files": 0, "kept": 0, "fates": {}, "splits": {}, "labels": {}, "index": {}, "shards": []}


class LabelSets(NamedTuple):
    """The labels of each of N files: `number` (N,) is an index into `sets`; sets[0] is empty."""

    number: npt.NDArray[np.int32]
    sets: list[tuple[str, ...]]


def _label_sets(tables: Iterable[Any], duplicates: FoundDuplicates, labeller: Labeller) -> LabelSets:
    """The labels of each kept song, which include the labels of its duplicates."""
    numbers: dict[tuple[str, ...], int] = {(): 0}
    number = np.zeros(len(duplicates.kept), np.int32)
    sets: list[tuple[str, ...]] = [()]
    song = 0
    for table in tables:
        for path in table["path"].to_pylist():
            kept_song = song if duplicates.kept[song] else int(duplicates.duplicate_of[song])
            song += 1
            if kept_song < 0 or not (new_labels := labeller.labels(path)):
                continue
            joined = tuple(sorted({*sets[number[kept_song]], *new_labels}))
            number[kept_song] = numbers.setdefault(joined, len(sets))
            if len(numbers) > len(sets):
                sets.append(joined)
    return LabelSets(number, sets)


def _frequent(labels: LabelSets) -> tuple[dict[str, int], dict[str, int]]:
    """The labels that at least MIN_SONGS songs have, with their number of songs; and the other labels."""
    counts: Counter[str] = Counter()
    for names, count in zip(labels.sets, np.bincount(labels.number).tolist(), strict=False):
        counts.update(dict.fromkeys(names, count))
    rare = {label: count for label, count in sorted(counts.items()) if count < MIN_SONGS}
    return {label: count for label, count in sorted(counts.items()) if label not in rare}, rare


def _read_again(folder: Path, shards: list[dict[str, Any]]) -> set[int]:
    """The rows of files that could not be read and have a later row from another attempt."""
    waiting: dict[tuple[bytes, int], int] = {}  # failed rows by path and place in the archive
    read_again, start = set(), 0
    for shard in shards:
        table = song_table(folder, shard, ["path", "fate"])
        failed = np.flatnonzero(_is_in(table["fate"], ("cannot open", *RETRYABLE)))
        if waiting or len(failed):
            numbers = np.load(folder / "shards" / shard["name"] / "stamps.npy", allow_pickle=False)[:, 2]
            paths = [path for path, _ in waiting] + table["path"].take(failed).to_pylist()
            for row in np.flatnonzero(_is_in(table["path"], paths)).tolist():
                key = (table["path"][row].as_py(), int(numbers[row]))
                if key in waiting:
                    read_again.add(waiting.pop(key))
                if row in failed:
                    waiting[key] = start + row
        start += len(table)
    return read_again


def _is_in(column: Any, values: Iterable[Any]) -> npt.NDArray[np.bool_]:
    """Whether each entry of a column is one of `values`."""
    pa = import_pyarrow()
    known = pa.array(values, column.type)
    return np.asarray(pa.compute.is_in(column, value_set=known).to_numpy(), dtype=bool)


def _index_tables(
    tables: Iterable[Any], duplicates: FoundDuplicates, labels: LabelSets, read_again: set[int]
) -> Iterator[Any]:
    """The rows of the index, one table per shard; `read_again` holds the rows of files with a later row."""
    pa = import_pyarrow()
    schema, start = index_schema(), 0
    for number, read in enumerate(tables):
        count = len(read)
        songs = slice(start, start + count)
        splits = np.where(duplicates.kept[songs], _split(hash_column(read)), "")
        outcomes = duplicates.outcomes(read["fate"].to_pylist(), songs)
        outcomes = [READ_AGAIN if start + row in read_again else x for row, x in enumerate(outcomes)]
        columns = {
            "path": read["path"],
            "hash": read["hash"],
            "fate": outcomes,
            "reason": duplicates.reasons(read["reason"].to_pylist(), songs),
            "labels": [labels.sets[number] for number in labels.number[songs].tolist()],
            "split": splits.tolist(),
            "duplicate_of": duplicates.duplicate_of[songs],
            "likeness": duplicates.similarity[songs],
            "shard": np.full(count, number, np.int32),
            "row": np.arange(count, dtype=np.int32),
            "offset": read["offset"],
            "notes": read["notes"],
        }
        yield pa.table(columns, schema=schema)
        start += count


def _split(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[Any]:
    """The split of each song by its SHA-256, (N, 4) uint64; so it never changes as the corpus grows.

    80% of the songs are in train, 10% in valid, 10% in test.
    """
    return np.asarray(SPLIT_OF_REMAINDER[(hashes[:, 0] % 10).astype(np.int64)])
