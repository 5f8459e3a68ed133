"""A song with the properties that the features are computed from: beats, bars, key and top notes."""

from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.key_estimate import estimate_key
from ritornello.music.pickup import without_leading_silence
from ritornello.music.plan import GRID
from ritornello.music.score import Score, rescale_ticks
from ritornello.music.timeline import Timeline

Floats = npt.NDArray[np.float64]  # (N,)
Ints = npt.NDArray[np.int64]  # (N,)
PART_PITCH_BITS = 15  # 256 parts x 128 pitches


class TopNotes(NamedTuple):
    """The highest note of each pitched part at each of its onsets, part by part, as columns (M,)."""

    part: Ints
    onset_ticks: Ints
    pitch: Ints


class AnalysedSong:
    """A song of N notes, without leading silence unless it is kept. Properties are computed when first used.

    *Pitched* notes are all notes except drums. `pitched` is a mask (N,) of them, and `pitch` (P,) has their
    pitches; `onset_beats` and `duration_beats` (N,) have all notes.
    """

    def __init__(self, score: Score, *, keep_silence: bool = False) -> None:
        self.score = score = score if keep_silence else without_leading_silence(score)
        self.pitched = ~score.of_drums if len(score) else np.zeros(0, bool)
        self.pitch: Ints = score.pitch[self.pitched].astype(np.int64)
        beat = float(score.ticks_per_beat)
        self.onset_beats: Floats = score.onset_ticks / beat
        self.duration_beats: Floats = score.duration_ticks / beat

    @cached_property
    def timeline(self) -> Timeline:
        """The bars of the song."""
        return Timeline.of(self.score)

    @cached_property
    def key(self) -> tuple[int, bool]:
        """The estimated key (sharps, is_minor); each pitched note is weighted by its duration."""
        weights = np.bincount(self.pitch % 12, self.duration_beats[self.pitched], 12)
        return estimate_key(np.asarray(weights, np.float64))

    @cached_property
    def distinct_onset_beats(self) -> Floats:
        """The distinct onsets of all notes in beats, ascending, (K,)."""
        return np.unique(self.onset_beats)

    @cached_property
    def top_notes(self) -> TopNotes:
        """The highest note of each pitched part at each of its onsets."""
        columns = (self.score.onset_ticks, self.score.part)
        onset, part = (column[self.pitched].astype(np.int64) for column in columns)
        order = np.lexsort((-self.pitch, onset, part))
        part, onset, pitch = part[order], onset[order], self.pitch[order]
        first = np.ones(len(part), bool)
        first[1:] = (np.diff(part) != 0) | (np.diff(onset) != 0)
        return TopNotes(part[first], onset[first], pitch[first])

    @cached_property
    def intervals(self) -> Ints:
        """The intervals in semitones from each of `top_notes` to the next of its part, (I,)."""
        same_part = np.diff(self.top_notes.part) == 0
        return np.asarray(np.diff(self.top_notes.pitch)[same_part])

    @cached_property
    def positions(self) -> tuple[Ints, Ints]:
        """For each note its bar, (N,), and its position in that bar in ticks of 1/24 beat, (N,)."""
        onset = self.score.onset_ticks.astype(np.int64)
        bar = self.timeline.bar_of(onset)
        return bar, rescale_ticks(onset - self.timeline.start_ticks[bar], self.score.ticks_per_beat, GRID)

    def similarity(self, lag: int, rhythm_only: bool = False) -> Floats:
        """Return how similar each bar is to the bar `lag` bars earlier, 0-1, as (B,).

        The measure is the Jaccard similarity of the sets of (position, part, pitch) of the two bars, or with
        `rhythm_only` of their positions. It is 0 for bars of unequal length. Pairs of silent bars are left
        out.
        """
        bar, position = self.positions
        part_pitch = self.score.part.astype(np.int64) << 7 | self.score.pitch
        item = position if rhythm_only else position << PART_PITCH_BITS | part_pitch
        _, kind = np.unique(item, return_inverse=True)
        bars, kinds = len(self.timeline), int(kind.max(initial=0)) + 1
        items = np.unique(bar * kinds + kind)
        shared = np.intersect1d(items, items + lag * kinds, assume_unique=True) // kinds
        sizes = np.bincount(items // kinds, minlength=bars)
        intersection = np.bincount(shared, minlength=bars + lag)[lag:bars].astype(np.float64)
        union = sizes[lag:] + sizes[:-lag] - intersection if lag < bars else np.zeros(0)
        length = self.timeline.length_ticks
        intersection[length[lag:] != length[:-lag]] = 0
        return np.asarray(intersection[union > 0] / union[union > 0])


def longest_run(values: Ints) -> int:
    """Return the length of the longest run of equal values (n,); 0 without values.

    >>> longest_run(np.array([1, 2, 2, 2, 1]))
    3
    """
    changes = [-1, *np.flatnonzero(np.diff(values) != 0).tolist(), len(values) - 1]
    return max((after - before for before, after in pairwise(changes)), default=0) if len(values) else 0
