"""The mix of notes: times, loudness, panning, release."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ritornello.music.score import Part, Score, Tempo
from ritornello.rendering.audio.mix import mix
from ritornello.rendering.audio.soundfont import SoundFont
from tests.rendering.audio.fonts import RATE, font
from tests.rendering.songs import BEAT, song

LOOP = {"loop_mode": 1}


def level(sound: np.ndarray, start_s: float, end_s: float) -> float:
    return float(np.sqrt(np.mean(sound[..., round(start_s * RATE) : round(end_s * RATE)] ** 2)))


def test_a_note_sounds_from_its_onset_to_its_end_and_its_release(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", LOOP | {"release": -1200}))  # 0.5 s for 100 dB
    sound = mix(song((BEAT, BEAT, 69, 127, 0)), opened, RATE)  # 120 bpm: 0.5 to 1 s
    assert sound.shape[0] == 2
    assert not sound[:, : RATE // 2].any()
    assert level(sound, 0.6, 0.9) > 0.2
    assert level(sound, 1.1, 1.11) == pytest.approx(level(sound, 0.6, 0.9) / 10, rel=0.15)  # -20 to -22 dB
    assert not sound[:, round(1.46 * RATE) :].any()


def test_tempo_changes_move_the_onsets(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", LOOP))
    slow = song((2 * BEAT, BEAT, 69, 127, 0), tempi=(Tempo(0, 500_000), Tempo(BEAT, 2_000_000)))
    (heard,) = np.nonzero(mix(slow, opened, RATE)[0])
    assert heard[0] / RATE == pytest.approx(2.5, abs=0.001)


def test_loudness_is_the_square_of_the_velocity(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", LOOP))
    loud, soft = (mix(song((0, BEAT, 69, v, 0)), opened, RATE) for v in (100, 50))
    assert level(loud, 0.1, 0.4) == pytest.approx(4 * level(soft, 0.1, 0.4), rel=0.001)


def test_pan_keeps_the_power(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", LOOP))
    middle = mix(song((0, BEAT, 69, 100, 0)), opened, RATE)
    np.testing.assert_array_equal(middle[0], middle[1])
    opened = SoundFont.open(font(tmp_path / "b.sf2", LOOP | {"pan": -500}))
    left = mix(song((0, BEAT, 69, 100, 0)), opened, RATE)
    assert np.abs(left[1]).max() < 1e-6
    assert level(left[0], 0.1, 0.4) ** 2 == pytest.approx(2 * level(middle[0], 0.1, 0.4) ** 2, rel=0.001)


def test_parts_and_equal_notes_add_up(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", LOOP))
    alone = mix(song((0, BEAT, 69, 100, 0)), opened, RATE)
    both = mix(song((0, BEAT, 69, 100, 0), (0, BEAT, 69, 100, 1), parts=(Part("A"), Part("B"))), opened, RATE)
    np.testing.assert_allclose(both, 2 * alone, atol=1e-6)


def test_an_exclusive_class_is_cut_off_by_its_next_note(tmp_path: Path) -> None:
    """A closed hi-hat cuts off an open one, unless they are in different parts."""
    settings = LOOP | {"exclusive_class": 1, "release": 1200}
    opened = SoundFont.open(font(tmp_path / "a.sf2", settings, bank=128))
    kit = (Part("", 0, True), Part("", 0, True))
    notes = [(0, 4 * BEAT, 46, 100, 0), (BEAT, 1, 42, 1, 0)]
    cut = mix(song(*notes, parts=kit), opened, RATE)
    assert level(cut, 0.55, 1.5) < 0.01 * level(cut, 0.1, 0.4)
    rings = mix(song(notes[0], (BEAT, 1, 42, 1, 1), parts=kit), opened, RATE)
    assert level(rings, 0.55, 1.5) > 0.9 * level(rings, 0.1, 0.4)


def test_no_notes_make_no_sound(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2"))
    assert not mix(Score.of(24, [], [], [], []), opened, RATE).any()
