"""Ornaments in sheet music: grace notes, rolled chords, trills, tremolos, and what is regular music."""

from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from ritornello.music.score import Meter, Part, Score, Tempo
from ritornello.rendering.sheet.grid import SheetBars, WrittenNote, written_notes
from ritornello.rendering.sheet.musicxml_document import to_musicxml
from ritornello.rendering.sheet.staves import split_voices
from tests.scores import scores

Notes = list[tuple[float, float, int]]  # onset and length in beats, pitch


def song(*notes: tuple[float, float, int], bpm: int = 96, ticks: int = 480, program: int = 73) -> Score:
    """A song of one part; onsets and lengths are in beats."""
    onset = [round(beat * ticks) for beat, _, _ in notes]
    end = [round((beat + length) * ticks) for beat, length, _ in notes]
    return Score.of(
        ticks,
        onset,
        [off - on for on, off in zip(onset, end, strict=True)],
        [pitch for *_, pitch in notes],
        [80] * len(notes),
        parts=(Part("Solo", program),),
        tempi=(Tempo(0, round(60e6 / bpm)),),
        meters=(Meter(0, 3, 4),),
    )


def written(score: Score) -> list[WrittenNote]:
    return written_notes(score, 0, SheetBars.of(score))


def in_beats(score: Score) -> Notes:
    return [(note.start / 24, (note.end - note.start) / 24, note.pitch) for note in written(score)]


def graces(score: Score) -> dict[float, list[int]]:
    """The pitches of the grace notes by the beat of their main note."""
    return {note.start / 24: [pitch for _, pitch in note.graces] for note in written(score) if note.graces}


@pytest.mark.parametrize("ticks", [96, 480, 960])
@pytest.mark.parametrize(("bpm", "length"), [(50, 0.06), (96, 0.08), (144, 0.13), (200, 0.17)])
@pytest.mark.parametrize("beat", [1, 1.5, 2.75, 3])
def test_a_short_note_before_a_note_is_a_grace_note(beat: float, bpm: int, length: float, ticks: int) -> None:
    score = song((0, beat - length, 72), (beat - length, length, 76), (beat, 0.9, 74), bpm=bpm, ticks=ticks)
    assert graces(score) == {beat: [76]}
    assert in_beats(score)[0] == (0, beat, 72)  # the note before loses no time
    assert in_beats(score)[1][0] == beat


def test_a_main_note_that_begins_late_stands_on_the_beat() -> None:
    assert graces(song((0, 0.9, 72), (1, 0.08, 76), (1.08, 0.82, 74))) == {1: [76]}


@pytest.mark.parametrize("pitches", [[71, 72], [77, 76, 74], [76, 74, 73, 74]])
def test_several_grace_notes_keep_their_order(pitches: list[int]) -> None:
    first = 2 - 0.07 * len(pitches)
    before = [(first + 0.07 * index, 0.07, pitch) for index, pitch in enumerate(pitches)]
    assert graces(song((0, first, 69), *before, (2, 1, 75))) == {2: pitches}


def test_grace_notes_are_written_before_their_main_note_and_take_no_time() -> None:
    slide = [(2.86, 0.07, 71), (2.93, 0.07, 72)]
    score = song((0, 0.92, 72), (0.92, 0.08, 73), (1, 1, 74), (2, 0.86, 74), *slide, (3, 1, 74))
    found = ElementTree.fromstring(to_musicxml(score).split("\n", 2)[2]).findall(".//note")
    written_out = [
        (note.findtext("pitch/step"), note.findtext("type"), note.findtext("duration"))
        for note in found
        if note.find("rest") is None
    ]
    grace = [note.find("grace") is not None for note in found if note.find("rest") is None]
    assert written_out == [
        ("C", "quarter", "24"), ("C", "eighth", None), ("D", "quarter", "24"), ("D", "quarter", "24"),
        ("B", "16th", None), ("C", "16th", None), ("D", "quarter", "24"),
    ]  # fmt: skip
    assert grace == [False, True, False, False, True, True, False]
    slashes = [element.get("slash") for note in found if (element := note.find("grace")) is not None]
    assert slashes == ["yes", "no", "no"]


@pytest.mark.parametrize("bpm", [60, 96, 120, 200])
@pytest.mark.parametrize("value", [Fraction(1, 4), Fraction(1, 6), Fraction(1, 8), Fraction(1, 5)])
@pytest.mark.parametrize("pitches", [[60, 62, 64, 65, 67, 65, 64, 62], [60], [60, 67]])
def test_regular_runs_are_no_ornaments(pitches: list[int], value: Fraction, bpm: int) -> None:
    """16ths, triplets of 16ths, 32nds and quintuplets, which the grid cannot write."""
    notes = [(float(index * value), float(value), pitches[index % len(pitches)]) for index in range(24)]
    score = song(*notes, (float(24 * value), 2, 72), bpm=bpm)
    assert len(written(score)) >= 24 or value == Fraction(1, 5)
    marks = {note.mark for note in written(score) if note.graces or note.mark}
    assert not marks or (marks == {"tremolo"} and value == Fraction(1, 5) and bpm == 200)


def test_a_sixteenth_before_a_beat_is_no_grace_note() -> None:
    score = song((0, 0.7, 72), (0.75, 0.2, 74), (1, 1, 76), bpm=200)
    assert [(on, pitch) for on, _, pitch in in_beats(score)] == [(0, 72), (0.75, 74), (1, 76)]


ROLLS = [[60, 64, 67], [60, 64, 67, 72], [55, 60, 64, 67, 72, 76], [72, 67, 64, 60]]


@pytest.mark.parametrize("program", [0, 24])
@pytest.mark.parametrize("ticks", [96, 480])
@pytest.mark.parametrize(("bpm", "gap"), [(50, 0.05), (100, 0.0667), (132, 0.1), (200, 0.15)])
@pytest.mark.parametrize("pitches", ROLLS)
def test_a_rolled_chord_is_one_chord_on_its_beat(
    pitches: list[int], bpm: int, gap: float, ticks: int, program: int
) -> None:
    roll = [(2 + gap * index, 2 - gap * index - 0.02, pitch) for index, pitch in enumerate(pitches)]
    score = song((0, 1.98, 71), *roll, (4, 1, 72), bpm=bpm, ticks=ticks, program=program)
    chords = [chord for chord in split_voices(written(score))[0] if chord.start == 48]
    assert [(chord.end, list(chord.pitches)) for chord in chords] == [(96, sorted(pitches))]
    assert chords[0].mark == ("arpeggio up" if pitches == sorted(pitches) else "arpeggio down")
    assert to_musicxml(score).count("<arpeggiate") >= 2


def test_a_roll_that_ends_on_the_beat_stands_there() -> None:
    early = [(0.07 * (3 - index), pitch) for index, pitch in enumerate([60, 64, 67, 72])]
    roll = [(2 - beats, 2 + beats, pitch) for beats, pitch in early]
    score = song((0, 1.79, 71), *roll, program=0)
    assert in_beats(score) == [(0, 2, 71), *[(2, 2, pitch) for pitch in (60, 64, 67, 72)]]


def test_both_hands_roll_at_once() -> None:
    left, right = [43, 48, 52], [60, 64, 67, 72]
    roll = [(0.06 * i, 2 - 0.06 * i, pitch) for hand in (left, right) for i, pitch in enumerate(hand)]
    assert {span[:2] for span in in_beats(song(*roll, program=0))} == {(0, 2)}


@pytest.mark.parametrize("step", [0.25, 0.5])
@pytest.mark.parametrize("bpm", [60, 120, 200])
def test_a_chord_that_is_built_up_in_note_values_is_not_rolled(step: float, bpm: int) -> None:
    notes = [(step * index, 3 - step * index, pitch) for index, pitch in enumerate([60, 65, 69, 72])]
    assert in_beats(song(*notes, bpm=bpm, program=0)) == notes


def test_a_trill_is_one_note_and_its_last_notes_are_grace_notes() -> None:
    trill = [(1 + 0.1 * index, 0.1, 64 + index % 2) for index in range(8)]
    score = song((0, 1, 60), *trill, (1.8, 0.1, 62), (1.9, 0.1, 64), (2, 1, 65))
    assert in_beats(score) == [(0, 1, 60), (1, 1, 64), (2, 1, 65)]
    assert [note.mark for note in written(score)] == ["", "trill", ""]
    assert graces(score) == {2: [62, 64]}
    assert to_musicxml(score).count("<trill-mark") == 1


def test_a_tremolo_is_one_value_with_strokes() -> None:
    repeated = [(index / 12, 1 / 13, pitch) for index in range(24) for pitch in (48, 52)]
    score = song(*repeated, (2, 0.5, 60), program=48)
    assert in_beats(score) == [(0, 2, 48), (0, 2, 52), (2, 0.5, 60)]
    assert to_musicxml(score).count('<tremolo type="single">3</tremolo>') == 1


def test_drums_have_no_ornaments() -> None:
    notes = [(0.92, 0.08, 38), (1, 0.5, 40), *[(2 + index / 12, 1 / 12, 38) for index in range(12)]]
    score = song(*notes)
    drums = Score.of(480, score.onset_ticks, score.duration_ticks, score.pitch, score.velocity,
                     parts=(Part("", 0, True),))  # fmt: skip
    assert not any(note.graces or note.mark for note in written(drums))


@given(scores(max_notes=30, max_beats=3))
@settings(deadline=None, max_examples=60)
def test_no_pitch_is_lost(score: Score) -> None:
    """However crowded the notes are, each ornament keeps its pitches (a trill: the lower one)."""
    for part in set(score.part.tolist()):
        notes = written_notes(score, part, SheetBars.of(score))
        found = {note.pitch for note in notes} | {pitch for note in notes for _, pitch in note.graces}
        found |= {note.pitch + interval for note in notes if note.mark == "trill" for interval in (1, 2)}
        assert set(score.pitch[score.part == part].tolist()) <= found


@pytest.mark.parametrize("in_a_beat", [9, 10, 14])
def test_a_tremolo_on_two_pitches_is_written_in_32nds(in_a_beat: int) -> None:
    count = 2 * in_a_beat
    notes = [(index / in_a_beat, 1 / in_a_beat, 60 + 7 * (index % 2)) for index in range(count)]
    score = song(*notes, (2, 1, 72), bpm=80, program=48)
    assert in_beats(score) == [
        *[(index / 8, 1 / 8, 60 + 7 * (index % 2)) for index in range(16)],
        (2, 1, 72),
    ]


def test_a_fast_trill_is_no_tremolo() -> None:
    trill = [(index / 20, 1 / 20, 64 + 2 * (index % 2)) for index in range(40)]
    score = song(*trill, (2, 1, 65), bpm=60)
    assert [(note.pitch, note.mark) for note in written(score)] == [(64, "trill"), (65, "")]


def test_a_trill_that_a_person_plays_is_one_note() -> None:
    """Its notes are uneven, and each overlaps the next."""
    gaps = [0.13, 0.11, 0.14, 0.12, 0.12, 0.13, 0.11, 0.13, 0.11, 0.13, 0.13, 0.13, 0.12, 0.13, 0.13, 0.13]
    edges = [sum(gaps[:count]) for count in range(len(gaps) + 1)]
    trill = [(on, 0.17, 74 + index % 2) for index, on in enumerate(edges[:-1])]
    assert in_beats(song(*trill, (3, 1, 72))) == [(0, 2, 74), (3, 1, 72)]
