"""Sound files of songs: length, loudness, formats, soundfonts, errors."""

from __future__ import annotations

import os
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ritornello.errors import FailedError, InputError
from ritornello.music.score import Marker, Part, Score, Tempo
from ritornello.rendering import audio
from ritornello.rendering.audio import fluidsynth, loudness
from tests.rendering.audio.fonts import cents_between, font, pitch_hz
from tests.rendering.songs import BEAT, drum_loop, song
from tests.scores import tune

LOOP = {"loop_mode": 1, "release": -2400}


@pytest.fixture
def sine_font(tmp_path: Path) -> Path:
    return font(tmp_path / "sine.sf2", LOOP)


@pytest.mark.parametrize("rate", audio.RATES_HZ)
def test_what_is_promised_of_every_song(sine_font: Path, rate: int) -> None:
    score = tune()
    sound = audio.render(score, soundfont=sine_font, rate=rate)
    length_s = sound.shape[1] / rate
    assert score.duration_s <= length_s < score.duration_s * 1.01 + 0.25  # a release of 0.25 s
    assert np.abs(sound).max() <= loudness.CEILING * 1.00001
    assert loudness.loudness_lufs(sound, rate) == pytest.approx(-16, abs=0.5)


def test_it_is_silent_where_the_score_is(sine_font: Path) -> None:
    sound = audio.render(song((0, BEAT, 60, 90, 0), (8 * BEAT, BEAT, 72, 90, 0)), soundfont=sine_font)
    assert not sound[
        :, 44_100 : 4 * 44_100
    ].any()  # a note ends at 0.5 s, rings for 0.25 s, the next is at 4 s
    assert sound[:, 4 * 44_100 + 1000 : 5 * 44_100].any()


def test_the_same_song_is_the_same_sound(sine_font: Path) -> None:
    one, two = (audio.render(tune(), soundfont=sine_font) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("ending", audio.FORMATS)
def test_files_hold_the_sound(sine_font: Path, tmp_path: Path, ending: str) -> None:
    soundfile = pytest.importorskip("soundfile")
    score = song((0, 2 * BEAT, 69, 100, 0))
    path = tmp_path / f"song{ending}"
    audio.write(score, path, soundfont=sine_font)
    data, rate = soundfile.read(path)
    assert (rate, data.shape[1]) == (44_100, 2)
    # a note of a second, and of its release (96 dB in 0.25 s) what is less than 60 dB below the peak
    assert len(data) / rate == pytest.approx(1 + 0.25 * 60 / 96, abs=0.03)
    assert np.abs(data).max() < 1
    assert abs(cents_between(pitch_hz(data[4410:39690, 0], rate), 441)) < 1


def test_a_wav_needs_nothing_but_a_soundfont(
    sine_font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    audio.write(tune(), tmp_path / "song.wav", soundfont=sine_font, rate=48_000)
    with wave.open(str(tmp_path / "song.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 48_000, 2)
    with pytest.raises(InputError, match=r"ritornello\[audio\]"):
        audio.write(tune(), tmp_path / "song.ogg", soundfont=sine_font)
    assert not (tmp_path / "song.ogg").exists()


def test_a_long_ogg_is_written_whole(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 1_000_000)).astype(np.float32)
    audio.sound_file.write(sound, tmp_path / "noise.ogg", 44_100)
    assert soundfile.info(tmp_path / "noise.ogg").frames == 1_000_000


@pytest.mark.parametrize(
    ("score", "options", "message"),
    [
        (Score.of(24, [], [], [], [], title="Nothing"), {}, "the song 'Nothing' has no notes"),
        (
            song((BEAT * 72_000, BEAT, 60, 90, 0)),
            {},
            r"lasts 600.0 minutes: must be at most 60 \(--max-minutes",
        ),
        (song((0, BEAT, 60, 90, 0)), {"max_minutes": 0.001}, "must be at most 0.001"),
        (song((0, BEAT, 60, 90, 0)), {"max_minutes": 5000}, "at most 1440"),
        (song((0, BEAT, 60, 90, 0)), {"rate": 22_050}, "rate 22050: must be 44100 or 48000"),
        (song((0, BEAT, 60, 90, 0)), {"soundfont": "nowhere.sf2"}, "soundfont 'nowhere.sf2' does not exist"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(
    score: Score, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        audio.render(score, **options)
    assert "\n" not in str(caught.value)


def test_an_ending_that_is_no_sound_is_refused(sine_font: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.wav, \.ogg"):
        audio.write(tune(), tmp_path / "song.aac", soundfont=sine_font)


def test_the_soundfont_is_the_one_given_then_the_variables_then_the_installed_one(
    sine_font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = font(tmp_path / "other.sf2")
    monkeypatch.setenv(audio.SOUNDFONT_VARIABLE, str(other))
    assert audio.find_soundfont(sine_font) == sine_font
    assert audio.find_soundfont() == other
    monkeypatch.delenv(audio.SOUNDFONT_VARIABLE)
    monkeypatch.setattr(audio, "find_spec", lambda name: None)
    monkeypatch.setattr(audio, "SOUNDFONT_FOLDERS", (str(tmp_path),))
    assert audio.find_soundfont() == other  # the first by name
    monkeypatch.setattr(audio, "SOUNDFONT_FOLDERS", ())
    with pytest.raises(InputError, match=r"pip install .*audio.* --soundfont"):
        audio.find_soundfont()


def needs_the_soundfont() -> Path:
    pytest.importorskip("soundfile", reason="the extra audio is not installed")
    return audio.find_soundfont()


CLEAR = (0, 11, 19, 26, 33, 40, 52, 56, 68, 75, 80)  # of many families, where the font itself is in tune


@pytest.mark.parametrize("program", CLEAR)
def test_the_pitch_of_a_note_is_found_again(program: int) -> None:
    path = needs_the_soundfont()
    note = song((0, 4 * BEAT, 69, 100, 0), parts=(Part("", program),))
    sound = audio.render(note, soundfont=path)[0, 10_000:80_000]
    found = pitch_hz(sound, 44_100)
    partial = max(1, round(found / 440))  # the strongest partial need not be the first
    assert abs(cents_between(found, 440 * partial)) < 10


def test_all_128_programs_and_the_drums_sound() -> None:
    path = needs_the_soundfont()
    parts = tuple(Part("", program) for program in range(128))
    notes = [(2 * BEAT * program, BEAT, 60, 100, program) for program in range(128)]
    sound = audio.mix(song(*notes, parts=parts), audio.SoundFont.open(path), 44_100)
    for program in range(128):
        assert np.abs(sound[:, 44_100 * program : 44_100 * program + 22_050]).max() > 1e-3, program
    drums = audio.mix(drum_loop(), audio.SoundFont.open(path), 44_100)
    assert np.abs(drums).max() > 0.01


@pytest.mark.skipif(not os.environ.get("PATH"), reason="no programs")
def test_fluidsynth_where_there_is_none_is_said(sine_font: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fluidsynth, "PROGRAM", "no-such-synthesiser")
    with pytest.raises(InputError, match="fluidsynth is not installed"):
        audio.render(tune(), soundfont=sine_font, synth="fluidsynth")


def test_fluidsynth_is_asked_for_the_song_and_heard(
    sine_font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program called fluidsynth that writes one second of a tone, or fails."""
    program = tmp_path / "fake"
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import sys, wave, math, struct\n"
        "out = sys.argv[sys.argv.index('-F') + 1]\n"
        "assert sys.argv[-1].endswith('song.mid') and sys.argv[-2].endswith('sine.sf2')\n"
        "w = wave.open(out, 'wb'); w.setnchannels(2); w.setsampwidth(2); w.setframerate(44100)\n"
        "w.writeframes(b''.join(struct.pack('<hh', v, v) for i in range(44100)\n"
        "    for v in [int(9000 * math.sin(i / 16))])); w.close()\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(fluidsynth, "PROGRAM", str(program))
    sound = audio.render(song((0, BEAT, 60, 90, 0)), soundfont=sine_font, synth="fluidsynth")
    assert sound.shape == (2, 44_100)
    assert loudness.loudness_lufs(sound, 44_100) == pytest.approx(-16, abs=0.1)
    program.write_text("#!/bin/sh\necho 'it is broken' >&2\nexit 3\n")
    with pytest.raises(FailedError, match="it is broken"):
        audio.render(song((0, BEAT, 60, 90, 0)), soundfont=sine_font, synth="fluidsynth")


def test_a_slow_song_of_one_long_note_is_no_longer_than_it(sine_font: Path) -> None:
    score = song((0, 4 * BEAT, 60, 90, 0), tempi=(Tempo(0, 4_000_000),))
    assert audio.render(score, soundfont=sine_font).shape[1] / 44_100 == pytest.approx(16, rel=0.02)


def test_a_soft_end_is_cut_off_and_fades_out() -> None:
    sound = np.zeros((2, 1000), np.float32)
    sound[:, ::2] = 2e-4  # a square wave 80 dB below the peak
    sound[:, :600] = np.where(np.arange(600) % 2, -1, 1)
    whole = audio.trim_silence(sound, 400)
    assert whole.shape == (2, 600)
    assert (np.abs(whole) == 1).all()
    faded = np.abs(audio.trim_silence(sound, 400, fade_samples=100))
    assert faded.shape == (2, 600)
    assert (faded[:, :500] == 1).all()
    assert faded[0, -1] == 0
    assert (np.diff(faded[0, 500:]) < 0).all()
    assert audio.trim_silence(sound, 900).shape == (2, 900)  # the last note lasts until there
    assert (np.abs(audio.trim_silence(sound[:, :600], 400, fade_samples=100)) == 1).all()  # nothing to cut


def test_a_constant_at_the_end_is_silence() -> None:
    sound = np.full((2, 100_000), 0.01, np.float32)
    sound[:, :20_000] += np.where(np.arange(20_000) % 2, -1, 1).astype(np.float32)
    assert 20_000 <= audio.trim_silence(sound, 10_000).shape[1] < 20_000 + audio.BLOCK_SAMPLES


def test_a_note_that_is_held_longer_than_it_sounds_adds_no_silence() -> None:
    sound = np.zeros((2, 50_000), np.float32)
    sound[:, :10_000] = np.where(np.arange(10_000) % 2, -1, 1)
    assert audio.trim_silence(sound, 5_000, 100, (40_000, 3_000)).shape == (2, 13_000)
    assert audio.trim_silence(sound, 5_000, 100, (11_000, 3_000)).shape == (2, 11_000)
    assert audio.trim_silence(sound, 5_000, 100, (9_000, 3_000)).shape == (2, 10_000)


@pytest.mark.parametrize("held_beats", [1, 60])
def test_a_long_drum_note_ends_when_it_is_silent(held_beats: int) -> None:
    kit = song((0, BEAT, 38, 90, 0), (BEAT, held_beats * BEAT, 38, 90, 0), parts=(Part("", 0, True),))
    assert audio.render(kit, soundfont=needs_the_soundfont()).shape[1] < 2.5 * 44_100


def test_what_stands_after_the_last_note_is_not_given_to_fluidsynth() -> None:
    late = Tempo(100 * BEAT, 1_000_000)
    score = replace(
        song((0, BEAT, 60, 90, 0)), tempi=(Tempo(0, 500_000), late), markers=(Marker(90 * BEAT, "x"),)
    )
    kept = fluidsynth._without_events_after_the_end(score)
    assert kept.tempi == (Tempo(0, 500_000),)
    assert kept.markers == ()
