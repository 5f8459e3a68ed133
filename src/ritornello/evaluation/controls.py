"""The ladder: controls made of the human songs, from the best to the worst; by them a metric is judged.

What calls music drawn at random human, or what the file format does to human music a fault, says nothing of a
composed song. Every report has the ladder's figures; a metric that cannot rank them says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID
from ritornello.music.score import COLUMNS, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.canonical import canonical

Draw = np.random.Generator
Ints = npt.NDArray[np.int64]
Token = tuple[int, int, int]  # interval from the part's last note, ticks since the last note, part's rank
START: Token = (0, -1, -1)
NOISE = ("bars shuffled", "n-gram", "marginals")  # each a worse song than the one before


def codec(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """The same songs as the representation `notes` holds them: the best that a model of it can be."""
    return [canonical(song)[0] for song in songs]


def shuffled(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """The bars of each song in another order; bars of one length change places among themselves."""
    return [_with_bars_shuffled(song, draw) for song in songs]


def _with_bars_shuffled(song: Score, draw: Draw) -> Score:
    timeline = Timeline.of(song)
    target = np.arange(len(timeline))
    for length in np.unique(timeline.length_ticks):
        alike = np.flatnonzero(timeline.length_ticks == length)
        target[alike] = draw.permutation(alike)
    bar = timeline.bar_of(song.onset_ticks)
    onset = song.onset_ticks + (timeline.start_ticks[target] - timeline.start_ticks)[bar]
    moved = (onset, song.duration_ticks, song.pitch, song.velocity, song.part, song.parts)
    return Score.of(song.ticks_per_beat, *moved, tempi=song.tempi, meters=song.meters, keys=song.keys)


def copies(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """The songs themselves in another key, up to six semitones away: perfect in style, and nobody's own."""
    found = []
    for song in songs:
        pitch = song.pitch[~song.of_drums].astype(int)
        down, up = -min(6, int(pitch.min(initial=6))), min(6, 127 - int(pitch.max(initial=121)))
        steps = [step for step in range(down, up + 1) if step] or [0]
        found.append(song.transposed(int(draw.choice(steps))))
    return found


class Columns(NamedTuple):
    """The notes of all songs one after the other, (N,) each, at 24 ticks a beat; where each song begins."""

    shift: list[int]
    pitch: list[int]
    duration: list[int]
    velocity: list[int]
    part: list[int]
    starts: list[int]


def _columns(songs: Sequence[Score]) -> Columns:
    """Shift is from the note before (0 at a song's first); the parts of a song count from 0."""
    rows = [np.stack([getattr(song, name).astype(np.int64) for name in COLUMNS]) for song in songs]
    notes = np.concatenate(rows, axis=1)
    starts = np.cumsum([0, *(row.shape[1] for row in rows)])
    shift = np.diff(notes[0], prepend=0)
    shift[starts[:-1]] = 0
    _, duration, pitch, velocity, part = notes.tolist()
    return Columns(shift.tolist(), pitch, duration, velocity, part, starts.tolist())


def marginals(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """As many notes as each song has: shift, pitch, duration, velocity, part, each drawn by itself."""
    whole = [canonical(song)[0] for song in songs]
    pools = [np.array(column) for column in _columns(whole)[:5]]
    found = []
    for song in whole:
        shift, pitch, duration, velocity, part = (draw.choice(pool, len(song)) for pool in pools)
        found.append(_noise(song, [np.cumsum(shift), duration, pitch, velocity, part]))
    return found


def ngram(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """As many notes as each song has, by an n-gram of order 2 over (interval, shift, part) of all songs.

    The interval is from the part's last note, as is the first pitch; a note that would leave the range of the
    songs goes back by octaves. Duration and velocity come with the note that is drawn. Where two notes were
    never followed by another, one is looked at.
    """
    whole = [canonical(song)[0] for song in songs]
    columns = _columns(whole)
    tokens = _tokens(columns)
    after: dict[tuple[Token, ...], list[int]] = {}
    for first, stop in zip(columns.starts[:-1], columns.starts[1:], strict=True):
        past = (START, START)
        for note in range(first, stop):
            after.setdefault(past, []).append(note)
            after.setdefault(past[1:], []).append(note)
            past = (past[1], tokens[note])
    low, high = np.percentile(columns.pitch, [0.5, 99.5])
    span = (math.floor(low), math.ceil(high))
    return [_chained(song, columns, tokens, after, span, draw) for song in whole]


def _tokens(columns: Columns) -> list[Token]:
    """Of each note; the interval of a part's first note counts from middle C."""
    tokens: list[Token] = []
    for first, stop in zip(columns.starts[:-1], columns.starts[1:], strict=True):
        last: dict[int, int] = {}
        for note in range(first, stop):
            part, pitch = columns.part[note], columns.pitch[note]
            tokens.append((pitch - last.get(part, 60), columns.shift[note], part))
            last[part] = pitch
    return tokens


def _chained(
    song: Score,
    columns: Columns,
    tokens: list[Token],
    after: dict[tuple[Token, ...], list[int]],
    span: tuple[int, int],
    draw: Draw,
) -> Score:
    """A song of the n-gram with as many notes as `song`, in its bars."""
    past, clock, last = (START, START), 0, dict[int, int]()
    notes: list[tuple[int, ...]] = []
    for chance in draw.random(len(song)).tolist():
        choices = after.get(past) or after.get(past[1:]) or after[START, START]
        note = choices[int(chance * len(choices))]
        interval, shift, part = tokens[note]
        pitch = last.get(part, 60) + interval
        while pitch < span[0]:
            pitch += 12
        while pitch > span[1]:
            pitch -= 12
        pitch = max(0, min(127, pitch))
        clock, last[part], past = clock + shift, pitch, (past[1], tokens[note])
        notes.append((clock, columns.duration[note], pitch, columns.velocity[note], part))
    return _noise(song, list(np.array(notes).T))


def _noise(song: Score, notes: Sequence[Ints]) -> Score:
    """A song of these columns of notes in the first meter, the first tempo and the parts of `song`."""
    onset, duration, pitch, velocity, part = notes
    first = {"tempi": song.tempi[:1], "meters": song.meters[:1]}
    columns = (onset, duration, pitch, velocity, part % len(song.parts))
    return Score.of(GRID, *columns, parts=song.parts, **first)


CONTROLS: dict[str, Callable[[Sequence[Score], Draw], list[Score]]] = {
    "codec": codec,
    "bars shuffled": shuffled,
    "n-gram": ngram,
    "marginals": marginals,
    "copies": copies,
}
MEANS = {
    "codec": "the human songs as the table of notes holds them: the best a model can be",
    "bars shuffled": "the bars of each human song in another order",
    "n-gram": "drawn note by note, each by the two before it",
    "marginals": "shift, pitch, duration, part and velocity drawn each by itself",
    "copies": "the human songs in another key: human in style, original in nothing",
}


def controls(songs: Sequence[Score], seed: int) -> dict[str, list[Score]]:
    """All controls by name, a song for each of `songs`, in their order; the same for the same seed."""
    plain = [replace(song, chords=(), markers=()) for song in songs]  # no metric looks at them
    made = {}
    for number, (name, make) in enumerate(CONTROLS.items()):
        made[name] = make(plain, np.random.default_rng([seed, number]))
    return made


def repeated(songs: Sequence[Score], seed: int) -> list[Score]:
    """One song as often as there are songs, its bars shuffled each time anew: what variety must find."""
    draw = np.random.default_rng(seed)
    one = songs[int(draw.integers(len(songs)))]
    return [_with_bars_shuffled(one, draw) for _ in songs]
