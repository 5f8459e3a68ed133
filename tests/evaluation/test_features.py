"""Features by hand on small songs, and over any song."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from ritornello.evaluation.analysed_song import AnalysedSong, longest_run
from ritornello.evaluation.features import (
    FEATURES,
    MORE_NUMBERS,
    Feature,
    number_names,
    song_numbers,
    song_table,
)
from ritornello.music.score import Meter, Part, Score
from tests.scores import scores, tune

BY_NAME = {feature.name: feature for feature in FEATURES}


def values(name: str, song: Score) -> list[float]:
    return [round(float(value), 6) for value in BY_NAME[name].values(AnalysedSong(song))]


def bars(*rhythms: str, pitch: int = 60, meters: tuple[Meter, ...] = ()) -> Score:
    """Bars of four quarters: a digit strikes `pitch` and so many semitones more, a dot is silence."""
    places = [
        (4 * bar + beat, int(sign))
        for bar, rhythm in enumerate(rhythms)
        for beat, sign in enumerate(rhythm)
        if sign != "."
    ]
    onset = np.array([place for place, _ in places])
    pitches = [pitch + step for _, step in places]
    ones = np.ones(len(onset), int)
    return Score.of(24, 24 * onset, 24 * ones, pitches, 64 * ones, meters=meters)


def test_a_tune_by_hand() -> None:
    """G major over its bass: melody 67 71 74 71 72 76 ..., bass 43 50 48 52 43 50 50 43."""
    song = tune()
    melody = [67, 71, 74, 71, 72, 76, 74, 72, 71, 67, 69, 71, 69, 66, 67]
    bass = [43, 50, 48, 52, 43, 50, 50, 43]
    assert values("intervals", song) == [*np.diff(melody), *np.diff(bass)]
    assert values("range", song) == [76 - 43]
    assert values("inter-onset", song) == [0.0] * 14  # a beat each
    assert values("polyphony", song) == [2.0] * 15
    assert values("density", song) == [6 / 4, 6 / 4, 6 / 4, 5 / 4]
    assert values("in-scale share", song) == [1.0]
    assert sorted(set(values("duration", song))) == [0.0, 1.0]  # a beat and two
    assert values("velocity", song).count(72.0) == 8


def test_pitch_classes_are_counted_in_fifths_from_the_tonic() -> None:
    """C major: F is a fifth below C, G one above, then D A E B; F# lies beyond, and Bb on the other side."""
    scale = [60, 64, 67, 72, 65, 62, 69, 71]
    song = Score.of(24, range(0, 192, 24), [24] * 8, scale, [64] * 8)
    assert AnalysedSong(song).key == (0, False)
    assert sorted(set(values("pitch classes", song))) == [-1, 0, 1, 2, 3, 4, 5]
    wrong = Score.of(24, range(0, 240, 24), [24] * 8 + [1, 1], [*scale, 66, 70], [64] * 10)
    assert AnalysedSong(wrong).key == (0, False)
    assert set(values("pitch classes", wrong)) - set(values("pitch classes", song)) == {6.0, -2.0}
    assert values("in-scale share", wrong) == [0.8]


def test_repeated_bars_by_hand() -> None:
    """Bar 3 is bar 1; bar 2 shares one of its two notes with bar 1: of three different notes one."""
    song = bars("02..", "0.4.", "02..")
    assert values("repeat after 1", song) == [round(1 / 3, 6), round(1 / 3, 6)]
    assert values("repeat after 2", song) == [1.0]
    assert values("repeat after 4", song) == []


def test_groove_depends_on_rhythm_only() -> None:
    assert values("groove", bars("0.0.", "5.7.", "0000")) == [1.0, 0.5]
    assert values("repeat after 1", bars("0.0.", "5.7.", "0000"))[0] == 0.0


def test_bars_of_unequal_length_are_not_similar() -> None:
    """The second bar has three quarters: its first is struck as that of the first bar is."""
    song = bars("0...", "0...", meters=(Meter(0, 4, 4), Meter(96, 3, 4)))
    assert values("repeat after 1", song) == [0.0]


def test_silent_bars_count_where_one_of_the_two_sounds() -> None:
    assert values("repeat after 1", bars("0...", "....", "....", "0...")) == [0.0, 0.0]
    assert values("density", bars("0...", "....", "0...")) == [0.25, 0.0, 0.25]


def test_a_drum_loop_has_rhythm_and_no_pitch() -> None:
    drums = Score.of(24, [0, 24, 48], [12] * 3, [36, 38, 36], [90] * 3, parts=[Part("", 0, True)])
    for name in ("pitch classes", "range", "intervals", "duration", "polyphony", "in-scale share"):
        assert values(name, drums) == []
    assert values("inter-onset", drums) == [0.0, 0.0]
    assert np.isnan(BY_NAME["range"].histogram(AnalysedSong(drums))).all()
    numbers = dict(zip(number_names(), song_numbers(AnalysedSong(drums)), strict=True))
    assert np.isnan(numbers["range, mean"])
    assert np.isnan(numbers["same pitch again, share"])


def test_values_beyond_the_bins_count_in_the_outermost_bin() -> None:
    feature = Feature("x", "y", 0, 4, 2, lambda song: np.array([-5.0, 1.1, 2.9, 100.0]))
    assert feature.bins.tolist() == [0, 2, 4]
    assert feature.histogram(AnalysedSong(tune())).tolist() == [0.25, 0.5, 0.25]


def test_more_numbers_by_hand() -> None:
    song = AnalysedSong(bars("0009", "0...", "0..."))
    found = {name: detail(song) for name, detail in MORE_NUMBERS.items()}
    assert found["different pitches"] == 2
    assert found["longest run of one pitch"] == 3
    assert found["same pitch again, share"] == pytest.approx(3 / 5)  # 0 0 9 -9 0
    assert found["leaps over a fifth, share"] == pytest.approx(2 / 5)
    assert found["onsets on the beat, share"] == 1
    assert found["rhythms of bars, share"] == pytest.approx(2 / 3)
    assert found["parts"] == 1


def test_longest_run() -> None:
    assert [longest_run(np.array(v)) for v in ([], [5], [5, 5], [1, 5, 5, 1])] == [0, 1, 2, 2]


@given(scores(min_notes=1))
def test_any_song_has_histograms_that_sum_to_one(song: Score) -> None:
    found = song_table([AnalysedSong(song)])
    assert len(found) == 1
    for feature in FEATURES:
        shares = found.histograms[feature.name][0]
        assert len(shares) == len(feature.bins)
        assert np.isnan(shares).all() or shares.sum() == pytest.approx(1)
    assert found.numbers.shape == (1, len(number_names()))
    assert not np.isinf(found.numbers).any()


@given(scores(min_notes=1, drums=False))
def test_another_key_or_resolution_changes_little(song: Score) -> None:
    """Intervals, rhythm and repeats are those of the song whatever its key; octave folding aside."""
    pitch = song.pitch.astype(int)
    moved = song.transposed(1 if pitch.max() < 127 else -1 if pitch.min() else 0)
    for name in ("range", "intervals", "inter-onset", "groove", "repeat after 1", "polyphony"):
        assert values(name, moved) == values(name, song)


def test_onsets_a_tick_late_are_on_the_beat() -> None:
    """Some programs write all notes one of 480 ticks late; an eighth is not on the beat."""
    late = Score.of(480, [1, 481, 721, 961], [240] * 4, [60, 62, 64, 65], [80] * 4)
    found = dict(zip(number_names(), song_numbers(AnalysedSong(late)).tolist(), strict=True))
    assert found["onsets on the beat, share"] == 3 / 4
