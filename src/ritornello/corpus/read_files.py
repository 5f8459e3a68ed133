"""Reading: all files of a folder through the pool into shards, in one order whatever the workers do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.corpus import SHARD_SONGS
from ritornello.corpus.sources.archives import ArchiveError, members
from ritornello.corpus.sources.scan import Source, Sources
from ritornello.corpus.workers.pool import Pool, Result
from ritornello.corpus.workers.worker import Job
from ritornello.corpus.writing.disk_space import space
from ritornello.corpus.writing.journal import Journal
from ritornello.corpus.writing.shards import ShardWriter

if TYPE_CHECKING:
    from ritornello.corpus.workers.dask_pool import Cluster

Progress = Callable[[int, int, str], None]

BATCH_FILES, BATCH_BYTES = 32, 1 << 20
MIN_GROWTH = 0.5  # bytes of a corpus for each byte of its files, at the least
SHARD_FILES = 4 * SHARD_SONGS  # a shard of a folder in which little can be kept ends here


class Item(NamedTuple):
    """A file to read, and how."""

    source: Source
    job: Job


def read(folder: Path, sources: Sources, pool: Pool | Cluster, state: Journal, tell: Progress) -> int:
    """Read `sources` through the pool into as many new shards as they need; returns how many files were read.

    A file that has been read before under the same path with the same content gets no second row.
    """
    items = Items(folder, sources, state)
    shards = _Shards(state)
    done = 0
    with space(state.out, lambda: shards.bytes_for(sources, done)):
        try:
            with pool:
                for result in pool.run(items):
                    found = items.sources(len(result.rows))
                    shards.add(found, result)
                    done += len(found)
                    tell(done, len(sources) + items.in_archives, "reading")
            shards.close()
        except BaseException:
            shards.discard()
            raise
    return done


class Known(Protocol):
    """What is already known of a folder, and how the rest is read."""

    checks: Checks

    def knows(self, source: Source) -> bool:
        """Whether a source need not be read."""


class Items:
    """The batches of jobs for the pool; remembers the sources of those that are under way."""

    def __init__(self, folder: Path, sources: Iterable[Source], state: Known) -> None:
        self.root, self.all, self.state = os.fsencode(folder), sources, state
        self.under_way: list[Source] = []
        self.in_archives = 0

    def sources(self, count: int) -> list[Source]:
        """The next `count` sources in the order in which they were given out."""
        found, self.under_way = self.under_way[:count], self.under_way[count:]
        return found

    def __iter__(self) -> Iterator[list[Job]]:
        batch: list[Job] = []
        size = 0
        for source, job in self._items():
            batch.append(job)
            self.under_way.append(source)
            size += source.size if job.data is None else len(job.data)
            if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _items(self) -> Iterator[Item]:
        for source in self.all:
            path = os.path.join(self.root, source.path)  # noqa: PTH118 (names need not be UTF-8)
            if source.size < 0:
                yield Item(source, Job(path, fate="not a file", reason="a pipe or a device"))
            elif source.is_archive:
                yield from self._archive(source, path)
            else:
                yield Item(source, Job(path))

    def _archive(self, archive: Source, path: bytes) -> Iterator[Item]:
        """The songs of an archive that are not in a shard yet, and last the archive itself."""
        fate, reason, number = "archive", "", 0
        try:
            for number, member in enumerate(members(path, self.state.checks.max_file_bytes), start=1):
                name = archive.path + b"/" + member.name
                source = Source(name, archive.size, archive.mtime_ns, number)
                if not self.state.knows(source):
                    self.in_archives += 1
                    data = None if member.fate else member.data
                    yield Item(source, Job(name, data, member.fate, member.reason))
        except ArchiveError as error:
            fate, reason = error.fate, str(error)
        yield Item(archive, Job(path, fate=fate, reason=reason or f"{number} songs in it"))


class _Shards:
    """Cuts the stream of results into shards."""

    def __init__(self, state: Journal) -> None:
        self.state = state
        self.new: list[dict[str, Any]] = []
        self.writer: ShardWriter | None = None

    def add(self, sources: list[Source], result: Result) -> None:
        """Add the files of a result, but for those that were read before."""
        again = self.state.touched(sources, result.rows)
        start = songs = 0
        # the longest runs of new files that fit into a shard
        for stop, row in enumerate(result.rows, start=1):
            songs += row["notes"] > 0
            if again[stop - 1]:
                self._write(sources, result, start, stop - 1)
                start, songs = stop, 0
            elif stop == len(sources) or self._is_full(songs, stop - start):
                self._write(sources, result, start, stop)
                start, songs = stop, 0

    def _is_full(self, songs: int = 0, files: int = 0) -> bool:
        """Whether no more fit into the shard that is being written, or would not with so many more."""
        if self.writer:
            songs, files = songs + self.writer.songs, files + len(self.writer.rows)
        return songs >= SHARD_SONGS or files >= SHARD_FILES

    def _write(self, sources: list[Source], result: Result, start: int, stop: int) -> None:
        if start == stop:
            return
        if not self.writer:
            self.writer = ShardWriter(self.state.out, len(self.state.shards))
        self.writer.add(sources, result, start, stop)
        if self._is_full():
            self.close()

    def close(self) -> None:
        """Finish the shard that is being written, if there is one."""
        if self.writer:
            self.new.append(self.writer.finish())
            self.state.shards.append(self.new[-1])
            self.writer = None

    def discard(self) -> None:
        """Leave the unfinished shard; the finished ones stay."""
        if self.writer:
            self.writer.discard()

    def bytes_for(self, sources: Sources, done: int) -> int:
        """About how many bytes the shards still take, by what the first `done` of the sources took."""
        finished = sum(size for shard in self.new for size, _ in shard["files"].values())
        unfinished = self.writer.bytes if self.writer else 0
        read = sources.bytes_between(0, done) or 1
        per_byte = max((finished + unfinished) / read, MIN_GROWTH)
        return int(per_byte * sources.bytes_between(done, len(sources))) + unfinished
