"""A note of a part before quantisation, and functions that find all kinds of ornaments."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

Mark = Literal["", "arpeggio up", "arpeggio down", "trill", "tremolo"]

# The largest time between two notes of an ornament, in seconds and in beats: shorter than a 32nd, or so quick
# that nobody counts it and still clearly shorter than a 16th. Performers play a grace note within 0.03-0.1 s.
QUICK = ((0.13, 0.12), (0.07, 0.2))
QUICK_IN_A_ROLL = ((0.13, 0.19), (0.07, 0.21))  # held notes are no run: their time may be a 32nd or more
FARTHEST = (0.14, 0.22)  # the largest time between two notes of any ornament, in seconds and in beats
CHORD_S = 0.012  # notes that begin within this time begin together
RUN_RATIO = 1.5  # a note that is at most this many times as far away belongs to the same run
OCTAVE = 12  # the largest interval between successive notes of an ornament, in semitones
# Runs of 32nds and of triplets of 16ths are readable as they are: their values in beats, and the share of a
# beat by which a note may miss its place.
WRITTEN_VALUES, TOLERANCE = (1 / 8, 1 / 6), 0.006
# The places in a beat of main notes, with a penalty in beats for the less likely ones; and how much better
# the place of another note must fit, in beats
PLACES, CLEARLY = ((1, 0.0), (2, 0.01), (4, 0.02), (3, 0.03)), 0.015


class PlayedNote(NamedTuple):
    """A note before quantisation; `graces` are the onset (ticks) and pitch of each grace note before it."""

    onset_ticks: int
    end_ticks: int
    pitch: int
    onset_s: float
    end_s: float
    graces: tuple[tuple[int, int], ...] = ()
    mark: Mark = ""

    @property
    def length_s(self) -> float:
        """The duration in seconds."""
        return self.end_s - self.onset_s

    def starting_with(self, other: PlayedNote) -> PlayedNote:
        """The note with the onset of another, unless it would have no length."""
        if other.onset_ticks >= self.end_ticks:
            return self
        return self._replace(onset_ticks=other.onset_ticks, onset_s=other.onset_s)


def is_quick(
    first: PlayedNote, second: PlayedNote, beat_ticks: int, limits: tuple[tuple[float, float], ...] = QUICK
) -> bool:
    """Whether two successive notes are as close as those of an ornament."""
    time, beats = second.onset_s - first.onset_s, (second.onset_ticks - first.onset_ticks) / beat_ticks
    return any(time <= max_s and beats <= max_beats for max_s, max_beats in limits)


def quickly_followed(notes: list[PlayedNote], beat_ticks: int) -> list[int]:
    """Indexes of the notes after which a note begins so soon that both may belong to an ornament."""
    max_s, max_ticks = FARTHEST[0], FARTHEST[1] * beat_ticks
    onset_s = np.array([note.onset_s for note in notes])
    onset = np.array([note.onset_ticks for note in notes])
    following = np.searchsorted(onset_s, onset_s + CHORD_S)
    until = np.minimum(
        np.searchsorted(onset_s, onset_s + max_s, "right"), np.searchsorted(onset, onset + max_ticks, "right")
    )
    return [int(index) for index in np.flatnonzero(following < until)]


def beginning_between(notes: list[PlayedNote], low_s: float, high_s: float) -> range:
    """The indexes of the notes that begin between two times, in seconds."""
    begin = bisect_left(notes, low_s, key=lambda note: note.onset_s)
    return range(begin, bisect_right(notes, high_s, key=lambda note: note.onset_s))


def is_on_grid(
    notes: Sequence[PlayedNote], value_beats: float, beat_ticks: int, tolerance: float = TOLERANCE
) -> bool:
    """Whether successive notes are one note value apart and begin on its grid, to within some beats."""
    places = [note.onset_ticks / beat_ticks / value_beats for note in notes]
    allowed = max(tolerance, 0.6 / beat_ticks) / value_beats
    is_regular = all(abs(after - before - 1) <= allowed for before, after in pairwise(places))
    return is_regular and all(abs(place - round(place)) <= allowed for place in places)


def _off_grid(note: PlayedNote, beat_ticks: int) -> float:
    """How far a note begins from a likely place of a main note, in beats."""
    beats = note.onset_ticks / beat_ticks
    return min(abs(beats - round(beats * places) / places) + penalty for places, penalty in PLACES)


def main_onset(first: PlayedNote, last: PlayedNote, beat_ticks: int) -> PlayedNote:
    """The note of an ornament that is on the beat: the last one, unless the first fits better."""
    is_first = _off_grid(first, beat_ticks) + CLEARLY < _off_grid(last, beat_ticks)
    return first if is_first else last


def lengthened(notes: list[PlayedNote], stolen: dict[int, PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """The notes; a note that ends where an ornament begins is lengthened up to the main note.

    `stolen` has the main notes of ornaments that begin before them, by the tick of the ornament's first note.
    """
    starts, allowed = sorted(stolen), round(CLEARLY * beat_ticks)
    result = []
    for note in notes:
        index = bisect_right(starts, note.end_ticks + allowed) - 1
        if index >= 0 and note.onset_ticks < starts[index]:
            main = stolen[starts[index]]
            if note.end_ticks < main.onset_ticks:
                note = note._replace(end_ticks=main.onset_ticks, end_s=main.onset_s)
        result.append(note)
    return sorted(result, key=lambda note: (note.onset_ticks, note.pitch))
