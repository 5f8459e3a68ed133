"""Estimate the time, memory and disk space of `ritornello learn` from the sizes of the files alone.

The constants were measured with `python -m benchmarks learn`. Those of memory and disk are upper limits.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ritornello.corpus.sources.scan import scan
from ritornello.errors import OutputError
from ritornello.learning.model_selection import MAX_MEASURED_NOTES
from ritornello.learning.run_paths import RunPaths

PARAMETERS = {"tiny": 0.8e6, "small": 4e6, "medium": 15e6, "large": 60e6}
MIDI_BYTES_PER_NOTE = 8
READ_FILE_S = 0.004  # of one processor, to read and check a file
START_S, END_S = 5.0, 8.0  # importing; encoding, writing the model, composing and comparing songs
MIN_TRAINING_S = 1.0
MIN_TRAINING_SHARE = 0.25  # of the minutes; if all other work leaves less, it takes longer than the minutes
HELDOUT_SHARE, MEASURED_NOTES_PER_S = 0.1, 8400.0
PROGRAM_BYTES = 1100e6  # torch, arrow, songs and batches in transit, candidates that compose
WORKER_BYTES = 80e6
ROW_BYTES, MAX_ROWS_BYTES = 70, 1024e6  # of encoded notes kept in memory: of each, and in all
MEMORY_PER_WEIGHTS = 32  # gradients, two of Adam, average, best, copies, activations: in sizes of the weights
DISK_PER_WEIGHTS = 11  # two checkpoints during writing (5 each) and the model: in sizes of the weights
CORPUS_NOTE_BYTES, CORPUS_FILE_BYTES = 12, 3000


@dataclass
class TimeBudget:
    """The time of one `learn`, from the call to the last song: spent, reserved, and left for training.

    `total_s` is None if training is limited by steps. `reserved_s` has the seconds of the work that comes
    after training, by its name: first as estimated, later as measured.
    """

    total_s: float | None
    reserved_s: dict[str, float] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    began_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        self.began_s = self.clock()

    def reserve(self, work: str, seconds: float) -> None:
        """Reserve time for work after training, instead of what was reserved under that name before."""
        self.reserved_s[work] = seconds

    @property
    def spent_s(self) -> float:
        """The seconds of this call so far."""
        return self.clock() - self.began_s

    def left_s(self) -> float | None:
        """The seconds that are left for training now, at least MIN_TRAINING_S; None if steps limit it."""
        if self.total_s is None:
            return None
        left_s = self.total_s - self.spent_s - sum(self.reserved_s.values())
        return max(MIN_TRAINING_S, left_s)


@dataclass(frozen=True)
class ResourceEstimate:
    """What `learn` will need; `seconds` is None if the length of training is given in steps."""

    files: int
    seconds: float | None
    memory_bytes: float
    disk_bytes: float
    free_bytes: float

    def __str__(self) -> str:
        """One line for the terminal."""
        duration = "time unknown (training is limited by steps)"
        if self.seconds is not None:
            until = time.strftime("%H:%M", time.localtime(time.time() + self.seconds))
            duration = f"about {format_duration(self.seconds)} (until {until})"
        memory, disk, free = map(_format_bytes, (self.memory_bytes, self.disk_bytes, self.free_bytes))
        return f"{duration}, {memory} of memory, {disk} of disk ({free} free)"

    def check(self, folder: Path) -> None:
        """Raise OutputError if the disk of `folder` has too little space."""
        if self.disk_bytes > self.free_bytes:
            needed, free = _format_bytes(self.disk_bytes), _format_bytes(self.free_bytes)
            raise OutputError(f"{str(folder)!r} needs about {needed} of disk, {free} are free")


def estimate_resources(
    paths: RunPaths, *, minutes: float | None, workers: int | None, size: str | None, starts: int = 2
) -> ResourceEstimate:
    """Estimate what `learn` needs. Raises InputError if the folder has no MIDI files."""
    sources = scan(paths.folder)
    notes = sum(max(0, source.size) for source in sources) / MIDI_BYTES_PER_NOTE
    processes = workers or os.cpu_count() or 1
    weights_bytes = 4 * PARAMETERS.get(size or "small", PARAMETERS["small"])
    reading_s = READ_FILE_S * len(sources) / processes
    measuring_s = starts * min(MAX_MEASURED_NOTES, HELDOUT_SHARE * notes) / MEASURED_NOTES_PER_S
    others_s = START_S + reading_s + measuring_s + END_S
    training_bytes = min(MAX_ROWS_BYTES, ROW_BYTES * notes) + MEMORY_PER_WEIGHTS * weights_bytes
    corpus_bytes = CORPUS_NOTE_BYTES * notes + CORPUS_FILE_BYTES * len(sources)
    existing = paths.model
    while not existing.exists():
        existing = existing.parent
    return ResourceEstimate(
        len(sources),
        None if minutes is None else max(60 * minutes, others_s + MIN_TRAINING_SHARE * 60 * minutes),
        PROGRAM_BYTES + max(training_bytes, WORKER_BYTES * processes),
        corpus_bytes + (starts * DISK_PER_WEIGHTS + 2) * weights_bytes,
        shutil.disk_usage(existing).free,
    )


def _format_bytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def format_duration(seconds: float) -> str:
    """A duration such as "20:05 min" or "1 h 05 min"."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60}:{whole % 60:02} min"
