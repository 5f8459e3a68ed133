"""What a reader finds in a MIDI file, before the common semantics of `reading` are applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import KeySignature, Marker, Meter, Part, Tempo

Columns = Sequence[npt.NDArray[np.integer[Any]]]

SUSTAIN = 64
DRUM_CHANNEL = 9
NO_PEDAL = np.zeros((0, 2), np.int64)
CHORD_PREFIX = "chord: "  # a marker that begins so is a chord label


@dataclass
class RawEvents:
    """What a track held, or all tracks: one entry of `parts` a (track, channel, program) that has notes."""

    parts: list[Part] = field(default_factory=list)
    notes: list[Columns] = field(default_factory=list)  # onset, duration, pitch, velocity, each (N,)
    pedals: list[npt.NDArray[np.int64]] = field(default_factory=list)  # (M, 2): tick, value, in order
    tempi: list[Tempo] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    keys: list[KeySignature] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=lambda: {"controllers": 0, "pitch bends": 0})

    def add(self, part: Part, notes: Columns, pedal: Any) -> None:
        """Add a part with the columns of its notes (N,) and its pedal's movements (M, 2)."""
        self.parts.append(part)
        self.notes.append(notes)
        self.pedals.append(np.asarray(pedal, dtype=np.int64).reshape(-1, 2) if len(pedal) else NO_PEDAL)

    def extend(self, other: RawEvents) -> None:
        """Add all that another track held."""
        for name in ("parts", "notes", "pedals", "tempi", "meters", "keys", "markers"):
            getattr(self, name).extend(getattr(other, name))
        for sort, count in other.dropped.items():
            self.dropped[sort] += count


def decode(text: bytes) -> str:
    """A text of unknown encoding: UTF-8 where it is valid, else Windows' Western one."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def one_line(error: Exception) -> str:
    """What an exception says, on one line."""
    return " ".join(str(error).split())
