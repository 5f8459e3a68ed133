"""The chords of a song, estimated from its notes beat by beat, for a Score that names none."""

import numpy as np

from ritornello.music.chord_estimate import estimate_chords
from ritornello.music.plan import GRID
from ritornello.music.score import Chord, Score, drop_redundant
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.vocabulary import Ints


def estimated(timeline: Timeline, song: Score) -> tuple[Chord, ...]:
    """The chords of a canonical song, one for each beat of each bar, estimated from its notes."""
    drums = np.array([part.is_drum for part in song.parts], bool)
    pitched = np.flatnonzero(~drums[song.part]) if len(song) else np.zeros(0, np.int64)
    if not len(pitched):
        return ()
    edges = beat_edges(timeline)
    onset, pitch = song.onset_ticks[pitched].astype(np.int64), song.pitch[pitched].astype(np.int64)
    end = np.minimum(onset + song.duration_ticks[pitched], edges[-1])
    first, last = np.searchsorted(edges, onset, side="right") - 1, np.searchsorted(edges, end, side="left")
    count = last - first  # beats in which each note sounds
    note = np.repeat(np.arange(len(onset)), count)
    beat = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count) + first[note]
    sounding_ticks = np.minimum(end[note], edges[beat + 1]) - np.maximum(onset[note], edges[beat])
    beats = len(edges) - 1
    counts = np.bincount(beat * 12 + pitch[note] % 12, sounding_ticks, beats * 12)
    weights = np.asarray(counts, np.float64).reshape(beats, 12)
    lowest = np.full(beats, 128)
    np.minimum.at(lowest, beat, pitch[note])
    lowest[lowest == 128] = -1
    is_line = weights.sum(axis=1) <= np.diff(edges)  # notes that follow each other sound no longer than that
    starts_bar = np.isin(edges[:-1], timeline.start_ticks)
    chords = estimate_chords(weights, lowest, starts_bar, is_line, song.estimated_key)
    return drop_redundant([Chord(at, *chord) for at, chord in zip(edges[:-1].tolist(), chords, strict=True)])


def beat_edges(timeline: Timeline) -> Ints:
    """The ticks (beats + 1,) at which beats start, and the last one ends; a bar's last beat may be short."""
    count = -(-timeline.length_ticks // GRID)  # beats in each bar
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    starts = np.repeat(timeline.start_ticks, count) + within * GRID
    return np.append(starts, timeline.end_ticks)
