"""Chords that are estimated from notes."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from ritornello.music.chord_estimate import estimate_chords
from ritornello.music.plan import GRID
from ritornello.music.score import Chord, Meter, Part, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.chords import beat_edges, estimated
from ritornello.representations.grid.vocabulary import CHORD_UNKNOWN, COLUMN
from ritornello.representations.notes import Notes
from tests.representations.songs import wide

NOTES = Notes()


def blocks(*chords: tuple[int, ...]) -> Score:
    """Chords of two beats each."""
    notes = [(48 * i, 48, pitch) for i, chord in enumerate(chords) for pitch in chord]
    onset, duration, pitch = zip(*notes, strict=True)
    return Score.of(GRID, onset, duration, pitch, [64] * len(notes))


def test_plain_chords_are_named() -> None:
    # C, Am, Dm7, G7 with its fifth at the bottom, C again, all closed
    song = blocks((48, 64, 67), (45, 60, 64), (50, 65, 69, 72), (50, 55, 59, 65), (48, 64, 67))
    assert estimated(Timeline.of(song), song) == (
        Chord(0, 0, "maj"), Chord(48, 9, "min"), Chord(96, 2, "min7"), Chord(144, 7, "7"),
        Chord(192, 0, "maj"),
    )  # fmt: skip


def test_a_passing_note_and_a_rest_do_not_change_the_chord() -> None:
    # C major held for a bar, D5 on its third beat; then a bar in which only its first beat sounds
    song = Score.of(
        GRID, [0, 0, 0, 48, 96, 96, 96], [96, 96, 96, 24, 24, 24, 24], [48, 64, 67, 74, 48, 64, 67], [64] * 7
    )
    assert estimated(Timeline.of(song), song) == (Chord(0, 0, "maj"),)


def test_the_key_decides_the_harmony_of_a_single_line() -> None:
    weights = np.zeros((1, 12))
    weights[0, [2, 7]] = 1  # G and D in a beat: of G, G minor, C9, and many more
    beat = weights, np.array([62]), np.array([True]), np.array([True])
    assert estimate_chords(*beat, key=(1, False)) == [(7, "maj")]  # the tonic of G major
    assert estimate_chords(*beat, key=(-2, True)) == [(7, "min")]  # of G minor
    weights[0, 7] = 0  # D alone: the root of the tonic of D major
    assert estimate_chords(*beat, key=(2, False)) == [(2, "maj")]


def test_drums_have_no_chords() -> None:
    song = Score.of(GRID, [0, 24], [1, 1], [36, 38], [64, 64], parts=[Part("", 0, True)])
    assert estimated(Timeline.of(song), song) == ()
    assert (NOTES.encode(song).values[:, COLUMN["chord"]] == CHORD_UNKNOWN).all()


def test_beats_begin_anew_in_each_bar() -> None:
    # 3/8 is 36 ticks: a beat of 24 and one of 12
    song = Score.of(GRID, [0, 40], [1, 1], [60, 60], [64, 64], meters=(Meter(0, 3, 8),))
    assert beat_edges(Timeline.of(song)).tolist() == [0, 24, 36, 60, 72]


@given(wide())
def test_chords_lie_within_the_song(score: Score) -> None:
    song, _ = NOTES.canonical(score)
    timeline = Timeline.of(song)
    chords = estimated(timeline, song)
    assert all(0 <= chord.onset_ticks < timeline.end_ticks for chord in chords)
    assert bool(chords) == any(not part.is_drum for part in song.parts)
