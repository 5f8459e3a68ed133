"""Copies of songs, as people make them: what benchmarks/duplicates.py plants.

Each function takes a song, another song and a source of chance, and gives the copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Part, Score, Tempo

Random = np.random.Generator
COLUMNS = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")


def chosen(score: Score, notes: npt.NDArray[Any], **changed: Any) -> Score:
    """The song with some of its notes, some columns changed, and its parts or others."""
    columns: dict[str, Any] = {name: changed.get(name, getattr(score, name))[notes] for name in COLUMNS}
    events = {"tempi": changed.get("tempi", score.tempi), "meters": score.meters}
    return Score.of(score.ticks_per_beat, **columns, parts=changed.get("parts", score.parts), **events)


def transposed(score: Score, other: Score, draw: Random) -> Score:
    """By up to a tritone; a pitch that leaves the keyboard moves by octaves."""
    semitones = int(draw.choice([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6]))
    drum = np.array([part.is_drum for part in score.parts])[score.part]
    pitch = np.where(drum, score.pitch, score.pitch.astype(int) + semitones)
    pitch = np.where(pitch < 0, pitch + 12, np.where(pitch > 127, pitch - 12, pitch))
    return chosen(score, np.arange(len(score)), pitch=pitch)


def retempoed(score: Score, other: Score, draw: Random) -> Score:
    """Another tempo: by its event, or by another resolution, or by values twice or half as long."""
    everything, factor = np.arange(len(score)), 2.0 ** draw.uniform(-0.5, 0.5)
    way = draw.integers(3)
    if way == 0:
        return chosen(score, everything, tempi=(Tempo(0, int(500_000 * factor)),))
    if way == 1:
        return score.rescaled(int(draw.choice([96, 120, 192, 240, 384, 480, 960])))
    factor = [0.5, 2.0][draw.integers(2)]
    onset, duration = ((getattr(score, name) * factor).astype(int) for name in COLUMNS[:2])
    return chosen(score, everything, onset_ticks=onset, duration_ticks=duration, tempi=())


def reinstrumented(score: Score, other: Score, draw: Random) -> Score:
    """Other programs, velocities, lengths and order of the parts."""
    places = draw.permutation(len(score.parts))
    parts: list[Any] = [None] * len(places)
    for part, place in zip(score.parts, places, strict=True):
        parts[place] = Part("", 0 if part.is_drum else int(draw.integers(128)), part.is_drum)
    columns = {"velocity": draw.integers(40, 120, len(score)), "part": places[score.part]}
    shorter = np.maximum(score.duration_ticks * 4 // 5, 1)
    return chosen(score, np.arange(len(score)), duration_ticks=shorter, parts=parts, **columns)


def cut(score: Score, other: Score, draw: Random) -> Score:
    """Half to nine tenths of its time."""
    share = draw.uniform(0.5, 0.9)
    length = int(score.onset_ticks[-1] - score.onset_ticks[0]) + 1
    start = int(score.onset_ticks[0]) + int(draw.uniform(0, 1 - share) * length)
    inside = (score.onset_ticks >= start) & (score.onset_ticks < start + share * length)
    return chosen(score, np.flatnonzero(inside))


def added(score: Score, other: Score, draw: Random) -> Score:
    """One or two parts of the other song, as far as this one goes; their pitches shuffled, lest the copy be
    one of the other song too.
    """
    heard = np.unique(other.part)
    new = np.sort(draw.choice(heard, min(len(heard), int(draw.integers(1, 3))), replace=False))
    ratio = score.ticks_per_beat / other.ticks_per_beat
    onset, duration = ((getattr(other, name) * ratio).astype(int) for name in COLUMNS[:2])
    notes = np.flatnonzero(np.isin(other.part, new) & (onset <= score.onset_ticks[-1]))
    more = {
        "onset_ticks": onset[notes],
        "duration_ticks": duration[notes],
        "pitch": draw.permutation(other.pitch[notes]),
        "velocity": other.velocity[notes],
        "part": len(score.parts) + np.searchsorted(new, other.part[notes]),
    }
    columns: dict[str, Any] = {name: np.concatenate([getattr(score, name), more[name]]) for name in COLUMNS}
    return Score.of(score.ticks_per_beat, **columns, parts=(*score.parts, *(other.parts[p] for p in new)))


def all_at_once(score: Score, other: Score, draw: Random) -> Score:
    """Cut, with added tracks, transposed, re-tempoed and re-instrumented."""
    for make in (cut, added, transposed, retempoed, reinstrumented):
        score = make(score, other, draw)
    return score


MAKERS: tuple[Callable[[Score, Score, Random], Score], ...] = (
    transposed, retempoed, reinstrumented, cut, added, all_at_once,
)  # fmt: skip
