"""What is known of a place in a song without its notes: position, length of the bar, bars left, chord."""

from bisect import bisect_right

import numpy as np

from ritornello.music.timeline import Timeline
from ritornello.representations.grid.shifts import BarLines
from ritornello.representations.grid.vocabulary import (
    CHORD_UNKNOWN,
    MAX_BARS_LEFT,
    NO_CHORD,
    Ints,
    chord_class,
)

POSITION_FIELDS = ("position", "bar_length", "bars_left", "chord")


class Positions:
    """The POSITION_FIELDS of one song. Its chords are unknown if the timeline has none.

    `fields` answers for the rows of a whole song, `fields_at` for one row of a song that is composed.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.bars = BarLines(timeline)
        self._length = timeline.length_ticks
        self._chord_onset = np.array([chord.onset_ticks for chord in timeline.chords], np.int64)
        classes = [chord_class(chord.root, chord.kind) for chord in timeline.chords]
        # index 0 is the time before the first chord
        self._chord = np.array([NO_CHORD if classes else CHORD_UNKNOWN, *classes], np.int64)
        arrays = self.bars.start_ticks, self._length, self._chord_onset, self._chord
        self._lists = [array.tolist() for array in arrays]

    def fields(self, ticks: Ints) -> dict[str, Ints]:
        """The fields at ticks (R,), (R,) each."""
        bar = self.bars.bar_of(ticks)
        chord = self._chord[np.searchsorted(self._chord_onset, ticks, side="right")]
        left = np.minimum(self.bars.last_bar - bar, MAX_BARS_LEFT)
        values = (ticks - self.bars.start_ticks[bar], self._length[bar], left, chord)
        return dict(zip(POSITION_FIELDS, values, strict=True))

    def fields_at(self, tick: int) -> tuple[int, int, int, int]:
        """The fields at one tick, in order."""
        start, length, onset, chord = self._lists
        bar = bisect_right(start, tick) - 1
        left = min(self.bars.last_bar - bar, MAX_BARS_LEFT)
        return tick - start[bar], length[bar], left, chord[bisect_right(onset, tick)]
