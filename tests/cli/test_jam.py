"""The command `jam`: what is wrong is said in one line."""

from __future__ import annotations

import sys

import pytest

from tests.folders import Say


@pytest.mark.parametrize(
    "words, says",
    [
        ("jam --out 1", "--in is missing: must be a MIDI port"),
        ("jam --in 1 --out 1 --metronome", "metronome needs a tempo"),
        ("jam --in 1 --out 1 --parts kazoo", "part 'kazoo': must be an instrument"),
        ("jam --in 1 --out 1 --meter 4/5", "meter '4/5': must be one such as 4/4"),
        ("jam --in 1 --out 1 --minutes 0", "minutes 0.0: must be 0.01-1440"),
        ("jam --in 1 --out 1", 'needs rtmidi: pip install "ritornello[jam]"'),
        ("jam --list", 'needs rtmidi: pip install "ritornello[jam]"'),
    ],
)
def test_what_is_wrong_is_said(say: Say, monkeypatch: pytest.MonkeyPatch, words: str, says: str) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    code, out, error = say(*words.split())
    assert (code, out) == (2, "")
    assert says in error
    assert len(error.splitlines()) == 1
