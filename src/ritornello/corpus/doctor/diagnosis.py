"""Find the outcome that `prepare` would give each file of a folder, without making a corpus.

The files are read by the same checks and supervised workers as in `prepare`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.doctor.cache import DoctorCache, FileRecord
from ritornello.corpus.duplicates.decide import KINDS, decide
from ritornello.corpus.duplicates.sketch import SKETCH
from ritornello.corpus.labels import Labeller, read_labels
from ritornello.corpus.outcomes import KEPT, RETRYABLE
from ritornello.corpus.read_files import JobBatches
from ritornello.corpus.sources.scan import Source, Sources, scan
from ritornello.corpus.workers.pool import Pool
from ritornello.system.progress import Progress, no_progress


@dataclass
class FileDiagnosis:
    """A file and the outcome that it would have in `prepare`.

    `row` has its facts (song_facts.py). Of a duplicate, `copy_of` is the kept song, and `similarity` the
    estimated Jaccard similarity to it; of a kept song, `copies` is the number of duplicates.
    """

    source: Source
    outcome: str
    reason: str
    row: dict[str, Any]
    copy_of: FileDiagnosis | None = None
    similarity: float = 0.0
    copies: int = 0
    labels: set[str] = field(default_factory=set)

    @property
    def fate(self) -> str:
        """The earlier name of `outcome`."""
        return self.outcome


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of a folder: its files in order of path."""

    folder: Path
    files: list[FileDiagnosis]
    read_now: int  # files that were read in this run
    cache_problem: str = ""  # why the cache could not be written; "" if it could
    labelled: bool = False  # whether labels come from a table
    unused_labels: int = 0  # rows of this table that name no song
    copied: int = 0  # songs that were copied into a new folder

    @property
    def kept(self) -> list[FileDiagnosis]:
        """The songs that would be kept."""
        return [file for file in self.files if file.outcome == KEPT]

    @property
    def outcomes(self) -> Counter[str]:
        """The number of files with each outcome."""
        return Counter(file.outcome for file in self.files)

    @property
    def fates(self) -> Counter[str]:
        """The earlier name of `outcomes`."""
        return self.outcomes


def diagnose(
    folder: str | Path,
    checks: CheckSettings | None = None,
    *,
    workers: int | None = None,
    cache: Path | None = None,
    skip: Path | None = None,
    labels: str | Path | None = None,
    label_depth: int | None = None,
    retry: bool = False,
    progress: Progress | None = None,
) -> Diagnosis:
    """Diagnose every file below `folder`, without the folder `skip` inside it, and change none.

    The other options are those of `doctor`. Raises InputError if there are no files or `labels` is wrong.
    """
    folder, checks, update = Path(folder), checks or CheckSettings(), progress or no_progress
    labeller = read_labels(labels, label_depth)
    sources = scan(folder, skip)
    doctor_cache = DoctorCache.of(folder, checks, cache)
    doctor_cache.keep_only(sources)
    if retry:
        doctor_cache.remove_outcomes(RETRYABLE)
    try:
        pool = Pool(workers, checks, diagnose=True)
        not_cached, read_now = _read(folder, sources, doctor_cache, pool, update)
    finally:
        problem = doctor_cache.save()
    update(0, 0, "finding duplicates")
    read = [record for source in sources for record in doctor_cache.groups.get(source, ())] + not_cached
    read.sort(key=lambda record: (record.source.path, record.source.number))
    files = decide_outcomes(read, labeller)
    return Diagnosis(folder, files, read_now, problem, bool(labels), labeller.unused)


def _read(
    folder: Path, sources: Sources, doctor_cache: DoctorCache, pool: Pool, progress: Progress
) -> tuple[list[FileRecord], int]:
    """Read new sources into the cache; return the records that it does not keep, and the number of files."""
    new = [s for s in sources if not (doctor_cache.is_known(s) or doctor_cache.add_known_content(folder, s))]
    if not new:
        return [], 0
    batches, done = JobBatches(folder, new, doctor_cache.is_known, doctor_cache.checks.max_file_bytes), 0
    not_cached: list[FileRecord] = []
    with pool:
        for result in pool.run(batches):
            start = 0
            for source, row in zip(batches.take_sources(len(result.rows)), result.rows, strict=True):
                stop = start + SKETCH.itemsize * (row["notes"] > 0)
                record = FileRecord(source, row, result.arrays[-1][start:stop])
                doctor_cache.add(record)
                if not source.number and not doctor_cache.is_known(source):
                    not_cached.append(record)
                start, done = stop, done + 1
            progress(done, len(new) + batches.in_archives, "reading")
    return not_cached, done


def decide_outcomes(records: list[FileRecord], labeller: Labeller) -> list[FileDiagnosis]:
    """Decide outcomes as `prepare` does: in the order of hashes, a song is kept unless it is a duplicate."""
    files = [FileDiagnosis(r.source, r.row["fate"], r.row["reason"], r.row) for r in records]
    songs = [number for number, record in enumerate(records) if record.sketch]
    songs.sort(key=lambda number: (records[number].row["hash"], number))
    first: dict[str, int] = {}  # song by hash of its file
    for song in songs:
        first.setdefault(records[song].row["hash"], song)
    order = list(first.values())
    decisions = decide(np.frombuffer(b"".join(records[song].sketch for song in order), SKETCH))
    for place, song in enumerate(order):
        if (other := int(decisions.duplicate_of[place])) >= 0:
            kind = KINDS[int(decisions.kind[place])]
            _set_duplicate(files[song], files[order[other]], kind, float(decisions.similarity[place]))
    for song in songs:
        leader = files[first[records[song].row["hash"]]]
        if files[song] is leader:
            continue
        if leader.copy_of:
            _set_duplicate(files[song], leader.copy_of, leader.outcome, leader.similarity)
        else:
            _set_duplicate(files[song], leader, "same file", 1.0)
    for file in files:
        if file.row["notes"]:
            (file.copy_of or file).labels.update(labeller.labels(file.source.path))
    return files


def _set_duplicate(file: FileDiagnosis, kept: FileDiagnosis, outcome: str, similarity: float) -> None:
    """Record that `file` is a duplicate of `kept`."""
    file.outcome, file.copy_of, file.similarity = outcome, kept, similarity
    kept.copies += 1
