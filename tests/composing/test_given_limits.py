"""Limits of the music that a user gives."""

from pathlib import Path

import pytest

from ritornello.composing import given_music
from ritornello.composing.given_music import read_melody, read_prompt, read_redo
from ritornello.errors import MidiError
from ritornello.midi import write
from ritornello.music.score import Score
from tests.scores import tune


def test_music_with_too_many_bars(tmp_path: Path) -> None:
    write(Score.of(24, [0, 24 * 4 * 1000], [24, 24], [60, 62], [80, 80]), tmp_path / "long.mid")
    for read in (read_melody, read_prompt):
        with pytest.raises(MidiError, match=r"'long.mid' has 1001 bars: must be at most 1000"):
            read(tmp_path / "long.mid")
    assert read_prompt(tmp_path / "long.mid", 8).score.onset_ticks.tolist() == [0]
    assert len(read_redo(tmp_path / "long.mid", "1-2").score) == 2


def test_a_song_to_redo_with_too_many_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_music, "MAX_BARS_TO_REDO", 3)
    with pytest.raises(MidiError, match="has 4 bars: must be at most 3"):
        read_redo(tune(), "1-2")


def test_music_with_too_many_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_music, "MAX_GIVEN_NOTES", 5)
    with pytest.raises(MidiError, match="has 23 notes: must be at most 5"):
        read_melody(tune())
