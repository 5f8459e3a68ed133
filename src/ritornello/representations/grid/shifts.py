"""The clock of `notes`: how onsets are written as shifts, WAIT and END.

The clock is a tick of the song: the last onset, or the place that WAIT reached. A shift is the number of
ticks from the clock to the next onset. WAIT moves the clock to the next bar line, by at most 192 ticks; it is
written if and only if the next onset is over 191 ticks away or beyond the next bar. END is written in the
last bar; if no onset lies there, WAIT moves the clock there. So there is only one way to write a song.
`song_state` has the same rules for one row at a time; `test_cursor.py` checks that both are equal.
"""

from typing import NamedTuple

import numpy as np

from ritornello.music.timeline import Timeline
from ritornello.representations.grid.vocabulary import END, MAX_SHIFT, WAIT, Ints

NO_SHIFT = END + 1  # void: the onset cannot be written


class BarLines:
    """The bar lines of a song, (bars + 2,), up to its end and that of another bar as long as the last one.

    Because of this additional bar, no row before the end of a song depends on where the end is.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.start_ticks = timeline.start_ticks
        self.last_bar = len(timeline) - 1
        self.end_tick = timeline.end_ticks
        after = [self.end_tick, self.end_tick + int(timeline.length_ticks[-1])] if len(timeline) else []
        self.ticks = np.concatenate([self.start_ticks, np.array(after, np.int64)])

    def bar_of(self, ticks: Ints) -> Ints:
        """The bar in which each tick (R,) lies, (R,)."""
        return np.asarray(np.searchsorted(self.start_ticks, ticks, side="right") - 1)

    def next_bar_end(self, clock: Ints) -> Ints:
        """Return where the bar after that of each clock (R,) ends, in ticks; onsets from there need WAIT."""
        return np.asarray(self.ticks[self.bar_of(clock) + 2])

    def after_wait(self, clock: int) -> int:
        """The clock after WAIT, in ticks."""
        line = int(self.ticks[np.searchsorted(self.start_ticks, clock, side="right")])
        return min(line, clock + WAIT)


class ShiftRows(NamedTuple):
    """The rows of a song, (R,) each: index of the note (-1: WAIT, N: END), clock before and after, shift."""

    note: Ints
    clock_before: Ints
    clock_after: Ints
    shift: Ints


def shift_rows(onset: Ints, bars: BarLines) -> ShiftRows:
    """Return the rows that write notes with sorted onsets (N,) in ticks, and then END."""
    previous = np.concatenate([[0], onset])  # the clock before each note and END, if no WAIT comes between
    bar, bar_before = bars.bar_of(previous), bars.bar_of(previous[:-1])
    far = np.flatnonzero((np.diff(previous) > MAX_SHIFT) | (bar[1:] > bar_before + 1)).tolist()
    if bar[-1] < bars.last_bar:
        far.append(len(onset))
    waits: list[tuple[int, int]] = []  # the note before which WAIT comes, and the clock after WAIT
    for index in far:
        clock = int(previous[index])
        while _waits(clock, int(onset[index]) if index < len(onset) else None, bars):
            clock = bars.after_wait(clock)
            waits.append((index, clock))
    where, stops = np.array(waits, np.int64).reshape(-1, 2).T
    note = np.insert(np.arange(len(onset) + 1), where, -1)
    end = stops[-1] if len(waits) and where[-1] == len(onset) else previous[-1]
    after = np.insert(np.append(onset, end), where, stops)
    before = np.concatenate([[0], after[:-1]])
    shift = np.where(note < 0, WAIT, after - before)
    shift[-1] = END
    return ShiftRows(note, before, after, shift)


def _waits(clock: int, onset: int | None, bars: BarLines) -> bool:
    """Whether a row with WAIT comes next on the way from the clock to an onset, or (None) to the last bar."""
    bar = int(np.searchsorted(bars.start_ticks, clock, side="right")) - 1
    if onset is None:
        return bool(bar < bars.last_bar)
    return onset - clock > MAX_SHIFT or onset >= int(bars.ticks[bar + 2])


def earliest_onsets(rows: ShiftRows, bars: BarLines) -> Ints:
    """Return the first tick (R,) at which each row may have its onset.

    It is the clock, but after WAIT the first tick that cannot be reached without this WAIT.
    """
    earliest: Ints = rows.clock_before.copy()
    waited = np.flatnonzero(rows.note[:-1] < 0)
    clock = rows.clock_before[waited]
    earliest[waited + 1] = np.minimum(clock + MAX_SHIFT + 1, bars.next_bar_end(clock))
    return earliest


def shift_to(onset: Ints, clock: Ints, earliest: Ints, bars: BarLines) -> Ints:
    """Return the class of `shift` that leads from clocks towards onsets in ticks, (R,) each.

    It is WAIT if the onset is too far, and NO_SHIFT if the onset is before the earliest one allowed.
    """
    far = (onset - clock > MAX_SHIFT) | (onset >= bars.next_bar_end(clock))
    return np.asarray(np.where(onset < earliest, NO_SHIFT, np.where(far, WAIT, onset - clock)))
