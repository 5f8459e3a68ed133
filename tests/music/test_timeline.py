"""Timeline: the bars of songs with any meters."""

import numpy as np
import pytest
from hypothesis import given

from ritornello.errors import ScoreError
from ritornello.music.score import Chord, Meter, Score
from ritornello.music.timeline import Timeline
from tests.scores import scores, tune


def bars(*meters: Meter, ticks_per_beat: int = 24, last_onset: int = 0) -> list[tuple[int, int, str]]:
    """(start, length, meter) of the bars of a song whose last onset is given."""
    song = Score.of(ticks_per_beat, [last_onset], [10**6], [60], [64], meters=meters)
    timeline = Timeline.of(song)
    columns = (timeline.start_ticks, timeline.length_ticks, timeline.numerator, timeline.denominator)
    return [(s, n, f"{a}/{b}") for s, n, a, b in zip(*(c.tolist() for c in columns), strict=True)]


def test_without_a_meter_bars_are_four_beats() -> None:
    assert bars(last_onset=96) == [(0, 96, "4/4"), (96, 96, "4/4")]  # 4 x 24 ticks


@pytest.mark.parametrize(
    ("meter", "length"),
    [
        (Meter(0, 3, 4), 72),  # 3 quarters of 24
        (Meter(0, 7, 8), 84),  # 7 eighths of 12
        (Meter(0, 6, 8), 72),
        (Meter(0, 2, 2), 96),  # 2 halves of 48
        (Meter(0, 5, 16), 30),  # 5 sixteenths of 6
        (Meter(0, 1, 1), 96),
    ],
)
def test_length_of_a_bar(meter: Meter, length: int) -> None:
    name = f"{meter.numerator}/{meter.denominator}"
    assert bars(meter, last_onset=2 * length) == [
        (0, length, name),
        (length, length, name),
        (2 * length, length, name),
    ]


def test_the_last_bar_is_that_of_the_last_onset_however_long_it_sounds() -> None:
    # the note in bars() lasts 10^6 ticks
    assert len(bars(last_onset=95)) == 1
    assert len(bars(last_onset=96)) == 2
    assert len(bars(Meter(0, 3, 4), last_onset=3 * 72 - 1)) == 3


def test_a_change_inside_a_bar_starts_a_new_one() -> None:
    # 4/4 from 0; at 120, a quarter into the second bar, 3/4: that bar has 24 ticks
    assert bars(Meter(0, 4, 4), Meter(120, 3, 4), last_onset=200) == [
        (0, 96, "4/4"),
        (96, 24, "4/4"),
        (120, 72, "3/4"),
        (192, 72, "3/4"),
    ]


def test_a_change_on_a_bar_line_leaves_no_empty_bar() -> None:
    assert bars(Meter(0, 4, 4), Meter(96, 6, 8), last_onset=100) == [(0, 96, "4/4"), (96, 72, "6/8")]


def test_a_first_meter_that_is_late_comes_after_four_four() -> None:
    assert bars(Meter(30, 2, 4), last_onset=31) == [(0, 30, "4/4"), (30, 48, "2/4")]


def test_a_change_after_the_last_onset_ends_the_last_bar_or_does_not_count() -> None:
    assert bars(Meter(0, 4, 4), Meter(50, 3, 4), last_onset=10) == [(0, 50, "4/4")]
    assert bars(Meter(0, 4, 4), Meter(500, 3, 4), last_onset=10) == [(0, 96, "4/4")]


def test_bars_of_a_fraction_of_a_tick_do_not_drift() -> None:
    # 7/64 at 24 ticks a beat: 24 x 4 x 7 / 64 = 10.5 ticks; the edges are 0, 10.5, 21, 31.5 rounded down
    assert bars(Meter(0, 7, 64), last_onset=31) == [
        (0, 10, "7/64"),
        (10, 11, "7/64"),
        (21, 10, "7/64"),
        (31, 11, "7/64"),
    ]
    # counted from the place of the change: 100, 110.5, 121
    assert bars(Meter(0, 1, 1), Meter(100, 7, 64), last_onset=115)[2:] == [
        (100, 10, "7/64"),
        (110, 11, "7/64"),
    ]


def test_a_bar_has_at_least_one_tick() -> None:
    # 1/64 at one tick a beat would be 1/16 tick
    assert bars(Meter(0, 1, 64), ticks_per_beat=1, last_onset=2) == [(tick, 1, "1/64") for tick in range(3)]


def test_no_notes_no_bars() -> None:
    empty = Timeline.of(Score.of(24, [], [], [], [], meters=(Meter(0, 3, 4), Meter(99, 4, 4))))
    assert len(empty) == 0
    assert empty.end_ticks == 0
    assert empty.bar_of([0]).tolist() == [-1]


def test_the_fixed_tune() -> None:
    timeline = Timeline.of(tune())
    assert timeline.start_ticks.tolist() == [0, 1920, 3840, 5760]  # 4 beats of 480
    assert timeline.end_ticks == 7680
    assert timeline.chords[1] == Chord(1920, 0, "maj")
    assert timeline.returns_to.tolist() == [-1] * 4


def test_a_bar_of_more_than_sixteen_beats_counts_as_four_four() -> None:
    assert bars(Meter(0, 16, 4), last_onset=384) == [(0, 384, "16/4"), (384, 384, "16/4")]
    assert bars(Meter(0, 17, 4), last_onset=96) == [(0, 96, "4/4"), (96, 96, "4/4")]


def test_bar_of() -> None:
    timeline = Timeline.of(tune())
    assert timeline.bar_of([0, 1919, 1920, 7679, 9999]).tolist() == [0, 0, 1, 3, 3]  # past the end: the last
    assert timeline.bar_of(5000).item() == 2


def test_a_damaged_song_does_not_fill_the_memory() -> None:
    # one tick a beat and 2^30 ticks: 2^28 bars of 4/4
    with pytest.raises(ScoreError, match=r"^268435457 bars at 1 ticks a beat: must be at most 1000000$"):
        Timeline.of(Score.of(1, [2**30], [1], [60], [64]))


@given(scores())
def test_bars_join_and_cover_every_onset(song: Score) -> None:
    timeline = Timeline.of(song)
    ends = timeline.start_ticks + timeline.length_ticks
    assert (timeline.length_ticks >= 1).all()
    assert (timeline.start_ticks[1:] == ends[:-1]).all()
    if not len(song):
        assert len(timeline) == 0
        return
    assert timeline.start_ticks[0] == 0
    assert timeline.start_ticks[-1] <= song.onset_ticks[-1] < timeline.end_ticks
    bar = timeline.bar_of(song.onset_ticks)
    assert (timeline.start_ticks[bar] <= song.onset_ticks).all()
    assert (song.onset_ticks < ends[bar]).all()
    for meter in song.meters:  # every change up to the last onset begins a bar
        assert meter.onset_ticks > song.onset_ticks[-1] or meter.onset_ticks in timeline.start_ticks
    full = timeline.length_ticks * timeline.denominator / (4 * song.ticks_per_beat)
    usual = np.abs(full - timeline.numerator) < timeline.denominator / (4 * song.ticks_per_beat)
    before_a_change = np.isin(ends, [meter.onset_ticks for meter in song.meters])
    tiny = timeline.length_ticks == 1
    assert (usual | before_a_change | tiny).all()  # a bar is as long as its meter says, to less than a tick
