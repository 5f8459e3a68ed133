"""What is known of a place in a song without its notes: position, length of the bar, bars left, chord."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from ritornello.music.timeline import Timeline
from ritornello.representations.grid.shifts import Bars
from ritornello.representations.grid.vocabulary import (
    CHORD_UNKNOWN,
    MAX_BARS_LEFT,
    NO_CHORD,
    Ints,
    chord_class,
)

FIELDS = ("position", "bar_length", "bars_left", "chord")


class Places:
    """The places of one song, many at once or one by one. A timeline without chords knows none."""

    def __init__(self, timeline: Timeline) -> None:
        self.bars = Bars(timeline)
        self._length = timeline.length_ticks
        self._chord_onset = np.array([chord.onset_ticks for chord in timeline.chords], np.int64)
        named = [chord_class(chord.root, chord.kind) for chord in timeline.chords]
        # before the first chord there is none; the class at -1 + 1 is that of no chord
        self._chord = np.array([NO_CHORD if named else CHORD_UNKNOWN, *named], np.int64)
        self._lists = [a.tolist() for a in (self.bars.start, self._length, self._chord_onset, self._chord)]

    def columns(self, ticks: Ints) -> dict[str, Ints]:
        """The four fields at places (R,)."""
        bar = self.bars.bar(ticks)
        chord = self._chord[np.searchsorted(self._chord_onset, ticks, side="right")]
        left = np.minimum(self.bars.last - bar, MAX_BARS_LEFT)
        return dict(zip(FIELDS, (ticks - self.bars.start[bar], self._length[bar], left, chord), strict=True))

    def at(self, ticks: int) -> tuple[int, int, int, int]:
        """The four fields at one place."""
        start, length, onset, chord = self._lists
        bar = bisect_right(start, ticks) - 1
        left = min(self.bars.last - bar, MAX_BARS_LEFT)
        return ticks - start[bar], length[bar], left, chord[bisect_right(onset, ticks)]
