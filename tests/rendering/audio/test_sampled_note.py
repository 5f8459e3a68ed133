"""Sampled notes: pitch, loop, envelopes, release, filter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ritornello.rendering.audio.sampled_note import release_fade, release_s, sampled_note
from ritornello.rendering.audio.soundfont import Region, Signal, SoundFont
from tests.rendering.audio.fonts import RATE, cents_between, font, pitch_hz, sine


def play(path: Path, key: int = 69, held_s: float = 1.0, rate: int = RATE, **settings: int) -> Signal:
    """The waveform of a key, from a sine of 441 Hz that is looped by default."""
    opened = SoundFont.open(font(path / "a.sf2", {"loop_mode": 1, **settings}))
    (region,) = opened.regions(0, 0)
    return sampled_note(opened.sample(region), region, key, held_s, rate)


def region_of(path: Path, **settings: int) -> Region:
    return SoundFont.open(font(path / "a.sf2", settings)).regions(0, 0)[0]


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("key", [40, 69, 70, 93])
def test_a_key_has_its_pitch(tmp_path: Path, key: int, rate: int) -> None:
    found = pitch_hz(play(tmp_path, key, rate=rate)[: rate // 2 * 2], rate)
    assert abs(cents_between(found, 441 * 2 ** ((key - 69) / 12))) < 0.5


def test_tuning_scale_and_fixed_key(tmp_path: Path) -> None:
    for settings, cents in (
        ({"semitones": 2, "cents": 30}, 1430),
        ({"scale": 50}, 600),
        ({"fixed_key": 69}, 0),
    ):
        found = pitch_hz(play(tmp_path, 81, **settings)[:RATE], RATE)
        expected = {"semitones": 1200 + 230, "scale": 600, "fixed_key": 0}[next(iter(settings))]
        assert cents == expected
        assert abs(cents_between(found, 441) - cents) < 0.5


def test_a_loop_has_no_seam(tmp_path: Path) -> None:
    """A sine looped for ten times its length is still a sine."""
    wave = play(tmp_path, held_s=2.0)[: 2 * RATE]
    ideal = 0.5 * np.sin(2 * np.pi * 441 * np.arange(len(wave)) / RATE)
    attack = 100  # samples; its default is 1 ms
    np.testing.assert_allclose(wave[attack:], ideal[attack:], atol=2e-3)


def test_without_a_loop_a_sound_ends_with_its_sample(tmp_path: Path) -> None:
    assert len(play(tmp_path, loop_mode=0)) == pytest.approx(10_000, abs=5)
    assert len(play(tmp_path, 81, loop_mode=0)) == pytest.approx(5_000, abs=5)


def test_the_envelope_rises_holds_falls_and_stays(tmp_path: Path) -> None:
    """Attack 0.5 s, hold 0.5 s, decay 100 dB in 2 s down to 20 dB, which takes 0.4 s."""
    wave = play(tmp_path, held_s=3, attack=-1200, hold=-1200, decay=1200, sustain=200)

    def peak(at_s: float) -> float:
        return float(np.abs(wave[round(at_s * RATE) - 100 : round(at_s * RATE) + 100]).max()) / 0.5

    assert peak(0.25) == pytest.approx(0.5, abs=0.01)
    assert peak(0.75) == pytest.approx(1.0, abs=0.01)
    assert peak(1.2) == pytest.approx(10 ** (-10 / 20), rel=0.02)  # halfway down, in decibels
    assert peak(2.0) == peak(2.9) == pytest.approx(0.1, rel=0.01)


def test_a_sound_that_has_died_away_ends(tmp_path: Path) -> None:
    wave = play(tmp_path, held_s=60, decay=0, sustain=1000)  # 100 dB in 1 s; 90 dB is silence
    assert len(wave) / RATE == pytest.approx(0.9, abs=0.02)


def test_a_release_falls_100_db_in_its_time(tmp_path: Path) -> None:
    region = region_of(tmp_path, release=1200)  # 2 s
    fade = release_fade(region, RATE + 1, RATE)
    assert fade[0] == 1
    assert 20 * np.log10(fade[RATE]) == pytest.approx(-50, abs=0.1)
    assert release_s(region) == pytest.approx(1.8, abs=0.01)  # to -90 dB


def test_the_filter_takes_what_lies_above_it(tmp_path: Path) -> None:
    """Second order: at its cutoff -3 dB, an octave above -12.3 dB, two octaves -24.1 dB (Butterworth)."""
    whole = play(tmp_path)[RATE // 2 : RATE]
    for octaves, expected_db in ((0, -3.0), (1, -12.3), (2, -24.1)):
        cutoff = round(1200 * np.log2(441 / 8.176)) - 1200 * octaves
        heard = play(tmp_path, cutoff=cutoff)[RATE // 2 : RATE]
        assert 20 * np.log10(np.std(heard) / np.std(whole)) == pytest.approx(expected_db, abs=0.35)


def test_an_open_filter_changes_nothing(tmp_path: Path) -> None:
    wave = play(tmp_path)
    np.testing.assert_allclose(play(tmp_path, cutoff=13_400)[200:-200], wave[200:-200], atol=0.01)


def test_vibrato_bends_both_ways_and_wobble_changes_the_loudness(tmp_path: Path) -> None:
    slow = round(1200 * np.log2(1 / 8.176))  # 1 Hz: a quarter of a second up, half a second down
    wave = play(tmp_path, held_s=2, vib_lfo_pitch=100, vib_lfo_rate=slow)
    up, down = (
        pitch_hz(wave[RATE // 5 : RATE * 3 // 10], RATE),
        pitch_hz(wave[RATE * 7 // 10 : RATE * 4 // 5], RATE),
    )
    assert cents_between(up, 441) == pytest.approx(90, abs=8)
    assert cents_between(down, 441) == pytest.approx(-90, abs=8)
    wave = play(tmp_path, held_s=2, mod_lfo_volume=60, mod_lfo_rate=slow)
    loud, soft = np.std(wave[RATE // 5 : RATE * 3 // 10]), np.std(wave[RATE * 7 // 10 : RATE * 4 // 5])
    assert 20 * np.log10(loud / soft) == pytest.approx(10.8, abs=0.5)  # 12 dB apart at the turns


def test_the_modulation_envelope_opens_the_filter_and_bends_the_pitch(tmp_path: Path) -> None:
    closed = round(1200 * np.log2(441 / 8.176)) - 2400
    falling = {"mod_env_cutoff": 2400, "mod_env_decay": 0, "mod_env_sustain": 1000, "cutoff": closed}
    wave = play(tmp_path, held_s=2, **falling)
    assert np.std(wave[2000:6000]) > 5 * np.std(wave[RATE * 3 // 2 : RATE * 7 // 4])
    bent = play(tmp_path, held_s=2, mod_env_pitch=1200, mod_env_sustain=0)
    assert cents_between(pitch_hz(bent[RATE : RATE * 2], RATE), 882) == pytest.approx(0, abs=0.5)


def test_a_sound_begins_and_ends_without_a_click(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", {"loop_mode": 1}, wave=sine() * 0 + 0.5))
    (region,) = opened.regions(0, 0)
    wave = sampled_note(opened.sample(region), region, 69, 0.1, RATE)
    assert abs(wave[0]) < 0.02 and abs(wave[-1]) < 0.02
    assert np.abs(np.diff(wave)).max() < 0.02
