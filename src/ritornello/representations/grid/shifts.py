"""The clock of `notes`: how a row of notes is spelled as shifts, WAIT and END.

The clock stands at the last onset, or where WAIT stopped. WAIT goes to the next bar line, at most 192 ticks;
it is written exactly when the next onset is over 191 ticks away or beyond the next bar. END is written in the
last bar, to which WAIT leads where no onset does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ritornello.music.timeline import Timeline
from ritornello.representations.grid.vocabulary import END, MAX_SHIFT, WAIT, Ints


class Bars:
    """The bar lines that the clock meets; after the last bar one more of its length is imagined.

    So nothing that is asked of a place before the end tells where the end is.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.start = timeline.start_ticks
        self.last = len(timeline) - 1
        self.end = timeline.end_ticks
        after = [self.end, self.end + int(timeline.length_ticks[-1])] if len(timeline) else []
        self.edges = np.concatenate([self.start, np.array(after, np.int64)])  # (bars + 2,)

    def bar(self, ticks: Ints) -> Ints:
        """The bar in which each of `ticks` lies."""
        return np.asarray(np.searchsorted(self.start, ticks, side="right") - 1)

    def limit(self, clock: Ints) -> Ints:
        """The end of the bar after that of the clock: from there on, an onset is spelled with WAIT."""
        return np.asarray(self.edges[self.bar(clock) + 2])

    def stop(self, clock: int) -> int:
        """Where WAIT leads."""
        line = int(self.edges[np.searchsorted(self.start, clock, side="right")])
        return min(line, clock + WAIT)


class Steps(NamedTuple):
    """The drawn rows: index of the note (-1: WAIT, N: END), clock before and after, shift; (R,) each."""

    note: Ints
    before: Ints
    after: Ints
    shift: Ints


def spell(onset: Ints, bars: Bars) -> Steps:
    """The steps that say notes at `onset` (N,), sorted, and then END."""
    previous = np.concatenate([[0], onset])  # the clock before each note and END, without WAIT
    place, before = bars.bar(previous), bars.bar(previous[:-1])
    far = np.flatnonzero((np.diff(previous) > MAX_SHIFT) | (place[1:] > before + 1)).tolist()
    if place[-1] < bars.last:
        far.append(len(onset))
    waits: list[tuple[int, int]] = []  # the note before which it comes, where it stops
    for index in far:
        clock = int(previous[index])
        while _waits(clock, int(onset[index]) if index < len(onset) else None, bars):
            clock = bars.stop(clock)
            waits.append((index, clock))
    where, stops = np.array(waits, np.int64).reshape(-1, 2).T
    note = np.insert(np.arange(len(onset) + 1), where, -1)
    end = stops[-1] if len(waits) and where[-1] == len(onset) else previous[-1]
    after = np.insert(np.append(onset, end), where, stops)
    clock_before = np.concatenate([[0], after[:-1]])
    shift = np.where(note < 0, WAIT, after - clock_before)
    shift[-1] = END
    return Steps(note, clock_before, after, shift)


def _waits(clock: int, onset: int | None, bars: Bars) -> bool:
    """Whether WAIT comes next on the way to an onset, or (None) to the last bar."""
    bar = int(np.searchsorted(bars.start, clock, side="right")) - 1
    if onset is None:
        return bool(bar < bars.last)
    return onset - clock > MAX_SHIFT or onset >= int(bars.edges[bar + 2])


def needed(steps: Steps, bars: Bars) -> Ints:
    """From where on an onset may follow each step's clock `before`: after WAIT, only what WAIT was for."""
    floor: Ints = steps.before.copy()
    waited = np.flatnonzero(steps.note[:-1] < 0)
    clock = steps.before[waited]
    floor[waited + 1] = np.minimum(clock + MAX_SHIFT + 1, bars.limit(clock))
    return floor


def spelled(onset: Ints, clock: Ints, floor: Ints, bars: Bars) -> Ints:
    """How a guessed onset is spelled at a clock: a shift, WAIT, or void where the grammar cannot say it."""
    far = (onset - clock > MAX_SHIFT) | (onset >= bars.limit(clock))
    return np.asarray(np.where(onset < floor, END + 1, np.where(far, WAIT, onset - clock)))
