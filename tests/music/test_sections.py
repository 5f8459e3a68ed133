"""Phrases and sections, and the symbols of the chords of a bar."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ritornello.music.chord_names import parse_chord
from ritornello.music.chord_symbols import bar_symbols, parse_symbols
from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.sections import phrases, sections
from ritornello.music.sketch import CLOSED, END, OPEN, UNKNOWN, Sketch
from ritornello.music.theory import chord_name


def shown(form: str, cadences: tuple[int, ...] = ()) -> str:
    returns = parse_form(form)
    plan = Plan(bars=len(returns), returns=returns, sketch=Sketch(cadences=cadences))
    return " ".join(f"{section.name}{section.bars}" for section in sections(plan.timeline(GRID)))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("A8 A8 B8 A8", "A8 A8 B8 A8"),
        ("A8 A8 B8 B8~", "A8 A8 B8 B'8"),
        ("intro4 A8 A8~ B8 A8", "A4 B8 B'8 C8 B8"),
        ("A8", "A4 B4"),
    ],
)
def test_a_form_is_found_in_what_returns(form: str, expected: str) -> None:
    assert shown(form) == expected


def test_cadences_say_where_phrases_end() -> None:
    ends = {4: OPEN, 9: CLOSED, 15: END}
    cadences = tuple(ends.get(bar, 0) for bar in range(16))
    assert phrases(16, cadences) == [range(5), range(5, 10), range(10, 16)]
    assert phrases(10, (0, UNKNOWN, OPEN)) == [range(3), range(3, 7), range(7, 10)]
    assert shown("A5 A5 B6", cadences) == "A5 A5 B6"


def test_an_open_form_has_no_letters() -> None:
    assert sections(Plan(bars=8).timeline(GRID)) == []


def test_symbols_share_a_bar_equally() -> None:
    plan = Plan(bars=4, meters=((0, 4, 4), (2, 6, 8)), key=(-4, False))
    timeline = plan.timeline(GRID)
    chords = parse_symbols(["Db / / Ab7", "%", "/ Cm7", "?"], timeline)
    assert [chord.onset_ticks for chord in chords] == [0, 72, 96, 168, 228, 264]
    assert bar_symbols(replace(timeline, chords=chords), plan.key) == [
        "Db / / Ab7",
        "Db / / Ab7",
        "Ab7 Cm7",
        "?",
    ]


def test_chords_are_spelled_in_the_key() -> None:
    assert [chord_name(root, "maj", (4, False)) for root in (1, 3, 8, 10)] == ["C#", "D#", "G#", "A#"]
    assert [chord_name(root, "maj", (-3, True)) for root in (1, 3, 8, 11)] == ["Db", "Eb", "Ab", "B"]
    for sharps in range(-7, 8):
        for root in range(12):
            assert parse_chord(chord_name(root, "min7", (sharps, False)))[1:3] == (root, "min7")
