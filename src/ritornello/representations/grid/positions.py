"""The fields that depend only on the place in the song: position, bars left, chords, end of the phrase."""

from bisect import bisect_right

import numpy as np

from ritornello.music.plan import GRID
from ritornello.music.sketch import NO_CADENCE, UNKNOWN
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.shifts import BarLines
from ritornello.representations.grid.vocabulary import (
    CADENCE_BARS_UNKNOWN,
    CADENCE_UNKNOWN,
    CHORD_UNKNOWN,
    CHORD_UNTIL_TICKS,
    CHORD_UNTIL_UNKNOWN,
    CLOSING_IS_PAST,
    CLOSING_TICKS,
    CLOSING_UNKNOWN,
    MAX_BARS_LEFT,
    MAX_CADENCE_BARS,
    MAX_CLOSING,
    NO_CHORD,
    NO_CHORD_TO_COME,
    Ints,
    chord_class,
)

POSITION_FIELDS = (
    "position",
    "bar_length",
    "bars_left",
    "chord",
    "chord.next",
    "chord.until",
    "cadence.kind",
    "cadence.bars",
    "cadence.onset",
    "cadence.pitch",
)
NO_PITCH_CLASS = 12


class Positions:
    """The POSITION_FIELDS of one song. Its chords are unknown if the timeline has none.

    `fields` answers for the rows of a whole song, `fields_at` for one row of a song that is composed.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.bars = BarLines(timeline)
        self._length = timeline.length_ticks
        self._chord_onset = np.array([chord.onset_ticks for chord in timeline.chords], np.int64)
        classes = [
            NO_CHORD if chord.is_silent else chord_class(chord.root, chord.kind) for chord in timeline.chords
        ]
        # index 0 is the time before the first chord
        self._chord = np.array([NO_CHORD if classes else CHORD_UNKNOWN, *classes], np.int64)
        self._next_chord, self._next_onset = self._following_chords()
        self._cadence, self._cadence_bar = _next_cadences(timeline)
        self._closing_onset, self._closing_pitch = _closings(timeline, self._cadence_bar)
        closing = self._closing_onset, self._closing_pitch
        bar_columns = self.bars.start_ticks, self._length, self._cadence, self._cadence_bar, *closing
        chord_columns = self._chord, self._next_chord, self._next_onset
        self._lists = self._chord_onset.tolist(), *(c.tolist() for c in (*bar_columns, *chord_columns))

    def _following_chords(self) -> tuple[Ints, Ints]:
        """Return for each chord (C + 1,) the class of the next different one, and its onset, -1 for none."""
        changes = np.flatnonzero(np.diff(self._chord)) + 1
        following = np.searchsorted(changes, np.arange(len(self._chord)), side="right")
        place = np.append(changes, 0)[following]
        has_next = place > 0
        none = NO_CHORD if len(self._chord) > 1 else CHORD_UNKNOWN
        onset = np.append(-1, self._chord_onset)[place]
        return np.where(has_next, self._chord[place], none), np.where(has_next, onset, -1)

    def fields(self, ticks: Ints) -> dict[str, Ints]:
        """Return the fields at ticks (R,), (R,) each."""
        bar = self.bars.bar_of(ticks)
        chord = np.searchsorted(self._chord_onset, ticks, side="right")
        left = np.minimum(self.bars.last_bar - bar, MAX_BARS_LEFT)
        until = _until_class(self._next_onset[chord] - ticks)
        if not len(self._chord_onset):
            until = np.full(len(ticks), CHORD_UNTIL_UNKNOWN)
        bars = np.clip(self._cadence_bar[bar] - bar, -1, MAX_CADENCE_BARS)
        values = (
            ticks - self.bars.start_ticks[bar],
            self._length[bar],
            left,
            self._chord[chord],
            self._next_chord[chord],
            until,
            self._cadence[bar],
            np.where(bars < 0, CADENCE_BARS_UNKNOWN, bars),
            _closing_class(self._closing_onset[bar], ticks),
            self._closing_pitch[bar],
        )
        return dict(zip(POSITION_FIELDS, values, strict=True))

    def fields_at(self, tick: int) -> tuple[int, ...]:
        """Return the fields at one tick, in the order of POSITION_FIELDS."""
        onset, start, length, cadence, cadence_bar, closing, pitch, chord, next_chord, next_onset = (
            self._lists
        )
        bar, number = bisect_right(start, tick) - 1, bisect_right(onset, tick)
        following = next_onset[number]
        until = NO_CHORD_TO_COME if onset else CHORD_UNTIL_UNKNOWN
        if following >= 0:
            until = UNTIL_CLASSES[min(following - tick, MOST_UNTIL_TICKS)]
        last_bar, closing_tick = cadence_bar[bar], closing[bar]
        until_closing = CLOSING_UNKNOWN if closing_tick < 0 else CLOSING_IS_PAST
        if closing_tick >= tick:
            until_closing = min(-(-(closing_tick - tick) // CLOSING_TICKS), MAX_CLOSING)
        return (
            tick - start[bar],
            length[bar],
            min(self.bars.last_bar - bar, MAX_BARS_LEFT),
            chord[number],
            next_chord[number],
            until,
            cadence[bar],
            CADENCE_BARS_UNKNOWN if last_bar < 0 else min(last_bar - bar, MAX_CADENCE_BARS),
            until_closing,
            pitch[bar],
        )


def _next_cadences(timeline: Timeline) -> tuple[Ints, Ints]:
    """Return for each bar (bars,) the next cadence in it or in a later bar, and that bar.

    Without a later cadence they are NO_CADENCE and -1, for an open one CADENCE_UNKNOWN and -1.
    """
    count = len(timeline)
    planned = timeline.sketch.cadences[:count] if timeline.sketch else ()
    cadences = np.full(count, UNKNOWN)
    cadences[: len(planned)] = planned
    ends = np.flatnonzero(cadences != NO_CADENCE)
    following = np.append(ends, -1)[np.searchsorted(ends, np.arange(count))]
    kind = np.where(following < 0, NO_CADENCE, cadences[following])
    is_unknown = kind == UNKNOWN
    kind, following = np.where(is_unknown, CADENCE_UNKNOWN, kind), np.where(is_unknown, -1, following)
    return kind, following


def _closings(timeline: Timeline, cadence_bar: Ints) -> tuple[Ints, Ints]:
    """Return for each bar (bars,) the onset in ticks and the pitch class of the closing note of its phrase.

    Unknown values are -1 and NO_PITCH_CLASS. `cadence_bar` (bars,) is the last bar of the phrase, or -1.
    """
    count, planned = len(timeline), timeline.sketch.closings if timeline.sketch else ()
    ticks, pitch = np.array([*planned, *[(UNKNOWN, UNKNOWN)] * count][:count], np.int64).reshape(-1, 2).T
    onset = np.where(ticks < 0, -1, timeline.start_ticks + ticks * timeline.ticks_per_beat // GRID)
    onset, pitch = np.append(onset, -1), np.append(np.where(pitch < 0, NO_PITCH_CLASS, pitch), NO_PITCH_CLASS)
    return onset[cadence_bar], pitch[cadence_bar]


def _closing_class(onset: Ints, ticks: Ints) -> Ints:
    """Return the classes (R,) of the time from `ticks` (R,) to closing notes at `onset` (R,); -1: unknown."""
    until = np.minimum(-(-(onset - ticks) // CLOSING_TICKS), MAX_CLOSING)
    return np.select([onset < 0, onset < ticks], [CLOSING_UNKNOWN, CLOSING_IS_PAST], until)


def _until_class(ticks: Ints) -> Ints:
    """Return the classes (any shape) of ticks until the next chord; negative if none comes."""
    return np.where(ticks < 0, NO_CHORD_TO_COME, np.searchsorted(CHORD_UNTIL_TICKS, ticks))


MOST_UNTIL_TICKS = int(CHORD_UNTIL_TICKS[-1]) + 1
UNTIL_CLASSES: list[int] = _until_class(np.arange(MOST_UNTIL_TICKS + 1)).tolist()
