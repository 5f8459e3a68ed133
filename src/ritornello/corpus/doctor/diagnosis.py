"""Doctor: what would become of each file of a folder, without a corpus: scan > read and check > copies.

The fates are those that `prepare` would give, found by the same checks in the same supervised workers.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.doctor.cache import Memory, Seen
from ritornello.corpus.duplicates.decide import KINDS, SKETCH, decide
from ritornello.corpus.labels import Labeller, read_labels
from ritornello.corpus.outcomes import KEPT, UNSURE
from ritornello.corpus.read_files import Items, Progress
from ritornello.corpus.sources.scan import Source, Sources, scan
from ritornello.corpus.workers.pool import Pool
from ritornello.errors import InputError


@dataclass
class File:
    """A file and what would become of it; `row` has what was found in it, `copy_of` the song it repeats."""

    source: Source
    fate: str
    reason: str
    row: dict[str, Any]
    copy_of: File | None = None
    likeness: float = 0.0
    copies: int = 0  # of this song, where it is kept
    labels: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Diagnosis:
    """What became of a folder: its files in order of path, how many were read now, and what went wrong."""

    folder: Path
    files: list[File]
    read_now: int
    not_remembered: str = ""
    labelled: bool = False  # by a table
    unused_labels: int = 0  # rows of the table that name no song
    copied: int = 0  # songs, into a new folder

    @property
    def kept(self) -> list[File]:
        """The songs that would be kept."""
        return [file for file in self.files if file.fate == KEPT]

    @property
    def fates(self) -> Counter[str]:
        """How many files have each fate."""
        return Counter(file.fate for file in self.files)


def diagnose(
    folder: str | Path,
    *,
    workers: int | None = None,
    checks: Checks | None = None,
    cache: Path | None = None,
    skip: Path | None = None,
    labels: str | Path | None = None,
    retry: bool = False,
    progress: Progress | None = None,
) -> Diagnosis:
    """Look at every file under `folder` and change none; the folder `skip` inside it is left out.

    What was found is kept in `cache` (default: the user's cache folder), so that the next run reads only what
    is new; with `retry` also what timed out, crashed or ran out of memory. `labels` is a .csv or .jsonl that
    overrides the folders' names. Raises InputError where there is nothing to look at, or a bad table.
    """
    folder, checks = Path(folder), checks or Checks()
    labeller = read_labels(labels) if labels else Labeller()
    sources = scan(folder, skip or folder)
    if not sources:
        raise InputError(f"{str(folder)!r} holds no .mid, .midi, .kar or .rmi file, nor an archive")
    memory = Memory.of(folder, checks, cache)
    memory.keep_only(sources)
    if retry:
        memory.forget(UNSURE)
    try:
        pool = Pool(workers or os.cpu_count() or 1, checks, diagnose=True)
        unread, read_now = _read(folder, sources, memory, pool, progress)
    finally:
        trouble = memory.write()
    if progress:
        progress(0, 0, "copies")
    seen = [each for source in sources for each in memory.groups.get(source, ())] + unread
    seen.sort(key=lambda each: (each.source.path, each.source.number))
    files = find_copies(seen, labeller)
    unused = len(labeller.table) - len(labeller.used)
    return Diagnosis(folder, files, read_now, trouble, bool(labels), unused)


def _read(
    folder: Path, sources: Sources, memory: Memory, pool: Pool, progress: Progress | None
) -> tuple[list[Seen], int]:
    """Read the new sources into the memory; returns those that it does not keep, and how many it were."""
    new = [source for source in sources if not memory.knows(source) and not memory.recall(folder, source)]
    if not new:
        return [], 0
    items, done = Items(folder, new, memory), 0
    unread: list[Seen] = []
    with pool:
        for result in pool.run(items):
            start = 0
            for source, row in zip(items.sources(len(result.rows)), result.rows, strict=True):
                stop = start + SKETCH.itemsize * (row["notes"] > 0)
                seen = Seen(source, row, result.arrays[-1][start:stop])
                memory.add(seen)
                if not source.number and not memory.knows(source):
                    unread.append(seen)
                start, done = stop, done + 1
            if progress:
                progress(done, len(new) + items.in_archives, "reading")
    return unread, done


def find_copies(seen: list[Seen], labeller: Labeller) -> list[File]:
    """The fates of files as `prepare` would give them: by hash, a song is kept unless near a kept one."""
    files = [File(each.source, each.row["fate"], each.row["reason"], each.row) for each in seen]
    songs = sorted((n for n, each in enumerate(seen) if each.sketch), key=lambda n: (seen[n].row["hash"], n))
    first: dict[str, int] = {}  # by content
    for song in songs:
        first.setdefault(seen[song].row["hash"], song)
    order = list(first.values())
    sketches = np.frombuffer(b"".join(seen[song].sketch for song in order), SKETCH)
    decided = decide(sketches)
    for place, song in enumerate(order):
        if (other := int(decided.duplicate_of[place])) >= 0:
            kind = KINDS[int(decided.kind[place])]
            _repeat(files[song], files[order[other]], kind, float(decided.likeness[place]))
    for song in songs:
        leader = files[first[seen[song].row["hash"]]]
        if files[song] is not leader:
            kind = leader.fate if leader.copy_of else "same file"
            _repeat(files[song], leader.copy_of or leader, kind, leader.likeness if leader.copy_of else 1.0)
    for file in files:
        if file.row["notes"]:
            (file.copy_of or file).labels.update(labeller.labels(file.source.path))
    return files


def _repeat(file: File, other: File, kind: str, likeness: float) -> None:
    """Note that a file is a copy of another one."""
    file.fate, file.copy_of, file.likeness = kind, other, likeness
    other.copies += 1
