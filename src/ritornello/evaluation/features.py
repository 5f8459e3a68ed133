"""The features by which songs are compared, and the table of many songs' features that the metrics read.

A feature is a function of an AnalysedSong that returns values (n,); it returns none if it does not apply, as
intervals do not to a drum loop. The histogram of the values of each song in the feature's bins is compared,
so each song counts the same, whatever its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.analysed_song import AnalysedSong, Floats, longest_run
from ritornello.music.theory import key_tonic, scale

LAGS = (1, 2, 4, 8, 16)  # bars
BEAT_TOLERANCE = 1 / 48  # of a beat


class Feature(NamedTuple):
    """A feature: its bins go from `low` to `high` in steps of `step`; `values` returns it for a song as (n,).

    Values outside of the bins count in the outermost bin.
    """

    name: str
    unit: str
    low: float
    high: float
    step: float
    values: Callable[[AnalysedSong], Floats]

    @property
    def bins(self) -> Floats:
        """The centre of each bin, (B,)."""
        return np.linspace(self.low, self.high, round((self.high - self.low) / self.step) + 1)

    def histogram(self, song: AnalysedSong) -> Floats:
        """Return the share of the song's values in each bin, (B,); all NaN if it has no values."""
        values, count = np.asarray(self.values(song), np.float64), len(self.bins)
        if not len(values):
            return np.full(count, np.nan)
        bins = np.clip(np.rint((values - self.low) / self.step), 0, count - 1).astype(np.int64)
        return np.bincount(bins, minlength=count) / len(values)


def pitch_classes(song: AnalysedSong) -> Floats:
    """Return for each pitched note its place on the line of fifths, -5 to 6 from the estimated tonic, (n,).

    Distances on this line are harmonic: notes outside of a major scale lie beyond -1 to 5.
    """
    above = (song.pitch - key_tonic(*song.key)) % 12
    return np.asarray((7 * above + 5) % 12 - 5, np.float64)


def pitch_range(song: AnalysedSong) -> Floats:
    """Return the range of all pitched notes in semitones, (1,); MusPy's `pitch_range`."""
    return np.array([np.ptp(song.pitch)], np.float64) if len(song.pitch) else np.zeros(0)


def intervals(song: AnalysedSong) -> Floats:
    """Return the intervals between successive top notes of each part in semitones, (n,)."""
    return song.intervals.astype(np.float64)


def inter_onset(song: AnalysedSong) -> Floats:
    """Return the times between successive onsets of any part, as log2 of beats, (n,)."""
    return np.asarray(np.log2(np.diff(song.distinct_onset_beats)))


def duration(song: AnalysedSong) -> Floats:
    """Return the duration of each pitched note, as log2 of beats, (n,)."""
    return np.asarray(np.log2(song.duration_beats[song.pitched]))


def density(song: AnalysedSong) -> Floats:
    """Return the number of onsets per beat in each bar, (bars,)."""
    bar, _ = song.positions
    beats = song.timeline.length_ticks / song.score.ticks_per_beat
    return np.asarray(np.bincount(bar, minlength=len(beats)) / beats)


def polyphony(song: AnalysedSong) -> Floats:
    """Return how many pitched notes sound at each onset, (n,); MusPy's `polyphony` averages over time."""
    start = np.sort(song.score.onset_ticks[song.pitched].astype(np.int64))
    end = np.sort((song.score.onset_ticks + song.score.duration_ticks.astype(np.int64))[song.pitched])
    onsets = np.unique(start)
    sounding = np.searchsorted(start, onsets, "right") - np.searchsorted(end, onsets, "right")
    return np.asarray(sounding, np.float64)


def in_scale(song: AnalysedSong) -> Floats:
    """Return the share of notes in the scale of the estimated key, (1,); MusPy's `pitch_in_scale_rate`."""
    if not len(song.pitch):
        return np.zeros(0)
    return np.array([np.isin(song.pitch % 12, list(scale(*song.key))).mean()])


def groove(song: AnalysedSong) -> Floats:
    """Return the Jaccard similarity, 0-1, of the onsets in each two neighbouring bars, (n,).

    This follows the grooving pattern similarity of Wu & Yang, The Jazz Transformer (2020), which also counts
    positions at which neither bar has an onset.
    """
    return song.similarity(1, rhythm_only=True)


def repeated_bars(song: AnalysedSong, lag: int) -> Floats:
    """Return the similarity, 0-1, of each bar to the one `lag` bars earlier, (n,)."""
    return song.similarity(lag)


def velocity(song: AnalysedSong) -> Floats:
    """Return the velocity of each note, 1-127, (N,)."""
    return song.score.velocity.astype(np.float64)


FEATURES: tuple[Feature, ...] = (
    Feature("pitch classes", "fifths from the tonic", -5, 6, 1, pitch_classes),
    Feature("range", "semitones", 0, 127, 1, pitch_range),
    Feature("intervals", "semitones", -24, 24, 1, intervals),
    Feature("inter-onset", "log2 beats", -6, 4, 0.125, inter_onset),
    Feature("duration", "log2 beats", -6, 5, 0.125, duration),
    Feature("density", "notes a beat", 0, 24, 0.25, density),
    Feature("polyphony", "notes at once", 0, 24, 1, polyphony),
    Feature("in-scale share", "share", 0, 1, 0.01, in_scale),
    Feature("groove", "likeness", 0, 1, 0.02, groove),
    *(
        Feature(f"repeat after {lag}", "likeness", 0, 1, 0.02, partial(repeated_bars, lag=lag))
        for lag in LAGS
    ),
    Feature("velocity", "velocity", 0, 127, 1, velocity),
)


def _share(flags: npt.NDArray[np.bool_]) -> float:
    """Return the share of flags (n,) that are True; NaN without flags."""
    return float(flags.mean()) if len(flags) else np.nan


def _distinct_rhythms(song: AnalysedSong) -> float:
    """Return the number of different rhythms of bars divided by the number of bars."""
    bar, position = song.positions
    edges = np.searchsorted(bar, np.arange(len(song.timeline) + 1)).tolist()
    return len({np.unique(position[a:b]).tobytes() for a, b in pairwise(edges)}) / len(song.timeline)


def _onsets_on_beat(song: AnalysedSong) -> float:
    """Return the share of onsets on a beat; some programs write all notes a tick late."""
    beats = song.distinct_onset_beats
    return _share(np.abs(beats - np.rint(beats)) < BEAT_TOLERANCE)


# More numbers of a song for the detector; NaN where a number does not apply.
MORE_NUMBERS: dict[str, Callable[[AnalysedSong], float]] = {
    "different pitches": lambda song: float(len(np.unique(song.pitch))),
    "same pitch again, share": lambda song: _share(song.intervals == 0),
    "leaps over a fifth, share": lambda song: _share(np.abs(song.intervals) > 7),
    "longest run of one pitch": lambda song: float(longest_run(song.top_notes.pitch)),
    "onsets on the beat, share": _onsets_on_beat,
    "rhythms of bars, share": _distinct_rhythms,
    "parts": lambda song: float(len(np.unique(song.score.part))),
}


def number_names() -> list[str]:
    """Return the names of the numbers of `song_numbers`, in order."""
    pairs = [(f"{feature.name}, mean", f"{feature.name}, spread") for feature in FEATURES]
    return [name for pair in pairs for name in pair] + list(MORE_NUMBERS)


def song_numbers(song: AnalysedSong) -> Floats:
    """Return the song as K numbers (K,): mean and standard deviation of each feature, then MORE_NUMBERS.

    A number that does not apply is NaN.
    """
    numbers: list[float] = []
    for feature in FEATURES:
        values = feature.values(song)
        numbers += [float(values.mean()), float(values.std())] if len(values) else [np.nan, np.nan]
    return np.array([*numbers, *(number(song) for number in MORE_NUMBERS.values())])


class SongTable(NamedTuple):
    """S songs as the metrics compare them: the histograms (S, B) of each feature, and K numbers (S, K)."""

    histograms: dict[str, Floats]
    numbers: Floats

    def __len__(self) -> int:
        return len(self.numbers)

    def select(self, songs: npt.NDArray[np.int64]) -> SongTable:
        """Return the table of the songs with these indices (n,)."""
        return SongTable({name: rows[songs] for name, rows in self.histograms.items()}, self.numbers[songs])


def song_table(songs: Sequence[AnalysedSong]) -> SongTable:
    """Return the table of all songs, in order."""
    histograms = {feature.name: np.stack([feature.histogram(song) for song in songs]) for feature in FEATURES}
    return SongTable(histograms, np.stack([song_numbers(song) for song in songs]))
