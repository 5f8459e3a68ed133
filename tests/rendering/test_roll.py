"""The piano roll as an image and as SVG: positions and looks of notes, and that any song can be drawn."""

from __future__ import annotations

import io
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from ritornello.errors import OutputError, ScoreError
from ritornello.music.score import Chord, Marker, Meter, Part, Score
from ritornello.rendering import roll, roll_contents
from ritornello.rendering.drawing import Box, Drawing, to_image, to_svg, transliterate
from ritornello.rendering.palette import (
    BACKGROUND,
    DRUM_COLOUR,
    FAINT_TEXT,
    LANE,
    TEXT,
    blend,
    opacity,
    part_colour,
    rgb,
)
from ritornello.rendering.roll_layout import MAX_HEIGHT, WIDTH, lay_out
from tests.rendering.songs import BEAT, changing_meters, drum_loop, orchestra, song
from tests.scores import scores, tune

SVG = "{http://www.w3.org/2000/svg}"


def notes_of(picture: Drawing, colour: str) -> list[Box]:
    """The boxes of notes in a colour, without their opaque edges and the box of the legend."""
    return [box for box in picture.boxes if box.colour == colour and box.opacity < 1]


def labels(picture: Drawing) -> list[str]:
    return [text.text for text in picture.texts]


def test_notes_stand_where_they_sound() -> None:
    score = song((0, 24, 60, 64, 0), (48, 48, 72, 64, 0), title="Two")
    first, second = sorted(notes_of(lay_out(score), part_colour(0)), key=lambda box: box.x)
    beat = first.width + 1.5  # a note ends so much before the next
    assert second.x - first.x == pytest.approx(2 * beat)
    assert second.width + 1.5 == pytest.approx(2 * beat)
    assert first.y - second.y == pytest.approx(12 * 16)  # an octave, in lines of the greatest height
    assert first.opacity == opacity(64)


def test_a_bar_fills_the_row() -> None:
    picture = lay_out(song((0, 96, 60, 127, 0)))
    note = next(box for box in picture.boxes if box.colour == part_colour(0) and box.width > 100)
    assert note.x + note.width == pytest.approx(WIDTH - 44 - 1.5)


def test_texts() -> None:
    assert labels(lay_out(tune())) == [
        "Tune",
        "G major · 4/4 · 96 bpm · 4 bars · 0:10 · 23 notes",
        "Melody",
        "Bass",
        "C3",  # from G2 to E5
        "C4",
        "C5",
        *"1A234",  # bars, and the marker A
        *("G", "C", "G", "D7"),
    ]


def test_chords_stand_above_the_lanes_where_there_is_room() -> None:
    chords = tuple(Chord(24 * beat, beat % 12, "min7") for beat in range(128))
    bars = song(*((24 * beat, 24, 60, 90, 0) for beat in range(128)), chords=chords)
    wide, narrow = (labels(lay_out(bars, number)) for number in (4, 32))
    assert sum("m7" in label for label in wide) == 128
    assert 10 < sum("m7" in label for label in narrow) < 32  # none at a bar line touches the one before
    held = lay_out(song(*((96 * bar, 96, 60, 90, 0) for bar in range(4)), chords=chords[:1]), 2)
    assert labels(held).count("Cm7") == 2  # it sounds on in the second row
    assert [text.colour for text in held.texts if text.text == "Cm7"] == [TEXT, FAINT_TEXT]


def test_markers_stand_beside_the_bar_numbers_in_boxes() -> None:
    markers = (Marker(0, "Intro"), Marker(100, "B'"), Marker(110, "not shown"))
    picture = lay_out(song(*((24 * beat, 24, 60, 90, 0) for beat in range(12)), markers=markers))
    found = labels(picture)
    assert found[found.index("1") :] == ["1", "Intro", "2", "B'", "3"]
    boxes = [box for box in picture.boxes if box.colour == TEXT]
    texts = [text for text in picture.texts if text.colour == BACKGROUND]
    for box, text in zip(boxes, texts, strict=True):
        assert box.x < text.x < box.x + box.width
        assert box.y < text.y < box.y + box.height


def test_meter_changes_are_written_where_they_come() -> None:
    found = labels(lay_out(changing_meters()))
    assert found[found.index("1") :] == ["1", "2", "3", "3/4", "4", "6/8", "5", "5/4", "6"]


def test_drums_have_a_lane_below() -> None:
    score = song((0, 24, 60, 90, 0), (0, 24, 36, 90, 1), parts=(Part("Lead"), Part("Kit", 0, True)))
    picture = lay_out(score)
    assert notes_of(picture, DRUM_COLOUR)[0].y > max(box.y for box in notes_of(picture, part_colour(0)))
    assert "kick" in labels(picture)
    assert len(notes_of(lay_out(drum_loop()), DRUM_COLOUR)) == 16 + 8 + 32


@pytest.mark.parametrize(
    ("bars_per_row", "first_bars"), [(8, [1, 9, 17, 25, 33]), (40, [1]), (None, [1, 9, 17, 25, 33])]
)
def test_rows(bars_per_row: int | None, first_bars: list[int]) -> None:
    numbers = [text for text in lay_out(orchestra(40, 2), bars_per_row).texts if text.text.isdigit()]
    assert [int(text.text) for text in numbers] == list(range(1, 41))
    assert [int(text.text) for text in numbers if text.x == numbers[0].x] == first_bars
    assert len({text.y for text in numbers}) == len(first_bars)


@pytest.mark.parametrize(
    ("bars", "width", "rows"), [(16, 1600, 2), (64, 1600, 8), (112, 3200, 7), (245, 3200, 8)]
)
def test_long_songs_are_wider_and_not_much_higher(bars: int, width: int, rows: int) -> None:
    picture = lay_out(orchestra(bars, 3))
    numbers = [text for text in picture.texts if text.text.isdigit()]
    assert (picture.width, len({text.y for text in numbers})) == (width, rows)
    assert [int(text.text) for text in numbers] == list(range(1, bars + 1))
    assert max(box.x + box.width for box in picture.boxes) <= picture.width
    assert picture.height < 2 * picture.width or bars == 64


def test_a_note_goes_on_in_the_next_row() -> None:
    score = song((0, 192, 60, 90, 0), meters=(Meter(0, 4, 4),))  # two bars
    pieces = notes_of(lay_out(score, bars_per_row=1), part_colour(0))
    assert len(pieces) == 2 and pieces[0].width == pytest.approx(pieces[1].width)
    edges = [b for b in lay_out(score, bars_per_row=1).boxes if b.colour == part_colour(0) and b.width == 3]
    assert len(edges) == 1  # it is struck once


def test_one_long_bar_does_not_squeeze_the_others() -> None:
    notes = [(BEAT * beat, BEAT, 60, 90, 0) for beat in range(48)]
    strange = song(*notes, meters=(Meter(0, 4, 4), Meter(16 * BEAT, 16, 4), Meter(32 * BEAT, 4, 4)))
    usual = song(*notes, meters=(Meter(0, 4, 4),))
    widths = [notes_of(lay_out(s, bars_per_row=2), part_colour(0))[0].width for s in (strange, usual)]
    assert widths[0] == widths[1]
    # rows of eight beats: the long bar fills two of them, and its number stands once
    numbers = [text for text in lay_out(strange, bars_per_row=2).texts if text.text.isdigit()]
    assert [int(text.text) for text in numbers] == list(range(1, 10))
    assert len({text.y for text in numbers}) == 2 + 1 + 2


def test_a_very_long_song_is_cut_and_says_so() -> None:
    picture = lay_out(orchestra(3000, 2), bars_per_row=4)
    assert picture.height <= MAX_HEIGHT + 200
    shown = max(int(text) for text in labels(picture) if text.isdigit())
    assert labels(picture)[-1] == f"... bars {shown + 1:,} to 3,000 are not shown"


def test_a_song_without_notes() -> None:
    assert "no notes" in labels(lay_out(song(title="Silence")))
    assert roll.image(song()).size[0] == 1600


@settings(max_examples=40)
@given(scores(max_notes=40))
def test_any_song_has_a_picture(score: Score) -> None:
    picture = lay_out(score)
    for box in picture.boxes:
        assert box.x >= 0 and box.x + box.width <= WIDTH + 1 and box.width > 0
        assert box.y >= 0 and box.y + box.height <= picture.height and box.height > 0
    assert all(0 < text.y < picture.height for text in picture.texts)
    seen = {voice.colour for voice in roll_contents.shown_parts(score)}
    assert seen <= {box.colour for box in picture.boxes}
    ElementTree.fromstring(to_svg(picture))


def test_image_shows_velocity_as_opacity() -> None:
    pixels = np.asarray(roll.image(song((0, 96, 64, 50, 0), (96, 96, 64, 127, 0))))
    picture = lay_out(song((0, 96, 64, 50, 0), (96, 96, 64, 127, 0)))
    soft = notes_of(picture, part_colour(0))[0]
    y, x = round(soft.y + soft.height / 2), round(soft.x + soft.width / 2) + 7  # beside the line of a beat
    assert tuple(pixels[y, x]) == rgb(blend(part_colour(0), LANE, opacity(50)))
    assert tuple(pixels[y, x + round(soft.width)]) == rgb(part_colour(0))
    assert tuple(pixels[y, round(soft.x) + 1]) == rgb(part_colour(0))  # the edge that begins it
    assert tuple(pixels[3, 3]) == rgb(BACKGROUND)


def test_boxes_do_not_bleed_and_corners_are_round() -> None:
    box = Box(10, 10, 20, 20, "#FFFFFF", radius=5)
    pixels = np.asarray(to_image(Drawing(40, 40, "#000000", "", (box,)), 40))[:, :, 0]
    assert pixels[:10].max() == pixels[30:].max() == pixels[:, :10].max() == pixels[:, 30:].max() == 0
    assert pixels[10, 10] == pixels[29, 29] == 0 and pixels[20, 20] == 255
    assert np.array_equal(pixels, pixels.T) and np.array_equal(pixels, pixels[::-1])


@pytest.mark.parametrize("width", [400, 1600, 3000])
def test_png_has_the_width_that_is_asked_for(width: int) -> None:
    with Image.open(io.BytesIO(roll.png(drum_loop(), width=width))) as image:
        assert image.size[0] == width
        assert image.size[1] == round(lay_out(drum_loop()).height * width / WIDTH)


def test_png_and_svg_are_written(tmp_path: Path) -> None:
    data = roll.png(tune(), tmp_path / "a" / "song.png")
    assert (tmp_path / "a" / "song.png").read_bytes() == data == roll.png(tune())
    text = roll.svg(tune(), tmp_path / "song.svg")
    assert (tmp_path / "song.svg").read_text(encoding="utf-8") == text == roll.svg(tune())
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file.*song\.png"):
        roll.png(tune(), tmp_path / "file" / "song.png")


def test_svg_is_the_same_picture() -> None:
    picture, root = lay_out(tune()), ElementTree.fromstring(roll.svg(tune()))
    assert len(root.findall(f"{SVG}rect")) == len(picture.boxes) + 1  # and the ground
    assert [text.text for text in root.findall(f"{SVG}text")] == labels(picture)
    assert root.get("viewBox") == f"0 0 1600 {picture.height:.2f}".rstrip("0").rstrip(".")
    title = root.find(f"{SVG}title")
    assert title is not None and title.text == picture.title


def test_names_in_any_script() -> None:
    score = replace(
        song((0, 24, 60, 90, 0), parts=(Part("<Ströme & 月>\x00\x1f"),)), title="Ménage \ud800à 3"
    )
    root = ElementTree.fromstring(roll.svg(score))
    assert [text.text for text in root.findall(f"{SVG}text")][0::2][:2] == ["Ménage à 3", "<Ströme & 月>"]
    roll.png(score)
    assert transliterate("<Ströme & 月光>") == "<Strome & ?>"
    assert transliterate("Søren Łoś: Þráður, cœur \u2013 Ængste") == "Soren Los: THradur, coeur - AEngste"


def test_long_names_are_cut() -> None:
    score = song((0, 24, 60, 90, 0), parts=(Part("x" * 500),), title="y" * 500)
    title, _, name = labels(lay_out(score))[:3]
    assert title.endswith("y…") and name.endswith("x…") and len(name) < len(title) < 120


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 199}, "width 199: must be 200-3200"),
        ({"width": 3201}, "width 3201: must be 200-3200"),
        ({"bars_per_row": 0}, "bars_per_row 0: must be 1-64"),
        ({"bars_per_row": 65}, "bars_per_row 65: must be 1-64"),
    ],
)
def test_what_cannot_be_drawn(options: dict[str, int], said: str) -> None:
    with pytest.raises(ScoreError, match=said):
        roll.png(tune(), **options)  # type: ignore[arg-type]


def test_ten_parts_and_200_bars_in_good_time() -> None:
    score = orchestra()
    began = time.process_time()
    data = roll.png(score)
    assert time.process_time() - began < 10  # measured: 1 s
    with Image.open(io.BytesIO(data)) as image:
        assert image.size[0] == 3200 and 2000 < image.size[1] < MAX_HEIGHT
