"""The sketch that is read off a song's notes: phrases, motifs, texture."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from ritornello.music.score import Part, Score
from ritornello.music.sketch import CLOSED, END, NO_CADENCE, NO_MOTIF, OPEN, UNKNOWN, Sketch
from ritornello.representations.notes import Notes
from ritornello.representations.sketch import blurred, compute_sketch
from tests.representations.songs import repetitive, wide

NOTES = Notes()
C, D, E, F, G = 60, 62, 64, 65, 67


def sketch_of(bars: list[list[tuple[int, int]]], bass: list[int] | None = None) -> Sketch:
    """The sketch of bars of 4/4 with notes (beats x 2, pitch) one after another, and a bass note a bar."""
    onset, length, pitch, part = [], [], [], []
    for number, notes in enumerate(bars):
        place = 96 * number
        for halves, note in notes:
            onset, length = [*onset, place], [*length, 12 * halves]
            pitch, part = [*pitch, note], [*part, 0]
            place += 12 * halves
    for number, note in enumerate(bass or []):
        onset, length = [*onset, 96 * number], [*length, 96]
        pitch, part = [*pitch, note], [*part, 1]
    song = Score.of(24, onset, length, pitch, [66] * len(pitch), part, [Part("", 73), Part("", 33)])
    song, _ = NOTES.canonical(song)
    return compute_sketch(song, NOTES.timeline(song))


RUN = [(1, C), (1, D), (1, E), (1, F), (1, G), (1, F), (1, E), (1, D)]
HALF, FULL = [(2, C), (2, E), (4, D)], [(2, E), (2, D), (4, C)]


def test_phrases_end_where_the_line_rests_on_the_dominant_or_the_tonic() -> None:
    found = sketch_of([*[RUN] * 3, HALF, *[RUN] * 3, FULL] * 2, [36, 41, 43, 43, 36, 41, 43, 36] * 2)
    none = [NO_CADENCE] * 3
    assert list(found.cadences) == [*none, OPEN, *none, CLOSED, *none, OPEN, *none, END]
    unknown = [(UNKNOWN, UNKNOWN)] * 3  # both phrases close on the third beat, on D and on C
    assert list(found.closings) == [*unknown, (48, 2), *unknown, (48, 0)] * 2


def test_a_note_held_from_the_bar_before_closes_nothing() -> None:
    found = sketch_of([RUN, RUN, [(4, C), (12, D)], [], RUN, RUN, RUN, FULL])
    assert found.cadences[3] in (OPEN, CLOSED)
    assert found.closings[3] == (UNKNOWN, UNKNOWN)


def test_a_motif_is_rhythm_and_contour() -> None:
    higher = [(length, pitch + 7) for length, pitch in RUN]
    other_rhythm = [(2, C), *RUN[2:]]
    falling = RUN[::-1]
    found = sketch_of([RUN, HALF, higher, other_rhythm, falling, HALF])
    assert list(found.motifs) == [NO_MOTIF, NO_MOTIF, 0, NO_MOTIF, NO_MOTIF, 1]


def test_texture_counts_the_notes_of_each_part() -> None:
    found = sketch_of([RUN, [(8, E)]], [36])
    assert found.parts == (Part("", 33), Part("", 73))
    assert found.textures == (((1, 36), (0, UNKNOWN)), ((8, 64), (1, E)))


@given(wide() | repetitive())
def test_every_song_has_a_sketch(score: Score) -> None:
    song, _ = NOTES.canonical(score)
    timeline = NOTES.timeline(song)
    found = compute_sketch(song, timeline)
    if not len(song):
        assert found == Sketch()
        return
    assert len(found.cadences) == len(found.motifs) == len(timeline)
    assert found.cadences[-1] == END
    assert END not in found.cadences[:-1]
    assert found.parts == song.parts
    assert sum(notes for bars in found.textures for notes, _ in bars) <= len(song)
    assert Sketch.from_dict(found.to_dict()) == found


def test_blurred_textures_stay_near_and_rests_stay_rests() -> None:
    textures = ((8, 70), (0, -1)), ((16, 40), (4, 38))
    sketch = Sketch(parts=(Part("", 40), Part("", 0, True)), textures=textures)
    drawn = [blurred(sketch, np.random.default_rng(seed)) for seed in range(200)]
    assert 0.1 < np.mean([other == sketch for other in drawn]) < 0.35
    first = np.array([other.textures[0][0] for other in drawn])
    assert abs(np.median(first[:, 0]) - 8) <= 1
    assert 1 < first[:, 1].std() < 3
    assert {other.textures[0][1] for other in drawn} == {(0, -1)}
    assert {other.textures[1][0][1] for other in drawn} == {40}  # the mean pitch of drums means nothing
