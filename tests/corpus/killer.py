"""Prepares in processes that kill themselves with signal 9 at their nth change to the disk.

Reads lines `FOLDER OUT N SHARD_SONGS` and answers each with what the process came to: "killed", or "done"
and how many changes there were. Everything is imported once; each line is a fork of that.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute  # noqa: F401 (once, and not in every fork)
import pyarrow.parquet as parquet
import symusic  # noqa: F401

from ritornello.corpus import prepare, read_files
from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.workers.pool import BatchResult
from ritornello.corpus.workers.worker import ReadJob, read_batch
from ritornello.corpus.writing import shards

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate", "shutil.rmtree"}


class InlinePool:
    """A pool that reads in this process and gives the same results."""

    def __init__(self, workers: int, checks: CheckSettings) -> None:
        self.checks = checks

    def __enter__(self) -> InlinePool:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, batches: Iterable[list[ReadJob]]) -> Iterator[BatchResult]:
        for jobs in batches:
            rows, arrays = read_batch(jobs, self.checks)
            yield BatchResult(rows, [bytes(memoryview(a).cast("B")) if len(a) else b"" for a in arrays])


class Killer:
    """Count the changes to the disk below `out` and kill this process at number `at`."""

    def __init__(self, out: str, at: int) -> None:
        self.out, self.at, self.count = out, at, 0

    def change(self) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, args: Any) -> None:
        if event == "open":
            path, _, flags = args
            if (
                isinstance(flags, int)
                and flags & (os.O_WRONLY | os.O_RDWR)
                and str(path).startswith(self.out)
            ):
                self.change()
        elif event in CHANGES and any(str(arg).startswith(self.out) for arg in args):
            self.change()

    def install(self) -> None:
        """Begin to count, including writes that are half done."""
        write, write_table = shards.ShardWriter._write, parquet.write_table

        def half_write(writer: Any, file: Any, data: Any) -> None:
            half = len(data) // 2
            write(writer, file, data[:half])
            file.flush()
            self.change()
            write(writer, file, data[half:])
            writer.bytes = writer.bytes  # as if in one go

        def torn_table(table: Any, where: Any, **options: Any) -> None:
            write_table(table, where, **options)
            if self.count + 1 == self.at:
                os.truncate(where, Path(where).stat().st_size // 2)
            self.change()

        def no_fsync(handle: Any) -> None:
            self.change()  # the system outlives the process: nothing need reach the disk

        shards.ShardWriter._write = half_write  # type: ignore[method-assign]
        parquet.write_table = torn_table
        os.fsync = no_fsync
        sys.addaudithook(self.audit)


def run(folder: str, out: str, at: int, shard_songs: int) -> int:
    """Prepare in this process; returns how many changes it took."""
    read_files.SHARD_SONGS, read_files.BATCH_FILES = shard_songs, 3
    prepare.Pool = InlinePool  # type: ignore[attr-defined]
    killer = Killer(out, at)
    killer.install()
    prepare.prepare(folder, out, workers=1)
    return killer.count


def main() -> None:
    """Run `prepare` for each line on standard input."""
    for line in sys.stdin:
        folder, out, at, shard_songs = line.rstrip("\n").split("\t")
        source, sink = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(sink, b"done %d" % run(folder, out, int(at), int(shard_songs)))
                os._exit(0)
            except BaseException as error:
                os.write(sink, repr(error).replace("\n", " ").encode())
                os._exit(1)
        os.close(sink)
        with os.fdopen(source) as answers:
            said = answers.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else said, flush=True)


if __name__ == "__main__":
    main()
