"""The rules that keep parts lines, and those of voice leading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ritornello.composing.request import request_for
from ritornello.composing.sampling_rules import lines, pitches, voice_leading
from ritornello.composing.style_stats import StyleStats
from ritornello.composing.voice_leading import Move, VoiceLeading
from ritornello.music.sketch import CLOSED, NO_CADENCE, UNKNOWN, Sketch
from ritornello.music.sketch import END as SONG_END
from ritornello.representations.grid.vocabulary import DRUM_PART, END, WAIT
from tests.composing.test_rules import BASS, FOUR, Song

LINES = StyleStats(overlaps=0.0, gaps=0.0)
BEAT = 23  # the class of a duration of 24 ticks


def song(style: StyleStats = LINES) -> Song:
    """A song of a piano (part 0) and a bass, in four bars of 96 ticks."""
    return Song(replace(request_for(FOUR, seed=0), style=style))


def unlikelier(bias: np.ndarray | None) -> list[int]:
    return [] if bias is None else np.flatnonzero(bias < 0).tolist()


def test_a_note_begins_where_the_first_one_ends() -> None:
    begun = song().note(0, 0, 60, BEAT)  # the bass has not begun, so it may come at any tick
    assert unlikelier(lines.favour_onsets_where_notes_end(begun.state)) == [*range(25, 192), WAIT, END]
    begun.note(0, BASS, 40, 47)  # 48 ticks
    shifts = unlikelier(lines.favour_onsets_where_notes_end(begun.state))
    assert shifts == [*range(24), *range(25, 192), WAIT, END]  # both are held: only 24 is left
    begun.note(24, 0, 62, BEAT)
    assert unlikelier(lines.favour_onsets_where_notes_end(begun.state)) == shifts


def test_parts_whose_notes_end_together_begin_together() -> None:
    begun = song().note(0, 0, 60, BEAT).note(0, BASS, 40, BEAT)
    assert unlikelier(lines.favour_parts_whose_notes_end(begun.put(shift=24).state)) == list(range(1, 513))
    begun = song().note(0, 0, 60, BEAT).note(0, BASS, 40, BEAT).note(24, 0, 62, BEAT)
    assert unlikelier(lines.favour_onsets_where_notes_end(begun.state)) == list(range(1, 194))  # now the bass
    assert unlikelier(lines.favour_parts_whose_notes_end(begun.put(shift=0).state)) == list(range(133, 513))


def test_no_part_begins_while_it_sounds() -> None:
    begun = song().note(0, 0, 60, 47).note(0, BASS, 40, BEAT).put(shift=24)
    assert unlikelier(lines.penalize_overlaps(begun.state)) == [0]
    chord = song().note(0, 0, 60, 47).put(shift=0)
    assert unlikelier(lines.penalize_overlaps(chord.state)) == []  # a second note of the same onset


def test_the_end_of_the_song_is_no_gap() -> None:
    begun = song().note(0, 0, 60, 63).note(0, BASS, 40, 63)  # 384 ticks: all four bars
    assert END not in unlikelier(lines.favour_onsets_where_notes_end(begun.state))


def test_labels_with_gaps_and_overlaps_are_free() -> None:
    begun = song(StyleStats()).note(0, 0, 60, BEAT)
    assert lines.favour_onsets_where_notes_end(begun.state) is None
    assert lines.favour_parts_whose_notes_end(begun.put(shift=24).state) is None
    assert lines.penalize_overlaps(begun.state) is None


def test_the_last_moves_of_parts() -> None:
    heard = VoiceLeading()
    for onset, part, pitch in ((0, 0, 60), (0, 0, 64), (24, 0, 62), (0, DRUM_PART, 36)):
        heard.add(onset, part, pitch, onset + 24)
    assert heard.moves == {0: Move(24, 64, 62)}  # of the chord the highest note


def test_parallel_fifths_and_octaves() -> None:
    heard = VoiceLeading()
    for onset, part, pitch in ((0, 0, 48), (0, 1, 67), (24, 0, 50)):
        heard.add(onset, part, pitch, onset + 24)
    # from 48 and 67, a fifth and an octave, up by two: 57, 69 and so on would be fifths above 50
    assert heard.parallel_pitches(24, 1) == [69, 81, 93, 105, 117]  # only upwards
    assert heard.parallel_pitches(36, 1) == []  # the other part does not move there
    third = VoiceLeading()
    for onset, part, pitch in ((0, 0, 48), (0, 1, 64), (24, 0, 50)):
        third.add(onset, part, pitch, onset + 24)
    assert third.parallel_pitches(24, 1) == []


def test_parallels_are_penalized_where_people_avoid_them() -> None:
    for style, expected in ((StyleStats(parallels=0.0), [57, 69, 81, 93, 105, 117]), (StyleStats(), [])):
        begun = song(style).note(0, 0, 48, BEAT).note(0, BASS, 55, BEAT).note(24, 0, 50, BEAT)
        assert unlikelier(voice_leading.penalize_parallels(begun.put(shift=0, part=BASS).state)) == expected


def test_clashes_are_penalized_once_a_song_has_more_than_its_label() -> None:
    begun = song(StyleStats(clashes=0.2)).note(0, 0, 60, 47)
    assert voice_leading.penalize_clashes(begun.put(shift=0, part=BASS).state) is None
    begun = song(StyleStats(clashes=0.2)).note(0, 0, 60, 47).note(0, BASS, 61, 47)  # one in four beats: 0.25
    bias = voice_leading.penalize_clashes(begun.put(shift=24, part=BASS).state)
    assert bias is not None
    assert unlikelier(bias) == [58, 59, 60, 61, 62, 63]
    assert bias[59] == -2 * voice_leading.CLASH_NATS  # with both notes
    assert voice_leading.penalize_clashes(begun.put(part=BASS).state) is not None


def test_a_highest_pitch_is_penalized_after_more_repeats_than_people_write() -> None:
    begun = song(StyleStats(top_repeats=0.1))
    for _ in range(3):
        begun.note(24, 0, 60, BEAT)
    bias = voice_leading.penalize_repeated_tops(begun.put(shift=24, part=0).state)
    assert bias is not None
    # of the moves before the present one, one of one repeats; at least eight count
    assert np.flatnonzero(bias).tolist() == [60]
    assert bias[60] == np.float32(-voice_leading.EXCESS_REPEAT_NATS * (1 / 8 - 0.1))
    assert voice_leading.penalize_repeated_tops(song().note(0).put(shift=24, part=0).state) is None


def test_what_closes_a_phrase_is_free() -> None:
    textures = (((4, 60), (4, 60)), ((4, 40), (4, 40)))
    sketch = Sketch((NO_CADENCE, SONG_END), (), FOUR.parts, textures, ((UNKNOWN, UNKNOWN), (0, 0)))
    plan = replace(FOUR, bars=2, sketch=sketch)
    never = StyleStats(repeats=0.0, parallels=0.0, clashes=0.0, top_repeats=0.0)
    begun = Song(replace(request_for(plan, seed=0), style=never))
    for shift, part, pitch in ((0, 0, 48), (0, BASS, 55), (48, 0, 50), (0, BASS, 57)):
        begun.note(shift, part, pitch, BEAT)
    begun.note(48, 0, 52, BEAT).put(shift=0, part=BASS)  # on the first beat of bar 2
    assert begun.state.closing_note is not None
    for rule in (voice_leading.penalize_parallels, voice_leading.penalize_clashes):
        assert rule(begun.state) is None
    assert voice_leading.penalize_repeated_tops(begun.state) is None
    assert pitches.penalize_repeated_pitches(begun.state) is None


@pytest.mark.parametrize(
    ("style", "pitch", "free"),
    [
        (StyleStats(leaps=0.0), 72, range(53, 68)),  # up to a fifth from the last pitch
        (StyleStats(skips=0.0), 63, range(58, 63)),  # steps, and the last pitch itself
    ],
)
def test_a_line_is_kept_from_more_skips_and_leaps_than_people_write(
    style: StyleStats, pitch: int, free: range
) -> None:
    begun = song(style)
    for each in (60, pitch, 60):
        begun.note(24, 0, each, BEAT)
    bias = voice_leading.penalize_skips_and_leaps(begun.put(shift=24, part=0).state)
    assert bias is not None
    # of the moves before the present one, one of one is too wide; at least eight count
    assert np.flatnonzero(bias == 0).tolist() == list(free)
    assert bias[free[0] - 1] == pytest.approx(
        -voice_leading.EXCESS_LEAP_NATS * (1 / 8 - voice_leading.MOVES_TOLERANCE)
    )


def test_lines_skip_freely_in_the_last_bar() -> None:
    begun = song(StyleStats(skips=0.0))
    for shift, pitch in ((96, 60), (96, 63), (72, 60)):
        begun.note(shift, 0, pitch, BEAT)
    assert voice_leading.penalize_skips_and_leaps(begun.put(shift=24, part=0).state) is None


def test_chords_and_labels_with_leaps_may_leap() -> None:
    free, chord = song(), song(StyleStats(leaps=0.0))
    for pitch in (60, 72, 60):
        free.note(24, 0, pitch, BEAT)
        chord.note(24, 0, pitch, BEAT)
    chord.note(0, 0, 64, BEAT)
    for begun in (free, chord):
        assert voice_leading.penalize_skips_and_leaps(begun.put(shift=24, part=0).state) is None


def test_within_a_song_a_closing_note_is_no_repeat() -> None:
    textures = (((4, 60),) * 3, ((4, 40),) * 3)
    closings = ((UNKNOWN, UNKNOWN), (0, 0), (UNKNOWN, UNKNOWN))
    sketch = Sketch((NO_CADENCE, CLOSED, SONG_END), (), FOUR.parts, textures, closings)
    begun = Song(
        replace(request_for(replace(FOUR, bars=3, sketch=sketch), seed=0), style=StyleStats(repeats=0.0))
    )
    begun.note(72, 0, 48, BEAT).put(shift=24, part=0)  # on the first beat of bar 2
    assert begun.state.closing_note is not None
    bias = pitches.penalize_repeated_pitches(begun.state)
    assert bias is not None and bias[48] == -pitches.NEVER_REPEATS_NATS
