"""An n-gram of notes to compare with: order 4, interpolated (Witten and Bell 1991), over songs of one part.

A note is shift (ticks of 24 a beat since the note before), pitch, duration and velocity, drawn in this order.
What is known of a field are the fields before it in the row, the place in the bar, and the shifts and pitches
of up to four notes before (of durations and velocities: those of these notes). Songs are learnt in C or A
minor. With a context seen c times, followed by t different values, its own counts are used with probability
c / (c + t), and else those of a context one note shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ritornello.evaluation.song_features import Hearing

from ritornello.music.score import Meter, Score, Tempo
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes

ORDER = 4
GRID = 24
LONGEST = 384  # ticks
BAR = 4 * GRID  # ticks, of what is drawn
LOUDNESS = 4  # velocities a class
FIELDS = ("shift", "pitch", "duration", "velocity")
HEARS = {
    "shift": ("shift", "pitch"),
    "pitch": ("shift", "pitch"),
    "duration": ("duration",),
    "velocity": ("velocity",),
}
Ints = npt.NDArray[np.int64]
Columns = dict[str, Ints]  # a column a field, and "place"


def mixed(keys: Ints, values: Ints) -> Ints:
    """Keys that stand for what they stood for and the values too."""
    return np.asarray((keys ^ (values + 7)) * np.int64(1_000_003) + np.int64(0x9E3779B9))


class Counts(NamedTuple):
    """What followed each context: `values` by context, which begins at `start` and has so many `times`."""

    contexts: Ints
    start: Ints
    times: Ints
    types: Ints
    values: Ints

    @classmethod
    def of(cls, keys: Ints, values: Ints) -> Counts:
        """Of the context and the value of each note (N,)."""
        order = np.lexsort((values, keys))
        keys, values = keys[order], values[order]
        contexts, start, count = np.unique(keys, return_index=True, return_counts=True)
        new = np.concatenate([[True], (np.diff(keys) != 0) | (np.diff(values) != 0)])
        return cls(contexts, start, count, np.add.reduceat(new.astype(np.int64), start), values)

    def draw(self, keys: Ints, draw: np.random.Generator, surely: bool) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """A value for each context (S,), and whether it is used rather than that of a shorter one."""
        at = np.minimum(np.searchsorted(self.contexts, keys), len(self.contexts) - 1)
        known = self.contexts[at] == keys
        own = self.times[at] / (self.times[at] + self.types[at])
        chance, which = draw.random((2, len(keys)))
        values = self.values[self.start[at] + (which * self.times[at]).astype(np.int64)]
        return values, known & (surely | (chance < own))


class Ngram:
    """The n-gram of songs, drawing many songs side by side."""

    def __init__(self, songs: Sequence[Score]) -> None:
        rows = [columns(song) for song in songs]
        self.tempi = [(song.tempi or (Tempo(0, 500_000),))[0].us_per_beat for song in songs]
        self.tonics = [tonic(song) for song in songs]
        padded = [{name: _before(column) for name, column in song.items()} for song in rows]
        whole = {name: np.concatenate([song[name] for song in padded]) for name in padded[0]}
        real = np.flatnonzero(whole["shift"] >= 0)
        past = [{name: whole[name][real - 1 - k] for name in FIELDS} for k in range(ORDER)]
        now = {name: column[real] for name, column in whole.items()}
        self.counts = {
            name: [Counts.of(key, now[name]) for key in contexts(name, now, past)] for name in FIELDS
        }

    def songs(self, bars: Sequence[int], seed: int) -> list[Score]:
        """A song of each number of bars."""
        draw = np.random.default_rng(seed)
        size = len(bars)
        past = [dict.fromkeys(FIELDS, np.full(size, -1)) for _ in range(ORDER)]
        onset, end = np.zeros(size, np.int64), np.array(bars) * BAR
        made: list[Columns] = []
        while (onset < end).any():
            now: Columns = {"place": onset % BAR}
            for name in FIELDS:
                now[name] = self._drawn(name, now, past, draw)
            onset = onset + now["shift"]
            made.append({**now, "onset": onset})
            past = [now, *past[:-1]]
        table = {name: np.stack([row[name] for row in made]) for name in (*FIELDS, "onset")}
        whose = draw.integers(len(self.tonics), size=size).tolist()
        return [
            self._song({name: column[:, i] for name, column in table.items()}, int(end[i]), song)
            for i, song in enumerate(whose)
        ]

    def _drawn(self, name: str, now: Columns, past: Sequence[Columns], draw: np.random.Generator) -> Ints:
        values, open_ = np.zeros(len(now["place"]), np.int64), np.ones(len(now["place"]), bool)
        keys = contexts(name, now, past)
        for level, (key, counts) in enumerate(zip(keys, self.counts[name], strict=True)):
            found, used = counts.draw(key, draw, surely=level == len(keys) - 1)
            values = np.where(open_ & used, found, values)
            open_ &= ~used
        return values

    def _song(self, notes: Columns, end: int, like: int) -> Score:
        """In the key and tempo of a training song."""
        inside = notes["onset"] < end
        onset, duration, pitch = (notes[name][inside] for name in ("onset", "duration", "pitch"))
        velocity = notes["velocity"][inside] * LOUDNESS + LOUDNESS // 2
        pitch = np.clip(pitch + self.tonics[like], 0, 127)
        velocity = np.clip(velocity, 1, 127)
        tempi, meters = [Tempo(0, self.tempi[like])], [Meter(0, 4, 4)]
        return Score.of(GRID, onset, duration, pitch, velocity, tempi=tempi, meters=meters)


def tonic(song: Score) -> int:
    """By how many semitones (-6 to 5) a song lies above C, or A minor."""
    sharps, _ = Hearing(song).key
    return (7 * sharps + 6) % 12 - 6


def columns(song: Score) -> Columns:
    """The notes of a song as classes, in C; and where in its bar the note before each was struck."""
    score, _ = Notes().canonical(song)
    onset = score.onset_ticks.astype(np.int64)
    timeline = Timeline.of(score)
    order = np.lexsort((score.pitch, onset))
    onset = onset[order]
    before = np.concatenate([[0], onset[:-1]])
    return {
        "shift": np.minimum(np.diff(onset, prepend=0), LONGEST),
        "pitch": score.pitch[order].astype(np.int64) - tonic(song),
        "duration": np.minimum(score.duration_ticks[order].astype(np.int64), LONGEST),
        "velocity": score.velocity[order].astype(np.int64) // LOUDNESS,
        "place": before - timeline.start_ticks[timeline.bar_of(before)],
    }


def contexts(name: str, now: Columns, past: Sequence[Columns]) -> list[Ints]:
    """The contexts of a field (N,) from the longest to none at all."""
    known = np.zeros(len(now["place"]), np.int64)
    keys = [known]
    for other in ("place", *FIELDS[: FIELDS.index(name)]):
        known = mixed(known, now[other])
        keys.append(known)
    for notes in past:
        for heard in HEARS[name]:
            known = mixed(known, notes[heard])
        keys.append(known)
    return keys[::-1]


def _before(column: Ints) -> Ints:
    """A column after ORDER rows of nothing."""
    return np.concatenate([np.full(ORDER, -1), column])
