"""Rules of how much a part plays at once: what each holds back, and that it says nothing otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.composing import voice_rules
from ritornello.music.plan import Plan
from ritornello.music.score import Part
from ritornello.representations.grid.vocabulary import DRUM_PART
from tests.composing.test_rules import BASS, forbidden, song


def test_a_part_has_so_many_notes_at_once() -> None:
    many = song()
    for pitch in range(30, 30 + voice_rules.VOICES):
        many.note(0, pitch=pitch)
    assert forbidden(voice_rules.hands_and_lungs(many.put(shift=0).ear)) == [0]
    many = song()
    for pitch in range(30, 30 + voice_rules.VOICES):
        many.note(0, pitch=pitch)
    assert voice_rules.hands_and_lungs(many.put(shift=12).ear) is None  # by then they have ended


def test_a_part_that_strikes_more_at_once_than_usual_is_held_back_ever_more() -> None:
    chord = song(voices=2).note(0).note(0, pitch=64)
    assert voice_rules.no_piling_up(chord.ear) is None  # the bass can follow
    chord.put(shift=0)
    held = voice_rules.as_many_voices_as_usual(chord.ear)
    assert held is not None
    assert {int(part): float(held[part]) for part in np.flatnonzero(held)} == {0: -voice_rules.CROWDED}
    chord.put(part=0, pitch=67, duration=11, velocity=16)
    chord.ear.listen()
    more = voice_rules.as_many_voices_as_usual(chord.put(shift=0).ear)
    assert more is not None and more[0] == -2 * voice_rules.CROWDED
    assert voice_rules.as_many_voices_as_usual(chord.put(shift=1).ear) is None  # a new onset


def test_where_only_a_full_part_could_follow_the_clock_moves_on() -> None:
    full = song(voices=1).note(0).note(0, part=BASS)
    bias = voice_rules.no_piling_up(full.ear)
    assert bias is not None
    assert {int(shift): float(bias[shift]) for shift in np.flatnonzero(bias)} == {0: -voice_rules.CROWDED}
    assert voice_rules.no_piling_up(song().note(0).note(0, part=BASS).ear) is None  # nothing is usual
    assert voice_rules.no_piling_up(song(voices=1).ear) is None  # nothing was struck


def test_what_others_would_have_played_is_not_played_by_the_parts_asked_for() -> None:
    ear = song().put(shift=12).ear
    logits = np.full(DRUM_PART + 1, -np.inf, np.float32)
    logits[[0, BASS, DRUM_PART]] = np.log(
        [0.1, 0.1, 0.8]
    )  # drums, which nobody asked for: a fifth is for ours
    ear.told("pitch", np.zeros(128, np.float32))
    assert ear.unasked == 0
    for times in (1, 2):
        ear.told("part", logits)
        for name, value in (("part", 0), ("pitch", 60 + times), ("duration", 11), ("velocity", 16)):
            ear.song.put(name, value)
        ear.listen()
        bias = voice_rules.no_standing_in(ear)
        assert bias is not None and np.flatnonzero(bias).tolist() == [0]
        assert bias[0] == pytest.approx(times * np.log(1 / 5), rel=1e-5)
        ear.song.put("shift", 0)
    logits[DRUM_PART] = -np.inf
    ear.song.put("shift", 6)
    ear.told("part", logits)  # another onset, and nothing but ours
    assert ear.unasked == pytest.approx(0, abs=1e-6)


def test_drums_strike_what_they_like() -> None:
    drums = song(Plan(4, parts=(Part("", 0, True),)), voices=1).note(0, part=DRUM_PART)
    assert voice_rules.no_piling_up(drums.ear) is None
    assert voice_rules.as_many_voices_as_usual(drums.put(shift=0).ear) is None
