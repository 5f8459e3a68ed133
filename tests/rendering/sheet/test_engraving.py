"""Engraved scores: the notes in the SVG, the pixels of images, errors."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ritornello.errors import InputError
from ritornello.music.score import Score
from ritornello.rendering import sheet
from ritornello.rendering.sheet import engraving
from tests.rendering.songs import BEAT, drum_loop, song
from tests.scores import tune


def test_a_song_is_engraved_under_its_title(tmp_path: Path) -> None:
    pytest.importorskip("verovio", reason="the extra sheet is not installed")
    text = sheet.svg(tune(), tmp_path / "score.svg")
    assert (tmp_path / "score.svg").read_text() == text
    root = ElementTree.fromstring(text)
    shown = "".join(root.itertext())
    assert "Tune" in shown and "Melody" in shown and "Bass" in shown
    notes = [e for e in root.iter() if e.get("class") == "note"]
    assert len(notes) == 23  # 15 of the melody and 8 of the bass, none of them tied
    assert text == sheet.svg(tune())


def test_pages_are_joined_below_each_other() -> None:
    page = '<?xml version="1.0"?><svg viewBox="0 0 100 {}" xmlns="http://www.w3.org/2000/svg"><g/></svg>'
    root = ElementTree.fromstring(engraving._join_pages([page.format(50), page.format(70)]))
    assert root.get("viewBox") == "0 0 100 120"
    assert [(e.get("y"), e.get("height")) for e in root] == [("0", "50"), ("50", "70")]


def test_an_image_of_a_score_is_black_on_white() -> None:
    pytest.importorskip("verovio", reason="the extra sheet is not installed")
    pytest.importorskip("resvg_py", reason="the extra sheet is not installed")
    from PIL import Image

    image = Image.open(io.BytesIO(sheet.png(drum_loop())))
    assert image.width == engraving.WIDTH_PIXELS
    pixels = np.asarray(image.convert("L"))
    assert pixels[0, 0] == 255
    assert 0.005 < (pixels < 100).mean() < 0.2


def test_letters_of_an_image_are_those_of_its_font() -> None:
    plain = engraving._with_available_letters(
        '<tspan font-family="Leipzig" font-size="9px">\ueca5</tspan><text>Für Élise</text>'
    )
    assert "beat" in plain and "Fur Elise" in plain and plain.isascii()
    flat = engraving._with_available_letters('B<tspan font-family="Leipzig">\uea64</tspan>')
    assert flat == 'B<tspan font-size="405px">b</tspan>'


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (Score.of(24, [], [], [], [], title="Nothing"), "'Nothing' has no notes"),
        (
            song((BEAT * 4 * 2000, BEAT, 60, 90, 0)),
            r"the song has 2,001 bars: must be at most 2,000 \(--max-bars\)",
        ),
    ],
)
def test_what_cannot_be_written_down_is_refused(score: Score, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sheet.musicxml(score)


def test_an_image_that_is_too_high_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engraving, "to_svg", lambda text, title: '<svg viewBox="0 0 100 9000"/>')
    with pytest.raises(InputError, match="144,000 pixels high: must be at most 25,000"):
        sheet.png(tune())


@pytest.mark.parametrize("missing", ["verovio", "resvg_py"])
def test_what_to_install_is_said(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=r'pip install "ritornello\[sheet\]"'):
        engraving.to_svg("") if missing == "verovio" else engraving.to_png("<svg/>")
