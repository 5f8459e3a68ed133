"""The command `play`, on a machine without sound."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import ritornello
from ritornello.music.score import Score
from tests.folders import Say
from tests.rendering.audio.fonts import font

SONG = Score.of(24, [0, 24], [24, 24], [60, 64], [90, 60])


def test_without_sound_the_command_says_so_in_one_line(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritornello.write(SONG, tmp_path / "song.mid")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("RITORNELLO_SOUNDFONT", str(font(tmp_path / "a.sf2", {})))
    for words in (("play", tmp_path / "song.mid"), ("compose", "--play", "-o", tmp_path / "new.mid")):
        code, _, error = say(*words)
        assert code == 2
        assert len(error.splitlines()) == 1
        assert "sounddevice" in error
    assert not (tmp_path / "new.mid").exists()
