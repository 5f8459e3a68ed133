"""Index: from all that was read to what is kept: copies, sides, labels, and the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus import corpus as noun
from ritornello.corpus.corpus import Corpus, arrow, index_schema
from ritornello.corpus.duplicates.in_corpus import Found, find_copies, hash_column, song_table
from ritornello.corpus.labels import MIN_SONGS, Labeller
from ritornello.corpus.outcomes import FATES, KEPT, READ_AGAIN, UNSURE
from ritornello.corpus.writing.split import split
from ritornello.system.files import output_errors, sha256_file, write_json

READ_COLUMNS = ["path", "hash", "fate", "reason", "offset", "notes"]


def write_index(
    folder: Path, shards: list[dict[str, Any]], settings: dict[str, Any], labeller: Labeller
) -> dict[str, Any]:
    """Decide what is kept, write the index of the corpus `folder` and then its manifest; returns that.

    What an earlier index decided stays as it is.
    """
    earlier, _ = noun.read_manifest(folder)
    found = find_copies(folder, shards, Corpus.open(folder) if earlier["index"] else None)
    labels = _label_sets((song_table(folder, shard, ["path"]) for shard in shards), found, labeller)
    enough = _common(labels)
    counted: dict[str, Counter[str]] = {"fate": Counter(), "split": Counter()}
    temporary = folder / ".index.tmp"
    with output_errors(folder):
        with arrow().parquet.ParquetWriter(temporary, index_schema(), compression="zstd") as file:
            shown = labels._replace(sets=[tuple(x for x in each if x in enough) for each in labels.sets])
            read = (song_table(folder, shard, READ_COLUMNS) for shard in shards)
            for table in _index_tables(read, found, shown, _read_again(folder, shards)):
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
        "fates": {fate: counted["fate"][fate] for fate in FATES if counted["fate"][fate]},
        "splits": {side: counted["split"][side] for side in noun.SPLITS},
        "labels": enough,
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
    head = {"format": noun.FORMAT, "version": noun.VERSION, "settings": settings}
    return head | {"files": 0, "kept": 0, "fates": {}, "splits": {}, "labels": {}, "index": {}, "shards": []}


class LabelSets(NamedTuple):
    """The labels of each of N files as a number into `sets`, of which there are few; 0 is none."""

    number: npt.NDArray[np.int32]
    sets: list[tuple[str, ...]]


def _label_sets(tables: Iterable[Any], found: Found, labeller: Labeller) -> LabelSets:
    """The labels of each kept song: its own, and those of its copies."""
    numbers: dict[tuple[str, ...], int] = {(): 0}
    number = np.zeros(len(found.kept), np.int32)
    sets: list[tuple[str, ...]] = [()]
    song = 0
    for table in tables:
        for path in table["path"].to_pylist():
            keeper = song if found.kept[song] else int(found.duplicate_of[song])
            song += 1
            if keeper < 0 or not (own := labeller.labels(path)):
                continue
            joined = tuple(sorted({*sets[number[keeper]], *own}))
            number[keeper] = numbers.setdefault(joined, len(sets))
            if len(numbers) > len(sets):
                sets.append(joined)
    return LabelSets(number, sets)


def _common(labels: LabelSets) -> dict[str, int]:
    """The labels that enough songs have, with how many."""
    counts: Counter[str] = Counter()
    for names, count in zip(labels.sets, np.bincount(labels.number).tolist(), strict=False):
        counts.update(dict.fromkeys(names, count))
    return {label: count for label, count in sorted(counts.items()) if count >= MIN_SONGS}


def _read_again(folder: Path, shards: list[dict[str, Any]]) -> set[int]:
    """The rows of files that could not be read and were later, so that they have another row."""
    waiting: dict[tuple[bytes, int], int] = {}  # by path and place in its archive
    again, start = set(), 0
    for shard in shards:
        table = song_table(folder, shard, ["path", "fate"])
        failed = np.flatnonzero(_in(table["fate"], ("cannot open", *UNSURE)))
        if waiting or len(failed):
            numbers = np.load(folder / "shards" / shard["name"] / "stamps.npy", allow_pickle=False)[:, 2]
            paths = [path for path, _ in waiting] + table["path"].take(failed).to_pylist()
            for row in np.flatnonzero(_in(table["path"], paths)).tolist():
                key = (table["path"][row].as_py(), int(numbers[row]))
                if key in waiting:
                    again.add(waiting.pop(key))
                if row in failed:
                    waiting[key] = start + row
        start += len(table)
    return again


def _in(column: Any, values: Iterable[Any]) -> npt.NDArray[np.bool_]:
    pa = arrow()
    return np.asarray(
        pa.compute.is_in(column, value_set=pa.array(values, column.type)).to_numpy(), dtype=bool
    )


def _index_tables(tables: Iterable[Any], found: Found, labels: LabelSets, again: set[int]) -> Iterator[Any]:
    """The index, a table a shard; the rows `again` are of files that have another one."""
    pa = arrow()
    schema, start = index_schema(), 0
    for number, read in enumerate(tables):
        count = len(read)
        songs = slice(start, start + count)
        sides = np.where(found.kept[songs], split(hash_column(read)), "")
        own = [labels.sets[number] for number in labels.number[songs].tolist()]
        fates = found.fates(read["fate"].to_pylist(), songs)
        fates = [READ_AGAIN if start + row in again else fate for row, fate in enumerate(fates)]
        columns = {
            "path": read["path"],
            "hash": read["hash"],
            "fate": fates,
            "reason": found.reasons(read["reason"].to_pylist(), songs),
            "labels": own,
            "split": sides.tolist(),
            "duplicate_of": found.duplicate_of[songs],
            "likeness": found.likeness[songs],
            "shard": np.full(count, number, np.int32),
            "row": np.arange(count, dtype=np.int32),
            "offset": read["offset"],
            "notes": read["notes"],
        }
        yield pa.table(columns, schema=schema)
        start += count
