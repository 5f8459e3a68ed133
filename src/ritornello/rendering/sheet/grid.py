"""Where notes stand when they are written: onsets and ends on the grid of each beat, binary or in triplets.

Written time counts in units, 24 a beat: a sixteenth is 6, an eighth of a triplet 8. Bars keep their meter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.rendering import roll_contents

Ints = npt.NDArray[np.int64]
UNITS = 24  # a beat
FINEST = 3  # a 32nd: bars are whole numbers of it

# How a beat may be divided: the size of a step in units, and how much closer (in beats, all notes of the beat
# together) it must come than 16ths. Players are some hundredths of a beat off; a triplet read as 16ths 0.17.
STEPS = ((6, 0.0), (8, 0.04), (3, 0.05), (4, 0.08))


class Written(NamedTuple):
    """A note as it is written: start and end in units from the song's start."""

    start: int
    end: int
    pitch: int


class Meter(NamedTuple):
    """How a bar is counted: in units its length, its beat, what of it is divided by three; its signature."""

    length: int
    beat: int = UNITS
    window: int = UNITS
    signature: tuple[int, int] = (4, 4)

    @classmethod
    def of(cls, length: int, numerator: int, denominator: int) -> Meter:
        """In 6/8, 9/8 and 12/8 three eighths are a beat, and only an eighth is divided by three.

        A bar of another length than its meter says, as one that a change of meter cuts short, gets its own
        signature: readers would fill it up.
        """
        if length * denominator != 4 * UNITS * numerator:
            numerator, denominator = length // FINEST, 32
            while numerator % 2 == 0 and denominator > 4:
                numerator, denominator = numerator // 2, denominator // 2
        signature = (numerator, denominator)
        if denominator == 8 and numerator % 3 == 0 and numerator > 3:
            return cls(length, 3 * UNITS // 2, UNITS // 2, signature)
        return cls(length, signature=signature)


class Bars(NamedTuple):
    """The bars of the song, their edges (B + 1,) in units, and how each is counted."""

    timeline: Timeline
    edges: Ints
    meters: list[Meter]

    @classmethod
    def of(cls, score: Score) -> Bars:
        """The bars of a song, as far as its last notes ring (at most 4 after its last onset)."""
        timeline = roll_contents.shown_bars(score)
        lengths = np.rint(timeline.length_ticks * UNITS / timeline.ticks_per_beat / FINEST).astype(np.int64)
        lengths = np.maximum(1, lengths) * FINEST
        counted = zip(
            lengths.tolist(), timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True
        )
        return cls(timeline, np.cumsum([0, *lengths]), [Meter.of(*bar) for bar in counted])

    def __len__(self) -> int:
        return len(self.edges) - 1

    def places(self, ticks: Ints) -> tuple[Ints, npt.NDArray[np.float64]]:
        """For each tick its bar, and how far after the bar's start it lies, in units."""
        bar = self.timeline.bar_of(np.minimum(ticks, self.timeline.end_ticks - 1))
        offset = (ticks - self.timeline.start_ticks[bar]) * (UNITS / self.timeline.ticks_per_beat)
        return bar, np.clip(offset, 0, self.edges[bar + 1] - self.edges[bar])

    def unit(self, tick: int) -> int:
        """The unit nearest to a tick."""
        bar, offset = self.places(np.array([tick]))
        return int(self.edges[bar[0]] + np.rint(offset[0]))


def written(score: Score, part: int, bars: Bars) -> list[Written]:
    """The notes of a part on the grid, sorted; of two that fall together the longer stays.

    Each beat has one division, for onsets and ends: the one that its onsets (where there are none, its ends)
    are nearest to.
    """
    (rows,) = np.nonzero(score.part == part)
    onset = score.onset_ticks[rows].astype(np.int64)
    starts, ends = bars.places(onset), bars.places(onset + score.duration_ticks[rows])
    window = np.array([meter.window for meter in bars.meters])
    count = int((np.diff(bars.edges) // window).max()) + 2  # windows a bar, as many numbers for each
    first, last = (bar * count + (offset // window[bar]).astype(np.int64) for bar, offset in (starts, ends))
    small = np.repeat(window, count) < UNITS
    by_onsets = _steps(first, starts[1] % window[starts[0]], small)
    by_ends = _steps(last, ends[1] % window[ends[0]], small)
    step = np.where(np.bincount(first, minlength=len(small)) > 0, by_onsets, by_ends)
    start = bars.edges[starts[0]] + _rounded(starts[1], window[starts[0]], step[first])
    start = np.minimum(start, bars.edges[-1] - step[first])
    end = bars.edges[ends[0]] + _rounded(ends[1], window[ends[0]], step[last])
    end = np.minimum(np.maximum(start + step[first], end), bars.edges[-1])
    notes = zip(start.tolist(), end.tolist(), score.pitch[rows].tolist(), strict=True)
    return _without_overlaps([Written(*note) for note in notes])


def _rounded(offset: npt.NDArray[np.float64], window: Ints, step: Ints) -> Ints:
    """The nearest step within the window of a bar that each offset lies in."""
    begin = offset // window * window
    return np.asarray(begin + np.floor((offset - begin) / step + 0.5) * step, np.int64)


def _steps(window: Ints, within: npt.NDArray[np.float64], small: npt.NDArray[np.bool_]) -> Ints:
    """The step for each of W windows, by the places `within` the windows `window` (N,).

    `small` (W,) says which are an eighth long.
    """
    costs = []
    for step, extra in STEPS:
        away = np.abs(within - np.floor(within / step + 0.5) * step) / UNITS
        unfit = np.where(small & (UNITS // 2 % step > 0), np.inf, 0)
        costs.append(np.bincount(window, away, len(small)) + extra + unfit)
    sizes = np.array([step for step, _ in STEPS], np.int64)
    return np.asarray(sizes[np.argmin(np.round(costs, 9), axis=0)])


def _without_overlaps(notes: list[Written]) -> list[Written]:
    """The notes, sorted; one whose pitch is struck again ends there, and doubles go."""
    latest: dict[int, int] = {}
    kept: list[Written] = []
    for note in sorted(notes, key=lambda n: (n.start, n.pitch, -n.end)):
        before = latest.get(note.pitch)
        if before is not None and kept[before].start == note.start:
            continue
        if before is not None and kept[before].end > note.start:
            kept[before] = kept[before]._replace(end=note.start)
        latest[note.pitch] = len(kept)
        kept.append(note)
    return kept
