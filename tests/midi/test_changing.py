"""Changes of a file: the notes move as asked, and every other event stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello import midi
from ritornello.errors import MidiError
from ritornello.midi.changing import change_file
from ritornello.midi.patching import replace_notes
from ritornello.music.score import KeySignature, Score
from tests.midi.test_patching import FILE, others
from tests.scores import midi_file, track

# D major, a chord, a piano (named) with a key pressure, and a bass on the same track, drums
SONG = midi_file(
    track("00 FF 51 03 07 A1 20", "00 FF 59 02 02 00", "00 FF 06 0D 63 68 6F 72 64 3A 20 44 6D 37 2F 46 23"),
    track(
        "00 FF 03 0B 67 72 61 6E 64 20 70 69 61 6E 6F",
        "00 90 3C 50 # C4",
        "00 A0 3C 20",
        "00 B0 07 64",
        "30 80 3C 00",
        "00 C1 21",
        "00 91 24 50 # C2",
        "30 81 24 00",
    ),
    track("00 99 24 50", "30 89 24 00"),
    ticks=96,
)


def notes(data: bytes) -> list[tuple[int, int, int, int]]:
    """Onset, duration in ticks, pitch and program (128: drums) of each note."""
    score = midi.parse(data).score
    programs = [128 if part.is_drum else part.program for part in score.parts]
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.part)
    return [(o, d, p, programs[n]) for o, d, p, n in zip(*(c.tolist() for c in columns), strict=True)]


def test_transposing_moves_all_but_drums() -> None:
    changed = change_file(SONG, semitones=-2).data
    assert notes(changed) == [(0, 48, 58, 0), (0, 48, 36, 128), (48, 48, 34, 33)]
    score = midi.parse(changed).score
    assert score.keys == (KeySignature(0, 0, False),)  # D major, two semitones lower, is C major
    assert b"chord: Cm7/E" in changed  # Dm7 over F sharp
    assert b"\xa0\x3a\x20" in changed  # the pressure moves with its note
    assert others(change_file(FILE, semitones=5).data) == others(replace_notes(FILE, (), 0, 0, []))


@given(st.integers(-36, 60))
def test_transposing_back_gives_the_same_song(semitones: int) -> None:
    moved = change_file(SONG, semitones=semitones).data
    assert notes(change_file(moved, semitones=-semitones).data) == notes(SONG)


def test_a_pitch_beyond_midi_is_an_error() -> None:
    with pytest.raises(MidiError, match="pitch 60 of channel 1 would be 128: must be 0-127"):
        change_file(SONG, semitones=68)


def test_all_tempi_change_in_proportion() -> None:
    tempi = track("00 FF 51 03 07 A1 20", "60 FF 51 03 0F 42 40")  # 120 and 60 beats a minute
    changed = change_file(midi_file(tempi, track("00 90 3C 50", "30 80 3C 00")), tempo_factor=0.5).data
    assert [round(tempo.bpm) for tempo in midi.parse(changed).score.tempi] == [60, 30]
    without = midi_file(track("00 90 3C 50", "30 80 3C 00"))
    assert [tempo.bpm for tempo in midi.parse(change_file(without, tempo_factor=1.5).data).score.tempi] == [
        pytest.approx(180, abs=1e-3)
    ]


def test_another_instrument_has_its_name_program_and_range() -> None:
    changed = change_file(SONG, programs={0: 72}).data  # a piccolo, from 74 on: C4 is two octaves higher
    assert notes(changed)[0] == (0, 48, 84, 72)
    assert midi.parse(changed).score.parts[0].name == "piccolo"
    assert notes(changed)[1:] == notes(SONG)[1:]
    assert notes(change_file(SONG, programs={1: 58}).data)[2] == (48, 48, 36, 58)  # C2 is in a tuba's range


def test_notes_that_no_common_octave_fits_move_alone_and_doubled_ones_go() -> None:
    pitches = [36, 60, 72, 84]
    score = Score.of(24, [0, 0, 24, 0], [24] * 4, pitches, [64] * 4)
    changed = change_file(midi.to_bytes(score)[0], programs={0: 47})  # timpani: 33-62
    assert [note[:3] for note in notes(changed.data)] == [(0, 24, 36), (0, 24, 60), (24, 24, 48)]
    assert changed.left_out == 1  # two octaves down three fit; 36 would be 12, then 36, which sounds already


def test_parts_of_one_channel_have_one_instrument() -> None:
    hands = midi_file(track("00 90 3C 50", "30 80 3C 00"), track("00 90 30 50", "30 80 30 00"))
    assert {note[3] for note in notes(change_file(hands, programs={0: 6, 1: 6}).data)} == {6}
    with pytest.raises(MidiError, match="parts 1 and 2 share channel 1"):
        change_file(hands, programs={0: 6})
