"""Stems: as many files as parts, aligned, which add up to the song."""

from __future__ import annotations

import wave
from pathlib import Path

import mido
import numpy as np
import pytest

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.file_details import DetailEvent, FileDetails
from ritornello.music.score import Marker, Meter, Part, Score, Tempo
from ritornello.rendering import audio
from ritornello.rendering.render import render
from ritornello.rendering.stems import part_of, stem_paths
from tests.rendering.audio.fonts import font
from tests.rendering.songs import BEAT, song

PARTS = (Part("Lead / 1"), Part("", 33), Part("silent"), Part("Lead / 1", 0))


def band() -> Score:
    """Two bars of 3/4 at 120, then 60 bpm: 3 seconds and 1.5 seconds; one part has no notes."""
    notes = [(0, BEAT, 69, 100, 0), (3 * BEAT, BEAT, 72, 90, 1), (BEAT, BEAT, 69, 127, 3)]
    events = {"tempi": (Tempo(0, 500_000), Tempo(3 * BEAT, 1_000_000)), "meters": (Meter(0, 3, 4),)}
    return song(*notes, parts=PARTS, markers=(Marker(3 * BEAT, "B"),), title="Band", **events)


@pytest.fixture
def sine_font(tmp_path: Path) -> Path:
    return font(tmp_path / "sine.sf2", {"loop_mode": 1, "release": -2400})


def samples(path: Path) -> np.ndarray:
    """A WAV file of 24 bits as (2, N) integers."""
    with wave.open(str(path)) as file:
        assert (file.getsampwidth(), file.getnchannels()) == (3, 2)
        data = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, 2, 3)
    padded = np.concatenate([np.zeros_like(data[..., :1]), data], axis=2)
    return (padded.copy().view("<i4")[..., 0] >> 8).T


def test_a_part_has_a_midi_and_a_sound_file_all_of_one_length(tmp_path: Path, sine_font: Path) -> None:
    made = render(band(), tmp_path / "out", stems="wav", soundfont=sine_font)
    names = ["01-Lead-1", "02-bass", "03-Lead-1"]
    assert [path.name for path in made.files] == [f"{n}.{kind}" for n in names for kind in ("mid", "wav")]
    for path in made.files[::2]:
        score = midi.read(path)
        assert (score.tempi, score.meters, score.markers) == (
            band().tempi,
            band().meters,
            band().markers,
        )
        ends = [sum(message.time for message in track) for track in mido.MidiFile(path).tracks]
        assert ends == [6 * BEAT] * len(ends)  # two bars
        assert len(score.parts) == 1
    sounds = [samples(path) for path in made.files[1::2]]
    assert {sound.shape for sound in sounds} == {(2, round(44_100 * 4.5))}  # until the last bar line
    assert sounds[0][:, :1000].any() and not sounds[1][:, : 44_100 + 22_000].any()  # begins at 1.5 s


def test_the_sounds_add_up_to_the_song_with_one_gain(tmp_path: Path, sine_font: Path) -> None:
    made = render(band(), tmp_path / "out", stems="wav", soundfont=sine_font)
    total = np.sum([samples(path).astype(float) for path in made.files[1::2]], axis=0)
    mixed = audio.mix(band(), audio.SoundFont.open(sine_font), 44_100)
    both = min(total.shape[1], mixed.shape[1])
    gain = np.abs(total).max() / np.abs(mixed).max()
    np.testing.assert_allclose(total[:, :both], mixed[:, :both] * gain, atol=8)  # of 8 million steps
    assert np.abs(total).max() < 2**23


def test_midi_alone_needs_no_soundfont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "find_soundfont", lambda *_: 1 / 0)
    made = render(band(), tmp_path / "out", stems="mid", to_drum_map="roland")
    assert [path.suffix for path in made.files] == [".mid"] * 3


def test_a_part_keeps_the_controllers_of_its_channel_and_common_texts() -> None:
    volume = {channel: DetailEvent(0, channel, 0, bytes([0xB0 | channel, 7, 90])) for channel in (0, 1)}
    lyric = DetailEvent(0, 1, 0, b"\xff\x05\x02la")
    reset = DetailEvent(0, 0, 0, b"\xf0\x05\x7e\x7f\x09\x01\xf7")
    details = FileDetails(((0, 0, 0), (1, 0, 1)), (volume[0], volume[1], lyric, reset))
    both = song((0, BEAT, 60, 80, 0), (0, BEAT, 64, 80, 1), parts=PARTS[:2], details=details)
    assert part_of(both, 0).details == FileDetails(((0, 0, 0),), (volume[0], reset))
    assert part_of(both, 1).details == FileDetails(((1, 0, 1),), (volume[1], lyric, reset))
    assert mido.Message("control_change", channel=1, control=7, value=90) in [
        message
        for track in mido.MidiFile(file=_file(part_of(both, 1))).tracks
        for message in track
        if message.type == "control_change"
    ]


def _file(score: Score) -> object:
    import io

    return io.BytesIO(midi.to_bytes(score)[0])


def test_wrong_input_is_refused(tmp_path: Path, sine_font: Path) -> None:
    with pytest.raises(InputError, match=r"'.*a\.wav' must be a folder for stems"):
        render(band(), tmp_path / "a.wav", stems="wav")
    with pytest.raises(InputError, match="stems 'mp3': must be one of wav, flac, mid"):
        stem_paths(band(), tmp_path, "mp3")
    with pytest.raises(InputError, match="bits 20: must be 16 or 24"):
        render(band(), tmp_path / "a.wav", bits=20, soundfont=sine_font)
    with pytest.raises(InputError, match="no notes"):
        render(Score.of(24, [], [], [], []), tmp_path / "x", stems="wav")
    (tmp_path / "bad.sf2").write_bytes(b"RIFF")
    with pytest.raises(InputError, match="not a usable soundfont"):
        render(band(), tmp_path / "out", stems="wav", soundfont=tmp_path / "bad.sf2")
    assert {path.name for path in tmp_path.iterdir()} == {"sine.sf2", "bad.sf2"}
