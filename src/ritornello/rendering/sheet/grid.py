"""Quantise the notes of a Score to written time: each beat is divided into 16ths, 32nds or triplets.

Written time is in units, 24 to a beat (a quarter note): a 16th is 6 units, an eighth of a triplet 8.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.rendering import roll_contents
from ritornello.rendering.sheet.ornaments import played_notes
from ritornello.rendering.sheet.played_note import Mark

Ints = npt.NDArray[np.int64]
UNITS = 24  # in a beat
BAR_UNIT = 3  # a 32nd; the length of a bar is a multiple of it

# The possible divisions of a beat: the step in units, and a penalty in beats that is added to the sum of the
# deviations of its notes. Players deviate by some hundredths of a beat, a triplet from 16ths by 0.17.
STEPS = ((6, 0.0), (8, 0.04), (3, 0.05), (4, 0.08))


class WrittenNote(NamedTuple):
    """A quantised note; `start` and `end` are in units from the start of the song.

    `graces` are the onset (ticks) and pitch of each grace note before it.
    """

    start: int
    end: int
    pitch: int
    graces: tuple[tuple[int, int], ...] = ()
    mark: Mark = ""


class BarMeter(NamedTuple):
    """The meter of a bar: its length, its beat and the window of a triplet in units, and its signature."""

    length: int
    beat: int = UNITS
    window: int = UNITS
    signature: tuple[int, int] = (4, 4)

    @classmethod
    def of(cls, length: int, numerator: int, denominator: int) -> BarMeter:
        """The meter of a bar of `length` units. In 6/8, 9/8 and 12/8 a beat is a dotted quarter.

        A bar shortened by a change of meter gets a signature of its own, because notation programs would
        fill it up.
        """
        if length * denominator != 4 * UNITS * numerator:
            numerator, denominator = length // BAR_UNIT, 32
            while numerator % 2 == 0 and denominator > 4:
                numerator, denominator = numerator // 2, denominator // 2
        signature = (numerator, denominator)
        if denominator == 8 and numerator % 3 == 0 and numerator > 3:
            return cls(length, 3 * UNITS // 2, UNITS // 2, signature)
        return cls(length, signature=signature)


class SheetBars(NamedTuple):
    """The B bars of a song: their edges (B + 1,) in units, and their meters."""

    timeline: Timeline
    edges: Ints
    meters: list[BarMeter]

    @classmethod
    def of(cls, score: Score) -> SheetBars:
        """The bars of a song: the same as in a piano roll."""
        timeline = roll_contents.shown_bars(score)
        lengths = np.rint(timeline.length_ticks * UNITS / timeline.ticks_per_beat / BAR_UNIT).astype(np.int64)
        lengths = np.maximum(1, lengths) * BAR_UNIT
        meters = zip(
            lengths.tolist(), timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True
        )
        return cls(timeline, np.cumsum([0, *lengths]), [BarMeter.of(*bar) for bar in meters])

    def __len__(self) -> int:
        return len(self.edges) - 1

    def positions(self, ticks: Ints) -> tuple[Ints, npt.NDArray[np.float64]]:
        """For each tick (N,) its bar (N,), and its distance from the start of the bar in units (N,)."""
        bar = self.timeline.bar_of(np.minimum(ticks, self.timeline.end_ticks - 1))
        offset = (ticks - self.timeline.start_ticks[bar]) * (UNITS / self.timeline.ticks_per_beat)
        return bar, np.clip(offset, 0, self.edges[bar + 1] - self.edges[bar])

    def unit(self, tick: int) -> int:
        """The unit nearest to a tick."""
        bar, offset = self.positions(np.array([tick]))
        return int(self.edges[bar[0]] + np.rint(offset[0]))


def written_notes(score: Score, part: int, bars: SheetBars) -> list[WrittenNote]:
    """The quantised notes of a part, sorted; of two with the same onset and pitch the longer one is kept.

    The notes of an ornament are joined first (`sheet.ornaments`).
    Each beat (in 6/8, 9/8 and 12/8 each eighth) has one division for onsets and ends: the one that fits its
    onsets best, or its ends if it has no onsets.
    """
    played = played_notes(score, part)
    starts = bars.positions(np.array([note.onset_ticks for note in played], np.int64))
    ends = bars.positions(np.array([note.end_ticks for note in played], np.int64))
    window = np.array([meter.window for meter in bars.meters])
    count = int((np.diff(bars.edges) // window).max()) + 2  # windows in the longest bar
    first, last = (bar * count + (offset // window[bar]).astype(np.int64) for bar, offset in (starts, ends))
    is_eighth = np.repeat(window, count) < UNITS
    by_onsets = _steps(first, starts[1] % window[starts[0]], is_eighth)
    by_ends = _steps(last, ends[1] % window[ends[0]], is_eighth)
    step = np.where(np.bincount(first, minlength=len(is_eighth)) > 0, by_onsets, by_ends)
    start = bars.edges[starts[0]] + _rounded(starts[1], window[starts[0]], step[first])
    start = np.minimum(start, bars.edges[-1] - step[first])
    end = bars.edges[ends[0]] + _rounded(ends[1], window[ends[0]], step[last])
    end = np.minimum(np.maximum(start + step[first], end), bars.edges[-1])
    notes = zip(start.tolist(), end.tolist(), played, strict=True)
    return _without_overlaps([WrittenNote(on, off, n.pitch, n.graces, n.mark) for on, off, n in notes])


def _rounded(offset: npt.NDArray[np.float64], window: Ints, step: Ints) -> Ints:
    """Each offset (N,) in a bar rounded to the nearest step of its window."""
    begin = offset // window * window
    return np.asarray(begin + np.floor((offset - begin) / step + 0.5) * step, np.int64)


def _steps(window: Ints, offset: npt.NDArray[np.float64], is_eighth: npt.NDArray[np.bool_]) -> Ints:
    """The best step (W,) of each of W windows, for times given by their window (N,) and offset in it (N,).

    `is_eighth` (W,) marks the windows that are an eighth long, not a quarter.
    """
    costs = []
    for step, penalty in STEPS:
        deviation = np.abs(offset - np.floor(offset / step + 0.5) * step) / UNITS
        impossible = np.where(is_eighth & (UNITS // 2 % step > 0), np.inf, 0)
        costs.append(np.bincount(window, deviation, len(is_eighth)) + penalty + impossible)
    sizes = np.array([step for step, _ in STEPS], np.int64)
    return np.asarray(sizes[np.argmin(np.round(costs, 9), axis=0)])


def _without_overlaps(notes: list[WrittenNote]) -> list[WrittenNote]:
    """The notes, sorted; a note ends where its pitch is repeated, and duplicates are removed."""
    latest: dict[int, int] = {}
    result: list[WrittenNote] = []
    for note in sorted(notes, key=lambda n: (n.start, n.pitch, -n.end)):
        before = latest.get(note.pitch)
        if before is not None and result[before].start == note.start:
            result[before] = result[before]._replace(graces=result[before].graces or note.graces)
            continue
        if before is not None and result[before].end > note.start:
            result[before] = result[before]._replace(end=note.start)
        latest[note.pitch] = len(result)
        result.append(note)
    return result
