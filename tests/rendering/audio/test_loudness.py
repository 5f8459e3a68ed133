"""The loudness of the test signals of the standards, and a limiter that never clips."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ritornello.rendering.audio.loudness import CEILING, TARGET_LUFS, loudness_lufs, normalise


def tone(seconds: float, hz: float, dbfs: float, rate: int, channels: int = 2) -> np.ndarray:
    wave = np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate) * 10 ** (dbfs / 20)
    return np.tile(wave, (channels, 1)).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_signals_of_the_standards(rate: int) -> None:
    """ITU-R BS.1770-4: 997 Hz at full scale in one channel is -3.01. EBU Tech 3341, cases 1-3: within 0.1."""
    assert loudness_lufs(tone(5, 997, 0, rate, 1), rate) == pytest.approx(-3.01, abs=0.02)
    assert loudness_lufs(tone(20, 1000, -23, rate), rate) == pytest.approx(-23, abs=0.1)
    assert loudness_lufs(tone(20, 1000, -33, rate), rate) == pytest.approx(-33, abs=0.1)
    gated = np.concatenate([tone(s, 1000, db, rate) for s, db in ((10, -36), (60, -23), (10, -36))], axis=1)
    assert loudness_lufs(gated, rate) == pytest.approx(-23, abs=0.1)


def test_what_lies_low_counts_less_and_what_lies_high_more() -> None:
    low, middle, high = (loudness_lufs(tone(3, hz, -20, 48_000), 48_000) for hz in (30, 1000, 8000))
    assert low < middle - 4
    assert high == pytest.approx(middle + 3.3, abs=0.3)


def test_silence_has_no_loudness_and_stays_silent() -> None:
    nothing = np.zeros((2, 50_000), np.float32)
    assert loudness_lufs(nothing, 44_100) == -math.inf
    assert not normalise(nothing, 44_100).any()


def test_a_song_gets_the_loudness_that_was_asked_for() -> None:
    assert loudness_lufs(normalise(tone(5, 440, -50, 44_100), 44_100), 44_100) == pytest.approx(
        TARGET_LUFS, abs=0.1
    )


def test_peaks_are_turned_down_and_the_loudness_is_kept() -> None:
    sound = tone(5, 440, -40, 44_100)
    sound[:, ::22_050] = 1.0  # ten clicks, 40 dB above the rest
    loud = normalise(sound, 44_100)
    assert np.abs(loud).max() <= CEILING * 1.00001
    assert loudness_lufs(loud, 44_100) == pytest.approx(TARGET_LUFS, abs=0.5)


@given(st.lists(st.tuples(st.integers(0, 9_999), st.floats(-1e4, 1e4, width=32)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_nothing_is_ever_above_the_ceiling(peaks: list[tuple[int, float]]) -> None:
    sound = np.full((2, 10_000), 1e-3, np.float32)
    for place, height in peaks:
        sound[place % 2, place] = height
    assert np.abs(normalise(sound, 44_100)).max() <= CEILING * 1.00001


def test_a_change_of_gain_is_smooth() -> None:
    sound = tone(2, 100, -20, 44_100)
    sound[:, 44_100] = 4.0
    before = sound.copy()
    loud = normalise(sound, 44_100)
    quiet = np.abs(before[0]) > 0.01
    gain = loud[0][quiet] / before[0][quiet]
    assert np.abs(np.diff(gain)).max() < 0.1 * gain.max()
