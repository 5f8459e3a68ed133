"""Rendering a song to files of all formats, and to a folder with a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ritornello import midi, notation
from ritornello.errors import InputError
from ritornello.music.score import Part, Score
from ritornello.rendering import audio, sheet
from ritornello.rendering.render import is_folder, render, song_page
from tests.rendering.audio.fonts import font
from tests.rendering.songs import BEAT, song
from tests.scores import tune

BEGINS = {
    "song.wav": b"RIFF",
    "song.png": b"\x89PNG",
    "song.SVG": b"<svg",
    "song.musicxml": b"<?xml",
    "song.xml": b"<?xml",
    "song.mid": b"MThd",
}


@pytest.fixture
def sine_font(tmp_path: Path) -> Path:
    return font(tmp_path / "sine.sf2", {"loop_mode": 1})


@pytest.mark.parametrize("name", BEGINS)
def test_the_ending_says_what_is_written(name: str, tmp_path: Path, sine_font: Path) -> None:
    made = render(tune(), tmp_path / name, soundfont=sine_font)
    assert made == ((tmp_path / name,), {}, {})
    assert (tmp_path / name).read_bytes().startswith(BEGINS[name])


def test_a_picture_may_be_the_score(tmp_path: Path) -> None:
    pytest.importorskip("verovio", reason="the extra sheet is not installed")
    render(tune(), tmp_path / "roll.svg")
    render(tune(), tmp_path / "sheet.svg", picture="sheet")
    assert "stave" not in (tmp_path / "roll.svg").read_text()
    assert 'class="staff"' in (tmp_path / "sheet.svg").read_text()


def test_an_unknown_ending_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'song\.pdf' must end in \.wav, \.ogg, .*or be a folder"):
        render(tune(), tmp_path / "song.pdf")
    assert not list(tmp_path.iterdir())


def test_what_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "there.d").mkdir()
    assert [is_folder(name) for name in ("a/", "a", str(tmp_path / "there.d"), "a.ogg")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_bundle_has_everything_and_a_page_that_needs_no_network(tmp_path: Path, sine_font: Path) -> None:
    pytest.importorskip("verovio", reason="the extra sheet is not installed")
    pytest.importorskip("soundfile", reason="the extra audio is not installed")
    made = render(tune(), tmp_path / "song", soundfont=sine_font, recipe={"seed": 7})
    names = ["song.mid", "song.ogg", "roll.png", "score.musicxml", "score.svg", "recipe.json", "index.html"]
    assert [path.name for path in made.files] == names and not made.missing
    assert sorted(path.name for path in (tmp_path / "song").iterdir()) == sorted(names)
    assert json.loads((tmp_path / "song" / "recipe.json").read_text()) == {"seed": 7}
    assert midi.read(tmp_path / "song" / "song.mid").parts == tune().parts
    links = Links()
    links.feed((tmp_path / "song" / "index.html").read_text())
    assert set(links.found) == set(names) - {"index.html"}
    assert not re.search(r"https?://|//", (tmp_path / "song" / "index.html").read_text())


def test_what_a_bundle_cannot_have_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("no soundfont found")

    monkeypatch.setattr(audio, "write", refuse)
    monkeypatch.setattr(sheet, "svg", refuse)
    made = render(tune(), tmp_path / "song")
    assert made.missing == {"song.ogg": "no soundfont found", "score.svg": "no soundfont found"}
    text = (tmp_path / "song" / "index.html").read_text()
    assert "song.ogg" not in text and "roll.png" in text


def test_a_song_without_notes_gets_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no notes"):
        render(Score.of(24, [], [], [], []), tmp_path / "song")
    assert not (tmp_path / "song").exists()
    with pytest.raises(InputError, match="the song has no notes to draw"):
        render(Score.of(24, [], [], [], []), tmp_path / "song.png")


def test_sheet_music_is_without_the_pedal_and_sound_with_it(tmp_path: Path) -> None:
    """A quarter note of 96 ticks, with the pedal down until tick 384."""
    from tests.scores import midi_file, track

    held = midi_file(track("00 B0 40 7F", "00 90 3C 40", "60 80 3C 00", "82 20 B0 40 00"))
    (tmp_path / "held.mid").write_bytes(held)
    render(tmp_path / "held.mid", tmp_path / "held.musicxml")
    assert "<type>quarter</type>" in (tmp_path / "held.musicxml").read_text()
    render(tmp_path / "held.mid", tmp_path / "again.mid")
    assert midi.read(tmp_path / "again.mid").duration_ticks.tolist() == [384]


@pytest.mark.parametrize(("text", "reason"), [("{", "cannot read"), ("[1]", "contains a list")])
def test_a_recipe_that_is_none_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(InputError, match=reason):
        render(tune(), tmp_path / "song", recipe=tmp_path / "recipe.json")


def test_titles_cannot_break_the_page() -> None:
    text = song_page(song((0, BEAT, 60, 80, 0), title='<script>"&'), ["song.ogg"])
    assert "<script>" not in text and "&lt;script&gt;" in text


class Links(HTMLParser):
    """Collects the files that a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_drums_are_read_and_written_by_the_kits_that_are_named(tmp_path: Path) -> None:
    """50 is the rim of tom 1 of a Roland kit, which is 48 in General MIDI, and 71 in Addictive Drums 2."""
    hit = song((0, BEAT, 50, 80, 0), (BEAT, BEAT, 54, 80, 0), parts=(Part("Drums", 0, True),))
    midi.write(hit, tmp_path / "kit.mid")
    made = render(tmp_path / "kit.mid", tmp_path / "ad2.mid", from_drum_map="roland", to_drum_map="addictive")
    assert midi.read(tmp_path / "ad2.mid").pitch.tolist() == [71]
    assert made.dropped == {"drum notes that the kit does not have": 1}  # 54, a tambourine
    assert notation.read(tmp_path / "kit.mid", from_drum_map="td-17").pitch.tolist() == [48, 54]


def test_flac_has_as_many_bits_as_asked_for(tmp_path: Path, sine_font: Path) -> None:
    soundfile = pytest.importorskip("soundfile", reason="the extra audio is not installed")
    for bits in (16, 24):
        render(tune(), tmp_path / f"{bits}.flac", bits=bits, soundfont=sine_font)
        assert soundfile.info(tmp_path / f"{bits}.flac").subtype == f"PCM_{bits}"
