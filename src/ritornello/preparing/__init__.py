"""From a folder of MIDI files to a corpus: scan > read and check > copies > split."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ritornello.corpus import SHARD_SONGS
from ritornello.errors import InputError
from ritornello.midi import Reader
from ritornello.preparing.check import Checks
from ritornello.preparing.fates import FATES, KEPT
from ritornello.preparing.index import write_index
from ritornello.preparing.journal import Journal, journal
from ritornello.preparing.labels import Labeller
from ritornello.preparing.pack import ShardWriter
from ritornello.preparing.pool import Pool
from ritornello.preparing.scan import Source, scan
from ritornello.preparing.worker import Job

__all__ = ["FATES", "Checks", "Report", "prepare"]

BATCH_FILES, BATCH_BYTES = 32, 1 << 20
SHARD_FILES = 4 * SHARD_SONGS  # a shard of a folder in which little can be kept ends here
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Report:
    """What became of a folder. `fates`, `splits` and `labels` count files by name; `new` were read now."""

    path: str
    files: int
    new: int
    kept: int
    fates: dict[str, int]
    splits: dict[str, int]
    labels: dict[str, int]


def prepare(
    folder: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    reader: Reader = "symusic",
    checks: Checks | None = None,
    labels: Labeller | None = None,
    progress: Progress | None = None,
) -> Report:
    """Read every MIDI file under `folder` into the corpus `out`, which may exist and then only grows.

    `workers` processes read (default: one a core). `progress(done, total, text)` is called now and then.
    Stopped at any moment and run again, it goes on and ends with the same corpus byte for byte.
    Raises InputError (nothing to read), CorpusError (`out` is something else), OutputError (disk full).
    """
    folder, out, checks = Path(folder), Path(out), replace(checks or Checks(), reader=reader)
    tell = progress or (lambda done, total, text: None)
    sources = scan(folder, skip=out)
    if not sources:
        raise InputError(f"{str(folder)!r} holds no .mid, .midi, .kar or .rmi file")
    with journal(out, {"checks": asdict(checks)}) as state:
        new = state.new(sources)
        with Pool(workers or os.cpu_count() or 1, checks) as pool:
            read(folder, new, pool, state, tell)
        tell(len(new), len(new), "copies")
        manifest = write_index(out, state.shards, state.settings, labels or Labeller())
    counted = {name: manifest[name] for name in ("files", "kept", "fates", "splits", "labels")}
    if not manifest["kept"]:
        raise InputError(f"no song of {str(folder)!r} can be kept: {_counts(manifest['fates'])}")
    return Report(str(out), new=len(new), **counted)


def read(folder: Path, sources: list[Source], pool: Pool, state: Journal, tell: Progress) -> None:
    """Read `sources` through the pool into as many new shards as they need."""
    if not sources:
        return
    writer = ShardWriter(state.out, len(state.shards))
    done = 0
    try:
        for result in pool.run(batches(folder, sources)):
            start, count = 0, len(result.rows)
            for stop in [*_cuts(writer, result.rows), count]:
                writer.add(sources[done : done + count], result, start, stop)
                start = stop
                if stop < count:
                    state.shards.append(writer.finish())
                    writer = ShardWriter(state.out, len(state.shards))
            done += count
            tell(done, len(sources), "reading")
        state.shards.append(writer.finish())
    except BaseException:
        writer.discard()
        raise


def batches(folder: Path, sources: list[Source]) -> Iterator[list[Job]]:
    """Jobs for the sources, some files at a time."""
    root = os.fsencode(folder)
    batch: list[Job] = []
    size = 0
    for source in sources:
        batch.append(Job(os.path.join(root, source.path)))  # noqa: PTH118
        size += source.size
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _cuts(writer: ShardWriter, rows: list[dict[str, Any]]) -> list[int]:
    """Before which of `rows` a new shard begins."""
    songs, files, cuts = writer.songs, len(writer.rows), []
    for place, row in enumerate(rows):
        if songs == SHARD_SONGS or files == SHARD_FILES:
            cuts.append(place)
            songs = files = 0
        songs += row["notes"] > 0
        files += 1
    return cuts


def _counts(fates: dict[str, int]) -> str:
    return ", ".join(f"{count} {fate}" for fate, count in fates.items() if fate != KEPT)
