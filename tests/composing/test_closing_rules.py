"""The rules that keep the closing notes of a sketch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ritornello.composing.sampling_rules import closing
from ritornello.music.plan import Plan
from ritornello.music.score import Part
from ritornello.music.sketch import END as SONG_END
from ritornello.music.sketch import UNKNOWN, Sketch
from ritornello.representations.grid.vocabulary import END, WAIT
from tests.composing.test_rules import BASS, FOUR, Song, song

NO_CLOSING = (UNKNOWN, UNKNOWN)
PIANO = FOUR.parts[0]


def closes(*closings: tuple[int, int], parts: tuple[Part, ...] = (PIANO,)) -> Plan:
    """A plan of so many bars; all parts play, a piano around C4 and a bass around E2."""
    pitches = {0: 60, 33: 40}
    textures = tuple(((4, pitches[part.program]),) * len(closings) for part in parts)
    cadences = (*(0 if closing == NO_CLOSING else 1 for closing in closings[:-1]), SONG_END)
    sketch = Sketch(cadences, (), parts, textures, closings)
    return replace(FOUR, bars=len(closings), parts=parts, sketch=sketch)


def passed_by(begun: Song) -> list[int]:
    """The shifts that are less likely."""
    bias = closing.favour_closing_notes(begun.state)
    return [] if bias is None else np.flatnonzero(bias < 0).tolist()


def test_no_shift_passes_the_closing_onset_by() -> None:
    begun = song(closes((48, 7), NO_CLOSING)).note(0)
    assert passed_by(begun) == [*range(49, 192), WAIT, END]  # 48 ticks are left from the first note
    assert passed_by(begun.note(48)) == []  # it is there
    assert passed_by(begun.note(60)) == []  # bar 2 has none


def test_the_last_closing_note_of_a_single_part_is_the_last_note() -> None:
    assert passed_by(song(closes((0, 0))).note(0)) == list(range(1, 193))  # but another note may join it
    assert passed_by(song(closes((0, 0), NO_CLOSING)).note(0)) == []  # the song goes on
    two = closes((0, 0), parts=FOUR.parts)
    assert passed_by(song(two).note(0)) == []


def test_the_leading_part_closes_on_the_planned_pitch_class() -> None:
    begun = song(closes((48, 7), NO_CLOSING, parts=FOUR.parts)).note(0)
    bias = closing.keep_closing_pitch(begun.put(shift=48, part=0).state)
    assert bias is not None
    assert np.flatnonzero(bias == 0).tolist() == list(range(7, 128, 12))
    assert set(bias[bias < 0].tolist()) == {-closing.PITCH_NATS}
    begun = song(closes((48, 7), NO_CLOSING, parts=FOUR.parts)).note(0)
    assert closing.keep_closing_pitch(begun.put(shift=48, part=BASS).state) is None  # it does not lead
    begun = song(closes((48, 7), NO_CLOSING)).note(0)
    assert closing.keep_closing_pitch(begun.put(shift=36, part=0).state) is None  # too early
    begun = song(closes((48, 7), NO_CLOSING)).note(0).note(48, pitch=55)
    assert closing.keep_closing_pitch(begun.put(shift=0, part=0).state) is None  # the second note of a chord


def test_without_closing_notes_the_rules_do_nothing() -> None:
    begun = song(FOUR).note(0)
    assert passed_by(begun) == []
    assert closing.keep_closing_pitch(begun.put(shift=48, part=0).state) is None
