"""Pickups in written music are short bars before bar 1, read and written again."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ritornello.music.pickup import with_pickup
from ritornello.music.score import Meter, Score
from ritornello.music.timeline import Timeline
from ritornello.notation import parse_notation
from ritornello.notation.abc_bars import first_bar_beats
from ritornello.notation.formats import Format
from ritornello.rendering import roll, sheet

HEAD = "X:1\nT:Try\nM:6/8\nL:1/8\nK:G\n"
JIG = "D | GAB c2d | e2c d2B | c2A G2 |]\n"
KERN = "**kern\n*M3/4\n4c\n=1\n4d\n4e\n4f\n=2\n4g\n4a\n4b\n=3\n2cc\n==\n*-\n"


def jig() -> Score:
    """A pickup of an eighth and three bars of 6/8."""
    onset = range(0, 19 * 240, 240)
    meters = (Meter(0, 1, 8), Meter(240, 6, 8))
    return Score.of(480, onset, [240] * 19, [60 + n for n in range(19)], [64] * 19, meters=meters)


@pytest.mark.parametrize(
    ("data", "format_name", "beats", "bars"),
    [(HEAD + JIG, "abc", 0.5, 3), (KERN, "kern", 1, 3), (KERN.replace("4c\n=1\n", "=1\n"), "kern", 3, 3)],
)
def test_a_pickup_is_read(data: str, format_name: Format, beats: float, bars: int) -> None:
    if format_name == "kern":
        pytest.importorskip("verovio", reason="the extra sheet is not installed")
    score = parse_notation(data.encode(), format_name).score
    timeline = Timeline.of(score)
    assert timeline.length_ticks[0] == beats * score.ticks_per_beat
    assert (timeline.full_bars, timeline.pickup_bars) == (bars, int(beats < 3))


def test_a_pickup_is_written_as_bar_0_and_read_again() -> None:
    pytest.importorskip("verovio", reason="the extra sheet is not installed")
    text = sheet.musicxml(jig())
    assert '<measure number="0" implicit="yes">' in text
    assert [number for number in range(4) if f'<measure number="{number}"' in text] == [0, 1, 2, 3]
    assert text.count("<time>") == 1  # 6/8 for all bars
    assert "<beats>6</beats>" in text
    score = parse_notation(text.encode(), "musicxml").score
    beat = score.ticks_per_beat
    assert score.meters == (Meter(0, 1, 8), Meter(beat // 2, 6, 8))


def test_piano_rolls_number_the_pickup_0() -> None:
    picture = roll.svg(jig())
    assert "3 bars" in picture
    assert [f">{number}</text>" in picture for number in range(5)] == [True, True, True, True, False]
    first_line = str(roll.terminal(jig())).splitlines()[0]
    assert first_line.split() == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("music", "eighths"),
    [
        ("D|GAB c2d|", 1),
        ("|:D|GAB|", 1),
        ("D2>E|G|", 3),
        ("(3DEF|G|", 2),
        ("(3:2:2D2F|G|", 2),
        ('"G"!trill!{AB}[DGB]2A/|G|', Fraction(5, 2)),
        ("[V:1][D2G2]F//z3/2|G|", Fraction(15, 4)),
        ("^d'3/2_B,|]", Fraction(5, 2)),
        ("w: some words|\nD|G|", 1),
        ("% a remark|\nDE|G|", 2),
        ("V:1\nD|G|\nV:2\nDEF|G|", 1),
        ("GAB c2d", 0),  # no bar line
        ("", 0),
    ],
)
def test_length_of_the_first_bar_of_abc(music: str, eighths: Fraction) -> None:
    assert first_bar_beats(HEAD + music) == Fraction(eighths) / 2


def test_unit_of_length_of_abc() -> None:
    assert first_bar_beats("X:1\nM:2/4\nK:G\nDE|G|") == Fraction(1, 2)  # 16ths
    assert first_bar_beats("X:1\nM:C\nK:G\nDE|G|") == 1  # eighths
    assert first_bar_beats("DE|G|") == 0


def test_a_first_bar_that_no_meter_fits_stays() -> None:
    song = Score.of(24, [0, 30], [6, 6], [60, 62], [64, 64], meters=(Meter(0, 3, 4),))
    assert with_pickup(song, 8) is song  # a third of a beat
    assert with_pickup(song, 72) is song
    assert with_pickup(song, 0) is song
    assert with_pickup(song, 24).meters == (Meter(0, 1, 4), Meter(24, 3, 4))
