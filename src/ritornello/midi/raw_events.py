"""The events of a track as a reader returns them; `reading` makes a Score of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import KeySignature, Marker, Meter, Part, Tempo

Columns = Sequence[npt.NDArray[np.integer[Any]]]  # onset_ticks, duration_ticks, pitch, velocity, (N,) each

SUSTAIN = 64  # the controller of the sustain pedal
DRUM_CHANNEL = 9  # counted from 0
NO_PEDAL = np.zeros((0, 2), np.int64)
CHORD_PREFIX = "chord: "  # a marker that begins so is the label of a chord


@dataclass
class RawEvents:
    """The events of one track or of several. Each (track, channel, program) with notes is a part."""

    parts: list[Part] = field(default_factory=list)
    notes: list[Columns] = field(default_factory=list)  # for each part
    pedals: list[npt.NDArray[np.int64]] = field(default_factory=list)  # for each part (M, 2): tick, value
    places: list[tuple[int, int]] = field(default_factory=list)  # for each part: track, channel 0-15
    silent: dict[tuple[int, int], tuple[int, npt.NDArray[np.int64]]] = field(default_factory=dict)
    """The last program and the pedal events of each (track, channel) without notes."""
    one_pedal: list[list[int]] = field(default_factory=list)  # groups of parts that share a channel's pedal
    tempi: list[Tempo] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    keys: list[KeySignature] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=lambda: {"controllers": 0, "pitch bends": 0})

    def add_part(self, part: Part, notes: Columns, pedal: Any, place: tuple[int, int]) -> None:
        """Add a part with the columns of its notes, (N,) each, its pedal events (M, 2), track and channel."""
        self.places.append(place)
        self.parts.append(part)
        self.notes.append(notes)
        self.pedals.append(np.asarray(pedal, dtype=np.int64).reshape(-1, 2) if len(pedal) else NO_PEDAL)

    def extend(self, other: RawEvents) -> None:
        """Add all events of another track."""
        self.silent |= other.silent
        for name in ("parts", "notes", "pedals", "places", "tempi", "meters", "keys", "markers"):
            getattr(self, name).extend(getattr(other, name))
        for kind, count in other.dropped.items():
            self.dropped[kind] += count


def decode(text: bytes) -> str:
    """Decode a text as UTF-8; bytes that are not UTF-8 become lone surrogates until the encoding is known."""
    return text.decode("utf-8", "surrogateescape")
