"""An n-gram model of notes, as a simple baseline: order 4, interpolated (Witten and Bell 1991), for one part.

A note is shift (ticks of 24 per beat since the note before), pitch, duration and velocity, drawn in this
order. A field is predicted from the fields before it in the row, the place in the bar, and the shifts and
pitches of up to four notes before (for durations and velocities: those of these notes). Songs are learnt in C
major or A minor. A context that was seen c times, followed by t different values, is used with probability c
/ (c + t); otherwise a context that is one note shorter is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.music.score import Meter, Score, Tempo
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes

ORDER = 4
TICKS_PER_BEAT = 24
MAX_TICKS = 384  # of a shift and of a duration
BAR_TICKS = 4 * TICKS_PER_BEAT  # in songs that are drawn
VELOCITIES_PER_CLASS = 4
FIELDS = ("shift", "pitch", "duration", "velocity")
CONTEXT_FIELDS = {  # of the notes before, by predicted field
    "shift": ("shift", "pitch"),
    "pitch": ("shift", "pitch"),
    "duration": ("duration",),
    "velocity": ("velocity",),
}
Ints = npt.NDArray[np.int64]
Columns = dict[str, Ints]  # a column a field, and "place"


def extend(keys: Ints, values: Ints) -> Ints:
    """Hash the keys of contexts together with one more value of each."""
    return np.asarray((keys ^ (values + 7)) * np.int64(1_000_003) + np.int64(0x9E3779B9))


class Counts(NamedTuple):
    """The values after each context: those of a context are `times` values of `values`, from `start` on."""

    contexts: Ints
    start: Ints
    times: Ints
    types: Ints
    values: Ints

    @classmethod
    def of(cls, keys: Ints, values: Ints) -> Counts:
        """Count the values (N,) by the keys of their contexts (N,)."""
        order = np.lexsort((values, keys))
        keys, values = keys[order], values[order]
        contexts, start, count = np.unique(keys, return_index=True, return_counts=True)
        new = np.concatenate([[True], (np.diff(keys) != 0) | (np.diff(values) != 0)])
        return cls(contexts, start, count, np.add.reduceat(new.astype(np.int64), start), values)

    def draw(self, keys: Ints, draw: np.random.Generator, always: bool) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Draw a value for each context (S,), and whether it is used instead of that of a shorter context."""
        at = np.minimum(np.searchsorted(self.contexts, keys), len(self.contexts) - 1)
        known = self.contexts[at] == keys
        own = self.times[at] / (self.times[at] + self.types[at])
        chance, which = draw.random((2, len(keys)))
        values = self.values[self.start[at] + (which * self.times[at]).astype(np.int64)]
        return values, known & (always | (chance < own))


class Ngram:
    """The n-gram of some songs; it draws many songs at once."""

    def __init__(self, songs: Sequence[Score]) -> None:
        rows = [columns(song) for song in songs]
        self.tempi = [(song.tempi or (Tempo(0, 500_000),))[0].us_per_beat for song in songs]
        self.tonics = [tonic(song) for song in songs]
        padded = [{name: _padded(column) for name, column in song.items()} for song in rows]
        whole = {name: np.concatenate([song[name] for song in padded]) for name in padded[0]}
        real = np.flatnonzero(whole["shift"] >= 0)
        past = [{name: whole[name][real - 1 - k] for name in FIELDS} for k in range(ORDER)]
        now = {name: column[real] for name, column in whole.items()}
        self.counts = {
            name: [Counts.of(key, now[name]) for key in contexts(name, now, past)] for name in FIELDS
        }

    def songs(self, bars: Sequence[int], seed: int) -> list[Score]:
        """Draw a song of each number of bars."""
        draw = np.random.default_rng(seed)
        size = len(bars)
        past = [dict.fromkeys(FIELDS, np.full(size, -1)) for _ in range(ORDER)]
        onset, end = np.zeros(size, np.int64), np.array(bars) * BAR_TICKS
        made: list[Columns] = []
        while (onset < end).any():
            now: Columns = {"place": onset % BAR_TICKS}
            for name in FIELDS:
                now[name] = self._drawn(name, now, past, draw)
            onset = onset + now["shift"]
            made.append({**now, "onset": onset})
            past = [now, *past[:-1]]
        table = {name: np.stack([row[name] for row in made]) for name in (*FIELDS, "onset")}
        like = draw.integers(len(self.tonics), size=size).tolist()
        return [
            self._song({name: column[:, i] for name, column in table.items()}, int(end[i]), song)
            for i, song in enumerate(like)
        ]

    def _drawn(self, name: str, now: Columns, past: Sequence[Columns], draw: np.random.Generator) -> Ints:
        values, open_ = np.zeros(len(now["place"]), np.int64), np.ones(len(now["place"]), bool)
        keys = contexts(name, now, past)
        for level, (key, counts) in enumerate(zip(keys, self.counts[name], strict=True)):
            found, used = counts.draw(key, draw, always=level == len(keys) - 1)
            values = np.where(open_ & used, found, values)
            open_ &= ~used
        return values

    def _song(self, notes: Columns, end: int, like: int) -> Score:
        """Make a Score in the key and tempo of a training song."""
        inside = notes["onset"] < end
        onset, duration, pitch = (notes[name][inside] for name in ("onset", "duration", "pitch"))
        velocity = notes["velocity"][inside] * VELOCITIES_PER_CLASS + VELOCITIES_PER_CLASS // 2
        pitch = np.clip(pitch + self.tonics[like], 0, 127)
        velocity = np.clip(velocity, 1, 127)
        tempi, meters = [Tempo(0, self.tempi[like])], [Meter(0, 4, 4)]
        return Score.of(TICKS_PER_BEAT, onset, duration, pitch, velocity, tempi=tempi, meters=meters)


def tonic(song: Score) -> int:
    """By how many semitones (-6 to 5) the key of a song lies above C major or A minor."""
    sharps, _ = AnalysedSong(song).key
    return (7 * sharps + 6) % 12 - 6


def columns(song: Score) -> Columns:
    """The notes of a song as classes, in C; `place` is the onset of the note before, in its bar."""
    score, _ = Notes().canonical(song)
    onset = score.onset_ticks.astype(np.int64)
    timeline = Timeline.of(score)
    order = np.lexsort((score.pitch, onset))
    onset = onset[order]
    before = np.concatenate([[0], onset[:-1]])
    return {
        "shift": np.minimum(np.diff(onset, prepend=0), MAX_TICKS),
        "pitch": score.pitch[order].astype(np.int64) - tonic(song),
        "duration": np.minimum(score.duration_ticks[order].astype(np.int64), MAX_TICKS),
        "velocity": score.velocity[order].astype(np.int64) // VELOCITIES_PER_CLASS,
        "place": before - timeline.start_ticks[timeline.bar_of(before)],
    }


def contexts(name: str, now: Columns, past: Sequence[Columns]) -> list[Ints]:
    """The keys (N,) of the contexts of a field, from the longest context to the empty one."""
    known = np.zeros(len(now["place"]), np.int64)
    keys = [known]
    for other in ("place", *FIELDS[: FIELDS.index(name)]):
        known = extend(known, now[other])
        keys.append(known)
    for notes in past:
        for field in CONTEXT_FIELDS[name]:
            known = extend(known, notes[field])
        keys.append(known)
    return keys[::-1]


def _padded(column: Ints) -> Ints:
    """The column after ORDER rows of -1."""
    return np.concatenate([np.full(ORDER, -1), column])
