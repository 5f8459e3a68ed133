"""`ritornello render` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.cli import main
from tests.rendering.audio.fonts import font
from tests.scores import tune


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    midi.write(tune(), tmp_path / "song.mid")
    font(tmp_path / "sine.sf2", {"loop_mode": 1})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "song.mid"


def test_many_files_at_once(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["render", "song.mid", "-o", "a.wav", "-o", "b.png", "-o", "c.musicxml", "--soundfont", "sine.sf2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["a.wav", "b.png", "c.musicxml"]
    assert lines[3].startswith("3 files in ")
    assert all((song.parent / name).exists() for name in lines[:3])


def test_as_json(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["render", "song.mid", "-o", "a.wav", "--soundfont", "sine.sf2", "--rate", "48000", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert (result["files"], result["missing"]) == (["a.wav"], {})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.mid", "-o", "a.wav"], "cannot read 'nowhere.mid'"),
        (["song.mid", "-o", "a.pdf"], "'a.pdf' must end in"),
        (["song.mid", "-o", "a.wav", "--soundfont", "song.mid"], "'song.mid' is not a usable soundfont"),
        (["song.mid", "-o", "a.wav", "--max-minutes", "0.1"], "must be at most 0.1"),
        (["song.mid", "-o", "a.musicxml", "--max-bars", "0"], "max-bars 0: must be 1-1000000"),
        (["song.mid", "-o", "a.wav", "--rate", "8000"], "must be 44100 or 48000"),
        (["song.mid", "-o", "a.wav", "--bits", "8"], "bits 8: must be 16 or 24"),
        (["song.mid", "-o", "a.wav", "--stems", "wav"], "must be a folder for stems"),
        (["song.mid", "-o", "a.mid", "--to-drum-map", "adictive"], "did you mean 'addictive'?"),
    ],
)
def test_wrong_input_is_one_line_and_2(
    song: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["render", *words])
    said = capsys.readouterr().err.splitlines()
    assert stop.value.code == 2
    assert len(said) == 1 and message in said[0]


def test_stems(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["render", "song.mid", "--stems", "flac", "-o", "stems/", "--soundfont", "sine.sf2", "--json"])
    files = json.loads(capsys.readouterr().out)["files"]
    names = [f"stems/{name}.{kind}" for name in ("01-Melody", "02-Bass") for kind in ("mid", "flac")]
    assert files == names and all(Path(name).is_file() for name in names)
    Path("stems/01-Melody.mid").write_bytes(b"of the user")
    with pytest.raises(SystemExit):
        main(["render", "song.mid", "--stems", "mid", "-o", "stems/"])
    assert Path("stems/01-Melody.mid").read_bytes() == b"of the user"
    assert "--overwrite" in capsys.readouterr().err
