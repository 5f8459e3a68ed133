"""Paths that commands refuse: empty ones, and outputs that are no regular files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ritornello import midi
from tests.folders import Say
from tests.scores import tune


@pytest.mark.parametrize(
    "words",
    [["doctor", ""], ["info", ""], ["compose", "-o", ""], ["compose", ""], ["render", "a.mid", "-o", ""]],
)
def test_an_empty_path_is_refused(words: list[str], say: Say) -> None:
    code, _, error = say(*words)
    assert code == 2
    assert "the path is empty: must name a file or a folder" in error


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no FIFOs")
def test_a_device_stays(say: Say, tmp_path: Path) -> None:
    song, fifo = tmp_path / "song.mid", tmp_path / "fifo"
    midi.write(tune(), song)
    os.mkfifo(fifo)
    for words in (["info", song, "--png", fifo], ["doctor", tmp_path, "--html", fifo]):
        code, _, error = say(*words)
        assert code == 1
        assert "it is a device or a FIFO, must be a regular file" in error
    assert fifo.is_fifo()
