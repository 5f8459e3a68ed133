"""The sketch of a plan as text."""

from __future__ import annotations

from dataclasses import replace

from ritornello.music.chord_symbols import parse_symbols
from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part
from ritornello.music.sketch import END, NO_MOTIF, OPEN, UNKNOWN, Sketch
from ritornello.rendering.lead_sheet import bar_texts, chord_lines, lead_sheet

PARTS = (Part("", 40), Part("", 32), Part("", 0, True))
SKETCH = Sketch(
    cadences=(0, 0, OPEN, 0, 0, END),
    motifs=(NO_MOTIF, NO_MOTIF, NO_MOTIF, 0, 1, UNKNOWN),
    parts=PARTS,
    textures=(
        ((4, 69), (6, 71), (4, 74), (4, 69), (8, 72), (2, 62)),
        ((0, UNKNOWN), (0, UNKNOWN), (2, 38), (2, 43), (2, 38), (1, 38)),
        ((16, UNKNOWN),) * 4 + ((UNKNOWN, UNKNOWN),) * 2,
    ),
    closings=(*((UNKNOWN, UNKNOWN),) * 5, (48, 1)),
)
PLAN = Plan(bars=6, key=(2, False), parts=PARTS, returns=parse_form("A3 A3~"), sketch=SKETCH)
PLAN = replace(PLAN, chords=parse_symbols(["D", "%", "G / / A7", "D", "G A7"], PLAN.timeline(GRID)))

SHEET = """\
D major, 4/4, 120 bpm, 6 bars
form A3 A3~
violin: plays in 6 of 6 bars, 2-8 notes a bar, around D4 to D5
acoustic bass: plays in 4 of 6 bars, 1-2 notes a bar, around D2 to G2
drums: plays in 4 of 6 bars, 16 notes a bar

                 1          2          3
A              | D        | %        | G / / A7 | open
motif            a          b          ·
violin           ▂ A4       ▃ B4       ▂ D5
acoustic bass    -          -          ▁ D2
drums            █          █          █

                 4          5          6
A'             | D        | G A7     | A7       | end on C#
motif            a          b          ?
violin           ▂ A4       ▄ C5       ▁ D4
acoustic bass    ▁ G2       ▁ D2       ▁ D2
drums            █          ?          ?

▁-█ 1-16 notes, - rests, · comes once, ? open"""


def test_a_lead_sheet() -> None:
    assert lead_sheet(PLAN) == SHEET


def test_a_plan_without_a_sketch_has_bars_alone() -> None:
    text = lead_sheet(Plan(bars=5))
    assert text.splitlines()[0] == "4/4, 120 bpm, 5 bars"
    assert text.count("| ?") == 5
    assert chord_lines(Plan(bars=5)) == []


def test_drums_alone_have_no_chords() -> None:
    assert "?" not in lead_sheet(Plan(bars=4, parts=(Part("", 0, True),)))


def test_a_long_phrase_is_continued_in_the_next_line() -> None:
    sketch = Sketch(cadences=(*[0] * 11, END))
    lines = lead_sheet(Plan(bars=12, sketch=sketch), width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.count("|") - 1 for line in lines if "|" in line] == [4, 4, 4]
    assert lines[-1].endswith("| end")


def test_chords_alone_have_a_line_a_phrase() -> None:
    assert chord_lines(PLAN) == ["A  | D | % | G / / A7 |", "A' | D | G A7 | A7 |"]
    assert chord_lines(PLAN, 16) == ["A  | D | % |", "   | G / / A7 |", "A' | D | G A7 |", "   | A7 |"]


def test_a_bar_in_words() -> None:
    words = bar_texts(PLAN.timeline(GRID), PLAN.key)
    assert words[3] == (
        "bar 4: section A', | D |, repeats bar 1, motif of bar 1, violin: 4 notes around A4, "
        "acoustic bass: 2 notes around G2, drums: 16 notes"
    )
    assert words[0].endswith("acoustic bass: rests, drums: 16 notes")
    assert words[5].endswith(
        "ends a phrase: end on C#, violin: 2 notes around D4, acoustic bass: 1 note around D2, drums: ?"
    )
    assert bar_texts(Plan(bars=2, meters=((0, 1, 4), (1, 4, 4))).timeline(GRID)) == [
        "bar 0: | ? |",
        "bar 1: | ? |",
    ]
