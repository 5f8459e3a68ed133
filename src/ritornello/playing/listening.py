"""Collect the notes that a musician plays, in seconds, and quantize them to the grid of the network."""

from collections.abc import Sequence
from typing import NamedTuple

from ritornello.music.plan import GRID
from ritornello.playing.player import NOTE_OFF, NOTE_ON
from ritornello.playing.ports import Message

SIXTEENTH, TRIPLET = GRID // 4, GRID // 3  # the distance of their onsets in ticks
SHORTEST = GRID // 8  # the shortest duration in ticks
TRIPLETS_BELOW = 0.5  # a beat is triplets if their error is below this share of that of sixteenths


class HeardNote(NamedTuple):
    """A note that was played: its start and end in seconds, pitch and velocity 0-127."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int


class GridNote(NamedTuple):
    """A note on the grid: onset and duration in ticks (24 a beat), pitch and velocity 0-127, part.

    Part 0 is the musician's, the others are Ritornello's.
    """

    onset_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int
    part: int


class Listener:
    """Collects notes from MIDI messages: notes in `notes` have ended, notes in `open` still sound."""

    def __init__(self) -> None:
        self.notes: list[HeardNote] = []
        self.open: dict[tuple[int, int], tuple[float, int]] = {}  # (channel, pitch): start (s), velocity
        self.last_s = float("-inf")  # the time of the last note-on or note-off

    def read(self, time_s: float, message: Message) -> None:
        """Read a message that came at a time in seconds; only notes are used."""
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind not in (NOTE_ON, NOTE_OFF) or message[0] >= 0xF0 or len(message) < 3:
            return
        key, velocity = (channel, message[1]), message[2]
        if key in self.open:
            start_s, struck = self.open.pop(key)
            self.notes.append(HeardNote(start_s, time_s, key[1], struck))
        if kind == NOTE_ON and velocity:
            self.open[key] = time_s, velocity
        self.last_s = time_s

    def all_notes(self, now_s: float) -> list[HeardNote]:
        """The notes so far, sorted by start; those that still sound end at `now_s`."""
        sounding = [
            HeardNote(start_s, max(now_s, start_s), pitch, velocity)
            for (_, pitch), (start_s, velocity) in self.open.items()
        ]
        return sorted([*self.notes, *sounding])


def grid_notes(
    history: Sequence[tuple[float, float, int, int, int]], first: float, end: float
) -> list[GridNote]:
    """The notes of a history (start and end in beats, pitch, velocity, part) on the grid.

    Ticks count from the beat `first`; what lies beyond the beat `end` is left out.
    """
    ticks = on_grid([(max(start - first, 0.0), stop - first) for start, stop, *_ in history])
    limit = round((end - first) * GRID)
    return [
        GridNote(onset, min(length, limit - onset), *note[2:])
        for (onset, length), note in zip(ticks, history, strict=True)
        if onset < limit
    ]


def on_grid(beats: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Return onset and duration in ticks of notes whose starts and ends are given in beats.

    Onsets move to the nearest sixteenth; in beats where triplets fit much better, to the nearest triplet.
    """
    errors: dict[int, list[float]] = {}
    for start, _ in beats:
        ticks = start * GRID
        sums = errors.setdefault(round(ticks) // GRID, [0.0, 0.0])
        for kind, unit in enumerate((SIXTEENTH, TRIPLET)):
            sums[kind] += abs(ticks - round(ticks / unit) * unit)
    notes = []
    for start, end in beats:
        sixteenths, triplets = errors[round(start * GRID) // GRID]
        unit = TRIPLET if triplets < TRIPLETS_BELOW * sixteenths else SIXTEENTH
        length = round((end - start) * GRID / SHORTEST) * SHORTEST
        notes.append((round(start * GRID / unit) * unit, max(length, SHORTEST)))
    return notes
