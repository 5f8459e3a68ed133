"""Needs: how much time, memory and disk learning will take, from what can be seen without reading a file.

The constants were measured (benchmarks/learn.py). Those of memory and disk are upper ends, for what is said
is to be enough.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ritornello.corpus.sources.scan import scan
from ritornello.errors import InputError, OutputError
from ritornello.learning.model_selection import MOST_NOTES
from ritornello.learning.run_paths import Home

PARAMETERS = {"tiny": 0.8e6, "small": 4e6, "medium": 15e6, "large": 60e6}
BYTES_A_NOTE = 8  # of a MIDI file
FILE_S = 0.004  # of one processor, for reading and checking a file
BEGIN_S, END_S = 5.0, 8.0  # importing; encoding, writing the model, composing and comparing
HELD_OUT, MEASURED_NOTES_S = 0.1, 8400.0  # of the notes; how many of them are measured in a second
PROGRAM_BYTES = 750e6  # torch, arrow, songs and batches on their way
WORKER_BYTES = 80e6
ROW_BYTES = 70  # of an encoded note that is kept in memory
KEPT_BYTES = 1024e6  # of encoded notes at most
TENSORS = 32  # in memory, in weights: gradients, Adam's two, average, best, copies; a batch's activations
CHECKPOINT = 11  # on disk, in weights: what goes on (5), while the next is written (5), the model
CORPUS_NOTE_BYTES, CORPUS_FILE_BYTES = 12, 3000


@dataclass(frozen=True)
class Needs:
    """What learning needs; `seconds` is None where a number of steps was asked for."""

    files: int
    seconds: float | None
    memory_bytes: float
    disk_bytes: float
    free_bytes: float

    def __str__(self) -> str:
        """In words, for people."""
        how_long = "as long as the steps take"
        if self.seconds is not None:
            until = time.strftime("%H:%M", time.localtime(time.time() + self.seconds))
            how_long = f"{clock(self.seconds)} (until {until})"
        memory, disk, free = map(_size, (self.memory_bytes, self.disk_bytes, self.free_bytes))
        return f"about {how_long}, {memory} of memory, {disk} of disk ({free} free)"

    def check(self, folder: Path) -> None:
        """Raise OutputError unless the disk has room."""
        if self.disk_bytes > self.free_bytes:
            needed, free = _size(self.disk_bytes), _size(self.free_bytes)
            raise OutputError(f"{str(folder)!r} needs about {needed} of disk, {free} are free")


def needs(
    home: Home, *, minutes: float | None, workers: int | None, size: str | None, starts: int = 2
) -> Needs:
    """What learning from a folder needs, with so many `starts`. Raises InputError where it holds none."""
    sources = scan(home.folder, skip=home.folder)
    if not sources:
        raise InputError(f"{str(home.folder)!r} holds no .mid, .midi, .kar or .rmi file, nor an archive")
    notes = sum(max(0, source.size) for source in sources) / BYTES_A_NOTE
    processes = workers or os.cpu_count() or 1
    weights = 4 * PARAMETERS.get(size or "small", PARAMETERS["small"])
    reading_s = FILE_S * len(sources) / processes
    measuring_s = starts * min(MOST_NOTES, HELD_OUT * notes) / MEASURED_NOTES_S
    place = home.model
    while not place.exists():
        place = place.parent
    return Needs(
        len(sources),
        None if minutes is None else BEGIN_S + reading_s + 60 * minutes + END_S + measuring_s,
        PROGRAM_BYTES + max(min(KEPT_BYTES, ROW_BYTES * notes) + TENSORS * weights, WORKER_BYTES * processes),
        CORPUS_NOTE_BYTES * notes + CORPUS_FILE_BYTES * len(sources) + (starts * CHECKPOINT + 2) * weights,
        shutil.disk_usage(place).free,
    )


def _size(count: float) -> str:
    """A number of bytes in words."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def clock(seconds: float) -> str:
    """A length of time in minutes and seconds, or hours and minutes."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60}:{whole % 60:02} min"
