"""Soundfonts: zones combined according to the specification, and clear errors for damaged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ritornello.errors import InputError
from ritornello.rendering.audio.soundfont import GENERATORS, NUMBERS, SoundFont
from tests.rendering.audio.fonts import RATE, font, sine


def test_a_zone_has_what_it_says_and_defaults_for_the_rest(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", {"pan": -500, "attack": -1200}, keys=(40, 90)))
    (region,) = opened.regions(0, 0)
    assert (region.keys, region.velocities) == ((40, 90), (0, 127))
    assert (region["pan"], region.seconds("attack")) == (-500, 0.5)  # 2 ** (-1200 / 1200)
    said = {"pan", "attack"}
    assert all(region[name] == GENERATORS[NUMBERS[name]][1] for name in NUMBERS if name not in said)


def test_a_recording_is_the_sample_with_its_loop_rate_and_key(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", {"start_loop": 20, "end_loop": -30}, cents=7))
    sample = opened.sample(opened.regions(0, 0)[0])
    np.testing.assert_allclose(sample.values, sine(), atol=2 / 32768)
    assert (sample.loop, sample.rate_hz) == ((20, 9970), RATE)
    assert sample.key == pytest.approx(68.93)  # sounds 7 cents sharp of its key, 69


def test_a_missing_program_takes_the_nearest_of_its_family(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", program=34))
    assert [opened.preset(program, False) for program in (34, 32, 127)] == [(0, 34)] * 3
    with pytest.raises(InputError, match="no drums"):
        opened.preset(0, True)


def test_a_drum_kit_that_is_missing_is_the_standard_one(tmp_path: Path) -> None:
    opened = SoundFont.open(font(tmp_path / "a.sf2", bank=128))
    assert opened.preset(25, True) == (128, 0)
    with pytest.raises(InputError, match="no instruments"):
        opened.preset(0, False)


def test_every_cut_of_a_soundfont_is_refused_and_no_flipped_byte_breaks_out(tmp_path: Path) -> None:
    whole = font(tmp_path / "a.sf2", wave=sine(4, 40)).read_bytes()
    bad = tmp_path / "bad.sf2"
    for size in range(0, len(whole), 7):
        bad.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"bad\.sf2"):
            SoundFont.open(bad)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        bad.write_bytes(bytes(changed))
        try:
            opened = SoundFont.open(bad)
            for bank, program in opened.presets:
                for region in opened.regions(bank, program):
                    opened.sample(region)
        except InputError:
            pass


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "RIFF"), (b"MThd" + bytes(20), "RIFF"), (b"RIFF\4\0\0\0sfbk", "it lacks phdr")],
)
def test_what_is_no_soundfont_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "song.sf2"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        SoundFont.open(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.sf2.*No such file"):
        SoundFont.open(tmp_path / "nowhere.sf2")
