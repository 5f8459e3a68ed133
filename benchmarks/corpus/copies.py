"""Copies of songs as people make them, for the benchmark `duplicates` to find.

Each function takes a song, another song and a random generator, and returns the copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Part, Score, Tempo

Random = np.random.Generator
COLUMNS = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")


def with_changes(score: Score, notes: npt.NDArray[Any], **changes: Any) -> Score:
    """The song with only the notes of these numbers, and with changed columns, tempi or parts."""
    columns: dict[str, Any] = {name: changes.get(name, getattr(score, name))[notes] for name in COLUMNS}
    events = {"tempi": changes.get("tempi", score.tempi), "meters": score.meters}
    return Score.of(score.ticks_per_beat, **columns, parts=changes.get("parts", score.parts), **events)


def transposed(score: Score, other: Score, draw: Random) -> Score:
    """Transposed by 1 to 6 semitones; a pitch outside 0-127 is moved by an octave."""
    semitones = int(draw.choice([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6]))
    drum = np.array([part.is_drum for part in score.parts])[score.part]
    pitch = np.where(drum, score.pitch, score.pitch.astype(int) + semitones)
    pitch = np.where(pitch < 0, pitch + 12, np.where(pitch > 127, pitch - 12, pitch))
    return with_changes(score, np.arange(len(score)), pitch=pitch)


def retempoed(score: Score, other: Score, draw: Random) -> Score:
    """With another tempo event, another resolution, or all times doubled or halved."""
    everything, factor = np.arange(len(score)), 2.0 ** draw.uniform(-0.5, 0.5)
    way = draw.integers(3)
    if way == 0:
        return with_changes(score, everything, tempi=(Tempo(0, int(500_000 * factor)),))
    if way == 1:
        return score.rescaled(int(draw.choice([96, 120, 192, 240, 384, 480, 960])))
    factor = [0.5, 2.0][draw.integers(2)]
    onset, duration = ((getattr(score, name) * factor).astype(int) for name in COLUMNS[:2])
    return with_changes(score, everything, onset_ticks=onset, duration_ticks=duration, tempi=())


def reinstrumented(score: Score, other: Score, draw: Random) -> Score:
    """With other programs, velocities, order of parts, and durations of four fifths."""
    places = draw.permutation(len(score.parts))
    parts: list[Any] = [None] * len(places)
    for part, place in zip(score.parts, places, strict=True):
        parts[place] = Part("", 0 if part.is_drum else int(draw.integers(128)), part.is_drum)
    columns = {"velocity": draw.integers(40, 120, len(score)), "part": places[score.part]}
    shorter = np.maximum(score.duration_ticks * 4 // 5, 1)
    return with_changes(score, np.arange(len(score)), duration_ticks=shorter, parts=parts, **columns)


def cut(score: Score, other: Score, draw: Random) -> Score:
    """A passage of half to nine tenths of the song's time."""
    share = draw.uniform(0.5, 0.9)
    length = int(score.onset_ticks[-1] - score.onset_ticks[0]) + 1
    start = int(score.onset_ticks[0]) + int(draw.uniform(0, 1 - share) * length)
    inside = (score.onset_ticks >= start) & (score.onset_ticks < start + share * length)
    return with_changes(score, np.flatnonzero(inside))


def added_tracks(score: Score, other: Score, draw: Random) -> Score:
    """With one or two parts of the other song, until this song ends.

    The pitches of those parts are shuffled, since the copy would repeat the other song as well otherwise.
    """
    playing = np.unique(other.part)
    new = np.sort(draw.choice(playing, min(len(playing), int(draw.integers(1, 3))), replace=False))
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


def all_changes(score: Score, other: Score, draw: Random) -> Score:
    """A passage with added tracks, transposed, at another tempo and with other instruments."""
    for copy in (cut, added_tracks, transposed, retempoed, reinstrumented):
        score = copy(score, other, draw)
    return score


COPIES: tuple[Callable[[Score, Score, Random], Score], ...] = (
    transposed, retempoed, reinstrumented, cut, added_tracks, all_changes,
)  # fmt: skip
