"""The steps of sheet music: quantisation, spelling, note values, beams, voices, hands, clefs."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.music.score import Part, Score
from ritornello.rendering.sheet.grid import BarMeter, SheetBars, WrittenNote, written_notes
from ritornello.rendering.sheet.note_values import NoteValue, beams, note_values, triplet_windows
from ritornello.rendering.sheet.spelling import Accidentals, SpelledPitch, bar_keys, spell
from ritornello.rendering.sheet.staves import Clef, StaffChord, clef, split_voices, staves
from tests.rendering.songs import BEAT, song
from tests.scores import tune


def onsets(*beats: float) -> list[int]:
    """The written onsets, in units of 24 a beat, of notes at these beats."""
    ticks = [round(480 * beat) for beat in beats]
    score = Score.of(480, ticks, [60] * len(ticks), np.arange(len(ticks)) + 60, [80] * len(ticks))
    return [note.start for note in written_notes(score, 0, SheetBars.of(score))]


@pytest.mark.parametrize(
    ("played", "units"),
    [
        ((0, 0.25, 0.5, 0.75), [0, 6, 12, 18]),
        ((0.03, 0.22, 0.53, 0.78), [0, 6, 12, 18]),  # a player's own time
        ((0, 1 / 3, 2 / 3), [0, 8, 16]),
        ((0.02, 0.35, 0.64), [0, 8, 16]),
        ((0, 0.125, 0.25), [0, 3, 6]),
        ((0, 1 / 6, 2 / 6, 0.5, 4 / 6, 5 / 6), [0, 4, 8, 12, 16, 20]),
        ((0, 1 / 3, 2 / 3, 1, 1.25, 1.5), [0, 8, 16, 24, 30, 36]),  # each beat has its own division
        ((0, 0.97), [0, 24]),
    ],
)
def test_each_beat_has_the_division_that_fits(played: tuple[float, ...], units: list[int]) -> None:
    assert onsets(*played) == units


def test_a_restruck_pitch_ends_the_note_before_it_and_doubles_go() -> None:
    score = Score.of(480, [0, 10, 240], [200, 480, 240], [60, 60, 60], [80] * 3, [0, 1, 1], (Part(), Part()))
    assert written_notes(score, 1, SheetBars.of(score)) == [WrittenNote(0, 12, 60), WrittenNote(12, 24, 60)]


@pytest.mark.parametrize(
    ("pitch", "sharps", "name"),
    [
        (60, 0, "C4"), (61, 0, "C#4"), (63, 0, "Eb4"), (66, 0, "F#4"), (68, 0, "G#4"), (70, 0, "Bb4"),
        (66, -5, "Gb4"), (61, -5, "Db4"), (71, -7, "Cb5"), (60, 7, "B#3"), (65, 7, "E#4"), (70, 4, "A#4"),
        (61, 3, "C#4"), (60, -3, "C4"), (66, -3, "Gb4"), (59, -3, "B3"),
    ],
)  # fmt: skip
def test_spelling(pitch: int, sharps: int, name: str) -> None:
    spelled = spell(pitch, sharps)
    assert spelled.step + "b" * -spelled.alter + "#" * spelled.alter + str(spelled.octave) == name


def test_accidentals_hold_for_the_bar_in_their_octave() -> None:
    bar = Accidentals(1)  # G major: F sharp
    f_sharp, f, f_above = SpelledPitch("F", 1, 4), SpelledPitch("F", 0, 4), SpelledPitch("F", 0, 5)
    assert [bar.needed(note) for note in (f_sharp, f, f, f_above, f_sharp, f_sharp)] == [
        None, "natural", None, "natural", "sharp", None,
    ]  # fmt: skip


def test_a_song_without_a_key_gets_an_estimate() -> None:
    from dataclasses import replace

    bare = replace(tune(), keys=())
    assert {key[1:] for key in bar_keys(bare, SheetBars.of(bare))} == {(1, False)}


COMMON, SIX_EIGHT = BarMeter(96), BarMeter.of(72, 6, 8)


@pytest.mark.parametrize(
    ("start", "end", "meter", "names"),
    [
        (0, 96, COMMON, ["whole"]),
        (0, 72, COMMON, ["half."]),
        (24, 72, COMMON, ["half"]),
        (12, 36, COMMON, ["quarter"]),  # a syncopation
        (36, 60, COMMON, ["eighth", "eighth"]),  # the middle of the bar is seen
        (6, 18, COMMON, ["eighth"]),
        (18, 48, COMMON, ["16th", "quarter"]),
        (0, 30, COMMON, ["quarter", "16th"]),
        (0, 21, COMMON, ["eighth.", "32nd"]),
        (0, 72, SIX_EIGHT, ["half."]),
        (0, 36, SIX_EIGHT, ["quarter."]),
        (24, 48, SIX_EIGHT, ["eighth", "eighth"]),
        (12, 36, SIX_EIGHT, ["quarter"]),
        (0, 60, SIX_EIGHT, ["quarter.", "quarter"]),
        (0, 120, BarMeter(120), ["whole", "quarter"]),
    ],
)
def test_values_show_the_beats(start: int, end: int, meter: BarMeter, names: list[str]) -> None:
    found = list(note_values(start, end, meter, set()))
    assert [value.name + "." * value.dots for value in found] == names
    assert sum(value.length for value in found) == end - start


def test_triplets_are_written_within_their_beat() -> None:
    triplets = triplet_windows([0, 24, 32, 64, 72], 24)
    assert triplets == {1, 2}
    found = list(note_values(32, 64, COMMON, triplets))
    assert [(value.name, value.length, value.triplet) for value in found] == [
        ("quarter", 16, True),
        ("quarter", 16, True),
    ]


def test_beams_join_what_is_in_a_beat() -> None:
    line = [("16th", 0, 6), ("16th", 6, 6), ("eighth", 12, 12), ("eighth", 24, 12), ("quarter", 36, 24)]
    notes: list[NoteValue | None] = [NoteValue(on, length, name, 0, False) for name, on, length in line]
    assert beams(notes, 24) == [["begin", "begin"], ["continue", "end"], ["end"], [], []]
    dotted: list[NoteValue | None] = [
        NoteValue(0, 18, "eighth", 1, False),
        NoteValue(18, 6, "16th", 0, False),
    ]
    assert beams(dotted, 24) == [["begin"], ["end", "backward hook"]]
    assert beams([dotted[0], None, dotted[1]], 24) == [[], [], []]  # a rest parts them


def test_voices_are_chords_that_do_not_overlap() -> None:
    notes = [WrittenNote(0, 96, 72), WrittenNote(0, 24, 60), WrittenNote(0, 24, 64), WrittenNote(24, 48, 62)]
    assert split_voices(notes) == [
        [StaffChord(0, 96, (72,))],
        [StaffChord(0, 24, (60, 64)), StaffChord(24, 48, (62,))],
    ]


def test_a_fifth_voice_ends_what_sounds_longest() -> None:
    notes = [WrittenNote(6 * n, 96 - n, 80 - 5 * n) for n in range(5)]
    found = split_voices(notes)
    assert len(found) == 4
    assert found[0] == [StaffChord(0, 24, (80,)), StaffChord(24, 92, (60,))]


def test_the_hands_part_where_they_can_reach() -> None:
    """Notes below middle C belong to the right hand if the left hand is still lower."""
    notes = [(0, 96, 76, 80, 0), (0, 96, 48, 80, 0), (0, 96, 40, 80, 0)]
    notes += [(96, 96, 55, 80, 0), (96, 96, 67, 80, 0), (96, 96, 36, 80, 0), (96, 96, 43, 80, 0)]
    score = song(*notes)
    right, left = staves(Part("Piano", 0), written_notes(score, 0, SheetBars.of(score)), SheetBars.of(score))
    assert (right.clef, left.clef) == (Clef("G", 2), Clef("F", 4))
    assert [chord.pitches for chord in right.voices[0]] == [(76,), (55, 67)]
    assert [chord.pitches for chord in left.voices[0]] == [(40, 48), (36, 43)]


def test_clefs() -> None:
    assert clef(73, 76) == Clef("G", 2)
    assert clef(42, 48) == Clef("F", 4)
    assert clef(33, 36) == Clef("F", 4, -1)
    assert clef(25, 55) == Clef("G", 2, -1)
    assert clef(72, 90) == Clef("G", 2, 1)


def test_drums_are_written_until_the_next_stroke_or_the_beats_end() -> None:
    kit = song(
        (0, 1, 36, 80, 0),
        (0, 1, 42, 80, 0),
        (12, 1, 42, 80, 0),
        (24, 1, 38, 80, 0),
        parts=(Part("", 0, True),),
    )
    (staff,) = staves(kit.parts[0], written_notes(kit, 0, SheetBars.of(kit)), SheetBars.of(kit))
    hands, feet = staff.voices
    assert hands == [StaffChord(0, 12, (42,)), StaffChord(12, 24, (42,)), StaffChord(24, 48, (38,))]
    assert feet == [StaffChord(0, 24, (36,))]


def test_bars_follow_the_meter_at_any_resolution() -> None:
    score = Score.of(7, [0, 7 * 9], [7, 7], [60, 60], [80, 80])
    assert SheetBars.of(score).edges.tolist() == [0, 96, 192, 288]
    assert BEAT == 24


@pytest.mark.parametrize(
    ("length", "meter", "signature"),
    [
        (96, (4, 4), (4, 4)),
        (96, (2, 2), (2, 2)),
        (12, (2, 4), (1, 8)),
        (54, (6, 8), (9, 16)),
        (24, (4, 4), (1, 4)),
    ],
)
def test_a_bar_that_is_cut_short_has_its_own_signature(
    length: int, meter: tuple[int, int], signature: tuple[int, int]
) -> None:
    assert BarMeter.of(length, *meter).signature == signature
