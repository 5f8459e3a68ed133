"""Rules of how much a part plays at once: what each holds back, and that it says nothing otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.composing.sampling_rules import parts, timing
from ritornello.composing.style_stats import StyleStats
from ritornello.music.plan import Plan
from ritornello.music.score import Part
from ritornello.representations.grid.vocabulary import DRUM_PART
from tests.composing.test_rules import BASS, forbidden, song


def test_a_part_has_so_many_notes_at_once() -> None:
    many = song()
    for pitch in range(30, 30 + parts.MAX_SOUNDING_NOTES):
        many.note(0, pitch=pitch)
    assert forbidden(parts.forbid_too_many_sounding_notes(many.put(shift=0).state)) == [0]
    many = song()
    for pitch in range(30, 30 + parts.MAX_SOUNDING_NOTES):
        many.note(0, pitch=pitch)
    assert parts.forbid_too_many_sounding_notes(many.put(shift=12).state) is None  # by then they have ended


def test_a_part_that_strikes_more_at_once_than_usual_is_held_back_ever_more() -> None:
    chord = song(style=StyleStats(voices=2)).note(0).note(0, pitch=64)
    assert timing.penalize_excess_onsets(chord.state) is None  # the bass can follow
    chord.put(shift=0)
    held = parts.penalize_excess_notes(chord.state)
    assert held is not None
    assert {int(part): float(held[part]) for part in np.flatnonzero(held)} == {0: -parts.EXCESS_NATS}
    chord.put(part=0, pitch=67, duration=11, velocity=16)
    chord.state.update()
    more = parts.penalize_excess_notes(chord.put(shift=0).state)
    assert more is not None and more[0] == -2 * parts.EXCESS_NATS
    assert parts.penalize_excess_notes(chord.put(shift=1).state) is None  # a new onset


def test_where_only_a_full_part_could_follow_the_clock_moves_on() -> None:
    full = song(style=StyleStats(voices=1)).note(0).note(0, part=BASS)
    bias = timing.penalize_excess_onsets(full.state)
    assert bias is not None
    assert {int(shift): float(bias[shift]) for shift in np.flatnonzero(bias)} == {0: -parts.EXCESS_NATS}
    assert timing.penalize_excess_onsets(song().note(0).note(0, part=BASS).state) is None  # nothing is usual
    assert timing.penalize_excess_onsets(song(style=StyleStats(voices=1)).state) is None  # nothing was struck


def test_what_others_would_have_played_is_not_played_by_the_parts_asked_for() -> None:
    state = song().put(shift=12).state
    logits = np.full(DRUM_PART + 1, -np.inf, np.float32)
    logits[[0, BASS, DRUM_PART]] = np.log(
        [0.1, 0.1, 0.8]
    )  # drums, which nobody asked for: a fifth is for ours
    state.observe_logits("pitch", np.zeros(128, np.float32))
    assert state.unrequested_nats == 0
    for times in (1, 2):
        state.observe_logits("part", logits)
        for name, value in (("part", 0), ("pitch", 60 + times), ("duration", 11), ("velocity", 16)):
            state.song.put(name, value)
        state.update()
        bias = timing.penalize_substitute_notes(state)
        assert bias is not None and np.flatnonzero(bias).tolist() == [0]
        assert bias[0] == pytest.approx(times * np.log(1 / 5), rel=1e-5)
        state.song.put("shift", 0)
    logits[DRUM_PART] = -np.inf
    state.song.put("shift", 6)
    state.observe_logits("part", logits)  # another onset, and nothing but ours
    assert state.unrequested_nats == pytest.approx(0, abs=1e-6)


def test_drums_strike_what_they_like() -> None:
    drums = song(Plan(4, parts=(Part("", 0, True),)), style=StyleStats(voices=1)).note(0, part=DRUM_PART)
    assert timing.penalize_excess_onsets(drums.state) is None
    assert parts.penalize_excess_notes(drums.put(shift=0).state) is None


def test_a_bar_has_as_many_notes_of_a_part_as_usual() -> None:
    full = song(style=StyleStats(notes=2)).note(0).note(12)
    held = parts.penalize_excess_notes(full.put(shift=12).state)
    assert held is not None and held[0] == -parts.EXCESS_NATS and held[BASS] == 0
    assert parts.penalize_excess_notes(full.put(shift=90).state) is None  # the next bar
    assert timing.penalize_excess_onsets(full.state) is None  # the bass has none yet
    full.note(12, part=BASS).note(12, part=BASS)
    onsets = timing.penalize_excess_onsets(full.state)
    assert onsets is not None
    # at 36 of 96 ticks: all shifts into this bar
    assert np.flatnonzero(onsets).tolist() == list(range(60))
    assert timing.penalize_excess_onsets(song().note(0).note(12).state) is None  # nothing is usual


def test_chords_are_held_back_after_more_notes_at_once_than_people_write() -> None:
    begun = song(style=StyleStats(notes_struck=1.5)).note(0).note(0, pitch=64).note(0, pitch=67)
    bias = parts.penalize_excess_notes(begun.put(shift=0).state)
    assert bias is not None
    # a fourth note where 1.5 are usual; means are over eight onsets at least
    assert bias[0] == pytest.approx(-parts.EXCESS_NATS * (4 - 1.5) / 8)
    assert parts.penalize_excess_notes(begun.put(shift=24).state) is None  # a single note may come
