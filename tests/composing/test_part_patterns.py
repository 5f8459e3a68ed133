"""Bars in which the parts of a band repeat an earlier bar, and the rules that make them do so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ritornello.composing.part_patterns import PartPatterns
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampling_rules import patterns as rules
from ritornello.composing.style_stats import StyleStats
from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord, Part, Score
from ritornello.music.sketch import Sketch
from ritornello.representations.grid.vocabulary import DRUM_PART, END, WAIT, part_classes
from tests.composing.test_rules import Song

PARTS = (Part("", 0), Part("", 33), Part("", 0, True))
PIANO, BASS, _ = part_classes(PARTS).tolist()
BAND = Plan(4, parts=PARTS)
ALWAYS = StyleStats(patterns=1.0)  # after the first bar a repeat is lacking: every bar must repeat one
STARTS = [0, 96, 192, 288]
C, F = Chord(0, 0, ""), Chord(96, 5, "")


def request(style: StyleStats = ALWAYS, plan: Plan = BAND, **changed: Any) -> Request:
    return replace(request_for(plan, seed=0), style=style, **changed)


def band(plan: Plan = BAND) -> PartPatterns:
    """The patterns of a band after a bar with chords of the piano at 0 and 48, and a bass at 24."""
    found = PartPatterns(request(plan=plan), STARTS)
    for onset, part, pitch in ((0, PIANO, 60), (0, PIANO, 64), (24, BASS, 36), (48, PIANO, 62)):
        found.add(onset, part, pitch)
    return found


def test_parts_play_what_they_played_in_the_bar_before() -> None:
    found = band()
    assert found.repeating(96, (PIANO, BASS, DRUM_PART)) == [PIANO, BASS]
    assert found.repeating(0, (PIANO, BASS)) == []  # the first bar repeats none
    assert found.due(96, (PIANO, BASS)) == [PIANO]
    assert found.due_pitches(96, PIANO) == [60, 64]
    found.add(96, PIANO, 60)
    assert (found.due(96, (PIANO, BASS)), found.due_pitches(96, PIANO)) == ([PIANO], [64])
    found.add(96, PIANO, 64)
    assert found.due(96, (PIANO, BASS)) == []
    assert [found.next_tick(tick, (PIANO, BASS)) for tick in (96, 120, 144)] == [120, 144, -1]
    assert found.next_tick(95, (PIANO,)) == 96
    assert found.next_tick(383, (PIANO,)) == -1  # the song ends


def test_the_last_bar_is_free() -> None:
    assert band().repeating(288, (PIANO, BASS)) == []


def test_over_other_chords_only_the_onsets_are_repeated() -> None:
    found = band(replace(BAND, chords=(C, F)))
    assert found.due(96, (PIANO, BASS)) == [PIANO]
    assert found.due_pitches(96, PIANO) == []
    found.add(96, PIANO, 65)
    assert found.due(96, (PIANO, BASS)) == []  # it may play more notes, but need not


def test_a_bar_with_the_same_chords_is_preferred() -> None:
    found = band(replace(BAND, chords=(C, F, Chord(192, 0, ""))))
    found.add(108, BASS, 41)
    assert found.next_tick(192, (BASS,)) == 216  # as in bar 1; in bar 2, which comes later, the bass is at 12
    assert found.due_pitches(216, BASS) == [36]


def test_a_bar_of_another_density_is_not_repeated() -> None:
    textures = (((2, 60), (4, 60), (3, 60), (2, 60)), ((1, 36),) * 4, ((0, -1),) * 4)
    found = band(replace(BAND, sketch=Sketch((), (), PARTS, textures)))
    assert found.repeating(96, (PIANO, BASS)) == [BASS]  # four notes are more than 1.5 times two
    assert found.repeating(192, (PIANO, BASS)) == [PIANO, BASS]


def test_the_share_of_the_label_is_kept() -> None:
    plan = replace(BAND, bars=200, returns=parse_form("A200"))
    found = PartPatterns(request(StyleStats(patterns=0.6), plan), list(range(0, 200 * 96, 96)))
    repeats = 0
    for bar in range(200):
        ticks = [tick for tick in range(96 * bar, 96 * bar + 96) if found.due(tick, (BASS,))]
        repeats += bool(ticks)
        for tick in ticks or (96 * bar + bar // 90, 96 * bar + 4 + bar % 90):  # all others are new
            found.add(tick, BASS, 36)
    assert 0.5 < repeats / 200 < 0.8


def test_the_rules_call_for_the_due_notes() -> None:
    song = Song(request())
    song.note(0, PIANO).note(24, BASS, 36)
    song.state.observe_logits("shift", np.zeros(194, np.float32))
    onsets = rules.favour_onsets_of_patterns(song.state)  # at 24; the piano is due at 96
    assert onsets is not None
    assert np.flatnonzero(onsets < 0).tolist() == [*range(73, 192), WAIT, END]
    assert onsets[72] == pytest.approx(np.log(1 + 121))  # it gains what these 121 lose
    assert rules.favour_onsets_of_patterns(Song(request(plan=replace(BAND, parts=PARTS[:1]))).state) is None


def test_the_rules_call_for_the_due_parts_and_pitches() -> None:
    song = Song(request())
    song.note(0, PIANO).note(24, BASS, 36)
    song.state.observe_logits("shift", np.zeros(194, np.float32))
    song.put(shift=72)
    parts = rules.favour_parts_of_patterns(song.state)
    assert parts is not None
    assert parts[PIANO] == pytest.approx(np.log(194))  # the network gives the onset 1 of 194
    assert (parts[PIANO + 1 :] == -rules.PATTERN_NATS).all()
    song.put(part=PIANO)
    pitches = rules.keep_pitches_of_patterns(song.state)
    assert pitches is not None
    assert np.flatnonzero(pitches == 0).tolist() == [60]
    free = Song(request(StyleStats()))
    free.put(shift=0)
    assert rules.favour_parts_of_patterns(free.state) is None
    free.put(part=PIANO)
    assert rules.keep_pitches_of_patterns(free.state) is None


def test_some_requests_have_no_patterns() -> None:
    given = Score.of(GRID, [0], [24], [60], [64])
    takes = frozenset({(0, BASS, 36)})
    free = [request(StyleStats()), request(plan=replace(BAND, parts=PARTS[:2]))]
    for without in (*free, request(given=given), request(avoided=takes)):
        assert PartPatterns.of(without, STARTS) is None
    assert PartPatterns.of(request(), STARTS) is not None
