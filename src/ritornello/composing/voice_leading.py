"""The state that the rules of voice leading read: the last move of each part, and the clashes so far."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ritornello.composing.recent_notes import RECENT, share
from ritornello.music.plan import GRID
from ritornello.representations.grid.vocabulary import DRUM_PART

SECONDS = (1, 2)  # semitones between two notes that clash
WHOLE_TONE, FIFTH = 2, 7  # semitones; a move over a whole tone is a skip, over a fifth a leap
PERFECT = (0, 7)  # octaves and fifths: semitones modulo 12


class Move(NamedTuple):
    """The last move of a part, to its highest `pitch` at `onset` (ticks).

    `before` is the highest pitch at the onset before, or -1 if there is none; `notes` are those at `onset`.
    """

    onset: int
    before: int
    pitch: int
    notes: int = 1


class VoiceLeading:
    """The notes of pitched parts as they are composed or given. Ticks are those of the grid."""

    def __init__(self) -> None:
        self.moves: dict[int, Move] = {}
        """By part."""
        self.intervals: deque[int] = deque(maxlen=RECENT)
        """Of the last completed moves, in semitones."""
        self._sounding: dict[tuple[int, int], int] = {}  # by part and pitch: the end tick
        self._onset, self._clashes = -1, 0

    def add(self, onset: int, part: int, pitch: int, end: int) -> None:
        """Read a new note, which comes after all others."""
        if part == DRUM_PART:
            return
        if onset > self._onset:
            self._onset = onset
            self._sounding = {
                note: other_end for note, other_end in self._sounding.items() if other_end > onset
            }
        self._clashes += sum(abs(other - pitch) in SECONDS for _, other in self._sounding)
        self._sounding[part, pitch] = end
        last = self.moves.get(part)
        if last is not None and last.onset == onset:
            self.moves[part] = last._replace(pitch=max(pitch, last.pitch), notes=last.notes + 1)
        else:
            if last is not None and last.before >= 0:
                self.intervals.append(last.pitch - last.before)
            self.moves[part] = Move(onset, -1 if last is None else last.pitch, pitch)

    def share_of_moves(self, semitones: int) -> float:
        """Return the share (0-1) of the last moves that are wider than some semitones."""
        return share([abs(interval) > semitones for interval in self.intervals])

    def clashes_per_beat(self, tick: int) -> float:
        """Return the number of clashes before a tick, divided by the beats before it, at least by four."""
        return self._clashes * GRID / max(tick, 4 * GRID)

    def clashes_of(self, tick: int) -> dict[int, int]:
        """Return, by pitch, the number of notes sounding at a tick with which it would clash, if above 0."""
        found: dict[int, int] = {}
        for (_, pitch), end in self._sounding.items():
            if end <= tick:
                continue
            for distance in SECONDS:
                for other in (pitch - distance, pitch + distance):
                    found[other] = found.get(other, 0) + 1
        return found

    def parallel_pitches(self, tick: int, part: int) -> list[int]:
        """Return the pitches by which a part would make parallel fifths or octaves with another at a tick."""
        own = self.moves.get(part)
        if own is None or part == DRUM_PART:
            return []
        pitch = own.before if own.onset == tick else own.pitch
        found = []
        for other, move in self.moves.items():
            if other == part or move.onset != tick or move.before < 0 or pitch < 0:
                continue
            distance, direction = pitch - move.before, move.pitch - move.before
            if direction == 0 or abs(distance) % 12 not in PERFECT:
                continue
            found += [
                goal
                for goal in range(128)
                if (goal - pitch) * direction > 0 and abs(goal - move.pitch) % 12 == abs(distance) % 12
            ]
        return found
