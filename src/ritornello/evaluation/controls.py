"""The controls: sets of songs made from the human songs, from the best to the worst, that test each metric.

If a metric rates random notes as human, or encoded human songs as bad, its figure for composed songs means
nothing. So each report has the figures of the controls, and names the metrics that cannot rank them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ritornello.evaluation.analysed_song import Ints
from ritornello.music.plan import GRID
from ritornello.music.score import COLUMNS, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.canonical import canonical

Draw = np.random.Generator
Token = tuple[int, int, int]  # semitones from the part's last note, ticks from the last note, part
START: Token = (0, -1, -1)
MIDDLE_C = 60
NOISE = ("bars shuffled", "n-gram", "marginals")  # the controls that are not human music, the best first


def encoded_and_decoded(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """Return the songs encoded by the representation `notes` and decoded: the best that its models can do."""
    return [canonical(song)[0] for song in songs]


def bars_shuffled(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """Return the songs with their bars in random order; only bars of equal length are exchanged."""
    return [_shuffle_bars(song, draw) for song in songs]


def _shuffle_bars(song: Score, draw: Draw) -> Score:
    timeline = Timeline.of(song)
    target = np.arange(len(timeline))
    for length in np.unique(timeline.length_ticks):
        bars = np.flatnonzero(timeline.length_ticks == length)
        target[bars] = draw.permutation(bars)
    bar = timeline.bar_of(song.onset_ticks)
    onset = song.onset_ticks + (timeline.start_ticks[target] - timeline.start_ticks)[bar]
    notes = (onset, song.duration_ticks, song.pitch, song.velocity, song.part, song.parts)
    return Score.of(song.ticks_per_beat, *notes, tempi=song.tempi, meters=song.meters, keys=song.keys)


def copies(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """Return the songs in another key, at most six semitones away: human in style, but not original."""
    moved_songs = []
    for song in songs:
        pitch = song.pitch[~song.of_drums].astype(int)
        down, up = -min(6, int(pitch.min(initial=6))), min(6, 127 - int(pitch.max(initial=121)))
        steps = [step for step in range(down, up + 1) if step] or [0]
        moved_songs.append(song.transposed(int(draw.choice(steps))))
    return moved_songs


class NoteColumns(NamedTuple):
    """The notes of all songs one after another as columns of N numbers, at 24 ticks per beat.

    `shift` is the ticks from the onset of the note before, 0 for the first note of a song; velocity is 1-127;
    `starts` has the index of each song's first note, and N.
    """

    shift: list[int]
    pitch: list[int]
    duration_ticks: list[int]
    velocity: list[int]
    part: list[int]
    starts: list[int]


def _note_columns(songs: Sequence[Score]) -> NoteColumns:
    columns = [np.stack([getattr(song, name).astype(np.int64) for name in COLUMNS]) for song in songs]
    notes = np.concatenate(columns, axis=1)
    starts = np.cumsum([0, *(column.shape[1] for column in columns)])
    shift = np.diff(notes[0], prepend=0)
    shift[starts[:-1]] = 0
    _, duration, pitch, velocity, part = notes.tolist()
    return NoteColumns(shift.tolist(), pitch, duration, velocity, part, starts.tolist())


def marginals(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """Return songs of as many notes; shift, pitch, duration, velocity and part are drawn independently."""
    encoded = [canonical(song)[0] for song in songs]
    pools = [np.array(column) for column in _note_columns(encoded)[:5]]
    noise_songs = []
    for song in encoded:
        shift, pitch, duration, velocity, part = (draw.choice(pool, len(song)) for pool in pools)
        noise_songs.append(_noise_song(song, [np.cumsum(shift), duration, pitch, velocity, part]))
    return noise_songs


def ngram(songs: Sequence[Score], draw: Draw) -> list[Score]:
    """Return songs of as many notes from an n-gram of order 2 over (interval, shift, part) of all songs.

    The interval is measured from the last note of the part, at first from middle C. A note beyond the range
    of the songs is moved by octaves. Duration and velocity are taken from the drawn note. If no note ever
    followed the last two notes, only the last one counts.
    """
    encoded = [canonical(song)[0] for song in songs]
    columns = _note_columns(encoded)
    tokens = _tokens(columns)
    successors: dict[tuple[Token, ...], list[int]] = {}  # by one token and by two: the notes that follow
    for first, stop in zip(columns.starts[:-1], columns.starts[1:], strict=True):
        context = (START, START)
        for note in range(first, stop):
            successors.setdefault(context, []).append(note)
            successors.setdefault(context[1:], []).append(note)
            context = (context[1], tokens[note])
    low, high = np.percentile(columns.pitch, [0.5, 99.5])
    pitch_range = (math.floor(low), math.ceil(high))
    return [_ngram_song(song, columns, tokens, successors, pitch_range, draw) for song in encoded]


def _tokens(columns: NoteColumns) -> list[Token]:
    """Return the token of each note."""
    tokens: list[Token] = []
    for first, stop in zip(columns.starts[:-1], columns.starts[1:], strict=True):
        last_pitch: dict[int, int] = {}  # by part
        for note in range(first, stop):
            part, pitch = columns.part[note], columns.pitch[note]
            tokens.append((pitch - last_pitch.get(part, MIDDLE_C), columns.shift[note], part))
            last_pitch[part] = pitch
    return tokens


def _ngram_song(
    song: Score,
    columns: NoteColumns,
    tokens: list[Token],
    successors: dict[tuple[Token, ...], list[int]],
    pitch_range: tuple[int, int],
    draw: Draw,
) -> Score:
    """Sample a song of the n-gram with as many notes as `song`."""
    context, tick, last_pitch = (START, START), 0, dict[int, int]()
    notes: list[tuple[int, ...]] = []
    for chance in draw.random(len(song)).tolist():
        choices = successors.get(context) or successors.get(context[1:]) or successors[START, START]
        note = choices[int(chance * len(choices))]
        interval, shift, part = tokens[note]
        pitch = last_pitch.get(part, MIDDLE_C) + interval
        while pitch < pitch_range[0]:
            pitch += 12
        while pitch > pitch_range[1]:
            pitch -= 12
        pitch = max(0, min(127, pitch))
        tick, last_pitch[part], context = tick + shift, pitch, (context[1], tokens[note])
        notes.append((tick, columns.duration_ticks[note], pitch, columns.velocity[note], part))
    return _noise_song(song, list(np.array(notes).T))


def _noise_song(song: Score, columns: Sequence[Ints]) -> Score:
    """Return a song of these columns (N,) with the first meter, the first tempo and the parts of `song`."""
    onset, duration, pitch, velocity, part = columns
    first = {"tempi": song.tempi[:1], "meters": song.meters[:1]}
    notes = (onset, duration, pitch, velocity, part % len(song.parts))
    return Score.of(GRID, *notes, parts=song.parts, **first)


CONTROLS: dict[str, Callable[[Sequence[Score], Draw], list[Score]]] = {
    "codec": encoded_and_decoded,
    "bars shuffled": bars_shuffled,
    "n-gram": ngram,
    "marginals": marginals,
    "copies": copies,
}
DESCRIPTIONS = {
    "codec": "the human songs, encoded and decoded: the best that a model can compose",
    "bars shuffled": "the bars of each human song in another order",
    "n-gram": "each note drawn by the two notes before it",
    "marginals": "shift, pitch, duration, part and velocity of each note drawn independently",
    "copies": "the human songs in another key: human in style, but not original",
}


def control_songs(songs: Sequence[Score], seed: int) -> dict[str, list[Score]]:
    """Return all controls by name, each with one song for each of `songs`, in their order."""
    plain = [replace(song, chords=(), markers=()) for song in songs]  # which no metric uses
    return {
        name: make(plain, np.random.default_rng([seed, number]))
        for number, (name, make) in enumerate(CONTROLS.items())
    }


def one_song_repeated(songs: Sequence[Score], seed: int) -> list[Score]:
    """Return one song as often as there are songs, each time with its bars shuffled: a test of variety."""
    draw = np.random.default_rng(seed)
    song = songs[int(draw.integers(len(songs)))]
    return [_shuffle_bars(song, draw) for _ in songs]
