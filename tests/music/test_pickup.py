"""Pickups: which bars count as one, and songs without the silence at their beginning."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from ritornello.music.pickup import without_leading_silence
from ritornello.music.plan import Plan
from ritornello.music.score import Chord, KeySignature, Marker, Meter, Score, Tempo
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes
from tests.scores import scores

FOUR, THREE, SIX_EIGHT = Meter(0, 4, 4), Meter(0, 3, 4), Meter(0, 6, 8)


def song(
    *onsets: int, meters: tuple[Meter, ...] = (FOUR,), ticks_per_beat: int = 24, **events: object
) -> Score:
    """A song of notes of 6 ticks, each a semitone above the one before."""
    pitch = np.arange(len(onsets)) + 60
    return Score.of(
        ticks_per_beat, onsets, [6] * len(onsets), pitch, [64] * len(onsets), meters=meters, **events
    )


@pytest.mark.parametrize(
    ("meters", "pickup_bars"),
    [
        ([(0, 1, 8), (1, 6, 8)], 1),
        ([(0, 3, 4), (1, 4, 4)], 1),
        ([(0, 6, 8)], 0),
        ([(0, 4, 4), (1, 3, 4)], 0),  # longer than the next
        ([(0, 1, 4), (2, 4, 4)], 0),  # two bars
        ([(0, 2, 4), (1, 3, 4), (2, 2, 4)], 0),  # the meter of the second bar does not stay
    ],
)
def test_a_short_first_bar_before_full_ones_is_a_pickup(
    meters: list[tuple[int, int, int]], pickup_bars: int
) -> None:
    plan = Plan(bars=9, meters=tuple(meters))
    assert plan.pickup_bars == plan.timeline(24).pickup_bars == pickup_bars
    assert plan.full_bars == plan.timeline(24).full_bars == 9 - pickup_bars


def test_a_bar_that_a_meter_cuts_short_is_a_pickup() -> None:
    # no meter before tick 1: a bar of 4/4 that has one tick
    assert Timeline.of(song(0, 30, 100, 200, meters=(Meter(1, 4, 4),))).pickup_bars == 1


def test_bars_of_unequal_ticks_are_no_pickup() -> None:
    # 7/64 at 24 ticks a beat: 10 ticks, 11, 10 ...
    assert Timeline.of(song(0, 12, 24, meters=(Meter(0, 7, 64),))).pickup_bars == 0
    assert Timeline.of(song(0, 12, meters=(Meter(0, 7, 64),))).pickup_bars == 0


def test_a_plan_counts_full_bars() -> None:
    plan = Plan(bars=17, meters=((0, 1, 8), (1, 6, 8)))
    assert str(plan) == "6/8, 120 bpm, 16 bars and a pickup"
    assert plan.only_main_meter().meters == ((0, 6, 8),)
    assert Plan(bars=2, meters=((0, 1, 8), (1, 6, 8))).only_main_meter().meters == ((0, 6, 8),)


@pytest.mark.parametrize(
    ("onsets", "meter", "expected", "meters"),
    [
        ([60, 72, 144], SIX_EIGHT, [0, 12, 84], [(0, 1, 8), (12, 6, 8)]),  # the last eighth of 6/8
        ([48, 96], FOUR, [0, 48], [(0, 2, 4), (48, 4, 4)]),  # half a bar
        ([47, 96], FOUR, [47, 96], [(0, 4, 4)]),  # a tick earlier: no pickup
        ([96 + 72, 192], FOUR, [0, 24], [(0, 1, 4), (24, 4, 4)]),  # a silent bar, then a quarter
        ([192, 288], FOUR, [0, 96], [(0, 4, 4)]),  # two silent bars
        ([88, 96], FOUR, [4, 12], [(0, 1, 8), (12, 4, 4)]),  # the last note of a triplet
        ([94, 120], FOUR, [0, 24], [(0, 4, 4)]),  # played a little early
        ([90], FOUR, [90], [(0, 4, 4)]),  # no bar follows
    ],
)
def test_silence_at_the_beginning_is_cut(
    onsets: list[int], meter: Meter, expected: list[int], meters: list[tuple[int, int, int]]
) -> None:
    found = without_leading_silence(song(*onsets, meters=(meter,)))
    assert found.onset_ticks.tolist() == expected
    assert list(found.meters) == meters


def test_events_move_with_the_notes() -> None:
    events = {
        "tempi": (Tempo(0, 400_000), Tempo(48, 500_000), Tempo(96, 600_000)),
        "keys": (KeySignature(0, 2, False),),
        "chords": (Chord(0, 0, "maj"), Chord(96, 7, "7")),
        "markers": (Marker(96, "A"),),
    }
    found = without_leading_silence(song(72, 96, 200, title="x", meters=(FOUR, Meter(96, 3, 4)), **events))
    assert found.tempi == (Tempo(0, 500_000), Tempo(24, 600_000))
    assert found.meters == (Meter(0, 1, 4), Meter(24, 3, 4))
    assert found.keys == events["keys"]
    assert found.chords == (Chord(0, 0, "maj"), Chord(24, 7, "7"))
    assert found.markers == (Marker(24, "A"),)
    assert found.title == "x"


def test_notes_that_are_over_before_the_bar_line_are_dropped() -> None:
    grace = Score.of(24, [94, 96], [2, 24], [62, 60], [64, 64], meters=(FOUR,))
    assert without_leading_silence(grace) == Score.of(24, [0], [24], [60], [64], meters=(FOUR,))


@given(scores(min_notes=1))
def test_any_song_begins_in_the_first_half_of_its_first_bar(score: Score) -> None:
    found = without_leading_silence(score)
    timeline = Timeline.of(found)
    assert found is score or len(timeline) <= len(Timeline.of(score))
    if score.ticks_per_beat % 4 == 0 and len(timeline) > 1:
        assert 2 * found.onset_ticks[0] < timeline.length_ticks[0]
    assert replace(without_leading_silence(found)) == found or score.ticks_per_beat % 4


@given(scores(min_notes=1, ticks_per_beat=480))
def test_rows_hold_a_song_with_a_pickup(score: Score) -> None:
    canonical, _ = Notes().canonical(without_leading_silence(score))
    assert Notes().decode(Notes().encode(canonical).values, Plan.of(canonical)) == canonical
