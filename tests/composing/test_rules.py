"""Rules: what each forbids or holds back, and that it says nothing otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ritornello.composing.given_music import read_melody, read_redo
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampling_rules import RULES, parts, pitches, timing
from ritornello.composing.sampling_rules.dead_ends import leads_nowhere
from ritornello.composing.sampling_state import PLANNED_BARS, SamplingState
from ritornello.composing.style_stats import StyleStats
from ritornello.music.instrument_ranges import pitch_range
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part, Score
from ritornello.music.sketch import Sketch
from ritornello.representations.grid.cursor import Cursor
from ritornello.representations.grid.vocabulary import (
    DRUM_PART,
    DURATION_TICKS,
    END,
    VOID,
    WAIT,
    duration_class,
)
from ritornello.representations.notes import Notes

NOTES = Notes()
FOUR = Plan(4, key=(0, False), parts=(Part(), Part("", 33)))  # four bars of 96 ticks; parts 0 and 132
BASS = 132


class Song:
    """A song in the making, for the rules to listen to."""

    def __init__(self, request: Request) -> None:
        self.cursor: Cursor = NOTES.cursor([request.timeline], [request.given], [request.prompt])
        self.state = SamplingState(request, self.cursor.songs[0])

    def note(self, shift: int, part: int = 0, pitch: int = 60, duration: int = 11) -> Song:
        """A row of a note; a duration of class 11 is 12 ticks."""
        for name, value in zip(VOID, (shift, part, pitch, duration, 16), strict=True):
            assert self.cursor.allowed(name)[0, value]
            self.cursor.put(name, [value])
        self.state.update()
        return self

    def put(self, **values: int) -> Song:
        """The first choices of a row."""
        for name, value in values.items():
            self.cursor.put(name, [value])
        return self


def song(plan: Plan = FOUR, **changed: Any) -> Song:
    return Song(replace(request_for(plan, seed=0), **changed))


def forbidden(bias: Any) -> list[int]:
    """The classes that are forbidden."""
    return [] if bias is None else np.flatnonzero(np.isneginf(bias)).tolist()


def test_no_bar_is_silent() -> None:
    first = forbidden(timing.forbid_silence(song().state))
    assert first == [*range(48, 192), WAIT, END]  # a song begins before the middle of bar 0
    redone = forbidden(timing.forbid_silence(song(end_tick=384).state))
    assert redone == [*range(96, 192), WAIT, END]  # bar 0 needs a note
    # from 90 in bar 0: bar 1 ends 102 ticks on
    assert forbidden(timing.forbid_silence(song().note(90).state)) == [*range(102, 192), WAIT, END]
    # held for 54 ticks (class 48) to the middle of bar 1, that one sounds: bar 2 ends 198 ticks on
    held = song().note(90, duration=48)
    assert forbidden(timing.forbid_silence(held.state)) == [END]


def test_a_note_that_is_struck_again_no_longer_fills_bars() -> None:
    # 384 ticks would fill all bars; struck again at 24 for 12 ticks, bar 1 is silent: it ends 168 on
    begun = song().note(12, duration=63).note(12)
    assert begun.state.sounding_until == 36
    assert begun.state.sounding == {0: [36]}
    assert forbidden(timing.forbid_silence(begun.state)) == [*range(168, 192), WAIT, END]
    # another pitch and another part cut nothing
    for note in ({"pitch": 62}, {"part": BASS}):
        assert forbidden(timing.forbid_silence(song().note(12, duration=63).note(12, **note).state)) == [END]


def test_a_given_note_ends_the_one_before_it() -> None:
    given = Score.of(GRID, [24], [12], [60], [64])
    begun = song(given=given).note(12, duration=63)
    assert forbidden(timing.forbid_silence(begun.state)) == [END]  # the last bar has no onset yet
    begun.note(12)  # the given one, at 24: it cuts, and does not sound for what is composed
    assert forbidden(timing.forbid_silence(begun.state)) == [*range(168, 192), WAIT, END]


def test_what_joins_given_notes_sounds_in_each_bar_too() -> None:
    given = Score.of(GRID, [0, 96, 192, 288], [96] * 4, [60] * 4, [64] * 4)
    assert forbidden(timing.forbid_silence(song(given=given).state)) == [*range(96, 192), WAIT, END]


def test_the_last_bar_has_an_onset() -> None:
    begun = song().note(0, duration=63)  # 384 ticks: it sounds to the end
    assert forbidden(timing.forbid_silence(begun.state)) == [END]
    for _ in range(3):
        begun.note(96)
    assert timing.forbid_silence(begun.state) is None


def test_all_parts_are_heard_before_the_end() -> None:
    begun = song()
    for _ in range(3):
        begun.note(95)
    assert WAIT in forbidden(timing.forbid_end_before_all_parts_play(begun.state))  # it would lead to the end
    begun.note(10)
    assert END in forbidden(timing.forbid_end_before_all_parts_play(begun.state))
    assert forbidden(parts.require_unplayed_parts(begun.put(shift=10).state)) == []
    later = song()
    for _ in range(4):
        later.note(90)
    only = parts.require_unplayed_parts(later.put(shift=0).state)  # the second half of the last bar
    assert np.flatnonzero(only == 0).tolist() == [BASS]
    assert timing.forbid_end_before_all_parts_play(song().note(0).note(0, BASS).state) is None


def test_parts_that_nobody_asked_for_may_stay_silent() -> None:
    begun = song(parts_are_optional=True).note(90).note(90).note(90).note(90)
    assert parts.require_unplayed_parts(begun.put(shift=0).state) is None
    assert timing.forbid_end_before_all_parts_play(begun.state) is None
    assert forbidden(parts.forbid_unrequested_parts(begun.state)) == [
        p for p in range(DRUM_PART + 1) if p not in (0, BASS)
    ]


def test_a_part_that_plays_too_little_is_called_for() -> None:
    begun = (
        song(style=StyleStats(plays=0.5)).note(0).note(96)
    )  # part 0 twice in two bars; the bass lacks one of them, then 1.5
    for shift, bars in ((12, 1.0), (96, 1.5)):
        bias = parts.favour_rare_parts(begun.put(shift=shift).state)
        assert bias is not None
        assert {p: float(bias[p]) for p in np.flatnonzero(bias)} == {BASS: parts.NATS_PER_MISSING_BAR * bars}
    assert parts.favour_rare_parts(song().note(0).note(96).put(shift=12).state) is None
    assert (
        parts.favour_rare_parts(song(style=StyleStats(plays=0.5)).note(0).note(0, BASS).put(shift=12).state)
        is None
    )


def test_of_parts_that_may_stay_silent_half_are_called_for() -> None:
    four = replace(FOUR, parts=(Part(), Part("", 33), Part("", 40), Part("", 0, True)))
    begun = song(four, parts_are_optional=True).note(0, DRUM_PART).note(96, DRUM_PART)
    bias = parts.favour_rare_parts(begun.put(shift=12).state)
    assert bias is not None
    assert np.flatnonzero(bias).tolist() == [0, BASS, 160]
    assert parts.favour_rare_parts(begun.note(12, BASS).put(shift=12).state) is None  # two of four


def with_textures(*bass: int) -> Plan:
    """The plan with a sketch in which the piano plays four notes a bar and the bass as many as given."""
    textures = (((4, 60),) * 4, tuple((notes, 40 if notes else -1) for notes in bass))
    return replace(FOUR, sketch=Sketch((-1,) * 4, (-1,) * 4, FOUR.parts, textures))


def test_a_part_rests_where_the_sketch_says_so() -> None:
    begun = song(with_textures(0, 2, -1, 2))
    for bar in range(4):
        bias = parts.forbid_unrequested_parts(begun.put(shift=12).state)
        assert set(range(513)) - set(forbidden(bias)) == ({0} if bar == 0 else {0, BASS})
        begun.note(96 if bar else 90)
    # nothing above the piano's highest note can follow where the bass rests
    top = song(with_textures(0, 2, 2, 2)).note(0, 0, pitch_range(0)[1])
    assert forbidden(timing.forbid_crowded_onsets(top.state)) == [0]
    assert leads_nowhere(top.state, "shift", 0, RULES)


def test_a_part_that_must_play_may_do_so_in_the_last_bar_though_it_rests() -> None:
    begun = song(with_textures(2, 0, 0, 0)).note(90).note(90).note(90)
    assert BASS in forbidden(parts.forbid_unrequested_parts(begun.put(shift=0).state))
    assert BASS not in forbidden(parts.forbid_unrequested_parts(begun.put(shift=80).state))
    assert forbidden(parts.forbid_unrequested_parts(begun.note(80, BASS).put(shift=5).state)).count(BASS)
    resting = song(with_textures(0, 0, 0, 0)).note(90).note(90).note(90)  # the sketch wants it to be silent
    assert BASS in forbidden(parts.forbid_unrequested_parts(resting.put(shift=80).state))
    assert timing.forbid_end_before_all_parts_play(resting.state) is None


def test_a_bar_is_silent_if_all_rest_in_the_sketch() -> None:
    plan = replace(with_textures(0, 2, 2, 2), sketch=Sketch((), (), FOUR.parts, (((0, -1),) * 4,) * 2))
    assert forbidden(timing.forbid_silence(song(plan).state)) == []
    assert forbidden(timing.forbid_onsets_outside_requested_bars(song(plan).state)) == list(range(192))
    third = (((4, 60), (4, 60), (0, -1), (4, 60)),) * 2  # both rest in the third bar only
    begun = song(replace(plan, sketch=Sketch((), (), FOUR.parts, third))).note(
        96
    )  # the clock is at its bar 2
    onsets = timing.forbid_onsets_outside_requested_bars(begun.state)
    assert forbidden(onsets) == list(range(96, 192))  # WAIT leads beyond it


def test_a_requested_part_is_called_for_though_the_network_hardly_knows_it() -> None:
    begun = song(with_textures(2, 2, 2, 2)).note(96)  # the bass was silent for a bar, and is at the next
    begun.put(shift=0).state.part_logits[BASS] = -50
    bias = parts.favour_rare_parts(begun.state)
    assert bias is not None
    # it misses that bar; its odds become LEAST_ODDS_PER_BAR against the piano, whose logit is 0
    assert float(bias[BASS]) == pytest.approx(50 + np.log(parts.LEAST_ODDS_PER_BAR), abs=1e-4)
    # of parts that may stay silent, one of two has played
    optional = song(with_textures(2, 2, 2, 2), parts_are_optional=True).note(96)
    optional.put(shift=0).state.part_logits[BASS] = -50
    bias = parts.favour_rare_parts(optional.state)
    assert bias is not None and float(bias[BASS]) == parts.NATS_PER_MISSING_BAR


def test_a_part_is_called_for_as_long_as_it_lacks_planned_notes() -> None:
    found = []
    for begun in (song(with_textures(2, 2, 2, 2)), song(with_textures(2, 2, 2, 2)).note(0, BASS)):
        bias = parts.favour_rare_parts(begun.put(shift=72).state)
        assert bias is not None
        found.append(float(bias[BASS] / parts.NATS_PER_MISSING_BAR))
    # three quarters of the bar are over; without a note, and with one of two
    assert found == [PLANNED_BARS * 0.75, PLANNED_BARS * 0.25]
    assert parts.favour_rare_parts(song(with_textures(2, 2, 2, 2)).put(shift=0).state) is None


def test_it_may_join_the_present_onset() -> None:
    bias = timing.favour_joining_rare_parts(song(style=StyleStats(plays=0.5)).note(0).state)
    assert bias is not None
    assert {p: float(bias[p]) for p in np.flatnonzero(bias)} == {0: parts.NATS_PER_MISSING_BAR * 0.5}
    assert (
        timing.favour_joining_rare_parts(song(style=StyleStats(plays=0.5)).note(0, BASS).state) is None
    )  # part 0 stands before it
    assert timing.favour_joining_rare_parts(song(style=StyleStats(plays=0.5)).state) is None  # no onset yet


def test_a_part_is_called_for_the_louder_the_later_it_is() -> None:
    calls = []
    for shift in (10, 90):
        bias = parts.require_unplayed_parts(song().note(0).put(shift=shift).state)
        assert bias is not None
        calls.append(float(bias[BASS]))
        assert bias[0] == 0
    assert 0 < calls[0] < calls[1]


def test_only_parts_that_were_asked_for() -> None:
    bias = parts.forbid_unrequested_parts(song().state)
    assert bias is not None
    assert np.flatnonzero(bias == 0).tolist() == [0, BASS]


def test_an_onset_comes_to_an_end() -> None:
    assert timing.forbid_crowded_onsets(song().note(0, BASS, 60).state) is None
    top = song().note(0, BASS, pitch_range(33)[1])  # the last part's highest pitch: nothing can follow here
    assert forbidden(timing.forbid_crowded_onsets(top.state)) == [0]
    many = song()
    for pitch in range(20, 20 + timing.MAX_NOTES_AT_ONSET):
        assert timing.forbid_crowded_onsets(many.state) is None
        many.note(0, pitch=pitch)
    assert forbidden(timing.forbid_crowded_onsets(many.state)) == [0]


DORIAN = replace(FOUR, key=(0, True), mode="dorian")  # on A: it has F sharp and no G sharp


def test_a_mode_holds_back_and_drums_and_keys_have_none() -> None:
    bias = pitches.penalize_pitches_outside_mode(song(plan=DORIAN).put(shift=0, part=0).state)
    assert bias is not None
    assert [pitch for pitch in range(60, 72) if bias[pitch] < 0] == [61, 63, 65, 68, 70]
    assert pitches.penalize_pitches_outside_mode(song().put(shift=0, part=0).state) is None
    drums = song(plan=DORIAN).put(shift=0, part=DRUM_PART)
    assert pitches.penalize_pitches_outside_mode(drums.state) is None


@pytest.mark.parametrize("moved", [0, 5])
def test_each_part_plays_what_its_instrument_can(moved: int) -> None:
    for part in (0, BASS):
        bias = pitches.forbid_unplayable_pitches(song(transposed_by=moved).put(shift=0, part=part).state)
        lowest, highest = pitch_range(part // 4)
        assert forbidden(bias) == [*range(lowest + moved), *range(highest + moved + 1, 128)]
    assert pitches.forbid_unplayable_pitches(song().put(shift=0, part=DRUM_PART).state) is None


def test_a_given_note_may_lie_anywhere() -> None:
    given = Score.of(GRID, [0], [96], [100], [64], parts=[Part("", 33)])
    begun = song(given=given, parts=(0, BASS)).put(shift=0, part=BASS)
    allowed = set(range(128)) - set(forbidden(pitches.forbid_unplayable_pitches(begun.state)))
    assert allowed == {*range(21, 80), 100}


def test_notes_end_with_the_last_bar() -> None:
    begun = song().note(0).note(96).note(96).note(96)
    for shift, left in ((0, 96), (50, 46), (95, 1)):
        bias = timing.forbid_sounding_after_end(begun.put(shift=shift).state)
        assert bias is not None
        longest = int(DURATION_TICKS[np.isfinite(bias)].max())
        assert longest == max(ticks for ticks in DURATION_TICKS.tolist() if ticks <= left)
    assert timing.forbid_sounding_after_end(song().put(shift=0).state) is None


def test_many_pitches_outside_the_mode_are_held_back_more() -> None:
    inside, outside = song(plan=DORIAN), song(plan=DORIAN)
    for _ in range(8):
        inside.note(6, pitch=60)
        outside.note(6, pitch=61)
    low, high = (
        pitches.penalize_pitches_outside_mode(s.put(shift=6, part=0).state) for s in (inside, outside)
    )
    assert low is not None
    assert high is not None
    assert high[61] < low[61] < 0 == low[60] == high[60]


def test_one_pitch_again_and_again_is_held_back() -> None:
    again, found = song(), []
    for _ in range(pitches.FREE_REPEATS + 2):
        again.note(6)
        bias = pitches.penalize_repeated_pitches(Song.put(again, shift=6, part=0).state)
        found.append(0.0 if bias is None else float(bias[60]))
        again.put(pitch=60, duration=0, velocity=0)
        again.state.update()
    assert found[0] == 0
    assert found[-1] < found[-2] < 0
    assert pitches.penalize_repeated_pitches(again.put(shift=6, part=BASS).state) is None


def test_repeats_are_held_back_beyond_what_is_usual_for_the_label() -> None:
    found = {}
    for usual in (0.0, 0.2, 1.0):
        again = (
            song(style=StyleStats(repeats=usual)).note(0).note(6).note(6)
        )  # two of three repeat, of eight at least
        bias = pitches.penalize_repeated_pitches(again.put(shift=6, part=0).state)
        found[usual] = 0.0 if bias is None else float(bias[60])
        assert bias is None or np.flatnonzero(bias).tolist() == [60]
    assert found[0.0] == -pitches.EXCESS_REPEAT_NATS * 2 / 8 - pitches.NEVER_REPEATS_NATS
    assert found[0.2] == pytest.approx(-pitches.EXCESS_REPEAT_NATS * (2 / 8 - 0.2))
    assert found[1.0] == 0


def test_what_is_redone_stays_in_its_bars() -> None:
    tune = Score.of(GRID, np.arange(16) * 24, [24] * 16, [60, 62] * 8, [64] * 16)
    plan = Plan.of(tune)
    asked = request_for(plan, seed=0, given=read_redo(tune, range(1, 3)))
    redone = Song(asked)
    assert (asked.first_tick, asked.end_tick) == (96, 288)
    while redone.cursor.songs[0].forced is not None:  # the bar before, and what comes after
        for name in VOID:
            redone.cursor.put(name, redone.cursor.allowed(name).argmax(axis=1))
        redone.state.update()
    assert redone.state.song.clock == 72
    assert forbidden(timing.forbid_onsets_outside_requested_bars(redone.state)) == list(range(24))
    redone.note(24)
    assert (
        forbidden(timing.forbid_onsets_outside_requested_bars(redone.state)) == []
    )  # 192 on, the next bar begins
    redone.note(150)
    # at 246, 42 before the end: on the given note that stands there it may step, but not beyond
    assert redone.state.song.next_given("shift") == 42
    assert forbidden(timing.forbid_onsets_outside_requested_bars(redone.state)) == list(range(43, 192))


def beside_melody(pitch: int) -> Song:
    """A flute (class 292) plays a pitch for a bar and rests until bar 4; piano and bass join it."""
    melody = Score.of(GRID, [0, 288], [96, 96], [pitch, pitch - 5], [64, 64], parts=[Part("", 73)])
    music = read_melody(melody)
    return song(given=music.canonical, music=music, parts=(0, BASS))


def test_parts_that_join_a_melody_lie_below_it() -> None:
    begun = beside_melody(72)
    for part in (0, BASS):
        bias = pitches.forbid_pitches_above_melody(begun.put(shift=0, part=part).state)
        assert forbidden(bias) == list(range(68, 128))  # the next note is lower
    rest = begun.put(shift=0, part=0, pitch=60, duration=11, velocity=9)
    bias = pitches.forbid_pitches_above_melody(rest.put(shift=150, part=0).state)
    assert forbidden(bias) == list(range(68, 128))
    assert pitches.forbid_pitches_above_melody(begun.put(shift=0, part=DRUM_PART).state) is None
    assert pitches.forbid_pitches_above_melody(song().put(shift=0, part=0).state) is None
    # the piano goes down to 21
    assert pitches.forbid_pitches_above_melody(beside_melody(25).put(shift=0, part=0).state) is None


def test_no_part_plays_again_where_only_pitches_above_the_melody_are_left() -> None:
    begun = beside_melody(72).note(0, 0, 67).put(shift=0)
    assert leads_nowhere(begun.state, "part", 0, RULES)
    assert not leads_nowhere(begun.state, "part", BASS, RULES)


def test_what_is_given_comes_though_nobody_asked_for_its_part() -> None:
    given = Score.of(GRID, [0, 96, 192, 288], [96] * 4, [60] * 4, [64] * 4, parts=[Part("", 73)])
    begun = song(given=given, parts=(0, BASS))
    flute = 73 * 4
    asked = begun.put(shift=0)
    assert sorted(set(range(513)) - set(forbidden(parts.forbid_unrequested_parts(asked.state)))) == [
        0,
        BASS,
        flute,
    ]
    assert (
        pitches.forbid_additions_to_given_parts(begun.put(part=BASS).state) is None
    )  # an asked part plays what it likes
    assert forbidden(pitches.forbid_additions_to_given_parts(begun.put(part=flute).state)) == [
        *range(60),
        *range(61, 128),
    ]


def test_given_notes_do_not_count_as_composed() -> None:
    given = Score.of(GRID, [0, 96], [96] * 2, [60] * 2, [64] * 2, parts=[Part("", 73)])
    begun = song(given=given, parts=(0, BASS))
    begun.note(0, part=73 * 4, duration=int(duration_class(96)))
    assert begun.cursor.songs[0].is_given == [True]
    assert (begun.state.played_parts, begun.state.onset, begun.state.notes_read) == (set(), -1, 1)
    assert forbidden(timing.forbid_silence(begun.state))[:1] == [96]  # bar 0 still needs a note
