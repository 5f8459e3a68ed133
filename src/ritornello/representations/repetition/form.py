"""Form: the bar to which the present one returns, read off a song, and the note that comes next there.

A bar is likened to an earlier one by what it strikes where: the Jaccard likeness of their sets of (place in
the bar, part, pitch). Part and pitch are one number here, the voice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.timeline import Timeline
from ritornello.representations.grid.shifts import Bars
from ritornello.representations.grid.vocabulary import FORM_UNKNOWN, PART_PITCH_BITS, Ints

LEAST = 0.5  # likeness that counts as a return
GOES_ON = 0.25  # what going on where the last bar left off is worth
MOST, ALL = 0.75, 0.99
MAX_BARS_COMPARED = 4096  # of a song are looked at; beyond, the table of all pairs would fill the memory


class Forms(NamedTuple):
    """For each place: index of the candidate (-1: none), its guessed onset, class of likeness; (R,) each."""

    candidate: Ints
    onset: Ints
    likeness: Ints


def read_form(timeline: Timeline, onset: Ints, voice: Ints) -> Timeline:
    """The timeline with the bar that each returns to, read off its notes (N,), sorted by onset and voice.

    A bar of at least two notes returns to the earlier one of equal length with the highest likeness, at least
    0.5, the latest of several; the one after the last bar's model is preferred.
    """
    bars = min(len(timeline), MAX_BARS_COMPARED)
    returns, close = np.full(len(timeline), -1), np.zeros(len(timeline), np.int64)
    if bars < 2:
        return timeline.with_returns(returns, close)
    likeness = _likeness(timeline, bars, onset, voice)  # (bars, bars)
    best = bars - 1 - np.argmax(likeness[:, ::-1], axis=1)  # the latest of the highest
    highest = likeness[np.arange(bars), best]
    model = -1
    for bar, (latest, value) in enumerate(zip(best.tolist(), highest.tolist(), strict=True)):
        following, model = model + 1, -1
        if value < LEAST:
            continue
        model = latest
        if following and (on := float(likeness[bar, following])) >= LEAST:
            model = max((value, latest), (on + GOES_ON, following))[1]
        returns[bar] = model
    like = np.where(returns[:bars] >= 0, likeness[np.arange(bars), returns[:bars]], 0.0)
    close[:bars] = np.searchsorted([1e-9, MOST, ALL], like, side="left")
    return timeline.with_returns(returns, close)


def _likeness(timeline: Timeline, bars: int, onset: Ints, voice: Ints) -> npt.NDArray[np.float64]:
    """The likeness of each bar (row) to each earlier one of equal length, 0 to all others: (bars, bars)."""
    shared, sizes = _shared(timeline, bars, onset, voice)
    union = sizes[:, None] + sizes - shared
    likeness = shared / np.maximum(union, 1)
    length = timeline.length_ticks[:bars]
    likeness[(length[:, None] != length) | (sizes < 2)[:, None]] = 0
    return np.tril(likeness, -1)


def _shared(
    timeline: Timeline, bars: int, onset: Ints, voice: Ints
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How many notes each two bars have in common, (bars, bars), and how many each has, (bars,).

    Notes that occur in many bars are counted by a product of matrices, the others pair by pair.
    """
    bar = timeline.bar_of(onset)
    kept = bar < bars
    bar, place, voice = bar[kept], (onset - timeline.start_ticks[bar])[kept], voice[kept]
    _, item = np.unique(place << PART_PITCH_BITS | voice, return_inverse=True)
    times = np.bincount(item)
    frequent = times[item] > max(4, bars // 16)
    names, column = np.unique(item[frequent], return_inverse=True)
    table = np.zeros((bars, len(names)), np.float32)
    table[bar[frequent], column] = 1
    shared = (table @ table.T).astype(np.float64)
    rare = ~frequent
    order = np.argsort(item[rare], kind="stable")
    rare_bar, count = bar[rare][order], times[item[rare][order]]
    kind, pairs = item[rare][order], [np.zeros(0, np.int64)]
    for back in range(1, int(count.max(initial=1))):  # each note with the one `back` before it of its kind
        same = kind[back:] == kind[:-back]
        pairs.append(rare_bar[back:][same] * bars + rare_bar[:-back][same])
    shared += np.bincount(np.concatenate(pairs), minlength=bars * bars).reshape(bars, bars)
    return shared, np.bincount(bar, minlength=bars).astype(np.float64)


def form(
    bars: Bars, timeline: Timeline, onset: Ints, voice: Ints, clock: Ints, last: Ints, known: Ints
) -> Forms:
    """The candidates at places of a whole song.

    Notes (N,) are sorted. A place is its `clock`, the voice of the note at it (`last`, -1 after WAIT) and how
    many notes are `known` there, (R,) each. The candidate is the first note after the place in the bar that
    the present one returns to, or the first of the next bar's model.
    """
    keys = onset << PART_PITCH_BITS | voice
    bar = bars.bar(clock)
    model, close = np.append(timeline.returns_to, -1), np.append(timeline.similarity, 0)
    start, stop = np.append(bars.start, 0), np.append(bars.start + timeline.length_ticks, 0)
    found, where = np.full(len(clock), -1), np.zeros(len(clock), np.int64)
    likeness = np.where(close[bar] < 0, FORM_UNKNOWN, 0)
    for ahead in (1, 0):  # the present bar's model last, it goes over the other
        target = model[bar + ahead]
        origin = start[target] + (clock - start[bar] if ahead == 0 else 0)
        after = (origin << PART_PITCH_BITS) + (last + 1 if ahead == 0 else 0)
        at = np.searchsorted(keys, after, side="left")
        inside = (target >= 0) & (at < known)
        inside[inside] &= onset[at[inside]] < stop[target[inside]]
        found = np.where(inside, at, found)
        moved = bars.edges[bar + ahead][inside] - start[target[inside]]
        where[inside] = onset[at[inside]] + moved
        likeness[inside] = close[bar + ahead][inside] + 3 * ahead
    return Forms(found, where, likeness)


class Form:
    """The same note by note: `add` a note, then ask for the candidate at a place."""

    def __init__(self, bars: Bars, timeline: Timeline) -> None:
        self._keys: list[int] = []
        self._start, self._edges = bars.start.tolist(), bars.edges.tolist()
        self._stop = (bars.start + timeline.length_ticks).tolist()
        self._model, self._close = timeline.returns_to.tolist(), timeline.similarity.tolist()

    def add(self, onset: int, voice: int) -> None:
        """Take the next note."""
        self._keys.append(onset << PART_PITCH_BITS | voice)

    def at(self, clock: int, last: int) -> tuple[int, int, int]:
        """The candidate (-1: none), its guessed onset and the class of likeness, at a place."""
        bar = bisect_right(self._start, clock) - 1
        for ahead in (0, 1):
            model = self._model[bar + ahead] if bar + ahead < len(self._model) else -1
            if model < 0:
                continue
            start = self._start[model]
            if ahead:
                at = bisect_left(self._keys, start << PART_PITCH_BITS)
            else:
                at = bisect_right(self._keys, (start + clock - self._start[bar] << PART_PITCH_BITS) + last)
            if at < len(self._keys) and (there := self._keys[at] >> PART_PITCH_BITS) < self._stop[model]:
                return at, self._edges[bar + ahead] + there - start, self._close[bar + ahead] + 3 * ahead
        return -1, 0, FORM_UNKNOWN if self._close[bar] < 0 else 0
