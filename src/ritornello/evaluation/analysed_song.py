"""AnalysedSong: a song as the metrics hear it, in beats and bars; computed when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID
from ritornello.music.score import Score, rescale_ticks
from ritornello.music.theory import estimate_key
from ritornello.music.timeline import Timeline

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
VOICE_BITS = 15  # 256 parts x 128 pitches


class Line(NamedTuple):
    """The top notes of all pitched parts, part by part, (N,) each."""

    part: Ints
    onset_ticks: Ints
    pitch: Ints


class AnalysedSong:
    """A song's notes as columns. *Pitched* are those that no drum part plays; onsets count from 0."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.pitched = ~score.of_drums if len(score) else np.zeros(0, bool)
        self.pitch: Ints = score.pitch[self.pitched].astype(np.int64)
        beat = float(score.ticks_per_beat)
        self.onset_beats: Floats = score.onset_ticks / beat
        self.duration_beats: Floats = score.duration_ticks / beat

    @cached_property
    def timeline(self) -> Timeline:
        """The song's bars."""
        return Timeline.of(self.score)

    @cached_property
    def key(self) -> tuple[int, bool]:
        """The key by the notes, each weighing as long as it lasts: sharps, is_minor."""
        weights = np.bincount(self.pitch % 12, self.duration_beats[self.pitched], 12)
        return estimate_key(np.asarray(weights, np.float64))

    @cached_property
    def onsets_beats(self) -> Floats:
        """Where anything begins, each place once, ascending."""
        return np.unique(self.onset_beats)

    @cached_property
    def line(self) -> Line:
        """The highest note of each pitched part wherever it strikes."""
        onset, part = (
            column[self.pitched].astype(np.int64) for column in (self.score.onset_ticks, self.score.part)
        )
        order = np.lexsort((-self.pitch, onset, part))
        part, onset, pitch = part[order], onset[order], self.pitch[order]
        first = np.ones(len(part), bool)
        first[1:] = (np.diff(part) != 0) | (np.diff(onset) != 0)
        return Line(part[first], onset[first], pitch[first])

    @cached_property
    def intervals(self) -> Ints:
        """From each note of `line` to the next of its part, in semitones."""
        same_part = np.diff(self.line.part) == 0
        return np.asarray(np.diff(self.line.pitch)[same_part])

    @cached_property
    def places(self) -> tuple[Ints, Ints]:
        """Of each note (N,): its bar, and its place in the bar in ticks of 24 a beat."""
        onset = self.score.onset_ticks.astype(np.int64)
        bar = self.timeline.bar_of(onset)
        return bar, rescale_ticks(onset - self.timeline.start_ticks[bar], self.score.ticks_per_beat, GRID)

    def likeness(self, lag: int, rhythm: bool = False) -> Floats:
        """How alike each bar is to that `lag` bars earlier: Jaccard, over (place, part, pitch); (n,).

        With `rhythm` over places alone. Bars of unequal length are not alike; two silent bars are left out.
        """
        bar, place = self.places
        voice = self.score.part.astype(np.int64) << 7 | self.score.pitch
        item = place if rhythm else place << VOICE_BITS | voice
        _, kind = np.unique(item, return_inverse=True)
        bars, kinds = len(self.timeline), int(kind.max(initial=0)) + 1
        notes = np.unique(bar * kinds + kind)
        shared = np.intersect1d(notes, notes + lag * kinds, assume_unique=True) // kinds
        sizes = np.bincount(notes // kinds, minlength=bars)
        both = np.bincount(shared, minlength=bars + lag)[lag:bars].astype(np.float64)
        either = sizes[lag:] + sizes[:-lag] - both if lag < bars else np.zeros(0)
        length = self.timeline.length_ticks
        both[length[lag:] != length[:-lag]] = 0
        return np.asarray(both[either > 0] / either[either > 0])


def longest_run(values: Ints) -> int:
    """The length of the longest run of equal values; 0 without values.

    >>> longest_run(np.array([1, 2, 2, 2, 1]))
    3
    """
    changes = [-1, *np.flatnonzero(np.diff(values) != 0).tolist(), len(values) - 1]
    return max((after - before for before, after in pairwise(changes)), default=0) if len(values) else 0
