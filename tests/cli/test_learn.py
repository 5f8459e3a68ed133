"""`learn` as a user types it, with one step of training."""

from __future__ import annotations

import json
from pathlib import Path

from tests.folders import Say, write_songs


def test_learn(say: Say, tmp_path: Path) -> None:
    folder, out = write_songs(tmp_path / "tunes", 20, notes=40), tmp_path / "m"
    words = ["learn", folder, "--out", out, "--start", "nothing", "--size", "tiny", "--workers", 1]
    code, text, err = say(*words, "--steps", 1, "--songs", 1)
    assert code == 0
    stages = [line.split()[0] for line in text.splitlines()]
    assert stages == ["estimate", "files", "training", "kept", "songs", "model"]
    assert f"1 song in {out}-songs/   longest run shared with a training song: " in text
    assert f"compose more: ritornello compose {out}" in text
    assert "1/1" in err
    assert say(*words, "--steps", 1, "--songs", 0, "-q")[:2] == (0, "")
    code, text, _ = say(*words, "--steps", 1, "--songs", 0, "--json")
    assert (code, json.loads(text)["training"]["steps"]) == (0, 1)


def test_wrong_input_is_one_clear_line(say: Say, tmp_path: Path) -> None:
    code, text, err = say("learn", tmp_path / "no")
    assert (code, text) == (2, "")
    assert err == f"ritornello: {str(tmp_path / 'no')!r} does not exist: must be a folder of MIDI files\n"
