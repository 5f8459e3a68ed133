"""The piano roll in the terminal: blocks, colours, bars, and plain text without colours."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from rich.console import Console

from ritornello.errors import ScoreError
from ritornello.music.chord_names import parse_chord
from ritornello.music.score import KeySignature, Marker, Meter, Part, Score
from ritornello.rendering import roll
from ritornello.rendering.terminal_roll import BLOCKS, _block
from tests.rendering.songs import BEAT, drum_loop, orchestra, song
from tests.scores import scores, tune


def printed(score: Score, *, width: int = 80, encoding: str = "utf-8", **options: object) -> str:
    """What a console with these options prints."""
    buffer = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=buffer, width=width, **options).print(roll.terminal(score))  # type: ignore[arg-type]
    buffer.seek(0)
    return buffer.read()


def test_tune_as_text() -> None:
    # Four bars of 16 characters (the finest grid that fits: 8 moments a beat), a beat is four characters.
    # The melody begins G4 B4 D5 B4, the bass G2 D3; two pitches a line, E5 (76) and D#5 on the first.
    lines = str(roll.terminal(tune())).splitlines()
    assert lines[0].split() == ["1", "[A]", "2", "3", "4"]
    assert lines[1].split() == ["G", "C", "G", "D7"]
    assert lines[1].index("C") == lines[0].index("2")
    assert lines[0].index("2") - lines[0].index("1") == 16
    assert lines[-1].split() == ["Melody", "Bass"]
    assert len(lines) == 2 + 17 + 1  # from G2 (43) to E5 (76): 34 pitches, two a line
    assert lines[2] == "    │               │   ▀▀▀▀        │               │"
    assert lines[3] == "    │       ▀▀▀▀    │       ▀▀▀▀    │               │"  # D5, then D5
    assert [line.split()[0] for line in lines if line.startswith(" C")] == ["C5", "C4", "C3"]


def test_chords_at_bar_lines_come_first() -> None:
    chords = [(0, "D"), (12, "Em"), (24, "F#m7"), (48, "G"), (96, "A7"), (186, "Bm7")]
    score = song(
        *((24 * beat, 24, 60, 90, 0) for beat in range(8)),
        keys=(KeySignature(0, 2, False),),
        chords=tuple(parse_chord(name)._replace(onset_ticks=tick) for tick, name in chords),
    )
    lines = str(roll.terminal(score, width=21)).splitlines()
    assert lines[0] == "    1       2"
    assert lines[1] == "    D F#m7  A7"  # a beat has two characters; no room for Em, G and Bm7


def test_the_marker_after_a_narrow_pickup_is_shown() -> None:
    meters, markers = (Meter(0, 1, 8), Meter(12, 4, 4)), (Marker(12, "A"),)
    score = song(*((12 + 24 * beat, 24, 60, 90, 0) for beat in range(8)), meters=meters, markers=markers)
    assert str(roll.terminal(score, width=24)).splitlines()[0] == "     1 [A]   2"


def test_drum_loop_as_text() -> None:
    # 73 characters are left for 16 beats: 8 moments, four characters a beat
    assert [line.rstrip() for line in str(roll.terminal(drum_loop())).splitlines()[1:4]] == [
        ("hi-hat " + "▖ " * 32).rstrip(),
        (" snare " + "│   ▖       ▖   " * 4).rstrip(),
        ("  kick " + "▖   " * 16).rstrip(),
    ]


def test_a_pitch_struck_again_leaves_a_gap() -> None:
    score = song((0, 24, 60, 90, 0), (24, 24, 60, 90, 0), (48, 24, 61, 90, 0))
    # 24 moments a beat; C4 (60) is the upper pitch of its line, for the range is 54-65
    row = next(line for line in str(roll.terminal(score)).splitlines() if line.startswith(" C4"))
    assert row == " C4 " + "▀" * 11 + "▘" + "▀" * 12 + "·" + " " * 11 + "·"


def test_colours_where_there_are_some() -> None:
    coloured = printed(tune(), force_terminal=True, color_system="truecolor", legacy_windows=False)
    assert "38;2;86;180;233" in coloured and "38;2;230;159;0" in coloured  # sky blue and orange
    for plain in (
        printed(tune(), force_terminal=True, no_color=True, color_system="truecolor", legacy_windows=False),
        printed(tune()),
    ):
        assert "38;2" not in plain and "▀▀▀▀" in plain
    assert printed(tune()).rstrip() == str(roll.terminal(tune()))


def test_ascii_where_nothing_else_is_known() -> None:
    text = printed(tune(), encoding="ascii")
    assert text.isascii() and "####" in text and "|" in text


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_too_wide(width: int) -> None:
    for score in (tune(), drum_loop(), orchestra(20, 12)):
        assert max(map(len, printed(score, width=width).splitlines())) <= width


def test_long_songs_are_cut_and_say_so() -> None:
    text = str(roll.terminal(orchestra(), height=24))
    assert "… 184 more bars" in text
    assert text.splitlines()[0].split() == [str(bar) for bar in range(1, 9)]
    assert "… 192 more bars" in str(roll.terminal(orchestra(), max_bars=8))
    # 75 characters are left: 18 bars of four beats of one character
    assert "… 182 more bars" in str(roll.terminal(orchestra(), max_bars=99))


def test_sixteen_bars_are_sixteen() -> None:
    """Bar 8 has a note that goes on in bar 9, in the second row."""
    score = song(*((96 * bar, 192 if bar == 7 else 96, 60 + bar, 90, 0) for bar in range(16)))
    lines = str(roll.terminal(score)).splitlines()
    starts = [i for i, line in enumerate(lines) if line.split()[:1] in (["1"], ["9"])]
    assert [lines[i].split() for i in starts] == [[str(n + k) for n in range(8)] for k in (1, 9)]
    assert "more bars" not in lines[-1]
    for row, bar in (
        (0, 7),
        (1, 8),
    ):  # the note of bar 8 sounds at the end of a row and the start of the next
        column = lines[starts[row]].index(str(bar + 1)) if bar < 8 else lines[starts[1]].index("9")
        assert any(line[column : column + 2] == "▀▀" or line[column : column + 2] == "▄▄"
                   for line in lines[starts[row] : starts[row] + 16])  # fmt: skip


def test_the_legend_names_each_label_once() -> None:
    parts = (Part("Flute"), Part("Flute"), Part("Oboe"))
    score = song(*((0, 24, 60 + part, 90, part) for part in range(3)), parts=parts)
    assert str(roll.terminal(score)).splitlines()[-1].split("  ")[-2:] == ["Flute x2", "Oboe"]
    coloured = printed(score, force_terminal=True, color_system="truecolor", legacy_windows=False)
    assert coloured.count("Flute") == 1


@pytest.mark.parametrize("height", [8, 12, 24, 60])
def test_pitches_share_pixels_where_the_height_asks(height: int) -> None:
    low_and_high = song((0, 24, 0, 90, 0), (24, 24, 127, 90, 0))
    lines = str(roll.terminal(low_and_high, height=height)).splitlines()
    assert height // 2 < len(lines) <= height + 1  # the legend comes on top of it
    assert "▀" in lines[1] and "▀" not in lines[2]


def test_silence() -> None:
    assert str(roll.terminal(song())) == "no notes"


def test_a_bar_too_long_for_the_width_is_cut() -> None:
    sixteen = (Meter(0, 16, 4),)
    fitting = song(*((BEAT * beat, BEAT, 60, 90, 0) for beat in range(32)), meters=sixteen)
    # 20 characters, less 4 for "C4": 16 beats of one character, a note and a gap
    assert " C4 " + "▘" * 16 in str(roll.terminal(fitting, width=20)).splitlines()
    drums = song(
        *((BEAT * beat, BEAT, 80, 90, 0) for beat in range(32)), parts=(Part("", 0, True),), meters=sixteen
    )
    # "percussion" and a space leave 9
    assert str(roll.terminal(drums, width=20)).splitlines()[1] == "percussion " + "▖" * 9


@given(scores(max_notes=40))
def test_any_song_has_a_roll(score: Score) -> None:
    lines = str(roll.terminal(score, width=60, height=20)).splitlines()
    roll_lines = [line for line in lines if line.startswith((" " * 4, " C", "C"))]
    assert all(len(line) <= 60 for line in roll_lines if line.isascii())  # names may hold wide letters
    if len(score):
        assert any(glyph in line for line in lines for glyph in BLOCKS[1:])


@pytest.mark.parametrize(
    ("four", "drawn"),
    [
        ([0, -1, -1, -1], ("▘", "a")),
        ([0, 0, -1, -1], ("▀", "a")),
        ([0, 0, 0, 0], ("█", "a")),
        ([0, 0, 1, 1], ("▀", "a on b")),
        ([0, 1, 1, 0], ("▚", "a on b")),
        ([-1, 0, 1, -1], ("▀", "a on b")),  # two colours and the terminal's own: halves
        ([0, 1, -1, -1], ("▀", "a")),
        ([-1, -1, 0, 1], ("▄", "a")),
        ([0, 1, 2, 2], ("▀", "a on c")),
    ],
)
def test_blocks(four: list[int], drawn: tuple[str, str]) -> None:
    assert _block(four, ["a", "b", "c"]) == drawn


def test_without_colours_parts_melt_together() -> None:
    assert _block([0, 1, -1, 2], ["", "", ""]) == ("▜", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 19}, "width 19: must be 20-1000"),
        ({"height": 7}, "height 7: must be 8-1000"),
        ({"max_bars": 0}, "max_bars 0: must be 1-10000"),
    ],
)
def test_what_cannot_be_shown(options: dict[str, int], said: str) -> None:
    with pytest.raises(ScoreError, match=said):
        roll.terminal(tune(), **options)


def test_part_names_are_shortened() -> None:
    assert "x" * 25 not in str(roll.terminal(song((0, 24, 60, 90, 0), parts=(Part("x" * 99),))))
