"""Read the files of a folder with a pool of workers, and write them into shards in the order of the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ritornello.corpus.corpus import SHARD_SONGS
from ritornello.corpus.sources.archives import ArchiveError, ArchiveMember, members
from ritornello.corpus.sources.scan import BOOK_ENDINGS, NO_PERMISSION, Source, Sources
from ritornello.corpus.workers.pool import BatchResult, Pool
from ritornello.corpus.workers.worker import ReadJob
from ritornello.corpus.writing.shards import ShardWriter, explain_full_disk
from ritornello.corpus.writing.state import CorpusState
from ritornello.system.progress import Progress

if TYPE_CHECKING:
    from ritornello.corpus.workers.dask_pool import DaskPool

BATCH_FILES, BATCH_BYTES = 32, 1 << 20  # a batch is full when it reaches either
MIN_GROWTH = 0.5  # least bytes of corpus per byte of MIDI file, for the estimate of disk space
SHARD_FILES = 4 * SHARD_SONGS  # the most files of a shard, even if it has few songs


def read_files(
    folder: Path, sources: Sources, pool: Pool | DaskPool, state: CorpusState, progress: Progress
) -> int:
    """Read `sources` with the pool into new shards; return the number of files read.

    A file with the same path and content as one that was read before gets no second row.
    """
    batches = JobBatches(folder, sources, state.is_known, state.checks.max_file_bytes)
    shards = _Shards(state)
    done = 0
    with explain_full_disk(state.out, lambda: shards.estimate_bytes(sources, done)):
        try:
            with pool:
                for result in pool.run(batches):
                    read = batches.take_sources(len(result.rows))
                    shards.add(read, result)
                    done += len(read)
                    progress(done, len(sources) + batches.in_archives, "reading")
            shards.close()
        except BaseException:
            shards.discard()
            raise
    return done


class JobBatches:
    """Iterates over batches of jobs for a pool, and keeps a list of the sources whose results are missing.

    An archive gives a job for each song in it for which `is_known` is false, and then a job for itself.
    """

    def __init__(
        self, folder: Path, sources: Iterable[Source], is_known: Callable[[Source], bool], max_file_bytes: int
    ) -> None:
        self.root, self.sources = os.fsencode(folder), sources
        self.is_known, self.max_file_bytes = is_known, max_file_bytes
        self.in_archives = 0  # the number of songs in archives so far
        self._waiting: list[Source] = []

    def take_sources(self, count: int) -> list[Source]:
        """Remove and return the sources of the next `count` results, in the order of the jobs."""
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def __iter__(self) -> Iterator[list[ReadJob]]:
        batch: list[ReadJob] = []
        size = 0
        for source, job in self._jobs():
            batch.append(job)
            self._waiting.append(source)
            size += source.size if job.data is None else len(job.data)
            if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _jobs(self) -> Iterator[tuple[Source, ReadJob]]:
        for source in self.sources:
            path = os.path.join(self.root, source.path)  # noqa: PTH118 (names need not be UTF-8)
            if source.size < 0:
                yield source, ReadJob(path, None, *refuse_by_size(source.size))
            elif source.is_archive:
                yield from self._archive_jobs(source, path)
            else:
                yield source, ReadJob(path)

    def _archive_jobs(self, archive: Source, path: bytes) -> Iterator[tuple[Source, ReadJob]]:
        outcome, reason, number = "archive", "", 0
        try:
            songs: Iterable[ArchiveMember] = members(path, self.max_file_bytes)
            if archive.path.lower().endswith(BOOK_ENDINGS) and len(songs := list(songs)) <= 1:
                yield archive, ReadJob(path)  # a song in a file of its own
                return
            for number, member in enumerate(songs, start=1):
                name = archive.path + b"/" + member.name
                source = Source(name, archive.size, archive.mtime_ns, number)
                if not self.is_known(source):
                    self.in_archives += 1
                    data = None if member.outcome else member.data
                    yield source, ReadJob(name, data, member.outcome, member.reason)
        except ArchiveError as error:
            outcome, reason = error.outcome, str(error)
        yield archive, ReadJob(path, outcome=outcome, reason=reason or f"{number} songs in it")


def refuse_by_size(size: int) -> tuple[str, str]:
    """The outcome and reason of a source of `scan` that is not opened, by its special size."""
    if size == NO_PERMISSION:
        return "cannot open", "a folder that may not be read"
    return "not a file", "a pipe or a device"


class _Shards:
    """Divides the stream of results into shards."""

    def __init__(self, state: CorpusState) -> None:
        self.state = state
        self.new: list[dict[str, Any]] = []
        self.writer: ShardWriter | None = None

    def add(self, sources: list[Source], result: BatchResult) -> None:
        """Add the files of a result, except those that were read before."""
        repeated = self.state.find_repeated(sources, result.rows)
        start = songs = 0
        # write the longest ranges of new files that fit into a shard
        for stop, row in enumerate(result.rows, start=1):
            songs += row["notes"] > 0
            if repeated[stop - 1]:
                self._write(sources, result, start, stop - 1)
                start, songs = stop, 0
            elif stop == len(sources) or self._is_full(songs, stop - start):
                self._write(sources, result, start, stop)
                start, songs = stop, 0

    def _is_full(self, songs: int = 0, files: int = 0) -> bool:
        """Whether the open shard is full once `songs` more songs and `files` more files are in it."""
        if self.writer:
            songs, files = songs + self.writer.songs, files + len(self.writer.rows)
        return songs >= SHARD_SONGS or files >= SHARD_FILES

    def _write(self, sources: list[Source], result: BatchResult, start: int, stop: int) -> None:
        if start == stop:
            return
        if not self.writer:
            self.writer = ShardWriter(self.state.out, len(self.state.shards))
        self.writer.add(sources, result, start, stop)
        if self._is_full():
            self.close()

    def close(self) -> None:
        """Finish the open shard, if there is one."""
        if self.writer:
            self.new.append(self.writer.finish())
            self.state.shards.append(self.new[-1])
            self.writer = None

    def discard(self) -> None:
        """Delete the open shard; finished shards stay."""
        if self.writer:
            self.writer.discard()

    def estimate_bytes(self, sources: Sources, done: int) -> int:
        """Estimate the bytes that the shards still need, from the bytes of the first `done` sources."""
        finished = sum(size for shard in self.new for size, _ in shard["files"].values())
        unfinished = self.writer.bytes if self.writer else 0
        read = sources.bytes_between(0, done) or 1
        growth = max((finished + unfinished) / read, MIN_GROWTH)
        return int(growth * sources.bytes_between(done, len(sources))) + unfinished
