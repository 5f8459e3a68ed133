"""Features: what of a song is compared with other songs', one pure function each, in a list.

A feature takes an AnalysedSong and returns values (n,), any number of them; none where the song has nothing
to say (intervals of a drum loop). To compare songs, the values of each are counted in the bins of the
feature's grid; what lies outside counts in the outermost bin. Each song counts as one, whatever its length.
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


class Feature(NamedTuple):
    """A name, the unit of its values, the grid (lowest and highest bin, their distance), the function."""

    name: str
    unit: str
    low: float
    high: float
    step: float
    values: Callable[[AnalysedSong], Floats]

    @property
    def bins(self) -> Floats:
        """The middle of each bin, (B,)."""
        return np.linspace(self.low, self.high, round((self.high - self.low) / self.step) + 1)

    def counted(self, song: AnalysedSong) -> Floats:
        """The share of the song's values in each bin, (B,); all NaN where it has none."""
        values, count = np.asarray(self.values(song), np.float64), len(self.bins)
        if not len(values):
            return np.full(count, np.nan)
        at = np.clip(np.rint((values - self.low) / self.step), 0, count - 1).astype(np.int64)
        return np.bincount(at, minlength=count) / len(values)


def pitch_classes(song: AnalysedSong) -> Floats:
    """Each pitched note's place on the line of fifths from the tonic of the song's estimated key, -5 to 6.

    Distances there are of harmony, not of pitch: a note out of scale lies beyond -1 to 5 in major.
    """
    above = (song.pitch - key_tonic(*song.key)) % 12
    return np.asarray((7 * above + 5) % 12 - 5, np.float64)


def pitch_range(song: AnalysedSong) -> Floats:
    """From the lowest to the highest pitched note, in semitones; one value (MusPy's `pitch_range`)."""
    return np.array([np.ptp(song.pitch)], np.float64) if len(song.pitch) else np.zeros(0)


def intervals(song: AnalysedSong) -> Floats:
    """From each top note of a part to its next, in semitones."""
    return song.intervals.astype(np.float64)


def inter_onset(song: AnalysedSong) -> Floats:
    """From each onset to the next of any part, as log2 of beats."""
    return np.asarray(np.log2(np.diff(song.distinct_onset_beats)))


def duration(song: AnalysedSong) -> Floats:
    """How long each pitched note lasts, as log2 of beats."""
    return np.asarray(np.log2(song.duration_beats[song.pitched]))


def density(song: AnalysedSong) -> Floats:
    """Onsets of notes a beat, one value a bar, silent bars too."""
    bar, _ = song.positions
    beats = song.timeline.length_ticks / song.score.ticks_per_beat
    return np.asarray(np.bincount(bar, minlength=len(beats)) / beats)


def polyphony(song: AnalysedSong) -> Floats:
    """How many pitched notes sound wherever one begins (MusPy's `polyphony`, which averages over time)."""
    start = np.sort(song.score.onset_ticks[song.pitched].astype(np.int64))
    end = np.sort((song.score.onset_ticks + song.score.duration_ticks.astype(np.int64))[song.pitched])
    at = np.unique(start)
    return np.asarray(np.searchsorted(start, at, "right") - np.searchsorted(end, at, "right"), np.float64)


def in_scale(song: AnalysedSong) -> Floats:
    """The share of pitched notes in the scale of the estimated key; MusPy's `pitch_in_scale_rate`."""
    if not len(song.pitch):
        return np.zeros(0)
    return np.array([np.isin(song.pitch % 12, list(scale(*song.key))).mean()])


def groove(song: AnalysedSong) -> Floats:
    """How alike the rhythms of neighbouring bars are, 0-1: Jaccard of their onsets.

    After the grooving pattern similarity of Wu & Yang, The Jazz Transformer (2020), which counts common
    silence as likeness.
    """
    return song.similarity(1, rhythm_only=True)


def repeated_bars(song: AnalysedSong, lag: int) -> Floats:
    """How alike each bar is to that `lag` bars earlier, 0-1: Jaccard of (place, part, pitch)."""
    return song.similarity(lag)


def velocity(song: AnalysedSong) -> Floats:
    """How hard each note is struck, 1-127."""
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
    return float(flags.mean()) if len(flags) else np.nan


def _different_rhythms(song: AnalysedSong) -> float:
    """How many rhythms of bars there are to a bar."""
    bar, place = song.positions
    edges = np.searchsorted(bar, np.arange(len(song.timeline) + 1)).tolist()
    return len({np.unique(place[a:b]).tobytes() for a, b in pairwise(edges)}) / len(song.timeline)


# What more the detector looks at, one number a song; NaN where there is nothing to measure.
DETAILS: dict[str, Callable[[AnalysedSong], float]] = {
    "different pitches": lambda song: float(len(np.unique(song.pitch))),
    "same pitch again, share": lambda song: _share(song.intervals == 0),
    "leaps over a fifth, share": lambda song: _share(np.abs(song.intervals) > 7),
    "longest run of one pitch": lambda song: float(longest_run(song.top_notes.pitch)),
    "onsets on the beat, share": lambda song: _share(np.mod(song.distinct_onset_beats + 1e-6, 1) < 2e-6),
    "rhythms of bars, share": _different_rhythms,
    "parts": lambda song: float(len(np.unique(song.score.part))),
}


def summary_names() -> list[str]:
    """The names of the numbers of `summary`, in order."""
    pairs = [(f"{feature.name}, mean", f"{feature.name}, spread") for feature in FEATURES]
    return [name for pair in pairs for name in pair] + list(DETAILS)


def summary(song: AnalysedSong) -> Floats:
    """The song as numbers: mean and standard deviation of each feature, then DETAILS; NaN for nothing."""
    numbers: list[float] = []
    for feature in FEATURES:
        values = feature.values(song)
        numbers += [float(values.mean()), float(values.std())] if len(values) else [np.nan, np.nan]
    return np.array([*numbers, *(detail(song) for detail in DETAILS.values())])


class Table(NamedTuple):
    """Songs as the metrics compare them: by feature the shares in its bins (S, B), and numbers (S, K)."""

    shares: dict[str, Floats]
    numbers: Floats

    def __len__(self) -> int:
        return len(self.numbers)

    def some(self, songs: npt.NDArray[np.int64]) -> Table:
        """The songs of these numbers (n,)."""
        return Table({name: rows[songs] for name, rows in self.shares.items()}, self.numbers[songs])


def table(songs: Sequence[AnalysedSong]) -> Table:
    """All songs, in order."""
    shares = {feature.name: np.stack([feature.counted(song) for song in songs]) for feature in FEATURES}
    return Table(shares, np.stack([summary(song) for song in songs]))
