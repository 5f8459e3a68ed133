"""The groove of the drums: which bars repeat which, and the rules that make them do so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ritornello.composing.drum_groove import DrumGroove
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampling_rules import drums
from ritornello.composing.style_stats import StyleStats
from ritornello.music.form import parse_form
from ritornello.music.plan import Plan
from ritornello.music.score import Part
from ritornello.music.sketch import CLOSED, NO_CADENCE, Sketch
from ritornello.music.sketch import END as SONG_END
from ritornello.representations.grid.vocabulary import DRUM_PART, END, WAIT
from tests.composing.test_rules import FOUR, Song

KICK, SNARE, HAT = 36, 38, 42
BAND = replace(FOUR, parts=(Part(), Part("", 0, True)))  # four bars of 96 ticks
KICK_AND_SNARE = StyleStats(grooves=1.0)
LOOPS = StyleStats(grooves=1.0, loops=1.0)


def request(style: StyleStats, plan: Plan = BAND, **changed: Any) -> Request:
    return replace(request_for(plan, seed=0), style=style, **changed)


def played(style: StyleStats, plan: Plan = BAND) -> Song:
    """A song whose first bar has a kick with a hat, a snare on 3, and a hat on 4."""
    song = Song(request(style, plan))
    song.note(0, DRUM_PART, KICK).note(0, DRUM_PART, HAT).note(48, DRUM_PART, SNARE).note(24, DRUM_PART, HAT)
    return song


def passed_by(song: Song) -> list[int]:
    """The shifts that are less likely."""
    bias = drums.favour_onsets_of_groove(song.state)
    return [] if bias is None else np.flatnonzero(bias < 0).tolist()


def test_a_bar_plays_the_kick_and_snare_of_the_one_before() -> None:
    song = played(KICK_AND_SNARE)  # the clock is at 72; bar 2 begins at 96
    assert passed_by(song) == [*range(25, 192), WAIT, END]
    song.note(24, DRUM_PART, KICK)
    assert passed_by(song) == [*range(49, 192), WAIT, END]  # the snare at 144 comes next
    song.note(12, DRUM_PART, HAT)  # the hats are free
    assert drums.favour_drums_of_groove(song.put(shift=6).state) is None


def test_the_groove_may_be_all_drums() -> None:
    song = played(LOOPS)
    assert song.state.groove is not None
    assert (song.state.groove.due(96), song.state.groove.due(144), song.state.groove.due(168)) == (
        [KICK, HAT],
        [SNARE],
        [HAT],
    )
    song.note(24, DRUM_PART, KICK)
    assert passed_by(song) == [*range(1, 194)]  # the hat at the same onset must come yet
    song.note(0, DRUM_PART, HAT)
    bias = drums.favour_drums_of_groove(song.put(shift=12).state)
    assert bias is not None
    assert np.flatnonzero(bias).tolist() == [DRUM_PART]
    assert bias[DRUM_PART] == -drums.PART_NATS  # nothing is due there


def test_where_drums_are_due_no_other_part_is_asked_to_play() -> None:
    song = played(KICK_AND_SNARE)
    logits = np.zeros(194, np.float32)
    logits[24] = -3.0  # the network would hardly begin a note there
    song.state.observe_logits("shift", logits)
    bias = drums.favour_drums_of_groove(song.put(shift=24).state)
    assert bias is not None
    assert bias[DRUM_PART] == np.float32(np.log(193 + np.exp(-3.0)) + 3.0)


def test_pitches_come_in_ascending_order() -> None:
    song = played(LOOPS).put(shift=24, part=DRUM_PART)
    bias = drums.keep_drums_of_groove(song.state)
    assert bias is not None
    assert np.flatnonzero(bias == 0).tolist() == [KICK]
    assert bias[SNARE] < 0
    assert bias[HAT] < 0  # it is due too, but after it no kick could follow


def test_a_pitch_that_was_skipped_is_no_longer_due() -> None:
    song = played(LOOPS).note(24, DRUM_PART, HAT)
    assert song.state.groove is not None
    assert song.state.groove.due(96) == []  # a kick would be below the hat: the onset is over
    assert 0 not in passed_by(song)
    assert passed_by(song) == [*range(49, 192), WAIT, END]


def test_a_bar_repeats_the_bar_to_which_it_returns_else_the_last_groove() -> None:
    sketch = Sketch(
        (NO_CADENCE, CLOSED, NO_CADENCE, SONG_END), (), BAND.parts, (((4, 60),) * 4, ((4, 0),) * 4)
    )
    plan = replace(BAND, sketch=sketch)
    starts = [0, 96, 192, 288]
    free, returning = (DrumGroove(request(LOOPS, each), starts) for each in (
        plan, replace(plan, returns=((-1, 0), (-1, 0), (1, 3), (-1, 0)))
    ))  # fmt: skip
    for groove in (free, returning):
        for onset, pitch in ((0, KICK), (24, SNARE), (96 + 12, KICK), (96 + 36, SNARE)):
            groove.add(onset, pitch)
    assert free.next_tick(192) == 192 + 24  # bar 2 ends a phrase, so it is a fill
    assert returning.next_tick(192) == 192 + 12  # but it is what the form repeats


def test_the_snare_plays_on_2_and_4_where_nothing_is_repeated() -> None:
    groove = Song(request(StyleStats(backbeats=1.0))).state.groove
    assert groove is not None
    assert [groove.next_tick(tick) for tick in (0, 24, 72)] == [24, 72, 96 + 24]
    assert groove.fixed_pitches(0) == frozenset()  # more may be played
    waltz = Song(request(StyleStats(backbeats=1.0), replace(BAND, meters=((0, 3, 4),)))).state.groove
    assert waltz is not None
    assert waltz.next_tick(0) == -1


def test_some_requests_have_no_groove() -> None:
    assert Song(request(StyleStats())).state.groove is None  # the label has no habits
    assert Song(request(LOOPS, replace(BAND, parts=(Part(),)))).state.groove is None
    assert (
        Song(request(LOOPS, avoided=frozenset({(0, DRUM_PART, KICK)}))).state.groove is None
    )  # takes differ


def test_as_many_bars_repeat_as_the_label_has() -> None:
    plan = replace(BAND, bars=200, returns=parse_form("A200"))
    groove = DrumGroove(request(StyleStats(grooves=0.7, loops=0.4), plan), list(range(0, 200 * 96, 96)))
    groove.add(0, KICK)
    groove.add(24, SNARE)
    fixed = [len(groove.fixed_pitches(bar * 96)) for bar in range(1, 200)]
    assert 0.3 < np.mean([count == 128 for count in fixed]) < 0.5
    assert 0.6 < np.mean([count > 0 for count in fixed]) < 0.8
